#include "render/grid.h"

#include <math.h>
#include <stdlib.h>

#include "render/image.h"

typedef struct Plan {
    Figure *figure;
    const Theme *theme;
    const Grid *grid;
    const ChartOptions *options;
    Arena *arena, *scratch; /* scratch: one matrix at a time */
    ChartLabels queries, keys;
    ChartRange range;
    Color palette[256], masked_palette[256], frame_palette[256];
    double frame_low, frame_high;
    double w, h, gap, left, top;
} Plan;

/* 0, 1, 2 ... n - 1 */
static ChartLabels ordinals(Arena *arena, int n) {
    int *index = arena_alloc(arena, ((size_t)n + 1) * sizeof *index);
    for (int i = 0; i < n; i++)
        index[i] = i;
    return (ChartLabels){.n = n, .index = index};
}

static int number_of(const int *numbers, int at) {
    return numbers ? numbers[at] : at;
}

/* "L5H3" from "L%dH%d": the pattern comes from the caller, so it is read by hand, not by printf. */
static const char *id_of(const Plan *plan, int row, int column, int base) {
    const char *pattern = plan->grid->id ? plan->grid->id : "L%dH%d";
    int numbers[2] = {number_of(plan->grid->rows, row) + base,
                      number_of(plan->grid->columns, column) + base};
    StrBuf out = {0};
    int used = 0;
    for (const char *p = pattern; *p; p++) {
        if (p[0] == '%' && p[1] == 'd' && used < 2) {
            strbuf_printf(&out, "%d", numbers[used++]);
            p++;
        } else {
            strbuf_putc(&out, *p);
        }
    }
    const char *id = arena_str(plan->arena, strbuf_str(&out)).data;
    strbuf_free(&out);
    return id;
}

static bool matrix_of(const Plan *plan, int row, int column, ChartMatrix *out, Error *error) {
    const Grid *grid = plan->grid;
    if (grid->matrices) {
        *out = grid->matrices[row * grid->n_columns + column];
        return true;
    }
    *out = (ChartMatrix){.weights = tensor_new(plan->scratch, 2, grid->n_queries, grid->n_keys)};
    return grid->read(grid->user, row, column, out->weights, error);
}

static void hide_triangle(ChartMatrix *matrix) {
    for (int64_t q = 0; q < matrix->weights.shape[0]; q++)
        for (int64_t k = q + 1; k < matrix->weights.shape[1]; k++)
            *tensor_at(matrix->weights, q, k, 0, 0) = NAN;
}

/* ---- one thumbnail ---- */

static void draw_cells(const Plan *plan, const ChartMatrix *matrix, FigureBox box, int series,
                       const FigureMark *mark) {
    bool transpose = plan->options->transpose, has_masked;
    uint8_t *cells = chart_cells(plan->scratch, matrix, &plan->queries, &plan->keys, &plan->range,
                                 transpose, &has_masked);
    FigureImage image = {.rows = transpose ? plan->keys.n : plan->queries.n,
                         .columns = transpose ? plan->queries.n : plan->keys.n,
                         .cells = cells,
                         .palette = has_masked ? plan->masked_palette : plan->palette,
                         .has_masked = has_masked,
                         .reduce =
                             plan->range.diverging ? FIGURE_REDUCE_EXTREME : plan->grid->reduce,
                         .first = {series, -1, -1}};
    if (plan->grid->whole) {
        image.first = (FigurePick){series, 0, 0};
        image.transposed = transpose;
        figure_image(plan->figure, box, &image, mark);
        return;
    }
    int rows, columns;
    image_fit(&image, box.w * 3, box.h * 3, &rows, &columns);
    bool reduces = rows < image.rows || columns < image.columns;
    uint8_t *small = reduces ? image_reduce(&image, rows, columns) : NULL;
    if (small) image.cells = small, image.rows = rows, image.columns = columns;
    figure_image(plan->figure, box, &image, mark);
    free(small);
}

