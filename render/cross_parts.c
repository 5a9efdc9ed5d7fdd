#include "render/cross_parts.h"

#include <math.h>
#include <stdlib.h>

#include "render/heads.h"

static double clamp(double x, double low, double high) {
    return x < low ? low : x > high ? high : x;
}

void cross_side(CrossPlan *plan, CrossSide *side, const ChartAxis *axis, int **place) {
    side->labels = chart_labels(plan->figure, axis, plan->options);
    size_t n = (size_t)side->labels.n + 1;
    side->at = arena_calloc(plan->arena, n, sizeof *side->at);
    side->extent = arena_calloc(plan->arena, n, sizeof *side->extent);
    *place = arena_alloc(plan->arena, ((size_t)axis->n + 1) * sizeof **place);
    for (int i = 0; i < axis->n; i++)
        (*place)[i] = -1;
    for (int i = 0; i < side->labels.n; i++)
        (*place)[side->labels.index[i]] = i;
}

/* What stands below the drawing: a key of widths, and that not all labels are written. */
static void plan_key(CrossPlan *plan, double height, bool noted) {
    plan->keyed = !plan->cross->ribbons && strokes_key_fits(plan->theme, plan->options, height);
    plan->noted = noted && !plan->options->bare;
}

/* ---- tokens in columns ---- */

static double natural_pitch(const CrossPlan *plan, int n) {
    double pitch = n <= 12 ? 44 : n <= 24 ? 32 : n <= 60 ? 22 : 0;
    double least = plan->theme->type_token_min * 1.25;
    return fmax(pitch * plan->theme->type_body / 13, least);
}

/* Lists of more tokens wrap into columns, as many as `room` takes, while there are few lines: many
 * would hide the columns that they cross, and the lists stay as long as they are. */
static void wrap_column(const CrossPlan *plan, CrossSide *side, double room) {
    int n = side->labels.n;
    side->n_columns = 1;
    side->rows = n > 0 ? n : 1;
    if (n <= CROSS_MOST_ROWS || plan->n_strokes > CROSS_MOST_LINES) return;
    double unit = plan->theme->type_body / 13;
    side->font = (TextStyle){.size = fmax(9 * unit, plan->theme->type_token_min), .weight = 500};
    side->stride =
        fmin(chart_labels_width(plan->figure, &side->labels, side->font), 90 * unit) + 14 * unit;
    int wanted = (n + CROSS_MOST_ROWS - 1) / CROSS_MOST_ROWS, fit = (int)(room / side->stride);
    side->n_columns = wanted < fit ? wanted : fit > 1 ? fit : 1;
    side->rows = (n + side->n_columns - 1) / side->n_columns;
}

static void lay_column(const CrossPlan *plan, CrossSide *side, double y, double h) {
    int n = side->labels.n;
    side->pitch = h / side->rows;
    if (side->n_columns == 1)
        side->font = (TextStyle){
            .size = clamp(side->pitch * 0.6, plan->theme->type_token_min, plan->theme->type_title),
            .weight = 500};
    if (plan->font_most > 0) side->font.size = fmin(side->font.size, plan->font_most);
    side->step = (int)ceil(side->font.size * 1.15 / side->pitch);
    if (side->step < 1) side->step = 1;
    for (int i = 0; i < n; i++) {
        side->at[i] = y + (i % side->rows + 0.5) * side->pitch;
        side->extent[i] = side->pitch;
    }
}

/* Where the lines of token i start, across the axis: columns are read from left to right, or from
 * right to left where the text is. */
static double edge_at(const CrossSide *side, int i) {
    if (side->n_columns <= 1) return side->edge;
    int column = i / side->rows;
    if (side->labels.rtl) column = side->n_columns - 1 - column;
    return side->first ? side->edge - (side->n_columns - 1 - column) * side->stride
                       : side->edge + column * side->stride;
}

