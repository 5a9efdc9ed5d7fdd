/* BLOOM: Le Scao et al. 2022. No positions but a penalty on distance (ALiBi, Press et al. 2022), a
 * norm behind the embedding, queries, keys and values head by head in one matrix. */
#include "model/arch/decoder.h"

static const LayerNames names = {
    .layers = "h",
    .attn = {.qkv = "self_attention.query_key_value",
             .fused = FUSED_HEADS,
             .o = "self_attention.dense"},
    .ln1 = "input_layernorm",
    .ln2 = "post_attention_layernorm",
    .up = "mlp.dense_h_to_4h",
    .down = "mlp.dense_4h_to_h",
};

static const char *either(const Fields *f, const char *name, const char *other) {
    return field_has(f, name) ? name : other;
}

static bool configure(const Fields *f, ModelConfig *out) {
    DecoderNames fields = {.d_model = either(f, "hidden_size", "n_embed"),
                           .n_layers = either(f, "n_layer", "num_hidden_layers"),
                           .n_heads = either(f, "n_head", "num_attention_heads"),
                           .norm_epsilon = "layer_norm_epsilon"};
    decoder_configure_plain(f, out, &fields);
    StackConfig *c = &out->stack[STACK_BLOCKS];
    c->position = POSITION_ALIBI;
    c->embed_norm = true;
    c->residual_is_normed = field_bool(f, "apply_residual_connection_post_layernorm", false);
    return error_ok(f->error);
}

static void bind(Loader *l, Model *m) {
    static const char *const roots[] = {"transformer.", "", NULL};
    const char *root = layers_root(l, "word_embeddings.weight", roots);
    Stack *s = &m->stack[STACK_BLOCKS];
    int d = m->config.d_model;
    s->embed = load_matrix(l, m->config.n_vocab, d, "%sword_embeddings.weight", root);
    s->embed_norm = load_norm(l, d, "%sword_embeddings_layernorm", root);
    layers_bind(l, m, STACK_BLOCKS, root, &names);
    s->final_norm = load_norm(l, d, "%sln_f", root);
    heads_bind_decoder(l, m, "lm_head");
}

const Arch arch_bloom = {
    "bloom",
    "BLOOM",
    NULL,
    "vocab_size hidden_size n_embed n_layer num_hidden_layers n_head num_attention_heads "
    "layer_norm_epsilon apply_residual_connection_post_layernorm pretraining_tp slow_but_exact "
    "seq_length unk_token_id masked_softmax_fusion n_inner offset_alibi bias_dropout_fusion "
    "skip_bias_add skip_bias_add_qkv attention_softmax_in_fp32 tie_word_embeddings",
    configure,
    bind};
