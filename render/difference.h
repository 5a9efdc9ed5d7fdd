/* Two matrices over the same tokens: what changed. A signed heatmap of after minus before, and the
 * largest changes by name beside it.
 *
 *     Difference difference = {.before = a, .after = b, .queries = q, .keys = k};
 *     difference_draw(figure, &difference, &options, &error);
 */
#ifndef RENDER_DIFFERENCE_H
#define RENDER_DIFFERENCE_H

#include "render/chart.h"

typedef struct Difference {
    ChartMatrix before, after; /* names: "plain", "L2H3 ablated" */
    ChartAxis queries, keys;
    int n_named; /* how many changes are named; 0: 8 */
    bool numbers;
} Difference;

bool difference_draw(Figure *figure, const Difference *difference, const ChartOptions *options,
                     Error *error);

#endif
