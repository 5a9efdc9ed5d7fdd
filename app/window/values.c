#include "app/window/values.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "render/heatmap.h"

/* Two axes of a tensor: heads lie one behind the other. [head, query, key] shows head 0. */
static Tensor flat(Tensor x, Arena *arena, const char **what) {
    *what = "rows: positions · columns: dimensions";
    if (x.rank == 1) return tensor_reshape(tensor_clone(arena, x), 2, 1, x.shape[0]);
    if (x.rank == 3 && x.shape[1] == x.shape[2]) {
        *what = "head 0 · rows: queries · columns: keys";
        return tensor_index(x, 0, 0);
    }
    if (x.rank == 3) {
        *what = "rows: positions · columns: dimensions of head 0, then of head 1, ...";
        return tensor_merge(tensor_clone(arena, x), 1);
    }
    return x;
}

static ChartToken *counted(Arena *arena, int64_t n) {
    ChartToken *tokens = arena_calloc(arena, (size_t)n, sizeof *tokens);
    for (int64_t i = 0; i < n; i++)
        tokens[i].text = str(arena_printf(arena, "%d", (int)i));
    return tokens;
}

Shown *values_make(const Trace *trace, const char *hook, const State *state, double width,
                   double height, Text *fonts, Error *error) {
    const Tensor *found = trace_find(trace, hook);
    if (!found || found->rank < 1 || found->rank > 3) {
        error_set(error, ERROR_NOT_FOUND, "%s: this model has no such activation for this text",
                  hook);
        return NULL;
    }
    Arena *arena = arena_new();
    const char *what;
    Tensor x = flat(*found, arena, &what);
    double most = 0;
    for (int64_t r = 0; r < x.shape[0]; r++)
        for (int64_t c = 0; c < x.shape[1]; c++) {
            double v = fabs((double)*tensor_at(x, r, c, 0, 0));
            if (isfinite(v) && v > most) most = v;
        }
    ChartMatrix matrix = {.weights = x, .name = hook};
    Heatmap heatmap = {.n_panels = 1,
                       .panels = &matrix,
                       .queries = {(int)x.shape[0], counted(arena, x.shape[0]), "position"},
                       .keys = {(int)x.shape[1], counted(arena, x.shape[1]), "dimension"},
                       .reduce = FIGURE_REDUCE_EXTREME,
                       .index_labels = true,
                       .unit = "value"};
    ChartOptions options = {.width = width,
                            .height = height,
                            .colormap = COLORMAP_DIVERGING,
                            .scale = CHART_SCALE_RANGE,
                            .low = most > 0 ? -most : -1,
                            .high = most > 0 ? most : 1,
                            .bare = true};
    Shown *shown = calloc(1, sizeof *shown);
    if (!shown) abort();
    shown->width = width;
    shown->height = height;
    Figure *figure = figure_new(shown_theme(state), fonts);
    if (heatmap_draw(figure, &heatmap, &options, error)) {
        figure_seal(figure);
        shown->figure = figure;
        strbuf_puts(&shown->report.subtitle, what);
    } else {
        figure_free(figure);
        free(shown);
        shown = NULL;
    }
    arena_free(arena);
    return shown;
}
