#include "app/views/matrices.h"

#include <math.h>
#include <stdlib.h>

#include "app/views/select.h"

enum { MOST_MATRICES = 1024 };

/* ---- which layers and heads: each group becomes one matrix ---- */

typedef struct Group {
    Place place; /* layer or head -1: reduced */
    int n_layers, n_heads;
    const int *layers, *heads;
    SelectKind by_layer, by_head; /* MEAN or MAX where there are several */
} Group;

typedef struct Groups {
    int n;
    Group *items;
} Groups;

static void add_group(Groups *groups, Group g) {
    if (groups->n < MOST_MATRICES) groups->items[groups->n++] = g;
}

static const int *copy_items(const SelectList *list, Arena *arena) {
    int *items = arena_alloc(arena, (size_t)list->n * sizeof *items);
    memcpy(items, list->items, (size_t)list->n * sizeof *items);
    return items;
}

/* Every layer of the one with every head of the other, unless they are averaged. */
static void cross_product(Groups *groups, const Place *attention, const SelectList *layers,
                          const SelectList *heads, Arena *arena) {
    const int *l = copy_items(layers, arena), *h = copy_items(heads, arena);
    int n_l = layers->kind == SELECT_EACH ? layers->n : 1;
    int n_h = heads->kind == SELECT_EACH ? heads->n : 1;
    for (int i = 0; i < n_l; i++)
        for (int j = 0; j < n_h; j++) {
            bool one_l = layers->kind == SELECT_EACH, one_h = heads->kind == SELECT_EACH;
            add_group(groups, (Group){.place = place_of_head(*attention, one_l ? l[i] : -1,
                                                             one_h ? h[j] : -1),
                                      .n_layers = one_l ? 1 : layers->n,
                                      .n_heads = one_h ? 1 : heads->n,
                                      .layers = one_l ? l + i : l,
                                      .heads = one_h ? h + j : h,
                                      .by_layer = layers->kind,
                                      .by_head = heads->kind});
        }
}

Place *heads_named(const char *text, const Place *attention, int n_layers, int n_heads, int *n,
                   Arena *arena, Error *error) {
    Place *out = arena_alloc(arena, (strlen(text) + 1) * sizeof *out);
    Str rest = str(text), part;
    for (*n = 0; select_part(&rest, ',', &part); (*n)++) {
        Place p;
        if (!place_parse(part, &p, error)) return error_prefix(error, "--heads"), NULL;
        bool same = place_same_attention(&p, attention) ||
                    (!p.cross && p.stack == STACK_BLOCKS); /* the attention is said elsewhere */
        if (!same)
            return error_set(error, ERROR_INPUT,
                             "--heads: '%.*s' is of another attention than the rest; one figure "
                             "shows one attention",
                             (int)part.n, part.data),
                   NULL;
        if (p.layer < 0 || p.layer >= n_layers || p.head >= n_heads || p.head < 0)
            return error_set(error, ERROR_INPUT,
                             "--heads: '%.*s': expected L0H0 to L%dH%d, commas between",
                             (int)part.n, part.data, n_layers - 1, n_heads - 1),
                   NULL;
        out[*n] = place_of_head(*attention, p.layer, p.head);
    }
    if (*n > 0) return out;
    error_set(error, ERROR_INPUT, "--heads '%s': expected heads such as L2H1,L5H3", text);
    return NULL;
}

static bool groups_of_heads(Groups *groups, const Place *attention, int n_layers, int n_heads,
                            const char *text, Arena *arena, Error *error) {
    int n;
    Place *places = heads_named(text, attention, n_layers, n_heads, &n, arena, error);
    for (int i = 0; places && i < n; i++) {
        int *pair = arena_alloc(arena, 2 * sizeof *pair);
        pair[0] = places[i].layer;
        pair[1] = places[i].head;
        add_group(groups, (Group){.place = places[i],
                                  .n_layers = 1,
                                  .n_heads = 1,
                                  .layers = pair,
                                  .heads = pair + 1});
    }
    return places != NULL;
}

