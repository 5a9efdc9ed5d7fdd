#include "model/rnn.h"

#include <math.h>
#include <string.h>

#include "model/kernels.h"
#include "model/ops.h"
#include "model/run_hooks.h"

enum { MOST_GATES = 4 };

/* Sites of the gates in torch's order. */
static const Site gate_sites[][MOST_GATES] = {
    [CELL_RNN] = {SITE_RNN_H},
    [CELL_LSTM] = {SITE_RNN_I, SITE_RNN_F, SITE_RNN_G, SITE_RNN_O},
    [CELL_GRU] = {SITE_RNN_R, SITE_RNN_Z, SITE_RNN_N},
};

int rnn_n_gates(const RnnConfig *config) {
    static const int n[] = {[CELL_RNN] = 1, [CELL_LSTM] = 4, [CELL_GRU] = 3};
    return n[config->cell];
}

/* One layer read in one direction: what it remembers and what is recorded of it. */
typedef struct Reading {
    Run *run;
    const RnnConfig *config;
    const RnnCell *cell;
    StackId stack;
    int layer, row;
    bool backward;
    int64_t d;
    Tensor h, c;              // [1, d] the state before the next step
    Tensor states, cells;     // [pos, d] of all tokens
    Tensor gates[MOST_GATES]; // [pos, d]
} Reading;

static Tensor row_of(Tensor x, int64_t t) {
    return tensor_slice(x, 0, t, t + 1);
}

/* d numbers of x from `begin` on, contiguous, as one row; a view of the gradient too. */
static Tensor part_of(Tensor x, int64_t begin, int64_t d) {
    Tensor y = tensor_view(x.data + begin, 2, 1, d);
    y.grad = x.grad ? x.grad + begin : NULL;
    return y;
}

typedef struct Put {
    Tensor to, from; // [n, d]
} Put;

static void put_backward(const void *saved, Tape *tape) {
    (void)tape;
    const Put *s = saved;
    for (int64_t i = 0; s->from.grad && i < s->from.shape[0]; i++)
        kernel_add(s->from.grad + i * s->from.stride[0], s->to.grad + i * s->to.stride[0],
                   s->from.shape[1]);
}

/* Copies rows into their place in a collection. */
static void put(Run *run, Tensor to, Tensor from) {
    tensor_copy(to, from);
    if (run->tape) *(Put *)tape_append(run->tape, put_backward, sizeof(Put)) = (Put){to, from};
}

static Tensor side_by_side(Run *run, Tensor a, Tensor b) {
    if (!b.data) return a;
    Tensor out = run_tensor(run, 2, a.shape[0], a.shape[1] + b.shape[1]);
    put(run, tensor_slice(out, 1, 0, a.shape[1]), a);
    put(run, tensor_slice(out, 1, a.shape[1], out.shape[1]), b);
    return out;
}

/* x [1, d] through the edits of its site, into row t (position `at`) of what is collected; what
 * follows reads it there. */
static Tensor collect(const Reading *r, Site site, int64_t position, Tensor x, Tensor all,
                      int64_t t) {
    HookPoint at = {.site = site, .stack = r->stack, .layer = r->layer, .query_begin = position};
    if (!r->backward || site == SITE_RNN_H_BACKWARD) x = hook_edited(r->run, &at, x);
    put(r->run, row_of(all, t), x);
    return part_of(all, t * r->d, r->d);
}

static void record(const Reading *r, Site site, Tensor x) {
    HookPoint at = {.site = site, .stack = r->stack, .layer = r->layer, .row = r->row};
    if (!r->backward || site == SITE_RNN_H_BACKWARD) hook_record(r->run, &at, x);
}

/* The new state from the gates. */
static Tensor new_state(Reading *r, const Tensor *gate, int64_t t, int64_t position) {
    Run *run = r->run;
    switch (r->config->cell) {
    case CELL_RNN:
        return gate[0];
    case CELL_GRU: /* (1 - z) n + z h */
        return op_add(run, gate[2],
                      op_mul(run, gate[1], op_add(run, r->h, op_scale(run, gate[2], -1))));
    case CELL_LSTM: {
        Tensor c = op_add(run, op_mul(run, gate[1], r->c), op_mul(run, gate[0], gate[2]));
        r->c = collect(r, SITE_RNN_C, position, c, r->cells, t);
        return op_mul(run, gate[3], op_activation(run, ACTIVATION_TANH, r->c));
    }
    }
    return gate[0];
}

