#include "render/heatmap.h"

#include <math.h>
#include <string.h>

enum { VECTOR_CELLS = 4000 };

/* Where everything goes. Rows and columns are what is drawn: queries and keys, or the other way
 * round when transposed. */
typedef struct Plan {
    Figure *figure;
    const Theme *theme;
    const Heatmap *heatmap;
    const ChartOptions *options;
    Arena *arena;
    ChartLabels rows, columns;
    const char *row_title, *column_title;
    ChartRange range;
    TextStyle row_font, column_font;
    double cell_w, cell_h;
    double left, top; /* room for labels, axis titles included */
    double name_h;    /* a line for the panel's name; 0: none */
    double gutter;    /* between panels */
    int across;       /* panels side by side */
    bool turned;      /* column labels stand upright */
    int row_step, column_step;
    bool vector;
} Plan;

static double clamp(double x, double low, double high) {
    return x < low ? low : x > high ? high : x;
}

static int at_least_one(int n) {
    return n > 0 ? n : 1;
}

/* Comfortable cells for so many: what is drawn when no size is asked for. */
static double natural_cell(int n, const Theme *theme) {
    double cell = n <= 12 ? 34 : n <= 20 ? 28 : n <= 40 ? 20 : n <= 64 ? 15 : 860.0 / n;
    double scale = theme->type_body / 13;
    return fmax(cell, n > 64 ? 860.0 / n : 0) * scale;
}

/* Square cells as large as both directions allow. */
static void plan_cells(Plan *plan, const ChartArea *area) {
    const ChartOptions *options = plan->options;
    int n_columns = at_least_one(plan->columns.n), n_rows = at_least_one(plan->rows.n);
    int panels = plan->heatmap->n_panels;
    double natural = natural_cell(n_columns > n_rows ? n_columns : n_rows, plan->theme);
    double room_w = area->w - plan->left - plan->gutter * (plan->across - 1);
    plan->cell_w = options->width > 0 ? room_w / plan->across / n_columns : natural;
    int down = (panels + plan->across - 1) / plan->across;
    double room_h =
        area->h - plan->top - plan->name_h * down - plan->gutter * (down - 1) -
        plan->theme->type_small * 3.5 -
        (plan->heatmap->list_title ? plan->theme->type_body * (2.4 + 1.6 * plan->heatmap->n_list)
                                   : 0);
    plan->cell_h = area->h > 0 ? fmax(room_h / down / n_rows, 0.25) : natural;
    if (plan->heatmap->index_labels) {
        if (area->h <= 0) plan->cell_h = clamp(320.0 / n_rows, 0.5, plan->cell_w > 8 ? 24 : 8);
        return;
    }
    double cell =
        options->width > 0 && area->h <= 0 ? plan->cell_w : fmin(plan->cell_w, plan->cell_h);
    cell = fmin(cell, 56 * plan->theme->type_body / 13);
    plan->cell_w = plan->cell_h = fmax(cell, 0.25);
}

static double font_for(const Plan *plan, double pitch) {
    return clamp(pitch * 0.66, plan->theme->type_token_min, plan->theme->type_body);
}

static void plan_labels(Plan *plan, double limit_left, double limit_top) {
    const Theme *theme = plan->theme;
    double line = theme->type_small * 1.7;
    plan->row_font.size = font_for(plan, plan->cell_h);
    plan->column_font.size = font_for(plan, plan->cell_w);
    plan->row_step = (int)ceil(plan->row_font.size * 1.12 / plan->cell_h);
    double rows = chart_labels_width(plan->figure, &plan->rows, plan->row_font);
    double columns = chart_labels_width(plan->figure, &plan->columns, plan->column_font);
    plan->turned = columns > plan->cell_w - 4;
    plan->column_step = plan->turned ? (int)ceil(plan->column_font.size * 1.12 / plan->cell_w) : 1;
    if (plan->heatmap->index_labels && plan->turned) {
        plan->turned = false;
        plan->column_step = (int)ceil((columns + 8) / plan->cell_w);
    }
    plan->left = fmin(rows, limit_left) + 8 + (plan->row_title ? line : 0);
    double tall = plan->turned ? fmin(columns, limit_top) : plan->column_font.size;
    plan->top = tall + 8 + (plan->column_title ? line : 0);
    plan->name_h = plan->heatmap->n_panels > 1 ? theme->type_small * 2 : 0;
}