static double side_width(const CrossPlan *plan, const CrossSide *side) {
    if (side->n_columns > 1) return side->n_columns * side->stride;
    return chart_labels_width(plan->figure, &side->labels, side->font) + 4;
}

double cross_vertical(CrossPlan *plan, const ChartArea *area) {
    double half = (area->w - clamp(area->w * 0.36, 60, 400)) / 2;
    wrap_column(plan, &plan->query, half);
    wrap_column(plan, &plan->key, half);
    int n = plan->query.rows > plan->key.rows ? plan->query.rows : plan->key.rows;
    bool wrapped = plan->query.n_columns > 1 || plan->key.n_columns > 1;
    double pitch = wrapped ? 15 * plan->theme->type_body / 13 : natural_pitch(plan, n);
    double h = area->h > 0 ? area->h : pitch * n;
    double least = plan->theme->type_token_min * 1.15;
    plan_key(plan, area->h, area->h > 0 && h / n < least);
    if (area->h > 0) h = fmax(h - cross_key_height(plan), 20);
    lay_column(plan, &plan->query, area->y, h);
    lay_column(plan, &plan->key, area->y, h);
    if (!wrapped) { /* both sides in one size, whichever has more tokens */
        plan->font_most = fmin(plan->query.font.size, plan->key.font.size);
        lay_column(plan, &plan->query, area->y, h);
        lay_column(plan, &plan->key, area->y, h);
    }
    if (plan->query.step > 1 || plan->key.step > 1) /* as high as it wants there is room for all */
        figure_wants_width(plan->figure, area->w + 2 * area->margin);
    double unit = plan->theme->type_body / 13;
    CrossSide *first = plan->query.first ? &plan->query : &plan->key;
    CrossSide *second = plan->query.first ? &plan->key : &plan->query;
    double left = side_width(plan, first), right = side_width(plan, second);
    double gap = 14 * unit;
    double middle = clamp(area->w * 0.36, 60 * unit, 400 * unit);
    double room = (area->w - middle - 2 * gap) / 2, all = left + right + middle + 2 * gap;
    if (all > area->w) figure_wants_width(plan->figure, ceil(all + 2 * area->margin));
    if (left > room && right < room) room = fmax(room, area->w - middle - 2 * gap - right);
    left = fmin(left, room);
    right = fmin(right, fmax(room, area->w - middle - 2 * gap - left));
    double x = area->x + fmax(0, (area->w - left - right - middle - 2 * gap) / 2);
    first->room = first->n_columns > 1 ? first->stride - gap : left;
    second->room = second->n_columns > 1 ? second->stride - gap : right;
    first->edge = x + left + gap;
    second->edge = first->edge + middle;
    return area->y + h;
}

/* ---- tokens along lines ---- */

static double line_width(const CrossPlan *plan, const CrossSide *side, double gap) {
    double width = 0;
    for (int i = 0; i < side->labels.n; i++)
        width += text_width(figure_fonts(plan->figure), side->labels.text[i], side->font) + gap;
    return width;
}

/* Tokens side by side where they fit, each as wide as it is; upright in equal slots where not. */
static void lay_line(const CrossPlan *plan, CrossSide *side, double x, double w, double gap) {
    int n = side->labels.n;
    double natural = line_width(plan, side, gap);
    while (natural > w && side->font.size > plan->theme->type_token_min + 1.5) {
        side->font.size -= 1;
        natural = line_width(plan, side, gap);
    }
    side->turned = natural > w;
    side->rows = n > 0 ? n : 1;
    double used = 0;
    side->pitch = w;
    for (int i = 0; i < n; i++) {
        double width = text_width(figure_fonts(plan->figure), side->labels.text[i], side->font);
        double extent = side->turned ? w / n : (width + gap) * w / natural;
        side->at[i] = x + used + extent / 2;
        if (side->labels.rtl) side->at[i] = 2 * x + w - side->at[i];
        side->extent[i] = extent;
        side->pitch = fmin(side->pitch, extent);
        used += extent;
    }
    side->step = side->turned ? (int)ceil(side->font.size * 1.15 * n / w) : 1;
    side->room = side->turned
                     ? fmin(chart_labels_width(plan->figure, &side->labels, side->font), 110)
                     : side->font.size;
    if (side->step > 1)
        figure_wants_width(plan->figure, 2 * x + n * plan->theme->type_token_min * 1.15);
}

