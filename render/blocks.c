#include "render/blocks.h"

#include <math.h>
#include <string.h>

typedef struct Plan {
    Figure *figure;
    const Theme *theme;
    const Blocks *blocks;
    Arena *arena;
    FigureBox *boxes; // [n_boxes]
    double box_w, gap, gutter, pad;
} Plan;

static double box_height(const Plan *plan, const BlocksBox *box) {
    double body = plan->theme->type_body, small = plan->theme->type_small;
    double h = body * 1.1 + 14 * body / 13;
    if (box->detail || box->shape) h += small * 1.4;
    if (box->hook) h += small * 1.4;
    return h;
}

static double stack_height(const Plan *plan, int stack) {
    double h = 0;
    for (int i = 0; i < plan->blocks->n_boxes; i++)
        if (plan->blocks->boxes[i].stack == stack)
            h += box_height(plan, &plan->blocks->boxes[i]) + plan->gap;
    return h;
}

/* From the bottom up, all stacks standing on the same floor. */
static void place_boxes(Plan *plan, double x, double floor) {
    for (int stack = 0; stack < plan->blocks->n_stacks; stack++) {
        double y = floor, left = x + stack * (plan->box_w + plan->gutter);
        for (int i = 0; i < plan->blocks->n_boxes; i++) {
            const BlocksBox *box = &plan->blocks->boxes[i];
            if (box->stack != stack) continue;
            double h = box_height(plan, box);
            plan->boxes[i] = (FigureBox){left, y - h, plan->box_w, h};
            y -= h + plan->gap;
        }
    }
}

static Color ground_of(const Plan *plan, BlocksKind kind) {
    const Theme *theme = plan->theme;
    if (theme->outlines || theme->kind == THEME_PRINT)
        return kind == BLOCKS_ATTENTION ? theme->accent_soft : theme->panel;
    switch (kind) {
    case BLOCKS_ATTENTION:
        return theme->accent_soft;
    case BLOCKS_MLP:
        return color_mix(theme->panel, theme->negative, 0.12);
    case BLOCKS_NORM:
        return color_mix(theme->panel, theme->soft, 0.12);
    case BLOCKS_EMBED:
    case BLOCKS_PLAIN:
        break;
    }
    return theme->panel;
}

/* A line in a box: where it is too wide in smaller type, then what says the same in short. */
static void put(const Plan *plan, FigureBox box, double y, const char *s, const char *brief,
                TextStyle font, Color color) {
    Text *text = figure_fonts(plan->figure);
    double room = box.w - plan->theme->type_body,
           least = fmin(plan->theme->type_token_min, font.size);
    if (text_width(text, str(s), font) > room) {
        font.size = fmax(font.size * room / text_width(text, str(s), font), least);
        room = box.w - plan->theme->type_body * 0.4;
        if (brief && text_width(text, str(s), font) > room) s = brief;
    }
    FigureTextStyle style = {
        .font = font, .color = color, .anchor = FIGURE_MIDDLE, .max_width = room};
    figure_text(plan->figure, box.x + box.w / 2, y, str(s), style, NULL);
}

/* "hook_attn_out" of "encoder.{l}.hook_attn_out": which stack and layer the box shows. */
static const char *last_part(const char *hook) {
    const char *dot = strrchr(hook, '.');
    return dot ? dot + 1 : hook;
}

static void draw_box(const Plan *plan, int i) {
    const BlocksBox *box = &plan->blocks->boxes[i];
    const Theme *theme = plan->theme;
    FigureBox at = plan->boxes[i];
    bool chosen = i == plan->blocks->highlight;
    FigureMark mark = {.pick = {i, -1, -1},
                       .role = FIGURE_CELL,
                       .id = arena_printf(plan->arena, "box-%d", i),
                       .title = box->hook ? box->hook : box->title};
    figure_rect(
        plan->figure, at, 6 * theme->type_body / 13,
        (FigurePaint){.fill = ground_of(plan, box->kind),
                      .stroke = chosen ? theme->accent : color_mix(theme->line, theme->soft, 0.35),
                      .width = (chosen ? 2.5 : 1) * theme->line_thin},
        &mark);
    double body = theme->type_body, small = theme->type_small;
    double y = at.y + 7 * body / 13 + body * 0.95;
    put(plan, at, y, box->title, NULL, (TextStyle){.size = body, .weight = 600}, theme->ink);
    if (box->detail || box->shape) {
        y += small * 1.45;
        const char *both = box->detail && box->shape ? arena_printf(plan->arena, "%s \xc2\xb7 %s",
                                                                    box->detail, box->shape)
                           : box->detail             ? box->detail
                                                     : box->shape;
        put(plan, at, y, both, box->detail, (TextStyle){.size = small}, theme->ink);
    }
    if (!box->hook) return;
    y += small * 1.45;
    put(plan, at, y, box->hook, last_part(box->hook),
        (TextStyle){.size = small * 0.92, .mono = true}, theme->soft);
}

/* ---- arrows ---- */

static FigurePaint line_paint(const Plan *plan) {
    return (FigurePaint){.stroke = plan->theme->soft, .width = 1.25 * plan->theme->line_thin};
}

