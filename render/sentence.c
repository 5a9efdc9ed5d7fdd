#include "render/sentence.h"

#include <math.h>

#include "render/strokes.h"

typedef struct Plan {
    Figure *figure;
    const Theme *theme;
    const Sentence *sentence;
    const ChartOptions *options;
    Arena *arena;
    ChartRange range;
    Color palette[256];
    TextStyle font;
    double pad, space, pitch; /* around a token, between words, from line to line */
} Plan;

typedef struct Chip {
    double x, y, w; /* y: of the line's middle */
} Chip;

/* Tokens as running text from `y` on; right-to-left text starts at the right. Returns the height.
 */
static double lay_out(const Plan *plan, const ChartAxis *axis, const ChartLabels *labels, double x,
                      double y, double width, Chip *chips) {
    double at = 0, top = y;
    bool numbers = plan->sentence->numbers && axis == &plan->sentence->keys;
    double least = text_width(figure_fonts(plan->figure), str("0.000"),
                              (TextStyle){.size = plan->theme->type_small, .tabular = true});
    double pitch = numbers ? plan->pitch : plan->theme->type_title * 2;
    int first = 0; /* of the word that stands open: words are not torn apart */
    for (int i = 0; i < labels->n; i++) {
        bool continues = i > 0 && axis->tokens[labels->index[i]].continues;
        if (!continues) first = i;
        double w =
            text_width(figure_fonts(plan->figure), labels->text[i], plan->font) + 2 * plan->pad;
        if (numbers) w = fmax(w, least);
        w = fmin(w, width);
        if (i > 0) at += continues ? 1 : plan->space;
        if (at > 0 && at + w > width) {
            double back = continues && first > 0 && chips[first].x > 0 ? chips[first].x : at;
            y += pitch;
            for (int k = first; back < at && k < i; k++)
                chips[k].x -= back, chips[k].y = y;
            at = back < at ? at - back : 0;
            if (at + w > width) at = 0, y += pitch;
        }
        chips[i] = (Chip){at, y, w};
        at += w;
    }
    for (int i = 0; i < labels->n; i++)
        chips[i].x = labels->rtl ? x + width - chips[i].x - chips[i].w : x + chips[i].x;
    return y - top + pitch;
}

static void draw_token(const Plan *plan, const ChartLabels *labels, int i, Chip chip, Color color,
                       FigureMark mark) {
    FigureTextStyle style = {.font = plan->font,
                             .color = color,
                             .anchor = FIGURE_MIDDLE,
                             .max_width = chip.w - 2 * plan->pad + 0.5};
    figure_text(plan->figure, chip.x + chip.w / 2, chip.y + plan->font.size * 0.36, labels->text[i],
                style, &mark);
}

static double outline_width(const Theme *theme, double place) {
    return fmax(theme->line_min, 8 * place);
}

/* Fill by weight; on the projector an outline whose width tells it. */
static FigurePaint shade(const Plan *plan, double place, bool cut, Color *ink) {
    *ink = plan->theme->ink;
    if (isnan(place) && cut) return (FigurePaint){0};
    if (isnan(place))
        return (FigurePaint){.fill = theme_hatch(plan->theme), .hatch = true, .width = 0.7};
    if (plan->theme->outlines)
        return (FigurePaint){.stroke = place >= 0.05 ? plan->theme->accent : COLOR_NONE,
                             .width = outline_width(plan->theme, place)};
    Color fill = plan->palette[(int)lround(place * 255)];
    *ink = theme_on(plan->theme, fill);
    return (FigurePaint){.fill = fill};
}

static void draw_chip(const Plan *plan, const ChartLabels *labels, int i, Chip chip) {
    const Sentence *sentence = plan->sentence;
    int key = labels->index[i], query = sentence->query;
    double weight = chart_weight(&sentence->matrix, query, key);
    double place =
        chart_place(&plan->range, weight, chart_reference(&plan->range, &sentence->matrix, query));
    Color ink;
    bool cut = chart_is_cut(&sentence->matrix, query, key);
    FigurePaint paint = shade(plan, place, cut, &ink);
    char number[32];
    chart_decimal(weight, 3, number);
    FigureMark mark = {.pick = {0, query, key},
                       .role = FIGURE_CELL,
                       .weight = weight,
                       .has_weight = !isnan(weight),
                       .id = chart_id(plan->arena, &sentence->matrix, query, key),
                       .title = arena_printf(plan->arena, "%.*s: %s", (int)labels->text[i].n,
                                             labels->text[i].data,
                                             cut             ? "left out"
                                             : isnan(weight) ? "masked"
                                                             : number)};
    double h = plan->font.size * 1.6;
    FigureBox box = {chip.x, chip.y - h / 2, chip.w, h};
    figure_rect(plan->figure, box, 4 * plan->theme->type_body / 13, paint, &mark);
    FigureMark label = {
        .pick = {-1, -1, key}, .role = FIGURE_STATIC, .id = arena_printf(plan->arena, "k%d", key)};
    draw_token(plan, labels, i, chip, ink, label);
    if (!sentence->numbers || isnan(weight)) return;
    double size = plan->theme->type_small;
    figure_text(plan->figure, chip.x + chip.w / 2, chip.y + h / 2 + size * 1.1, str(number),
                (FigureTextStyle){.font = {.size = size, .tabular = true},
                                  .color = plan->theme->soft,
                                  .anchor = FIGURE_MIDDLE},
                NULL);
}

