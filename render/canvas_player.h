/* Inside render/canvas: what plays one figure, and how it paints each kind of item. */
#ifndef RENDER_CANVAS_PLAYER_H
#define RENDER_CANVAS_PLAYER_H

#include <cairo.h>

#include "render/canvas.h"
#include "render/canvas_cache.h"

enum { CANVAS_MAX_CLIPS = 16 };

typedef struct PixelBox {
    int x0, y0, x1, y1;
} PixelBox;

typedef struct Player {
    Text *text;
    CanvasCache *cache;
    const Figure *figure;
    const Theme *theme;
    cairo_t *cr;
    const CanvasPixels *pixels; /* NULL: paper, everything through cairo */
    double scale, x, y;         /* device = point * scale + x */
    bool moving, text_as_paths;
    bool many;                        /* so many lines that the thin ones are drawn quickly */
    PixelBox clips[CANVAS_MAX_CLIPS]; /* clips[n_clips - 1] is in force */
    int n_clips;
} Player;

void player_rect(const Player *player, const FigureItem *item, double alpha);
void player_path(const Player *player, const FigureItem *item, double alpha);
/* A thin curve drawn quickly; false: not one, or not on pixels. */
bool player_thin_curve(const Player *player, const FigureItem *item, double alpha);
void player_text(const Player *player, const FigureItem *item, FigureState state);
void player_image(const Player *player, const FigureItem *item);
/* Outlines of what is in focus. */
void player_outline(const Player *player, FigureBox box, double width);
/* Edges of upright boxes on whole pixels; b itself on paper. stroke: width of the line, 0 none. */
FigureBox player_snap(const Player *player, FigureBox b, double stroke);
void player_color(cairo_t *cr, Color c, double alpha);
int player_round(double x);

#endif
