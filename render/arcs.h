/* One sentence on one line, self-attention as arcs: above from a query back to an earlier key,
 * below on to a later one; a ring is a token that attends to itself. Right-to-left text runs so.
 * Where more than 60 tokens stand on it and the height is free, the sentence goes on in further
 * lines: a stub then tells how much of a token's weight leads to the lines before and after, and of
 * few arcs a second one where it arrives.
 *
 *     Arcs arcs = {.n_heads = 1, .heads = &head, .tokens = tokens};
 *     arcs_draw(figure, &arcs, &options, &error);
 */
#ifndef RENDER_ARCS_H
#define RENDER_ARCS_H

#include "render/chart.h"

typedef struct Arcs {
    int n_heads;
    const ChartMatrix *heads; // [n_heads], [query, key] over the same tokens
    ChartAxis tokens;
    const int *only; // [n_only] the queries whose arcs are drawn; NULL: all
    int n_only;
    int top; /* of each query only the strongest so many; 0: all */
} Arcs;

bool arcs_draw(Figure *figure, const Arcs *arcs, const ChartOptions *options, Error *error);

#endif