/* Around the query itself, above the chips beside it. */
static void draw_outline(const Plan *plan, Chip chip) {
    double h = plan->font.size * 1.6;
    figure_rect(plan->figure, (FigureBox){chip.x - 2, chip.y - h / 2 - 2, chip.w + 4, h + 4},
                5 * plan->theme->type_body / 13,
                (FigurePaint){.stroke = plan->theme->accent, .width = 2 * plan->theme->line_thin},
                NULL);
}

static double caption(const Plan *plan, double x, double y, double w, const char *s) {
    double size = plan->theme->type_small;
    FigureTextStyle style = {.font = {.size = size, .weight = 500}, .color = plan->theme->soft};
    Str *lines;
    int n = text_wrap(figure_fonts(plan->figure), plan->arena, str(s), style.font, w, &lines);
    for (int i = 0; i < n; i++)
        figure_text(plan->figure, x, y + size * (1 + 1.4 * i), lines[i], style, NULL);
    return y + size * (0.5 + 1.4 * n);
}

static double draw_queries(const Plan *plan, const ChartLabels *labels, double x, double y,
                           double w) {
    const ChartAxis *axis = &plan->sentence->queries;
    y = caption(plan, x, y, w, axis->title ? axis->title : "query");
    Chip *chips = arena_alloc(plan->arena, ((size_t)labels->n + 1) * sizeof *chips);
    double h = plan->font.size * 1.6;
    double used = lay_out(plan, axis, labels, x, y + h / 2, w, chips);
    for (int i = 0; i < labels->n; i++) {
        int query = labels->index[i];
        bool chosen = query == plan->sentence->query;
        FigureMark mark = {.pick = {-1, query, -1},
                           .role = FIGURE_LABEL,
                           .id = arena_printf(plan->arena, "q%d", query)};
        if (chosen) {
            FigureMark box = {.pick = mark.pick, .role = mark.role};
            figure_rect(plan->figure, (FigureBox){chips[i].x, chips[i].y - h / 2, chips[i].w, h},
                        4 * plan->theme->type_body / 13,
                        (FigurePaint){.fill = plan->theme->accent_soft,
                                      .stroke = plan->theme->accent,
                                      .width = 2 * plan->theme->line_thin},
                        &box);
        }
        draw_token(plan, labels, i, chips[i],
                   labels->special[i] ? plan->theme->soft : plan->theme->ink, mark);
    }
    return y + used + plan->theme->type_small;
}

/* What fills mean, or the outlines in their place. Returns the lowest point. */
static double draw_legend(const Plan *plan, const ChartArea *area, double y) {
    double widths[STROKES_KEY], unit = plan->theme->type_body / 13;
    for (int i = 0; i < STROKES_KEY; i++)
        widths[i] = outline_width(plan->theme, strokes_key_places[i]);
    StrokesKey key = {.range = &plan->range, .n_heads = 1, .widths = widths};
    if (plan->theme->outlines)
        return strokes_key(plan->figure, area, y + plan->theme->type_small, &key);
    double used = chart_legend_unit(plan->figure, area->x, y, "weight");
    return y + chart_legend(plan->figure, area->x + used, y, fmin(160 * unit, area->w - used),
                            plan->options, &plan->range);
}

bool sentence_draw(Figure *figure, const Sentence *sentence, const ChartOptions *options,
                   Error *error) {
    if (!chart_check(&sentence->matrix, 1, &sentence->queries, &sentence->keys, error))
        return false;
    if (sentence->keys.n > 0 && (sentence->query < 0 || sentence->query >= sentence->queries.n))
        return error_set(error, ERROR_INPUT, "no token %d: the text has %d, counted from 0",
                         sentence->query, sentence->queries.n);
    const Theme *theme = figure_theme(figure);
    Plan plan = {.figure = figure,
                 .theme = theme,
                 .sentence = sentence,
                 .options = options,
                 .arena = figure_arena(figure),
                 .font = {.size = theme->type_title, .weight = 500},
                 .pad = theme->type_title * 0.3,
                 .space = theme->type_title * 0.22,
                 .pitch = theme->type_title * (sentence->numbers ? 2.7 : 2)};
    plan.range = chart_range(&sentence->matrix, 1, options);
    chart_palette(options->colormap, theme, false, plan.palette);
    ChartLabels keys = chart_labels(figure, &sentence->keys, options);
    ChartLabels queries = chart_labels(figure, &sentence->queries, options);
    const char *subtitle = chart_subtitle(
        plan.arena, options, sentence->queries.title ? sentence->queries.title : "query: outlined",
        sentence->keys.title ? sentence->keys.title : "key: shaded by its weight",
        chart_range_text(plan.arena, &plan.range));
    ChartArea area = chart_begin(figure, options, subtitle, 640 * theme->type_body / 13);
    double y = area.y;
    if (!sentence->same_text && queries.n > 0) {
        y = draw_queries(&plan, &queries, area.x, y, area.w);
        y = caption(&plan, area.x, y, area.w, sentence->keys.title ? sentence->keys.title : "key");
    }
    Chip *chips = arena_alloc(plan.arena, ((size_t)keys.n + 1) * sizeof *chips);
    double h = plan.font.size * 1.6;
    y += lay_out(&plan, &sentence->keys, &keys, area.x, y + h / 2, area.w, chips);
    if (keys.n == 0) y = chart_empty(figure, area.x, area.y, sentence->keys.n > 0);
    for (int i = 0; i < keys.n; i++)
        draw_chip(&plan, &keys, i, chips[i]);
    for (int i = 0; i < keys.n && sentence->same_text; i++)
        if (keys.index[i] == sentence->query) draw_outline(&plan, chips[i]);
    y += theme->type_small * 0.5;
    y = draw_legend(&plan, &area, y);
    chart_end(figure, options, &area, y);
    return true;
}
