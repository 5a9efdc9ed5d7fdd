/* Neuron view: one query against all keys, dimension by dimension. */
#include "render/neuron.h"

#include <math.h>

#include "app/views/inside.h"

enum { MOST_KEYS = 60 };

/* Of many keys the ones with the largest weights, none that is masked. Returns how many. */
static int keep_largest(const Inside *in, int row, bool *keep) {
    for (int kept = 0; kept < MOST_KEYS; kept++) {
        int best = -1;
        for (int k = 0; k < in->keys.axis.n; k++) {
            float w = *tensor_at(in->weights, row, k, 0, 0);
            if (keep[k] || isnan(w)) continue;
            if (best < 0 || w > *tensor_at(in->weights, row, best, 0, 0)) best = k;
        }
        if (best < 0) return kept;
        keep[best] = true;
    }
    return MOST_KEYS;
}

static const char *cut_keys(const Inside *in, int row, ChartAxis *axis, Arena *arena) {
    if (axis->n <= MOST_KEYS) return NULL;
    bool *keep = arena_calloc(arena, (size_t)axis->n + 1, sizeof *keep);
    int kept = keep_largest(in, row, keep), masked = 0;
    ChartToken *tokens = arena_alloc(arena, (size_t)axis->n * sizeof *tokens);
    memcpy(tokens, axis->tokens, (size_t)axis->n * sizeof *tokens);
    double mass = 0;
    for (int k = 0; k < axis->n; k++) {
        tokens[k].hidden = tokens[k].hidden || !keep[k];
        float w = *tensor_at(in->weights, row, k, 0, 0);
        masked += isnan(w);
        if (!keep[k] && w > 0) mass += (double)w;
    }
    axis->tokens = tokens;
    const char *out = masked ? arena_printf(arena, "%d masked keys left out", masked) : NULL;
    int others = axis->n - kept - masked;
    if (others == 0) return out;
    return view_joined(arena,
                       arena_printf(arena,
                                    "the %d keys of most weight; %.1f %% on the other %d left out",
                                    kept, mass * 100, others),
                       out);
}

/* What --hide left out: a weight after softmax stays what it was. */
static const char *hidden_note(const Inside *in, int row, Arena *arena) {
    if (in->keys.n_hidden == 0) return NULL;
    const float *weights = tensor_at(in->weights, row, 0, 0, 0);
    return side_hidden_note(&in->keys, 100 * side_hidden_weight(&in->keys, weights), arena);
}

static bool draw(Figure *figure, const ViewInput *input, const Inside *in, int row, Arena *arena,
                 Error *error) {
    const State *state = input->state;
    char id[PLACE_TEXT_MAX];
    place_text(&in->head, id);
    Neuron neuron = {.query = tensor_index(in->q, 0, row),
                     .keys = in->k,
                     .weights = tensor_index(in->weights, 0, row),
                     .scale = in->scale,
                     .scores = in->has_scores ? tensor_index(in->scores, 0, row) : (Tensor){0},
                     .tokens = in->keys.axis,
                     .query_token = in->queries.axis.tokens[row].text,
                     .query_title = in->queries.axis.title,
                     .index = row,
                     .id = id};
    const char *notes = cut_keys(in, row, &neuron.tokens, arena);
    const char *hidden = hidden_note(in, row, arena);
    if (hidden) notes = view_joined(arena, hidden, notes);
    const char *kv = inside_kv_note(in, state, arena);
    if (kv) notes = view_joined(arena, kv, notes);
    notes = view_joined(arena, view_edits(input, arena), notes);
    if (in->rotated) notes = view_joined(arena, "q and k after rotation", notes);
    if (state->base) notes = view_joined(arena, notes, "counted from 1");
    const char *title = arena_printf(
        arena, "%s, layer %d, head %d: one query, dimension by dimension",
        attention_title(&in->head), counted(state, in->head.layer), counted(state, in->head.head));
    ChartOptions options = view_options(input, title, notes);
    if (!state->colormap) options.colormap = COLORMAP_DIVERGING;
    options.scale = CHART_SCALE_MAX;
    if (!neuron_draw(figure, &neuron, &options, error)) return false;
    Place place = in->head;
    Matrices m = {.attention = place_attention(place.stack, place.cross),
                  .n = 1,
                  .places = &place,
                  .queries = in->queries,
                  .keys = in->keys};
    view_tell_matrices(figure, input, &m,
                       "For each key: its vector, the product with the query, their sum and the "
                       "weight");
    return true;
}

bool view_neuron(Figure *figure, const ViewInput *input, Error *error) {
    Arena *arena = arena_new();
    Inside in;
    bool ok = inside_read(input, &in, arena, error);
    int row = ok ? attention_query(input, &in.head, &in.queries, error) : -1;
    ok = row >= 0 && draw(figure, input, &in, row, arena, error);
    arena_free(arena);
    return ok;
}
