/* One sentence on a line, its self-attention as arcs: back above, on below. */
#include "render/arcs.h"

#include <math.h>

#include "app/views/common.h"

enum { MANY_WORDS = 60, TOP_OF_MANY = 3 };

/* All arcs of a long sentence in one line, as when the height is given, would be a block of colour:
 * of each query only the largest weights.
 * Returns how much of the weight is left, 0..1; or below 0 where all are drawn. */
static double thin_out(const ViewInput *input, const Matrices *m) {
    const State *state = input->state;
    int n = m->keys.axis.n;
    if (n <= MANY_WORDS || input->height_pt <= 0 || state->top_k || state->threshold > 0 ||
        state->token)
        return -1;
    double all = 0, kept = 0;
    for (int i = 0; i < m->n; i++)
        for (int q = 0; q < m->queries.axis.n; q++) {
            float top[TOP_OF_MANY] = {0};
            for (int k = 0; k < n; k++) {
                float w = *tensor_at(m->items[i].weights, q, k, 0, 0);
                if (isnan(w) || m->keys.axis.tokens[k].hidden || m->queries.axis.tokens[q].hidden)
                    continue;
                all += (double)w;
                for (int t = 0; t < TOP_OF_MANY; t++)
                    if (w > top[t]) {
                        float rest = top[t];
                        top[t] = w;
                        w = rest;
                    }
            }
            for (int t = 0; t < TOP_OF_MANY; t++)
                kept += (double)top[t];
        }
    return all > 0 ? kept / all : -1;
}

bool view_arcs(Figure *figure, const ViewInput *input, Error *error) {
    Arena *arena = arena_new();
    Matrices m;
    MatricesWish wish = {.words = true, .self_only = true, .same_tokens = true, .pick_rows = true};
    bool ok = matrices_read(input, &wish, arena, &m, error);
    if (ok) {
        Arcs arcs = {.n_heads = m.n, .heads = m.items, .tokens = m.keys.axis};
        arcs.tokens.title = m.queries.axis.title;
        ChartOptions options = view_line_options(input, &m, m.notes);
        double kept = thin_out(input, &m);
        const char *left_out = view_faint_note(&m, &options, arena);
        if (kept >= 0) {
            arcs.top = TOP_OF_MANY;
            left_out = arena_printf(arena,
                                    "the %d largest weights of each query (--top-k): %.1f %% of "
                                    "the weight left out",
                                    TOP_OF_MANY, 100 * (1 - kept));
        }
        options.notes = view_joined(arena, m.notes, left_out);
        view_focus(&options, input, &m);
        ok = arcs_draw(figure, &arcs, &options, error);
        if (ok) view_tell_matrices(figure, input, &m, "The thicker an arc, the more weight");
    }
    arena_free(arena);
    return ok;
}
