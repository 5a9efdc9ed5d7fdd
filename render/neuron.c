#include "render/neuron.h"

#include <math.h>

typedef struct Plan {
    Figure *figure;
    const Theme *theme;
    const Neuron *neuron;
    const ChartOptions *options;
    Arena *arena;
    ChartLabels keys;
    int n_dims;
    double pitch, strip_h, font; /* a key's line, its strips, its label */
    int step;                    /* every n-th key is named */
    double right;                /* edge of the area */
    double x_label, x_keys, x_products, strip_w, x_sum, sum_w, x_score, x_weight, weight_w;
    double most, most_product, most_sum; /* largest magnitudes: ends of the scales */
    Color palette[256];
} Plan;

static double q_at(const Plan *plan, int d) {
    return *tensor_at(plan->neuron->query, d, 0, 0, 0);
}

static double k_at(const Plan *plan, int key, int d) {
    return *tensor_at(plan->neuron->keys, key, d, 0, 0);
}

static double weight_at(const Plan *plan, int key) {
    return *tensor_at(plan->neuron->weights, key, 0, 0, 0);
}

static double sum_of(const Plan *plan, int key) {
    double sum = 0;
    for (int d = 0; d < plan->n_dims; d++)
        sum += q_at(plan, d) * k_at(plan, key, d);
    return sum;
}

static double score_of(const Plan *plan, int key) {
    if (plan->neuron->scores.data) return *tensor_at(plan->neuron->scores, key, 0, 0, 0);
    return sum_of(plan, key) * plan->neuron->scale;
}

static void find_scales(Plan *plan) {
    for (int d = 0; d < plan->n_dims; d++)
        plan->most = fmax(plan->most, fabs(q_at(plan, d)));
    for (int i = 0; i < plan->keys.n; i++) {
        int key = plan->keys.index[i];
        for (int d = 0; d < plan->n_dims; d++) {
            plan->most = fmax(plan->most, fabs(k_at(plan, key, d)));
            plan->most_product = fmax(plan->most_product, fabs(q_at(plan, d) * k_at(plan, key, d)));
        }
        plan->most_sum = fmax(plan->most_sum, fabs(sum_of(plan, key)));
    }
    if (!(plan->most > 0)) plan->most = 1;
    if (!(plan->most_product > 0)) plan->most_product = 1;
    if (!(plan->most_sum > 0)) plan->most_sum = 1;
}

static uint8_t shade(double x, double most) {
    double t = x / most;
    t = t < -1 ? -1 : t > 1 ? 1 : t;
    return (uint8_t)lround(128 + 127 * t);
}

/* key < 0: the query itself. */
static void draw_strip(const Plan *plan, double x, double y, int key, bool product) {
    uint8_t *cells = arena_alloc(plan->arena, (size_t)plan->n_dims + 1);
    for (int d = 0; d < plan->n_dims; d++) {
        double value = key < 0 ? q_at(plan, d) : k_at(plan, key, d);
        if (product) value *= q_at(plan, d);
        cells[d] = shade(value, product ? plan->most_product : plan->most);
    }
    FigureImage image = {.rows = 1,
                         .columns = plan->n_dims,
                         .cells = cells,
                         .palette = plan->palette,
                         .reduce = FIGURE_REDUCE_EXTREME,
                         .first = FIGURE_PICK_NONE};
    FigureBox box = {x, y - plan->strip_h / 2, plan->strip_w, plan->strip_h};
    figure_image(plan->figure, box, &image, NULL);
    figure_rect(plan->figure, box, 0,
                (FigurePaint){.stroke = plan->theme->line, .width = plan->theme->line_thin}, NULL);
}

static void put(const Plan *plan, double x, double y, Str s, FigureAnchor anchor, Color color,
                const FigureMark *mark) {
    figure_text(
        plan->figure, x, y + plan->font * 0.36, s,
        (FigureTextStyle){.font = {.size = plan->font, .tabular = true},
                          .color = color,
                          .anchor = anchor,
                          .max_width = anchor == FIGURE_START ? fmax(plan->right - x, 8) : 0},
        mark);
}

static const char *short_number(const Plan *plan, double x) {
    char number[32];
    if (isinf(x)) return x < 0 ? "\xe2\x88\x92\xe2\x88\x9e" : "\xe2\x88\x9e";
    return arena_strdup(plan->arena, chart_decimal(x, 2, number));
}

static void draw_sum(const Plan *plan, double y, int key) {
    double sum = sum_of(plan, key), middle = plan->x_sum + plan->sum_w / 2;
    double w = plan->sum_w / 2 * fabs(sum) / plan->most_sum;
    Color color = sum < 0 ? plan->theme->negative : plan->theme->positive;
    FigureMark mark = {.pick = {-1, plan->neuron->index, key}, .role = FIGURE_DIMS};
    figure_rect(plan->figure,
                (FigureBox){sum < 0 ? middle - w : middle, y - plan->strip_h / 2, w, plan->strip_h},
                0, (FigurePaint){.fill = color}, &mark);
}

