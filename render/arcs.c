#include "render/arcs.h"

#include <math.h>
#include <stdlib.h>

#include "render/heads.h"
#include "render/strokes.h"

typedef struct Plan {
    Figure *figure;
    const Theme *theme;
    const Arcs *arcs;
    const ChartOptions *options;
    Arena *arena;
    ChartLabels labels;
    ChartRange range;
    StrokeChoice choice;
    bool named; /* few enough arcs for each to have an id and a title */
    TextStyle font;
    double *x; // [n] middle of each token
    double gap, width;
    double line_h;       /* room of the tokens between the two fans */
    double above, below; /* height of the fans */
    double middle;       /* y of the line of tokens */
    bool turned;
    int step;
} Plan;

static double natural_width(const Plan *plan) {
    double width = 0;
    for (int i = 0; i < plan->labels.n; i++)
        width +=
            text_width(figure_fonts(plan->figure), plan->labels.text[i], plan->font) + plan->gap;
    return width;
}

/* Wide enough for every label, upright, of a few hundred words. */
static double widest(const Plan *plan) {
    double upright = plan->labels.n * plan->theme->type_token_min * 1.2;
    return fmin(fmax(upright, 1400 * plan->theme->type_body / 13), 4000);
}

static void lay_tokens(Plan *plan, double x, double w) {
    double least = plan->theme->type_token_min, natural = natural_width(plan);
    while (natural > w && plan->font.size > least + 1.5) {
        plan->font.size -= 1;
        plan->gap = fmax(plan->gap - 1, least * 0.8);
        natural = natural_width(plan);
    }
    int n = plan->labels.n;
    plan->turned = natural > w;
    plan->step = 1;
    double pitch = n ? w / n : w, used = plan->turned ? 0 : (w - natural) / 2;
    plan->x = arena_alloc(plan->arena, ((size_t)n + 1) * sizeof *plan->x);
    for (int i = 0; i < n; i++) {
        double extent = plan->turned ? pitch
                                     : text_width(figure_fonts(plan->figure), plan->labels.text[i],
                                                  plan->font) +
                                           plan->gap;
        double at = used + extent / 2;
        plan->x[i] = plan->labels.rtl ? x + w - at : x + at;
        used += extent;
    }
    plan->line_h = plan->font.size * 2.2;
    if (!plan->turned) return;
    plan->step = (int)ceil(plan->font.size * 1.15 / pitch);
    plan->line_h =
        fmin(chart_labels_width(plan->figure, &plan->labels, plan->font), 110) + plan->font.size;
    if (plan->step > 1) figure_wants_width(plan->figure, 2 * x + n * least * 1.15);
}

/* Arcs are half ellipses, flatter the farther they reach. */
static double arc_height(double reach) {
    return 10 + 0.5 * reach / (1 + reach / 900);
}

static void measure_fans(Plan *plan, const Stroke *strokes, int n) {
    for (int i = 0; i < n; i++) {
        double reach = fabs(plan->x[strokes[i].query] - plan->x[strokes[i].key]);
        double *fan = strokes[i].key <= strokes[i].query ? &plan->above : &plan->below;
        *fan = fmax(*fan, arc_height(reach));
    }
    double pad = plan->theme->line_max / 2;
    if (plan->above > 0) plan->above += pad;
    if (plan->below > 0) plan->below += pad;
}

static void draw_arc(const Plan *plan, const Stroke *s, double squeeze) {
    double from = plan->x[s->query], to = plan->x[s->key];
    bool up = s->key <= s->query;
    double edge = plan->middle + (up ? -plan->line_h / 2 : plan->line_h / 2);
    Color hue = theme_hue(plan->theme, s->head, plan->arcs->n_heads);
    FigurePaint paint = {.stroke = color_alpha(hue, theme_line_opacity(plan->theme, hue, s->place)),
                         .width = theme_line_width(plan->theme, s->place) * 0.75,
                         .cap = FIGURE_CAP_ROUND};
    paint.width =
        fmax(paint.width, s->place >= 0.2 ? 1.2 * plan->theme->line_thin : plan->theme->line_min);
    FigureMark mark = strokes_mark(plan->arena, &plan->choice, s, plan->named);
    if (s->key == s->query) {
        double r = fmin(plan->font.size * 0.42, 7);
        figure_rect(plan->figure, (FigureBox){from - r, edge - 2 * r, 2 * r, 2 * r}, r, paint,
                    &mark);
        return;
    }
    double h = arc_height(fabs(to - from)) * squeeze * (up ? -1 : 1) * 4 / 3;
    figure_path_move(plan->figure, from, edge);
    figure_path_curve(plan->figure, from, edge + h, to, edge + h, to, edge);
    figure_path_end(plan->figure, paint, &mark);
}

