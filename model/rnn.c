#include "model/rnn.h"

#include <math.h>
#include <string.h>

#include "model/kernels.h"
#include "model/ops.h"

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
    float *h, *c;             // [d] state; changed by every step
    Tensor states, cells;     // [pos, d] of all tokens
    Tensor gates[MOST_GATES]; // [pos, d]
} Reading;

static Tensor row_of(Tensor x, int64_t t) {
    return tensor_slice(x, 0, t, t + 1);
}

/* Lets the edits of a site change row t (position `at`) of what is collected. */
static void edit_row(const Reading *r, Site site, int64_t position, Tensor row) {
    if (!r->run->edits || (r->backward && site != SITE_RNN_H_BACKWARD)) return;
    HookPoint at = {.site = site, .stack = r->stack, .layer = r->layer, .query_begin = position};
    tensor_copy(row, hook_edited(r->run, &at, row));
}

static void record(const Reading *r, Site site, Tensor x) {
    HookPoint at = {.site = site, .stack = r->stack, .layer = r->layer, .row = r->row};
    if (!r->backward || site == SITE_RNN_H_BACKWARD) hook_record(r->run, &at, x);
}

static void activate(float *x, Activation kind, int64_t d) {
    kernel_activation(kind, x, x, d);
}

/* gates = W_ih x + b_ih (given) and W_hh h + b_hh (made here) -> the new state in row t. */
static void step(Reading *r, const float *from_input, int64_t t, int64_t position) {
    Run *run = r->run;
    int64_t d = r->d;
    int n_gates = rnn_n_gates(r->config);
    ArenaMark mark = arena_mark(run->arena);
    const float *from_state = op_linear(run, tensor_view(r->h, 2, 1, d), &r->cell->hidden).data;
    float *gate[MOST_GATES], *out = r->states.data + t * d;
    for (int g = 0; g < n_gates; g++) {
        gate[g] = r->gates[g].data + t * d;
        bool candidate = r->config->cell == CELL_RNN || g == 2;
        bool reset = r->config->cell == CELL_GRU && g == 2; /* r (W_hn h + b_hn) */
        for (int64_t i = 0; i < d; i++)
            gate[g][i] = from_input[g * d + i] + (reset ? gate[0][i] : 1) * from_state[g * d + i];
        activate(gate[g], !candidate ? ACTIVATION_SIGMOID : r->config->activation, d);
        if (n_gates > 1)
            edit_row(r, gate_sites[r->config->cell][g], position, row_of(r->gates[g], t));
    }
    switch (r->config->cell) {
    case CELL_RNN:
        memcpy(out, gate[0], (size_t)d * sizeof *out);
        break;
    case CELL_GRU:
        for (int64_t i = 0; i < d; i++)
            out[i] = (1 - gate[1][i]) * gate[2][i] + gate[1][i] * r->h[i];
        break;
    case CELL_LSTM: {
        float *cells = r->cells.data + t * d;
        for (int64_t i = 0; i < d; i++)
            cells[i] = gate[1][i] * r->c[i] + gate[0][i] * gate[2][i];
        edit_row(r, SITE_RNN_C, position, row_of(r->cells, t));
        kernel_activation(ACTIVATION_TANH, cells, out, d);
        for (int64_t i = 0; i < d; i++)
            out[i] *= gate[3][i];
        memcpy(r->c, cells, (size_t)d * sizeof *cells);
        break;
    }
    }
    edit_row(r, r->backward ? SITE_RNN_H_BACKWARD : SITE_RNN_H, position, row_of(r->states, t));
    memcpy(r->h, out, (size_t)d * sizeof *out);
    arena_reset(run->arena, mark);
}

static void begin_reading(Reading *r, int64_t n) {
    Arena *arena = r->run->arena;
    r->states = tensor_new(arena, 2, n, r->d);
    if (r->config->cell == CELL_LSTM) r->cells = tensor_new(arena, 2, n, r->d);
    for (int g = 0; g < rnn_n_gates(r->config); g++)
        r->gates[g] = tensor_new(arena, 2, n, r->d);
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
        step(r, inputs.data + t * inputs.stride[0], t, t);
    }
    end_reading(r);
    return r->states;
}

static Tensor side_by_side(Arena *arena, Tensor a, Tensor b) {
    if (!b.data) return a;
    Tensor out = tensor_new(arena, 2, a.shape[0], a.shape[1] + b.shape[1]);
    tensor_copy(tensor_slice(out, 1, 0, a.shape[1]), a);
    tensor_copy(tensor_slice(out, 1, a.shape[1], out.shape[1]), b);
    return out;
}