static void draw_weight(const Plan *plan, double y, int key) {
    double weight = weight_at(plan, key);
    FigureMark mark = {.pick = {-1, plan->neuron->index, key},
                       .role = FIGURE_DIMS,
                       .weight = weight,
                       .has_weight = !isnan(weight),
                       .id = arena_printf(plan->arena, "%s-q%d-k%d",
                                          plan->neuron->id ? plan->neuron->id : "head",
                                          plan->neuron->index, key)};
    FigureBox box = {plan->x_weight, y - plan->strip_h / 2, plan->weight_w, plan->strip_h};
    if (isnan(weight)) {
        figure_rect(plan->figure, box, 0,
                    (FigurePaint){.fill = theme_hatch(plan->theme), .hatch = true, .width = 0.7},
                    &mark);
        return;
    }
    box.w *= fmin(fmax(weight, 0), 1);
    figure_rect(plan->figure, box, 2, (FigurePaint){.fill = plan->theme->accent}, &mark);
    if (plan->step > 1) return;
    put(plan, box.x + box.w + plan->font * 0.5, y, str(short_number(plan, weight)), FIGURE_START,
        plan->theme->ink, NULL);
}

static void draw_key(const Plan *plan, int i, double y) {
    int key = plan->keys.index[i];
    draw_strip(plan, plan->x_keys, y, key, false);
    draw_strip(plan, plan->x_products, y, key, true);
    draw_sum(plan, y, key);
    draw_weight(plan, y, key);
    if (i % plan->step) return;
    FigureMark mark = {
        .pick = {-1, -1, key}, .role = FIGURE_LABEL, .id = arena_printf(plan->arena, "k%d", key)};
    figure_text(
        plan->figure, plan->x_keys - plan->font * 0.7, y + plan->font * 0.36, plan->keys.text[i],
        (FigureTextStyle){.font = {.size = plan->font},
                          .color = plan->keys.special[i] ? plan->theme->soft : plan->theme->ink,
                          .anchor = FIGURE_END,
                          .max_width = plan->x_keys - plan->x_label - plan->font},
        &mark);
    bool masked = isnan(weight_at(plan, key));
    put(plan, plan->x_score + plan->font * 3, y,
        str(masked ? "masked" : short_number(plan, score_of(plan, key))), FIGURE_END,
        masked ? plan->theme->soft : plan->theme->ink, NULL);
}

static void lay_columns(Plan *plan, const ChartArea *area) {
    double unit = plan->theme->type_body / 13, gap = fmin(20 * unit, area->w * 0.022);
    TextStyle font = {.size = plan->font};
    double label = fmin(fmax(chart_labels_width(plan->figure, &plan->keys, font),
                             text_width(figure_fonts(plan->figure), plan->neuron->query_token,
                                        (TextStyle){.size = plan->font, .weight = 600})) +
                            1,
                        area->w * 0.16);
    double score = plan->font * 3.4;
    double rest = area->w - label - plan->font - 4 * gap - score;
    plan->x_label = area->x;
    plan->right = area->x + area->w;
    plan->x_keys = area->x + label + plan->font;
    plan->strip_w = fmax(rest * 0.34, 24);
    plan->x_products = plan->x_keys + plan->strip_w + gap;
    plan->x_sum = plan->x_products + plan->strip_w + gap;
    plan->sum_w = fmax(rest * 0.14, 16);
    plan->x_score = plan->x_sum + plan->sum_w + gap * 0.5;
    plan->x_weight = plan->x_score + score + gap;
    plan->weight_w = fmax(area->x + area->w - plan->x_weight - plan->font * 2.6, 10);
}

static double draw_heads(const Plan *plan, double y) {
    double size = plan->theme->type_small;
    const struct {
        double x;
        const char *s;
        FigureAnchor anchor;
    } heads[] = {
        {plan->x_keys, "k: each key", FIGURE_START},
        {plan->x_products, "q \xe2\x8a\x99 k: product, dimension by dimension", FIGURE_START},
        {plan->x_sum + plan->sum_w / 2, "sum q\xc2\xb7k", FIGURE_MIDDLE},
        {plan->x_score + plan->font * 3, "score", FIGURE_END},
        {plan->x_weight, "softmax", FIGURE_START}};
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++)
        figure_text(plan->figure, heads[i].x, y + size, str(heads[i].s),
                    (FigureTextStyle){.font = {.size = size, .weight = 500},
                                      .color = plan->theme->soft,
                                      .anchor = heads[i].anchor,
                                      .max_width = i < 2    ? plan->strip_w
                                                   : i == 4 ? fmax(plan->right - heads[i].x, 8)
                                                            : 0},
                    NULL);
    return y + size * 2;
}

