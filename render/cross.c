#include "render/cross.h"

#include <stdlib.h>

#include "render/cross_parts.h"

static const char *axis_title(const CrossPlan *plan, const ChartAxis *axis, bool is_query) {
    const char *title = axis->title ? axis->title : is_query ? "query" : "key";
    bool first = is_query ? plan->query.first : plan->key.first;
    const char *where = plan->horizontal ? (first ? "above" : "below") : first ? "left" : "right";
    return arena_printf(plan->arena, "%s (%s)", title, where);
}

bool cross_draw(Figure *figure, const Cross *cross, const ChartOptions *options, Error *error) {
    if (!chart_check(cross->heads, cross->n_heads, &cross->queries, &cross->keys, error))
        return false;
    CrossPlan plan = {.figure = figure,
                      .theme = figure_theme(figure),
                      .cross = cross,
                      .options = options,
                      .arena = figure_arena(figure),
                      .horizontal = options->orientation == CHART_HORIZONTAL};
    cross_side(&plan, &plan.query, &cross->queries, &plan.query_at);
    cross_side(&plan, &plan.key, &cross->keys, &plan.key_at);
    /* Columns: queries left. Lines: keys above, as a source stands above its translation. */
    plan.query.first = plan.horizontal == cross->swap;
    plan.key.first = !plan.query.first;
    plan.range = chart_range(cross->heads, cross->n_heads, options);
    cross_choose(&plan, cross->top);
    int n;
    Stroke *strokes = strokes_choose(&plan.choice, &n);
    plan.n_strokes = n;
    const char *query_title = axis_title(&plan, &cross->queries, true);
    const char *key_title = axis_title(&plan, &cross->keys, false);
    plan.query.font = plan.key.font = (TextStyle){.size = plan.theme->type_title, .weight = 500};
    bool is_long = plan.query.labels.n > CROSS_MOST_ROWS || plan.key.labels.n > CROSS_MOST_ROWS;
    if (is_long && n > CROSS_MOST_LINES && options->height <= 0) {
        free(strokes);
        cross_draw_long(&plan, query_title, key_title);
        return true;
    }
    double natural = plan.horizontal ? cross_natural(&plan) : 720 * plan.theme->type_body / 13;
    const char *subtitle = chart_subtitle(plan.arena, options, query_title, key_title,
                                          chart_range_text(plan.arena, &plan.range));
    ChartArea area = chart_begin(figure, options, subtitle, natural);
    double bottom = plan.horizontal ? cross_horizontal(&plan, &area) : cross_vertical(&plan, &area);
    plan.named = n <= 4000;
    cross_draw_all(&plan, strokes, n);
    free(strokes);
    if (plan.query.labels.n == 0 && plan.key.labels.n == 0)
        bottom = chart_empty(figure, area.x, area.y, cross->queries.n + cross->keys.n > 0);
    bottom = cross_draw_key(&plan, &area, bottom);
    chart_end(figure, options, &area, bottom);
    return true;
}