/* Steps of index labels are round numbers. */
static int round_step(int step) {
    static const int NICE[] = {1, 2, 5, 10, 20, 25, 50, 100, 200, 250, 500, 1000, 2000, 5000};
    for (size_t i = 0; i < sizeof NICE / sizeof *NICE; i++)
        if (NICE[i] >= step) return NICE[i];
    return step;
}

static ChartArea plan_all(Plan *plan, const char *subtitle) {
    const Theme *theme = plan->theme;
    const ChartOptions *options = plan->options;
    double scale = theme->type_body / 13;
    double limit_left = 130 * scale, limit_top = 110 * scale;
    plan->gutter = 24 * scale;
    int panels = plan->heatmap->n_panels;
    double natural =
        natural_cell(plan->columns.n > plan->rows.n ? plan->columns.n : plan->rows.n, theme);
    plan->cell_w = plan->cell_h = natural;
    plan_labels(plan, limit_left, limit_top);
    double panel_w = natural * at_least_one(plan->columns.n);
    plan->across = panels < 2 ? 1 : (int)clamp(floor(1100 / (panel_w + plan->gutter)), 1, panels);
    if (options->width > 0 && panels > 1) {
        /* As many side by side as leave every column its label, where that is not too wide. */
        double named = theme->type_token_min * 1.2 * at_least_one(plan->columns.n);
        double least = fmax(90 * scale, fmin(fmin(panel_w, 240 * scale), named));
        plan->across = (int)clamp(floor((options->width - plan->left) / (least + plan->gutter)), 1,
                                  fmin(panels, 8));
    }
    double wide = plan->left + plan->across * panel_w + (plan->across - 1) * plan->gutter;
    ChartArea area = chart_begin(plan->figure, options, subtitle, wide);
    limit_left = fmin(limit_left, area.w * 0.3);
    if (area.h > 0) limit_top = fmin(limit_top, area.h * 0.3);
    for (int round = 0; round < 3; round++) { /* cells and labels depend on each other */
        plan_cells(plan, &area);
        plan_labels(plan, limit_left, limit_top);
    }
    if (plan->heatmap->index_labels) {
        plan->row_step = round_step(plan->row_step);
        plan->column_step = round_step(plan->column_step);
    }
    return area;
}

/* ---- labels ---- */

/* Of further panels the label is named after its panel: ids are unique. */
static FigureMark token_mark(const Plan *plan, bool is_query, int index, int panel) {
    FigureMark mark = {.pick = {-1, -1, -1}, .role = FIGURE_LABEL};
    if (is_query)
        mark.pick.query = index;
    else
        mark.pick.key = index;
    mark.id = panel ? arena_printf(plan->arena, "%c%d-p%d", is_query ? 'q' : 'k', index, panel)
                    : arena_printf(plan->arena, "%c%d", is_query ? 'q' : 'k', index);
    return mark;
}

static void draw_row_labels(const Plan *plan, int panel, double x, double y) {
    FigureTextStyle style = {.font = plan->row_font,
                             .color = plan->theme->ink,
                             .anchor = FIGURE_END,
                             .max_width = plan->left - 8 -
                                          (plan->row_title ? plan->theme->type_small * 1.7 : 0)};
    for (int r = 0; r < plan->rows.n; r += plan->row_step) {
        int first = plan->rows.index[r];
        FigureMark mark = token_mark(plan, !plan->options->transpose, first, panel);
        style.color = plan->rows.special[r] ? plan->theme->soft : plan->theme->ink;
        figure_text(plan->figure, x - 8, y + (r + 0.5) * plan->cell_h + plan->row_font.size * 0.36,
                    plan->rows.text[r], style, &mark);
    }
}

