/* One layer is two or three sublayers, each  x + f(x)  with a norm before it (pre-norm) or behind
 * the sum (post-norm):
 *
 *   attn    hook_resid_pre -> ln1 -> attn -> hook_attn_out -> hook_resid_mid
 *   cross   -> ln_cross -> cross_attn -> hook_cross_attn_out -> hook_resid_mid_cross   (decoders)
 *   mlp     -> ln2 -> mlp -> hook_mlp_out -> hook_resid_post
 *
 * Vaswani et al. 2017, section 3.
 */
#include "model/forward.h"

#include <assert.h>

#include "model/attention.h"
#include "model/capture.h"
#include "model/position.h"
#include "model/rnn.h"
#include "model/run_hooks.h"

typedef struct Pass {
    Run *run;
    StackId id;
    const StackConfig *config;
    const Stack *stack;
    const TokenRows *rows;
    const Memory *memory;
    Cache *cache;
    const int32_t *positions; // [tokens]
    Tensor angles;            // of rotary models: [tokens, rope_dims]
    int64_t n_tokens;
    int layer;
} Pass;

static HookPoint point(const Pass *p, Site site, bool cross) {
    bool source =
        cross && (site == SITE_K || site == SITE_V); /* their positions are the source's */
    const TokenRows *rows = source ? p->memory->rows : p->rows;
    return (HookPoint){.site = site,
                       .stack = p->id,
                       .layer = p->layer,
                       .cross = cross,
                       .query_begin = p->cache && !source ? p->cache->length : 0,
                       .row_begin = rows->begin,
                       .n_rows = rows->n_rows};
}

static Tensor hooked(const Pass *p, Site site, bool cross, Tensor x) {
    HookPoint at = point(p, site, cross);
    return hook(p->run, &at, x);
}

/* ---- embedding ---- */

static Tensor embed(const Pass *p) {
    Run *run = p->run;
    Tensor x = p->rows->embedded;
    if (!x.data)
        x = op_embed(run, &p->stack->embed, p->rows->ids, p->n_tokens, p->config->embed_scale);
    bool projects = p->stack->embed_project.weight.data != NULL;
    if (projects && !p->config->project_last) x = op_linear(run, x, &p->stack->embed_project);
    x = hooked(p, SITE_EMBED, false, x);
    if (p->stack->positions.data) {
        int32_t *at = arena_alloc(run->arena, (size_t)p->n_tokens * sizeof *at);
        /* where pads have no position, position_ids are rows of the table already */
        bool rows = p->rows->positions && p->config->pad_positions_id >= 0;
        for (int64_t t = 0; t < p->n_tokens; t++)
            at[t] = p->positions[t] + (rows ? 0 : p->config->position_offset);
        Tensor table = op_embed(run, &p->stack->positions, at, p->n_tokens, 1);
        x = op_add(run, x, hooked(p, SITE_POS_EMBED, false, table));
    }
    if (p->stack->types.data) {
        const int32_t *types = p->rows->types;
        if (!types) types = arena_calloc(run->arena, (size_t)p->n_tokens, sizeof *types);
        x = op_add_embed(run, x, &p->stack->types, types);
    }
    if (p->config->embed_norm) { /* a norm of its own, before the first layer's sites */
        Tensor scale = op_norm_scale(run, p->config->norm, x, p->config->norm_epsilon);
        x = op_norm_apply(run, p->config->norm, x, scale, &p->stack->embed_norm);
    }
    return projects && p->config->project_last ? op_linear(run, x, &p->stack->embed_project) : x;
}

/* ---- norm with its hooks ---- */

static Tensor norm(const Pass *p, Site scale_site, bool cross, Tensor x, const Norm *weights) {
    Tensor scale = op_norm_scale(p->run, p->config->norm, x, p->config->norm_epsilon);
    scale = hooked(p, scale_site, cross, scale);
    Tensor y = op_norm_apply(p->run, p->config->norm, x, scale, weights);
    return hooked(p, scale_site + 1, cross, y);
}

/* ---- attention ---- */

static Tensor heads_of(const Pass *p, Site site, bool cross, Tensor x, const Linear *linear,
                       int n_heads) {
    return hooked(p, site, cross, tensor_split(op_linear(p->run, x, linear), 1, n_heads));
}

