#include "render/figure.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

struct Figure {
    Arena *arena;
    const Theme *theme;
    Text *text;
    double width, height, wanted_width;
    Str title, description;
    FigurePick focus;
    FigureItem *items; // [n_items]
    int n_items, capacity;
    char *ops; /* of the path being drawn */
    float *points;
    int n_ops, n_points, ops_capacity, points_capacity;
    int depth; /* open clips and groups */
    uint64_t stamp;
};

static void *grown(void *data, int *capacity, int wanted, size_t size) {
    if (wanted <= *capacity) return data;
    int n = *capacity ? *capacity : 64;
    while (n < wanted)
        n *= 2;
    data = realloc(data, (size_t)n * size);
    if (!data) {
        fputs("attnscope: out of memory\n", stderr);
        abort();
    }
    *capacity = n;
    return data;
}

static uint64_t hash_bytes(uint64_t h, const void *data, size_t n) {
    const unsigned char *bytes = data;
    for (; n >= 8; n -= 8, bytes += 8) {
        uint64_t word;
        memcpy(&word, bytes, 8);
        h = (h ^ word) * 0x9e3779b97f4a7c15u;
        h ^= h >> 32;
    }
    for (; n > 0; n--)
        h = (h ^ *bytes++) * 1099511628211u;
    return h;
}

Figure *figure_new(const Theme *theme, Text *text) {
    Arena *arena = arena_new();
    Figure *figure = arena_calloc(arena, 1, sizeof *figure);
    figure->arena = arena;
    figure->theme = memcpy(arena_alloc(figure->arena, sizeof *theme), theme, sizeof *theme);
    figure->text = text;
    figure->focus = FIGURE_PICK_NONE;
    return figure;
}

void figure_free(Figure *figure) {
    if (!figure) return;
    free(figure->items);
    free(figure->ops);
    free(figure->points);
    arena_free(figure->arena);
}

uint64_t figure_stamp(const Figure *figure) {
    return figure->stamp;
}

static uint64_t item_stamp(uint64_t h, const FigureItem *item) {
    h = hash_bytes(h, &item->box, sizeof item->box);
    uint64_t paint[4] = {item->kind, (uint64_t)item->paint.fill << 32 | item->paint.stroke,
                         (uint64_t)(item->paint.width * 1000), (uint64_t)(item->radius * 1000)};
    h = hash_bytes(h, paint, sizeof paint);
    switch (item->kind) {
    case FIGURE_PATH:
        return hash_bytes(h, item->path.points, 2 * (size_t)item->path.n_points * sizeof(float));
    case FIGURE_TEXT:
        return hash_bytes(h, item->text->s.data, item->text->s.n);
    case FIGURE_IMAGE:
        return hash_bytes(h, &item->image->hash, sizeof item->image->hash);
    case FIGURE_RECT:
    case FIGURE_CLIP_BEGIN:
    case FIGURE_CLIP_END:
    case FIGURE_GROUP_BEGIN:
    case FIGURE_GROUP_END:
        break;
    }
    return h;
}

void figure_seal(Figure *figure) {
    assert(figure->depth == 0);
    figure->stamp = (uint64_t)figure->theme->kind + 1;
    for (int i = 0; i < figure->n_items; i++)
        figure->stamp = item_stamp(figure->stamp, &figure->items[i]);
    figure->text = NULL;
}

void figure_page(Figure *figure, double width, double height) {
    figure->width = width;
    figure->height = height;
}

FigureBox figure_bounds(const Figure *figure) {
    return (FigureBox){0, 0, figure->width, figure->height};
}

const Theme *figure_theme(const Figure *figure) {
    return figure->theme;
}

Text *figure_fonts(const Figure *figure) {
    return figure->text;
}

Arena *figure_arena(Figure *figure) {
    return figure->arena;
}

void figure_describe(Figure *figure, Str title, Str description) {
    figure->title = arena_str(figure->arena, text_clean(figure->arena, title));
    figure->description = arena_str(figure->arena, text_clean(figure->arena, description));
}

Str figure_title(const Figure *figure) {
    return figure->title;
}

Str figure_description(const Figure *figure) {
    return figure->description;
}

void figure_wants_width(Figure *figure, double width) {
    if (width > figure->wanted_width) figure->wanted_width = width;
}

double figure_wanted_width(const Figure *figure) {
    return figure->wanted_width;
}

const FigureItem *figure_items(const Figure *figure, int *n) {
    *n = figure->n_items;
    return figure->items;
}

/* ---- adding ---- */

static const FigureMark *keep_mark(Figure *figure, const FigureMark *mark) {
    if (!mark) return NULL;
    FigureMark *copy = arena_alloc(figure->arena, sizeof *copy);
    *copy = *mark;
    if (mark->id) copy->id = arena_strdup(figure->arena, mark->id);
    if (mark->title) copy->title = arena_strdup(figure->arena, mark->title);
    if (mark->desc) copy->desc = arena_strdup(figure->arena, mark->desc);
    return copy;
}