static void draw_head(const Plan *plan, double x, double y, double dx, double dy) {
    double a = plan->theme->type_small * 0.5, b = a * 0.55;
    figure_path_move(plan->figure, x, y);
    figure_path_line(plan->figure, x - dx * a - dy * b, y - dy * a - dx * b);
    figure_path_line(plan->figure, x - dx * a + dy * b, y - dy * a + dx * b);
    figure_path_close(plan->figure);
    figure_path_end(plan->figure, (FigurePaint){.fill = plan->theme->soft}, NULL);
}

/* A line through corners, rounded. */
static void draw_corners(const Plan *plan, int n, const double (*p)[2]) {
    double r = 8 * plan->theme->type_body / 13;
    figure_path_move(plan->figure, p[0][0], p[0][1]);
    for (int i = 1; i + 1 < n; i++) {
        double ax = p[i - 1][0] - p[i][0], ay = p[i - 1][1] - p[i][1];
        double bx = p[i + 1][0] - p[i][0], by = p[i + 1][1] - p[i][1];
        double al = hypot(ax, ay), bl = hypot(bx, by);
        double t = fmin(r, fmin(al, bl) / 2);
        if (al <= 0 || bl <= 0) continue;
        double x = p[i][0], y = p[i][1];
        figure_path_line(plan->figure, x + ax / al * t, y + ay / al * t);
        figure_path_curve(plan->figure, x + ax / al * t * 0.45, y + ay / al * t * 0.45,
                          x + bx / bl * t * 0.45, y + by / bl * t * 0.45, x + bx / bl * t,
                          y + by / bl * t);
    }
    figure_path_line(plan->figure, p[n - 1][0], p[n - 1][1]);
    figure_path_end(plan->figure, line_paint(plan), NULL);
}

static void draw_arrow(const Plan *plan, const BlocksArrow *arrow) {
    FigureBox a = plan->boxes[arrow->from], b = plan->boxes[arrow->to];
    int stack_a = plan->blocks->boxes[arrow->from].stack;
    int stack_b = plan->blocks->boxes[arrow->to].stack;
    double ax = a.x + a.w / 2;
    if (arrow->kind == BLOCKS_RESIDUAL) {
        /* Leaves the stream above `from`, comes back at the side of `to`. */
        double side = a.x - plan->pad * 0.55, y0 = a.y - plan->gap * 0.35, y1 = b.y + b.h / 2;
        const double p[4][2] = {{ax, y0}, {side, y0}, {side, y1}, {b.x, y1}};
        draw_corners(plan, 4, p);
        draw_head(plan, b.x, y1, 1, 0);
        return;
    }
    if (stack_a == stack_b) {
        figure_line(plan->figure, ax, a.y, ax, b.y + b.h + 2, line_paint(plan), NULL);
        draw_head(plan, ax, b.y + b.h, 0, -1);
        return;
    }
    /* Over to another stack: up out of the box, across, into its side. */
    bool right = b.x > a.x;
    double lane = right ? b.x - plan->pad - (plan->gutter - plan->pad) * 0.35
                        : b.x + b.w + plan->gutter * 0.4;
    double y0 = a.y - plan->gap * 0.5, y1 = b.y + b.h * 0.72, end = right ? b.x : b.x + b.w;
    const double p[5][2] = {{ax, a.y}, {ax, y0}, {lane, y0}, {lane, y1}, {end, y1}};
    draw_corners(plan, 5, p);
    draw_head(plan, end, y1, right ? 1 : -1, 0);
}

/* The frame around a layer, with how often it comes. */
static void draw_frame(const Plan *plan, int stack) {
    double x0 = HUGE_VAL, y0 = HUGE_VAL, x1 = -HUGE_VAL, y1 = -HUGE_VAL;
    for (int i = 0; i < plan->blocks->n_boxes; i++) {
        const BlocksBox *box = &plan->blocks->boxes[i];
        if (box->stack != stack || !box->in_layer) continue;
        FigureBox b = plan->boxes[i];
        x0 = fmin(x0, b.x), y0 = fmin(y0, b.y), x1 = fmax(x1, b.x + b.w), y1 = fmax(y1, b.y + b.h);
    }
    if (x0 > x1) return;
    double left = plan->pad, other = plan->pad * 0.4, over = plan->gap * 0.35,
           under = plan->gap * 0.75;
    FigureBox frame = {x0 - left, y0 - over, x1 - x0 + left + other, y1 - y0 + over + under};
    figure_rect(plan->figure, frame, 10 * plan->theme->type_body / 13,
                (FigurePaint){.stroke = color_mix(plan->theme->line, plan->theme->soft, 0.2),
                              .width = plan->theme->line_thin,
                              .dash = 4,
                              .gap = 3},
                NULL);
    const char *repeat = plan->blocks->stacks[stack].repeat;
    if (!repeat) return;
    figure_text(plan->figure, frame.x + plan->theme->type_small * 0.4,
                frame.y - plan->theme->type_small * 0.5, str(repeat),
                (FigureTextStyle){.font = {.size = plan->theme->type_body, .weight = 600},
                                  .color = plan->theme->soft},
                NULL);
}