/* gates = W_ih x + b_ih (given) and W_hh h + b_hh (made here) -> the new state in row t. */
static void step(Reading *r, Tensor from_input, int64_t t, int64_t position) {
    Run *run = r->run;
    int64_t d = r->d;
    ArenaMark mark = arena_mark(run->arena);
    Tensor from_state = op_linear(run, r->h, &r->cell->hidden), gate[MOST_GATES];
    for (int g = 0; g < rnn_n_gates(r->config); g++) {
        bool candidate = r->config->cell == CELL_RNN || g == 2;
        Tensor x = part_of(from_input, g * d, d), y = part_of(from_state, g * d, d);
        if (r->config->cell == CELL_GRU && g == 2) y = op_mul(run, gate[0], y); /* r (W_hn h + b) */
        x = op_activation(run, candidate ? r->config->activation : ACTIVATION_SIGMOID,
                          op_add(run, x, y));
        gate[g] = r->config->cell == CELL_RNN
                      ? x
                      : collect(r, gate_sites[r->config->cell][g], position, x, r->gates[g], t);
    }
    Tensor h = new_state(r, gate, t, position);
    r->h = collect(r, r->backward ? SITE_RNN_H_BACKWARD : SITE_RNN_H, position, h, r->states, t);
    if (!run->tape) arena_reset(run->arena, mark);
}

static void begin_reading(Reading *r, int64_t n) {
    r->states = run_tensor(r->run, 2, n, r->d);
    if (r->config->cell == CELL_LSTM) r->cells = run_tensor(r->run, 2, n, r->d);
    for (int g = 0; rnn_n_gates(r->config) > 1 && g < rnn_n_gates(r->config); g++)
        r->gates[g] = run_tensor(r->run, 2, n, r->d);
}

static void end_reading(const Reading *r) {
    record(r, r->backward ? SITE_RNN_H_BACKWARD : SITE_RNN_H, r->states);
    if (r->cells.data) record(r, SITE_RNN_C, r->cells);
    for (int g = 0; rnn_n_gates(r->config) > 1 && g < rnn_n_gates(r->config); g++)
        record(r, gate_sites[r->config->cell][g], r->gates[g]);
}

/* ---- encoder ---- */

/* All tokens of x [n, d_in] in one direction -> [n, d]; h, c keep the last state. */
static Tensor read_layer(Reading *r, Tensor x) {
    int64_t n = x.shape[0];
    begin_reading(r, n);
    Tensor inputs = op_linear(r->run, x, &r->cell->input);
    for (int64_t i = 0; i < n; i++) {
        int64_t t = r->backward ? n - 1 - i : i;
        step(r, row_of(inputs, t), t, t);
    }
    end_reading(r);
    return r->states;
}

/* The decoder's first state of a layer from the last ones of the encoder's. */
static void bridge(Run *run, const Linear *linear, Tensor ends, Tensor out) {
    put(run, out, op_activation(run, ACTIVATION_TANH, op_linear(run, ends, linear)));
}