/* The decoder's first state of a layer from the last ones of the encoder's. */
static void bridge(Run *run, const Linear *linear, const float *ends, int64_t d_ends, float *out) {
    Tensor y = op_linear(run, tensor_view((float *)(uintptr_t)ends, 2, 1, d_ends), linear);
    kernel_activation(ACTIVATION_TANH, y.data, out, y.shape[1]);
}

static void encode_row(Run *run, Tensor x, int row, Tensor out) {
    const RnnConfig *c = &run->model->config.rnn;
    const RnnWeights *w = run->model->extra;
    int n_directions = c->bidirectional ? 2 : 1;
    int64_t d = c->d_encoder, d_ends = n_directions * d;
    for (int layer = 0; layer < run->model->config.stack[STACK_ENCODER].n_layers; layer++) {
        float *ends = arena_calloc(run->arena, (size_t)(2 * d_ends), sizeof *ends);
        Tensor y[2] = {{0}};
        for (int side = 0; side < n_directions; side++) {
            Reading r = {.run = run,
                         .config = c,
                         .cell = side ? &w->backward[layer] : &w->forward[layer],
                         .stack = STACK_ENCODER,
                         .layer = layer,
                         .row = row,
                         .backward = side == 1,
                         .d = d,
                         .h = ends + side * d,
                         .c = ends + d_ends + side * d};
            y[side] = read_layer(&r, x);
        }
        x = side_by_side(run->arena, y[0], y[1]);
        bridge(run, &w->bridge_h, ends, d_ends, tensor_at(run->first_h, row, layer, 0, 0));
        if (c->cell == CELL_LSTM)
            bridge(run, &w->bridge_c, ends + d_ends, d_ends,
                   tensor_at(run->first_c, row, layer, 0, 0));
    }
    tensor_copy(out, x);
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
    run->first_h = tensor_new(run->arena, 3, rows->n_rows, n_layers, d);
    run->first_c = tensor_new(run->arena, 3, rows->n_rows, n_layers, d);
    tensor_fill(run->first_c, 0);
    Tensor x = embed(run, STACK_ENCODER, rows, 0);
    int64_t width = (m->rnn.bidirectional ? 2 : 1) * m->rnn.d_encoder;
    *out = tensor_new(run->arena, 2, rows->begin[rows->n_rows], width);
    for (int r = 0; r < rows->n_rows; r++) {
        if (!run_continues(run, error)) return false;
        encode_row(run, tensor_slice(x, 0, rows->begin[r], rows->begin[r + 1]), r,
                   tensor_slice(*out, 0, rows->begin[r], rows->begin[r + 1]));
    }
    return true;
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

static void edit_attention(const Decoding *d, Site site, int64_t position, float *row, int64_t n) {
    if (!d->run->edits) return;
    HookPoint at = attention_point(d, site, position);
    Tensor x = tensor_view(row, 3, 1, 1, n);
    tensor_copy(x, hook_edited(d->run, &at, x));
}

/* Weights over the source for the state s, and the values that they mix: row t of contexts. */
static void attend(const Decoding *d, const float *s, int64_t t, int64_t position) {
    Run *run = d->run;
    int64_t n = d->keys.shape[0], width = d->keys.shape[1];
    float *scores = d->scores.data + t * n, *weights = d->patterns.data + t * n;
    float *context = d->contexts.data + t * d->contexts.shape[1];
    const float *query = s;
    float *mixed = arena_alloc(run->arena, (size_t)width * sizeof *mixed);
    if (d->config->attention == RNN_BAHDANAU)
        query = op_linear(run, tensor_view((float *)(uintptr_t)s, 2, 1, d->config->d_decoder),
                          &d->w->query)
                    .data;
    for (int64_t k = 0; k < n; k++) {
        const float *key = d->keys.data + k * width;
        if (d->keep && !d->keep[k]) {
            scores[k] = -INFINITY;
        } else if (d->config->attention == RNN_BAHDANAU) {
            for (int64_t i = 0; i < width; i++)
                mixed[i] = query[i] + key[i];
            kernel_activation(ACTIVATION_TANH, mixed, mixed, width);
            scores[k] = kernel_dot(mixed, d->w->v, width);
        } else {
            scores[k] = kernel_dot(query, key, width);
        }
    }
    edit_attention(d, SITE_SCORES, position, scores, n);
    kernel_softmax(scores, weights, n);
    edit_attention(d, SITE_PATTERN, position, weights, n);
    memset(context, 0, (size_t)d->contexts.shape[1] * sizeof *context);
    for (int64_t k = 0; k < n; k++)
        kernel_axpy(context, weights[k], d->values.data + k * d->values.stride[0],
                    d->contexts.shape[1]);
    Tensor row = row_of(d->contexts, t);
    HookPoint at = {.site = SITE_RNN_CONTEXT, .stack = STACK_DECODER, .query_begin = position};
    if (run->edits) tensor_copy(row, hook_edited(run, &at, row));
}

/* The cells of all layers on the input x [1, d_in]. */
static void run_cells(const Decoding *d, Tensor x, int64_t t, int64_t position) {
    for (int l = 0; l < d->n_layers; l++) {
        Reading *r = &d->layers[l];
        step(r, op_linear(d->run, x, &r->cell->input).data, t, position);
        x = row_of(r->states, t);
    }
}

static void decode_step(const Decoding *d, Tensor embedded, int64_t t, int64_t position) {
    Run *run = d->run;
    const Reading *top = &d->layers[d->n_layers - 1];
    ArenaMark mark = arena_mark(run->arena);
    Tensor context = row_of(d->contexts, t);
    if (d->config->attention == RNN_BAHDANAU) {
        attend(d, top->h, t, position);
        run_cells(d, side_by_side(run->arena, embedded, context), t, position);
        Tensor state = side_by_side(run->arena, row_of(top->states, t), context);
        tensor_copy(row_of(d->out, t), side_by_side(run->arena, state, embedded));
    } else {
        run_cells(d, embedded, t, position);
        attend(d, top->states.data + t * top->d, t, position);
        Tensor both = side_by_side(run->arena, context, row_of(top->states, t));
        Tensor y = op_linear(run, both, &d->w->combine);
        kernel_activation(ACTIVATION_TANH, y.data, y.data, y.shape[1]);
        tensor_copy(row_of(d->out, t), y);
    }
    arena_reset(run->arena, mark);
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
    float *h, *c;       // [layer, d]
} DecoderRow;

static void decode_row(Run *run, const DecoderRow *row, const Memory *memory, Tensor keys,
                       Tensor embedded, int first, Tensor out) {
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
                  .scores = tensor_new(run->arena, 3, 1, n, n_keys),
                  .patterns = tensor_new(run->arena, 3, 1, n, n_keys),
                  .contexts = tensor_new(run->arena, 2, n, values.shape[1]),
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
                                .h = row->h + l * c->d_decoder,
                                .c = row->c + l * c->d_decoder};
        begin_reading(&d.layers[l], n);
    }
    for (int64_t t = 0; t < n; t++)
        decode_step(&d, row_of(embedded, row->begin + t), t, first + t);
    for (int l = 0; l < d.n_layers; l++)
        end_reading(&d.layers[l]);
    record_attention(&d, first);
}