/* Upright labels are shortened; side by side they would be whole. */
static void want_line(const CrossPlan *plan, const CrossSide *side, const ChartArea *area,
                      double gap) {
    double widest = chart_labels_width(plan->figure, &side->labels, side->font);
    if (side->turned && widest > side->room + 0.5)
        figure_wants_width(plan->figure, line_width(plan, side, gap) + 2 * area->margin);
}

double cross_natural(CrossPlan *plan) {
    double gap = plan->theme->type_body * 1.6;
    double a = line_width(plan, &plan->query, gap), b = line_width(plan, &plan->key, gap);
    return clamp(fmax(a, b), 320, 1400);
}

double cross_horizontal(CrossPlan *plan, const ChartArea *area) {
    double gap = plan->theme->type_body * 1.1;
    lay_line(plan, &plan->query, area->x, area->w, gap);
    lay_line(plan, &plan->key, area->x, area->w, gap);
    if (area->h > 0) { /* labels are shortened before the lines have no room */
        double most = fmax(area->h * 0.3, 4 * plan->theme->type_body);
        plan->query.room = fmin(plan->query.room, most);
        plan->key.room = fmin(plan->key.room, most);
    }
    want_line(plan, &plan->query, area, gap);
    want_line(plan, &plan->key, area, gap);
    double labels = plan->query.room + plan->key.room + 24;
    plan_key(plan, area->h > 0 ? fmax(area->h - labels, 1) : 0,
             plan->query.step > 1 || plan->key.step > 1);
    double h = area->h > 0 ? fmax(area->h - labels - cross_key_height(plan), 40)
                           : clamp(area->w * 0.28, 120, 260) * plan->theme->type_body / 13;
    CrossSide *above = plan->query.first ? &plan->query : &plan->key;
    CrossSide *below = plan->query.first ? &plan->key : &plan->query;
    above->edge = area->y + above->room + 12;
    below->edge = above->edge + h;
    return below->edge + 12 + below->room;
}

/* ---- lines ---- */

static void draw_curve(const CrossPlan *plan, double from, double from_edge, double to,
                       double to_edge) {
    double middle = (from_edge + to_edge) / 2, x[4], y[4];
    cross_point(plan, from, from_edge, &x[0], &y[0]);
    cross_point(plan, from, middle, &x[1], &y[1]);
    cross_point(plan, to, middle, &x[2], &y[2]);
    cross_point(plan, to, to_edge, &x[3], &y[3]);
    figure_path_move(plan->figure, x[0], y[0]);
    figure_path_curve(plan->figure, x[1], y[1], x[2], y[2], x[3], y[3]);
}

/* Lines of several heads between the same two tokens lie side by side. */
static double head_shift(const CrossPlan *plan, int head) {
    int n = plan->cross->n_heads;
    double pitch = fmin(plan->query.pitch, plan->key.pitch);
    double spread = fmin(pitch * 0.6, 3.0 * (n - 1));
    return n > 1 ? ((double)head / (n - 1) - 0.5) * spread : 0;
}

/* How thick a weight of 1 is. */
static double thickest_line(const CrossPlan *plan) {
    double pitch = fmin(plan->query.pitch, plan->key.pitch);
    double thickest = fmin(plan->theme->line_max, fmax(pitch * 0.5, 1.5 * plan->theme->line_min));
    int n_heads = plan->cross->n_heads;
    if (n_heads < 2) return thickest;
    /* Side by side, the lines of many heads must leave each other to be seen. */
    return fmin(thickest, fmax(1.5 * pitch * 0.6 / (n_heads - 1), 2.5 * plan->theme->line_min));
}

