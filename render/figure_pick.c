/* Which item lies under a point, and the text form of a figure. */
#include <math.h>
#include <stdlib.h>

#include "render/figure.h"

/* How far from a line a pointer may be and still mean it. */
static const double GRACE = 3;

static bool agrees(int a, int b) {
    return a < 0 || b < 0 || a == b;
}

bool figure_pick_matches(FigurePick item, FigurePick focus) {
    return agrees(item.series, focus.series) && agrees(item.query, focus.query) &&
           agrees(item.key, focus.key);
}

static bool shares(int a, int b) {
    return a >= 0 && a == b;
}

/* Agrees, and on something. */
static bool belongs(FigurePick item, FigurePick focus) {
    return figure_pick_matches(item, focus) &&
           (shares(item.series, focus.series) || shares(item.query, focus.query) ||
            shares(item.key, focus.key));
}

FigureState figure_state(const Figure *figure, const FigureItem *item) {
    FigurePick focus = figure_focused(figure);
    if (!item->mark || figure_pick_is_none(focus)) return FIGURE_PLAIN;
    FigurePick pick = item->mark->pick;
    switch (item->mark->role) {
    case FIGURE_DIMS:
        return figure_pick_matches(pick, focus) ? FIGURE_PLAIN : FIGURE_FADED;
    case FIGURE_LABEL:
        /* The name of a head is not raised because one of its lines is. */
        return belongs(pick, focus) ? FIGURE_RAISED : FIGURE_PLAIN;
    case FIGURE_CELL:
    case FIGURE_STATIC:
        break;
    }
    return FIGURE_PLAIN;
}

static double segment_distance(double x, double y, const double a[2], const double b[2]) {
    double dx = b[0] - a[0], dy = b[1] - a[1], length = dx * dx + dy * dy;
    double t = length > 0 ? ((x - a[0]) * dx + (y - a[1]) * dy) / length : 0;
    t = t < 0 ? 0 : t > 1 ? 1 : t;
    return hypot(x - a[0] - t * dx, y - a[1] - t * dy);
}

static void curve_at(const double from[2], const float *p, double t, double out[2]) {
    double u = 1 - t;
    for (int i = 0; i < 2; i++)
        out[i] = u * u * u * from[i] + 3 * u * u * t * p[i] + 3 * u * t * t * p[2 + i] +
                 t * t * t * p[4 + i];
}

typedef struct Probe {
    double x, y, distance;
    int crossings; /* of a ray to the right: odd inside */
} Probe;

static void probe_segment(Probe *probe, const double a[2], const double b[2]) {
    double d = segment_distance(probe->x, probe->y, a, b);
    if (d < probe->distance) probe->distance = d;
    if ((a[1] > probe->y) != (b[1] > probe->y) &&
        probe->x < a[0] + (probe->y - a[1]) / (b[1] - a[1]) * (b[0] - a[0]))
        probe->crossings++;
}

static bool path_hit(const FigureItem *item, double x, double y) {
    Probe probe = {x, y, HUGE_VAL, 0};
    double at[2] = {0, 0}, start[2] = {0, 0};
    const float *p = item->path.points;
    for (int i = 0; i < item->path.n_ops; i++) {
        double next[2] = {0, 0};
        switch (item->path.ops[i]) {
        case 'M':
            at[0] = start[0] = p[0], at[1] = start[1] = p[1];
            p += 2;
            break;
        case 'L':
            next[0] = p[0], next[1] = p[1];
            probe_segment(&probe, at, next);
            at[0] = next[0], at[1] = next[1];
            p += 2;
            break;
        case 'C': {
            const double from[2] = {at[0], at[1]};
            for (int k = 1; k <= 16; k++) {
                curve_at(from, p, k / 16.0, next);
                probe_segment(&probe, at, next);
                at[0] = next[0], at[1] = next[1];
            }
            p += 6;
            break;
        }
        case 'Z':
            probe_segment(&probe, at, start);
            at[0] = start[0], at[1] = start[1];
            break;
        }
    }
    if (item->paint.fill && probe.crossings % 2) return true;
    return item->paint.stroke && probe.distance <= fmax(item->paint.width / 2, GRACE);
}

static bool box_holds(FigureBox b, double x, double y, double grace) {
    return x >= b.x - grace && x < b.x + b.w + grace && y >= b.y - grace && y < b.y + b.h + grace;
}

/* Which row or column stands for this query or key; -1: none does. */
static int place_of(const int *names, int n, int first, int wanted) {
    if (!names) return wanted >= first && wanted < first + n ? wanted - first : -1;
    for (int i = 0; i < n; i++)
        if (names[i] == wanted) return i;
    return -1;
}

static int n_queries(const FigureImage *image) {
    return image->transposed ? image->columns : image->rows;
}

static int n_keys(const FigureImage *image) {
    return image->transposed ? image->rows : image->columns;
}