static FigureItem *add(Figure *figure, FigureKind kind, const FigureMark *mark) {
    figure->items =
        grown(figure->items, &figure->capacity, figure->n_items + 1, sizeof *figure->items);
    FigureItem *item = &figure->items[figure->n_items++];
    *item = (FigureItem){.kind = kind, .mark = keep_mark(figure, mark)};
    return item;
}

void figure_rect(Figure *figure, FigureBox box, double radius, FigurePaint paint,
                 const FigureMark *mark) {
    FigureItem *item = add(figure, FIGURE_RECT, mark);
    item->box = box;
    item->radius = fmin(radius, fmin(box.w, box.h) / 2);
    item->paint = paint;
}

static void path_add(Figure *figure, char op, int n, const double *xy) {
    figure->ops = grown(figure->ops, &figure->ops_capacity, figure->n_ops + 1, 1);
    figure->points = grown(figure->points, &figure->points_capacity, 2 * (figure->n_points + n),
                           sizeof *figure->points);
    figure->ops[figure->n_ops++] = op;
    for (int i = 0; i < 2 * n; i++)
        figure->points[2 * figure->n_points + i] = (float)xy[i];
    figure->n_points += n;
}

void figure_path_move(Figure *figure, double x, double y) {
    path_add(figure, 'M', 1, (double[]){x, y});
}

void figure_path_line(Figure *figure, double x, double y) {
    path_add(figure, 'L', 1, (double[]){x, y});
}

void figure_path_curve(Figure *figure, double x1, double y1, double x2, double y2, double x,
                       double y) {
    path_add(figure, 'C', 3, (double[]){x1, y1, x2, y2, x, y});
}

void figure_path_close(Figure *figure) {
    path_add(figure, 'Z', 0, NULL);
}

/* How far a curve swings out between its ends, along one axis: where its derivative is zero. v: the
 * four points' coordinates, two floats apart. */
static void extend_curve(const float *v, double *low, double *high) {
    double a = v[0], b = v[2], c = v[4], d = v[6];
    double p = -a + 3 * b - 3 * c + d, q = 2 * (a - 2 * b + c), r = b - a;
    double roots[2] = {-1, -1}, under = q * q - 4 * p * r;
    if (fabs(p) < 1e-9)
        roots[0] = fabs(q) > 1e-9 ? -r / q : -1;
    else if (under >= 0)
        roots[0] = (-q + sqrt(under)) / (2 * p), roots[1] = (-q - sqrt(under)) / (2 * p);
    for (int i = 0; i < 2; i++) {
        double t = roots[i], u = 1 - t;
        if (t <= 0 || t >= 1) continue;
        double x = u * u * u * a + 3 * u * u * t * b + 3 * u * t * t * c + t * t * t * d;
        *low = fmin(*low, x);
        *high = fmax(*high, x);
    }
}

void figure_path_end(Figure *figure, FigurePaint paint, const FigureMark *mark) {
    if (figure->n_points == 0) {
        figure->n_ops = 0;
        return;
    }
    FigureItem *item = add(figure, FIGURE_PATH, mark);
    item->paint = paint;
    char *ops = arena_alloc(figure->arena, (size_t)figure->n_ops);
    memcpy(ops, figure->ops, (size_t)figure->n_ops);
    size_t n_bytes = 2 * (size_t)figure->n_points * sizeof(float);
    float *points = arena_alloc(figure->arena, n_bytes);
    memcpy(points, figure->points, n_bytes);
    item->path = (FigurePath){ops, points, figure->n_ops, figure->n_points};
    double low[2] = {HUGE_VAL, HUGE_VAL}, high[2] = {-HUGE_VAL, -HUGE_VAL};
    const float *p = points;
    for (int i = 0; i < figure->n_ops; i++) {
        int n = ops[i] == 'C' ? 3 : ops[i] == 'Z' ? 0 : 1;
        for (int axis = 0; n == 3 && axis < 2; axis++)
            extend_curve(p - 2 + axis, &low[axis], &high[axis]);
        for (int axis = 0; n > 0 && axis < 2; axis++) {
            low[axis] = fmin(low[axis], p[2 * (n - 1) + axis]);
            high[axis] = fmax(high[axis], p[2 * (n - 1) + axis]);
        }
        p += 2 * n;
    }
    double x0 = low[0], y0 = low[1], x1 = high[0], y1 = high[1];
    double grow = paint.stroke ? paint.width / 2 : 0;
    item->box = (FigureBox){x0 - grow, y0 - grow, x1 - x0 + 2 * grow, y1 - y0 + 2 * grow};
    figure->n_ops = figure->n_points = 0;
}

void figure_line(Figure *figure, double x0, double y0, double x1, double y1, FigurePaint paint,
                 const FigureMark *mark) {
    figure_path_move(figure, x0, y0);
    figure_path_line(figure, x1, y1);
    figure_path_end(figure, paint, mark);
}