/* viridis, without the end that the paper would swallow. */
static void fill_frames(const Theme *theme, Color out[256]) {
    Color all[256];
    colormap_fill(COLORMAP_VIRIDIS, theme, all);
    bool dark = theme->kind == THEME_DARK;
    for (int i = 0; i < 256; i++)
        out[i] = all[dark ? 56 + i * 199 / 255 : i * 205 / 255];
}

static Color frame_color(const Plan *plan, int series) {
    const float *frames = plan->grid->frames;
    if (!frames || !isfinite(frames[series])) return plan->theme->line;
    double t = (frames[series] - plan->frame_low) / (plan->frame_high - plan->frame_low);
    return plan->frame_palette[(int)lround(255 * fmin(fmax(t, 0), 1))];
}

static bool draw_thumbnail(const Plan *plan, int row, int column, double x, double y,
                           Error *error) {
    int series = row * plan->grid->n_columns + column;
    if (plan->grid->left_out && plan->grid->left_out[series]) return true;
    FigureBox box = {x, y, plan->w, plan->h};
    StrBuf title = {0};
    strbuf_puts(&title, id_of(plan, row, column, plan->options->base));
    if (plan->grid->frames) {
        char number[32];
        strbuf_printf(&title, ": %s %s", plan->grid->frame_name ? plan->grid->frame_name : "",
                      number_text(plan->grid->frames[series], 3, number));
    }
    FigureMark mark = {.pick = {series, -1, -1},
                       .role = FIGURE_CELL,
                       .id = id_of(plan, row, column, 0),
                       .title = title.data};
    ArenaMark used = arena_mark(plan->scratch);
    ChartMatrix matrix;
    bool read = matrix_of(plan, row, column, &matrix, error);
    figure_rect(plan->figure, box, 0, (FigurePaint){.fill = plan->palette[0]}, &mark);
    if (read && plan->queries.n > 0 && plan->keys.n > 0) {
        if (plan->grid->triangle) {
            if (plan->grid->matrices) matrix.weights = tensor_clone(plan->scratch, matrix.weights);
            hide_triangle(&matrix);
        }
        FigureMark of_image = {.pick = mark.pick, .role = FIGURE_CELL, .title = mark.title};
        draw_cells(plan, &matrix, box, series, &of_image);
    }
    double thin = plan->theme->line_thin, wide = plan->grid->frames ? 2 * thin : thin;
    figure_rect(plan->figure,
                (FigureBox){box.x - wide / 2, box.y - wide / 2, box.w + wide, box.h + wide}, 0,
                (FigurePaint){.stroke = frame_color(plan, series), .width = wide}, NULL);
    arena_reset(plan->scratch, used);
    strbuf_free(&title);
    return read;
}

/* ---- the page ---- */

static void draw_numbers(const Plan *plan, double x, double y) {
    const Grid *grid = plan->grid;
    const Theme *theme = plan->theme;
    int base = plan->options->base;
    FigureTextStyle style = {.font = {.size = theme->type_small, .tabular = true},
                             .color = theme->soft,
                             .anchor = FIGURE_END};
    int row_step = (int)ceil(theme->type_small * 1.2 / (plan->h + plan->gap));
    int column_step = (int)ceil(theme->type_small * 1.8 / (plan->w + plan->gap));
    for (int r = 0; r < grid->n_rows; r += row_step)
        figure_text(plan->figure, x - theme->type_small * 0.7,
                    y + r * (plan->h + plan->gap) + plan->h / 2 + theme->type_small * 0.36,
                    str(arena_printf(plan->arena, "%d", number_of(grid->rows, r) + base)), style,
                    NULL);
    style.anchor = FIGURE_MIDDLE;
    for (int c = 0; c < grid->n_columns; c += column_step)
        figure_text(
            plan->figure, x + c * (plan->w + plan->gap) + plan->w / 2, y - theme->type_small * 0.7,
            str(arena_printf(plan->arena, "%d", number_of(grid->columns, c) + base)), style, NULL);
    style =
        (FigureTextStyle){.font = {.size = theme->type_small, .weight = 500}, .color = theme->soft};
    figure_text(plan->figure, x, y - theme->type_small * 2.2,
                str(grid->column_name ? grid->column_name : "head"), style, NULL);
    style.angle = 90;
    style.anchor = FIGURE_END;
    figure_text(plan->figure, x - theme->type_small * 2.4, y,
                str(grid->row_name ? grid->row_name : "layer"), style, NULL);
}