static void encode_row(Run *run, Tensor x, int row, Tensor out) {
    const RnnConfig *c = &run->model->config.rnn;
    const RnnWeights *w = run->model->extra;
    Tensor nothing = run_tensor(run, 2, 1, c->d_encoder);
    tensor_fill(nothing, 0);
    for (int layer = 0; layer < run->model->config.stack[STACK_ENCODER].n_layers; layer++) {
        Tensor y[2] = {{0}}, h[2] = {{0}}, cells[2] = {{0}};
        for (int side = 0; side < (c->bidirectional ? 2 : 1); side++) {
            Reading r = {.run = run,
                         .config = c,
                         .cell = side ? &w->backward[layer] : &w->forward[layer],
                         .stack = STACK_ENCODER,
                         .layer = layer,
                         .row = row,
                         .backward = side == 1,
                         .d = c->d_encoder,
                         .h = nothing,
                         .c = nothing};
            y[side] = read_layer(&r, x);
            h[side] = r.h;
            cells[side] = r.c;
        }
        x = side_by_side(run, y[0], y[1]);
        bridge(run, &w->bridge_h, side_by_side(run, h[0], h[1]),
               row_of(tensor_index(run->first_h, 0, row), layer));
        if (c->cell == CELL_LSTM)
            bridge(run, &w->bridge_c, side_by_side(run, cells[0], cells[1]),
                   row_of(tensor_index(run->first_c, 0, row), layer));
    }
    put(run, out, x);
}

static Tensor embed(Run *run, StackId stack, const TokenRows *rows, int query_begin) {
    Tensor x =
        op_embed(run, &run->model->stack[stack].embed, rows->ids, rows->begin[rows->n_rows], 1);
    return hook(run,
                &(HookPoint){.site = SITE_EMBED,
                             .stack = stack,
                             .query_begin = query_begin,
                             .row_begin = rows->begin,
                             .n_rows = rows->n_rows},
                x);
}

static bool encode(Run *run, const TokenRows *rows, Tensor *out, Error *error) {
    const ModelConfig *m = &run->model->config;
    int n_layers = m->stack[STACK_DECODER].n_layers, d = m->rnn.d_decoder;
    run->first_h = run_tensor(run, 3, rows->n_rows, n_layers, d);
    run->first_c = run_tensor(run, 3, rows->n_rows, n_layers, d);
    tensor_fill(run->first_c, 0);
    Tensor x = embed(run, STACK_ENCODER, rows, 0);
    int64_t width = (m->rnn.bidirectional ? 2 : 1) * m->rnn.d_encoder;
    *out = run_tensor(run, 2, rows->begin[rows->n_rows], width);
    for (int r = 0; r < rows->n_rows; r++) {
        if (!run_continues(run, error)) return false;
        encode_row(run, tensor_slice(x, 0, rows->begin[r], rows->begin[r + 1]), r,
                   tensor_slice(*out, 0, rows->begin[r], rows->begin[r + 1]));
    }
    return run_continues(run, error);
}

/* ---- decoder ---- */

typedef struct Decoding {
    Run *run;
    const RnnConfig *config;
    const RnnWeights *w;
    int row, n_layers;
    Tensor keys, values;     // [key, d_attention or d_decoder], [key, d]
    const uint8_t *keep;     // [key]; NULL: all
    Reading *layers;         // [n_layers]
    Tensor scores, patterns; // [1, query, key] of all steps
    Tensor contexts;         // [query, d]
    Tensor out;              // [query, d_out]
} Decoding;

static HookPoint attention_point(const Decoding *d, Site site, int64_t position) {
    return (HookPoint){.site = site,
                       .stack = STACK_DECODER,
                       .layer = -1,
                       .cross = true,
                       .row = d->row,
                       .query_begin = position};
}

/* A row of scores or weights [1, 1, key] through the edits, into row t of what is collected. */
static Tensor collect_row(const Decoding *d, Site site, int64_t position, Tensor x, Tensor all,
                          int64_t t) {
    HookPoint at = attention_point(d, site, position);
    int64_t n = x.shape[2];
    x = hook_edited(d->run, &at, x);
    Tensor row = part_of(all, t * n, n);
    put(d->run, row, part_of(x, 0, n));
    return tensor_reshape(row, 3, 1, 1, n);
}