static void draw_column_labels(const Plan *plan, int panel, double x, double y) {
    double room = plan->top - 8 - (plan->column_title ? plan->theme->type_small * 1.7 : 0);
    FigureTextStyle style = {.font = plan->column_font,
                             .color = plan->theme->ink,
                             .anchor = plan->turned ? FIGURE_START : FIGURE_MIDDLE,
                             .angle = plan->turned ? 90 : 0,
                             .max_width = plan->turned ? room : plan->cell_w * plan->column_step};
    for (int c = 0; c < plan->columns.n; c += plan->column_step) {
        FigureMark mark = token_mark(plan, plan->options->transpose, plan->columns.index[c], panel);
        style.color = plan->columns.special[c] ? plan->theme->soft : plan->theme->ink;
        double at = x + (c + 0.5) * plan->cell_w;
        FigureTextStyle one = style;
        double width = text_width(figure_fonts(plan->figure), plan->columns.text[c], one.font);
        bool stands = text_stands(plan->columns.text[c]) && width < plan->cell_w;
        bool turned = plan->turned && !stands;
        if (!turned) one.angle = 0, one.anchor = FIGURE_MIDDLE;
        figure_text(plan->figure, turned ? at + plan->column_font.size * 0.36 : at, y - 8,
                    plan->columns.text[c], one, &mark);
    }
}

/* Where the whole title does not fit, what comes before its comma, or before its colon ("query"):
 * the quiet line has it all. */
static Str short_title(const Plan *plan, const char *title, TextStyle font, double room) {
    Str shown = str(title);
    const char *const ends[] = {", ", ": "};
    for (int i = 0; i < 2 && text_width(figure_fonts(plan->figure), shown, font) > room; i++) {
        const char *end = strstr(title, ends[i]);
        if (end) shown = str_sub(shown, 0, (size_t)(end - title));
    }
    return shown;
}

/* Above and beside the matrix; longer ones reach over the corner that both leave free. */
static void draw_axis_titles(const Plan *plan, const ChartArea *area, double x, double y, double w,
                             double h) {
    FigureTextStyle style = {.font = {.size = plan->theme->type_small, .weight = 500},
                             .color = plan->theme->soft};
    double small = plan->theme->type_small, corner = plan->row_title ? small * 1.7 : 0;
    if (plan->column_title) {
        double room = fmax(w, area->x + area->w - x), reach = x + room - area->x - corner;
        Str title = short_title(plan, plan->column_title, style.font, reach);
        bool over = text_width(figure_fonts(plan->figure), title, style.font) > room;
        style.anchor = over ? FIGURE_END : FIGURE_START;
        style.max_width = over ? reach : room;
        figure_text(plan->figure, over ? x + room : x, y - plan->top + small * 0.7, title, style,
                    NULL);
    }
    if (!plan->row_title) return;
    double room = h + (plan->column_title ? plan->top - small * 1.7 : plan->top);
    Str title = short_title(plan, plan->row_title, style.font, room);
    bool over = text_width(figure_fonts(plan->figure), title, style.font) > h;
    style.angle = 90;
    style.anchor = over ? FIGURE_START : FIGURE_END;
    style.max_width = over ? room : h;
    figure_text(plan->figure, x - plan->left + small, over ? y + h : y, title, style, NULL);
}

/* ---- cells ---- */

static double cell_weight(const Plan *plan, const ChartMatrix *panel, int r, int c) {
    int row = plan->rows.index[r], column = plan->columns.index[c];
    return plan->options->transpose ? chart_weight(panel, column, row)
                                    : chart_weight(panel, row, column);
}

static bool is_masked(const Plan *plan, const ChartMatrix *panel, int r, int c) {
    int row = plan->rows.index[r], column = plan->columns.index[c];
    bool cut = plan->options->transpose ? chart_is_cut(panel, column, row)
                                        : chart_is_cut(panel, row, column);
    return !cut && isnan(cell_weight(plan, panel, r, c));
}

/* Masked cells: one hatched outline, a box for each run of a row. */
static void draw_absent(const Plan *plan, const ChartMatrix *panel, double x, double y) {
    bool any = false;
    for (int r = 0; r < plan->rows.n; r++) {
        for (int c = 0; c < plan->columns.n; c++) {
            if (!is_masked(plan, panel, r, c)) continue;
            int end = c + 1;
            while (end < plan->columns.n && is_masked(plan, panel, r, end))
                end++;
            double x0 = x + c * plan->cell_w, x1 = x + end * plan->cell_w;
            double y0 = y + r * plan->cell_h, y1 = y0 + plan->cell_h;
            figure_path_move(plan->figure, x0, y0);
            figure_path_line(plan->figure, x1, y0);
            figure_path_line(plan->figure, x1, y1);
            figure_path_line(plan->figure, x0, y1);
            figure_path_close(plan->figure);
            any = true;
            c = end;
        }
    }
    if (!any) return;
    FigurePaint hatch = {.fill = theme_hatch(plan->theme), .hatch = true, .width = 0.7};
    figure_path_end(plan->figure, hatch, NULL);
}

