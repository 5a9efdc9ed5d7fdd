#include "model/arch/layers.h"

#include <math.h>
#include <string.h>

#include "model/position.h"

static Linear linear(Loader *l, int64_t rows, int64_t cols, BiasRule rule, const char *name,
                     bool transposed) {
    bool bias = rule == BIAS_YES || (rule == BIAS_IF_THERE && load_has(l, "%s.bias", name));
    return transposed ? load_transposed(l, rows, cols, bias, "%s", name)
                      : load_linear(l, rows, cols, bias, "%s", name);
}

static const char *full(Loader *l, const char *prefix, const char *name) {
    return arena_printf(l->arena, "%s%s", prefix, name);
}

static const float *bias_heads(Loader *l, const float *bias, const StackConfig *c, int part) {
    if (!bias) return NULL;
    Weight whole = {.data = bias, .rows = 3 * c->n_heads * c->d_head, .cols = 1};
    return weight_heads(l->arena, whole, c->n_heads, c->d_head, part, 3).data;
}

/* One matrix that holds q, k and v. */
static void fused(Loader *l, const StackConfig *c, int d_in, const char *name,
                  const AttentionNames *names, bool transposed, AttentionWeights *out) {
    int d_q = c->n_heads * c->d_head, d_kv = c->n_kv_heads * c->d_head;
    Linear all = linear(l, d_q + 2 * d_kv, d_in, names->bias, name, transposed);
    Linear *parts[] = {&out->q, &out->k, &out->v};
    int begin[] = {0, d_q, d_q + d_kv}, rows[] = {d_q, d_kv, d_kv};
    for (int i = 0; i < 3; i++) {
        if (names->fused == FUSED_HEADS) {
            parts[i]->weight = weight_heads(l->arena, all.weight, c->n_heads, c->d_head, i, 3);
            parts[i]->bias = bias_heads(l, all.bias, c, i);
        } else {
            parts[i]->weight = weight_rows(all.weight, begin[i], rows[i]);
            parts[i]->bias = all.bias ? all.bias + begin[i] : NULL;
        }
    }
}

static AttentionWeights attention(Loader *l, const Model *m, StackId id, const char *prefix,
                                  const AttentionNames *names, bool transposed, int d_memory) {
    const StackConfig *c = &m->config.stack[id];
    int d = m->config.d_model, d_q = c->n_heads * c->d_head, d_kv = c->n_kv_heads * c->d_head;
    AttentionWeights out = {0};
    if (names->qkv) {
        fused(l, c, d, full(l, prefix, names->qkv), names, transposed, &out);
    } else {
        out.q = linear(l, d_q, d, names->bias, full(l, prefix, names->q), transposed);
        out.k = linear(l, d_kv, d_memory, names->k_bias, full(l, prefix, names->k), transposed);
        out.v = linear(l, d_kv, d_memory, names->bias, full(l, prefix, names->v), transposed);
    }
    out.o = linear(l, d, d_q, names->o_bias, full(l, prefix, names->o), transposed);
    return out;
}

Norm layers_norm(Loader *l, const Model *m, StackId id, const char *name) {
    int64_t d = m->config.d_model;
    return m->config.stack[id].norm == NORM_LAYER ? load_norm(l, d, "%s", name)
                                                  : load_norm_scale(l, d, "%s", name);
}

void layers_bind_one(Loader *l, const Model *m, StackId id, const char *prefix,
                     const LayerNames *names, Layer *out) {
    const StackConfig *c = &m->config.stack[id];
    int d = m->config.d_model;
    bool turned = names->transposed;
    out->attn = attention(l, m, id, prefix, &names->attn, turned, d);
    if (names->ln1) out->ln1 = layers_norm(l, m, id, full(l, prefix, names->ln1));
    if (c->has_cross) {
        out->cross = attention(l, m, id, prefix, &names->cross, turned, d);
        out->ln_cross = layers_norm(l, m, id, full(l, prefix, names->ln_cross));
    }
    if (names->ln2) out->ln2 = layers_norm(l, m, id, full(l, prefix, names->ln2));
    out->up = linear(l, c->d_ff, d, names->mlp_bias, full(l, prefix, names->up), turned);
    if (c->gated)
        out->gate = linear(l, c->d_ff, d, names->mlp_bias, full(l, prefix, names->gate), turned);
    out->down = linear(l, d, c->d_ff, names->mlp_bias, full(l, prefix, names->down), turned);
}

void layers_bind(Loader *l, Model *m, StackId id, const char *root, const LayerNames *names) {
    int n = m->config.stack[id].n_layers;
    m->stack[id].layers = arena_calloc(l->arena, (size_t)n, sizeof(Layer));
    for (int i = 0; i < n && error_ok(l->error); i++)
        layers_bind_one(l, m, id, arena_printf(l->arena, "%s%s.%d.", root, names->layers, i), names,
                        &m->stack[id].layers[i]);
}