typedef struct Keys {
    Tensor k, v; // [key tokens, kv_head, d_head]
} Keys;

static Keys project_keys(const Pass *p, const AttentionWeights *w, Tensor x, bool cross) {
    int n = p->config->n_kv_heads;
    Tensor k = heads_of(p, SITE_K, cross, x, &w->k, n);
    return (Keys){k, heads_of(p, SITE_V, cross, x, &w->v, n)};
}

/* Keys and values of one row of queries: its own tokens, the cache, or a row of the source. */
static AttentionRow attention_input(const Pass *p, Keys keys, bool cross, int row) {
    AttentionRow in = {.scale = p->config->attention_scale};
    if (p->config->scale_by_layer) in.scale /= (float)(p->layer + 1);
    const TokenRows *rows = cross ? p->memory->rows : p->rows;
    int r = cross && p->memory->row_of ? p->memory->row_of[row] : row;
    int64_t begin = rows->begin[r], end = rows->begin[r + 1];
    if (rows->keep) in.mask.keep = rows->keep + begin;
    if (!cross) {
        in.mask.causal = p->config->causal;
        in.mask.window = stack_window(p->config, p->layer);
    }
    if (!cross && p->cache) {
        const LayerCache *cached = &p->cache->layers[p->layer];
        int64_t n = p->cache->length + end - begin;
        in.k = tensor_slice(tensor_index(cached->k, 0, row), 0, 0, n);
        in.v = tensor_slice(tensor_index(cached->v, 0, row), 0, 0, n);
        in.mask.query_offset = p->cache->length;
        in.mask.keep = NULL;
        return in;
    }
    in.k = tensor_slice(keys.k, 0, begin, end);
    in.v = tensor_slice(keys.v, 0, begin, end);
    return in;
}

static Tensor attend(const Pass *p, const AttentionWeights *w, Tensor x, bool cross) {
    Run *run = p->run;
    const StackConfig *c = p->config;
    LayerCache *cached = p->cache ? &p->cache->layers[p->layer] : NULL;
    Tensor q = heads_of(p, SITE_Q, cross, x, &w->q, c->n_heads);
    Keys keys;
    if (cross && cached && cached->cross_k.data) {
        keys = (Keys){cached->cross_k, cached->cross_v};
    } else {
        keys = project_keys(p, w, cross ? p->memory->hidden : x, cross);
        if (!cross && position_rotates(c)) {
            q = hooked(p, SITE_ROT_Q, false, position_rotate(run, c, q, p->angles));
            keys.k = hooked(p, SITE_ROT_K, false, position_rotate(run, c, keys.k, p->angles));
        }
        if (cross && cached) {
            cached->cross_k = tensor_clone(p->cache->arena, keys.k);
            cached->cross_v = tensor_clone(p->cache->arena, keys.v);
        }
        if (!cross && cached)
            cache_append(p->cache, p->layer, keys.k, keys.v, (int)(p->n_tokens / p->rows->n_rows));
    }
    Tensor z = run_tensor(run, 3, p->n_tokens, c->n_heads, c->d_head);
    PositionBias storage;
    const PositionBias *bias = position_bias(&storage, c, w, cross);
    for (int r = 0; r < p->rows->n_rows; r++) {
        AttentionRow in = attention_input(p, keys, cross, r);
        in.q = tensor_slice(q, 0, p->rows->begin[r], p->rows->begin[r + 1]);
        storage.keep = in.mask.keep;
        in.bias = bias;
        HookPoint at = point(p, SITE_PATTERN, cross);
        at.row = r;
        attention_row(run, &at, &in, tensor_slice(z, 0, p->rows->begin[r], p->rows->begin[r + 1]));
    }
    z = hooked(p, SITE_Z, cross, z);
    return hooked(p, SITE_ATTN_OUT, cross, op_linear(run, tensor_merge(z, 1), &w->o));
}

/* ---- feed-forward: W2 f(W1 x), Vaswani et al. 2017, equation 2; gated: Shazeer 2020 ---- */

