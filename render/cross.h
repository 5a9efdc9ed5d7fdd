/* Two sentences and the attention between them. Vertical: queries left, keys right; horizontal:
 * keys above, queries below, as a translation is read. Width by weight first, opacity second.
 *
 *     Cross cross = {.n_heads = 1, .heads = &head, .queries = target, .keys = source};
 *     cross_draw(figure, &cross, &options, &error);
 *
 * Several heads are drawn in several hues with a legend. Where more than 60 tokens stand on a side
 * and the height is free, the queries are drawn in blocks, each with the keys that it looks at
 * most, and the quiet line says how much of the weight is left out.
 */
#ifndef RENDER_CROSS_H
#define RENDER_CROSS_H

#include "render/chart.h"

typedef struct CrossLink {
    int query, key;
} CrossLink;

typedef struct Cross {
    int n_heads;
    const ChartMatrix *heads; // [n_heads]
    ChartAxis queries, keys;
    bool ribbons;           /* bands as thick as their share of both tokens, instead of lines */
    const CrossLink *links; // [n_links] hard alignment, drawn on top in ink
    int n_links;
    const int *only; // [n_only] the queries whose lines are drawn; NULL: all
    int n_only;
    int top;   /* of each query only the strongest so many; 0: all */
    bool swap; /* columns: queries right instead of left; lines: queries above instead of below */
} Cross;

bool cross_draw(Figure *figure, const Cross *cross, const ChartOptions *options, Error *error);

#endif
