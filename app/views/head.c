/* Head view: queries left, keys right, a line per weight; heads of a layer in their own colours. */
#include "app/views/common.h"
#include "render/lines.h"

enum { MANY_QUERIES = 60, TOP_OF_MANY = 20 };

/* In the window the lines of hundreds of tokens would be a block of colour: one query and its
 * largest. A file has room for blocks (render/cross_long.c). */
static int only_one(const ViewInput *input, const Matrices *m, int *row) {
    const State *state = input->state;
    if (!input->live || m->queries.axis.n <= MANY_QUERIES || state->token || state->top_k ||
        state->threshold > 0)
        return 0;
    *row = attention_query(input, &m->attention, &m->queries, NULL);
    return 1;
}

bool view_head(Figure *figure, const ViewInput *input, Error *error) {
    Arena *arena = arena_new();
    Matrices m;
    MatricesWish wish = {.all_heads = true, .pick_rows = true};
    bool ok = matrices_read(input, &wish, arena, &m, error);
    if (ok) {
        int row = 0;
        Lines lines = {.n_heads = m.n,
                       .heads = m.items,
                       .queries = m.queries.axis,
                       .keys = m.keys.axis,
                       .only = &row,
                       .n_only = only_one(input, &m, &row)};
        const char *notes = m.notes;
        if (lines.n_only) {
            Str label = m.queries.axis.tokens[row].text;
            lines.top = TOP_OF_MANY;
            notes =
                view_joined(arena, notes,
                            arena_printf(arena,
                                         "only %.*s and its %d largest weights: %d tokens have "
                                         "too many lines (--token, --top-k)",
                                         (int)label.n, label.data, TOP_OF_MANY, m.queries.axis.n));
        } else {
            lines.only = NULL;
        }
        ChartOptions options = view_line_options(input, &m, notes);
        if (!lines.only)
            options.notes = view_joined(arena, notes, view_faint_note(&m, &options, arena));
        view_focus(&options, input, &m);
        ok = lines_draw(figure, &lines, &options, error);
        if (ok)
            view_tell_matrices(figure, input, &m,
                               "A line joins a query (left) to a key (right); its width tells the "
                               "weight");
    }
    arena_free(arena);
    return ok;
}
