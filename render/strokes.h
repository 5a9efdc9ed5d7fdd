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
/* What widths mean: a line for each of some places on the scale, as thick as the chart draws it,
 * with its number. The hue is that of one head; several share the ink. */
enum { STROKES_KEY = 4 };
extern const double strokes_key_places[STROKES_KEY];
typedef struct StrokesKey {
    const ChartRange *range;
    int n_heads;
    const double *widths; // [STROKES_KEY]; NULL: the note alone
    const char *note;     /* behind it, or NULL */
} StrokesKey;
/* At the left of the area, from y down; returns the lowest point. */
double strokes_key(Figure *figure, const ChartArea *area, double y, const StrokesKey *key);
/* What it wants below a chart. A chart in a low area has no room for one. */
double strokes_key_height(const Theme *theme);
bool strokes_key_fits(const Theme *theme, const ChartOptions *options, double height); /* 0: free */
/* pick and weight; when named (few enough to be told apart), id and title ("L5H3: the -> cat:
 * 0.71") of a line. */
FigureMark strokes_mark(Arena *arena, const StrokeChoice *choice, const Stroke *stroke, bool named);

#endif
