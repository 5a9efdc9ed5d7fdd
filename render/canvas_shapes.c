/* How a player paints shapes and text. */
#include <math.h>
#include <pango/pangocairo.h>

#include "render/canvas_player.h"

void player_color(cairo_t *cr, Color c, double alpha) {
    cairo_set_source_rgba(cr, color_r(c) / 255.0, color_g(c) / 255.0, color_b(c) / 255.0,
                          color_a(c) / 255.0 * alpha);
}

/* ---- shapes ---- */

static void trace_round_rect(cairo_t *cr, FigureBox b, double r) {
    if (r <= 0) {
        cairo_rectangle(cr, b.x, b.y, b.w, b.h);
        return;
    }
    const double q = M_PI / 2;
    cairo_new_sub_path(cr);
    cairo_arc(cr, b.x + b.w - r, b.y + r, r, -q, 0);
    cairo_arc(cr, b.x + b.w - r, b.y + b.h - r, r, 0, q);
    cairo_arc(cr, b.x + r, b.y + b.h - r, r, q, 2 * q);
    cairo_arc(cr, b.x + r, b.y + r, r, 2 * q, 3 * q);
    cairo_close_path(cr);
}

static void trace_path(cairo_t *cr, const FigurePath *path) {
    const float *p = path->points;
    for (int i = 0; i < path->n_ops; i++) {
        switch (path->ops[i]) {
        case 'M':
            cairo_move_to(cr, p[0], p[1]);
            p += 2;
            break;
        case 'L':
            cairo_line_to(cr, p[0], p[1]);
            p += 2;
            break;
        case 'C':
            cairo_curve_to(cr, p[0], p[1], p[2], p[3], p[4], p[5]);
            p += 6;
            break;
        case 'Z':
            cairo_close_path(cr);
            break;
        }
    }
}

/* One period of the hatching in pixels: a slanted line, wrapped round. */
static cairo_surface_t *hatch_tile(Color color, double alpha, int pitch, double width) {
    cairo_surface_t *tile = cairo_image_surface_create(CAIRO_FORMAT_ARGB32, pitch, pitch);
    cairo_t *cr = cairo_create(tile);
    player_color(cr, color, alpha);
    cairo_set_line_width(cr, width);
    for (int i = -1; i <= 1; i++) {
        cairo_move_to(cr, i * pitch - pitch, 2 * pitch);
        cairo_line_to(cr, i * pitch + 2 * pitch, -pitch);
    }
    cairo_stroke(cr);
    cairo_destroy(cr);
    return tile;
}

/* Slanted lines inside the traced path: from a tile on pixels, drawn one by one on paper. */
static void fill_hatch(const Player *player, FigureBox box, double alpha, Color color,
                       double width) {
    cairo_t *cr = player->cr;
    double pitch = 8 * width;
    cairo_save(cr);
    if (player->pixels) {
        int tile_pitch = (int)fmax(4, round(pitch * player->scale));
        cairo_surface_t *tile =
            hatch_tile(color, alpha, tile_pitch, fmax(width * player->scale, 0.7));
        cairo_identity_matrix(cr);
        cairo_set_source_surface(cr, tile, floor(player->x), floor(player->y));
        cairo_pattern_set_extend(cairo_get_source(cr), CAIRO_EXTEND_REPEAT);
        cairo_pattern_set_filter(cairo_get_source(cr), CAIRO_FILTER_NEAREST);
        cairo_fill(cr);
        cairo_surface_destroy(tile);
        cairo_restore(cr);
        return;
    }
    cairo_clip(cr);
    double first = floor((box.x - box.h) / pitch) * pitch, shift = fmod(box.y, pitch);
    for (double x = first; x < box.x + box.w + pitch; x += pitch) {
        cairo_move_to(cr, x - shift, box.y + box.h);
        cairo_line_to(cr, x - shift + box.h, box.y);
    }
    player_color(cr, color, alpha);
    cairo_set_line_width(cr, width);
    cairo_stroke(cr);
    cairo_restore(cr);
}

