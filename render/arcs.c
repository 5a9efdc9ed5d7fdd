#include "render/arcs.h"

#include <math.h>
#include <stdlib.h>

#include "render/heads.h"
#include "render/strokes.h"

enum { LINE_TOKENS = 60, FEW_ARCS = 150 };

/* A long sentence goes on in further lines. */
typedef struct Line {
    ChartLabels labels;
    int from;            /* the first of them among all */
    double above, below; /* height of the fans */
    double middle;       /* y of the tokens */
} Line;

typedef struct Plan {
    Figure *figure;
    const Theme *theme;
    const Arcs *arcs;
    const ChartOptions *options;
    Arena *arena;
    ChartLabels labels;
    ChartRange range;
    StrokeChoice choice;
    bool keyed; /* what widths mean is told below */
    bool named; /* few enough arcs for each to have an id and a title */
    TextStyle font;
    Line *lines; // [n_lines]
    int n_lines, line_tokens;
    double *x; // [n] middle of each token
    double gap;
    double stub;   /* how far one reaches */
    double line_h; /* room of the tokens between the two fans */
    bool turned;
    int step;
} Plan;

static const Line *line_of(const Plan *plan, int token) {
    return &plan->lines[token / plan->line_tokens];
}

/* As many lines as it takes for every label to be read, upright if need be; one where the height is
 * given, for then all must go into it. */
static void break_lines(Plan *plan) {
    const ChartOptions *options = plan->options;
    int n = plan->labels.n, most = n > 1 ? n : 1;
    if (options->height <= 0) {
        double fit = 0.9 * options->width / (plan->theme->type_token_min * 1.2);
        most = options->width > 0 ? (int)fmin(fmax(fit, 8), LINE_TOKENS) : LINE_TOKENS;
    }
    plan->line_tokens = chart_block_size(n, most);
    plan->lines = arena_calloc(plan->arena, (size_t)n + 1, sizeof *plan->lines);
    for (int from = 0; from < n; from += plan->line_tokens) {
        int end = from + plan->line_tokens < n ? from + plan->line_tokens : n;
        plan->lines[plan->n_lines++] =
            (Line){.labels = chart_labels_part(&plan->labels, from, end), .from = from};
    }
}

static double label_extent(const Plan *plan, int token) {
    return text_width(figure_fonts(plan->figure), plan->labels.text[token], plan->font) + plan->gap;
}

static double line_width(const Plan *plan, const Line *line) {
    double width = 0;
    for (int i = 0; i < line->labels.n; i++)
        width += label_extent(plan, line->from + i);
    return width;
}

static double natural_width(const Plan *plan) {
    double width = 0;
    for (int i = 0; i < plan->n_lines; i++)
        width = fmax(width, line_width(plan, &plan->lines[i]));
    return width;
}

/* Wide enough for every label, upright, of a few hundred words. */
static double widest(const Plan *plan) {
    double upright = plan->line_tokens * plan->theme->type_token_min * 1.2;
    return fmin(fmax(upright, 1400 * plan->theme->type_body / 13), 4000);
}

static void lay_tokens(Plan *plan, double x, double w) {
    double least = plan->theme->type_token_min, natural = natural_width(plan);
    while (natural > w && plan->font.size > least + 1.5) {
        plan->font.size -= 1;
        plan->gap = fmax(plan->gap - 1, least * 0.8);
        natural = natural_width(plan);
    }
    double pitch = w / plan->line_tokens;
    plan->turned = natural > w;
    plan->step = 1;
    plan->stub = fmin(11 * plan->theme->type_body / 13, fmax(0.7 * pitch, 3));
    if (plan->turned) plan->font.size = fmin(fmax(pitch * 0.8, least), plan->theme->type_body);
    plan->x = arena_alloc(plan->arena, ((size_t)plan->labels.n + 1) * sizeof *plan->x);
    for (int l = 0; l < plan->n_lines; l++) {
        const Line *line = &plan->lines[l];
        double used = plan->turned || plan->n_lines > 1 ? 0 : (w - natural) / 2;
        for (int i = line->from; i < line->from + line->labels.n; i++) {
            double extent = plan->turned ? pitch : label_extent(plan, i);
            double at = used + extent / 2;
            plan->x[i] = plan->labels.rtl ? x + w - at : x + at;
            used += extent;
        }
    }
    plan->line_h = plan->font.size * 2.2;
    if (!plan->turned) return;
    plan->step = (int)ceil(plan->font.size * 1.15 / pitch);
    plan->line_h =
        fmin(chart_labels_width(plan->figure, &plan->labels, plan->font), 110) + plan->font.size;
    if (plan->step > 1) figure_wants_width(plan->figure, 2 * x + plan->line_tokens * least * 1.15);
}

