#include "render/masks.h"

#include <math.h>

enum { VECTOR_CELLS = 4000 };

typedef struct Plan {
    Figure *figure;
    const Theme *theme;
    const ChartOptions *options;
    Arena *arena;
    double cell, left, top; /* of a cell; room for labels at the left and above */
    TextStyle font;
    double panel_w; /* the labels and the cells, and the words above them */
    int step;       /* every so many tokens has a label */
} Plan;

/* An open cell stands out from the paper in every theme. */
static Color open_ground(const Theme *theme) {
    return color_mix(theme->paper, theme->accent, theme->outlines ? 0.12 : 0.4);
}

static int n_shown(const ChartAxis *axis) {
    int n = 0;
    for (int i = 0; i < axis->n; i++)
        n += !axis->tokens[i].hidden;
    return n;
}

static int longest(const Masks *masks) {
    int n = 1;
    for (int i = 0; i < masks->n_panels; i++) {
        int queries = n_shown(&masks->panels[i].queries), keys = n_shown(&masks->panels[i].keys);
        n = queries > n ? queries : n;
        n = keys > n ? keys : n;
    }
    return n;
}

static double widest(const Plan *plan, const ChartLabels *labels, double limit) {
    return fmin(chart_labels_width(plan->figure, labels, plan->font), limit);
}

/* Rows and columns of the tokens that are not hidden. */
typedef struct Shown {
    ChartLabels queries, keys;
} Shown;

static Shown shown_of(const Plan *plan, const MasksPanel *panel) {
    return (Shown){chart_labels(plan->figure, &panel->queries, plan->options),
                   chart_labels(plan->figure, &panel->keys, plan->options)};
}

static bool is_open(const MasksPanel *panel, const Shown *shown, int row, int column) {
    int64_t query = shown->queries.index[row];
    return panel->visible[query * panel->keys.n + shown->keys.index[column]];
}

static void draw_vector_cells(const Plan *plan, const MasksPanel *panel, const Shown *shown,
                              int series, double x, double y) {
    const Theme *theme = plan->theme;
    double gap = plan->cell > 12 ? 1 : 0;
    for (int r = 0; r < shown->queries.n; r++)
        for (int c = 0; c < shown->keys.n; c++) {
            bool seen = is_open(panel, shown, r, c);
            int q = shown->queries.index[r], k = shown->keys.index[c];
            FigurePaint paint = {.fill = seen ? open_ground(theme) : theme_hatch(theme),
                                 .hatch = !seen};
            if (seen && theme->outlines) paint.stroke = theme->accent, paint.width = 1;
            FigureMark mark = {.pick = {series, q, k},
                               .role = FIGURE_CELL,
                               .id = arena_printf(plan->arena, "%s-q%d-k%d", panel->id, q, k),
                               .title = seen ? "may be seen" : "masked"};
            figure_rect(plan->figure,
                        (FigureBox){x + c * plan->cell + gap / 2, y + r * plan->cell + gap / 2,
                                    plan->cell - gap, plan->cell - gap},
                        0, paint, &mark);
        }
}

static void draw_image(const Plan *plan, const MasksPanel *panel, const Shown *shown, int series,
                       FigureBox box) {
    int n_q = shown->queries.n, n_k = shown->keys.n;
    Color palette[256] = {[255] = open_ground(plan->theme)};
    uint8_t *cells = arena_alloc(plan->arena, (size_t)n_q * (size_t)n_k);
    for (int r = 0; r < n_q; r++)
        for (int c = 0; c < n_k; c++)
            cells[(int64_t)r * n_k + c] = is_open(panel, shown, r, c) ? 255 : 0;
    FigureImage image = {.rows = n_q,
                         .columns = n_k,
                         .cells = cells,
                         .palette = palette,
                         .has_masked = true,
                         .reduce = FIGURE_REDUCE_MAX,
                         .first = {series, 0, 0},
                         .queries = shown->queries.index,
                         .keys = shown->keys.index};
    figure_rect(plan->figure, box, 0,
                (FigurePaint){.fill = theme_hatch(plan->theme), .hatch = true, .width = 0.7}, NULL);
    FigureMark mark = {.pick = {series, -1, -1}, .role = FIGURE_CELL, .id = panel->id};
    figure_image(plan->figure, box, &image, &mark);
}

