/* Two sentences with the attention between them; the hard alignment on top when asked. */
#include "render/cross.h"

#include <math.h>

#include "app/views/common.h"

/* The key of each query with the largest weight over the heads that are drawn. */
static int hard_links(const Matrices *m, CrossLink *links) {
    int n = 0;
    for (int q = 0; q < m->queries.axis.n; q++) {
        if (m->queries.axis.tokens[q].hidden || m->queries.axis.tokens[q].special) continue;
        int best = -1;
        float most = 0;
        for (int k = 0; k < m->keys.axis.n; k++) {
            if (m->keys.axis.tokens[k].hidden) continue;
            float sum = 0;
            for (int i = 0; i < m->n; i++) {
                float w = *tensor_at(m->items[i].weights, q, k, 0, 0);
                sum += isnan(w) ? 0 : w;
            }
            if (sum <= most) continue;
            most = sum;
            best = k;
        }
        if (best >= 0) links[n++] = (CrossLink){q, best};
    }
    return n;
}

bool view_cross(Figure *figure, const ViewInput *input, Error *error) {
    Arena *arena = arena_new();
    const State *state = input->state;
    Matrices m;
    MatricesWish wish = {.attention = "cross", .words = true, .pick_rows = true};
    bool ok = matrices_read(input, &wish, arena, &m, error);
    if (ok) {
        int row;
        const char *notes = m.notes;
        bool alone = !state->ribbons && view_one_query(input, &m, &row, &notes, arena);
        CrossLink *links = arena_alloc(arena, ((size_t)m.queries.axis.n + 1) * sizeof *links);
        Cross cross = {.n_heads = m.n,
                       .heads = m.items,
                       .queries = m.queries.axis,
                       .keys = m.keys.axis,
                       .ribbons = state->ribbons,
                       .only = alone ? &row : NULL,
                       .n_only = alone,
                       .top = alone ? VIEW_TOP_OF_MANY : 0,
                       .links = links,
                       .n_links = state->hard ? hard_links(&m, links) : 0};
        if (state->hard)
            notes = view_joined(arena, notes, "dashed line: each word's largest weight");
        ChartOptions options = view_line_options(input, &m, notes);
        if (!state->ribbons && !alone)
            options.notes = view_joined(arena, notes, view_faint_note(&m, &options, arena));
        view_focus(&options, input, &m);
        ok = cross_draw(figure, &cross, &options, error);
        if (ok) view_tell_matrices(figure, input, &m, "A line's width tells the weight");
    }
    arena_free(arena);
    return ok;
}
