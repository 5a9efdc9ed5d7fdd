#include "render/strokes.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct List {
    Stroke *items;
    int n, capacity;
} List;

static void add(List *list, Stroke stroke) {
    if (list->n == list->capacity) {
        list->capacity = list->capacity ? 2 * list->capacity : 256;
        list->items = realloc(list->items, (size_t)list->capacity * sizeof *list->items);
        if (!list->items) {
            fputs("attnscope: out of memory\n", stderr);
            abort();
        }
    }
    list->items[list->n++] = stroke;
}

static int by_place(const void *p, const void *q) {
    const Stroke *a = p, *b = q;
    if (a->place != b->place) return a->place < b->place ? -1 : 1;
    if (a->head != b->head) return a->head < b->head ? -1 : 1;
    if (a->query != b->query) return a->query < b->query ? -1 : 1;
    return (a->key > b->key) - (a->key < b->key);
}

static bool wanted(const StrokeChoice *choice, int query) {
    if (!choice->only) return true;
    for (int i = 0; i < choice->n_only; i++)
        if (choice->only[i] == query) return true;
    return false;
}

/* Keeps the strongest of the lines added since `first`. */
static void keep_top(List *list, int first, int top) {
    int n = list->n - first;
    if (top <= 0 || n <= top) return;
    qsort(list->items + first, (size_t)n, sizeof *list->items, by_place);
    for (int i = 0; i < top; i++)
        list->items[first + i] = list->items[list->n - top + i];
    list->n = first + top;
}

Stroke *strokes_choose(const StrokeChoice *choice, int *n) {
    List list = {0};
    for (int head = 0; head < choice->n_heads; head++) {
        const ChartMatrix *matrix = &choice->heads[head];
        bool each = choice->range->kind == CHART_SCALE_EACH;
        double max = each ? chart_max(matrix) : 0;
        for (int q = 0; q < choice->queries->n; q++) {
            int query = choice->queries->index[q], first = list.n;
            if (!wanted(choice, query)) continue;
            double reference = each ? max : chart_reference(choice->range, matrix, query);
            for (int k = 0; k < choice->keys->n; k++) {
                double weight = chart_weight(matrix, query, choice->keys->index[k]);
                double place = chart_place(choice->range, weight, reference);
                if (isnan(place) || place < choice->least) continue;
                add(&list, (Stroke){head, q, k, weight, place});
            }
            keep_top(&list, first, choice->top);
        }
    }
    if (list.n) qsort(list.items, (size_t)list.n, sizeof *list.items, by_place);
    *n = list.n;
    return list.items;
}

double strokes_all_weight(const StrokeChoice *choice) {
    double sum = 0;
    for (int h = 0; h < choice->n_heads; h++)
        for (int q = 0; q < choice->queries->n; q++)
            for (int k = 0; k < choice->keys->n; k++) {
                double w = chart_weight(&choice->heads[h], choice->queries->index[q],
                                        choice->keys->index[k]);
                sum += isnan(w) ? 0 : fabs(w);
            }
    return sum;
}

const double strokes_key_places[STROKES_KEY] = {0.1, 0.25, 0.5, 1};

double strokes_key_height(const Theme *theme) {
    return 2.2 * theme->type_body;
}

bool strokes_key_fits(const Theme *theme, const ChartOptions *options, double height) {
    return !options->bare && (height == 0 || height >= 13 * theme->type_body);
}

/* "0.25", of scales that differ from row to row "25 %". */
static Str key_number(Arena *arena, const ChartRange *range, double place) {
    bool relative = range->kind == CHART_SCALE_ROW || range->kind == CHART_SCALE_EACH;
    if (relative) return str(arena_printf(arena, "%.0f %%", 100 * place));
    char number[32];
    double weight = range->low + place * (range->high - range->low);
    return str(arena_strdup(arena, chart_number(weight, 2, number)));
}

static const char *key_unit(const ChartRange *range) {
    if (range->kind == CHART_SCALE_ROW) return "of the row's largest";
    return range->kind == CHART_SCALE_EACH ? "of the head's largest" : "weight";
}

/* Returns where it ends. */
static double key_lines(Figure *figure, const ChartArea *area, double middle,
                        const StrokesKey *key) {
    const Theme *theme = figure_theme(figure);
    Text *fonts = figure_fonts(figure);
    double size = theme->type_small, x = area->x;
    FigureTextStyle style = {.font = {.size = size, .tabular = true}, .color = theme->soft};
    Color hue = key->n_heads > 1 ? theme->ink : theme->accent;
    Str unit = str(key_unit(key->range)), numbers[STROKES_KEY];
    double line = 2 * size, pad = 0.5 * size, gap = 1.2 * size, steps[STROKES_KEY];
    double used = text_width(fonts, unit, style.font) + gap;
    for (int i = 0; i < STROKES_KEY; i++) {
        numbers[i] = key_number(figure_arena(figure), key->range, strokes_key_places[i]);
        steps[i] = line + pad + text_width(fonts, numbers[i], style.font) + gap;
        used += steps[i];
    }
    int first = 0; /* where there is no room for all, the thick ones stay */
    while (first + 1 < STROKES_KEY && used - gap > area->w)
        used -= steps[first++];
    figure_text(figure, x, middle + size * 0.36, unit, style, NULL);
    x += text_width(fonts, unit, style.font) + gap;
    for (int i = first; i < STROKES_KEY; x += steps[i++]) {
        double place = strokes_key_places[i];
        FigurePaint paint = {.stroke = color_alpha(hue, theme_line_opacity(theme, hue, place)),
                             .width = key->widths[i]};
        figure_line(figure, x, middle, x + line, middle, paint, NULL);
        figure_text(figure, x + line + pad, middle + size * 0.36, numbers[i], style, NULL);
    }
    return x;
}

double strokes_key(Figure *figure, const ChartArea *area, double y, const StrokesKey *key) {
    const Theme *theme = figure_theme(figure);
    double size = theme->type_small, middle = y + size * 0.5, x = area->x;
    if (key->widths) x = key_lines(figure, area, middle, key) + size;
    if (!key->note) return y + size;
    FigureTextStyle style = {.font = {.size = size}, .color = theme->soft, .max_width = area->w};
    double width = text_width(figure_fonts(figure), str(key->note), style.font);
    if (x + width > area->x + area->w && x > area->x) x = area->x, middle += 1.6 * size;
    figure_text(figure, x, middle + size * 0.36, str(key->note), style, NULL);
    return middle + size * 0.5;
}

FigureMark strokes_mark(Arena *arena, const StrokeChoice *choice, const Stroke *stroke,
                        bool named) {
    int query = choice->queries->index[stroke->query], key = choice->keys->index[stroke->key];
    const ChartMatrix *matrix = &choice->heads[stroke->head];
    FigureMark mark = {.pick = {stroke->head, query, key},
                       .role = FIGURE_DIMS,
                       .weight = stroke->weight,
                       .has_weight = true};
    if (!named) return mark;
    char number[32];
    Str q = text_isolated(arena, choice->queries->text[stroke->query]);
    Str k = text_isolated(arena, choice->keys->text[stroke->key]);
    mark.id = chart_id(arena, matrix, query, key);
    mark.title = arena_printf(arena, "%s%s%.*s \xe2\x86\x92 %.*s: %s",
                              matrix->name ? matrix->name : "", matrix->name ? ": " : "", (int)q.n,
                              q.data, (int)k.n, k.data, number_text(stroke->weight, 4, number));
    return mark;
}
