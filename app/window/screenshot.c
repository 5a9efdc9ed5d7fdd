/* A figure of one picture, a point a pixel: the same writer as for all other figures. */
#include "app/window/screenshot.h"

#include "render/export.h"

bool screenshot_save(const CanvasPixels *pixels, const char *path, Error *error) {
    Arena *arena = arena_new();
    int w = pixels->width, h = pixels->height;
    uint8_t *rgba = arena_alloc(arena, (size_t)w * (size_t)h * 4);
    for (int y = 0; y < h; y++) {
        const uint32_t *row = (const uint32_t *)(const void *)((const uint8_t *)pixels->data +
                                                               (size_t)y * pixels->stride);
        for (int x = 0; x < w; x++) {
            uint8_t *to = rgba + ((size_t)y * w + x) * 4;
            to[0] = (uint8_t)(row[x] >> 16);
            to[1] = (uint8_t)(row[x] >> 8);
            to[2] = (uint8_t)row[x];
            to[3] = 255;
        }
    }
    Text *fonts = text_new(NULL);
    Figure *figure = figure_new(theme_of(THEME_LIGHT), fonts);
    figure_page(figure, w, h);
    FigureImage image = {.rows = h, .columns = w, .rgba = rgba, .first = FIGURE_PICK_NONE};
    figure_image(figure, (FigureBox){0, 0, w, h}, &image, NULL);
    figure_seal(figure);
    bool ok = export_figure(figure, path, &(ExportOptions){.dpi = 72}, error);
    figure_free(figure);
    text_free(fonts);
    arena_free(arena);
    return ok;
}