/* Arcs are half ellipses, flatter the farther they reach. */
static double arc_height(double reach) {
    return 10 + 0.5 * reach / (1 + reach / 900);
}

/* Stubs of several heads lie in each other like the arcs that they begin. */
static double stub_reach(const Plan *plan, int head) {
    int n = plan->arcs->n_heads;
    return plan->stub * (1 + (n > 1 ? head * fmin(0.4, 3.0 / (n - 1)) : 0));
}

static void measure_fans(Plan *plan, const Stroke *strokes, int n) {
    double stub = stub_reach(plan, plan->arcs->n_heads - 1), pad = plan->theme->line_max / 2;
    for (int i = 0; i < n; i++) {
        const Stroke *s = &strokes[i];
        Line *line = (Line *)line_of(plan, s->query);
        bool same = line == line_of(plan, s->key);
        double h = same ? arc_height(fabs(plan->x[s->query] - plan->x[s->key])) : stub;
        double *fan = s->key <= s->query ? &line->above : &line->below;
        *fan = fmax(*fan, h + pad);
    }
    for (int l = 0; l < plan->n_lines && plan->n_lines > 1; l++) {
        plan->lines[l].above = fmax(plan->lines[l].above, stub);
        plan->lines[l].below = fmax(plan->lines[l].below, stub);
    }
}

static FigurePaint paint_of(const Plan *plan, int head, double place) {
    Color hue = theme_hue(plan->theme, head, plan->arcs->n_heads);
    FigurePaint paint = {.stroke = color_alpha(hue, theme_line_opacity(plan->theme, hue, place)),
                         .width = theme_line_width(plan->theme, place) * 0.75,
                         .cap = FIGURE_CAP_ROUND};
    double least = place >= 0.2 ? 1.2 * plan->theme->line_thin : plan->theme->line_min;
    paint.width = fmax(paint.width, least);
    return paint;
}

static double draw_key(const Plan *plan, const ChartArea *area, double bottom) {
    double widths[STROKES_KEY];
    for (int i = 0; i < STROKES_KEY; i++)
        widths[i] = paint_of(plan, 0, strokes_key_places[i]).width;
    StrokesKey key = {.range = &plan->range, .n_heads = plan->arcs->n_heads, .widths = widths};
    return strokes_key(plan->figure, area, bottom + 1.2 * plan->theme->type_body, &key);
}

static double edge_of(const Plan *plan, int token, bool up) {
    return line_of(plan, token)->middle + (up ? -plan->line_h / 2 : plan->line_h / 2);
}