static const char *cell_title(const Plan *plan, const ChartMatrix *panel, int r, int c,
                              double weight) {
    char number[32];
    int row = plan->rows.index[r], column = plan->columns.index[c];
    int query = plan->options->transpose ? column : row,
        key = plan->options->transpose ? row : column;
    Str q = plan->options->transpose ? plan->columns.text[c] : plan->rows.text[r];
    Str k = plan->options->transpose ? plan->rows.text[r] : plan->columns.text[c];
    int base = plan->options->base;
    q = text_isolated(plan->arena, q);
    k = text_isolated(plan->arena, k);
    return arena_printf(plan->arena, "%s%squery %d %.*s \xe2\x86\x92 key %d %.*s: %s",
                        panel->name ? panel->name : "", panel->name ? ", " : "", query + base,
                        (int)q.n, q.data, key + base, (int)k.n, k.data,
                        number_text(weight, 4, number));
}

static void draw_number(const Plan *plan, FigureBox box, double weight, Color ground) {
    double size = fmin(plan->theme->type_small, box.w * 0.36);
    char number[32];
    chart_decimal(weight, 2, number);
    TextStyle font = {.size = size, .tabular = true};
    double least = plan->theme->type_token_min * 0.8;
    if (size < least) {
        figure_wants_width(plan->figure, figure_bounds(plan->figure).w * (least / fmax(size, 0.1)));
        return;
    }
    figure_text(plan->figure, box.x + box.w / 2, box.y + box.h / 2 + size * 0.36, str(number),
                (FigureTextStyle){
                    .font = font, .color = theme_on(plan->theme, ground), .anchor = FIGURE_MIDDLE},
                NULL);
}

static void draw_vector_cells(const Plan *plan, int series, double x, double y) {
    const ChartMatrix *panel = &plan->heatmap->panels[series];
    Color palette[256];
    chart_palette(plan->options->colormap, plan->theme, false, palette);
    double gap = fmin(plan->cell_w, plan->cell_h) > 12 ? 1 : 0;
    double radius = fmin(plan->cell_w, plan->cell_h) > 20 ? 2 : 0;
    double each = plan->range.kind == CHART_SCALE_EACH ? chart_max(panel) : 1;
    for (int r = 0; r < plan->rows.n; r++) {
        for (int c = 0; c < plan->columns.n; c++) {
            double weight = cell_weight(plan, panel, r, c);
            if (isnan(weight)) continue;
            int row = plan->rows.index[r], column = plan->columns.index[c];
            int query = plan->options->transpose ? column : row;
            int key = plan->options->transpose ? row : column;
            double reference = plan->range.kind == CHART_SCALE_EACH
                                   ? each
                                   : chart_reference(&plan->range, panel, query);
            double place = chart_place(&plan->range, weight, reference);
            Color fill = palette[(int)lround(place * 255)];
            FigureBox box = {x + c * plan->cell_w + gap / 2, y + r * plan->cell_h + gap / 2,
                             plan->cell_w - gap, plan->cell_h - gap};
            FigureMark mark = {.pick = {series, query, key},
                               .role = FIGURE_CELL,
                               .weight = weight,
                               .has_weight = true,
                               .id = chart_id(plan->arena, panel, query, key),
                               .title = cell_title(plan, panel, r, c, weight)};
            figure_rect(plan->figure, box, radius, (FigurePaint){.fill = fill}, &mark);
            if (plan->heatmap->numbers) draw_number(plan, box, weight, fill);
        }
    }
}

