/* Thin curves by the thousand. cairo takes a tenth of a millisecond for each, most of it for rows
 * of pixels that the curve only passes; here a curve costs the pixels that it covers.
 *
 * Where it runs flat, each column of pixels gets the span of height width * sqrt(1 + slope^2) about
 * the curve; where it runs steep, each row the span of its width. Every column or row is met once,
 * so that a translucent line does not darken itself. Caps are left out: a line thinner than three
 * pixels has none to speak of.
 */
#include <math.h>

#include "render/canvas_player.h"

static const double MAX_WIDTH = 3; /* pixels */

/* Across the line, in 1/256 of a pixel: whole numbers are most of the speed. */
enum { FINE = 256 };

typedef struct Ink {
    uint32_t *data;
    ptrdiff_t pitch; /* pixels from row to row */
    PixelBox clip;
    uint32_t rb, ag; /* 0x00RR00BB, 0x00ff00GG */
    uint32_t alpha;  /* 0..255 * FINE */
} Ink;

/* Two numbers up to 255 * 255, in the halves of a word, each by 255 and rounded. */
static inline uint32_t by_255(uint32_t pair) {
    pair += 0x00800080;
    return (pair + (pair >> 8 & 0x00ff00ff)) >> 8 & 0x00ff00ff;
}

/* coverage: 0..FINE */
static inline void blend(const Ink *ink, uint32_t *p, int coverage) {
    uint32_t a = (ink->alpha * (uint32_t)coverage + FINE * FINE / 2) / (FINE * FINE);
    uint32_t rest = 255 - a;
    *p = by_255(ink->rb * a + (*p & 0x00ff00ff) * rest) |
         by_255(ink->ag * a + (*p >> 8 & 0x00ff00ff) * rest) << 8;
}

/* The span low..high, in fine units, of one column or row: pixels `step` apart from `line` on,
 * begin..end of which may be painted. */
static inline void put_span(const Ink *ink, uint32_t *line, ptrdiff_t step, int begin, int end,
                            int low, int high) {
    if (low < begin * FINE) low = begin * FINE;
    if (high > end * FINE) high = end * FINE;
    if (low >= high) return;
    int from = low / FINE, to = high / FINE; /* the clip begins at 0 or later */
    uint32_t *p = line + from * step;
    if (from == to) {
        blend(ink, p, high - low);
        return;
    }
    blend(ink, p, (from + 1) * FINE - low);
    for (int i = from + 1; i < to; i++)
        blend(ink, p += step, FINE);
    if (high > to * FINE) blend(ink, p + step, high - to * FINE);
}

/* One straight piece: along its longer axis, pixel centres from a to b, b left to the next piece.
 */
static void put_piece(const Ink *ink, const double a[2], const double b[2], double width) {
    int along = fabs(b[0] - a[0]) >= fabs(b[1] - a[1]) ? 0 : 1, across = 1 - along;
    double run = b[along] - a[along];
    if (run == 0) return;
    double slope = (b[across] - a[across]) / run, half = width / 2 * sqrt(1 + slope * slope);
    int first = (int)ceil(fmin(a[along], b[along]) - 0.5);
    int end = (int)ceil(fmax(a[along], b[along]) - 0.5);
    PixelBox clip = ink->clip;
    bool flat = along == 0;
    int low = flat ? clip.x0 : clip.y0, high = flat ? clip.x1 : clip.y1;
    if (first < low) first = low;
    if (end > high) end = high;
    ptrdiff_t onward = flat ? 1 : ink->pitch, step = flat ? ink->pitch : 1;
    uint32_t *line = ink->data + first * onward;
    for (int i = first; i < end; i++, line += onward) {
        double middle = a[across] + (i + 0.5 - a[along]) * slope;
        double from = fmax(middle - half, 0), to = fmin(middle + half, 1 << 20);
        if (from < to)
            put_span(ink, line, step, flat ? clip.y0 : clip.x0, flat ? clip.y1 : clip.x1,
                     (int)(from * FINE), (int)(to * FINE));
    }
}

bool player_thin_curve(const Player *player, const FigureItem *item, double alpha) {
    const FigurePath *path = &item->path;
    bool plain = path->n_ops == 2 && path->ops[0] == 'M' && path->ops[1] == 'C' &&
                 !item->paint.fill && item->paint.stroke && item->paint.dash <= 0;
    double width = item->paint.width * player->scale;
    if (!plain || !player->pixels || width > MAX_WIDTH) return false;
    double p[4][2];
    for (int i = 0; i < 4; i++) {
        p[i][0] = path->points[2 * i] * player->scale + player->x;
        p[i][1] = path->points[2 * i + 1] * player->scale + player->y;
    }
    Color color = item->paint.stroke;
    /* A line thinner than a pixel is a pixel wide and fainter. */
    double thin = fmin(width, 1);
    Ink ink = {.data = player->pixels->data,
               .pitch = player->pixels->stride / (int)sizeof(uint32_t),
               .clip = player->clips[player->n_clips - 1],
               .rb = (uint32_t)(color_r(color) << 16 | color_b(color)),
               .ag = (uint32_t)(0xff << 16 | color_g(color)),
               .alpha = (uint32_t)(color_a(color) * alpha * thin * FINE + 0.5)};
    width = fmax(width, 1);
    double length = fabs(p[3][0] - p[0][0]) + fabs(p[3][1] - p[0][1]);
    int n = length < 64 ? 8 : length > 1024 ? 64 : (int)(length / 12) + 3;
    cairo_surface_flush(cairo_get_target(player->cr));
    double at[2] = {p[0][0], p[0][1]};
    for (int i = 1; i <= n; i++) {
        double t = (double)i / n, u = 1 - t, next[2];
        for (int k = 0; k < 2; k++)
            next[k] = u * u * u * p[0][k] + 3 * u * u * t * p[1][k] + 3 * u * t * t * p[2][k] +
                      t * t * t * p[3][k];
        put_piece(&ink, at, next, width);
        at[0] = next[0], at[1] = next[1];
    }
    cairo_surface_mark_dirty(cairo_get_target(player->cr));
    return true;
}
