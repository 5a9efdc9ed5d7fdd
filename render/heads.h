/* The legend of heads that share a chart: a swatch of each hue with its name, wrapped to the width.
 *
 *     bottom = heads_legend(figure, x, y, width, heads, n_heads);
 */
#ifndef RENDER_HEADS_H
#define RENDER_HEADS_H

#include "render/chart.h"

/* Returns the lowest point used. Picks: series = the head. */
double heads_legend(Figure *figure, double x, double y, double width, const ChartMatrix *heads,
                    int n_heads);

#endif