static void paint_traced(const Player *player, const FigureItem *item, double alpha) {
    cairo_t *cr = player->cr;
    FigurePaint paint = item->paint;
    if (paint.fill && paint.hatch) {
        cairo_path_t *kept = paint.stroke ? cairo_copy_path(cr) : NULL;
        fill_hatch(player, item->box, alpha, paint.fill, paint.width > 0 ? paint.width : 0.6);
        if (!kept) return;
        cairo_append_path(cr, kept);
        cairo_path_destroy(kept);
    } else if (paint.fill) {
        player_color(cr, paint.fill, alpha);
        if (paint.stroke)
            cairo_fill_preserve(cr);
        else
            cairo_fill(cr);
    }
    if (!paint.stroke) {
        cairo_new_path(cr); /* unpainted, it would join the next shape's */
        return;
    }
    player_color(cr, paint.stroke, alpha);
    cairo_set_line_width(cr, paint.width);
    cairo_set_line_cap(cr,
                       paint.cap == FIGURE_CAP_ROUND ? CAIRO_LINE_CAP_ROUND : CAIRO_LINE_CAP_BUTT);
    if (paint.dash > 0) cairo_set_dash(cr, (double[]){paint.dash, paint.gap}, 2, 0);
    cairo_stroke(cr);
    if (paint.dash > 0) cairo_set_dash(cr, NULL, 0, 0);
}

/* Edges of upright boxes fall on pixels: no blurred hairlines, no seams between cells. */
FigureBox player_snap(const Player *player, FigureBox b, double stroke) {
    if (!player->pixels) return b;
    double s = player->scale, shift = 0;
    if (stroke > 0 && (long)fmax(1, round(stroke * s)) % 2 == 1) shift = 0.5;
    double x0 = floor(b.x * s + player->x + 0.5) + shift;
    double y0 = floor(b.y * s + player->y + 0.5) + shift;
    double x1 = floor((b.x + b.w) * s + player->x + 0.5) + shift;
    double y1 = floor((b.y + b.h) * s + player->y + 0.5) + shift;
    return (FigureBox){(x0 - player->x) / s, (y0 - player->y) / s, (x1 - x0) / s, (y1 - y0) / s};
}

void player_rect(const Player *player, const FigureItem *item, double alpha) {
    trace_round_rect(player->cr,
                     player_snap(player, item->box, item->paint.stroke ? item->paint.width : 0),
                     item->radius);
    paint_traced(player, item, alpha);
}

static bool is_upright_line(const FigurePath *path) {
    const float *p = path->points;
    return path->n_ops == 2 && path->ops[1] == 'L' && (p[0] == p[2] || p[1] == p[3]);
}

void player_path(const Player *player, const FigureItem *item, double alpha) {
    if (player->pixels && is_upright_line(&item->path)) {
        const float *p = item->path.points;
        FigureBox b = player_snap(player, (FigureBox){p[0], p[1], p[2] - p[0], p[3] - p[1]},
                                  item->paint.width);
        cairo_move_to(player->cr, b.x, b.y);
        cairo_line_to(player->cr, b.x + b.w, b.y + b.h);
    } else {
        trace_path(player->cr, &item->path);
    }
    paint_traced(player, item, alpha);
}

void player_text(const Player *player, const FigureItem *item, FigureState state) {
    const FigureText *text = item->text;
    TextStyle font = text->style.font;
    Color color = text->style.color;
    if (state == FIGURE_RAISED) font.weight = 600, color = player->theme->accent;
    PangoLayout *layout = text_layout(player->text, text->s, font);
    double width = text->size.width;
    if (state == FIGURE_RAISED) width = text_width(player->text, text->s, font);
    double shift = text->style.anchor == FIGURE_START    ? 0
                   : text->style.anchor == FIGURE_MIDDLE ? -width / 2
                                                         : -width;
    cairo_t *cr = player->cr;
    player_color(cr, color, state == FIGURE_FADED ? 0.25 : 1);
    cairo_save(cr);
    cairo_translate(cr, text->x, text->y);
    if (text->style.angle != 0) cairo_rotate(cr, -text->style.angle * M_PI / 180);
    cairo_move_to(cr, shift, 0);
    PangoLayoutLine *line = pango_layout_get_line_readonly(layout, 0);
    if (player->text_as_paths) {
        pango_cairo_layout_line_path(cr, line);
        cairo_fill(cr);
    } else {
        pango_cairo_show_layout_line(cr, line);
    }
    cairo_restore(cr);
}

void player_outline(const Player *player, FigureBox box, double width) {
    FigureBox b = {box.x - width / 2, box.y - width / 2, box.w + width, box.h + width};
    trace_round_rect(player->cr, player_snap(player, b, width), 0);
    player_color(player->cr, player->theme->accent, 1);
    cairo_set_line_width(player->cr, width);
    cairo_stroke(player->cr);
}
