#include "render/steps.h"

#include <limits.h>
#include <math.h>
#include <string.h>

typedef struct Plan {
    Figure *figure;
    const Theme *theme;
    const Steps *steps;
    const ChartOptions *options;
    Arena *arena;
    Color weights[256], values[256];
    TextStyle number; /* and the names beside them */
    double cell_w, cell_h, gap, most_label;
} Plan;

typedef struct Panel {
    const StepsPanel *step;
    ChartLabels rows, columns;
    int n_rows, n_columns; /* drawn */
    bool cut;              /* an ellipsis stands for further columns */
    double left, top;      /* of the cells inside the panel */
    double w, h;
    double most; /* end of the scale */
} Panel;

static double most_of(const StepsPanel *step) {
    double most = 0;
    for (int64_t r = 0; r < step->matrix.shape[0]; r++)
        for (int64_t c = 0; c < step->matrix.shape[1]; c++) {
            double x = fabs(*tensor_at(step->matrix, r, c, 0, 0));
            if (isfinite(x)) most = fmax(most, x);
        }
    return most > 0 ? most : 1;
}

/* Sizes of what is in a panel; on a narrow page smaller ones. */
static Plan plan_of(Figure *figure, const ChartOptions *options) {
    const Theme *theme = figure_theme(figure);
    double unit = theme->type_body / 13, width = options->width;
    bool narrow = width > 0 && width < theme->type_small * 40;
    double size = narrow ? fmin(theme->type_token_min, theme->type_small) : theme->type_small;
    return (Plan){.figure = figure,
                  .theme = theme,
                  .options = options,
                  .arena = figure_arena(figure),
                  .number = {.size = size, .tabular = true},
                  .cell_w = size * (narrow ? 3.7 : 4),
                  .cell_h = size * 2.2,
                  .gap = 44 * unit,
                  .most_label = narrow ? width * 0.2 : 90 * unit};
}

static double left_of(const Plan *plan, const ChartLabels *rows) {
    TextStyle font = {.size = plan->number.size};
    double widest = fmin(chart_labels_width(plan->figure, rows, font), plan->most_label);
    return rows->n ? widest + plan->number.size * 0.7 : 0;
}

static double room_for_ellipsis(const Plan *plan) {
    return plan->theme->type_body + 4;
}

int steps_columns(Figure *figure, const ChartAxis *rows, const ChartOptions *options) {
    if (options->width <= 0) return INT_MAX;
    Plan plan = plan_of(figure, options);
    ChartLabels labels = chart_labels(figure, rows, options);
    double room = options->width - 2 * fmin(24, options->width * 0.05);
    room -= left_of(&plan, &labels) + room_for_ellipsis(&plan);
    return (int)fmax(floor(room / plan.cell_w), 1);
}

static Panel panel_of(const Plan *plan, const StepsPanel *step) {
    const Theme *theme = plan->theme;
    double small = plan->number.size;
    Panel panel = {.step = step,
                   .rows = chart_labels(plan->figure, &step->rows, plan->options),
                   .columns = chart_labels(plan->figure, &step->columns, plan->options),
                   .n_rows = (int)step->matrix.shape[0],
                   .n_columns = (int)step->matrix.shape[1],
                   .most = step->weights ? 1 : most_of(step)};
    if (step->n_columns_shown > 0 && panel.n_columns > step->n_columns_shown)
        panel.n_columns = step->n_columns_shown, panel.cut = true;
    panel.left = left_of(plan, &panel.rows);
    panel.top =
        theme->type_body * 1.5 + theme->type_body * 1.5 + (panel.columns.n ? small * 1.7 : 6);
    panel.w =
        panel.left + panel.n_columns * plan->cell_w + (panel.cut ? room_for_ellipsis(plan) : 0);
    Text *text = figure_fonts(plan->figure);
    double title =
        text_width(text, str(step->title), (TextStyle){.size = theme->type_body, .weight = 600});
    double formula =
        step->formula ? text_width(text, str(step->formula), (TextStyle){.size = theme->type_body})
                      : 0;
    double note =
        step->note ? text_width(text, str(step->note), (TextStyle){.size = theme->type_small}) : 0;
    panel.w = fmax(fmax(panel.w, note), fmax(title, formula));
    panel.h = panel.top + panel.n_rows * plan->cell_h + (step->note ? small * 1.9 : 0);
    return panel;
}

static void put(const Plan *plan, double x, double y, const char *s, TextStyle font, Color color) {
    if (s)
        figure_text(plan->figure, x, y, str(s), (FigureTextStyle){.font = font, .color = color},
                    NULL);
}

