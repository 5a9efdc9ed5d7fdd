/* See paint.h. Everything ends in blend_row: coverage times colour over an opaque ground. */
#include "app/window/paint.h"

#include <math.h>
#include <string.h>

Box box_cut_top(Box *b, double height) {
    Box cut = {b->x, b->y, b->w, height};
    b->y += height;
    b->h -= height;
    return cut;
}

Box box_cut_bottom(Box *b, double height) {
    b->h -= height;
    return (Box){b->x, b->y + b->h, b->w, height};
}

Box box_cut_left(Box *b, double width) {
    Box cut = {b->x, b->y, width, b->h};
    b->x += width;
    b->w -= width;
    return cut;
}

Box box_cut_right(Box *b, double width) {
    b->w -= width;
    return (Box){b->x + b->w, b->y, width, b->h};
}

void paint_begin(Paint *paint) {
    paint->clip = (PaintClip){0, 0, paint->pixels.width, paint->pixels.height};
}

/* Far-off coordinates must not overflow an int. */
static int to_px(const Paint *paint, double x) {
    double px = x * paint->scale;
    if (!(px > -1e6)) return -1000000;
    return px > 1e6 ? 1000000 : (int)lround(px);
}

static PaintClip box_px(const Paint *paint, Box box) {
    return (PaintClip){to_px(paint, box.x), to_px(paint, box.y), to_px(paint, box.x + box.w),
                       to_px(paint, box.y + box.h)};
}

static PaintClip both(PaintClip a, PaintClip b) {
    PaintClip c = {a.x0 > b.x0 ? a.x0 : b.x0, a.y0 > b.y0 ? a.y0 : b.y0, a.x1 < b.x1 ? a.x1 : b.x1,
                   a.y1 < b.y1 ? a.y1 : b.y1};
    if (c.x1 < c.x0) c.x1 = c.x0;
    if (c.y1 < c.y0) c.y1 = c.y0;
    return c;
}

PaintClip paint_clip(Paint *paint, Box box) {
    PaintClip outer = paint->clip;
    paint->clip = both(outer, box_px(paint, box));
    return outer;
}

void paint_unclip(Paint *paint, PaintClip outer) {
    paint->clip = outer;
}

bool paint_sees(const Paint *paint, Box box) {
    PaintClip c = both(paint->clip, box_px(paint, box));
    return c.x1 > c.x0 && c.y1 > c.y0;
}

static uint32_t *row_at(const Paint *paint, int y) {
    return (uint32_t *)(void *)((uint8_t *)paint->pixels.data + (size_t)y * paint->pixels.stride);
}

static uint32_t opaque(Color c) {
    return 0xff000000u | c >> 8;
}

/* alpha 0..255 */
static uint32_t blend(uint32_t under, Color c, unsigned alpha) {
    unsigned inverse = 255 - alpha;
    unsigned r = (c >> 24) * alpha + (under >> 16 & 0xff) * inverse;
    unsigned g = (c >> 16 & 0xff) * alpha + (under >> 8 & 0xff) * inverse;
    unsigned b = (c >> 8 & 0xff) * alpha + (under & 0xff) * inverse;
    r = (r + 128 + (r >> 8)) >> 8;
    g = (g + 128 + (g >> 8)) >> 8;
    b = (b + 128 + (b >> 8)) >> 8;
    return 0xff000000u | (r > 255 ? 255 : r) << 16 | (g > 255 ? 255 : g) << 8 | (b > 255 ? 255 : b);
}

static void put(uint32_t *pixel, Color c, double coverage) {
    unsigned alpha = (unsigned)(coverage * (double)(c & 0xff) + 0.5);
    if (alpha == 255)
        *pixel = opaque(c);
    else if (alpha)
        *pixel = blend(*pixel, c, alpha);
}

static void fill_px(Paint *paint, PaintClip area, Color color) {
    area = both(area, paint->clip);
    int n = area.x1 - area.x0;
    if (n <= 0 || area.y1 <= area.y0 || !(color & 0xff)) return;
    uint32_t solid = opaque(color), *first = row_at(paint, area.y0) + area.x0;
    bool whole = (color & 0xff) == 0xff;
    for (int x = 0; whole && x < n; x++)
        first[x] = solid;
    for (int y = area.y0 + whole; y < area.y1; y++) {
        uint32_t *row = row_at(paint, y) + area.x0;
        if (whole) memcpy(row, first, (size_t)n * sizeof *row);
        for (int x = 0; !whole && x < n; x++)
            row[x] = blend(row[x], color, color & 0xff);
    }
}

