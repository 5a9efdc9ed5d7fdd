/* All positions by all dimensions, diverging about zero; and the dot product of two positions by
 * their distance. */
#include <math.h>

#include "app/views/position_table.h"
#include "render/curves.h"
#include "render/heatmap.h"

static float largest(Tensor x) {
    float most = 0;
    for (int64_t r = 0; r < x.shape[0]; r++)
        for (int64_t c = 0; c < x.shape[1]; c++)
            most = fmaxf(most, fabsf(*tensor_at(x, r, c, 0, 0)));
    return most > 0 ? most : 1;
}

bool view_position_map(Figure *figure, const ViewInput *input, Error *error) {
    Arena *arena = arena_new();
    const State *state = input->state;
    PositionTable t;
    bool ok =
        position_table_read(input, state->n_positions ? state->n_positions : 100, arena, &t, error);
    if (ok) {
        Side rows, columns;
        side_count(&rows, (int)t.table.shape[0], t.distances ? t.first : state->base, arena);
        side_count(&columns, (int)t.table.shape[1], 0, arena);
        rows.axis.title = t.distances ? "distance: key - query" : "position";
        columns.axis.title = t.column;
        ChartOptions options = view_options(input, t.title, t.note);
        if (!state->colormap) options.colormap = COLORMAP_DIVERGING;
        options.scale = CHART_SCALE_RANGE;
        options.high = (double)largest(t.table);
        options.low = -options.high;
        ChartMatrix panel = {.weights = t.table, .name = "positions", .id = "positions"};
        Heatmap map = {.n_panels = 1,
                       .panels = &panel,
                       .queries = rows.axis,
                       .keys = columns.axis,
                       .reduce = FIGURE_REDUCE_EXTREME,
                       .index_labels = true,
                       .unit = "value"};
        ok = heatmap_draw(figure, &map, &options, error);
        if (ok) view_tell(figure, input, "Rows are positions and columns dimensions");
    }
    arena_free(arena);
    return ok;
}

/* Mean over all pairs of rows so far apart, as cosine: [2 n - 1, 1]. */
static Tensor by_distance(Tensor x, int n, Arena *arena) {
    int64_t d = x.shape[1];
    double norm = 0;
    for (int64_t p = 0; p < n; p++)
        for (int64_t i = 0; i < d; i++)
            norm += pow((double)*tensor_at(x, p, i, 0, 0), 2) / n;
    Tensor out = tensor_new(arena, 2, 2 * n - 1, 1);
    for (int apart = 0; apart < n; apart++) {
        double sum = 0;
        for (int64_t p = 0; p + apart < n; p++)
            for (int64_t i = 0; i < d; i++)
                sum +=
                    (double)*tensor_at(x, p, i, 0, 0) * (double)*tensor_at(x, p + apart, i, 0, 0);
        float mean = (float)(norm > 0 ? sum / (n - apart) / norm : 0);
        *tensor_at(out, n - 1 + apart, 0, 0, 0) = mean;
        *tensor_at(out, n - 1 - apart, 0, 0, 0) = mean;
    }
    return out;
}

bool view_position_similarity(Figure *figure, const ViewInput *input, Error *error) {
    Arena *arena = arena_new();
    const State *state = input->state;
    PositionTable t;
    bool ok =
        position_table_read(input, state->n_positions ? state->n_positions : 100, arena, &t, error);
    if (ok && t.distances)
        ok = error_set(error, ERROR_UNSUPPORTED,
                       "this model has no vector for a position, its order is a bias by distance: "
                       "figure positions shows it");
    if (ok) {
        int n = (int)t.table.shape[0], zero = 0;
        const char *name = "mean dot product, as a share of a position's with itself";
        Curves curves = {.table = by_distance(t.table, n, arena),
                         .dims = &zero,
                         .n_dims = 1,
                         .names = &name,
                         .x_title = "distance between two positions",
                         .first = 1 - n};
        ChartOptions options =
            view_options(input, arena_printf(arena, "%s: likeness by distance", t.title),
                         arena_printf(arena, "%s · mean over the first %d positions", t.note, n));
        ok = curves_draw(figure, &curves, &options, error);
        if (ok) view_tell(figure, input, "The curve is the mean dot product of two positions");
    }
    arena_free(arena);
    return ok;
}