static void draw_cell(const Plan *plan, const Panel *panel, int series, int r, int c,
                      FigureBox box) {
    double x = *tensor_at(panel->step->matrix, r, c, 0, 0);
    FigureMark mark = {.pick = {series, r, c}, .role = FIGURE_CELL};
    if (!isfinite(x)) {
        figure_rect(plan->figure, box, 0,
                    (FigurePaint){.fill = theme_hatch(plan->theme), .hatch = true, .width = 0.7},
                    &mark);
        if (isnan(x)) return;
    }
    double t = fmin(fmax(x / panel->most, -1), 1);
    Color fill = panel->step->weights ? plan->weights[(int)lround(fmax(t, 0) * 255)]
                                      : plan->values[(int)lround(128 + 127 * t)];
    char number[32];
    chart_decimal(x, 2, number);
    mark.has_weight = isfinite(x);
    mark.weight = x;
    mark.title = number;
    if (isfinite(x))
        figure_rect(plan->figure, box, 2 * plan->theme->type_body / 13, (FigurePaint){.fill = fill},
                    &mark);
    figure_text(
        plan->figure, box.x + box.w / 2, box.y + box.h / 2 + plan->number.size * 0.36,
        str(isinf(x) ? "\xe2\x88\x92\xe2\x88\x9e" : number),
        (FigureTextStyle){.font = plan->number,
                          .color = isinf(x) ? plan->theme->soft : theme_on(plan->theme, fill),
                          .anchor = FIGURE_MIDDLE},
        NULL);
}

static void draw_labels(const Plan *plan, const Panel *panel, int series, double x, double y) {
    double small = plan->number.size;
    FigureTextStyle style = {.font = {.size = small}, .color = plan->theme->ink};
    for (int r = 0; r < panel->rows.n && r < panel->n_rows; r++) {
        bool chosen = r == plan->steps->row;
        style.anchor = FIGURE_END;
        style.font.weight = chosen ? 600 : 400;
        style.color = chosen ? plan->theme->accent : plan->theme->ink;
        style.max_width = panel->left - small * 0.5;
        FigureMark mark = {.pick = {series, r, -1}, .role = FIGURE_STATIC};
        figure_text(plan->figure, x + panel->left - small * 0.6,
                    y + panel->top + (r + 0.5) * plan->cell_h + small * 0.36, panel->rows.text[r],
                    style, &mark);
    }
    style = (FigureTextStyle){.font = {.size = small},
                              .color = plan->theme->soft,
                              .anchor = FIGURE_MIDDLE,
                              .max_width = plan->cell_w - 3};
    for (int c = 0; c < panel->columns.n && c < panel->n_columns; c++)
        figure_text(plan->figure, x + panel->left + (c + 0.5) * plan->cell_w,
                    y + panel->top - small * 0.6, panel->columns.text[c], style, NULL);
}

static void draw_panel(const Plan *plan, const Panel *panel, int series, double x, double y) {
    const Theme *theme = plan->theme;
    double body = theme->type_body;
    figure_group_begin(plan->figure, arena_printf(plan->arena, "step-%d", series),
                       panel->step->title);
    put(plan, x, y + body, panel->step->title, (TextStyle){.size = body, .weight = 600},
        theme->ink);
    put(plan, x, y + body * 2.5, panel->step->formula, (TextStyle){.size = body}, theme->soft);
    draw_labels(plan, panel, series, x, y);
    double x0 = x + panel->left, y0 = y + panel->top;
    for (int r = 0; r < panel->n_rows; r++)
        for (int c = 0; c < panel->n_columns; c++)
            draw_cell(plan, panel, series, r, c,
                      (FigureBox){x0 + c * plan->cell_w + 0.5, y0 + r * plan->cell_h + 0.5,
                                  plan->cell_w - 1, plan->cell_h - 1});
    FigureBox frame = {x0, y0, panel->n_columns * plan->cell_w, panel->n_rows * plan->cell_h};
    figure_rect(plan->figure, frame, 2 * body / 13,
                (FigurePaint){.stroke = theme->line, .width = theme->line_thin}, NULL);
    int row = plan->steps->row;
    if (row >= 0 && row < panel->n_rows)
        figure_rect(plan->figure, (FigureBox){x0, y0 + row * plan->cell_h, frame.w, plan->cell_h},
                    2 * body / 13,
                    (FigurePaint){.stroke = theme->accent, .width = 1.5 * theme->line_thin}, NULL);
    if (panel->cut)
        put(plan, x0 + frame.w + 4, y0 + frame.h / 2 + body * 0.36, "\xe2\x80\xa6",
            (TextStyle){.size = body}, theme->soft);
    put(plan, x, y0 + frame.h + theme->type_small * 1.4, panel->step->note,
        (TextStyle){.size = theme->type_small}, theme->soft);
    figure_group_end(plan->figure);
}