void paint_fill(Paint *paint, Box box, Color color) {
    fill_px(paint, box_px(paint, box), color);
}

void paint_veil(Paint *paint, Box box, Color color) {
    paint_fill(paint, box, color);
}

/* How much of the pixel at (x, y) lies inside a box with round corners: 0..1. */
static double round_coverage(PaintClip b, double radius, int x, int y) {
    double px = x + 0.5, py = y + 0.5;
    double cx = fmin(fmax(px, b.x0 + radius), b.x1 - radius);
    double cy = fmin(fmax(py, b.y0 + radius), b.y1 - radius);
    double dx = px - cx, dy = py - cy;
    if (dx == 0 && dy == 0) return 1;
    double d = radius - sqrt(dx * dx + dy * dy) + 0.5;
    return d < 0 ? 0 : d > 1 ? 1 : d;
}

static double fit_radius(PaintClip b, double radius) {
    double half = fmin(b.x1 - b.x0, b.y1 - b.y0) / 2.0;
    return radius > half ? half : radius;
}

void paint_round(Paint *paint, Box box, double radius, Color color) {
    PaintClip b = box_px(paint, box);
    double r = fit_radius(b, radius * paint->scale);
    int corner = (int)ceil(r);
    fill_px(paint, (PaintClip){b.x0, b.y0 + corner, b.x1, b.y1 - corner}, color);
    PaintClip seen = both(b, paint->clip);
    for (int y = seen.y0; y < seen.y1; y++) {
        if (y >= b.y0 + corner && y < b.y1 - corner) continue;
        uint32_t *row = row_at(paint, y);
        for (int x = seen.x0; x < seen.x1; x++) {
            bool side = x < b.x0 + corner || x >= b.x1 - corner;
            put(row + x, color, side ? round_coverage(b, r, x, y) : 1);
        }
    }
}

/* One row of a frame's corners, or of all of it where the row is among them. */
static void frame_pixels(Paint *paint, int y, int x0, int x1, PaintClip b, double r, int w,
                         Color color) {
    PaintClip inner = {b.x0 + w, b.y0 + w, b.x1 - w, b.y1 - w};
    double inner_r = r > w ? r - w : 0;
    uint32_t *row = row_at(paint, y);
    for (int x = x0; x < x1; x++) {
        bool within = x >= inner.x0 && y >= inner.y0 && x < inner.x1 && y < inner.y1;
        double inside = within ? round_coverage(inner, inner_r, x, y) : 0;
        double coverage = round_coverage(b, r, x, y) - inside;
        if (coverage > 0) put(row + x, color, coverage);
    }
}

/* The straight sides are filled; only the corners are looked at pixel by pixel. */
void paint_frame(Paint *paint, Box box, double radius, double width, Color color) {
    PaintClip b = box_px(paint, box), seen = both(b, paint->clip);
    int w = (int)lround(width * paint->scale);
    if (w < 1) w = 1;
    double r = fit_radius(b, radius * paint->scale);
    int corner = (int)ceil(r) > w ? (int)ceil(r) : w;
    if (b.x1 - b.x0 < 2 * corner || b.y1 - b.y0 < 2 * corner) {
        for (int y = seen.y0; y < seen.y1; y++)
            frame_pixels(paint, y, seen.x0, seen.x1, b, r, w, color);
        return;
    }
    int left = b.x0 + corner, right = b.x1 - corner, top = b.y0 + corner, bottom = b.y1 - corner;
    fill_px(paint, (PaintClip){left, b.y0, right, b.y0 + w}, color);
    fill_px(paint, (PaintClip){left, b.y1 - w, right, b.y1}, color);
    fill_px(paint, (PaintClip){b.x0, top, b.x0 + w, bottom}, color);
    fill_px(paint, (PaintClip){b.x1 - w, top, b.x1, bottom}, color);
    for (int y = seen.y0; y < seen.y1; y++) {
        if (y >= top && y < bottom) continue;
        frame_pixels(paint, y, seen.x0, left < seen.x1 ? left : seen.x1, b, r, w, color);
        frame_pixels(paint, y, right > seen.x0 ? right : seen.x0, seen.x1, b, r, w, color);
    }
}

