/* Curves of the positions, one a dimension: the sine and cosine of two pairs unless dimensions are
 * named. */
#include "app/views/position_table.h"
#include "app/views/select.h"
#include "render/curves.h"

enum { MOST_CURVES = 64, DEFAULT_POSITIONS = 100 };

static bool choose_pair(const PositionTable *t, int pair, int *dims, int *n, Error *error) {
    int d = (int)t->table.shape[1];
    if (position_pair(t, pair, &dims[*n], &dims[*n + 1])) {
        *n += 2;
        return true;
    }
    if (t->pairs == PAIRS_NONE)
        return error_set(error, ERROR_UNSUPPORTED,
                         "--pair: no sines and cosines here (%s), so no pairs; --dims 0-3 draws "
                         "the first four %ss",
                         t->note, t->column);
    return error_set(error, ERROR_INPUT, "--pair %d: expected 0 to %d", pair, d / 2 - 1);
}

static bool choose_dims(const PositionTable *t, const State *state, int *dims, int *n,
                        Error *error) {
    int d = (int)t->table.shape[1];
    if (state->pair >= 0) return choose_pair(t, state->pair, dims, n, error);
    if (state->dims) {
        SelectList list;
        if (!select_parse(str(state->dims), d, "dims", &list, error)) return false;
        if (list.n > MOST_CURVES)
            return error_set(error, ERROR_INPUT,
                             "--dims: %d curves are too many, at most %d; position-map shows all",
                             list.n, MOST_CURVES);
        memcpy(dims, list.items, (size_t)list.n * sizeof *dims);
        *n = list.n;
        return true;
    }
    /* Two and a half waves and one: of 20 dimensions over 100 positions these are 4 to 7, the
     * Annotated Transformer's. */
    double n_rows = (double)t->table.shape[0];
    int first = position_pair_of_wave(t, n_rows / 2.6),
        second = position_pair_of_wave(t, 0.99 * n_rows);
    if (t->waves && d >= 4)
        return choose_pair(t, first, dims, n, error) &&
               (second == first || choose_pair(t, second, dims, n, error));
    int begin = !t->distances && d >= 8 ? 4 : 0;
    for (int i = begin; i < d && i < begin + (t->distances ? 8 : 4); i++)
        dims[(*n)++] = i;
    return true;
}

static const char *curve_name(const PositionTable *t, int column, Arena *arena) {
    int sine, cosine, d = (int)t->table.shape[1];
    for (int pair = 0; pair < d / 2 && t->waves; pair++)
        if (position_pair(t, pair, &sine, &cosine) && (sine == column || cosine == column))
            return arena_printf(arena, "dim %d: %s of pair %d", column,
                                sine == column ? "sine" : "cosine", pair);
    return arena_printf(arena, strcmp(t->column, "head") == 0 ? "head %d" : "dim %d", column);
}

bool view_positions(Figure *figure, const ViewInput *input, Error *error) {
    Arena *arena = arena_new();
    const State *state = input->state;
    int n = state->n_positions ? state->n_positions : DEFAULT_POSITIONS;
    int dims[MOST_CURVES + 2], n_dims = 0;
    PositionTable t;
    bool ok = position_table_read(input, n, arena, &t, error) &&
              choose_dims(&t, state, dims, &n_dims, error);
    if (ok) {
        const char **names = arena_alloc(arena, (size_t)n_dims * sizeof *names);
        for (int i = 0; i < n_dims; i++)
            names[i] = curve_name(&t, dims[i], arena);
        Curves curves = {.table = t.table,
                         .dims = dims,
                         .n_dims = n_dims,
                         .names = names,
                         .x_title = t.distances ? "distance: key - query" : "position",
                         .first = t.distances ? t.first : state->base};
        ChartOptions options = view_options(input, t.title, t.note);
        ok = curves_draw(figure, &curves, &options, error);
        if (ok) view_tell(figure, input, "One curve a dimension");
    }
    arena_free(arena);
    return ok;
}
