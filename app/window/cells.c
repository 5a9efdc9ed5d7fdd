/* See cells.h. What a row or column of the figure joins is in its report: the first token of each.
 */
#include "app/window/cells.h"

#include "model/words.h"

/* One side of an attention, and how the figure groups its tokens. */
typedef struct Axis {
    Tokens tokens;
    int n;            /* rows */
    const int *first; // [n]
} Axis;

static Tokens query_tokens(const Window *w, const Place *p) {
    const Trace *t = w->pass->trace;
    if (p->stack != STACK_DECODER && !p->cross) return trace_source(t);
    Tokens tokens = trace_target(t);
    const Token *next = trace_next_tokens(t);
    bool writes = w->state.rows ? strcmp(w->state.rows, "writes") == 0 : p->cross;
    if (writes && next) tokens.items = (Token *)(uintptr_t)next; /* only read */
    return tokens;
}

static Tokens key_tokens(const Window *w, const Place *p) {
    bool target = p->stack == STACK_DECODER && !p->cross;
    return target ? trace_target(w->pass->trace) : trace_source(w->pass->trace);
}

/* Is the figure about these patterns, and do its rows fit the tokens? */
static bool groups(const Window *w, const Place *p, int n, const int *first, int n_tokens) {
    const ViewReport *r = w->shown && w->shown->figure ? &w->shown->report : NULL;
    return r && r->n_series > 0 && place_same_attention(&r->series[0], p) && n > 0 &&
           n <= n_tokens && first[n - 1] < n_tokens;
}

static Axis axis_of(const Window *w, const Place *p, Tokens tokens, int n, const int *first,
                    Arena *arena) {
    if (groups(w, p, n, first, tokens.n)) return (Axis){tokens, n, first};
    int *each = arena_alloc(arena, ((size_t)tokens.n + 1) * sizeof *each);
    for (int i = 0; i < tokens.n; i++)
        each[i] = i;
    return (Axis){tokens, tokens.n, each};
}

static Axis queries_of(const Window *w, const Place *p, Arena *arena) {
    const ViewReport *r = w->shown ? &w->shown->report : NULL;
    return axis_of(w, p, query_tokens(w, p), r ? r->n_queries : 0, r ? r->query_tokens : NULL,
                   arena);
}

static Axis keys_of(const Window *w, const Place *p, Arena *arena) {
    const ViewReport *r = w->shown ? &w->shown->report : NULL;
    return axis_of(w, p, key_tokens(w, p), r ? r->n_keys : 0, r ? r->key_tokens : NULL, arena);
}

static int row_of(const Axis *axis, int token) {
    int row = -1;
    while (row + 1 < axis->n && axis->first[row + 1] <= token)
        row++;
    return token < axis->tokens.n ? row : -1;
}

static int end_of(const Axis *axis, int row) {
    return row + 1 < axis->n ? axis->first[row + 1] : axis->tokens.n;
}

/* The word where the figure joins pieces, else the piece; raw: as the vocabulary has it. */
static Str *labels_of(const Axis *axis, bool raw, Arena *arena) {
    Str *labels = arena_alloc(arena, ((size_t)axis->n + 1) * sizeof *labels);
    const Token *tokens = axis->tokens.items;
    TokenStyle style = token_style(tokens, axis->tokens.n);
    Words words = {0};
    bool joined = axis->n < axis->tokens.n;
    if (joined) words = words_read(&axis->tokens, arena);
    for (int r = 0; r < axis->n; r++) {
        int first = axis->first[r];
        labels[r] = joined ? words.items[words.of[first]].label
                    : raw  ? tokens[first].label
                           : token_pretty(tokens[first].label, style, arena);
        if (labels[r].n == 0 || str_is(labels[r], " ")) labels[r] = str("\xe2\x90\xa3");
    }
    return labels;
}

Str cells_query_label(const Window *w, const Place *p, Arena *arena) {
    if (!w->pass || p->query < 0) return (Str){0};
    Axis queries = queries_of(w, p, arena);
    int row = row_of(&queries, p->query);
    return row < 0 ? (Str){0} : labels_of(&queries, w->state.raw_tokens, arena)[row];
}

/* Tokens begin..end of the pattern's queries, their mean over the heads: into row [n_keys]. */
static bool read_row(const Pattern *pattern, const Place *p, int begin, int end, float *row,
                     Arena *arena) {
    int n = (int)pattern->n_keys;
    int from = p->head < 0 ? 0 : p->head, to = p->head < 0 ? pattern->n_heads : p->head + 1;
    if (to > pattern->n_heads || end > pattern->n_queries) return false;
    float *one = arena_alloc(arena, ((size_t)n + 1) * sizeof *one);
    for (int h = from; h < to; h++)
        for (int q = begin; q < end; q++) {
            pattern_tile(pattern, h, q, q + 1, 0, n, one);
            for (int k = 0; k < n; k++)
                row[k] += one[k] / (float)((to - from) * (end - begin));
        }
    return true;
}

bool cells_read(const Window *w, const Place *p, Arena *arena, Cells *out) {
    Pattern pattern;
    *out = (Cells){.place = *p, .key = -1};
    if (!w->pass || p->query < 0 || p->layer < 0 ||
        !trace_pattern(w->pass->trace, p->stack, p->layer, p->cross, &pattern))
        return false;
    Axis queries = queries_of(w, p, arena), keys = keys_of(w, p, arena);
    int q = row_of(&queries, p->query);
    if (q < 0 || keys.tokens.n != pattern.n_keys || keys.n < 1) return false;
    int begin = queries.first[q], end = end_of(&queries, q);
    /* Of a word that is being written, the pieces so far. */
    bool stepped = pattern.at.cross || pattern.at.stack != STACK_ENCODER;
    if (stepped && w->state.step >= begin && w->state.step < end - 1) end = w->state.step + 1;
    float *row = arena_calloc(arena, (size_t)pattern.n_keys + 1, sizeof *row);
    if (!read_row(&pattern, p, begin, end, row, arena)) return false;
    out->n = keys.n;
    out->first = keys.first;
    out->weights = arena_calloc(arena, (size_t)keys.n, sizeof *out->weights);
    for (int k = 0; k < keys.n; k++)
        for (int t = keys.first[k]; t < end_of(&keys, k); t++)
            out->weights[k] += row[t];
    out->labels = labels_of(&keys, w->state.raw_tokens, arena);
    out->query = labels_of(&queries, w->state.raw_tokens, arena)[q];
    out->first_query = begin;
    out->n_query_tokens = end - begin;
    if (p->key >= 0) out->key = row_of(&keys, p->key);
    if (out->key >= 0) out->n_key_tokens = end_of(&keys, out->key) - keys.first[out->key];
    return true;
}

static int stepped(const Axis *axis, int token, int by) {
    int row = token < 0 ? -1 : row_of(axis, token);
    row = row < 0 && by <= 0 ? 0 : row + by;
    row = row < 0 ? 0 : row >= axis->n ? axis->n - 1 : row;
    return axis->first[row];
}

bool cells_step(const Window *w, Place *p, int queries, int keys) {
    if (!w->pass || p->layer < 0) return false;
    Arena *arena = arena_new();
    Axis down = queries_of(w, p, arena), across = keys_of(w, p, arena);
    bool any = down.n > 0 && across.n > 0;
    if (any && (queries || p->query >= 0)) p->query = stepped(&down, p->query, queries);
    if (any && (keys || p->key >= 0)) p->key = stepped(&across, p->key, keys);
    arena_free(arena);
    return any;
}

Place cells_place(const Cells *cells, int key) {
    Place p = cells->place;
    p.key = cells->first[key];
    return p;
}