/* Of the lines in the boxes. */
static double widest_text(const Plan *plan) {
    Text *text = figure_fonts(plan->figure);
    double body = plan->theme->type_body, small = plan->theme->type_small, widest = 0;
    for (int i = 0; i < plan->blocks->n_boxes; i++) {
        const BlocksBox *box = &plan->blocks->boxes[i];
        widest = fmax(widest,
                      text_width(text, str(box->title), (TextStyle){.size = body, .weight = 600}));
        if (box->hook)
            widest = fmax(widest, text_width(text, str(box->hook),
                                             (TextStyle){.size = small * 0.92, .mono = true}));
    }
    return widest;
}

static bool check(const Blocks *blocks, Error *error) {
    if (blocks->n_boxes < 1) return error_set(error, ERROR_INPUT, "no box to draw");
    for (int i = 0; i < blocks->n_boxes; i++)
        if (blocks->boxes[i].stack < 0 || blocks->boxes[i].stack >= blocks->n_stacks)
            return error_set(error, ERROR_INPUT, "box %d: there is no stack %d", i,
                             blocks->boxes[i].stack);
    for (int i = 0; i < blocks->n_arrows; i++) {
        BlocksArrow a = blocks->arrows[i];
        if (a.from < 0 || a.to < 0 || a.from >= blocks->n_boxes || a.to >= blocks->n_boxes)
            return error_set(error, ERROR_INPUT,
                             "arrow %d: from box %d to box %d, but there are %d", i, a.from, a.to,
                             blocks->n_boxes);
    }
    return true;
}

bool blocks_draw(Figure *figure, const Blocks *blocks, const ChartOptions *options, Error *error) {
    if (!check(blocks, error)) return false;
    const Theme *theme = figure_theme(figure);
    double unit = theme->type_body / 13;
    Plan plan = {.figure = figure,
                 .theme = theme,
                 .blocks = blocks,
                 .arena = figure_arena(figure),
                 .gap = 26 * unit,
                 .pad = 30 * unit,
                 .gutter = 110 * unit};
    plan.boxes = arena_calloc(plan.arena, (size_t)blocks->n_boxes, sizeof *plan.boxes);
    double natural =
        260 * unit * blocks->n_stacks + plan.gutter * (blocks->n_stacks - 1) + 1.6 * plan.pad;
    const char *subtitle = chart_subtitle(plan.arena, options, "from the bottom up", NULL, NULL);
    ChartArea area = chart_begin(figure, options, subtitle, natural);
    plan.gutter = fmin(plan.gutter, area.w * (area.w < 500 * unit ? 0.13 : 0.17));
    plan.pad = fmin(plan.pad, area.w * 0.06);
    plan.box_w =
        (area.w - 1.6 * plan.pad - plan.gutter * (blocks->n_stacks - 1)) / blocks->n_stacks;
    plan.box_w = fmin(fmax(plan.box_w, 60 * unit), 320 * unit);
    double wanted = widest_text(&plan) + theme->type_body;
    if (wanted > plan.box_w)
        figure_wants_width(figure, figure_bounds(figure).w +
                                       (wanted - plan.box_w) * 1.3 * blocks->n_stacks);
    double used =
        plan.box_w * blocks->n_stacks + plan.gutter * (blocks->n_stacks - 1) + 1.6 * plan.pad;
    double x = area.x + plan.pad + fmax(0, (area.w - used) / 2), tallest = 0;
    for (int i = 0; i < blocks->n_stacks; i++)
        tallest = fmax(tallest, stack_height(&plan, i));
    double foot = theme->type_small * 2.4, room = area.h - foot - plan.gap;
    int most = 0;
    for (int s = 0; s < blocks->n_stacks; s++) {
        int n = 0;
        for (int i = 0; i < blocks->n_boxes; i++)
            n += blocks->boxes[i].stack == s;
        most = n > most ? n : most;
    }
    if (area.h > 0 && tallest > room && most > 0)
        plan.gap = fmax(plan.gap - (tallest - room) / most, 12 * unit);
    tallest = 0;
    for (int i = 0; i < blocks->n_stacks; i++)
        tallest = fmax(tallest, stack_height(&plan, i));
    double floor = area.y + tallest - plan.gap + theme->type_small * 1.2;
    place_boxes(&plan, x, floor);
    for (int i = 0; i < blocks->n_stacks; i++)
        draw_frame(&plan, i);
    for (int i = 0; i < blocks->n_arrows; i++)
        draw_arrow(&plan, &blocks->arrows[i]);
    for (int i = 0; i < blocks->n_boxes; i++)
        draw_box(&plan, i);
    for (int i = 0; i < blocks->n_stacks; i++)
        figure_text(figure, x + i * (plan.box_w + plan.gutter) + plan.box_w / 2,
                    floor + theme->type_large * 1.5, str(blocks->stacks[i].name),
                    (FigureTextStyle){.font = {.size = theme->type_large, .weight = 600},
                                      .color = theme->ink,
                                      .anchor = FIGURE_MIDDLE},
                    NULL);
    chart_end(figure, options, &area, floor + foot);
    return true;
}
