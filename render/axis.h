/* Axes of plots: quiet lines at round numbers.
 *
 *     AxisScale y = {.low = -1, .high = 1, .from = box.y + box.h, .to = box.y};
 *     axis_left(figure, box, &y, "value");
 */
#ifndef RENDER_AXIS_H
#define RENDER_AXIS_H

#include "render/figure.h"

typedef struct AxisScale {
    double low, high; /* of the numbers */
    double from, to;  /* where low and high lie, in points */
    bool whole;       /* ticks at whole numbers only */
} AxisScale;

double axis_at(const AxisScale *scale, double value);
/* 1, 2 or 5 times a power of ten, so that about n steps cover the range. */
double axis_step(double low, double high, int n);
/* Grid lines across the box, numbers at its left; title (or NULL) upright beside them. */
void axis_left(Figure *figure, FigureBox box, const AxisScale *scale, const char *title);
/* Ticks and numbers below the box; title (or NULL) under them. */
void axis_bottom(Figure *figure, FigureBox box, const AxisScale *scale, const char *title);

#endif
