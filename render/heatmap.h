/* Matrices with their tokens: rows are queries (first on top), columns keys; one panel a matrix,
 * one scale for all. Up to 4,000 cells are shapes of their own, more are one image.
 *
 *     Heatmap heatmap = {.n_panels = 1, .panels = &head, .queries = queries, .keys = keys};
 *     heatmap_draw(figure, &heatmap, &options, &error);
 *
 * Also masks (panels of 0 and 1), position tables and similarities (tokens with numbers for text)
 * and differences (options.colormap = COLORMAP_DIVERGING).
 */
#ifndef RENDER_HEATMAP_H
#define RENDER_HEATMAP_H

#include "render/chart.h"

typedef struct Heatmap {
    int n_panels;
    const ChartMatrix *panels; // [n_panels]
    ChartAxis queries, keys;
    bool numbers;            /* the weight in each cell, where it fits */
    FigureReduce reduce;     /* when there are more cells than pixels */
    bool index_labels;       /* tokens are plain counts: every n-th is enough, none is shortened */
    const char *list_title;  /* lines of text below the legend; NULL: none */
    const char *const *list; // [n_list]
    int n_list;
    const char *unit; /* what the numbers are, at the legend: "weight" when NULL */
} Heatmap;

bool heatmap_draw(Figure *figure, const Heatmap *heatmap, const ChartOptions *options,
                  Error *error);

#endif