static FigurePick cell_pick(const FigureItem *item, double x, double y) {
    const FigureImage *image = item->image;
    FigurePick pick = image->first;
    if (pick.query < 0 && pick.key < 0) return pick;
    int row = (int)((y - item->box.y) / item->box.h * image->rows);
    int column = (int)((x - item->box.x) / item->box.w * image->columns);
    row = row < 0 ? 0 : row >= image->rows ? image->rows - 1 : row;
    column = column < 0 ? 0 : column >= image->columns ? image->columns - 1 : column;
    int query = image->transposed ? column : row, key = image->transposed ? row : column;
    pick.query = image->queries ? image->queries[query] : pick.query + query;
    pick.key = image->keys ? image->keys[key] : pick.key + key;
    return pick;
}

FigurePick figure_pick(const Figure *figure, double x, double y, const FigureMark **mark) {
    int n;
    const FigureItem *items = figure_items(figure, &n);
    if (mark) *mark = NULL;
    for (int i = n - 1; i >= 0; i--) {
        const FigureItem *item = &items[i];
        if (!item->mark && item->kind != FIGURE_IMAGE) continue;
        if (!box_holds(item->box, x, y, item->kind == FIGURE_PATH ? GRACE : 0)) continue;
        FigurePick pick = item->mark ? item->mark->pick : FIGURE_PICK_NONE;
        if (item->kind == FIGURE_PATH && !path_hit(item, x, y)) continue;
        if (item->kind == FIGURE_IMAGE) pick = cell_pick(item, x, y);
        if (figure_pick_is_none(pick)) continue;
        if (mark) *mark = item->mark;
        return pick;
    }
    return FIGURE_PICK_NONE;
}

static bool cell_box(const FigureItem *item, FigurePick pick, FigureBox *box) {
    const FigureImage *image = item->image;
    if (image->first.query < 0 || pick.query < 0 || pick.key < 0) return false;
    if (pick.series != image->first.series) return false;
    int query = place_of(image->queries, n_queries(image), image->first.query, pick.query);
    int key = place_of(image->keys, n_keys(image), image->first.key, pick.key);
    int row = image->transposed ? key : query, column = image->transposed ? query : key;
    if (row < 0 || column < 0) return false;
    double w = item->box.w / image->columns, h = item->box.h / image->rows;
    *box = (FigureBox){item->box.x + column * w, item->box.y + row * h, w, h};
    return true;
}

bool figure_find(const Figure *figure, FigurePick pick, FigureBox *box) {
    int n;
    const FigureItem *items = figure_items(figure, &n);
    for (int i = 0; i < n; i++) {
        if (items[i].kind == FIGURE_IMAGE && cell_box(&items[i], pick, box)) return true;
        const FigureMark *mark = items[i].mark;
        if (!mark || mark->pick.series != pick.series || mark->pick.query != pick.query ||
            mark->pick.key != pick.key)
            continue;
        *box = items[i].box;
        return true;
    }
    return false;
}

static FigureBox box_union(FigureBox a, FigureBox b) {
    double x = fmin(a.x, b.x), y = fmin(a.y, b.y);
    return (FigureBox){x, y, fmax(a.x + a.w, b.x + b.w) - x, fmax(a.y + a.h, b.y + b.h) - y};
}

/* The part of an image that the focus is about: a cell, a row, a column. */
static bool image_outline(const FigureItem *item, FigurePick focus, FigureBox *box) {
    const FigureImage *image = item->image;
    FigurePick first = image->first;
    if (!agrees(first.series, focus.series)) return false;
    if (first.query < 0) {
        *box = item->box;
        return shares(first.series, focus.series);
    }
    if (focus.query < 0 && focus.key < 0) return false;
    int query = place_of(image->queries, n_queries(image), first.query, focus.query);
    int key = place_of(image->keys, n_keys(image), first.key, focus.key);
    if ((focus.query >= 0 && query < 0) || (focus.key >= 0 && key < 0)) return false;
    int row = image->transposed ? key : query, column = image->transposed ? query : key;
    double w = item->box.w / image->columns, h = item->box.h / image->rows;
    *box = item->box;
    if (row >= 0) box->y += row * h, box->h = h;
    if (column >= 0) box->x += column * w, box->w = w;
    return true;
}

