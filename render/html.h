/* One self-contained page: the SVG and a few dozen lines of script. Pointing at a token, a line or
 * a cell dims the rest and shows the weight; buttons switch figures, and heads inside a figure.
 *
 *     html_write(&figure, &name, 1, &svg_options, &out);
 */
#ifndef RENDER_HTML_H
#define RENDER_HTML_H

#include "render/svg.h"

/* options->fragment and prefix are set here. */
void html_write(const Figure *const *figures, const char *const *names, int n,
                const SvgOptions *options, StrBuf *out);

#endif