static void draw_cells(const Plan *plan, const MasksPanel *panel, const Shown *shown, int series,
                       double x, double y) {
    int n_q = shown->queries.n, n_k = shown->keys.n;
    FigureBox box = {x, y, n_k * plan->cell, n_q * plan->cell};
    if (n_q * n_k <= VECTOR_CELLS)
        draw_vector_cells(plan, panel, shown, series, x, y);
    else
        draw_image(plan, panel, shown, series, box);
    figure_rect(plan->figure, box, 0,
                (FigurePaint){.stroke = plan->theme->faint, .width = plan->theme->line_thin}, NULL);
}

static void draw_labels(const Plan *plan, const ChartLabels *labels, bool is_query, double x,
                        double y, double room) {
    FigureTextStyle style = {.font = plan->font,
                             .anchor = is_query ? FIGURE_END : FIGURE_START,
                             .angle = is_query ? 0 : 90,
                             .max_width = room};
    for (int i = 0; i < labels->n; i += plan->step) {
        FigureMark mark = {
            .pick = {-1, is_query ? labels->index[i] : -1, is_query ? -1 : labels->index[i]},
            .role = FIGURE_LABEL};
        style.color = labels->special[i] ? plan->theme->soft : plan->theme->ink;
        double at = (i + 0.5) * plan->cell + plan->font.size * 0.36;
        if (is_query)
            figure_text(plan->figure, x - 8, y + at, labels->text[i], style, &mark);
        else
            figure_text(plan->figure, x + at, y - 8, labels->text[i], style, &mark);
    }
}

static const char *note_of(const MasksPanel *panel) {
    return panel->note ? panel->note : "every token sees every token";
}

/* The widest of the words above the cells. */
static double words_width(const Plan *plan, const Masks *masks) {
    Text *text = figure_fonts(plan->figure);
    double w = 0;
    for (int i = 0; i < masks->n_panels; i++) {
        TextStyle name = {.size = plan->theme->type_body, .weight = 600};
        TextStyle note = {.size = plan->theme->type_small};
        w = fmax(w, text_width(text, str(masks->panels[i].name), name));
        w = fmax(w, text_width(text, str(note_of(&masks->panels[i])), note));
    }
    return w;
}

/* Returns the lowest point used. */
static double draw_panel(const Plan *plan, const MasksPanel *panel, int series, double x,
                         double y) {
    const Theme *theme = plan->theme;
    double line = theme->type_small * 1.5;
    FigureTextStyle style = {.font = {.size = theme->type_body, .weight = 600},
                             .color = theme->ink};
    style.max_width = plan->panel_w;
    figure_text(plan->figure, x, y + theme->type_body, str(panel->name), style, NULL);
    style.font = (TextStyle){.size = theme->type_small};
    style.color = theme->soft;
    figure_text(plan->figure, x, y + theme->type_body + line, str(note_of(panel)), style, NULL);
    y += theme->type_body + 2 * line + plan->top;
    x += plan->left;
    Shown shown = shown_of(plan, panel);
    draw_labels(plan, &shown.queries, true, x, y, plan->left - 8);
    draw_labels(plan, &shown.keys, false, x, y, plan->top - 8);
    draw_cells(plan, panel, &shown, series, x, y);
    return y + shown.queries.n * plan->cell;
}

static void plan_labels(Plan *plan, const Masks *masks) {
    const Theme *theme = plan->theme;
    plan->font.size = fmin(fmax(plan->cell * 0.62, theme->type_token_min), theme->type_body);
    plan->left = plan->top = 0;
    double limit = 90 * theme->type_body / 13;
    for (int i = 0; i < masks->n_panels; i++) {
        ChartLabels q = chart_labels(plan->figure, &masks->panels[i].queries, plan->options);
        ChartLabels k = chart_labels(plan->figure, &masks->panels[i].keys, plan->options);
        plan->left = fmax(plan->left, widest(plan, &q, limit) + 8);
        plan->top = fmax(plan->top, widest(plan, &k, limit) + 8);
    }
}