static bool decode(Run *run, const TokenRows *rows, const Memory *memory, Cache *cache, Tensor *out,
                   Error *error) {
    int first = cache ? cache->length : 0;
    Tensor h = cache ? cache->h : tensor_new_shape(run->arena, 3, run->first_h.shape);
    Tensor c = cache ? cache->c : tensor_new_shape(run->arena, 3, run->first_c.shape);
    Tensor x = embed(run, STACK_DECODER, rows, first);
    Tensor keys = source_keys(run, memory, cache);
    *out = tensor_new(run->arena, 2, rows->begin[rows->n_rows], run->model->output.weight.cols);
    for (int r = 0; r < rows->n_rows; r++) {
        if (!run_continues(run, error)) return false;
        int source = memory->row_of ? memory->row_of[r] : r;
        if (first == 0) {
            tensor_copy(tensor_index(h, 0, r), tensor_index(run->first_h, 0, source));
            tensor_copy(tensor_index(c, 0, r), tensor_index(run->first_c, 0, source));
        }
        DecoderRow row = {r,
                          source,
                          rows->begin[r],
                          rows->begin[r + 1],
                          tensor_at(h, r, 0, 0, 0),
                          tensor_at(c, r, 0, 0, 0)};
        decode_row(run, &row, memory, keys, x, first, tensor_slice(*out, 0, row.begin, row.end));
    }
    if (cache) cache->length += rows->begin[rows->n_rows] / rows->n_rows;
    return true;
}

bool rnn_stack(Run *run, StackId stack, const TokenRows *rows, const Memory *memory, Cache *cache,
               Tensor *out, Error *error) {
    return stack == STACK_ENCODER ? encode(run, rows, out, error)
                                  : decode(run, rows, memory, cache, out, error);
}
