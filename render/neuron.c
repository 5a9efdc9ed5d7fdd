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
    bool scored, barred; /* there is room for the scores, and for bars of the weights */
    double number_w;     /* of a weight as a number */
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
        box.w = plan->right - box.x;
        figure_rect(plan->figure, box, 0,
                    (FigurePaint){.fill = theme_hatch(plan->theme), .hatch = true, .width = 0.7},
                    &mark);
        return;
    }
    box.w *= fmin(fmax(weight, 0), 1);
    if (plan->barred)
        figure_rect(plan->figure, box, fmin(plan->strip_h * 0.12, box.w / 2),
                    (FigurePaint){.fill = plan->theme->accent}, &mark);
    if (plan->step > 1) return;
    double gap = plan->barred ? plan->font * 0.5 : 0;
    put(plan, box.x + box.w + gap, y, str(short_number(plan, weight)), FIGURE_START,
        plan->theme->ink, plan->barred ? NULL : &mark);
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
    if (!plan->scored) return;
    bool masked = isnan(weight_at(plan, key));
    put(plan, plan->x_score + plan->font * 3, y,
        str(masked ? "masked" : short_number(plan, score_of(plan, key))), FIGURE_END,
        masked ? plan->theme->soft : plan->theme->ink, NULL);
}

/* The columns; false where the strips get too thin to be read. */
static bool lay_out(Plan *plan, const ChartArea *area) {
    double unit = plan->theme->type_body / 13, gap = fmin(20 * unit, area->w * 0.022);
    Text *text = figure_fonts(plan->figure);
    TextStyle font = {.size = plan->font}, bold = {.size = plan->font, .weight = 600};
    double label = fmax(chart_labels_width(plan->figure, &plan->keys, font),
                        text_width(text, plan->neuron->query_token, bold));
    label = fmin(label + 1, area->w * 0.2);
    double score = plan->scored ? plan->font * 3.4 + gap : 0;
    plan->number_w =
        text_width(text, str("0.00"), (TextStyle){.size = plan->font, .tabular = true});
    double number = plan->number_w + plan->font * (plan->barred ? 0.6 : 0.1);
    if (!plan->barred) {
        TextStyle head = {.size = plan->theme->type_small, .weight = 500};
        number = fmax(number, text_width(text, str("weight"), head) + 1);
    }
    double rest = area->w - label - plan->font - 3 * gap - score - number;
    plan->x_label = area->x;
    plan->right = area->x + area->w;
    plan->x_keys = area->x + label + plan->font;
    plan->strip_w = rest * (plan->barred ? 0.36 : 0.38);
    plan->x_products = plan->x_keys + plan->strip_w + gap;
    plan->x_sum = plan->x_products + plan->strip_w + gap;
    plan->sum_w = rest * (plan->barred ? 0.14 : 0.24);
    plan->x_score = plan->x_sum + plan->sum_w + gap * 0.5;
    plan->x_weight = plan->x_sum + plan->sum_w + gap + score;
    plan->weight_w = plan->barred ? area->x + area->w - plan->x_weight - number : 0;
    return plan->strip_w >= plan->font * 5 && plan->sum_w >= plan->font * 2 &&
           (!plan->barred || plan->weight_w >= plan->font * 3);
}

/* On a narrow page the scores go first, then the bars of the weights, then the type is smaller. */
static void lay_columns(Plan *plan, const ChartArea *area) {
    for (int left_out = 0; left_out < 4; left_out++) {
        plan->scored = left_out < 1;
        plan->barred = left_out < 2;
        if (left_out == 3) plan->font = fmin(plan->font, plan->theme->type_token_min);
        if (lay_out(plan, area)) return;
    }
    plan->strip_w = fmax(plan->strip_w, 1);
    plan->sum_w = fmax(plan->sum_w, 1);
}

