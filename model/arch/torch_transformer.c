/* torch.nn.Transformer with embeddings and a generator: "Attention Is All You Need" as its authors
 * wrote it, sines and cosines alternating, and a final norm on both stacks; post-norm or pre-norm.
 */
#include "model/arch.h"

#include <math.h>
#include <string.h>

#include "model/position.h"

static Sinusoid sinusoid_of(const Fields *f) {
    const char *position = field_string(f, "position", "sinusoidal_interleaved");
    if (strcmp(position, "learned") == 0) return SINUSOID_NONE;
    if (strcmp(position, "sinusoidal_halves") == 0) return SINUSOID_HALVES;
    if (strcmp(position, "sinusoidal_interleaved") != 0)
        error_set(f->error, ERROR_UNSUPPORTED,
                  "%s: position \"%.40s\" is not computed here; sinusoidal_interleaved, "
                  "sinusoidal_halves and learned are",
                  f->where, position);
    return SINUSOID_INTERLEAVED;
}

static void configure_stack(const Fields *f, StackConfig *c, bool decoder, int d_model) {
    c->n_layers = field_size(f, decoder ? "num_decoder_layers" : "num_encoder_layers", MOST_LAYERS);
    c->n_heads = c->n_kv_heads = field_size(f, "nhead", MOST_WIDTH);
    c->d_head = field_head_size(f, d_model, c->n_heads);
    c->d_ff = field_size(f, "dim_feedforward", MOST_WIDTH);
    c->attention_scale = 1 / sqrtf((float)c->d_head);
    c->n_positions = field_int(f, "max_position_embeddings", 4096, 1, MOST_POSITIONS);
    c->position = POSITION_TABLE;
    c->sinusoid = sinusoid_of(f);
    c->pad_positions_id = -1;
    c->embed_scale = field_bool(f, "scale_embedding", true) ? sqrtf((float)d_model) : 1;
    c->norm = NORM_LAYER;
    c->norm_place = field_bool(f, "norm_first", false) ? NORM_PRE : NORM_POST;
    c->norm_epsilon = (float)field_number(f, "layer_norm_eps", 1e-5, 1e-12, 1);
    c->final_norm = true;
    c->activation = field_activation(f, "activation", ACTIVATION_RELU);
    c->causal = c->has_cross = decoder;
}

static bool configure(const Fields *f, ModelConfig *out) {
    out->family = FAMILY_ENCODER_DECODER;
    out->d_model = field_size(f, "d_model", MOST_WIDTH);
    out->n_source_vocab = field_size(f, "src_vocab_size", MOST_VOCAB);
    out->n_vocab = field_size(f, "tgt_vocab_size", MOST_VOCAB);
    configure_stack(f, &out->stack[STACK_ENCODER], false, out->d_model);
    configure_stack(f, &out->stack[STACK_DECODER], true, out->d_model);
    out->dropout = (float)field_number(f, "dropout", 0.1, 0, 0.99);
    out->logit_scale = 1;
    out->head.kind = HEAD_LANGUAGE;
    return error_ok(f->error);
}

/* torch keeps q, k and v as three row blocks of one matrix. */
static AttentionWeights attention(Loader *l, int d, const char *layer, const char *name) {
    Weight qkv = load_matrix(l, 3 * d, d, "%s.%s.in_proj_weight", layer, name);
    const float *bias = load_vector(l, 3 * d, "%s.%s.in_proj_bias", layer, name);
    Linear part[3];
    for (int i = 0; i < 3; i++)
        part[i] = (Linear){weight_rows(qkv, i * d, d), bias ? bias + i * d : NULL};
    return (AttentionWeights){.q = part[0],
                              .k = part[1],
                              .v = part[2],
                              .o = load_linear(l, d, d, true, "%s.%s.out_proj", layer, name)};
}

static void bind_stack(Loader *l, Model *m, StackId id, const char *name, const char *embed) {
    const StackConfig *c = &m->config.stack[id];
    Stack *s = &m->stack[id];
    int d = m->config.d_model;
    s->embed = load_matrix(l, id == STACK_ENCODER ? m->config.n_source_vocab : m->config.n_vocab, d,
                           "%s_embed.weight", embed);
    s->positions = (Weight){.rows = c->n_positions, .cols = d};
    if (c->sinusoid == SINUSOID_NONE)
        s->positions = load_matrix(l, c->n_positions, d, "%s_position.weight", embed);
    else
        s->positions.data = position_sinusoid(l->arena, c->sinusoid, c->n_positions, d);
    s->layers = arena_calloc(l->arena, (size_t)c->n_layers, sizeof *s->layers);
    for (int i = 0; i < c->n_layers; i++) {
        Layer *layer = &s->layers[i];
        const char *prefix = arena_printf(l->arena, "transformer.%s.layers.%d", name, i);
        layer->attn = attention(l, d, prefix, "self_attn");
        layer->ln1 = load_norm(l, d, "%s.norm1", prefix);
        if (c->has_cross) {
            layer->cross = attention(l, d, prefix, "multihead_attn");
            layer->ln_cross = load_norm(l, d, "%s.norm2", prefix);
        }
        layer->up = load_linear(l, c->d_ff, d, true, "%s.linear1", prefix);
        layer->down = load_linear(l, d, c->d_ff, true, "%s.linear2", prefix);
        layer->ln2 = load_norm(l, d, "%s.norm%d", prefix, c->has_cross ? 3 : 2);
    }
    s->final_norm = load_norm(l, d, "transformer.%s.norm", name);
}

static void bind(Loader *l, Model *m) {
    bind_stack(l, m, STACK_ENCODER, "encoder", "src");
    bind_stack(l, m, STACK_DECODER, "decoder", "tgt");
    m->output = load_linear(l, m->config.n_vocab, m->config.d_model, true, "generator");
}

const Arch arch_torch_transformer = {
    "torch_transformer",
    "torch.nn.Transformer",
    NULL,
    "d_model nhead num_encoder_layers num_decoder_layers dim_feedforward activation norm_first "
    "layer_norm_eps src_vocab_size tgt_vocab_size scale_embedding position "
    "max_position_embeddings dropout",
    configure,
    bind};
