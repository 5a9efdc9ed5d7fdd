/* The cairo player. Matrices go straight into the pixels (one table look-up a pixel); shapes and
 * text go through cairo. A figure of hundreds of lines is kept as a layer of pixels, so that a
 * hover paints the layer and the few lines in focus, not all of them. */
#include "render/canvas.h"

#include <assert.h>
#include <cairo.h>
#include <math.h>
#include <pango/pangocairo.h>
#include <stdlib.h>
#include <string.h>

#include "render/canvas_player.h"

/* From so many lines on a figure is kept as a layer. */
/* From so many on a moving frame shows the kept layer stretched, not the lines themselves. */
enum { LAYER_FROM = 300, STRETCH_FROM = 1500, N_LAYERS = 2 };

typedef struct Layer {
    cairo_surface_t *surface; /* NULL: none yet */
    uint32_t *data;
    uint64_t stamp; /* of the figure */
    CanvasView view;
    int width, height;
} Layer;

struct Canvas {
    Text *text;
    bool owns_text;
    CanvasCache *cache;
    Layer layers[N_LAYERS]; /* [0] at rest, [1] everything faded */
};

static void layer_clear(Layer *layer) {
    if (layer->surface) cairo_surface_destroy(layer->surface);
    free(layer->data);
    *layer = (Layer){0};
}

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
    for (int i = 0; i < N_LAYERS; i++)
        layer_clear(&canvas->layers[i]);
    canvas_cache_free(canvas->cache);
    free(canvas);
}

Text *canvas_text(Canvas *canvas) {
    return canvas->text;
}

/* ---- playing ---- */

/* A layer holds everything but the labels, all lines faded or none; over it come the labels and the
 * lines in focus. */
typedef enum Pass { PASS_ALL, PASS_LAYER_PLAIN, PASS_LAYER_FADED, PASS_OVER } Pass;

static bool outside(const Player *player, FigureBox b) {
    if (!player->pixels) return false;
    PixelBox clip = player->clips[player->n_clips - 1];
    double s = player->scale, grace = 2;
    return (b.x + b.w) * s + player->x < clip.x0 - grace || b.x * s + player->x > clip.x1 + grace ||
           (b.y + b.h) * s + player->y < clip.y0 - grace || b.y * s + player->y > clip.y1 + grace;
}

static void clip_begin(Player *player, FigureBox box) {
    FigureBox b = player_snap(player, box, 0);
    cairo_save(player->cr);
    cairo_rectangle(player->cr, b.x, b.y, b.w, b.h);
    cairo_clip(player->cr);
    PixelBox clip = player->clips[player->n_clips - 1];
    double s = player->scale;
    int x0 = player_round(b.x * s + player->x + 0.5), y0 = player_round(b.y * s + player->y + 0.5);
    int x1 = player_round((b.x + b.w) * s + player->x + 0.5);
    int y1 = player_round((b.y + b.h) * s + player->y + 0.5);
    if (x0 > clip.x0) clip.x0 = x0;
    if (y0 > clip.y0) clip.y0 = y0;
    if (x1 < clip.x1) clip.x1 = x1;
    if (y1 < clip.y1) clip.y1 = y1;
    assert(player->n_clips < CANVAS_MAX_CLIPS);
    player->clips[player->n_clips++] = clip;
}

static void clip_end(Player *player) {
    cairo_restore(player->cr);
    player->n_clips--;
}

static bool has_role(const FigureItem *item, FigureRole role) {
    return item->mark && item->mark->role == role;
}

/* False: not in this pass. */
static bool state_in(const Player *player, const FigureItem *item, Pass pass, FigureState *state) {
    bool label = has_role(item, FIGURE_LABEL), dims = has_role(item, FIGURE_DIMS);
    *state = figure_state(player->figure, item);
    switch (pass) {
    case PASS_ALL:
        return true;
    case PASS_LAYER_PLAIN:
        *state = FIGURE_PLAIN;
        return !label;
    case PASS_LAYER_FADED:
        *state = dims ? FIGURE_FADED : FIGURE_PLAIN;
        return !label;
    case PASS_OVER:
        return label || (dims && *state == FIGURE_PLAIN &&
                         !figure_pick_is_none(figure_focused(player->figure)));
    }
    return true;
}