static void draw_image_cells(const Plan *plan, int series, double x, double y) {
    const ChartMatrix *panel = &plan->heatmap->panels[series];
    bool transpose = plan->options->transpose, has_masked;
    const ChartLabels *queries = transpose ? &plan->columns : &plan->rows;
    const ChartLabels *keys = transpose ? &plan->rows : &plan->columns;
    Arena *scratch = arena_new();
    uint8_t *cells =
        chart_cells(scratch, panel, queries, keys, &plan->range, transpose, &has_masked);
    Color palette[256];
    chart_palette(plan->options->colormap, plan->theme, has_masked, palette);
    FigureImage image = {.rows = plan->rows.n,
                         .columns = plan->columns.n,
                         .cells = cells,
                         .palette = palette,
                         .has_masked = has_masked,
                         .reduce =
                             plan->range.diverging ? FIGURE_REDUCE_EXTREME : plan->heatmap->reduce,
                         .first = {series, 0, 0},
                         .queries = queries->index,
                         .keys = keys->index,
                         .transposed = transpose};
    FigureBox box = {x, y, plan->cell_w * plan->columns.n, plan->cell_h * plan->rows.n};
    /* Hatched all over: cells that are there cover it. */
    if (panel->cut.data)
        draw_absent(plan, panel, x, y);
    else if (has_masked)
        figure_rect(plan->figure, box, 0,
                    (FigurePaint){.fill = theme_hatch(plan->theme), .hatch = true, .width = 0.7},
                    NULL);
    FigureMark mark = {.pick = {series, -1, -1},
                       .role = FIGURE_STATIC,
                       .id = chart_id(plan->arena, panel, -1, -1),
                       .title = panel->name};
    figure_image(plan->figure, box, &image, &mark);
    arena_free(scratch);
}

static void draw_panel(const Plan *plan, int series, double x, double y) {
    const ChartMatrix *panel = &plan->heatmap->panels[series];
    double w = plan->cell_w * plan->columns.n, h = plan->cell_h * plan->rows.n;
    FigureBox frame = {x, y, w, h};
    if (plan->columns.n > 0 && plan->rows.n > 0) {
        if (plan->vector) {
            draw_absent(plan, panel, x, y);
            draw_vector_cells(plan, series, x, y);
        } else {
            draw_image_cells(plan, series, x, y);
        }
    }
    figure_rect(plan->figure, frame, 0,
                (FigurePaint){.stroke = plan->theme->line, .width = plan->theme->line_thin}, NULL);
    if (plan->name_h > 0 && panel->name) {
        FigureMark mark = {.pick = {series, -1, -1}, .role = FIGURE_LABEL};
        FigureTextStyle style = {.font = {.size = plan->theme->type_small, .weight = 600},
                                 .color = plan->theme->ink,
                                 .max_width = fmax(w, 40)};
        bool below_labels = series < plan->across;
        double up = below_labels ? plan->top : 0;
        figure_text(plan->figure, x, y - up - plan->theme->type_small * 0.8, str(panel->name),
                    style, &mark);
    }
}

static double draw_panels(const Plan *plan, const ChartArea *area) {
    double w = plan->cell_w * plan->columns.n, h = plan->cell_h * plan->rows.n;
    double bottom = area->y;
    for (int i = 0; i < plan->heatmap->n_panels; i++) {
        int across = i % plan->across, down = i / plan->across;
        double x = area->x + plan->left + across * (w + plan->gutter);
        double y = area->y + plan->name_h + plan->top + down * (h + plan->gutter + plan->name_h);
        draw_panel(plan, i, x, y);
        if (across == 0) draw_row_labels(plan, i, x, y);
        if (down == 0) draw_column_labels(plan, i, x, y);
        if (i == 0 && w > 0 && h > 0) draw_axis_titles(plan, area, x, y, w, h);
        bottom = fmax(bottom, y + h);
    }
    return bottom;
}

static double draw_key(const Plan *plan, const ChartArea *area, double y) {
    double x = area->x + plan->left, small = plan->theme->type_small;
    FigureTextStyle style = {.font = {.size = small}, .color = plan->theme->soft};
    const char *unit = plan->heatmap->unit ? plan->heatmap->unit : "weight";
    double used = text_width(figure_fonts(plan->figure), str(unit), style.font) + 10;
    double most = 160 * plan->theme->type_body / 13, room = area->x + area->w - x - used;
    if (room < fmin(most, 5 * small)) {
        x = area->x; /* no room under the matrix */
        room = area->w - used;
    }
    double width = fmin(most, fmax(room, 10));
    figure_text(plan->figure, x, y + small * 0.75, str(unit), style, NULL);
    double h = chart_legend(plan->figure, x + used, y, width, plan->options, &plan->range);
    int step = plan->row_step > plan->column_step ? plan->row_step : plan->column_step;
    if (step < 2 || plan->heatmap->index_labels) return y + h;
    Str note = str(arena_printf(plan->arena, "one token in %d is named", step));
    double at = x + used + width + 2 * small;
    bool beside =
        at + text_width(figure_fonts(plan->figure), note, style.font) <= area->x + area->w;
    if (beside)
        figure_text(plan->figure, at, y + small * 0.75, note, style, NULL);
    else
        figure_text(plan->figure, area->x, y + h + small * 1.6, note, style, NULL);
    return y + h + (beside ? 0 : 1.8 * small);
}

