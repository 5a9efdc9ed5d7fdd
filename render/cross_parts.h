/* The parts of a drawing between two sides, for cross.c and, where a long sentence stands in
 * blocks, cross_long.c: where the tokens stand, lines or ribbons, labels.
 *
 *     cross_side(&plan, &plan.query, &cross->queries, &plan.query_at);      and the keys
 *     cross_choose(&plan, top);
 *     Stroke *strokes = strokes_choose(&plan.choice, &n);
 *     bottom = cross_vertical(&plan, &area);          places both sides, returns the lowest point
 *     cross_draw_all(&plan, strokes, n);
 */
#ifndef RENDER_CROSS_PARTS_H
#define RENDER_CROSS_PARTS_H

#include "render/cross.h"
#include "render/strokes.h"

/* Lists of more rows wrap into columns while there are no more lines than that: more would hide the
 * columns that they cross, and stand in blocks. */
enum { CROSS_MOST_ROWS = 60, CROSS_MOST_LINES = 150 };

typedef struct CrossSide {
    ChartLabels labels;
    double *at;     // [n] middle of each token along the axis
    double *extent; // [n] how much of the axis is the token's
    TextStyle font;
    double edge;  /* where lines start, across the axis */
    double room;  /* for labels, across the axis; when turned or in columns */
    double pitch; /* smallest extent */
    int step;     /* every n-th label is written */
    int rows;     /* of a column: a long list goes on in the next one */
    int n_columns;
    double stride; /* from column to column */
    bool turned;
    bool first; /* left or above */
} CrossSide;

typedef struct CrossPlan {
    Figure *figure;
    const Theme *theme;
    const Cross *cross;
    const ChartOptions *options;
    Arena *arena;
    bool horizontal;
    CrossSide query, key; /* exactly one of them is first */
    ChartRange range;
    StrokeChoice choice;
    int n_strokes;
    bool named;             /* few enough lines for each to have an id and a title */
    int *query_at, *key_at; // by token index: place among the drawn ones, -1 hidden
    double font_most;       /* labels no larger; 0: as the room allows */
    bool keyed, noted;      /* below the drawing: what widths mean; that not all is named */
    bool part;              /* one of the blocks of a long sentence: the key is below them all */
    int block;              /* of a long sentence; 0: the first or only one */
} CrossPlan;

/* Along the axis and across it, as x and y. */
static inline void cross_point(const CrossPlan *plan, double along, double across, double *x,
                               double *y) {
    *x = plan->horizontal ? along : across;
    *y = plan->horizontal ? across : along;
}

/* Labels and places of one side; place: by token index, -1 hidden. */
void cross_side(CrossPlan *plan, CrossSide *side, const ChartAxis *axis, int **place);
void cross_choose(CrossPlan *plan, int top);
/* Width of the longer side when the tokens of both stand in a line. */
double cross_natural(CrossPlan *plan);
double cross_vertical(CrossPlan *plan, const ChartArea *area);
double cross_horizontal(CrossPlan *plan, const ChartArea *area);
/* What widths and hues mean, below the drawing; returns the lowest point. */
double cross_draw_key(const CrossPlan *plan, const ChartArea *area, double bottom);
double cross_key_height(const CrossPlan *plan);
/* Sorts strokes where ribbons are drawn. */
void cross_draw_all(CrossPlan *plan, Stroke *strokes, int n);
/* The whole figure of a long sentence (cross_long.c). */
void cross_draw_long(CrossPlan *whole, const char *query_title, const char *key_title);

#endif