/* What the state says of layers and heads; a preset place where it says nothing. */
static bool groups_choose(const ViewInput *input, const MatricesWish *wish, const Place *preset,
                          Groups *groups, const char **why, Arena *arena, Error *error) {
    const State *state = input->state;
    int n_layers = trace_n_layers(input->trace, preset->stack, preset->cross);
    int n_heads = trace_n_heads(input->trace, preset->stack, preset->cross);
    groups->items = arena_alloc(arena, MOST_MATRICES * sizeof *groups->items);
    if (state->heads) {
        *why = NULL;
        return groups_of_heads(groups, preset, n_layers, n_heads, state->heads, arena, error);
    }
    char layer[16], head[16];
    bool nothing = !state->layer && !state->head;
    snprintf(layer, sizeof layer, "%d", preset->layer >= 0 ? preset->layer : n_layers - 1);
    snprintf(head, sizeof head, "%d", preset->head);
    const char *layers = state->layer ? state->layer : layer;
    const char *heads = state->head                    ? state->head
                        : wish->all_heads              ? "all"
                        : nothing && preset->head >= 0 ? head
                                                       : "mean";
    if (!nothing || wish->all_heads) *why = NULL;
    bool last = !state->layer && preset->layer < 0 && n_layers > 1;
    if (last && !input->live) *why = "no layer was asked for: the last";
    SelectList *l = arena_alloc(arena, sizeof *l), *h = arena_alloc(arena, sizeof *h);
    if (!select_parse(str(layers), n_layers, "layer", l, error) ||
        !select_parse(str(heads), n_heads, "head", h, error))
        return false;
    if (wish->one && l->n > 1 && l->kind == SELECT_EACH) l->kind = SELECT_MEAN;
    if (wish->one && h->n > 1 && h->kind == SELECT_EACH) h->kind = SELECT_MEAN;
    if (l->n == 1) l->kind = SELECT_EACH; /* the mean of one is that one */
    if (h->n == 1) h->kind = SELECT_EACH;
    cross_product(groups, preset, l, h, arena);
    return true;
}

static const char *group_name(const Group *g, const State *state, Arena *arena) {
    int layer = counted(state, g->place.layer), head = counted(state, g->place.head);
    const char *heads = g->by_head == SELECT_MAX ? "largest" : "mean";
    const char *layers = g->by_layer == SELECT_MAX ? "largest" : "mean";
    if (g->place.layer >= 0 && g->place.head >= 0)
        return arena_printf(arena, "L%dH%d", layer, head);
    if (g->place.layer >= 0)
        return arena_printf(arena, "layer %d, %s of %d heads", layer, heads, g->n_heads);
    if (g->place.head >= 0)
        return arena_printf(arena, "head %d, %s of %d layers", head, layers, g->n_layers);
    if (g->by_head == g->by_layer)
        return arena_printf(arena, "%s of %d heads and %d layers", heads, g->n_heads, g->n_layers);
    return arena_printf(arena, "%s of %d layers, of the %s of %d heads", layers, g->n_layers, heads,
                        g->n_heads);
}

/* ---- numbers ---- */

/* Cell by cell into sum [n]; absent cells are NaN in x. */
static void accumulate(float *sum, const float *x, int64_t n, SelectKind kind, bool first) {
    for (int64_t i = 0; i < n; i++) {
        if (first || isnan(sum[i]))
            sum[i] = x[i];
        else if (!isnan(x[i]))
            sum[i] = kind == SELECT_MAX ? fmaxf(sum[i], x[i]) : sum[i] + x[i];
    }
}

static void scale_by(float *x, int64_t n, SelectKind kind, int count) {
    if (kind == SELECT_MEAN && count > 1)
        for (int64_t i = 0; i < n; i++)
            x[i] /= (float)count;
}

static void absent_cells(const Pattern *p, float *x) {
    Sight sight = sight_of(p);
    for (int64_t q = 0; q < p->n_queries; q++)
        for (int64_t k = 0; k < p->n_keys; k++)
            if (!sight_sees(&sight, q, k)) x[q * p->n_keys + k] = NAN;
}

/* [query, key] of a group, tokens by tokens, masked cells NaN. */
static float *group_weights(const Trace *trace, const Group *g, int64_t n_queries, int64_t n_keys,
                            Arena *arena, Error *error) {
    int64_t n = n_queries * n_keys;
    float *sum = arena_alloc(arena, (size_t)n * sizeof(float));
    float *of_layer = g->n_layers > 1 ? arena_alloc(arena, (size_t)n * sizeof(float)) : sum;
    float *of_head = g->n_heads > 1 ? arena_alloc(arena, (size_t)n * sizeof(float)) : of_layer;
    for (int l = 0; l < g->n_layers; l++) {
        Pattern p;
        if (!trace_pattern(trace, g->place.stack, g->layers[l], g->place.cross, &p) ||
            p.n_queries != n_queries || p.n_keys != n_keys || g->heads[0] >= p.n_heads) {
            error_set(error, ERROR_INPUT, "layer %d of the trace has another shape than the rest",
                      g->layers[l]);
            return NULL;
        }
        for (int h = 0; h < g->n_heads; h++) {
            pattern_tile(&p, g->heads[h], 0, n_queries, 0, n_keys, of_head);
            if (of_head != of_layer) accumulate(of_layer, of_head, n, g->by_head, h == 0);
        }
        if (of_head != of_layer) scale_by(of_layer, n, g->by_head, g->n_heads);
        absent_cells(&p, of_layer);
        if (of_layer != sum) accumulate(sum, of_layer, n, g->by_layer, l == 0);
    }
    if (of_layer != sum) scale_by(sum, n, g->by_layer, g->n_layers);
    return sum;
}