static void draw_tokens(const Plan *plan) {
    FigureTextStyle style = {.font = plan->font,
                             .anchor = FIGURE_MIDDLE,
                             .angle = plan->turned ? 90 : 0,
                             .max_width = plan->turned ? plan->line_h - plan->font.size * 0.5 : 0};
    for (int i = 0; i < plan->labels.n; i += plan->step) {
        int index = plan->labels.index[i];
        /* The token is the query of its arcs; with a key in focus it is that key. */
        FigureMark mark = {.pick = {-1, index, -1},
                           .role = FIGURE_LABEL,
                           .id = arena_printf(plan->arena, "q%d", index)};
        style.color = plan->labels.special[i] ? plan->theme->soft : plan->theme->ink;
        double shift = plan->font.size * 0.36;
        if (plan->turned)
            figure_text(plan->figure, plan->x[i] + shift, plan->middle, plan->labels.text[i], style,
                        &mark);
        else
            figure_text(plan->figure, plan->x[i], plan->middle + shift, plan->labels.text[i], style,
                        &mark);
    }
}

static const char *subtitle_of(const Plan *plan) {
    const char *title = plan->arcs->tokens.title;
    const char *what = arena_printf(plan->arena, "%s: an arc leads from it to what it attends to",
                                    title ? title : "query");
    return chart_subtitle(plan->arena, plan->options, what,
                          plan->labels.rtl
                              ? "key: above to earlier tokens (right), below to later (left)"
                              : "key: above to earlier tokens (left), below to later (right)",
                          chart_range_text(plan->arena, &plan->range));
}

bool arcs_draw(Figure *figure, const Arcs *arcs, const ChartOptions *options, Error *error) {
    if (!chart_check(arcs->heads, arcs->n_heads, &arcs->tokens, &arcs->tokens, error)) return false;
    const Theme *theme = figure_theme(figure);
    Plan plan = {.figure = figure,
                 .theme = theme,
                 .arcs = arcs,
                 .options = options,
                 .arena = figure_arena(figure),
                 .font = {.size = theme->type_title, .weight = 500},
                 .gap = theme->type_body * 1.6};
    plan.labels = chart_labels(figure, &arcs->tokens, options);
    plan.range = chart_range(arcs->heads, arcs->n_heads, options);
    double unit = theme->type_body / 13;
    ChartArea area = chart_begin(figure, options, subtitle_of(&plan),
                                 fmin(fmax(natural_width(&plan), 420 * unit), widest(&plan)));
    lay_tokens(&plan, area.x, area.w);
    plan.choice = (StrokeChoice){.n_heads = arcs->n_heads,
                                 .heads = arcs->heads,
                                 .queries = &plan.labels,
                                 .keys = &plan.labels,
                                 .range = &plan.range,
                                 .least = options->least > 0 ? options->least : 0.01,
                                 .only = arcs->only,
                                 .n_only = arcs->n_only,
                                 .top = arcs->top};
    int n;
    Stroke *strokes = strokes_choose(&plan.choice, &n);
    plan.named = n <= 4000;
    measure_fans(&plan, strokes, n);
    double legend = arcs->n_heads > 1 ? 3 * theme->type_body : 0;
    double room = area.h > 0 ? area.h - plan.line_h - legend : plan.above + plan.below;
    double squeeze = fmin(1, fmax(room, 40) / fmax(plan.above + plan.below, 1));
    double spare = area.h > 0 ? fmax(room - plan.above - plan.below, 0) / 2 : 0;
    plan.middle = area.y + spare + plan.above * squeeze + plan.line_h / 2;
    for (int i = 0; i < n; i++)
        draw_arc(&plan, &strokes[i], squeeze);
    free(strokes);
    draw_tokens(&plan);
    double bottom = plan.middle + plan.line_h / 2 + plan.below * squeeze;
    if (plan.labels.n == 0) bottom = chart_empty(figure, area.x, area.y, arcs->tokens.n > 0);
    if (arcs->n_heads > 1)
        bottom = heads_legend(figure, area.x, bottom + theme->type_body, area.w, arcs->heads,
                              arcs->n_heads);
    chart_end(figure, options, &area, bottom);
    return true;
}
