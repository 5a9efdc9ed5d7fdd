#include "render/curves.h"

#include <math.h>

#include "render/axis.h"

typedef struct Plan {
    Figure *figure;
    const Theme *theme;
    const Curves *curves;
    Arena *arena;
    FigureBox box; /* of the panel */
    const char *y_title;
    double low, high;
    int n;      /* positions */
    bool named; /* a curve alone needs no name beside it: it is the axis' */
} Plan;

static double value(const Curves *curves, int dim, int position) {
    return *tensor_at(curves->table, position, curves->dims[dim], 0, 0);
}

static void extent(Plan *plan, int first, int end) {
    double low = HUGE_VAL, high = -HUGE_VAL;
    for (int d = first; d < end; d++) {
        for (int p = 0; p < plan->n; p++) {
            double x = value(plan->curves, d, p);
            if (!isfinite(x)) continue;
            low = fmin(low, x);
            high = fmax(high, x);
        }
    }
    if (low > high) low = -1, high = 1;
    double pad = high > low ? (high - low) * 0.06 : 0.5;
    plan->low = low - pad;
    plan->high = high + pad;
}

static double x_of(const Plan *plan, int p) {
    return plan->box.x + (plan->n > 1 ? plan->box.w * p / (plan->n - 1) : plan->box.w / 2);
}

static double y_of(const Plan *plan, double x) {
    return plan->box.y + plan->box.h * (1 - (x - plan->low) / (plan->high - plan->low));
}

static const char *name_of(const Plan *plan, int d) {
    if (plan->curves->names) return plan->curves->names[d];
    return arena_printf(plan->arena, "dim %d", plan->curves->dims[d]);
}

static void draw_curve(const Plan *plan, int d) {
    bool drawing = false;
    for (int p = 0; p < plan->n; p++) {
        double x = value(plan->curves, d, p);
        if (!isfinite(x)) {
            drawing = false;
            continue;
        }
        if (drawing)
            figure_path_line(plan->figure, x_of(plan, p), y_of(plan, x));
        else
            figure_path_move(plan->figure, x_of(plan, p), y_of(plan, x));
        drawing = true;
    }
    FigureMark mark = {.pick = {d, -1, -1},
                       .role = FIGURE_DIMS,
                       .id = arena_printf(plan->arena, "curve-%d", plan->curves->dims[d]),
                       .title = name_of(plan, d)};
    figure_path_end(plan->figure,
                    (FigurePaint){.stroke = theme_hue(plan->theme, d, plan->curves->n_dims),
                                  .width = 1.75 * plan->theme->line_thin,
                                  .cap = FIGURE_CAP_ROUND},
                    &mark);
}

static void draw_frame(const Plan *plan, bool with_x) {
    AxisScale y = {
        .low = plan->low, .high = plan->high, .from = plan->box.y + plan->box.h, .to = plan->box.y};
    axis_left(plan->figure, plan->box, &y, plan->y_title);
    int first = plan->curves->first;
    AxisScale x = {.low = first,
                   .high = first + (plan->n > 1 ? plan->n - 1 : 1),
                   .from = plan->box.x,
                   .to = plan->box.x + plan->box.w,
                   .whole = true};
    if (with_x)
        axis_bottom(plan->figure, plan->box, &x,
                    plan->curves->x_title ? plan->curves->x_title : "position");
}

/* Names at the right ends of the curves, pushed apart where they would lie on one another. */
static void draw_names(const Plan *plan, int first, int end) {
    double size = plan->theme->type_small, pitch = size * 1.35;
    int n = end - first;
    double *y = arena_alloc(plan->arena, (size_t)(n + 1) * sizeof *y);
    int *order = arena_alloc(plan->arena, (size_t)(n + 1) * sizeof *order);
    for (int i = 0; i < n; i++) {
        double last = plan->n ? value(plan->curves, first + i, plan->n - 1) : 0;
        y[i] = y_of(plan, isfinite(last) ? last : 0);
        int at = i;
        for (; at > 0 && y[order[at - 1]] > y[i]; at--)
            order[at] = order[at - 1];
        order[at] = i;
    }
    for (int i = 1; i < n; i++)
        y[order[i]] = fmax(y[order[i]], y[order[i - 1]] + pitch);
    double limit = plan->box.y + plan->box.h;
    for (int i = n - 1; i >= 0; i--) {
        y[order[i]] = fmin(y[order[i]], limit);
        limit = y[order[i]] - pitch;
    }
    for (int i = 0; i < n; i++) {
        int d = first + i;
        FigureMark mark = {.pick = {d, -1, -1}, .role = FIGURE_LABEL};
        double x = plan->box.x + plan->box.w + size * 0.8;
        figure_rect(plan->figure, (FigureBox){x, y[i] - size * 0.12, size, size * 0.24}, 1,
                    (FigurePaint){.fill = theme_hue(plan->theme, d, plan->curves->n_dims)}, &mark);
        figure_text(
            plan->figure, x + size * 1.5, y[i] + size * 0.36, str(name_of(plan, d)),
            (FigureTextStyle){.font = {.size = size, .tabular = true}, .color = plan->theme->ink},
            &mark);
    }
}