/* How many tokens a row joins, of those that are there. */
static int side_joined(const Side *side, int row) {
    int so_far = side->n_seen - side->first[row];
    return side->count[row] < so_far ? side->count[row] : so_far;
}

/* Weights to a word summed, from a word averaged (Clark et al. 2019, section 4.1). A cell is absent
 * where all that it joins is. */
static Tensor by_rows(const float *x, const Side *queries, const Side *keys, Arena *arena) {
    int n_q = queries->axis.n, n_k = keys->axis.n;
    Tensor out = tensor_new(arena, 2, n_q, n_k);
    tensor_fill(out, NAN);
    for (int r = 0; r < n_q; r++)
        if (!side_seen(queries, r)) tensor_fill(tensor_index(out, 0, r), 0);
    for (int q = 0; q < queries->n_seen; q++)
        for (int k = 0; k < keys->n_tokens; k++) {
            float w = x[(int64_t)q * keys->n_tokens + k];
            if (isnan(w)) continue;
            float *to = out.data + (int64_t)queries->row_of[q] * n_k + keys->row_of[k];
            float part = w / (float)side_joined(queries, queries->row_of[q]);
            *to = isnan(*to) ? part : *to + part;
        }
    return out;
}

/* How much of the rows that are drawn is not: weights, not shares. */
typedef struct Losses {
    double all, hidden, cut;
} Losses;

static void add_row(Losses *losses, const float *row, const Side *keys) {
    for (int k = 0; k < keys->axis.n; k++)
        if (!isnan(row[k])) losses->all += (double)row[k];
    losses->hidden += side_hidden_weight(keys, row);
}

static double percent_of(double part, double all) {
    return all > 0 ? 100 * part / all : 0;
}

typedef struct Ranked {
    float weight;
    int key;
} Ranked;

static int by_weight(const void *a, const void *b) {
    const Ranked *x = a, *y = b;
    if (x->weight != y->weight) return x->weight > y->weight ? -1 : 1;
    return x->key - y->key;
}

/* Leaves the largest weights of a row: top_k of them, or as many as hold the mass; the others are
 * absent, and marked in `cut`. Returns what was left out. */
static double cut_row(float *row, float *cut, const Matrices *m, const State *state,
                      Ranked *ranked) {
    int n = 0;
    double total = 0, kept = 0, left_out = 0;
    for (int k = 0; k < m->keys.axis.n; k++)
        if (!m->keys.axis.tokens[k].hidden && !isnan(row[k])) {
            ranked[n++] = (Ranked){row[k], k};
            total += (double)row[k];
        }
    qsort(ranked, (size_t)n, sizeof *ranked, by_weight);
    for (int i = 0; i < n; i++) {
        bool keep = (state->top_k == 0 || i < state->top_k) &&
                    (state->threshold <= 0 || kept < state->threshold * total);
        if (keep) {
            kept += (double)ranked[i].weight;
            continue;
        }
        left_out += (double)ranked[i].weight;
        row[ranked[i].key] = NAN;
        cut[ranked[i].key] = 1;
    }
    return left_out;
}

static void renormalise_row(float *row, const Matrices *m) {
    double sum = 0;
    for (int k = 0; k < m->keys.axis.n; k++)
        if (!m->keys.axis.tokens[k].hidden && !isnan(row[k])) sum += (double)row[k];
    for (int k = 0; k < m->keys.axis.n && sum > 0; k++)
        row[k] = (float)((double)row[k] / sum);
}

/* ---- the words that go with it ---- */

