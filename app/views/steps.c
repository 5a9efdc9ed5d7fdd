/* One head for a few tokens, step by step with its real numbers: QK^T, scaled, masked, softmax,
 * times V, beside the other heads, through W_O (Vaswani et al. 2017, section 3.2). */
#include "render/steps.h"

#include <math.h>

#include "app/views/inside.h"

enum { MOST_ROWS = 6, MOST_COLUMNS = 7, MOST_DIMS = 6, MOST_PANELS = 10 };

typedef struct Working {
    const Inside *in;
    Arena *arena;
    int n_rows, n_columns;
    int most_dims;                              /* columns of a vector that fit */
    int rows[MOST_ROWS], columns[MOST_COLUMNS]; /* tokens that are shown */
    ChartAxis row_axis, column_axis, none;
    int n;
    StepsPanel panels[MOST_PANELS];
} Working;

static ChartAxis axis_of(const Side *side, const int *tokens, int n, const char *title,
                         Arena *arena) {
    ChartToken *items = arena_calloc(arena, (size_t)n + 1, sizeof *items);
    for (int i = 0; i < n; i++) {
        items[i] = side->axis.tokens[tokens[i]];
        items[i].hidden = false;
    }
    return (ChartAxis){.n = n, .tokens = items, .title = title};
}

static Tensor pick(Tensor x, const int *rows, int n_rows, const int *columns, int n_columns,
                   Arena *arena) {
    Tensor out = tensor_new(arena, 2, n_rows, n_columns);
    for (int r = 0; r < n_rows; r++)
        for (int c = 0; c < n_columns; c++)
            *tensor_at(out, r, c, 0, 0) = *tensor_at(x, rows[r], columns ? columns[c] : c, 0, 0);
    return out;
}

static StepsPanel *add(Working *w, const char *title, const char *formula) {
    StepsPanel *panel = &w->panels[w->n++];
    *panel = (StepsPanel){.title = title, .formula = formula};
    return panel;
}

/* Vectors of tokens: their first numbers, with the true shape below. */
static void add_vectors(Working *w, const char *title, const char *formula, Tensor x, bool of_keys,
                        const char *shape) {
    StepsPanel *panel = add(w, title, formula);
    int d = (int)x.shape[1];
    panel->matrix = pick(x, of_keys ? w->columns : w->rows, of_keys ? w->n_columns : w->n_rows,
                         NULL, d, w->arena);
    panel->rows = of_keys ? w->column_axis : w->row_axis;
    panel->n_columns_shown = d > w->most_dims ? w->most_dims : 0;
    panel->note = shape;
    if (d > w->most_dims)
        panel->note = arena_printf(w->arena, "%s, first %d columns", shape, w->most_dims);
}

static void add_square(Working *w, const char *title, const char *formula, Tensor x, bool weights) {
    StepsPanel *panel = add(w, title, formula);
    panel->matrix = pick(x, w->rows, w->n_rows, w->columns, w->n_columns, w->arena);
    panel->rows = w->row_axis;
    panel->columns = w->column_axis;
    panel->weights = weights;
}

/* Q K^T with no scale and no mask: what every pair would score. */
static Tensor products(const Inside *in, double scale, Arena *arena) {
    int64_t n_q = in->q.shape[0], n_k = in->k.shape[0];
    Tensor out = tensor_new(arena, 2, n_q, n_k);
    for (int64_t q = 0; q < n_q; q++)
        for (int64_t k = 0; k < n_k; k++) {
            double sum = 0;
            for (int64_t i = 0; i < in->q.shape[1]; i++)
                sum +=
                    (double)*tensor_at(in->q, q, i, 0, 0) * (double)*tensor_at(in->k, k, i, 0, 0);
            *tensor_at(out, q, k, 0, 0) = (float)(sum * scale);
        }
    return out;
}

static bool any_masked(const Inside *in) {
    for (int64_t q = 0; q < in->weights.shape[0]; q++)
        for (int64_t k = 0; k < in->weights.shape[1]; k++)
            if (isnan(*tensor_at(in->weights, q, k, 0, 0))) return true;
    return false;
}

static void add_scores(Working *w) {
    const Inside *in = w->in;
    int d = (int)in->q.shape[1];
    char number[32];
    add_square(w, "Scores", "Q Kᵀ", products(in, 1, w->arena), false);
    bool by_root = fabs(in->scale - 1 / sqrt((double)d)) < 1e-6;
    const char *scaled =
        by_root ? arena_printf(w->arena, "Q Kᵀ / √%d", d)
                : arena_printf(w->arena, "Q Kᵀ × %s", number_text(in->scale, 4, number));
    add_square(w, "Scaled", scaled, products(in, in->scale, w->arena), false);
    if (any_masked(in))
        add_square(w, in->has_scores ? "Biased and masked" : "Masked", "what may not be seen: −∞",
                   in->scores, false);
    else if (in->has_scores)
        add_square(w, "Biased", "scores + position bias", in->scores, false);
    add_square(w, "Softmax", "exp(s) / Σ exp(s), row by row", in->weights, true);
}

