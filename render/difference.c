#include "render/difference.h"

#include <math.h>

#include "render/heatmap.h"

typedef struct Change {
    int query, key;
    double before, after;
} Change;

static double size_of(const Change *c) {
    return fabs(c->after - c->before);
}

static int by_size(const void *p, const void *q) {
    const Change *a = p, *b = q;
    double x = size_of(a), y = size_of(b);
    if (x != y) return x > y ? -1 : 1;
    if (a->query != b->query) return a->query < b->query ? -1 : 1;
    return (a->key > b->key) - (a->key < b->key);
}

static const char *name_change(Arena *arena, const Difference *d, const Change *c) {
    char difference[32], before[32], after[32];
    Str q = text_isolated(arena, text_clean(arena, d->queries.tokens[c->query].text));
    Str k = text_isolated(arena, text_clean(arena, d->keys.tokens[c->key].text));
    double change = c->after - c->before;
    return arena_printf(arena, "%s%s  %.*s \xe2\x86\x92 %.*s  (%s to %s)", change < 0 ? "" : "+",
                        chart_decimal(change, 3, difference), (int)q.n, q.data, (int)k.n, k.data,
                        chart_decimal(c->before, 3, before), chart_decimal(c->after, 3, after));
}

/* What one side left out by choice counts as nothing beside what the other has; left out on both it
 * stays absent. */
static double side_weight(const ChartMatrix *side, const ChartMatrix *other, int q, int k) {
    return chart_is_cut(side, q, k) && !isnan(chart_weight(other, q, k)) ? 0
                                                                         : chart_weight(side, q, k);
}

/* The largest changes, largest first; how many there are. */
static int largest(const Difference *d, int wanted, Change *out) {
    int n = 0;
    for (int q = 0; q < d->queries.n; q++) {
        if (d->queries.tokens[q].hidden) continue;
        for (int k = 0; k < d->keys.n; k++) {
            if (d->keys.tokens[k].hidden) continue;
            Change c = {q, k, side_weight(&d->before, &d->after, q, k),
                        side_weight(&d->after, &d->before, q, k)};
            if (!(size_of(&c) >= 0.0005)) continue;
            if (n == wanted && by_size(&c, &out[n - 1]) > 0) continue;
            int at = n < wanted ? n++ : n - 1;
            for (; at > 0 && by_size(&c, &out[at - 1]) < 0; at--)
                out[at] = out[at - 1];
            out[at] = c;
        }
    }
    return n;
}

static Tensor both_cut(const Difference *d, Arena *arena) {
    if (!d->before.cut.data || !d->after.cut.data) return (Tensor){0};
    Tensor cut = tensor_new(arena, 2, d->queries.n, d->keys.n);
    for (int q = 0; q < d->queries.n; q++)
        for (int k = 0; k < d->keys.n; k++)
            *tensor_at(cut, q, k, 0, 0) =
                chart_is_cut(&d->before, q, k) && chart_is_cut(&d->after, q, k);
    return cut;
}

bool difference_draw(Figure *figure, const Difference *difference, const ChartOptions *options,
                     Error *error) {
    ChartMatrix both[2] = {difference->before, difference->after};
    if (!chart_check(both, 2, &difference->queries, &difference->keys, error)) return false;
    Arena *arena = figure_arena(figure);
    Tensor change = tensor_new(arena, 2, difference->queries.n, difference->keys.n);
    for (int q = 0; q < difference->queries.n; q++)
        for (int k = 0; k < difference->keys.n; k++)
            *tensor_at(change, q, k, 0, 0) =
                (float)(side_weight(&difference->after, &difference->before, q, k) -
                        side_weight(&difference->before, &difference->after, q, k));
    int wanted = difference->n_named > 0 ? difference->n_named : 8;
    Change *changes = arena_alloc(arena, (size_t)wanted * sizeof *changes);
    int n = largest(difference, wanted, changes);
    const char **lines = arena_alloc(arena, ((size_t)n + 1) * sizeof *lines);
    for (int i = 0; i < n; i++)
        lines[i] = name_change(arena, difference, &changes[i]);
    const char *before = difference->before.name ? difference->before.name : "before";
    const char *after = difference->after.name ? difference->after.name : "after";
    ChartMatrix matrix = {.weights = change,
                          .cut = both_cut(difference, arena),
                          .name = arena_printf(arena, "%s minus %s", after, before),
                          .id = difference->after.id ? difference->after.id : "difference"};
    ChartOptions signed_options = *options;
    signed_options.colormap = COLORMAP_DIVERGING;
    if (signed_options.scale != CHART_SCALE_RANGE) signed_options.scale = CHART_SCALE_MAX;
    const char *what =
        arena_printf(arena, "%s minus %s%s%s", after, before, options->notes ? " \xc2\xb7 " : "",
                     options->notes ? options->notes : "");
    signed_options.notes = what;
    Heatmap heatmap = {.n_panels = 1,
                       .panels = &matrix,
                       .queries = difference->queries,
                       .keys = difference->keys,
                       .numbers = difference->numbers,
                       .unit = "change",
                       .list_title = n ? "Largest changes" : "Nothing changed by 0.0005 or more",
                       .list = lines,
                       .n_list = n};
    return heatmap_draw(figure, &heatmap, &signed_options, error);
}
