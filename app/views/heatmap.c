/* One head, several as panels on one scale, or their mean: rows queries, columns keys. */
#include "render/heatmap.h"

#include "app/views/common.h"

bool view_heatmap(Figure *figure, const ViewInput *input, Error *error) {
    Arena *arena = arena_new();
    const State *state = input->state;
    Matrices m;
    MatricesWish wish = {.pick_rows = true};
    bool ok = matrices_read(input, &wish, arena, &m, error);
    if (ok) {
        ChartOptions options = view_options(input, m.title, m.notes);
        options.scale = view_scale(input, &m);
        view_focus(&options, input, &m);
        bool mean = state->reduce && strcmp(state->reduce, "mean") == 0;
        Heatmap heatmap = {.n_panels = m.n,
                           .panels = m.items,
                           .queries = m.queries.axis,
                           .keys = m.keys.axis,
                           .numbers = state->numbers,
                           .reduce = mean ? FIGURE_REDUCE_MEAN : FIGURE_REDUCE_MAX};
        ok = heatmap_draw(figure, &heatmap, &options, error);
        if (ok)
            view_tell_matrices(figure, input, &m,
                               state->transpose ? "Rows are keys and columns queries"
                                                : "Rows are queries and columns keys");
    }
    arena_free(arena);
    return ok;
}
