/* The cairo player. Matrices go straight into the pixels (one table look-up a pixel); shapes and
 * text go through cairo. */
#include "render/canvas.h"

#include <cairo.h>
#include <math.h>
#include <pango/pangocairo.h>
#include <stdlib.h>

#include "render/canvas_cache.h"
#include "render/image.h"

enum { MAX_CLIPS = 16 };

typedef struct PixelBox {
    int x0, y0, x1, y1;
} PixelBox;

typedef struct Player {
    Canvas *canvas;
    const Figure *figure;
    const Theme *theme;
    cairo_t *cr;
    const CanvasPixels *pixels; /* NULL: paper, everything through cairo */
    double scale, x, y;         /* device = point * scale + x */
    bool moving, text_as_paths;
    PixelBox clips[MAX_CLIPS]; /* clips[n_clips - 1] is in force */
    int n_clips;
} Player;

struct Canvas {
    Text *text;
    bool owns_text;
    CanvasCache *cache;
};

Canvas *canvas_new(Text *text) {
    Canvas *canvas = calloc(1, sizeof *canvas);
    if (!canvas) abort();
    canvas->text = text ? text : text_new(NULL);
    canvas->owns_text = !text;
    canvas->cache = canvas_cache_new();
    return canvas;
}

void canvas_free(Canvas *canvas) {
    if (!canvas) return;
    if (canvas->owns_text) text_free(canvas->text);
    canvas_cache_free(canvas->cache);
    free(canvas);
}

Text *canvas_text(Canvas *canvas) {
    return canvas->text;
}