static double draw_legends(const Plan *plan, double x, double y, double width) {
    const Theme *theme = plan->theme;
    double small = theme->type_small, bar = fmin(160 * theme->type_body / 13, width * 0.4);
    FigureTextStyle style = {.font = {.size = small}, .color = theme->soft};
    double used = chart_legend_unit(plan->figure, x, y, "weight");
    double h = chart_legend(plan->figure, x + used, y, bar, plan->options, &plan->range);
    if (!plan->grid->frames) return y + h;
    double at = x + used + bar + 3 * small;
    const char *frame = plan->grid->frame_name ? plan->grid->frame_name : "frame";
    double named = text_width(figure_fonts(plan->figure), str(frame), style.font) + small;
    if (at + named + 110 * theme->type_body / 13 > x + width) { /* no room beside: below */
        y += h + small;
        at = x;
    }
    used =
        figure_text(plan->figure, at, y + small * 0.75,
                    str(plan->grid->frame_name ? plan->grid->frame_name : "frame"), style, NULL) +
        small;
    ChartRange range = {CHART_SCALE_RANGE, plan->frame_low, plan->frame_high, false};
    chart_legend_palette(plan->figure, at + used, y, fmin(bar, fmax(x + width - at - used, 40)),
                         plan->frame_palette, &range);
    return y + h;
}

static void frame_range(Plan *plan) {
    plan->frame_low = HUGE_VAL;
    plan->frame_high = -HUGE_VAL;
    for (int i = 0; plan->grid->frames && i < plan->grid->n_rows * plan->grid->n_columns; i++) {
        double x = plan->grid->frames[i];
        if (!isfinite(x)) continue;
        plan->frame_low = fmin(plan->frame_low, x);
        plan->frame_high = fmax(plan->frame_high, x);
    }
    if (!(plan->frame_high > plan->frame_low)) {
        if (!isfinite(plan->frame_low)) plan->frame_low = 0;
        plan->frame_high = plan->frame_low + 1;
    }
}

/* The largest weight of all heads takes a pass of its own. */
static bool find_range(Plan *plan, Error *error) {
    const Grid *grid = plan->grid;
    plan->range = chart_range(grid->matrices, grid->matrices ? grid->n_rows * grid->n_columns : 0,
                              plan->options);
    bool needs = plan->options->scale == CHART_SCALE_MAX ||
                 (plan->range.diverging && plan->options->scale != CHART_SCALE_RANGE);
    if (grid->matrices || !needs) return true;
    double low = 0, high = 0;
    for (int i = 0; i < grid->n_rows * grid->n_columns; i++) {
        ArenaMark used = arena_mark(plan->scratch);
        ChartMatrix matrix;
        if (!matrix_of(plan, i / grid->n_columns, i % grid->n_columns, &matrix, error))
            return false;
        ChartRange one = chart_range(&matrix, 1, plan->options);
        low = fmin(low, one.low);
        high = fmax(high, matrix.weights.data && one.high > 0 ? chart_max(&matrix) : 0);
        arena_reset(plan->scratch, used);
    }
    plan->range.low = low;
    plan->range.high = plan->range.diverging ? fmax(-low, high) : high;
    if (!(plan->range.high > plan->range.low)) plan->range.high = plan->range.low + 1;
    return true;
}

