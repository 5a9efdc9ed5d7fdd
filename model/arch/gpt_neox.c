/* GPT-NeoX, Pythia: Black et al. 2022. Attention and feed-forward part side by side under norms of
 * their own, part of each head rotates, queries, keys and values head by head in one matrix. */
#include "model/arch/decoder.h"

static const DecoderNames fields = {.d_model = "hidden_size",
                                    .n_layers = "num_hidden_layers",
                                    .n_heads = "num_attention_heads",
                                    .d_ff = "intermediate_size",
                                    .norm_epsilon = "layer_norm_eps",
                                    .activation = "hidden_act"};

static const LayerNames names = {
    .layers = "layers",
    .attn = {.qkv = "attention.query_key_value",
             .fused = FUSED_HEADS,
             .o = "attention.dense",
             .bias = BIAS_IF_THERE,
             .o_bias = BIAS_IF_THERE},
    .ln1 = "input_layernorm",
    .ln2 = "post_attention_layernorm",
    .up = "mlp.dense_h_to_4h",
    .down = "mlp.dense_4h_to_h",
};

static bool configure(const Fields *f, ModelConfig *out) {
    decoder_configure_plain(f, out, &fields);
    StackConfig *c = &out->stack[STACK_BLOCKS];
    if (!field_has(f, "hidden_act")) c->activation = ACTIVATION_GELU;
    c->position = POSITION_ROTARY_HALVES;
    const char *share = field_has(f, "rotary_pct") ? "rotary_pct" : "partial_rotary_factor";
    c->rope_dims = layers_rope_dims(f, share, 0.25, c->d_head);
    layers_rope(f, c, field_has(f, "rotary_emb_base") ? "rotary_emb_base" : "rope_theta");
    c->parallel = field_bool(f, "use_parallel_residual", true);
    out->tied_output = field_bool(f, "tie_word_embeddings", false);
    return error_ok(f->error);
}

static void bind(Loader *l, Model *m) {
    static const char *const roots[] = {"gpt_neox.", "", NULL};
    const char *root = layers_root(l, "embed_in.weight", roots);
    Stack *s = &m->stack[STACK_BLOCKS];
    s->embed = load_matrix(l, m->config.n_vocab, m->config.d_model, "%sembed_in.weight", root);
    layers_bind(l, m, STACK_BLOCKS, root, &names);
    for (int i = 0; i < m->config.stack[STACK_BLOCKS].n_layers; i++) { /* of older files */
        load_ignore(l, "%slayers.%d.attention.bias", root, i);
        load_ignore(l, "%slayers.%d.attention.masked_bias", root, i);
        load_ignore(l, "%slayers.%d.attention.rotary_emb.inv_freq", root, i);
    }
    s->final_norm = load_norm(l, m->config.d_model, "%sfinal_layer_norm", root);
    layers_bind_rope(l, m, STACK_BLOCKS);
    heads_bind_decoder(l, m, "embed_out");
}

const Arch arch_gpt_neox = {
    "gpt_neox",
    "GPT-NeoX, Pythia",
    NULL,
    "vocab_size hidden_size num_hidden_layers num_attention_heads intermediate_size hidden_act "
    "layer_norm_eps max_position_embeddings rotary_pct partial_rotary_factor rotary_emb_base "
    "rope_theta rope_scaling "
    "rope_parameters use_parallel_residual attention_bias tie_word_embeddings",
    configure,
    bind};