/* With a height as well: as many side by side as leave the cells the largest. Returns how many. */
static int fit_height(Plan *plan, const Masks *masks, const ChartArea *area, double natural,
                      double gutter) {
    const Theme *theme = plan->theme;
    int n = longest(masks), best = 1;
    double heading = theme->type_body + theme->type_small * 3, legend = theme->type_small * 4;
    double most = 0;
    for (int across = 1; across <= masks->n_panels; across++) {
        int down = (masks->n_panels + across - 1) / across;
        double w = (area->w + gutter) / across - gutter - plan->left;
        double h = (area->h - legend + gutter) / down - gutter - heading - plan->top;
        double cell = fmin(fmin(w, h) / n, natural);
        if (cell <= most) continue;
        most = cell;
        best = across;
    }
    double room = (area->w + gutter) / best - gutter;
    plan->cell = fmax(most, 0.25);
    plan_labels(plan, masks);
    plan->panel_w = fmin(fmax(plan->left + n * plan->cell, words_width(plan, masks)), room);
    return best;
}

/* Returns its last baseline. */
static double draw_legend(const Plan *plan, const ChartArea *area, double y) {
    const Theme *theme = plan->theme;
    double size = theme->type_small;
    const char *words[] = {"may be seen", "masked"};
    double x = area->x;
    FigureTextStyle style = {.font = {.size = theme->type_small}, .color = theme->soft};
    for (int i = 0; i < 2; i++) {
        FigurePaint paint = {.fill = i ? theme_hatch(theme) : open_ground(theme), .hatch = i == 1};
        if (!i && theme->outlines) paint.stroke = theme->accent, paint.width = 1;
        figure_rect(plan->figure, (FigureBox){x, y - size * 0.85, size, size}, 0, paint, NULL);
        x += size * 1.6;
        x += figure_text(plan->figure, x, y, str(words[i]), style, NULL) + size * 2;
    }
    if (plan->step <= 1) return y;
    Str named = str(arena_printf(plan->arena, "one token in %d is named", plan->step));
    if (x + text_width(figure_fonts(plan->figure), named, style.font) > area->x + area->w) {
        x = area->x;
        y += size * 1.6;
    }
    figure_text(plan->figure, x, y, named, style, NULL);
    return y;
}

bool masks_draw(Figure *figure, const Masks *masks, const ChartOptions *options, Error *error) {
    for (int i = 0; i < masks->n_panels; i++)
        if (n_shown(&masks->panels[i].queries) < 1 || n_shown(&masks->panels[i].keys) < 1)
            return error_set(error, ERROR_INPUT, "%s: no tokens, or all are hidden",
                             masks->panels[i].name);
    const Theme *theme = figure_theme(figure);
    Plan plan = {
        .figure = figure, .theme = theme, .options = options, .arena = figure_arena(figure)};
    double scale = theme->type_body / 13;
    int n = longest(masks);
    double natural = (n <= 16 ? 22 : n <= 64 ? 14 : 860.0 / n) * scale, gutter = 36 * scale;
    plan.cell = natural;
    plan_labels(&plan, masks);
    double words = words_width(&plan, masks);
    plan.panel_w = fmax(plan.left + n * natural, words);
    int across = (int)fmin(fmax(floor(1150 * scale / (plan.panel_w + gutter)), 1), masks->n_panels);
    double wide = across * plan.panel_w + (across - 1) * gutter;
    const char *subtitle = chart_subtitle(plan.arena, options, "query: rows", "key: columns", NULL);
    ChartArea area = chart_begin(figure, options, subtitle, wide);
    if (area.w < wide) { /* as many as fit, and smaller cells when not even one does */
        double step = plan.panel_w + gutter;
        across = (int)fmin(fmax(floor((area.w + gutter) / step), 1), masks->n_panels);
        double room = (area.w + gutter) / across - gutter;
        plan.cell = fmin(natural, (room - plan.left) / n);
        plan_labels(&plan, masks);
        plan.panel_w = fmin(fmax(plan.left + n * plan.cell, words), room);
    }
    if (area.h > 0) across = fit_height(&plan, masks, &area, natural, gutter);
    plan.step = (int)fmax(ceil(plan.font.size * 1.15 / plan.cell), 1);
    double y = area.y, bottom = y;
    for (int i = 0; i < masks->n_panels; i++) {
        if (i > 0 && i % across == 0) y = bottom + gutter;
        double end = draw_panel(&plan, &masks->panels[i], i,
                                area.x + (i % across) * (plan.panel_w + gutter), y);
        bottom = fmax(bottom, end);
    }
    bottom += theme->type_small * 2.4;
    bottom = draw_legend(&plan, &area, bottom);
    chart_end(figure, options, &area, bottom + theme->type_small);
    return true;
}
