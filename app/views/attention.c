/* Which attention a view shows, and what its queries and keys are called. */
#include <stdlib.h>

#include "app/views/matrices.h"
#include "app/views/select.h"

/* ---- which attention ---- */

const char *attention_title(const Place *attention) {
    if (attention->cross) return "Cross-attention";
    switch (attention->stack) {
    case STACK_ENCODER:
        return "Self-attention of the encoder";
    case STACK_DECODER:
        return "Self-attention of the decoder";
    case STACK_BLOCKS:
    case STACK_COUNT:
        break;
    }
    return "Self-attention";
}

static const Place attentions[] = {
    {STACK_ENCODER, false, -1, -1, -1, -1},
    {STACK_DECODER, false, -1, -1, -1, -1},
    {STACK_DECODER, true, -1, -1, -1, -1},
    {STACK_BLOCKS, false, -1, -1, -1, -1},
};
enum { N_ATTENTIONS = sizeof attentions / sizeof *attentions };

static bool has(const Trace *trace, const Place *p) {
    return trace_has(trace, p->stack, p->cross) && trace_n_layers(trace, p->stack, p->cross) > 0;
}

static bool attention_missing(const Trace *trace, const char *name, Error *error) {
    StrBuf there = {0};
    for (int i = 0; i < N_ATTENTIONS; i++)
        if (has(trace, &attentions[i]))
            strbuf_printf(&there, "%s%s", there.n ? ", " : "",
                          place_attention_name(&attentions[i]));
    error_set(error, ERROR_UNSUPPORTED, "no %s attention here; there is %s", name,
              there.n ? there.data : "none at all");
    strbuf_free(&there);
    return false;
}

/* The first of the heads in "L5H3,L2H1" may say the attention too. */
static bool attention_of_heads(const State *state, Place *out) {
    Str rest = state->heads ? str(state->heads) : (Str){0}, part;
    return select_part(&rest, ',', &part) && place_parse(part, out, NULL) &&
           (out->cross || out->stack != STACK_BLOCKS);
}

static bool attention_named(const Trace *trace, const char *name, Place *out, Error *error) {
    for (int i = 0; i < N_ATTENTIONS; i++)
        if (strcmp(name, place_attention_name(&attentions[i])) == 0 && has(trace, &attentions[i])) {
            *out = attentions[i];
            return true;
        }
    return attention_missing(trace, name, error);
}

bool attention_choose(const ViewInput *input, const MatricesWish *wish, Place *out,
                      const char **why, Error *error) {
    const State *state = input->state;
    *why = NULL;
    Place said;
    if (state->attention) {
        if (!attention_named(input->trace, state->attention, out, error)) return false;
    } else if (attention_of_heads(state, &said)) {
        if (!attention_named(input->trace, place_attention_name(&said), out, error)) return false;
    } else if (wish->attention) {
        Error ignored = {0};
        if (!attention_named(input->trace, wish->attention, out, &ignored))
            *out = view_default_place(input, why);
    } else {
        *out = view_default_place(input, why);
    }
    if (wish->self_only && out->cross) {
        static const StackId order[] = {STACK_BLOCKS, STACK_ENCODER, STACK_DECODER};
        if (state->attention)
            return error_set(error, ERROR_UNSUPPORTED,
                             "this view shows one sentence; cross-attention has two (--encoder, "
                             "--decoder, or figure cross)");
        *why = NULL;
        *out = place_attention(STACK_COUNT, false);
        for (int i = 2; i >= 0; i--)
            if (trace_has(input->trace, order[i], false)) out->stack = order[i];
    }
    if (out->stack == STACK_COUNT || !has(input->trace, out))
        return attention_missing(input->trace, "such", error);
    /* A default place of the same attention keeps its layer and head. */
    Place preset = view_default_place(input, why);
    if (place_same_attention(&preset, out))
        *out = preset;
    else
        *why = NULL;
    return true;
}

/* ---- its two sides ---- */

const char *query_title(const Place *attention, QueryNaming naming, bool words) {
    const bool w = words;
    switch (naming) {
    case QUERY_WRITES:
        return w ? "query: decoder step, named by the word it writes"
                 : "query: decoder step, named by the token it writes";
    case QUERY_READS:
        return w ? "query: decoder step, named by the word it reads"
                 : "query: decoder step, named by the token it reads";
    case QUERY_TOKEN:
        break;
    }
    if (attention->stack == STACK_DECODER)
        return w ? "query: decoder word" : "query: decoder token";
    if (attention->stack == STACK_ENCODER)
        return w ? "query: encoder word" : "query: encoder token";
    return w ? "query: word" : "query: token";
}

const char *key_title(const Place *attention, bool words) {
    if (attention->cross || attention->stack == STACK_ENCODER)
        return words ? "key: encoder word" : "key: encoder token";
    if (attention->stack == STACK_DECODER)
        return words ? "key: decoder word read" : "key: decoder token read";
    return words ? "key: word" : "key: token";
}