void paint_shadow(Paint *paint, Box box, double radius, double spread, Color color) {
    PaintClip b = box_px(paint, box);
    double s = spread * paint->scale, r = radius * paint->scale;
    int out = (int)ceil(s);
    PaintClip area = {b.x0 - out, b.y0 - out, b.x1 + out, b.y1 + out};
    PaintClip seen = both(area, paint->clip);
    for (int y = seen.y0; y < seen.y1; y++) {
        uint32_t *row = row_at(paint, y);
        for (int x = seen.x0; x < seen.x1; x++) {
            if (x >= b.x0 + r && x < b.x1 - r && y >= b.y0 + r && y < b.y1 - r) continue;
            double cx = fmin(fmax(x + 0.5, b.x0 + r), b.x1 - r);
            double cy = fmin(fmax(y + 0.5, b.y0 + r), b.y1 - r);
            double dx = x + 0.5 - cx, dy = y + 0.5 - cy;
            double t = 1 - (sqrt(dx * dx + dy * dy) - r) / s;
            if (t > 0) put(row + x, color, t > 1 ? 1 : t * t);
        }
    }
}

static bool polygon_has(const double *xy, int n, double x, double y) {
    bool in = false;
    for (int i = 0, j = n - 1; i < n; j = i++) {
        const double *a = xy + 2 * i, *b = xy + 2 * j;
        if ((a[1] > y) != (b[1] > y) && x < (b[0] - a[0]) * (y - a[1]) / (b[1] - a[1]) + a[0])
            in = !in;
    }
    return in;
}

void paint_polygon(Paint *paint, const double *xy, int n, Color color) {
    enum { MAX = 32, SUB = 4 };
    double p[2 * MAX];
    if (n < 3 || n > MAX) return;
    double x0 = 1e9, y0 = 1e9, x1 = -1e9, y1 = -1e9;
    for (int i = 0; i < n; i++) {
        p[2 * i] = xy[2 * i] * paint->scale;
        p[2 * i + 1] = xy[2 * i + 1] * paint->scale;
        x0 = fmin(x0, p[2 * i]), x1 = fmax(x1, p[2 * i]);
        y0 = fmin(y0, p[2 * i + 1]), y1 = fmax(y1, p[2 * i + 1]);
    }
    if (!(x0 > -1e5 && y0 > -1e5 && x1 < 1e5 && y1 < 1e5)) return;
    PaintClip area = {(int)floor(x0), (int)floor(y0), (int)ceil(x1), (int)ceil(y1)};
    area = both(area, paint->clip);
    for (int y = area.y0; y < area.y1; y++) {
        uint32_t *row = row_at(paint, y);
        for (int x = area.x0; x < area.x1; x++) {
            int hits = 0;
            for (int s = 0; s < SUB * SUB; s++)
                hits +=
                    polygon_has(p, n, x + (s % SUB + 0.5) / SUB, y + (double)(s / SUB + 0.5) / SUB);
            if (hits) put(row + x, color, (double)hits / (SUB * SUB));
        }
    }
}

void paint_stroke(Paint *paint, double x0, double y0, double x1, double y1, double width,
                  Color color) {
    double dx = x1 - x0, dy = y1 - y0, n = hypot(dx, dy);
    if (n <= 0) return;
    double ox = -dy / n * width / 2, oy = dx / n * width / 2;
    double xy[] = {x0 + ox, y0 + oy, x1 + ox, y1 + oy, x1 - ox, y1 - oy, x0 - ox, y0 - oy};
    paint_polygon(paint, xy, 4, color);
}

void paint_mask(Paint *paint, const uint8_t *mask, int w, int h, int stride, int x, int y,
                Color color) {
    PaintClip area = both((PaintClip){x, y, x + w, y + h}, paint->clip);
    unsigned strength = color & 0xff;
    for (int py = area.y0; py < area.y1; py++) {
        const uint8_t *from = mask + (size_t)(py - y) * stride;
        uint32_t *row = row_at(paint, py);
        for (int px = area.x0; px < area.x1; px++) {
            unsigned alpha = from[px - x] * strength / 255;
            if (alpha) row[px] = alpha == 255 ? opaque(color) : blend(row[px], color, alpha);
        }
    }
}

void paint_copy(Paint *paint, const CanvasPixels *from, int x, int y) {
    PaintClip area = both((PaintClip){x, y, x + from->width, y + from->height}, paint->clip);
    if (area.x1 <= area.x0) return;
    for (int py = area.y0; py < area.y1; py++) {
        const uint8_t *row = (const uint8_t *)from->data + (size_t)(py - y) * from->stride;
        memcpy(row_at(paint, py) + area.x0, row + (size_t)(area.x0 - x) * 4,
               (size_t)(area.x1 - area.x0) * 4);
    }
}
