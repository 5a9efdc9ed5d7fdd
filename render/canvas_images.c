/* How a player paints matrices: straight into the pixels, one table look-up each; on paper, and for
 * pictures, as cairo surfaces. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "render/canvas_player.h"
#include "render/image.h"

static uint32_t premultiplied(Color c) {
    uint32_t a = (uint32_t)color_a(c);
    uint32_t r = ((uint32_t)color_r(c) * a + 127) / 255, g = ((uint32_t)color_g(c) * a + 127) / 255;
    uint32_t b = ((uint32_t)color_b(c) * a + 127) / 255;
    return a << 24 | r << 16 | g << 8 | b;
}

int player_round(double x) {
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
    int w = player_round(item->box.w * s + 0.5), h = player_round(item->box.h * s + 0.5);
    int x = player_round(item->box.x * s + player->x + 0.5);
    int y = player_round(item->box.y * s + player->y + 0.5);
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
    const CanvasCells *cells = canvas_cache_cells(player->cache, item->image, rows, columns);
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
        cells = canvas_cache_cells(player->cache, image, rows, columns);
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

void player_image(const Player *player, const FigureItem *item) {
    if (item->image->rows < 1 || item->image->columns < 1) return;
    if (player->pixels && !item->image->rgba && !item->image->blends)
        play_cells(player, item);
    else
        play_surface(player, item);
}
