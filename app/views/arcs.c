/* One sentence on a line, its self-attention as arcs: back above, on below. */
#include "render/arcs.h"

#include "app/views/common.h"

bool view_arcs(Figure *figure, const ViewInput *input, Error *error) {
    Arena *arena = arena_new();
    Matrices m;
    MatricesWish wish = {.words = true, .self_only = true, .same_tokens = true, .pick_rows = true};
    bool ok = matrices_read(input, &wish, arena, &m, error);
    if (ok) {
        Arcs arcs = {.n_heads = m.n, .heads = m.items, .tokens = m.keys.axis};
        arcs.tokens.title = m.queries.axis.title;
        ChartOptions options = view_options(input, m.title, m.notes);
        options.scale = input->state->range ? view_scale(input, &m) : CHART_SCALE_UNIT;
        options.notes = view_joined(arena, m.notes, view_faint_note(&m, &options, arena));
        view_focus(&options, input, &m);
        ok = arcs_draw(figure, &arcs, &options, error);
        if (ok)
            view_tell_matrices(
                figure, input, &m,
                "An arc above goes back to an earlier word, one below on to a later");
    }
    arena_free(arena);
    return ok;
}
