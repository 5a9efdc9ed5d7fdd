/* Figures as files: PNG, SVG, PDF, HTML. The same figure gives the same bytes on any day, under any
 * locale. Each carries its spec (the JSON that draws it again) as metadata.
 *
 *     ExportOptions options = {.dpi = 300, .spec = str("{...}")};
 *     if (!export_figure(figure, "fig.png", &options, &error)) ...     by extension; written whole
 *     Str spec;
 *     if (!export_read_spec("old.svg", arena, &spec, &error)) ...      back again
 */
#ifndef RENDER_EXPORT_H
#define RENDER_EXPORT_H

#include <stdbool.h>

#include "model/base/arena.h"
#include "model/base/error.h"
#include "model/base/str.h"
#include "render/canvas.h"
#include "render/figure.h"

typedef enum ExportFormat { EXPORT_PNG, EXPORT_SVG, EXPORT_PDF, EXPORT_HTML } ExportFormat;
enum { N_EXPORT_FORMATS = 4 };

typedef struct ExportOptions {
    double dpi;         /* PNG; 0: 144. A figure of 72 points is `dpi` pixels wide */
    Str spec;           /* JSON; empty: none */
    bool text_as_paths; /* SVG, HTML, PDF */
    Canvas *canvas;     /* to be reused over many files of one thread; NULL: made and freed */
} ExportOptions;

typedef struct ExportKind {
    ExportFormat format;
    const char *extension; /* ".png" */
    const char *what;
    bool (*write)(const Figure *figure, const ExportOptions *options, Canvas *canvas, StrBuf *out,
                  Error *error);
} ExportKind;

/* By the path's extension; false names the known ones. */
bool export_format(const char *path, ExportFormat *out, Error *error);
const ExportKind *export_kind(ExportFormat format);
const char *export_extensions(void); /* ".png, .svg, .pdf, .html" */

bool export_figure(const Figure *figure, const char *path, const ExportOptions *options,
                   Error *error);
bool export_bytes(const Figure *figure, ExportFormat format, const ExportOptions *options,
                  StrBuf *out, Error *error);
/* Several figures in one HTML page with a switcher; names stand on its buttons. */
bool export_html(const Figure *const *figures, const char *const *names, int n,
                 const ExportOptions *options, StrBuf *out, Error *error);

/* The spec that a file written by export_figure carries. */
bool export_read_spec(const char *path, Arena *arena, Str *out, Error *error);

#endif
