/* OPT: Zhang et al. 2022. GPT-3's layers with ReLU; positions begin at row 2 and leave out padding;
 * the 350M model is post-norm with embeddings of another width. */
#include "model/arch/decoder.h"

static const DecoderNames fields = {.d_model = "hidden_size",
                                    .n_layers = "num_hidden_layers",
                                    .n_heads = "num_attention_heads",
                                    .d_ff = "ffn_dim",
                                    .norm_epsilon = "layer_norm_eps",
                                    .activation = "activation_function",
                                    .n_positions = "max_position_embeddings"};

static const LayerNames names = {
    .layers = "layers",
    .attn = {.q = "self_attn.q_proj",
             .k = "self_attn.k_proj",
             .v = "self_attn.v_proj",
             .o = "self_attn.out_proj",
             .bias = BIAS_IF_THERE,
             .k_bias = BIAS_IF_THERE,
             .o_bias = BIAS_IF_THERE},
    .ln1 = "self_attn_layer_norm",
    .up = "fc1",
    .down = "fc2",
    .ln2 = "final_layer_norm",
    .mlp_bias = BIAS_IF_THERE,
};

static bool configure(const Fields *f, ModelConfig *out) {
    decoder_configure_plain(f, out, &fields);
    StackConfig *c = &out->stack[STACK_BLOCKS];
    field_only(f, "layer_norm_elementwise_affine", "true");
    c->position = POSITION_TABLE;
    c->position_offset = 2;
    c->masked_positions = true;
    if (!field_has(f, "activation_function")) c->activation = ACTIVATION_RELU;
    bool before = field_bool(f, "do_layer_norm_before", true);
    c->norm_place = before ? NORM_PRE : NORM_POST;
    c->final_norm = before && !field_bool(f, "_remove_final_layer_norm", false);
    out->d_embed = field_int(f, "word_embed_proj_dim", out->d_model, 1, MOST_WIDTH);
    return error_ok(f->error);
}

static void bind(Loader *l, Model *m) {
    static const char *const roots[] = {"model.decoder.", "decoder.", "", NULL};
    const char *root = layers_root(l, "embed_tokens.weight", roots);
    Stack *s = &m->stack[STACK_BLOCKS];
    const StackConfig *c = &m->config.stack[STACK_BLOCKS];
    int d = m->config.d_model, d_embed = m->config.d_embed;
    s->embed = load_matrix(l, m->config.n_vocab, d_embed, "%sembed_tokens.weight", root);
    s->positions =
        load_matrix(l, c->n_positions + c->position_offset, d, "%sembed_positions.weight", root);
    if (d_embed != d) {
        s->embed_project = load_linear(l, d, d_embed, false, "%sproject_in", root);
        s->final_project = load_linear(l, d_embed, d, false, "%sproject_out", root);
    }
    layers_bind(l, m, STACK_BLOCKS, root, &names);
    if (c->final_norm) s->final_norm = load_norm(l, d, "%sfinal_layer_norm", root);
    heads_bind_decoder(l, m, "lm_head");
}

const Arch arch_opt = {
    "opt",
    "OPT",
    NULL,
    "vocab_size hidden_size num_hidden_layers num_attention_heads ffn_dim "
    "max_position_embeddings activation_function do_layer_norm_before word_embed_proj_dim "
    "_remove_final_layer_norm enable_bias layer_norm_elementwise_affine tie_word_embeddings",
    configure,
    bind};