/* The first of the words that fits. */
static void put_head(const Plan *plan, double x, double y, double room, FigureAnchor anchor,
                     const char *const words[3]) {
    FigureTextStyle style = {.font = {.size = plan->theme->type_small, .weight = 500},
                             .color = plan->theme->soft,
                             .anchor = anchor};
    for (int i = 0; i < 3 && words[i]; i++) {
        if (text_width(figure_fonts(plan->figure), str(words[i]), style.font) > room) continue;
        figure_text(plan->figure, x, y, str(words[i]), style, NULL);
        return;
    }
}

static double draw_heads(const Plan *plan, double y) {
    double size = plan->theme->type_small;
    double middle = plan->x_sum + plan->sum_w / 2, end = plan->x_products + plan->strip_w;
    y += size;
    put_head(plan, plan->x_keys, y, plan->strip_w, FIGURE_START,
             (const char *const[3]){"k: each key", "k"});
    put_head(plan, plan->x_products, y, plan->strip_w, FIGURE_START,
             (const char *const[3]){"q ⊙ k: product, dimension by dimension", "q ⊙ k: product",
                                    "q ⊙ k"});
    double sum_end = plan->scored ? plan->x_score + plan->font : plan->x_weight;
    put_head(plan, middle, y, 2 * fmin(middle - end, sum_end - middle) - size * 0.4, FIGURE_MIDDLE,
             (const char *const[3]){"sum q·k", "sum"});
    if (plan->scored)
        put_head(plan, plan->x_score + plan->font * 3, y, plan->font * 3, FIGURE_END,
                 (const char *const[3]){"score"});
    double room = plan->right - plan->x_weight;
    if (plan->barred)
        put_head(plan, plan->x_weight, y, room, FIGURE_START,
                 (const char *const[3]){"softmax", "weight", "w"});
    else
        put_head(plan, plan->right, y, room, FIGURE_END,
                 (const char *const[3]){"softmax", "weight", "w"});
    return y + size;
}

/* What the colours stand for: beside the query's strip, or below it where that is too narrow. */
static double draw_scales(const Plan *plan, double y) {
    double size = plan->theme->type_small;
    Text *text = figure_fonts(plan->figure);
    char low[32], high[32];
    const char *most = chart_number(plan->most, 2, high),
               *least = chart_number(-plan->most, 2, low);
    const char *first = arena_printf(plan->arena, "q and k: %s..%s", least, most);
    least = chart_number(-plan->most_product, 2, low);
    most = chart_number(plan->most_product, 2, high);
    const char *second = arena_printf(plan->arena, "products: %s..%s", least, most);
    Str both = str(arena_printf(plan->arena, "%s \xc2\xb7 %s", first, second));
    FigureTextStyle style = {.font = {.size = size}, .color = plan->theme->soft};
    double one =
        fmax(text_width(text, str(first), style.font), text_width(text, str(second), style.font));
    double w = fmin(plan->strip_w, 120), x = plan->x_products;
    double bottom = y + plan->pitch / 2 + size * 1.4;
    if (x + w + size + one > plan->right) {
        x = plan->x_keys;
        y = bottom;
        w = fmin(120, (plan->right - x) * 0.4);
        bottom = y + size * 3.6;
        if (x + w + size + one > plan->right) { /* then without the bar */
            x = plan->x_label;
            w = -size;
        }
    }
    ChartOptions legend = {.colormap = COLORMAP_DIVERGING};
    ChartRange range = {CHART_SCALE_RANGE, -plan->most, plan->most, true};
    if (w > 0) chart_legend(plan->figure, x, y - plan->strip_h / 2, w, &legend, &range);
    x += w + size;
    style.max_width = fmax(plan->right - x, 8);
    if (text_width(text, both, style.font) <= style.max_width) {
        figure_text(plan->figure, x, y + size * 0.2, both, style, NULL);
        return bottom;
    }
    figure_text(plan->figure, x, y + size * 0.2, str(first), style, NULL);
    figure_text(plan->figure, x, y + size * 1.6, str(second), style, NULL);
    return fmax(bottom, y + size * 2.6);
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
    return draw_scales(plan, y);
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