/* The same in columns from the point on, where there is no room beside the curves. Returns how high
 * they are. */
static double list_names(const Plan *plan, double x, double y, double w, double widest) {
    double size = plan->theme->type_small, column = widest + size * 3;
    int n = plan->curves->n_dims, across = (int)fmax(floor((w + size * 1.5) / column), 1);
    int down = (n + across - 1) / across;
    for (int d = 0; d < n; d++) {
        FigureMark mark = {.pick = {d, -1, -1}, .role = FIGURE_LABEL};
        double left = x + d / down * column, base = y + (d % down + 1) * size * 1.5;
        figure_rect(plan->figure, (FigureBox){left, base - size * 0.48, size, size * 0.24}, 1,
                    (FigurePaint){.fill = theme_hue(plan->theme, d, n)}, &mark);
        figure_text(plan->figure, left + size * 1.5, base, str(name_of(plan, d)),
                    (FigureTextStyle){.font = {.size = size, .tabular = true},
                                      .color = plan->theme->ink,
                                      .max_width = w - size * 1.5},
                    &mark);
    }
    return (down + 0.5) * size * 1.5;
}

static void draw_zero(const Plan *plan) {
    if (plan->low >= 0 || plan->high <= 0) return;
    double y = y_of(plan, 0);
    figure_line(plan->figure, plan->box.x, y, plan->box.x + plan->box.w, y,
                (FigurePaint){.stroke = plan->theme->soft, .width = plan->theme->line_thin}, NULL);
}

static void draw_panel(Plan *plan, int first, int end, bool with_x) {
    extent(plan, first, end);
    draw_frame(plan, with_x);
    draw_zero(plan);
    figure_clip_begin(plan->figure, plan->box);
    for (int d = first; d < end; d++)
        draw_curve(plan, d);
    figure_clip_end(plan->figure);
    if (plan->named) draw_names(plan, first, end);
}

bool curves_draw(Figure *figure, const Curves *curves, const ChartOptions *options, Error *error) {
    if (!curves->table.data || curves->table.rank != 2)
        return error_set(error, ERROR_INPUT, "a [position, dimension] table expected");
    if (curves->n_dims < 1)
        return error_set(error, ERROR_INPUT, "no dimension to draw: at least one expected");
    for (int d = 0; d < curves->n_dims; d++)
        if (curves->dims[d] < 0 || curves->dims[d] >= curves->table.shape[1])
            return error_set(error, ERROR_INPUT, "no dimension %d: the table has 0..%lld",
                             curves->dims[d], (long long)curves->table.shape[1] - 1);
    const Theme *theme = figure_theme(figure);
    Plan plan = {.figure = figure,
                 .theme = theme,
                 .curves = curves,
                 .arena = figure_arena(figure),
                 .n = (int)curves->table.shape[0]};
    double unit = theme->type_body / 13, small = theme->type_small, names = 0;
    TextStyle font = {.size = small, .tabular = true};
    plan.named = curves->n_dims > 1;
    plan.y_title = curves->y_title ? curves->y_title : plan.named ? NULL : name_of(&plan, 0);
    for (int d = 0; plan.named && d < curves->n_dims; d++)
        names = fmax(names, text_width(figure_fonts(figure), str(name_of(&plan, d)), font));
    const char *subtitle = chart_subtitle(plan.arena, options, NULL, NULL, NULL);
    ChartArea area = chart_begin(figure, options, subtitle, 760 * unit);
    int panels = curves->stacked ? curves->n_dims : 1;
    double left = small * 3.4 + (plan.y_title ? small * 1.6 : 0), gap = small * 1.4;
    double foot = small * 3.6;
    bool below = plan.named && left + names + small * 2.6 > area.w * 0.6;
    plan.named = plan.named && !below;
    double h = (area.h > 0 ? area.h - foot : (curves->stacked ? 90.0 * panels : 300) * unit);
    double panel_h = fmax((h - gap * (panels - 1)) / panels, 24);
    for (int i = 0; i < panels; i++) {
        plan.box =
            (FigureBox){area.x + left, area.y + i * (panel_h + gap),
                        fmax(area.w - left - (plan.named ? names + small * 2.6 : 0), 40), panel_h};
        bool last = i == panels - 1;
        draw_panel(&plan, curves->stacked ? i : 0, curves->stacked ? i + 1 : curves->n_dims, last);
    }
    double bottom = plan.box.y + panel_h + foot;
    if (below) bottom += list_names(&plan, area.x, bottom, area.w, names);
    chart_end(figure, options, &area, bottom);
    return true;
}