static double line_thickness(const CrossPlan *plan, double place, double thickest) {
    double width = theme_line_width(plan->theme, place) * thickest / plan->theme->line_max;
    return fmax(width, place >= 0.2 ? 1.2 * plan->theme->line_thin : plan->theme->line_min);
}

static void draw_lines(const CrossPlan *plan, const Stroke *strokes, int n) {
    double thickest = thickest_line(plan);
    for (int i = 0; i < n; i++) {
        const Stroke *s = &strokes[i];
        Color hue = theme_hue(plan->theme, s->head, plan->cross->n_heads);
        double shift = head_shift(plan, s->head);
        FigureMark mark = strokes_mark(plan->arena, &plan->choice, s, plan->named);
        draw_curve(plan, plan->query.at[s->query] + shift, edge_at(&plan->query, s->query),
                   plan->key.at[s->key] + shift, edge_at(&plan->key, s->key));
        figure_path_end(plan->figure,
                        (FigurePaint){.stroke = color_alpha(
                                          hue, theme_line_opacity(plan->theme, hue, s->place)),
                                      .width = line_thickness(plan, s->place, thickest),
                                      .cap = FIGURE_CAP_ROUND},
                        &mark);
    }
}

/* ---- ribbons ---- */

/* How thick a weight of 1 is at each token: its mass fills most of its place at both ends. */
static double *ribbon_units(const CrossPlan *plan, const Stroke *strokes, int n, bool at_query) {
    const CrossSide *side = at_query ? &plan->query : &plan->key;
    double *unit = arena_calloc(plan->arena, (size_t)side->labels.n + 1, sizeof *unit);
    for (int i = 0; i < n; i++)
        unit[at_query ? strokes[i].query : strokes[i].key] += strokes[i].place;
    double full = 26 * plan->theme->type_body / 13;
    for (int i = 0; i < side->labels.n; i++)
        unit[i] = fmin(full, 0.72 * side->extent[i]) / fmax(1, unit[i]);
    return unit;
}

/* Bands leave a token in the order in which they arrive, so that they cross as little as can be. */
static int by_places(const void *p, const void *q) {
    const Stroke *a = p, *b = q;
    if (a->query != b->query) return a->query < b->query ? -1 : 1;
    if (a->key != b->key) return a->key < b->key ? -1 : 1;
    return (a->head > b->head) - (a->head < b->head);
}

static void draw_band(const CrossPlan *plan, const Stroke *s, double q0, double q1, double k0,
                      double k1) {
    Color hue = theme_hue(plan->theme, s->head, plan->cross->n_heads);
    double query_edge = edge_at(&plan->query, s->query), key_edge = edge_at(&plan->key, s->key);
    double middle = (query_edge + key_edge) / 2, x, y, x1, y1, x2, y2;
    draw_curve(plan, q0, query_edge, k0, key_edge);
    cross_point(plan, k1, key_edge, &x, &y);
    figure_path_line(plan->figure, x, y);
    cross_point(plan, k1, middle, &x1, &y1);
    cross_point(plan, q1, middle, &x2, &y2);
    cross_point(plan, q1, query_edge, &x, &y);
    figure_path_curve(plan->figure, x1, y1, x2, y2, x, y);
    figure_path_close(plan->figure);
    FigureMark mark = strokes_mark(plan->arena, &plan->choice, s, plan->named);
    FigurePaint paint = {
        .fill = color_alpha(hue, theme_line_opacity(plan->theme, hue, s->place) * 0.8)};
    if (plan->theme->outlines)
        paint = (FigurePaint){.stroke = hue, .width = plan->theme->line_thin};
    figure_path_end(plan->figure, paint, &mark);
}