static void set_color(cairo_t *cr, Color c, double alpha) {
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

/* Slanted lines over the box of the traced path, inside it. */
static void fill_hatch(cairo_t *cr, FigureBox box, double alpha, Color color, double width) {
    cairo_save(cr);
    cairo_clip(cr);
    double pitch = 8 * width, first = floor((box.x - box.h) / pitch) * pitch;
    for (double x = first; x < box.x + box.w; x += pitch) {
        cairo_move_to(cr, x + fmod(box.y, pitch), box.y + box.h);
        cairo_line_to(cr, x + fmod(box.y, pitch) + box.h, box.y);
    }
    set_color(cr, color, alpha);
    cairo_set_line_width(cr, width);
    cairo_stroke(cr);
    cairo_restore(cr);
}

static void paint_traced(const Player *player, const FigureItem *item, double alpha) {
    cairo_t *cr = player->cr;
    FigurePaint paint = item->paint;
    if (paint.fill && paint.hatch) {
        cairo_path_t *kept = paint.stroke ? cairo_copy_path(cr) : NULL;
        fill_hatch(cr, item->box, alpha, paint.fill, paint.width > 0 ? paint.width : 0.6);
        if (!kept) return;
        cairo_append_path(cr, kept);
        cairo_path_destroy(kept);
    } else if (paint.fill) {
        set_color(cr, paint.fill, alpha);
        if (paint.stroke)
            cairo_fill_preserve(cr);
        else
            cairo_fill(cr);
    }
    if (!paint.stroke) return;
    set_color(cr, paint.stroke, alpha);
    cairo_set_line_width(cr, paint.width);
    cairo_set_line_cap(cr,
                       paint.cap == FIGURE_CAP_ROUND ? CAIRO_LINE_CAP_ROUND : CAIRO_LINE_CAP_BUTT);
    if (paint.dash > 0) cairo_set_dash(cr, (double[]){paint.dash, paint.gap}, 2, 0);
    cairo_stroke(cr);
    if (paint.dash > 0) cairo_set_dash(cr, NULL, 0, 0);
}

/* Edges of upright boxes fall on pixels: no blurred hairlines, no seams between cells. */
static FigureBox snap(const Player *player, FigureBox b, double stroke) {
    if (!player->pixels) return b;
    double s = player->scale, shift = 0;
    if (stroke > 0 && (long)fmax(1, round(stroke * s)) % 2 == 1) shift = 0.5;
    double x0 = floor(b.x * s + player->x + 0.5) + shift;
    double y0 = floor(b.y * s + player->y + 0.5) + shift;
    double x1 = floor((b.x + b.w) * s + player->x + 0.5) + shift;
    double y1 = floor((b.y + b.h) * s + player->y + 0.5) + shift;
    return (FigureBox){(x0 - player->x) / s, (y0 - player->y) / s, (x1 - x0) / s, (y1 - y0) / s};
}

static void play_rect(const Player *player, const FigureItem *item, double alpha) {
    trace_round_rect(player->cr,
                     snap(player, item->box, item->paint.stroke ? item->paint.width : 0),
                     item->radius);
    paint_traced(player, item, alpha);
}

static bool is_upright_line(const FigurePath *path) {
    const float *p = path->points;
    return path->n_ops == 2 && path->ops[1] == 'L' && (p[0] == p[2] || p[1] == p[3]);
}

static void play_path(const Player *player, const FigureItem *item, double alpha) {
    if (player->pixels && is_upright_line(&item->path)) {
        const float *p = item->path.points;
        FigureBox b =
            snap(player, (FigureBox){p[0], p[1], p[2] - p[0], p[3] - p[1]}, item->paint.width);
        cairo_move_to(player->cr, b.x, b.y);
        cairo_line_to(player->cr, b.x + b.w, b.y + b.h);
    } else {
        trace_path(player->cr, &item->path);
    }
    paint_traced(player, item, alpha);
}

static void play_text(const Player *player, const FigureItem *item, FigureState state) {
    const FigureText *text = item->text;
    TextStyle font = text->style.font;
    Color color = text->style.color;
    if (state == FIGURE_RAISED) font.weight = 600, color = player->theme->accent;
    PangoLayout *layout = text_layout(player->canvas->text, text->s, font);
    double width = text->size.width;
    if (state == FIGURE_RAISED) width = text_width(player->canvas->text, text->s, font);
    double shift = text->style.anchor == FIGURE_START    ? 0
                   : text->style.anchor == FIGURE_MIDDLE ? -width / 2
                                                         : -width;
    cairo_t *cr = player->cr;
    set_color(cr, color, state == FIGURE_FADED ? 0.25 : 1);
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

/* ---- matrices ---- */

static uint32_t premultiplied(Color c) {
    uint32_t a = (uint32_t)color_a(c);
    uint32_t r = ((uint32_t)color_r(c) * a + 127) / 255, g = ((uint32_t)color_g(c) * a + 127) / 255;
    uint32_t b = ((uint32_t)color_b(c) * a + 127) / 255;
    return a << 24 | r << 16 | g << 8 | b;
}

static int round_down(double x) {
    return (int)floor(fmin(fmax(x, -1e8), 1e8));
}

/* Cells into pixels, nearest neighbour, inside the clip. */
static void blit(const Player *player, const CanvasCells *cells, const FigureImage *image,
                 PixelBox to) {
    PixelBox clip = player->clips[player->n_clips - 1];
    int w = to.x1 - to.x0, h = to.y1 - to.y0;
    int x0 = to.x0 > clip.x0 ? to.x0 : clip.x0, x1 = to.x1 < clip.x1 ? to.x1 : clip.x1;
    int y0 = to.y0 > clip.y0 ? to.y0 : clip.y0, y1 = to.y1 < clip.y1 ? to.y1 : clip.y1;
    if (x0 >= x1 || y0 >= y1 || w <= 0 || h <= 0) return;
    uint32_t palette[256];
    for (int i = 0; i < 256; i++)
        palette[i] = premultiplied(image->palette[i]);
    int *column = malloc((size_t)(x1 - x0) * sizeof *column);
    if (!column) return;
    for (int x = x0; x < x1; x++)
        column[x - x0] = (int)((2 * (int64_t)(x - to.x0) + 1) * cells->columns / (2 * (int64_t)w));
    cairo_surface_t *target = cairo_get_target(player->cr);
    cairo_surface_flush(target);
    char *base = (char *)player->pixels->data;
    int last_row = -1;
    const uint32_t *last = NULL;
    for (int y = y0; y < y1; y++) {
        int row = (int)((2 * (int64_t)(y - to.y0) + 1) * cells->rows / (2 * (int64_t)h));
        uint32_t *out = (uint32_t *)(void *)(base + (ptrdiff_t)y * player->pixels->stride) + x0;
        const uint8_t *in = cells->data + (size_t)row * (size_t)cells->columns;
        if (row == last_row && !image->has_masked) {
            memcpy(out, last, (size_t)(x1 - x0) * sizeof *out);
            continue;
        }
        if (image->has_masked) {
            for (int x = 0; x < x1 - x0; x++)
                if (in[column[x]]) out[x] = palette[in[column[x]]];
        } else {
            for (int x = 0; x < x1 - x0; x++)
                out[x] = palette[in[column[x]]];
        }
        last_row = row;
        last = out;
    }
    cairo_surface_mark_dirty_rectangle(target, x0, y0, x1 - x0, y1 - y0);
    free(column);
}

static void play_cells(const Player *player, const FigureItem *item) {
    double s = player->scale;
    int w = round_down(item->box.w * s + 0.5), h = round_down(item->box.h * s + 0.5);
    int x = round_down(item->box.x * s + player->x + 0.5);
    int y = round_down(item->box.y * s + player->y + 0.5);
    if (w < 1) w = 1;
    if (h < 1) h = 1;
    int rows, columns;
    image_fit(item->image, w, h, &rows, &columns);
    if (player->moving) {
        rows = item->image->rows, columns = item->image->columns;
        while (rows > h)
            rows = (rows + 1) / 2;
        while (columns > w)
            columns = (columns + 1) / 2;
    }
    const CanvasCells *cells =
        canvas_cache_cells(player->canvas->cache, item->image, rows, columns);
    if (cells) blit(player, cells, item->image, (PixelBox){x, y, x + w, y + h});
}

/* A matrix as a cairo surface, for paper; a picture for any target. */
static cairo_surface_t *surface_of(const FigureImage *image, const CanvasCells *cells) {
    int rows = cells ? cells->rows : image->rows, columns = cells ? cells->columns : image->columns;
    bool opaque = cells && !image->has_masked && !image->blends;
    cairo_surface_t *surface = cairo_image_surface_create(
        opaque ? CAIRO_FORMAT_RGB24 : CAIRO_FORMAT_ARGB32, columns, rows);
    if (cairo_surface_status(surface) != CAIRO_STATUS_SUCCESS) return surface;
    cairo_surface_flush(surface);
    unsigned char *base = cairo_image_surface_get_data(surface);
    int stride = cairo_image_surface_get_stride(surface);
    for (int r = 0; r < rows; r++) {
        uint32_t *out = (uint32_t *)(void *)(base + (ptrdiff_t)r * stride);
        for (int c = 0; c < columns; c++) {
            size_t at = (size_t)r * (size_t)columns + (size_t)c;
            if (cells) {
                bool absent = image->has_masked && cells->data[at] == 0;
                out[c] = absent ? 0 : premultiplied(image->palette[cells->data[at]]);
            } else {
                const uint8_t *p = image->rgba + 4 * at;
                out[c] =
                    premultiplied((Color)p[0] << 24 | (Color)p[1] << 16 | (Color)p[2] << 8 | p[3]);
            }
        }
    }
    cairo_surface_mark_dirty(surface);
    return surface;
}

static void play_surface(const Player *player, const FigureItem *item) {
    const FigureImage *image = item->image;
    const CanvasCells *cells = NULL;
    if (!image->rgba) {
        int rows, columns;
        image_fit(image, item->box.w * 3, item->box.h * 3, &rows, &columns);
        cells = canvas_cache_cells(player->canvas->cache, image, rows, columns);
        if (!cells) return;
    }
    cairo_surface_t *surface = surface_of(image, cells);
    if (cairo_surface_status(surface) == CAIRO_STATUS_SUCCESS) {
        cairo_t *cr = player->cr;
        cairo_save(cr);
        cairo_translate(cr, item->box.x, item->box.y);
        cairo_scale(cr, item->box.w / cairo_image_surface_get_width(surface),
                    item->box.h / cairo_image_surface_get_height(surface));
        cairo_set_source_surface(cr, surface, 0, 0);
        cairo_pattern_set_filter(cairo_get_source(cr),
                                 image->smooth ? CAIRO_FILTER_GOOD : CAIRO_FILTER_NEAREST);
        cairo_pattern_set_extend(cairo_get_source(cr), CAIRO_EXTEND_PAD);
        cairo_rectangle(cr, 0, 0, cairo_image_surface_get_width(surface),
                        cairo_image_surface_get_height(surface));
        cairo_fill(cr);
        cairo_restore(cr);
    }
    cairo_surface_destroy(surface);
}

/* ---- playing ---- */

static bool outside(const Player *player, FigureBox b) {
    if (!player->pixels) return false;
    PixelBox clip = player->clips[player->n_clips - 1];
    double s = player->scale, grace = 2;
    return (b.x + b.w) * s + player->x < clip.x0 - grace || b.x * s + player->x > clip.x1 + grace ||
           (b.y + b.h) * s + player->y < clip.y0 - grace || b.y * s + player->y > clip.y1 + grace;
}

static void clip_begin(Player *player, FigureBox box) {
    FigureBox b = snap(player, box, 0);
    cairo_save(player->cr);
    cairo_rectangle(player->cr, b.x, b.y, b.w, b.h);
    cairo_clip(player->cr);
    if (player->n_clips == MAX_CLIPS) return;
    PixelBox clip = player->clips[player->n_clips - 1];
    double s = player->scale;
    int x0 = round_down(b.x * s + player->x + 0.5), y0 = round_down(b.y * s + player->y + 0.5);
    int x1 = round_down((b.x + b.w) * s + player->x + 0.5);
    int y1 = round_down((b.y + b.h) * s + player->y + 0.5);
    if (x0 > clip.x0) clip.x0 = x0;
    if (y0 > clip.y0) clip.y0 = y0;
    if (x1 < clip.x1) clip.x1 = x1;
    if (y1 < clip.y1) clip.y1 = y1;
    player->clips[player->n_clips++] = clip;
}

static void clip_end(Player *player) {
    cairo_restore(player->cr);
    if (player->n_clips > 1) player->n_clips--;
}

static void play_item(Player *player, const FigureItem *item) {
    FigureState state = figure_state(player->figure, item);
    double alpha = state == FIGURE_FADED ? 0.25 : 1;
    switch (item->kind) {
    case FIGURE_RECT:
        play_rect(player, item, alpha);
        break;
    case FIGURE_PATH:
        play_path(player, item, alpha);
        break;
    case FIGURE_TEXT:
        play_text(player, item, state);
        break;
    case FIGURE_IMAGE:
        if (player->pixels && !item->image->rgba && !item->image->blends)
            play_cells(player, item);
        else
            play_surface(player, item);
        break;
    case FIGURE_CLIP_BEGIN:
        clip_begin(player, item->box);
        break;
    case FIGURE_CLIP_END:
        clip_end(player);
        break;
    case FIGURE_GROUP_BEGIN:
    case FIGURE_GROUP_END:
        break;
    }
}

static void play_all(Player *player, bool bare) {
    cairo_t *cr = player->cr;
    if (!bare && color_a(player->theme->background)) {
        FigureBox page = figure_bounds(player->figure);
        FigureBox b = snap(player, page, 0);
        cairo_rectangle(cr, b.x, b.y, b.w, b.h);
        set_color(cr, player->theme->background, 1);
        cairo_fill(cr);
    }
    int n;
    const FigureItem *items = figure_items(player->figure, &n);
    for (int i = 0; i < n; i++) {
        bool shape = items[i].kind <= FIGURE_IMAGE;
        if (shape && outside(player, items[i].box)) continue;
        play_item(player, &items[i]);
    }
    FigureBox boxes[64];
    n = figure_outlines(player->figure, boxes, 64);
    double width = 2 * player->theme->line_thin;
    for (int i = 0; i < n; i++) {
        FigureBox b = {boxes[i].x - width / 2, boxes[i].y - width / 2, boxes[i].w + width,
                       boxes[i].h + width};
        trace_round_rect(cr, snap(player, b, width), 0);
        set_color(cr, player->theme->accent, 1);
        cairo_set_line_width(cr, width);
        cairo_stroke(cr);
    }
}

void canvas_play(Canvas *canvas, const Figure *figure, const CanvasView *view,
                 const CanvasPixels *pixels) {
    cairo_surface_t *surface =
        cairo_image_surface_create_for_data((unsigned char *)pixels->data, CAIRO_FORMAT_ARGB32,
                                            pixels->width, pixels->height, pixels->stride);
    cairo_t *cr = cairo_create(surface);
    PixelBox clip = {0, 0, pixels->width, pixels->height};
    if (view->clip_w > 0 && view->clip_h > 0) {
        cairo_rectangle(cr, view->clip_x, view->clip_y, view->clip_w, view->clip_h);
        cairo_clip(cr);
        int x1 = view->clip_x + view->clip_w, y1 = view->clip_y + view->clip_h;
        clip = (PixelBox){view->clip_x > 0 ? view->clip_x : 0, view->clip_y > 0 ? view->clip_y : 0,
                          x1 < clip.x1 ? x1 : clip.x1, y1 < clip.y1 ? y1 : clip.y1};
    }
    cairo_translate(cr, view->x, view->y);
    cairo_scale(cr, view->scale, view->scale);
    Player player = {.canvas = canvas,
                     .figure = figure,
                     .theme = figure_theme(figure),
                     .cr = cr,
                     .pixels = pixels,
                     .scale = view->scale,
                     .x = view->x,
                     .y = view->y,
                     .moving = view->moving,
                     .clips = {clip},
                     .n_clips = 1};
    play_all(&player, view->bare);
    canvas_cache_turn(canvas->cache);
    cairo_destroy(cr);
    cairo_surface_flush(surface);
    cairo_surface_destroy(surface);
}

void canvas_line(Canvas *canvas, const CanvasPixels *pixels, double x, double y, Str s,
                 TextStyle style, Color color) {
    if (s.n == 0) return;
    cairo_surface_t *surface =
        cairo_image_surface_create_for_data((unsigned char *)pixels->data, CAIRO_FORMAT_ARGB32,
                                            pixels->width, pixels->height, pixels->stride);
    cairo_t *cr = cairo_create(surface);
    Arena *arena = arena_new();
    PangoLayout *layout = text_layout(canvas->text, text_clean(arena, s), style);
    arena_free(arena);
    set_color(cr, color, 1);
    cairo_move_to(cr, x, y);
    pango_cairo_show_layout_line(cr, pango_layout_get_line_readonly(layout, 0));
    cairo_destroy(cr);
    cairo_surface_flush(surface);
    cairo_surface_destroy(surface);
}

void canvas_play_cairo(Canvas *canvas, const Figure *figure, cairo_t *cr, bool text_as_paths) {
    Player player = {.canvas = canvas,
                     .figure = figure,
                     .theme = figure_theme(figure),
                     .cr = cr,
                     .scale = 1,
                     .text_as_paths = text_as_paths,
                     .clips = {{0, 0, 0, 0}},
                     .n_clips = 1};
    play_all(&player, false);
    canvas_cache_turn(canvas->cache);
}
