/* Writes a figure as SVG: real text with textLength, stable ids, titles and weights on cells and
 * lines below 4,000 of them, matrices as nearest-neighbour images. Valid XML 1.0, the same bytes
 * every time.
 *
 *     StrBuf out = {0};
 *     svg_write(figure, &(SvgOptions){.spec = spec}, &out);
 */
#ifndef RENDER_SVG_H
#define RENDER_SVG_H

#include <stdbool.h>

#include "render/figure.h"

enum { SVG_MARKS_MAX = 4000 };

typedef struct SvgOptions {
    Str spec;   /* goes into <metadata>; empty: none */
    Text *text; /* needed for text_as_paths only */
    bool text_as_paths;
    bool fragment;      /* for HTML: no XML declaration, picks as data-pick="series query key" */
    const char *prefix; /* before every id, when several stand in one page; NULL: none */
} SvgOptions;

void svg_write(const Figure *figure, const SvgOptions *options, StrBuf *out);
/* s with & < > " escaped, and characters that XML does not allow as U+FFFD. */
void svg_escape(Str s, StrBuf *out);

#endif