static void add_values(Working *w) {
    const Inside *in = w->in;
    Arena *arena = w->arena;
    int d = (int)in->q.shape[1], n_k = in->keys.n_tokens, n_q = in->queries.n_tokens;
    if (in->v.data)
        add_vectors(w, "Values", "V", in->v, true, arena_printf(arena, "%d × %d", n_k, d));
    if (!in->z.data) return;
    add_vectors(w, "Times V", "A V", tensor_index(in->z, 1, in->head.head), false,
                arena_printf(arena, "%d × %d", n_q, d));
    Tensor all = tensor_clone(arena, in->z);
    int width = (int)(all.shape[1] * all.shape[2]), begin = in->head.head * d;
    all = tensor_reshape(all, 2, all.shape[0], width);
    int end = begin + 2 * w->most_dims < width ? begin + 2 * w->most_dims : width;
    add_vectors(w, "Concatenated", "all heads side by side", tensor_slice(all, 1, begin, end),
                false, "");
    int last = begin + (end - begin < w->most_dims ? end - begin : w->most_dims) - 1;
    w->panels[w->n - 1].note =
        arena_printf(arena, "%d × %d, columns %d..%d", n_q, width, begin, last);
    if (in->out.data)
        add_vectors(w, "Through W_O", "concat · W_O + b", in->out, false,
                    arena_printf(arena, "%d × %d", n_q, (int)in->out.shape[1]));
}

/* While generation is stepped through, the last tokens that are there. */
static int first_shown(const Side *side, int most) {
    bool whole = side->n_seen >= side->n_tokens;
    return whole || side->n_seen <= most ? 0 : side->n_seen - most;
}

/* The first tokens, or those that --token picks. */
static bool choose_tokens(const ViewInput *input, Working *w, Error *error) {
    const Inside *in = w->in;
    bool *picked = arena_calloc(w->arena, (size_t)in->queries.axis.n + 1, sizeof *picked);
    if (input->state->token && side_pick(&in->queries, input->state->token, picked, error) == 0)
        return false;
    int q = first_shown(&in->queries, MOST_ROWS), k = first_shown(&in->keys, MOST_COLUMNS);
    for (; q < in->queries.n_seen && w->n_rows < MOST_ROWS; q++)
        if (!input->state->token || picked[in->queries.row_of[q]]) w->rows[w->n_rows++] = q;
    for (; k < in->keys.n_seen && w->n_columns < MOST_COLUMNS; k++)
        w->columns[w->n_columns++] = k;
    w->row_axis = axis_of(&in->queries, w->rows, w->n_rows, NULL, w->arena);
    w->column_axis = axis_of(&in->keys, w->columns, w->n_columns, NULL, w->arena);
    return true;
}

/* On a narrow page fewer columns, and the notes tell how many. */
static void fit(Figure *figure, const ViewInput *input, Working *w) {
    ChartOptions options = view_options(input, NULL, NULL);
    int beside_queries = steps_columns(figure, &w->row_axis, &options);
    int beside_keys = steps_columns(figure, &w->column_axis, &options);
    if (w->n_columns > beside_queries) {
        w->n_columns = beside_queries;
        w->column_axis.n = beside_queries;
    }
    int least = beside_keys < beside_queries ? beside_keys : beside_queries;
    w->most_dims = least < MOST_DIMS ? least : MOST_DIMS;
}

static const char *notes_of(const ViewInput *input, const Working *w) {
    const Inside *in = w->in;
    const char *notes = view_joined(w->arena, in->queries.axis.title, in->keys.axis.title);
    if (w->n_rows < in->queries.n_tokens || w->n_columns < in->keys.n_tokens)
        notes = view_joined(
            w->arena, notes,
            arena_printf(w->arena,
                         "%d of %d queries and %d of %d keys are shown, the softmax "
                         "is over all",
                         w->n_rows, in->queries.n_tokens, w->n_columns, in->keys.n_tokens));
    notes = view_joined(w->arena, notes, view_edits(input, w->arena));
    if (in->rotated) notes = view_joined(w->arena, notes, "q and k after rotation");
    if (input->state->base) notes = view_joined(w->arena, notes, "counted from 1");
    const char *kv = inside_kv_note(in, input->state, w->arena);
    return kv ? view_joined(w->arena, notes, kv) : notes;
}

static bool draw(Figure *figure, const ViewInput *input, const Inside *in, Arena *arena,
                 Error *error) {
    Working *w = arena_calloc(arena, 1, sizeof *w);
    w->in = in;
    w->arena = arena;
    if (!choose_tokens(input, w, error)) return false;
    fit(figure, input, w);
    int d = (int)in->q.shape[1];
    add_vectors(w, "Queries", "Q = X W_Q", in->q, false,
                arena_printf(arena, "%d × %d", in->queries.n_tokens, d));
    add_vectors(w, "Keys", "K = X W_K", in->k, true,
                arena_printf(arena, "%d × %d", in->keys.n_tokens, d));
    add_scores(w);
    add_values(w);
    const State *state = input->state;
    const char *title =
        arena_printf(arena, "%s step by step, layer %d, head %d", attention_title(&in->head),
                     counted(state, in->head.layer), counted(state, in->head.head));
    ChartOptions options = view_options(input, title, notes_of(input, w));
    Steps steps = {.n_panels = w->n, .panels = w->panels, .row = -1};
    if (!steps_draw(figure, &steps, &options, error)) return false;
    view_tell(figure, input, "Each panel is the next step, with the numbers of this sentence");
    return true;
}

bool view_steps(Figure *figure, const ViewInput *input, Error *error) {
    Arena *arena = arena_new();
    Inside in;
    bool ok = inside_read(input, &in, arena, error) && draw(figure, input, &in, arena, error);
    arena_free(arena);
    return ok;
}