const char *view_edits(const ViewInput *input, Arena *arena) {
    enum { MOST_NAMES = 4 };
    const State *state = input->state;
    bool told = state->view && strcmp(state->view, "difference") == 0, sets = false;
    if (state->edits.n == 0 || state->from || told) return NULL;
    StrBuf out = {0};
    for (int i = 0; i < state->edits.n; i++) {
        if (i < MOST_NAMES)
            strbuf_printf(&out, "%s%s", i ? ", " : "edited: ", state->edits.items[i]);
        sets = sets || strncmp(state->edits.items[i], "set ", 4) == 0;
    }
    if (state->edits.n > MOST_NAMES)
        strbuf_printf(&out, " and %d more", state->edits.n - MOST_NAMES);
    if (sets) strbuf_puts(&out, " (the rest of the row scaled, so that it sums to 1)");
    const char *text = arena_strdup(arena, out.data);
    strbuf_free(&out);
    return text;
}

/* "only of “cat”, “s”" */
static void note_picked(StrBuf *out, const Matrices *m, const bool *picked) {
    enum { MOST_NAMES = 8 };
    int n = 0;
    for (int q = 0; q < m->queries.axis.n; q++) {
        if (!picked[q]) continue;
        Str s = m->queries.axis.tokens[q].text;
        if (n++ < MOST_NAMES)
            strbuf_printf(out, "%s\xe2\x80\x9c%.*s\xe2\x80\x9d", n > 1 ? ", " : "only of ",
                          (int)s.n, s.data);
    }
    if (n > MOST_NAMES) strbuf_printf(out, " and %d more", n - MOST_NAMES);
}

static const char *notes_text(const ViewInput *input, const Matrices *m, const Losses *losses,
                              const bool *picked, const char *why, Arena *arena) {
    const State *state = input->state;
    StrBuf out = {0};
#define NOTE(...) (strbuf_puts(&out, out.n ? " · " : ""), strbuf_printf(&out, __VA_ARGS__))
    const char *edits = view_edits(input, arena);
    if (why) NOTE("%s", why);
    if (edits) NOTE("%s", edits);
    bool joined = m->queries.axis.n < m->queries.n_tokens || m->keys.axis.n < m->keys.n_tokens;
    if (m->queries.words && joined)
        NOTE("sub-words joined: weights to a word summed, from a word averaged");
    const char *unread = *m->keys.unread_names ? m->keys.unread_names : m->queries.unread_names;
    if (*unread) NOTE("not in the vocabulary: %s", unread);
    if (m->queries.n_seen < m->queries.n_tokens)
        NOTE("step %d of %d", m->queries.n_seen, m->queries.n_tokens);
    if (m->keys.n_hidden)
        NOTE("%s", side_hidden_note(&m->keys, percent_of(losses->hidden, losses->all), arena));
    else if (m->queries.n_hidden)
        NOTE("rows of %s hidden", m->queries.hidden_names);
    if (state->top_k > 0) NOTE("top %d of each query", state->top_k);
    if (state->threshold > 0) {
        char mass[32];
        NOTE("the largest weights up to %s of a query's mass",
             number_text(state->threshold, 4, mass));
    }
    if (state->top_k > 0 || state->threshold > 0)
        NOTE("%.1f %% of the weight left out", percent_of(losses->cut, losses->all));
    if (state->renormalise)
        NOTE("%s renormalised to sum to 1", state->transpose ? "columns" : "rows");
    if (picked) {
        strbuf_puts(&out, out.n ? " \xc2\xb7 " : "");
        note_picked(&out, m, picked);
    }
    if (state->base) NOTE("counted from 1");
#undef NOTE
    const char *text = arena_strdup(arena, out.n ? out.data : "");
    strbuf_free(&out);
    return text;
}

static const char *title_text(const ViewInput *input, const Matrices *m, const char *name,
                              Arena *arena) {
    const State *state = input->state;
    if (state->title) return state->title;
    const char *what = attention_title(&m->attention);
    const Place *p = &m->places[0];
    if (m->n == 1 && p->layer >= 0 && p->head >= 0)
        return arena_printf(arena, "%s, layer %d, head %d", what, counted(state, p->layer),
                            counted(state, p->head));
    if (m->n == 1) return arena_printf(arena, "%s, %s", what, name);
    bool same_layer = true;
    for (int i = 1; i < m->n; i++)
        same_layer = same_layer && m->places[i].layer == p->layer;
    if (same_layer && p->layer >= 0)
        return arena_printf(arena, "%s, layer %d, %d heads", what, counted(state, p->layer), m->n);
    return arena_printf(arena, "%s, %d heads", what, m->n);
}