int figure_outlines(const Figure *figure, FigureBox *boxes, int max) {
    FigurePick focus = figure_focused(figure);
    if (figure_pick_is_none(focus)) return 0;
    int n_items, n = 0;
    const FigureItem *items = figure_items(figure, &n_items);
    int series[64] = {0};
    if (max > 64) max = 64;
    for (int i = 0; i < n_items; i++) {
        FigureBox box = items[i].box;
        int of = -1;
        if (items[i].kind == FIGURE_IMAGE) {
            if (!image_outline(&items[i], focus, &box)) continue;
            of = items[i].image->first.series;
        } else {
            const FigureMark *mark = items[i].mark;
            if (!mark || mark->role != FIGURE_CELL || !belongs(mark->pick, focus)) continue;
            of = mark->pick.series;
            /* All cells of a matrix: the focus is the matrix, and its frame says so already. */
            if (mark->pick.query >= 0 && focus.query < 0 && focus.key < 0) continue;
        }
        int at = 0;
        while (at < n && series[at] != of)
            at++;
        if (at == max) continue;
        boxes[at] = at < n ? box_union(boxes[at], box) : box;
        series[at] = of;
        if (at == n) n++;
    }
    return n;
}

/* ---- the text form ---- */

static void put_number(StrBuf *out, double x) {
    long tenths = lround(x * 10);
    strbuf_printf(out, " %s%ld.%ld", tenths < 0 ? "-" : "", labs(tenths) / 10, labs(tenths) % 10);
}

static void put_box(StrBuf *out, FigureBox box) {
    put_number(out, box.x);
    put_number(out, box.y);
    put_number(out, box.w);
    put_number(out, box.h);
}

static void put_paint(StrBuf *out, FigurePaint paint) {
    if (paint.fill) strbuf_printf(out, " %s=#%08x", paint.hatch ? "hatch" : "fill", paint.fill);
    if (!paint.stroke) return;
    strbuf_printf(out, " stroke=#%08x width", paint.stroke);
    put_number(out, paint.width);
    if (paint.dash > 0) put_number(out, paint.dash);
}

static void put_mark(StrBuf *out, const FigureMark *mark) {
    if (!mark) return;
    if (!figure_pick_is_none(mark->pick))
        strbuf_printf(out, " pick=%d,%d,%d", mark->pick.series, mark->pick.query, mark->pick.key);
    if (mark->id) strbuf_printf(out, " id=%s", mark->id);
    if (mark->has_weight) {
        char number[32];
        strbuf_printf(out, " weight=%s", number_text(mark->weight, 5, number));
    }
    if (mark->title) strbuf_printf(out, " title=\"%s\"", mark->title);
}

static void put_image(StrBuf *out, const FigureImage *image) {
    uint32_t sum = 2166136261u;
    size_t n = (size_t)image->rows * (size_t)image->columns * (image->rgba ? 4 : 1);
    const uint8_t *bytes = image->rgba ? image->rgba : image->cells;
    for (size_t i = 0; i < n; i++)
        sum = (sum ^ bytes[i]) * 16777619u;
    strbuf_printf(out, " %dx%d cells=%08x", image->rows, image->columns, sum);
}

static void put_text(StrBuf *out, const FigureText *text) {
    static const char *const ANCHORS[] = {"start", "middle", "end"};
    put_number(out, text->x);
    put_number(out, text->y);
    put_number(out, text->size.width);
    strbuf_printf(out, " %s", ANCHORS[text->style.anchor]);
    if (text->style.angle != 0) put_number(out, text->style.angle);
    strbuf_puts(out, " size");
    put_number(out, text->style.font.size);
    if (text->style.font.weight) strbuf_printf(out, " weight %d", text->style.font.weight);
    strbuf_printf(out, " fill=#%08x \"", text->style.color);
    strbuf_add(out, text->s.data, text->s.n);
    strbuf_putc(out, '"');
}

void figure_dump(const Figure *figure, StrBuf *out) {
    static const char *const KINDS[] = {"rect", "path",  "text",  "image",
                                        "clip", "clip)", "group", "group)"};
    int n;
    const FigureItem *items = figure_items(figure, &n);
    strbuf_printf(out, "figure %s", figure_theme(figure)->name);
    put_box(out, figure_bounds(figure));
    strbuf_putc(out, '\n');
    for (int i = 0; i < n; i++) {
        const FigureItem *item = &items[i];
        strbuf_puts(out, KINDS[item->kind]);
        switch (item->kind) {
        case FIGURE_RECT:
        case FIGURE_CLIP_BEGIN:
            put_box(out, item->box);
            break;
        case FIGURE_IMAGE:
            put_box(out, item->box);
            put_image(out, item->image);
            break;
        case FIGURE_PATH: {
            strbuf_putc(out, ' ');
            const float *p = item->path.points;
            for (int k = 0; k < item->path.n_ops; k++) {
                char op = item->path.ops[k];
                strbuf_putc(out, op);
                for (int m = op == 'C' ? 6 : op == 'Z' ? 0 : 2; m > 0; m--)
                    put_number(out, *p++);
            }
            break;
        }
        case FIGURE_TEXT:
            put_text(out, item->text);
            break;
        case FIGURE_CLIP_END:
        case FIGURE_GROUP_BEGIN:
        case FIGURE_GROUP_END:
            break;
        }
        put_paint(out, item->paint);
        put_mark(out, item->mark);
        strbuf_putc(out, '\n');
    }
}
