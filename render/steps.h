/* A computation step by step: small matrices with their numbers, the name and the formula of each
 * step, arrows between them.
 *
 *     StepsPanel panels[] = {{.title = "Scores", .formula = "Q K^T", .matrix = scores, ...}, ...};
 *     steps_draw(figure, &(Steps){.panels = panels, .n_panels = 7}, &options, &error);
 *
 * Picks: series = panel, query = row, key = column.
 */
#ifndef RENDER_STEPS_H
#define RENDER_STEPS_H

#include "render/chart.h"

typedef struct StepsPanel {
    const char *title;       /* "Scaled" */
    const char *formula;     /* "S = Q Kᵀ / √d" */
    const char *note;        /* quiet line below: "shape 5 x 64, first 6 columns"; NULL: none */
    Tensor matrix;           // [row, column]; not a number: absent
    ChartAxis rows, columns; /* names; no tokens: none are written */
    bool weights;            /* 0..1, paper to ink; else diverging about zero by its own maximum */
    int n_columns_shown;     /* 0: all; more columns than this are cut with an ellipsis */
} StepsPanel;

typedef struct Steps {
    int n_panels;
    const StepsPanel *panels; // [n_panels]
    int row;                  /* highlighted in all panels; -1: none */
} Steps;

/* How many columns of numbers fit beside these names on a page of the width asked for; a panel with
 * more of them is too wide for it. */
int steps_columns(Figure *figure, const ChartAxis *rows, const ChartOptions *options);
bool steps_draw(Figure *figure, const Steps *steps, const ChartOptions *options, Error *error);

#endif