/* While generation is stepped through: tokens that are there, of those that it writes. */
static bool stops_at(const ViewInput *input, const Place *attention, int *n_seen) {
    const Model *model = input->model;
    bool goes_on = attention->stack == STACK_DECODER || attention->cross ||
                   (model && model->config.family == FAMILY_DECODER);
    *n_seen = input->state->step + 1;
    return input->state->step >= 0 && goes_on;
}

static void remark(ViewReport *report, const char *text) {
    if (report->remarks.n && strstr(report->remarks.data, text)) return;
    strbuf_printf(&report->remarks, "%s\n", text);
}

/* What was asked for and is not to be found in these tokens. */
static void remark_idle(const ViewInput *input, const Side *queries, const Tokens *q,
                        const Side *keys, const Tokens *k, bool steps, Arena *arena) {
    const State *state = input->state;
    for (int i = 0; i < state->hide.n; i++) {
        Str whole = str(state->hide.items[i]), rest = whole, part;
        if (side_has(queries, q, whole) || side_has(keys, k, whole)) continue;
        while (select_part(&rest, ',', &part))
            if (!side_has(queries, q, part) && !side_has(keys, k, part))
                remark(input->report, arena_printf(arena, "--hide %.*s: no token is called so here",
                                                   (int)part.n, part.data));
    }
    if (state->rows && !steps)
        remark(input->report, "--rows changes nothing here: it names the steps of a decoder that "
                              "reads one token and writes another");
}

bool attention_sides(const ViewInput *input, const Place *attention, bool words, bool reads,
                     Arena *arena, Side *queries, Side *keys, bool *writes) {
    const State *state = input->state;
    Tokens source = trace_source(input->trace), target = trace_target(input->trace);
    bool decoder = attention->stack == STACK_DECODER;
    const Token *next = decoder ? trace_next_tokens(input->trace) : NULL;
    bool wanted = state->rows ? strcmp(state->rows, "writes") == 0 : attention->cross;
    *writes = decoder && next && wanted && !reads;
    Tokens q = decoder ? target : source, k = attention->cross || !decoder ? source : target;
    if (*writes) q.items = (Token *)(uintptr_t)next; /* only read */
    side_read(queries, &q, state, words, arena);
    side_read(keys, &k, state, words, arena);
    if (input->report) remark_idle(input, queries, &q, keys, &k, decoder && next && !reads, arena);
    int n_seen;
    if (stops_at(input, attention, &n_seen)) {
        side_until(queries, &q, n_seen, state, arena);
        if (!attention->cross) side_until(keys, &k, n_seen, state, arena);
    }
    /* Of a file that does not say what the steps write, nobody knows what names them. */
    QueryNaming naming = *writes                                                  ? QUERY_WRITES
                         : decoder && (next || !attention->cross || input->model) ? QUERY_READS
                                                                                  : QUERY_TOKEN;
    queries->axis.title = query_title(attention, naming, words);
    keys->axis.title = key_title(attention, words);
    return q.n > 0 && k.n > 0;
}

static bool is_content(const ChartToken *t) {
    return !t->hidden && !t->special && !label_is_punctuation(t->text);
}

int attention_query(const ViewInput *input, const Place *attention, const Side *queries,
                    Error *error) {
    const State *state = input->state;
    int n = queries->axis.n;
    if (state->token) {
        bool *picked = calloc((size_t)n + 1, sizeof *picked);
        int row = -1;
        if (picked && side_pick(queries, state->token, picked, error) > 0)
            for (row = 0; !picked[row];)
                row++;
        free(picked);
        return row;
    }
    const Place *at = &state->selection;
    if (place_same_attention(at, attention) && at->query >= 0 && at->query < queries->n_tokens)
        return queries->row_of[at->query];
    for (int i = 0; i < n; i++) {
        int row = (n / 2 + i) % n;
        if (is_content(&queries->axis.tokens[row])) return row;
    }
    return 0;
}

static bool zero_above_diagonal(const Pattern *p) {
    Arena *arena = arena_new();
    float *row = arena_alloc(arena, (size_t)p->n_keys * sizeof *row);
    bool zero = true;
    for (int h = 0; h < p->n_heads && zero; h++)
        for (int64_t q = 0; q + 1 < p->n_queries && zero; q++) {
            pattern_tile(p, h, q, q + 1, 0, p->n_keys, row);
            for (int64_t k = q + 1; k < p->n_keys && zero; k++)
                zero = !(row[k] > 0);
        }
    arena_free(arena);
    return zero;
}

Sight sight_of(const Pattern *pattern) {
    Sight sight = {.pattern = pattern};
    int64_t n = pattern->n_keys;
    /* A trace that knows its mask masks the last key from the first query of a causal one. */
    if (!pattern->at.cross && n > 1 && pattern->n_queries == n && pattern->stored.data &&
        pattern_visible(pattern, 0, n - 1))
        sight.causal = zero_above_diagonal(pattern);
    return sight;
}