static void play_item(Player *player, const FigureItem *item, FigureState state) {
    double alpha = state == FIGURE_FADED ? 0.25 : 1;
    switch (item->kind) {
    case FIGURE_RECT:
        player_rect(player, item, alpha);
        break;
    case FIGURE_PATH:
        if (player->many && player_thin_curve(player, item, alpha)) break;
        player_path(player, item, alpha);
        break;
    case FIGURE_TEXT:
        player_text(player, item, state);
        break;
    case FIGURE_IMAGE:
        player_image(player, item);
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

static void play_page(Player *player, bool bare) {
    if (bare || !color_a(player->theme->background)) return;
    FigureBox b = player_snap(player, figure_bounds(player->figure), 0);
    cairo_rectangle(player->cr, b.x, b.y, b.w, b.h);
    player_color(player->cr, player->theme->background, 1);
    cairo_fill(player->cr);
}

static void play_items(Player *player, Pass pass) {
    int n;
    const FigureItem *items = figure_items(player->figure, &n);
    for (int i = 0; i < n; i++) {
        FigureState state = FIGURE_PLAIN;
        if (items[i].kind <= FIGURE_IMAGE) {
            if (outside(player, items[i].box)) continue;
            if (!state_in(player, &items[i], pass, &state)) continue;
        }
        play_item(player, &items[i], state);
    }
    if (pass == PASS_LAYER_PLAIN || pass == PASS_LAYER_FADED) return;
    FigureBox boxes[64];
    n = figure_outlines(player->figure, boxes, 64);
    for (int i = 0; i < n; i++)
        player_outline(player, boxes[i], 2 * player->theme->line_thin);
}

/* ---- on pixels ---- */

static int count_lines(const Figure *figure) {
    int n, n_lines = 0;
    const FigureItem *items = figure_items(figure, &n);
    for (int i = 0; i < n && n_lines < STRETCH_FROM; i++)
        n_lines += items[i].kind == FIGURE_PATH && has_role(&items[i], FIGURE_DIMS);
    return n_lines;
}

static Player player_on(Canvas *canvas, const Figure *figure, const CanvasView *view,
                        const CanvasPixels *pixels) {
    cairo_surface_t *surface =
        cairo_image_surface_create_for_data((unsigned char *)pixels->data, CAIRO_FORMAT_ARGB32,
                                            pixels->width, pixels->height, pixels->stride);
    cairo_t *cr = cairo_create(surface);
    cairo_surface_destroy(surface); /* the context holds it */
    PixelBox clip = {0, 0, pixels->width, pixels->height};
    if (view->clip_w > 0 && view->clip_h > 0) {
        cairo_rectangle(cr, view->clip_x, view->clip_y, view->clip_w, view->clip_h);
        cairo_clip(cr);
        int x1 = view->clip_x + view->clip_w, y1 = view->clip_y + view->clip_h;
        clip = (PixelBox){view->clip_x > 0 ? view->clip_x : 0, view->clip_y > 0 ? view->clip_y : 0,
                          x1 < clip.x1 ? x1 : clip.x1, y1 < clip.y1 ? y1 : clip.y1};
    }
    return (Player){.text = canvas->text,
                    .cache = canvas->cache,
                    .figure = figure,
                    .theme = figure_theme(figure),
                    .cr = cr,
                    .pixels = pixels,
                    .scale = view->scale,
                    .x = view->x,
                    .y = view->y,
                    .moving = view->moving,
                    .many = count_lines(figure) >= LAYER_FROM,
                    .clips = {clip},
                    .n_clips = 1};
}

static void player_begin(const Player *player) {
    cairo_identity_matrix(player->cr);
    cairo_translate(player->cr, player->x, player->y);
    cairo_scale(player->cr, player->scale, player->scale);
}

static void player_end(Player *player) {
    cairo_surface_flush(cairo_get_target(player->cr));
    cairo_destroy(player->cr);
}

static bool same_view(const CanvasView *a, const CanvasView *b) {
    return a->scale == b->scale && a->x == b->x && a->y == b->y && a->clip_x == b->clip_x &&
           a->clip_y == b->clip_y && a->clip_w == b->clip_w && a->clip_h == b->clip_h &&
           a->bare == b->bare;
}

/* The kept layer, drawn anew when it is of another figure or view; NULL when there is no memory. */
static cairo_surface_t *layer_of(Canvas *canvas, const Figure *figure, const CanvasView *view,
                                 const CanvasPixels *pixels, bool faded) {
    Layer *layer = &canvas->layers[faded];
    uint64_t stamp = figure_stamp(figure);
    if (layer->surface && layer->stamp == stamp && layer->width == pixels->width &&
        layer->height == pixels->height && same_view(&layer->view, view))
        return layer->surface;
    if (layer->width != pixels->width || layer->height != pixels->height) layer_clear(layer);
    size_t n_bytes = (size_t)pixels->width * (size_t)pixels->height * sizeof(uint32_t);
    if (!layer->data) layer->data = malloc(n_bytes);
    if (!layer->data) return NULL;
    memset(layer->data, 0, n_bytes);
    layer->width = pixels->width;
    layer->height = pixels->height;
    layer->stamp = stamp;
    layer->view = *view;
    if (!layer->surface)
        layer->surface =
            cairo_image_surface_create_for_data((unsigned char *)layer->data, CAIRO_FORMAT_ARGB32,
                                                pixels->width, pixels->height, pixels->width * 4);
    CanvasPixels own = {layer->data, pixels->width, pixels->height, pixels->width * 4};
    Player player = player_on(canvas, figure, view, &own);
    player_begin(&player);
    play_page(&player, view->bare);
    play_items(&player, faded ? PASS_LAYER_FADED : PASS_LAYER_PLAIN);
    player_end(&player);
    cairo_surface_mark_dirty(layer->surface);
    return layer->surface;
}

/* The layer as it is, moved and stretched to where the view has gone. */
static void paint_stretched(const Player *player, const Layer *layer) {
    cairo_t *cr = player->cr;
    double zoom = player->scale / layer->view.scale;
    cairo_save(cr);
    cairo_translate(cr, player->x - layer->view.x * zoom, player->y - layer->view.y * zoom);
    cairo_scale(cr, zoom, zoom);
    cairo_set_source_surface(cr, layer->surface, 0, 0);
    cairo_pattern_set_filter(cairo_get_source(cr), CAIRO_FILTER_FAST);
    cairo_paint(cr);
    cairo_restore(cr);
}

void canvas_play(Canvas *canvas, const Figure *figure, const CanvasView *view,
                 const CanvasPixels *pixels) {
    bool faded = !figure_pick_is_none(figure_focused(figure));
    const Layer *kept = &canvas->layers[faded];
    int n_lines = view->once ? 0 : count_lines(figure);
    bool stretch = view->moving && n_lines >= STRETCH_FROM && kept->surface &&
                   kept->stamp == figure_stamp(figure) && kept->width == pixels->width &&
                   kept->height == pixels->height;
    cairo_surface_t *layer = NULL;
    if (n_lines >= LAYER_FROM && !view->moving)
        layer = layer_of(canvas, figure, view, pixels, faded);
    Player player = player_on(canvas, figure, view, pixels);
    if (layer) {
        cairo_set_source_surface(player.cr, layer, 0, 0);
        cairo_paint(player.cr);
        player_begin(&player);
    } else {
        player_begin(&player);
        play_page(&player, view->bare);
        cairo_identity_matrix(player.cr);
        if (stretch) paint_stretched(&player, kept);
        player_begin(&player);
    }
    play_items(&player, layer || stretch ? PASS_OVER : PASS_ALL);
    player_end(&player);
    canvas_cache_turn(canvas->cache);
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
    player_color(cr, color, 1);
    cairo_move_to(cr, x, y);
    pango_cairo_show_layout_line(cr, pango_layout_get_line_readonly(layout, 0));
    cairo_destroy(cr);
    cairo_surface_flush(surface);
    cairo_surface_destroy(surface);
}

void canvas_play_cairo(Canvas *canvas, const Figure *figure, cairo_t *cr, bool text_as_paths) {
    Player player = {.text = canvas->text,
                     .cache = canvas->cache,
                     .figure = figure,
                     .theme = figure_theme(figure),
                     .cr = cr,
                     .scale = 1,
                     .text_as_paths = text_as_paths,
                     .clips = {{0, 0, 0, 0}},
                     .n_clips = 1};
    play_page(&player, false);
    play_items(&player, PASS_ALL);
    canvas_cache_turn(canvas->cache);
}