static double draw_query(const Plan *plan, double y) {
    double size = plan->theme->type_small;
    figure_text(
        plan->figure, plan->x_keys, y + size, str("q: the query"),
        (FigureTextStyle){.font = {.size = size, .weight = 500}, .color = plan->theme->soft}, NULL);
    y += size * 2 + plan->pitch / 2;
    FigureMark mark = {.pick = {-1, plan->neuron->index, -1}, .role = FIGURE_LABEL, .id = "q"};
    figure_text(plan->figure, plan->x_keys - plan->font * 0.7, y + plan->font * 0.36,
                plan->neuron->query_token,
                (FigureTextStyle){.font = {.size = plan->font, .weight = 600},
                                  .color = plan->theme->accent,
                                  .anchor = FIGURE_END,
                                  .max_width = plan->x_keys - plan->x_label - plan->font * 0.5},
                &mark);
    draw_strip(plan, plan->x_keys, y, -1, false);
    char low[32], high[32], product_low[32], product_high[32];
    const char *text = arena_printf(
        plan->arena, "q and k: %s..%s \xc2\xb7 products: %s..%s", chart_number(-plan->most, 2, low),
        chart_number(plan->most, 2, high), chart_number(-plan->most_product, 2, product_low),
        chart_number(plan->most_product, 2, product_high));
    ChartOptions legend = {.colormap = COLORMAP_DIVERGING};
    double w = fmin(plan->strip_w, 120);
    ChartRange range = {CHART_SCALE_RANGE, -plan->most, plan->most, true};
    chart_legend(plan->figure, plan->x_products, y - plan->strip_h / 2, w, &legend, &range);
    figure_text(plan->figure, plan->x_products + w + size, y + size * 0.2, str(text),
                (FigureTextStyle){.font = {.size = size},
                                  .color = plan->theme->soft,
                                  .max_width = fmax(plan->right - plan->x_products - w - size, 8)},
                NULL);
    return y + plan->pitch / 2 + size * 1.4;
}

static bool check(const Neuron *neuron, Error *error) {
    int64_t n = neuron->tokens.n;
    if (neuron->query.rank != 1 || neuron->keys.rank != 2 || neuron->keys.shape[0] != n ||
        neuron->keys.shape[1] != neuron->query.shape[0] || neuron->weights.rank != 1 ||
        neuron->weights.shape[0] != n)
        return error_set(error, ERROR_INPUT,
                         "query [d_head], keys [%lld, d_head] and weights [%lld] expected",
                         (long long)n, (long long)n);
    return true;
}

bool neuron_draw(Figure *figure, const Neuron *neuron, const ChartOptions *options, Error *error) {
    if (!check(neuron, error)) return false;
    const Theme *theme = figure_theme(figure);
    Plan plan = {.figure = figure,
                 .theme = theme,
                 .neuron = neuron,
                 .options = options,
                 .arena = figure_arena(figure),
                 .n_dims = (int)neuron->query.shape[0]};
    plan.keys = chart_labels(figure, &neuron->tokens, options);
    find_scales(&plan);
    colormap_fill(COLORMAP_DIVERGING, theme, plan.palette);
    double unit = theme->type_body / 13;
    const char *subtitle =
        chart_subtitle(plan.arena, options,
                       arena_printf(plan.arena, "%s: \xe2\x80\x9c%.*s\xe2\x80\x9d",
                                    neuron->query_title ? neuron->query_title : "query",
                                    (int)neuron->query_token.n,
                                    neuron->query_token.data ? neuron->query_token.data : ""),
                       neuron->tokens.title ? neuron->tokens.title : "key: one a line",
                       arena_printf(plan.arena, "%d dimensions", plan.n_dims));
    ChartArea area = chart_begin(figure, options, subtitle, 900 * unit);
    int n = plan.keys.n > 0 ? plan.keys.n : 1;
    double natural = (n <= 30 ? 24 : n <= 60 ? 18 : 13) * unit;
    plan.pitch = area.h > 0 ? fmin(natural, fmax((area.h - 100 * unit) / n, 3)) : natural;
    plan.font = fmin(fmax(plan.pitch * 0.62, theme->type_token_min), theme->type_body);
    plan.step = (int)ceil(plan.font * 1.15 / plan.pitch);
    plan.strip_h = plan.pitch * (plan.pitch > 10 ? 0.68 : 0.9);
    lay_columns(&plan, &area);
    double y = draw_query(&plan, area.y);
    y = draw_heads(&plan, y);
    double middle = plan.x_sum + plan.sum_w / 2, bottom = y + plan.pitch * plan.keys.n;
    figure_line(figure, middle, y, middle, bottom,
                (FigurePaint){.stroke = theme->line, .width = theme->line_thin}, NULL);
    for (int i = 0; i < plan.keys.n; i++)
        draw_key(&plan, i, y + (i + 0.5) * plan.pitch);
    chart_end(figure, options, &area, bottom);
    return true;
}
