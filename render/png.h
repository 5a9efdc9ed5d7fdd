/* PNG bytes: of a drawn page, with its resolution and metadata, and of matrices for embedding.
 *
 *     png_page(&pixels, 300, spec, title, &out, &error);
 *     png_cells(image, cells, rows, columns, &out);
 */
#ifndef RENDER_PNG_H
#define RENDER_PNG_H

#include <stdbool.h>

#include "model/base/error.h"
#include "render/canvas.h"

enum { PNG_MAX_SIDE = 32767 };
#define PNG_SPEC_KEY "attnscope-spec"

/* Opaque pixels (alpha is left out). spec and title may be empty. */
bool png_page(const CanvasPixels *pixels, double dpi, Str spec, Str title, StrBuf *out,
              Error *error);
/* Palette image of cells [rows, columns]; or of image->rgba when cells is NULL. */
bool png_cells(const FigureImage *image, const uint8_t *cells, int rows, int columns, StrBuf *out);
/* The text of an iTXt chunk; false when there is none. bytes: a whole PNG file. */
bool png_find_text(Str bytes, const char *key, Arena *arena, Str *out);

#endif