/* v.tanh(q + k_j) for all keys -> [1, 1, key] */
static Tensor additive_scores(const Decoding *d, Tensor query) {
    Run *run = d->run;
    int64_t n = d->keys.shape[0], width = d->keys.shape[1];
    Tensor queries = run_tensor(run, 2, n, width);
    for (int64_t k = 0; k < n; k++)
        put(run, row_of(queries, k), query);
    Tensor mixed = op_activation(run, ACTIVATION_TANH, op_add(run, d->keys, queries));
    Linear *v = arena_calloc(run->arena, 1, sizeof *v); /* the tape keeps it */
    v->weight = (Weight){.data = d->w->v, .dtype = DTYPE_F32, .rows = 1, .cols = width};
    Tensor scores = tensor_reshape(op_linear(run, mixed, v), 3, 1, 1, n);
    for (int64_t k = 0; d->keep && k < n; k++)
        if (!d->keep[k]) scores.data[k] = -INFINITY;
    return scores;
}

/* Weights over the source for the state s [1, d], and the values that they mix: row t of contexts.
 */
static Tensor attend(const Decoding *d, Tensor s, int64_t t, int64_t position) {
    Run *run = d->run;
    const MaskRule mask = {.keep = d->keep};
    Tensor scores = d->config->attention == RNN_BAHDANAU
                        ? additive_scores(d, op_linear(run, s, &d->w->query))
                        : op_attention_scores(run, tensor_split(s, 1, 1),
                                              tensor_split(d->keys, 1, 1), 1, (Tensor){0}, &mask);
    scores = collect_row(d, SITE_SCORES, position, scores, d->scores, t);
    Tensor weights = op_softmax(run, scores, (Tensor){0});
    weights = collect_row(d, SITE_PATTERN, position, weights, d->patterns, t);
    int64_t width = d->contexts.shape[1];
    Tensor mixed = run_tensor(run, 3, 1, 1, width);
    op_attention_mix(run, weights, tensor_split(d->values, 1, 1), mixed);
    HookPoint at = {.site = SITE_RNN_CONTEXT, .stack = STACK_DECODER, .query_begin = position};
    put(run, row_of(d->contexts, t), hook_edited(run, &at, part_of(mixed, 0, width)));
    return part_of(d->contexts, t * width, width);
}

/* The cells of all layers on the input x [1, d_in]. */
static void run_cells(const Decoding *d, Tensor x, int64_t t, int64_t position) {
    for (int l = 0; l < d->n_layers; l++) {
        Reading *r = &d->layers[l];
        step(r, op_linear(d->run, x, &r->cell->input), t, position);
        x = r->h;
    }
}

static void decode_step(const Decoding *d, Tensor embedded, int64_t t, int64_t position) {
    Run *run = d->run;
    const Reading *top = &d->layers[d->n_layers - 1];
    ArenaMark mark = arena_mark(run->arena);
    if (d->config->attention == RNN_BAHDANAU) {
        Tensor context = attend(d, top->h, t, position);
        run_cells(d, side_by_side(run, embedded, context), t, position);
        Tensor state = side_by_side(run, top->h, context);
        put(run, row_of(d->out, t), side_by_side(run, state, embedded));
    } else {
        run_cells(d, embedded, t, position);
        Tensor context = attend(d, top->h, t, position);
        Tensor y = op_linear(run, side_by_side(run, context, top->h), &d->w->combine);
        put(run, row_of(d->out, t), op_activation(run, ACTIVATION_TANH, y));
    }
    if (!run->tape) arena_reset(run->arena, mark);
}

static void record_attention(const Decoding *d, int64_t first) {
    HookPoint at = attention_point(d, SITE_SCORES, first);
    Tensor *kept[] = {(Tensor *)(uintptr_t)&d->scores, (Tensor *)(uintptr_t)&d->patterns};
    for (int i = 0; i < 2; i++) {
        at.site = i ? SITE_PATTERN : SITE_SCORES;
        hook_record(d->run, &at, *kept[i]);
    }
    HookPoint context = {.site = SITE_RNN_CONTEXT, .stack = STACK_DECODER, .row = d->row};
    hook_record(d->run, &context, d->contexts);
}

/* Keys of all source tokens: made once, kept in the cache where there is one. */
static Tensor source_keys(Run *run, const Memory *memory, Cache *cache) {
    const RnnWeights *w = run->model->extra;
    bool bahdanau = run->model->config.rnn.attention == RNN_BAHDANAU;
    if (cache && cache->layers[0].cross_k.data) return cache->layers[0].cross_k;
    Tensor keys = op_linear(run, memory->hidden, bahdanau ? &w->key : &w->memory);
    if (cache) keys = cache->layers[0].cross_k = tensor_clone(cache->arena, keys);
    return keys;
}

