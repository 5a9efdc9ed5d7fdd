/* Plays a figure on pixels or a cairo context. A Canvas keeps what is dear to make (shaped lines,
 * reduced matrices) between plays, found by content, so that a figure rebuilt with the same labels
 * and matrices costs no more than the old one. One per thread.
 *
 *     Canvas *canvas = canvas_new(text);                         text may be NULL: its own
 *     CanvasView view = {.scale = 2, .x = -120, .y = 0};         pixel = point * scale + x
 *     canvas_play(canvas, figure, &view, &(CanvasPixels){pixels, width, height, stride});
 *     canvas_free(canvas);
 *
 * What lies outside the clip is skipped. Matrices are drawn sharp, reduced by their own rule where
 * there are more cells than pixels; `moving` takes the nearest power-of-two reduction instead
 * (kept for all scales), for frames that are gone a moment later.
 */
#ifndef RENDER_CANVAS_H
#define RENDER_CANVAS_H

#include <stdbool.h>
#include <stdint.h>

#include "render/figure.h"

typedef struct Canvas Canvas;

typedef struct CanvasView {
    double scale;                       /* pixels a point */
    double x, y;                        /* pixels: where the figure's 0,0 falls */
    int clip_x, clip_y, clip_w, clip_h; /* pixels; all 0: everything */
    bool moving;                        /* quick matrices */
    bool bare;                          /* do not paint the page's background */
    bool once;                          /* will not be played again: keep nothing (files) */
} CanvasView;

/* Native-endian 0xAARRGGBB, premultiplied (SDL_PIXELFORMAT_ARGB8888 where opaque). */
typedef struct CanvasPixels {
    uint32_t *data;
    int width, height;
    int stride; /* bytes from row to row */
} CanvasPixels;

Canvas *canvas_new(Text *text);
void canvas_free(Canvas *canvas);
Text *canvas_text(Canvas *canvas);
/* Never fails: what cannot be drawn is left out. */
void canvas_play(Canvas *canvas, const Figure *figure, const CanvasView *view,
                 const CanvasPixels *pixels);
/* A line of text alone, for fields and lists of the window: shaped, any script. x, y: start of the
 * baseline in pixels; style.size in pixels. */
void canvas_line(Canvas *canvas, const CanvasPixels *pixels, double x, double y, Str s,
                 TextStyle style, Color color);

/* Onto a cairo context (PDF pages), one point a unit; text as outlines when asked. */
struct _cairo;
void canvas_play_cairo(Canvas *canvas, const Figure *figure, struct _cairo *cr, bool text_as_paths);

#endif