/* ---- all of it ---- */

/* Cuts, picks, renormalises and hides in one matrix; adds to the losses, of the row `only` alone
 * unless it is -1. */
static void finish_matrix(const ViewInput *input, Matrices *m, Tensor weights, Tensor cuts,
                          const bool *picked, int only, Losses *losses, Arena *arena) {
    const State *state = input->state;
    int n_keys = m->keys.axis.n;
    Ranked *ranked = arena_alloc(arena, ((size_t)n_keys + 1) * sizeof *ranked);
    for (int q = 0; q < m->queries.axis.n; q++) {
        float *row = weights.data + (int64_t)q * n_keys;
        bool hidden = m->queries.axis.tokens[q].hidden || (picked && !picked[q]);
        for (int k = 0; k < n_keys && hidden; k++)
            row[k] = NAN;
        if (hidden || !side_seen(&m->queries, q)) continue;
        bool counts = only < 0 || q == only;
        if (counts) add_row(losses, row, &m->keys);
        double cut = 0;
        if (cuts.data) cut = cut_row(row, cuts.data + (int64_t)q * n_keys, m, state, ranked);
        if (counts) losses->cut += cut;
        if (state->renormalise) renormalise_row(row, m);
        for (int k = 0; k < n_keys; k++) {
            if (m->keys.axis.tokens[k].hidden) row[k] = NAN; /* no part of any scale */
            if (row[k] > m->largest) m->largest = row[k];
        }
    }
}

static bool some_left(const Side *side, const char *which, Error *error) {
    if (side->n_hidden < side->axis.n) return true;
    return error_set(error, ERROR_INPUT, "all %s are hidden, nothing is left to draw", which);
}

bool matrices_read(const ViewInput *input, const MatricesWish *wish, Arena *arena, Matrices *out,
                   Error *error) {
    const State *state = input->state;
    *out = (Matrices){0};
    const char *why;
    Groups groups = {0};
    if (!attention_choose(input, wish, &out->attention, &why, error) ||
        !groups_choose(input, wish, &out->attention, &groups, &why, arena, error))
        return false;
    out->attention.layer = out->attention.head = -1;
    bool words = state->units ? strcmp(state->units, "words") == 0 : wish->words;
    if (!attention_sides(input, &out->attention, words, wish->same_tokens, arena, &out->queries,
                         &out->keys, &out->writes))
        return error_set(error, ERROR_INPUT, "nothing was read: no tokens");
    if (!some_left(&out->queries, "queries", error) || !some_left(&out->keys, "keys", error))
        return false;
    bool *picked = NULL;
    if (wish->pick_rows && state->token) {
        picked = arena_calloc(arena, (size_t)out->queries.axis.n + 1, sizeof *picked);
        if (side_pick(&out->queries, state->token, picked, error) == 0) return false;
    }
    int only = -1;
    if (wish->one_query) {
        only = attention_query(input, &out->attention, &out->queries, error);
        if (only < 0) return false;
    }
    out->n = groups.n;
    out->items = arena_calloc(arena, (size_t)groups.n, sizeof *out->items);
    out->places = arena_calloc(arena, (size_t)groups.n, sizeof *out->places);
    Losses losses = {0};
    Arena *scratch = arena_new();
    bool ok = true;
    for (int i = 0; i < groups.n && ok; i++) {
        const Group *g = &groups.items[i];
        arena_clear(scratch);
        float *x = group_weights(input->trace, g, out->queries.n_tokens, out->keys.n_tokens,
                                 scratch, error);
        ok = x != NULL;
        if (!ok) break;
        Tensor weights = by_rows(x, &out->queries, &out->keys, arena);
        Tensor cuts = {0};
        if (state->top_k > 0 || state->threshold > 0) {
            cuts = tensor_new(arena, 2, weights.shape[0], weights.shape[1]);
            tensor_fill(cuts, 0);
        }
        finish_matrix(input, out, weights, cuts, picked, only, &losses, scratch);
        char id[PLACE_TEXT_MAX];
        out->places[i] = g->place;
        out->items[i] = (ChartMatrix){.weights = weights,
                                      .cut = cuts,
                                      .name = group_name(g, state, arena),
                                      .id = arena_strdup(arena, place_text(&g->place, id))};
    }
    arena_free(scratch);
    if (!ok) return false;
    out->title = title_text(input, out, out->items[0].name, arena);
    out->notes = notes_text(input, out, &losses, picked, why, arena);
    return true;
}