static Tensor feed_forward(const Pass *p, const Layer *layer, Tensor x) {
    Run *run = p->run;
    Tensor y;
    if (p->config->gated) {
        Tensor gate = hooked(p, SITE_MLP_PRE, false, op_linear(run, x, &layer->gate));
        Tensor linear = hooked(p, SITE_MLP_LINEAR, false, op_linear(run, x, &layer->up));
        y = op_mul(run, op_activation(run, p->config->activation, gate), linear);
    } else {
        Tensor pre = hooked(p, SITE_MLP_PRE, false, op_linear(run, x, &layer->up));
        y = op_activation(run, p->config->activation, pre);
    }
    y = hooked(p, SITE_MLP_POST, false, y);
    return hooked(p, SITE_MLP_OUT, false, op_linear(run, y, &layer->down));
}

/* ---- layers ---- */

/* The sum behind a sublayer, and the norm behind that in a post-norm model. */
static Tensor close_sublayer(const Pass *p, Tensor x, Tensor added, Site sum, Site scale,
                             bool cross, const Norm *weights) {
    x = hooked(p, sum, cross, op_residual(p->run, x, added));
    if (p->config->norm_place == NORM_PRE) return x;
    x = norm(p, scale, cross, x, weights);
    return hooked(p,
                  sum == SITE_RESID_POST ? SITE_NORMALIZED_RESID_POST : SITE_NORMALIZED_RESID_MID,
                  cross, x);
}

static Tensor parallel_layer(const Pass *p, const Layer *layer, Tensor x) {
    Tensor y = norm(p, SITE_LN1_SCALE, false, x, &layer->ln1);
    Tensor z = layer->ln2.scale ? norm(p, SITE_LN2_SCALE, false, x, &layer->ln2) : y;
    Tensor attended = attend(p, &layer->attn, y, false);
    x = op_residual(p->run, x, attended);
    x = op_residual(p->run, x, feed_forward(p, layer, z));
    return hooked(p, SITE_RESID_POST, false, x);
}

static Tensor run_layer(const Pass *p, Tensor x) {
    const Layer *layer = &p->stack->layers[p->layer];
    bool pre = p->config->norm_place == NORM_PRE;
    x = hooked(p, SITE_RESID_PRE, false, x);
    if (p->config->parallel) return parallel_layer(p, layer, x);

    Tensor y = pre ? norm(p, SITE_LN1_SCALE, false, x, &layer->ln1) : x;
    Tensor base = p->config->residual_is_normed ? y : x;
    y = attend(p, &layer->attn, y, false);
    x = close_sublayer(p, base, y, SITE_RESID_MID, SITE_LN1_SCALE, false, &layer->ln1);
    if (p->config->has_cross) {
        y = pre ? norm(p, SITE_LN1_SCALE, true, x, &layer->ln_cross) : x;
        y = attend(p, &layer->cross, y, true);
        x = close_sublayer(p, x, y, SITE_RESID_MID, SITE_LN1_SCALE, true, &layer->ln_cross);
    }
    y = pre ? norm(p, SITE_LN2_SCALE, false, x, &layer->ln2) : x;
    base = p->config->residual_is_normed ? y : x;
    y = feed_forward(p, layer, y);
    return close_sublayer(p, base, y, SITE_RESID_POST, SITE_LN2_SCALE, false, &layer->ln2);
}

/* Does this token count for the positions of those behind it? */
static bool has_position(const StackConfig *c, const TokenRows *rows, int64_t token) {
    if (c->masked_positions && rows->keep && !rows->keep[token]) return false;
    return c->pad_positions_id < 0 || !rows->ids || rows->ids[token] != c->pad_positions_id;
}

/* Position of each token in its row, behind what the cache holds; -1 for padding in models that
 * leave it out. */
static const int32_t *count_positions(Run *run, const StackConfig *c, const TokenRows *rows,
                                      int first) {
    if (rows->positions) return rows->positions;
    int32_t *out = arena_alloc(run->arena, (size_t)rows->begin[rows->n_rows] * sizeof *out);
    for (int r = 0; r < rows->n_rows; r++) {
        int32_t next = first;
        for (int32_t t = rows->begin[r]; t < rows->begin[r + 1]; t++)
            out[t] = has_position(c, rows, t) ? next++ : -1;
    }
    return out;
}

