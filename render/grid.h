/* Model view: a thumbnail for each head, layers down, heads across. Thumbnails keep strong single
 * cells: a pixel shows the strongest (or the mean) of the cells under it, and the figure says
 * which.
 *
 *     Grid grid = {.n_rows = 12, .n_columns = 12, .read = read_head, .user = trace,
 *                  .n_queries = 512, .n_keys = 512, .id = "L%dH%d"};
 *     grid_draw(figure, &grid, &options, &error);
 *
 * Matrices are handed in one at a time, so that a lazy trace never holds them all. Picks: series =
 * row * n_columns + column.
 */
#ifndef RENDER_GRID_H
#define RENDER_GRID_H

#include "render/chart.h"

/* Fills out, contiguous [query, key]; absent cells are not a number. False: this one is left empty
 * (and the error is kept). */
typedef bool GridRead(void *user, int row, int column, Tensor out, Error *error);

typedef struct Grid {
    int n_rows, n_columns;
    const ChartMatrix *matrices; // [n_rows * n_columns]; NULL: read is called
    GridRead *read;
    void *user;
    int n_queries, n_keys;
    const int *rows;                    // [n_rows] their numbers; NULL: from 0
    const int *columns;                 // [n_columns]
    const char *row_name, *column_name; /* "layer" and "head" when NULL */
    const char *id;         /* how ids are made of row and column: "L%dH%d" when NULL, with a
                             * prefix "cross-L%dH%d" in models of two stacks */
    const float *frames;    // [n_rows * n_columns] a statistic shown as a frame's colour; NULL
    const char *frame_name; /* "entropy, bits" */
    const bool *left_out;   // [n_rows * n_columns] no thumbnail there; NULL: all are drawn
    FigureReduce reduce;
    bool whole;    /* keep every cell, for zooming; else no more than the page can show */
    bool triangle; /* causal: cells above the diagonal are absent whatever the matrix says */
} Grid;

bool grid_draw(Figure *figure, const Grid *grid, const ChartOptions *options, Error *error);

#endif
