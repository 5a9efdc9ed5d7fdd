/* PNG files as bytes: of a drawn page, with its resolution and metadata, and of matrices for
 * embedding.
 *
 *     pngfile_page(&pixels, 300, spec, title, &out, &error);
 *     pngfile_cells(image, cells, rows, columns, &out);
 */
#ifndef RENDER_PNGFILE_H
#define RENDER_PNGFILE_H

#include <stdbool.h>

#include "model/base/error.h"
#include "render/canvas.h"

enum { PNGFILE_MAX_SIDE = 32767 };
#define PNGFILE_SPEC_KEY "attnscope-spec"

/* Opaque pixels (alpha is left out). spec and title may be empty. */
bool pngfile_page(const CanvasPixels *pixels, double dpi, Str spec, Str title, StrBuf *out,
                  Error *error);
/* Palette image of cells [rows, columns]; or of image->rgba when cells is NULL. */
bool pngfile_cells(const FigureImage *image, const uint8_t *cells, int rows, int columns,
                   StrBuf *out);
/* The text of an iTXt chunk; false when there is none. bytes: a whole PNG file. */
bool pngfile_find_text(Str bytes, const char *key, Arena *arena, Str *out);

#endif