/* From the end of one panel to the start of the next; down to a new line when it wraps. */
static void draw_arrow(const Plan *plan, double x, double y) {
    double head = plan->theme->type_small * 0.45, w = plan->gap * 0.5;
    FigurePaint line = {.stroke = plan->theme->soft, .width = 1.25 * plan->theme->line_thin};
    figure_line(plan->figure, x - w / 2, y, x + w / 2 - head, y, line, NULL);
    figure_path_move(plan->figure, x + w / 2, y);
    figure_path_line(plan->figure, x + w / 2 - head * 1.4, y - head * 0.8);
    figure_path_line(plan->figure, x + w / 2 - head * 1.4, y + head * 0.8);
    figure_path_close(plan->figure);
    figure_path_end(plan->figure, (FigurePaint){.fill = plan->theme->soft}, NULL);
}

static bool check(const Steps *steps, Error *error) {
    if (steps->n_panels < 1) return error_set(error, ERROR_INPUT, "no step to draw");
    for (int i = 0; i < steps->n_panels; i++)
        if (!steps->panels[i].matrix.data || steps->panels[i].matrix.rank != 2)
            return error_set(error, ERROR_INPUT, "step %s: a matrix expected",
                             steps->panels[i].title);
    return true;
}

/* Panels one behind the other, in lines of at most so wide: where each begins. With a stride they
 * stand in columns below each other. Returns how wide the widest line is. */
static double flow(const Plan *plan, const Panel *panels, double most, double stride, double *x) {
    double at = 0, widest = 0;
    for (int i = 0; i < plan->steps->n_panels; i++) {
        if (at > 0 && at + panels[i].w > most + 0.5) at = 0;
        x[i] = at;
        widest = fmax(widest, at + panels[i].w);
        at += fmax(panels[i].w + plan->gap, stride);
    }
    return widest;
}

static int n_lines(const double *x, int n) {
    int lines = 0;
    for (int i = 0; i < n; i++)
        lines += x[i] == 0;
    return lines;
}

/* Columns, unless lines that follow closely are fewer. */
static double lay_out(const Plan *plan, const Panel *panels, double most, double *x) {
    int n = plan->steps->n_panels;
    double stride = 0, *close = arena_alloc(plan->arena, (size_t)n * sizeof *close);
    for (int i = 0; i < n; i++)
        stride = fmax(stride, panels[i].w + plan->gap);
    double widest = flow(plan, panels, most, stride, x);
    double closest = flow(plan, panels, most, 0, close);
    if (n_lines(x, n) <= n_lines(close, n)) return widest;
    memcpy(x, close, (size_t)n * sizeof *x);
    return closest;
}

bool steps_draw(Figure *figure, const Steps *steps, const ChartOptions *options, Error *error) {
    if (!check(steps, error)) return false;
    const Theme *theme = figure_theme(figure);
    double unit = theme->type_body / 13;
    Plan plan = plan_of(figure, options);
    plan.steps = steps;
    chart_palette(COLORMAP_PAPER, theme, false, plan.weights);
    chart_palette(COLORMAP_DIVERGING, theme, false, plan.values);
    Panel *panels = arena_alloc(plan.arena, (size_t)steps->n_panels * sizeof *panels);
    for (int i = 0; i < steps->n_panels; i++)
        panels[i] = panel_of(&plan, &steps->panels[i]);
    double *x = arena_alloc(plan.arena, (size_t)steps->n_panels * sizeof *x);
    ChartArea area = chart_begin(figure, options,
                                 chart_subtitle(plan.arena, options, "weights: 0..1",
                                                "other numbers: each by its largest", NULL),
                                 lay_out(&plan, panels, 1290 * unit, x));
    lay_out(&plan, panels, area.w, x);
    double y = area.y, tallest = 0;
    for (int i = 0; i < steps->n_panels; i++) {
        if (i > 0 && x[i] == 0) {
            y += tallest + plan.gap * 0.7;
            tallest = 0;
        }
        draw_panel(&plan, &panels[i], i, area.x + x[i], y);
        tallest = fmax(tallest, panels[i].h);
        if (i + 1 < steps->n_panels && x[i + 1] > 0)
            draw_arrow(&plan, area.x + x[i + 1] - plan.gap / 2,
                       y + panels[i].top + panels[i].n_rows * plan.cell_h / 2);
    }
    chart_end(figure, options, &area, y + tallest);
    return true;
}