static void draw_ribbons(const CrossPlan *plan, Stroke *strokes, int n) {
    double *query_unit = ribbon_units(plan, strokes, n, true);
    double *key_unit = ribbon_units(plan, strokes, n, false);
    double *query_used =
        arena_calloc(plan->arena, (size_t)plan->query.labels.n + 1, sizeof(double));
    double *key_used = arena_calloc(plan->arena, (size_t)plan->key.labels.n + 1, sizeof(double));
    double *query_sum = arena_calloc(plan->arena, (size_t)plan->query.labels.n + 1, sizeof(double));
    double *key_sum = arena_calloc(plan->arena, (size_t)plan->key.labels.n + 1, sizeof(double));
    for (int i = 0; i < n; i++) {
        query_sum[strokes[i].query] += strokes[i].place;
        key_sum[strokes[i].key] += strokes[i].place;
    }
    if (n > 0) qsort(strokes, (size_t)n, sizeof *strokes, by_places);
    for (int i = 0; i < n; i++) {
        const Stroke *s = &strokes[i];
        double a = query_unit[s->query], b = key_unit[s->key];
        double q0 = plan->query.at[s->query] - query_sum[s->query] * a / 2 + query_used[s->query];
        double k0 = plan->key.at[s->key] - key_sum[s->key] * b / 2 + key_used[s->key];
        draw_band(plan, s, q0, q0 + s->place * a, k0, k0 + s->place * b);
        query_used[s->query] += s->place * a;
        key_used[s->key] += s->place * b;
    }
}

/* ---- the rest ---- */

static void draw_links(const CrossPlan *plan) {
    FigurePaint paint = {.stroke = plan->theme->ink,
                         .width = 1.25 * plan->theme->line_thin,
                         .dash = 5 * plan->theme->line_thin,
                         .gap = 3 * plan->theme->line_thin};
    double r = 2.5 * plan->theme->line_thin;
    for (int i = 0; i < plan->cross->n_links; i++) {
        CrossLink link = plan->cross->links[i];
        if (link.query < 0 || link.key < 0 || link.query >= plan->cross->queries.n ||
            link.key >= plan->cross->keys.n)
            continue;
        int q = plan->query_at[link.query], k = plan->key_at[link.key];
        if (q < 0 || k < 0) continue;
        FigureMark mark = {.pick = {-1, link.query, link.key},
                           .role = FIGURE_STATIC,
                           .id = arena_printf(plan->arena, "link-q%d-k%d", link.query, link.key),
                           .title = "aligned"};
        draw_curve(plan, plan->query.at[q], edge_at(&plan->query, q), plan->key.at[k],
                   edge_at(&plan->key, k));
        figure_path_end(plan->figure, paint, &mark);
        double x, y;
        for (int end = 0; end < 2; end++) {
            cross_point(plan, end ? plan->key.at[k] : plan->query.at[q],
                        end ? edge_at(&plan->key, k) : edge_at(&plan->query, q), &x, &y);
            figure_rect(plan->figure, (FigureBox){x - r, y - r, 2 * r, 2 * r}, r,
                        (FigurePaint){.fill = plan->theme->ink}, NULL);
        }
    }
}

/* Lines of other columns go on behind a label, quietly. */
static void draw_ground(const CrossPlan *plan, const CrossSide *side, int i, double x,
                        double along) {
    double w =
        fmin(text_width(figure_fonts(plan->figure), side->labels.text[i], side->font), side->room);
    double h = fmin(side->pitch, side->font.size * 1.3);
    figure_rect(plan->figure, (FigureBox){side->first ? x - w - 2 : x - 2, along - h / 2, w + 4, h},
                2, (FigurePaint){.fill = color_alpha(plan->theme->paper, 0.85)}, NULL);
}

