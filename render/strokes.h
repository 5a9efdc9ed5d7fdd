/* The lines of a head view, of arcs, of cross-attention: which weights are drawn, faint ones first.
 *
 *     int n;
 *     Stroke *strokes = strokes_choose(&choice, &n);
 *     ...
 *     free(strokes);
 */
#ifndef RENDER_STROKES_H
#define RENDER_STROKES_H

#include "render/chart.h"

typedef struct Stroke {
    int head, query, key; /* query and key as drawn: places among the labels */
    double weight;        /* the model's number */
    double place;         /* 0..1 on the scale */
} Stroke;

typedef struct StrokeChoice {
    int n_heads;
    const ChartMatrix *heads;          // [n_heads]
    const ChartLabels *queries, *keys; /* hidden tokens have no place, hence no lines */
    const ChartRange *range;
    double least;    /* of the scale */
    const int *only; // [n_only] queries by token index; NULL: all
    int n_only;
    int top; /* the strongest of each query and head; 0: all */
} StrokeChoice;

/* malloc'd; sorted by place, so that strong lines lie on top. */
Stroke *strokes_choose(const StrokeChoice *choice, int *n);
/* Of all that could be drawn, faint ones included: what a share is a share of. */
double strokes_all_weight(const StrokeChoice *choice);
/* pick and weight; when named (few enough to be told apart), id and title ("L5H3: the -> cat:
 * 0.71") of a line. */
FigureMark strokes_mark(Arena *arena, const StrokeChoice *choice, const Stroke *stroke, bool named);

#endif