static double draw_list(const Plan *plan, const ChartArea *area, double y) {
    const Theme *theme = plan->theme;
    FigureTextStyle style = {.font = {.size = theme->type_body, .weight = 600},
                             .color = theme->ink,
                             .max_width = area->w};
    y += theme->type_body * 2;
    figure_text(plan->figure, area->x, y, str(plan->heatmap->list_title), style, NULL);
    style.font = (TextStyle){.size = theme->type_body, .tabular = true};
    for (int i = 0; i < plan->heatmap->n_list; i++) {
        y += theme->type_body * 1.6;
        figure_text(plan->figure, area->x, y, str(plan->heatmap->list[i]), style, NULL);
    }
    return y + theme->type_body * 0.4;
}

static void plan_wanted(const Plan *plan) {
    if (plan->heatmap->index_labels) return;
    int step = plan->row_step > plan->column_step ? plan->row_step : plan->column_step;
    if (step <= 1) return;
    double cell = plan->theme->type_token_min * 1.12;
    figure_wants_width(plan->figure, 2 * 24 + plan->left + cell * plan->columns.n * plan->across +
                                         plan->gutter * (plan->across - 1));
}

bool heatmap_draw(Figure *figure, const Heatmap *heatmap, const ChartOptions *options,
                  Error *error) {
    const ChartAxis *queries = &heatmap->queries, *keys = &heatmap->keys;
    if (!chart_check(heatmap->panels, heatmap->n_panels, queries, keys, error)) return false;
    Plan plan = {.figure = figure,
                 .theme = figure_theme(figure),
                 .heatmap = heatmap,
                 .options = options,
                 .arena = figure_arena(figure)};
    bool transpose = options->transpose;
    plan.rows = chart_labels(figure, transpose ? keys : queries, options);
    plan.columns = chart_labels(figure, transpose ? queries : keys, options);
    plan.row_title = (transpose ? keys : queries)->title;
    plan.column_title = (transpose ? queries : keys)->title;
    if (!plan.row_title) plan.row_title = transpose ? "key" : "query";
    if (!plan.column_title) plan.column_title = transpose ? "query" : "key";
    plan.range = chart_range(heatmap->panels, heatmap->n_panels, options);
    int64_t n_cells = (int64_t)plan.rows.n * plan.columns.n * heatmap->n_panels;
    plan.vector = n_cells <= VECTOR_CELLS;
    const char *rows = arena_printf(plan.arena, "%s (rows)", plan.row_title);
    bool rtl = plan.rows.rtl || plan.columns.rtl;
    const char *columns = arena_printf(plan.arena, "%s (columns)%s", plan.column_title,
                                       rtl ? " \xc2\xb7 token 0 first, at the top left" : "");
    ChartArea area = plan_all(&plan, chart_subtitle(plan.arena, options, rows, columns,
                                                    chart_range_text(plan.arena, &plan.range)));
    plan_wanted(&plan);
    double used =
        plan.left + plan.across * plan.cell_w * plan.columns.n + plan.gutter * (plan.across - 1);
    double shift = area.h > 0 ? fmax(0, (area.w - used) / 2) : 0; /* to the middle of a window */
    area.x += shift;
    area.w -= shift;
    double bottom = draw_panels(&plan, &area);
    if (plan.rows.n == 0 || plan.columns.n == 0)
        bottom = chart_empty(figure, area.x, area.y, queries->n + keys->n > 0);
    bottom = draw_key(&plan, &area, bottom + plan.theme->type_small);
    if (heatmap->list_title) bottom = draw_list(&plan, &area, bottom);
    chart_end(figure, options, &area, bottom);
    return true;
}
