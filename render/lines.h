/* Head view: the same sentence (or two) in two columns, queries left, keys right, a line per
 * weight; several heads in several hues. Right-to-left text mirrors it; horizontal puts queries
 * above.
 *
 *     Lines lines = {.n_heads = 12, .heads = heads, .queries = tokens, .keys = tokens};
 *     lines_draw(figure, &lines, &options, &error);
 */
#ifndef RENDER_LINES_H
#define RENDER_LINES_H

#include "render/chart.h"

typedef struct Lines {
    int n_heads;
    const ChartMatrix *heads; // [n_heads]
    ChartAxis queries, keys;
    const int *only; // [n_only] the queries whose lines are drawn; NULL: all
    int n_only;
    int top; /* of each query only the strongest so many; 0: all */
} Lines;

bool lines_draw(Figure *figure, const Lines *lines, const ChartOptions *options, Error *error);

#endif
