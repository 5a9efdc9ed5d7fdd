/* The row of weights that the inspector tells of, in the units of the figure: tokens, or words with
 * weights to a word summed and from a word averaged, as the figure has them.
 *
 *     Cells cells;
 *     if (cells_read(window, &place, arena, &cells)) ...          false without a head or a query
 *     cells.weights[k], cells_key_label(&cells, k), cells_place(&cells, k)
 */
#ifndef APP_WINDOW_CELLS_H
#define APP_WINDOW_CELLS_H

#include "app/window/window.h"

typedef struct Cells {
    Place place;    /* of the first tokens of query and key */
    int n;          /* keys */
    int key;        /* which of them is chosen; -1: none */
    float *weights; // [n]
    Str *labels;    // [n]
    Str query;
    int first_query;                  /* token */
    int n_query_tokens, n_key_tokens; /* of the chosen ones */
    const int *first;                 // [n] token of each key
} Cells;

/* Head -1: the mean of the layer's heads. All is the arena's. */
bool cells_read(const Window *window, const Place *place, Arena *arena, Cells *out);
/* The same place at another key of the row. */
Place cells_place(const Cells *cells, int key);
/* So many rows and columns of the figure further on; it stays within. False: no such attention. */
bool cells_step(const Window *window, Place *place, int queries, int keys);
/* What a query is called, without a head; empty if it is none. */
Str cells_query_label(const Window *window, const Place *place, Arena *arena);

#endif