/* What encloses a line of text: its line box and its ink, turned about the anchor. */
static FigureBox text_box(const FigureText *text) {
    double shift = text->style.anchor == FIGURE_START    ? 0
                   : text->style.anchor == FIGURE_MIDDLE ? -text->size.width / 2
                                                         : -text->size.width;
    double left = shift + fmin(0, text->size.ink_x0);
    double right = shift + fmax(text->size.width, text->size.ink_x1);
    double top = fmin(-text->size.ascent, text->size.ink_y0);
    double bottom = fmax(text->size.descent, text->size.ink_y1);
    if (text->size.ink_y1 > text->size.ink_y0) top = text->size.ink_y0, bottom = text->size.ink_y1;
    double radians = text->style.angle * 3.14159265358979323846 / 180;
    double c = cos(radians), s = sin(radians);
    double xs[4] = {left, right, left, right}, ys[4] = {top, top, bottom, bottom};
    double x0 = HUGE_VAL, y0 = HUGE_VAL, x1 = -HUGE_VAL, y1 = -HUGE_VAL;
    for (int i = 0; i < 4; i++) {
        double x = text->x + xs[i] * c + ys[i] * s, y = text->y - xs[i] * s + ys[i] * c;
        x0 = fmin(x0, x), x1 = fmax(x1, x), y0 = fmin(y0, y), y1 = fmax(y1, y);
    }
    return (FigureBox){x0, y0, x1 - x0, y1 - y0};
}

double figure_text(Figure *figure, double x, double y, Str s, FigureTextStyle style,
                   const FigureMark *mark) {
    assert(figure->text);
    s = text_clean(figure->arena, s);
    if (s.n == 0) return 0;
    Str whole = s;
    if (style.max_width > 0)
        s = text_shorten(figure->text, figure->arena, s, style.font, style.max_width);
    FigureText *text = arena_alloc(figure->arena, sizeof *text);
    Str kept = arena_str(figure->arena, s);
    bool cut = !str_eq(s, whole);
    *text = (FigureText){.s = kept,
                         .whole = cut ? arena_str(figure->arena, whole) : kept,
                         .style = style,
                         .x = x,
                         .y = y,
                         .size = text_measure(figure->text, s, style.font)};
    FigureItem *item = add(figure, FIGURE_TEXT, mark);
    if (cut && (!mark || !mark->title)) {
        FigureMark copy =
            mark ? *mark : (FigureMark){.pick = FIGURE_PICK_NONE, .role = FIGURE_STATIC};
        copy.title = text->whole.data;
        item->mark = keep_mark(figure, &copy);
    }
    item->text = text;
    item->box = text_box(text);
    return text->size.width;
}

static const int *keep_ints(Figure *figure, const int *values, size_t n) {
    return memcpy(arena_alloc(figure->arena, n * sizeof *values), values, n * sizeof *values);
}

void figure_image(Figure *figure, FigureBox box, const FigureImage *image, const FigureMark *mark) {
    FigureItem *item = add(figure, FIGURE_IMAGE, mark);
    size_t n_cells = (size_t)image->rows * (size_t)image->columns;
    FigureImage *copy = arena_alloc(figure->arena, sizeof *copy);
    *copy = *image;
    if (image->rgba) {
        copy->rgba = memcpy(arena_alloc(figure->arena, 4 * n_cells), image->rgba, 4 * n_cells);
        copy->hash = hash_bytes((uint64_t)image->columns, image->rgba, 4 * n_cells);
    } else {
        copy->cells = memcpy(arena_alloc(figure->arena, n_cells), image->cells, n_cells);
        copy->palette = memcpy(arena_alloc(figure->arena, 256 * sizeof(Color)), image->palette,
                               256 * sizeof(Color));
        copy->hash = hash_bytes((uint64_t)image->columns, image->cells, n_cells);
        for (int i = image->has_masked; i < 256; i++)
            copy->blends = copy->blends || color_a(image->palette[i]) < 255;
    }
    size_t n_queries = (size_t)(image->transposed ? image->columns : image->rows);
    size_t n_keys = (size_t)(image->transposed ? image->rows : image->columns);
    if (image->queries) copy->queries = keep_ints(figure, image->queries, n_queries);
    if (image->keys) copy->keys = keep_ints(figure, image->keys, n_keys);
    item->box = box;
    item->image = copy;
}

void figure_clip_begin(Figure *figure, FigureBox box) {
    add(figure, FIGURE_CLIP_BEGIN, NULL)->box = box;
    figure->depth++;
}

void figure_clip_end(Figure *figure) {
    add(figure, FIGURE_CLIP_END, NULL);
    figure->depth--;
}

void figure_group_begin(Figure *figure, const char *id, const char *title) {
    FigureMark mark = {.pick = FIGURE_PICK_NONE, .role = FIGURE_STATIC, .id = id, .title = title};
    add(figure, FIGURE_GROUP_BEGIN, &mark);
    figure->depth++;
}

void figure_group_end(Figure *figure) {
    add(figure, FIGURE_GROUP_END, NULL);
    figure->depth--;
}

void figure_focus(Figure *figure, FigurePick pick) {
    figure->focus = pick;
}

FigurePick figure_focused(const Figure *figure) {
    return figure->focus;
}