const char *layers_root(const Loader *loader, const char *probe, const char *const *roots) {
    while (roots[1] && !load_has(loader, "%s%s", *roots, probe))
        roots++;
    return *roots;
}

/* ---- config ---- */

void layers_stack(StackConfig *c, const StackSizes *sizes) {
    c->n_layers = sizes->n_layers;
    c->n_heads = sizes->n_heads;
    c->n_kv_heads = sizes->n_kv_heads;
    c->d_head = sizes->d_head;
    c->d_ff = sizes->d_ff;
    c->attention_scale = 1 / sqrtf((float)c->d_head);
    c->pad_positions_id = -1;
    c->embed_scale = 1;
}

static RopeScaling scaling_kind(const Fields *f, const json_t *scaling) {
    static const struct {
        const char *name;
        RopeScaling kind;
    } kinds[] = {{"default", ROPE_PLAIN},
                 {"linear", ROPE_LINEAR},
                 {"dynamic", ROPE_DYNAMIC},
                 {"llama3", ROPE_LLAMA3}};
    const char *name = json_string_value(json_object_get(scaling, "rope_type"));
    if (!name) name = json_string_value(json_object_get(scaling, "type"));
    bool bare = scaling == json_object_get(f->root, "rope_parameters");
    if (!name && bare && json_object_get(scaling, "rope_theta")) return ROPE_PLAIN;
    for (size_t i = 0; name && i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(kinds[i].name, name) == 0) return kinds[i].kind;
    error_set(f->error, ERROR_UNSUPPORTED,
              "%s: rope_scaling of type \"%.40s\" changes the numbers and is not computed here; "
              "linear, dynamic and llama3 are",
              f->where, name ? name : "?");
    return ROPE_PLAIN;
}

/* A number that the kind of scaling cannot do without. */
static float scaling_number(const Fields *inner, const char *name) {
    if (!field_has(inner, name))
        error_set(inner->error, ERROR_INPUT, "%s: %s is missing", inner->where, name);
    return (float)field_number(inner, name, 1, 1e-6, 1e6);
}

int layers_rope_dims(const Fields *f, const char *name, double fallback, int d_head) {
    const json_t *v5 = json_object_get(f->root, "rope_parameters");
    Fields inner = {v5, "config.json: rope_parameters", f->error};
    double share = field_number(f, name, fallback, 0, 1);
    if (json_is_object(v5)) share = field_number(&inner, "partial_rotary_factor", share, 0, 1);
    return (int)(share * d_head);
}

void layers_rope(const Fields *f, StackConfig *c, const char *base_name) {
    /* transformers 5 keeps the base beside the scaling */
    const json_t *scaling = json_object_get(f->root, "rope_parameters");
    if (!json_is_object(scaling)) scaling = json_object_get(f->root, "rope_scaling");
    Fields inner = {scaling, "config.json: rope_scaling", f->error};
    c->rope_base = (float)field_number(f, base_name, 10000, 1, 1e12);
    c->rope_scaling = ROPE_PLAIN;
    c->rope_original = field_int(f, "max_position_embeddings", 2048, 1, INT32_MAX);
    if (c->rope_dims % 2 || c->rope_dims <= 0)
        error_set(f->error, ERROR_INPUT,
                  "%s: %d dimensions of a head turn; an even number is expected", f->where,
                  c->rope_dims);
    if (!scaling || json_is_null(scaling)) return;
    if (!json_is_object(scaling)) {
        error_set(f->error, ERROR_INPUT, "%s: rope_scaling must be an object", f->where);
        return;
    }
    c->rope_base = (float)field_number(&inner, "rope_theta", (double)c->rope_base, 1, 1e12);
    c->rope_scaling = scaling_kind(f, scaling);
    if (c->rope_scaling == ROPE_PLAIN) return;
    c->rope_factor = scaling_number(&inner, "factor");
    if (c->rope_scaling != ROPE_LLAMA3) return;
    c->rope_low = scaling_number(&inner, "low_freq_factor");
    c->rope_high = scaling_number(&inner, "high_freq_factor");
    c->rope_original = field_size(&inner, "original_max_position_embeddings", INT32_MAX);
    if (c->rope_high <= c->rope_low)
        error_set(f->error, ERROR_INPUT,
                  "%s: rope_scaling: high_freq_factor must be above low_freq_factor", f->where);
}

void layers_bind_rope(Loader *l, Model *m, StackId id) {
    m->stack[id].rope_frequencies = position_frequencies(l->arena, &m->config.stack[id], 0);
}
