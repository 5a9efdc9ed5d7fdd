#include "model/arch/decoder.h"

#include <string.h>

const LayerNames decoder_layer_names = {
    .layers = "layers",
    .attn = {.q = "self_attn.q_proj",
             .k = "self_attn.k_proj",
             .v = "self_attn.v_proj",
             .o = "self_attn.o_proj",
             .bias = BIAS_IF_THERE,
             .k_bias = BIAS_IF_THERE,
             .o_bias = BIAS_IF_THERE},
    .ln1 = "input_layernorm",
    .ln2 = "post_attention_layernorm",
    .up = "mlp.up_proj",
    .gate = "mlp.gate_proj",
    .down = "mlp.down_proj",
    .mlp_bias = BIAS_IF_THERE,
};

static int kv_heads(const Fields *f, int n_heads) {
    int n = field_int(f, "num_key_value_heads", n_heads, 1, n_heads);
    if (n_heads % n)
        error_set(f->error, ERROR_INPUT, "%s: %d heads cannot share %d key and value heads evenly",
                  f->where, n_heads, n);
    return n;
}

void decoder_configure(const Fields *f, ModelConfig *out, bool tied_by_default) {
    StackConfig *c = &out->stack[STACK_BLOCKS];
    out->family = FAMILY_DECODER;
    out->d_model = field_size(f, "hidden_size", MOST_WIDTH);
    out->n_vocab = out->n_source_vocab = field_size(f, "vocab_size", MOST_VOCAB);
    int n_heads = field_size(f, "num_attention_heads", MOST_WIDTH);
    int d_head = field_has(f, "head_dim") ? field_int(f, "head_dim", 1, 1, MOST_WIDTH)
                                          : field_head_size(f, out->d_model, n_heads);
    layers_stack(c, &(StackSizes){.n_layers = field_size(f, "num_hidden_layers", MOST_LAYERS),
                                  .n_heads = n_heads,
                                  .n_kv_heads = kv_heads(f, n_heads),
                                  .d_head = d_head,
                                  .d_ff = field_size(f, "intermediate_size", MOST_WIDTH)});
    c->position = POSITION_ROTARY_HALVES;
    c->rope_dims = d_head;
    layers_rope(f, c, "rope_theta");
    c->norm = NORM_RMS;
    c->norm_place = NORM_PRE;
    c->norm_epsilon = (float)field_number(f, "rms_norm_eps", 1e-6, 0, 1);
    c->final_norm = true;
    c->activation = field_activation(f, "hidden_act", ACTIVATION_SILU);
    c->gated = true;
    c->causal = true;
    heads_configure(f, out, tied_by_default);
}

void decoder_bind(Loader *l, Model *m, const LayerNames *names) {
    static const char *const roots[] = {"model.", "", NULL};
    const char *root = layers_root(l, "embed_tokens.weight", roots);
    Stack *s = &m->stack[STACK_BLOCKS];
    s->embed = load_matrix(l, m->config.n_vocab, m->config.d_model, "%sembed_tokens.weight", root);
    layers_bind(l, m, STACK_BLOCKS, root, names);
    for (int i = 0; i < m->config.stack[STACK_BLOCKS].n_layers; i++) /* of older files */
        load_ignore(l, "%slayers.%d.self_attn.rotary_emb.inv_freq", root, i);
    s->final_norm = layers_norm(l, m, STACK_BLOCKS, arena_printf(l->arena, "%snorm", root));
    layers_bind_rope(l, m, STACK_BLOCKS);
    heads_bind_decoder(l, m, "lm_head");
}

void decoder_window(const Fields *f, StackConfig *c) {
    const json_t *types = json_object_get(f->root, "layer_types");
    /* transformers 4.40 lets a query see sliding_window keys beside its own */
    c->window = field_int(f, "sliding_window", 0, 1, INT32_MAX - 1);
    if (c->window > 0) c->window++;
    size_t i;
    const json_t *type;
    json_array_foreach(types, i, type) {
        const char *name = json_string_value(type);
        bool full = name && strcmp(name, "full_attention") == 0;
        if (!full && !(name && strcmp(name, "sliding_attention") == 0))
            error_set(f->error, ERROR_UNSUPPORTED,
                      "%s: layer_types holds \"%.40s\", which is not computed here; full_attention "
                      "and sliding_attention are",
                      f->where, name ? name : "?");
        if (full && i < MOST_LAYERS) c->full_layers[i / 64] |= (uint64_t)1 << i % 64;
    }
}

void decoder_configure_plain(const Fields *f, ModelConfig *out, const DecoderNames *names) {
    StackConfig *c = &out->stack[STACK_BLOCKS];
    out->family = FAMILY_DECODER;
    out->d_model = field_size(f, names->d_model, MOST_WIDTH);
    out->n_vocab = out->n_source_vocab = field_size(f, "vocab_size", MOST_VOCAB);
    int n_heads = field_size(f, names->n_heads, MOST_WIDTH);
    int most = MOST_WIDTH, d_ff = out->d_model <= most / 4 ? 4 * out->d_model : most;
    if (names->d_ff) d_ff = field_int(f, names->d_ff, d_ff, 1, most);
    layers_stack(c, &(StackSizes){.n_layers = field_size(f, names->n_layers, MOST_LAYERS),
                                  .n_heads = n_heads,
                                  .n_kv_heads = n_heads,
                                  .d_head = field_head_size(f, out->d_model, n_heads),
                                  .d_ff = d_ff});
    c->norm = NORM_LAYER;
    c->norm_place = NORM_PRE;
    c->norm_epsilon = (float)field_number(f, names->norm_epsilon, 1e-5, 0, 1);
    c->final_norm = true;
    if (names->n_positions)
        c->n_positions = field_int(f, names->n_positions, 2048, 1, MOST_POSITIONS);
    c->activation = names->activation ? field_activation(f, names->activation, ACTIVATION_GELU_TANH)
                                      : ACTIVATION_GELU_TANH;
    c->causal = true;
    heads_configure(f, out, true);
}
