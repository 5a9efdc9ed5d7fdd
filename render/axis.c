#include "render/axis.h"

#include <math.h>

#include "render/chart.h"

double axis_at(const AxisScale *scale, double value) {
    double t = (value - scale->low) / (scale->high - scale->low);
    return scale->from + t * (scale->to - scale->from);
}

double axis_step(double low, double high, int n) {
    double rough = (high - low) / (n > 0 ? n : 1);
    if (!(rough > 0)) return 1;
    double power = pow(10, floor(log10(rough))), digit = rough / power;
    return power * (digit <= 1 ? 1 : digit <= 2 ? 2 : digit <= 5 ? 5 : 10);
}

static double step_of(const AxisScale *scale, double pitch) {
    int n = (int)(fabs(scale->to - scale->from) / pitch);
    double step = axis_step(scale->low, scale->high, n < 2 ? 2 : n > 10 ? 10 : n);
    return scale->whole && step < 1 ? 1 : step;
}

static const char *tick_text(double x, double step, char number[32]) {
    return chart_number(fabs(x) < step * 1e-6 ? 0 : x, 6, number);
}

void axis_left(Figure *figure, FigureBox box, const AxisScale *scale, const char *title) {
    const Theme *theme = figure_theme(figure);
    double size = theme->type_small, step = step_of(scale, size * 3), widest = 0;
    FigureTextStyle style = {
        .font = {.size = size, .tabular = true}, .color = theme->soft, .anchor = FIGURE_END};
    for (int64_t i = (int64_t)ceil(scale->low / step - 1e-9);
         (double)i * step <= scale->high + step * 1e-9; i++) {
        double y = axis_at(scale, (double)i * step);
        char number[32];
        figure_line(figure, box.x, y, box.x + box.w, y,
                    (FigurePaint){.stroke = theme->line, .width = theme->line_thin}, NULL);
        widest =
            fmax(widest, figure_text(figure, box.x - size * 0.7, y + size * 0.36,
                                     str(tick_text((double)i * step, step, number)), style, NULL));
    }
    if (!title) return;
    style.angle = 90;
    style.anchor = FIGURE_MIDDLE;
    figure_text(figure, box.x - widest - size * 1.5, box.y + box.h / 2, str(title), style, NULL);
}

static int n_ticks(const AxisScale *scale, double step) {
    return (int)(floor(scale->high / step + 1e-9) - ceil(scale->low / step - 1e-9)) + 1;
}

/* Under a narrow box more ticks than the usual pitch gives, down to as close as they can be read:
 * of one or two nobody reads a scale. */
static double step_of_bottom(const Figure *figure, const AxisScale *scale) {
    enum { FEW = 4 };
    double size = figure_theme(figure)->type_small, step = step_of(scale, size * 5);
    for (int n = 2; n <= 10 && n_ticks(scale, step) < FEW; n++) {
        double closer = axis_step(scale->low, scale->high, n), widest = 0;
        if (closer >= step || (scale->whole && closer < 1)) continue;
        for (int end = 0; end < 2; end++) {
            char number[32];
            double x = (end ? floor(scale->high / closer) : ceil(scale->low / closer)) * closer;
            widest =
                fmax(widest, text_width(figure_fonts(figure), str(tick_text(x, closer, number)),
                                        (TextStyle){.size = size, .tabular = true}));
        }
        double pitch = fabs(axis_at(scale, closer) - axis_at(scale, 0));
        if (pitch < widest + 0.6 * size) break;
        step = closer;
    }
    return step;
}

void axis_bottom(Figure *figure, FigureBox box, const AxisScale *scale, const char *title) {
    const Theme *theme = figure_theme(figure);
    double size = theme->type_small, step = step_of_bottom(figure, scale), y = box.y + box.h;
    FigureTextStyle style = {
        .font = {.size = size, .tabular = true}, .color = theme->soft, .anchor = FIGURE_MIDDLE};
    FigurePaint paint = {.stroke = theme->line, .width = theme->line_thin};
    for (int64_t i = (int64_t)ceil(scale->low / step - 1e-9);
         (double)i * step <= scale->high + step * 1e-9; i++) {
        double x = axis_at(scale, (double)i * step);
        char number[32];
        figure_line(figure, x, y, x, y + size * 0.4, paint, NULL);
        figure_text(figure, x, y + size * 1.55, str(tick_text((double)i * step, step, number)),
                    style, NULL);
    }
    if (title) figure_text(figure, box.x + box.w / 2, y + size * 3, str(title), style, NULL);
}
