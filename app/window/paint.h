/* Flat shapes on the window's pixels: filled, rounded and framed boxes, small polygons for icons,
 * masks of glyphs. All the chrome is made of these; the picture is the canvas' work.
 *
 *     Paint paint = {.pixels = {data, width, height, stride}, .scale = 2};
 *     paint_begin(&paint);
 *     paint_round(&paint, (Box){16, 8, 120, 32}, 8, theme->accent);
 *     PaintClip outer = paint_clip(&paint, (Box){0, 0, 200, 400});
 *     ...
 *     paint_unclip(&paint, outer);
 *
 * Boxes are in units of the layout (one pixel at 100 %); edges are set on whole pixels, so that
 * lines stay sharp at any scale. Colours are 0xRRGGBBAA; the ground is opaque.
 */
#ifndef APP_WINDOW_PAINT_H
#define APP_WINDOW_PAINT_H

#include <stdbool.h>
#include <stdint.h>

#include "render/canvas.h"
#include "render/color.h"

typedef struct Box {
    double x, y, w, h;
} Box;

static inline bool box_has(Box b, double x, double y) {
    return x >= b.x && y >= b.y && x < b.x + b.w && y < b.y + b.h;
}
static inline Box box_inset(Box b, double dx, double dy) {
    return (Box){b.x + dx, b.y + dy, b.w - 2 * dx, b.h - 2 * dy};
}
/* Cuts a strip off one side and leaves the rest in b. */
Box box_cut_top(Box *b, double height);
Box box_cut_bottom(Box *b, double height);
Box box_cut_left(Box *b, double width);
Box box_cut_right(Box *b, double width);

typedef struct PaintClip {
    int x0, y0, x1, y1; /* pixels */
} PaintClip;

typedef struct Paint {
    CanvasPixels pixels;
    double scale; /* pixels a unit */
    PaintClip clip;
} Paint;

void paint_begin(Paint *paint); /* clip: everything */
PaintClip paint_clip(Paint *paint, Box box);
void paint_unclip(Paint *paint, PaintClip outer);
bool paint_sees(const Paint *paint, Box box); /* does any of it show? */

void paint_fill(Paint *paint, Box box, Color color);
void paint_round(Paint *paint, Box box, double radius, Color color);
/* A line of `width` units (one pixel at least) along the inside of the edge. */
void paint_frame(Paint *paint, Box box, double radius, double width, Color color);
/* A soft shadow round a box that floats. */
void paint_shadow(Paint *paint, Box box, double radius, double spread, Color color);
/* xy [n][2] in units; filled, anti-aliased. At most 32 corners. */
void paint_polygon(Paint *paint, const double *xy, int n, Color color);
void paint_stroke(Paint *paint, double x0, double y0, double x1, double y1, double width,
                  Color color);
/* Coverage 0..255 [h][stride] at a pixel. */
void paint_mask(Paint *paint, const uint8_t *mask, int w, int h, int stride, int x, int y,
                Color color);
/* Lays a veil of a colour over what is there. */
void paint_veil(Paint *paint, Box box, Color color);
/* Copies rows of opaque pixels, [h][stride bytes], to a pixel. */
void paint_copy(Paint *paint, const CanvasPixels *from, int x, int y);

#endif