static void draw_labels(const CrossPlan *plan, const CrossSide *side, bool is_query) {
    double gap = 14 * plan->theme->type_body / 13;
    FigureTextStyle style = {.font = side->font, .max_width = side->room + 0.5};
    for (int i = 0; i < side->labels.n; i += side->step) {
        FigureMark mark = {.pick = {-1, -1, -1}, .role = FIGURE_LABEL};
        int index = side->labels.index[i];
        if (is_query)
            mark.pick.query = index;
        else
            mark.pick.key = index;
        mark.id = plan->block > 0 && !is_query
                      ? arena_printf(plan->arena, "k%d-b%d", index, plan->block)
                      : arena_printf(plan->arena, "%c%d", is_query ? 'q' : 'k', index);
        style.color = side->labels.special[i] ? plan->theme->soft : plan->theme->ink;
        double along = side->at[i], middle = side->font.size * 0.36;
        if (!plan->horizontal) {
            style.anchor = side->first ? FIGURE_END : FIGURE_START;
            double x = edge_at(side, i) + (side->first ? -gap : gap);
            if (side->n_columns > 1) draw_ground(plan, side, i, x, along);
            figure_text(plan->figure, x, along + middle, side->labels.text[i], style, &mark);
        } else if (side->turned) {
            style.angle = 90;
            style.anchor = side->first ? FIGURE_START : FIGURE_END;
            figure_text(plan->figure, along + middle, side->edge + (side->first ? -10 : 10),
                        side->labels.text[i], style, &mark);
        } else {
            style.anchor = FIGURE_MIDDLE;
            style.max_width = 0;
            figure_text(plan->figure, along,
                        side->edge + (side->first ? -10 : 10 + side->font.size * 0.8),
                        side->labels.text[i], style, &mark);
        }
    }
}

void cross_choose(CrossPlan *plan, int top) {
    const Cross *cross = plan->cross;
    plan->choice = (StrokeChoice){.n_heads = cross->n_heads,
                                  .heads = cross->heads,
                                  .queries = &plan->query.labels,
                                  .keys = &plan->key.labels,
                                  .range = &plan->range,
                                  .least = plan->options->least > 0 ? plan->options->least : 0.01,
                                  .only = cross->only,
                                  .n_only = cross->n_only,
                                  .top = top};
}

double cross_key_height(const CrossPlan *plan) {
    if (plan->part) return 0;
    double heads = plan->cross->n_heads > 1 ? 3 * plan->theme->type_body : 0;
    return heads + (plan->keyed || plan->noted ? strokes_key_height(plan->theme) : 0);
}

double cross_draw_key(const CrossPlan *plan, const ChartArea *area, double bottom) {
    const Cross *cross = plan->cross;
    double body = plan->theme->type_body, widths[STROKES_KEY], thickest = thickest_line(plan);
    for (int i = 0; i < STROKES_KEY; i++)
        widths[i] = line_thickness(plan, strokes_key_places[i], thickest);
    bool any = plan->query.labels.n > 0 && plan->key.labels.n > 0;
    int step = plan->query.step, other = plan->key.step;
    StrokesKey key = {.range = &plan->range,
                      .n_heads = cross->n_heads,
                      .widths = plan->keyed && any ? widths : NULL};
    if (plan->noted && (step > 1 || other > 1))
        key.note = step == other ? arena_printf(plan->arena, "one label in %d is written", step)
                                 : "not every label is written";
    if (key.widths || key.note) bottom = strokes_key(plan->figure, area, bottom + 1.2 * body, &key);
    if (cross->n_heads > 1)
        bottom = heads_legend(plan->figure, area->x, bottom + body, area->w, cross->heads,
                              cross->n_heads);
    return bottom;
}

void cross_draw_all(CrossPlan *plan, Stroke *strokes, int n) {
    if (plan->cross->ribbons)
        draw_ribbons(plan, strokes, n);
    else
        draw_lines(plan, strokes, n);
    draw_links(plan);
    draw_labels(plan, &plan->query, true);
    draw_labels(plan, &plan->key, false);
}