static void plan_thumbnails(Plan *plan, const ChartArea *area) {
    const Grid *grid = plan->grid;
    double unit = plan->theme->type_body / 13;
    plan->gap = (grid->n_columns > 20 || grid->n_rows > 20 ? 4 : 6) * unit;
    double w = (area->w - plan->left - plan->gap * (grid->n_columns - 1)) / grid->n_columns;
    double shape = grid->n_keys > 0 && grid->n_queries > 0
                       ? fmin(fmax((double)grid->n_queries / grid->n_keys, 0.5), 2)
                       : 1;
    if (plan->options->transpose) shape = 1 / shape;
    double most = fmin(220 * unit, 1000 * unit);
    w = fmin(w, most);
    double h = w * shape;
    if (area->h > 0) {
        double room = area->h - plan->top - 3.2 * plan->theme->type_small;
        h = fmin(h, (room - plan->gap * (grid->n_rows - 1)) / grid->n_rows);
        w = fmin(w, h / shape);
    }
    plan->w = fmax(w, 4);
    plan->h = fmax(h, 4);
}

static bool check(const Grid *grid, Error *error) {
    if (grid->n_rows < 1 || grid->n_columns < 1)
        return error_set(error, ERROR_INPUT, "no head to draw: at least one expected");
    if (!grid->matrices && !grid->read)
        return error_set(error, ERROR_INPUT, "no matrices for the grid of heads");
    ChartAxis queries = {.n = grid->n_queries}, keys = {.n = grid->n_keys};
    return !grid->matrices ||
           chart_check(grid->matrices, grid->n_rows * grid->n_columns, &queries, &keys, error);
}

bool grid_draw(Figure *figure, const Grid *grid, const ChartOptions *options, Error *error) {
    if (!check(grid, error)) return false;
    const Theme *theme = figure_theme(figure);
    Plan plan = {.figure = figure,
                 .theme = theme,
                 .grid = grid,
                 .options = options,
                 .arena = figure_arena(figure),
                 .scratch = arena_new()};
    plan.queries = ordinals(plan.arena, grid->n_queries);
    plan.keys = ordinals(plan.arena, grid->n_keys);
    chart_palette(options->colormap, theme, false, plan.palette);
    chart_palette(options->colormap, theme, true, plan.masked_palette);
    fill_frames(theme, plan.frame_palette);
    frame_range(&plan);
    plan.left = theme->type_small * 3.2;
    plan.top = theme->type_small * 3.2;
    bool done = find_range(&plan, error);
    const char *reduce = grid->reduce == FIGURE_REDUCE_MEAN ? "a pixel shows the mean of its cells"
                                                            : "a pixel shows its strongest cell";
    bool reduces = grid->n_queries > 60 || grid->n_keys > 60;
    const char *subtitle =
        chart_subtitle(plan.arena, options,
                       options->transpose ? "query across, key down" : "query down, key across",
                       chart_range_text(plan.arena, &plan.range), reduces ? reduce : NULL);
    double unit = theme->type_body / 13, cell = grid->n_columns > 16 ? 48 : 76;
    ChartArea area = chart_begin(figure, options, subtitle,
                                 plan.left + fmin(grid->n_columns * cell, 1300) * unit);
    plan_thumbnails(&plan, &area);
    double used = plan.left + grid->n_columns * (plan.w + plan.gap);
    double shift = area.h > 0 ? fmax(0, (area.w - used) / 2) : 0; /* to the middle of a window */
    area.x += shift;
    area.w -= shift;
    double x = area.x + plan.left, y = area.y + plan.top;
    draw_numbers(&plan, x, y);
    for (int row = 0; done && row < grid->n_rows; row++)
        for (int column = 0; done && column < grid->n_columns; column++)
            done = draw_thumbnail(&plan, row, column, x + column * (plan.w + plan.gap),
                                  y + row * (plan.h + plan.gap), error);
    double bottom = y + grid->n_rows * (plan.h + plan.gap) + theme->type_small * 0.6;
    bottom = draw_legends(&plan, x, bottom, area.w - plan.left);
    chart_end(figure, options, &area, bottom);
    arena_free(plan.scratch);
    return done;
}