bool forward_stack(Run *run, StackId stack, const TokenRows *rows, const Memory *memory,
                   Cache *cache, Tensor *out, Error *error) {
    if (run->model->config.family == FAMILY_RECURRENT)
        return rnn_stack(run, stack, rows, memory, cache, out, error);
    Pass p = {.run = run,
              .id = stack,
              .config = &run->model->config.stack[stack],
              .stack = &run->model->stack[stack],
              .rows = rows,
              .memory = memory,
              .cache = cache,
              .n_tokens = rows->begin[rows->n_rows]};
    p.positions = count_positions(run, p.config, rows, cache ? cache->length : 0);
    p.angles = position_angles(run, p.config, p.stack->rope_frequencies, p.positions, p.n_tokens);
    Tensor x = op_dropout(run, embed(&p));
    Tensor kept = tensor_new_shape(run->arena, 2, x.shape);
    for (p.layer = 0; p.layer < p.config->n_layers; p.layer++) {
        if (!run_continues(run, error)) return false;
        ArenaMark mark = arena_mark(run->arena);
        x = run_layer(&p, x);
        if (!run->tape) { /* the layer's scratch goes, its output stays */
            tensor_copy(kept, x);
            x = kept;
            arena_reset(run->arena, mark);
        }
        if (run->progress.report)
            run->progress.report(run->progress.context, (p.layer + 1.0) / p.config->n_layers);
    }
    p.layer = 0;
    if (p.config->final_norm) x = norm(&p, SITE_FINAL_SCALE, false, x, &p.stack->final_norm);
    if (p.stack->final_project.weight.data) x = op_linear(run, x, &p.stack->final_project);
    if (cache) cache->length += (int)(p.n_tokens / rows->n_rows);
    *out = x;
    return run_continues(run, error);
}

/* The positions that the head reads. */
static Tensor picked(const HeadConfig *head, Tensor hidden) {
    int64_t n = hidden.shape[0];
    switch (head->pick) {
    case PICK_ALL:
        return hidden;
    case PICK_FIRST:
    case PICK_FIRST_TWO:
        return tensor_slice(hidden, 0, 0, 1);
    case PICK_LAST:
    case PICK_LAST_END:
        return tensor_slice(hidden, 0, n - 1, n);
    }
    return hidden;
}

/* Logits are the largest activation of all: made where they are kept. */
static Tensor output_of(Run *run, const HookPoint *at, Tensor x) {
    Arena *scratch = run->arena, *place = capture_place(run, at);
    if (place) run->arena = place;
    Tensor logits = op_linear(run, x, &run->model->output);
    run->arena = scratch;
    if (place) run->capture->placed = logits.data;
    return logits;
}

/* Dense, activation, norm, output: each where the head has it. */
static Tensor through_head(Run *run, const HookPoint *at, Tensor x) {
    const Model *m = run->model;
    const HeadConfig *config = &m->config.head;
    if (m->head.transform.weight.data)
        x = op_activation(run, config->activation, op_linear(run, x, &m->head.transform));
    if (m->head.norm.scale) {
        Tensor scale = op_norm_scale(run, NORM_LAYER, x, config->norm_epsilon);
        x = op_norm_apply(run, NORM_LAYER, x, scale, &m->head.norm);
    }
    return output_of(run, at, x);
}

Tensor forward_logits(Run *run, StackId stack, Tensor hidden) {
    const Model *m = run->model;
    const HeadConfig *head = &m->config.head;
    if (!m->output.weight.data) return (Tensor){0};
    HookPoint at = run->logits_at ? *run->logits_at : (HookPoint){0};
    at.site = SITE_LOGITS;
    at.stack = stack;
    Tensor read = picked(head, hidden);
    if (m->config.logit_scale != 1) read = op_scale(run, read, m->config.logit_scale);
    Tensor logits = through_head(run, &at, read);
    if (head->pick == PICK_FIRST_TWO) {
        Tensor second = op_linear(run, tensor_slice(hidden, 0, 1, 2), &m->head.second);
        logits = op_scale(run, op_add(run, logits, second), 0.5f);
    }
    if (head->pick != PICK_ALL) logits = tensor_reshape(logits, 1, logits.shape[1]);
    if (head->kind == HEAD_REPLACED) logits = tensor_reshape(logits, 1, logits.shape[0]);
    return hook(run, &at, logits);
}
