/* Phi-1, 1.5 and 2: Li et al. 2023. Attention and feed-forward part side by side under one norm,
 * part of each head rotates, biases everywhere. */
#include "model/arch/decoder.h"

static const LayerNames names = {
    .layers = "layers",
    .attn = {.q = "self_attn.q_proj",
             .k = "self_attn.k_proj",
             .v = "self_attn.v_proj",
             .o = "self_attn.dense"},
    .ln1 = "input_layernorm",
    .up = "mlp.fc1",
    .down = "mlp.fc2",
};

static bool configure(const Fields *f, ModelConfig *out) {
    decoder_configure(f, out, false);
    StackConfig *c = &out->stack[STACK_BLOCKS];
    field_only(f, "qk_layernorm", "false");
    c->rope_dims = layers_rope_dims(f, "partial_rotary_factor", 0.5, c->d_head);
    layers_rope(f, c, "rope_theta");
    c->norm = NORM_LAYER;
    c->norm_epsilon = (float)field_number(f, "layer_norm_eps", 1e-5, 0, 1);
    c->activation = field_activation(f, "hidden_act", ACTIVATION_GELU_TANH);
    c->gated = false;
    c->parallel = true;
    return error_ok(f->error);
}

static void bind(Loader *l, Model *m) {
    static const char *const roots[] = {"model.", "", NULL};
    const char *root = layers_root(l, "embed_tokens.weight", roots);
    Stack *s = &m->stack[STACK_BLOCKS];
    s->embed = load_matrix(l, m->config.n_vocab, m->config.d_model, "%sembed_tokens.weight", root);
    layers_bind(l, m, STACK_BLOCKS, root, &names);
    s->final_norm = load_norm(l, m->config.d_model, "%sfinal_layernorm", root);
    layers_bind_rope(l, m, STACK_BLOCKS);
    heads_bind_decoder(l, m, "lm_head");
}

const Arch arch_phi = {
    "phi",     "Phi-1, 1.5 and 2",
    NULL,      DECODER_FIELDS "partial_rotary_factor qk_layernorm layer_norm_eps",
    configure, bind};