typedef struct DecoderRow {
    int row, source;    /* of the targets, of the memory */
    int64_t begin, end; /* tokens */
    Tensor h, c;        // [layer, d] the state before
} DecoderRow;

static void decode_row(Run *run, const DecoderRow *row, const Memory *memory, Cache *cache,
                       Tensor keys, Tensor embedded, Tensor out) {
    int first = cache ? cache->length : 0;
    const ModelConfig *m = &run->model->config;
    const RnnConfig *c = &m->rnn;
    const int32_t *source = memory->rows->begin + row->source;
    int64_t n = row->end - row->begin, n_keys = source[1] - source[0];
    Tensor values = c->attention == RNN_BAHDANAU ? memory->hidden : keys;
    Decoding d = {.run = run,
                  .config = c,
                  .w = run->model->extra,
                  .row = row->row,
                  .n_layers = m->stack[STACK_DECODER].n_layers,
                  .keys = tensor_slice(keys, 0, source[0], source[1]),
                  .values = tensor_slice(values, 0, source[0], source[1]),
                  .keep = memory->rows->keep ? memory->rows->keep + source[0] : NULL,
                  .scores = run_tensor(run, 3, 1, n, n_keys),
                  .patterns = run_tensor(run, 3, 1, n, n_keys),
                  .contexts = run_tensor(run, 2, n, values.shape[1]),
                  .out = out};
    d.layers = arena_calloc(run->arena, (size_t)d.n_layers, sizeof *d.layers);
    for (int l = 0; l < d.n_layers; l++) {
        d.layers[l] = (Reading){.run = run,
                                .config = c,
                                .cell = &d.w->decoder[l],
                                .stack = STACK_DECODER,
                                .layer = l,
                                .row = row->row,
                                .d = c->d_decoder,
                                .h = row_of(row->h, l),
                                .c = row_of(row->c, l)};
        begin_reading(&d.layers[l], n);
    }
    for (int64_t t = 0; t < n; t++)
        decode_step(&d, row_of(embedded, row->begin + t), t, first + t);
    for (int l = 0; l < d.n_layers; l++) {
        end_reading(&d.layers[l]);
        if (!cache) continue;
        tensor_copy(row_of(tensor_index(cache->h, 0, row->row), l), d.layers[l].h);
        tensor_copy(row_of(tensor_index(cache->c, 0, row->row), l), d.layers[l].c);
    }
    record_attention(&d, first);
}

static bool decode(Run *run, const TokenRows *rows, const Memory *memory, Cache *cache, Tensor *out,
                   Error *error) {
    int first = cache ? cache->length : 0;
    Tensor x = embed(run, STACK_DECODER, rows, first);
    Tensor keys = source_keys(run, memory, cache);
    *out = run_tensor(run, 2, rows->begin[rows->n_rows], run->model->output.weight.cols);
    for (int r = 0; r < rows->n_rows; r++) {
        if (!run_continues(run, error)) return false;
        int source = memory->row_of ? memory->row_of[r] : r;
        bool begins = first == 0;
        DecoderRow row = {r,
                          source,
                          rows->begin[r],
                          rows->begin[r + 1],
                          tensor_index(begins ? run->first_h : cache->h, 0, begins ? source : r),
                          tensor_index(begins ? run->first_c : cache->c, 0, begins ? source : r)};
        decode_row(run, &row, memory, cache, keys, x, tensor_slice(*out, 0, row.begin, row.end));
    }
    if (cache) cache->length += rows->begin[rows->n_rows] / rows->n_rows;
    return run_continues(run, error);
}

bool rnn_stack(Run *run, StackId stack, const TokenRows *rows, const Memory *memory, Cache *cache,
               Tensor *out, Error *error) {
    return stack == STACK_ENCODER ? encode(run, rows, out, error)
                                  : decode(run, rows, memory, cache, out, error);
}