static void draw_arc(const Plan *plan, const Stroke *s, double squeeze) {
    double from = plan->x[s->query], to = plan->x[s->key];
    bool up = s->key <= s->query;
    double edge = edge_of(plan, s->query, up);
    FigurePaint paint = paint_of(plan, s->head, s->place);
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

/* The beginning of an arc that goes on in another line, above or below, or the end of one. */
typedef struct Stub {
    int head, token;
    bool up, back; /* back: to where the earlier tokens are */
    double place;
} Stub;

static void draw_stub(const Plan *plan, Stub stub, const FigureMark *mark) {
    double reach = stub_reach(plan, stub.head), x = plan->x[stub.token];
    double edge = edge_of(plan, stub.token, stub.up), top = edge + (stub.up ? -reach : reach);
    double lean = stub.back == plan->labels.rtl ? reach : -reach;
    FigurePaint paint = paint_of(plan, stub.head, fmin(stub.place, 1));
    paint.cap = FIGURE_CAP_BUTT;
    figure_path_move(plan->figure, x, edge);
    figure_path_curve(plan->figure, x, (edge + top) / 2, x + lean / 2, top, x + lean, top);
    figure_path_end(plan->figure, paint, mark);
}

/* What a token sends to all lines before its own, or after. */
static void draw_departure(const Plan *plan, const Stroke *sum, bool before) {
    const ChartMatrix *matrix = &plan->arcs->heads[sum->head];
    int query = plan->labels.index[sum->query];
    char number[32];
    FigureMark mark = {.pick = {sum->head, query, -1},
                       .role = FIGURE_DIMS,
                       .weight = sum->weight,
                       .has_weight = true};
    if (plan->named) {
        Str name = text_isolated(plan->arena, plan->labels.text[sum->query]);
        mark.id = arena_printf(plan->arena, "%s-%s", chart_id(plan->arena, matrix, query, -1),
                               before ? "before" : "after");
        mark.title = arena_printf(plan->arena, "%s%s%.*s \xe2\x86\x92 lines %s: %s",
                                  matrix->name ? matrix->name : "", matrix->name ? ": " : "",
                                  (int)name.n, name.data, before ? "before" : "after",
                                  number_text(sum->weight, 4, number));
    }
    draw_stub(plan, (Stub){sum->head, sum->query, before, before, sum->place}, &mark);
}

static void draw_departures(const Plan *plan, const Stroke *strokes, int n) {
    int n_tokens = plan->labels.n, n_heads = plan->arcs->n_heads;
    size_t room = (size_t)n_tokens * (size_t)n_heads + 1;
    for (int before = 0; before < 2; before++) {
        Stroke *sums = arena_calloc(plan->arena, room, sizeof *sums);
        for (int i = 0; i < n; i++) {
            const Stroke *s = &strokes[i];
            if (line_of(plan, s->query) == line_of(plan, s->key)) continue;
            if ((s->key < s->query) != before) continue;
            Stroke *sum = &sums[s->head * n_tokens + s->query];
            *sum = (Stroke){s->head, s->query, -1, sum->weight + s->weight, sum->place + s->place};
        }
        for (int i = 0; i < n_tokens * n_heads; i++)
            if (sums[i].place > 0) draw_departure(plan, &sums[i], before);
    }
}

/* Of few arcs also the ends are drawn, where they come in from another line. */
static void draw_arrival(const Plan *plan, const Stroke *s) {
    bool up = s->key < s->query;
    FigureMark mark = strokes_mark(plan->arena, &plan->choice, s, plan->named);
    draw_stub(plan, (Stub){s->head, s->key, up, !up, s->place}, &mark);
}

static void draw_tokens(const Plan *plan, const Line *line) {
    FigureTextStyle style = {.font = plan->font,
                             .anchor = FIGURE_MIDDLE,
                             .angle = plan->turned ? 90 : 0,
                             .max_width = plan->turned ? plan->line_h - plan->font.size * 0.5 : 0};
    for (int i = 0; i < line->labels.n; i += plan->step) {
        int index = line->labels.index[i];
        /* The token is the query of its arcs; with a key in focus it is that key. */
        FigureMark mark = {.pick = {-1, index, -1},
                           .role = FIGURE_LABEL,
                           .id = arena_printf(plan->arena, "q%d", index)};
        style.color = line->labels.special[i] ? plan->theme->soft : plan->theme->ink;
        double shift = plan->font.size * 0.36, x = plan->x[line->from + i], y = line->middle;
        figure_text(plan->figure, x + (plan->turned ? shift : 0), y + (plan->turned ? 0 : shift),
                    line->labels.text[i], style, &mark);
    }
}

/* Does any token see a later one? Where none does there are no arcs below to speak of. */
static bool looks_ahead(const Arcs *arcs) {
    for (int h = 0; h < arcs->n_heads; h++)
        for (int q = 0; q < arcs->tokens.n; q++)
            for (int k = q + 1; k < arcs->tokens.n; k++)
                if (chart_weight(&arcs->heads[h], q, k) > 0 || chart_is_cut(&arcs->heads[h], q, k))
                    return true;
    return false;
}

static const char *subtitle_of(const Plan *plan) {
    const char *title = plan->arcs->tokens.title;
    const char *what = arena_printf(plan->arena, "%s: an arc leads from it to what it attends to",
                                    title ? title : "query");
    bool rtl = plan->labels.rtl, both = looks_ahead(plan->arcs);
    const char *keys =
        arena_printf(plan->arena, "key: above to earlier tokens (%s)%s", rtl ? "right" : "left",
                     !both ? ""
                     : rtl ? ", below to later (left)"
                           : ", below to later (right)");
    return chart_subtitle(plan->arena, plan->options, what, keys,
                          chart_range_text(plan->arena, &plan->range));
}

/* Places the lines below each other and draws them; returns the lowest point used. */
static double draw_lines(Plan *plan, const ChartArea *area, const Stroke *strokes, int n) {
    double unit = plan->theme->type_body / 13, legend = plan->arcs->n_heads > 1 ? 39 * unit : 0;
    if (plan->keyed) legend += strokes_key_height(plan->theme);
    double tallest = 1, squeeze = 1, spare = 0;
    measure_fans(plan, strokes, n);
    for (int l = 0; l < plan->n_lines; l++)
        tallest = fmax(tallest, plan->lines[l].above + plan->lines[l].below);
    if (area->h > 0) {
        double room = area->h - plan->line_h - legend;
        squeeze = fmin(1, fmax(room, 40) / tallest);
        spare = fmax(room - tallest, 0) / 2;
    } else if (plan->n_lines > 1) {
        squeeze = fmin(1, 340 * unit / tallest);
    }
    double y = area->y + spare;
    for (int l = 0; l < plan->n_lines; l++) {
        Line *line = &plan->lines[l];
        line->middle = y + line->above * squeeze + plan->line_h / 2;
        y = line->middle + plan->line_h / 2 + line->below * squeeze + 18 * unit;
    }
    if (plan->n_lines > 1) draw_departures(plan, strokes, n);
    for (int i = 0; i < n; i++)
        if (line_of(plan, strokes[i].query) == line_of(plan, strokes[i].key))
            draw_arc(plan, &strokes[i], squeeze);
        else if (n <= FEW_ARCS)
            draw_arrival(plan, &strokes[i]);
    for (int l = 0; l < plan->n_lines; l++)
        draw_tokens(plan, &plan->lines[l]);
    return y - 18 * unit;
}

/* What the lines are and how much goes from one to another, beside the notes there are. */
static const char *notes_of(const Plan *plan, const Stroke *strokes, int n) {
    const char *notes = plan->options->notes;
    if (plan->n_lines < 2) return notes;
    double away = 0, all = strokes_all_weight(&plan->choice);
    for (int i = 0; i < n; i++)
        if (line_of(plan, strokes[i].query) != line_of(plan, strokes[i].key))
            away += fabs(strokes[i].weight);
    return arena_printf(plan->arena,
                        "%s%s%d tokens a line; stubs lead to other lines: %.1f %% of the "
                        "weight",
                        notes ? notes : "", notes ? " \xc2\xb7 " : "", plan->line_tokens,
                        all > 0 ? 100 * away / all : 0);
}

bool arcs_draw(Figure *figure, const Arcs *arcs, const ChartOptions *given, Error *error) {
    if (!chart_check(arcs->heads, arcs->n_heads, &arcs->tokens, &arcs->tokens, error)) return false;
    const Theme *theme = figure_theme(figure);
    ChartOptions options = *given;
    Plan plan = {.figure = figure,
                 .theme = theme,
                 .arcs = arcs,
                 .options = &options,
                 .arena = figure_arena(figure),
                 .font = {.size = theme->type_title, .weight = 500},
                 .gap = theme->type_body * 1.6};
    plan.labels = chart_labels(figure, &arcs->tokens, &options);
    plan.range = chart_range(arcs->heads, arcs->n_heads, &options);
    plan.choice = (StrokeChoice){.n_heads = arcs->n_heads,
                                 .heads = arcs->heads,
                                 .queries = &plan.labels,
                                 .keys = &plan.labels,
                                 .range = &plan.range,
                                 .least = options.least > 0 ? options.least : 0.01,
                                 .only = arcs->only,
                                 .n_only = arcs->n_only,
                                 .top = arcs->top};
    int n;
    Stroke *strokes = strokes_choose(&plan.choice, &n);
    plan.named = n <= 4000;
    break_lines(&plan);
    options.notes = notes_of(&plan, strokes, n);
    double unit = theme->type_body / 13;
    ChartArea area = chart_begin(figure, &options, subtitle_of(&plan),
                                 fmin(fmax(natural_width(&plan), 420 * unit), widest(&plan)));
    plan.keyed = strokes_key_fits(theme, &options, area.h);
    lay_tokens(&plan, area.x, area.w);
    double bottom = draw_lines(&plan, &area, strokes, n);
    free(strokes);
    if (plan.labels.n == 0)
        bottom = chart_empty(figure, area.x, area.y, arcs->tokens.n > 0);
    else if (plan.keyed)
        bottom = draw_key(&plan, &area, bottom);
    if (arcs->n_heads > 1)
        bottom = heads_legend(figure, area.x, bottom + theme->type_body, area.w, arcs->heads,
                              arcs->n_heads);
    chart_end(figure, &options, &area, bottom);
    return true;
}
