/* Curves over positions, a panel for each group: the dimensions of a positional encoding.
 *
 *     Curves curves = {.table = positions, .dims = dims, .n_dims = 4, .note = "sine and cosine
 * alternate"}; curves_draw(figure, &curves, &options, &error);
 *
 * Picks: series = index into dims, key = position.
 */
#ifndef RENDER_CURVES_H
#define RENDER_CURVES_H

#include "render/chart.h"

typedef struct Curves {
    Tensor table;    // [position, dimension]
    const int *dims; // [n_dims] columns of the table
    int n_dims;
    const char *const *names; // [n_dims]; NULL: "dim 4"
    bool stacked;             /* a panel a curve, below one another; else all in one */
    const char *x_title;      /* "position" when NULL */
    const char *y_title;      /* NULL: none */
    int first;                /* number of the first position */
} Curves;

bool curves_draw(Figure *figure, const Curves *curves, const ChartOptions *options, Error *error);

#endif
