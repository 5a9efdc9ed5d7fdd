/* GPT-2: Radford et al. 2019. Pre-norm decoder with learned positions; matrices are kept [inputs,
 * outputs] (Conv1D), queries, keys and values in one. */
#include "model/arch/decoder.h"

static const DecoderNames fields = {.d_model = "n_embd",
                                    .n_layers = "n_layer",
                                    .n_heads = "n_head",
                                    .d_ff = "n_inner",
                                    .norm_epsilon = "layer_norm_epsilon",
                                    .activation = "activation_function",
                                    .n_positions = "n_positions"};

static const LayerNames names = {
    .layers = "h",
    .attn = {.qkv = "attn.c_attn", .fused = FUSED_ROWS, .o = "attn.c_proj"},
    .ln1 = "ln_1",
    .ln2 = "ln_2",
    .up = "mlp.c_fc",
    .down = "mlp.c_proj",
    .transposed = true,
};

static bool configure(const Fields *f, ModelConfig *out) {
    decoder_configure_plain(f, out, &fields);
    StackConfig *c = &out->stack[STACK_BLOCKS];
    field_only(f, "add_cross_attention", "false");
    if (!field_has(f, "n_positions")) c->n_positions = 1024;
    c->position = POSITION_TABLE;
    if (!field_bool(f, "scale_attn_weights", true)) c->attention_scale = 1;
    c->scale_by_layer = field_bool(f, "scale_attn_by_inverse_layer_idx", false);
    return error_ok(f->error);
}

static void bind(Loader *l, Model *m) {
    static const char *const roots[] = {"transformer.", "", NULL};
    const char *root = layers_root(l, "wte.weight", roots);
    Stack *s = &m->stack[STACK_BLOCKS];
    const StackConfig *c = &m->config.stack[STACK_BLOCKS];
    int d = m->config.d_model;
    s->embed = load_matrix(l, m->config.n_vocab, d, "%swte.weight", root);
    s->positions = load_matrix(l, c->n_positions, d, "%swpe.weight", root);
    layers_bind(l, m, STACK_BLOCKS, root, &names);
    for (int i = 0; i < c->n_layers; i++) { /* the mask, in older files */
        load_ignore(l, "%sh.%d.attn.bias", root, i);
        load_ignore(l, "%sh.%d.attn.masked_bias", root, i);
    }
    s->final_norm = load_norm(l, d, "%sln_f", root);
    heads_bind_decoder(l, m, "lm_head");
    load_ignore(l, "multiple_choice_head.summary.weight"); /* of GPT2DoubleHeadsModel */
    load_ignore(l, "multiple_choice_head.summary.bias");
}

const Arch arch_gpt2 = {
    "gpt2",
    "GPT-2, DistilGPT-2, nanoGPT, minGPT",
    NULL,
    "vocab_size n_embd n_layer n_head n_inner n_positions n_ctx layer_norm_epsilon "
    "activation_function scale_attn_weights scale_attn_by_inverse_layer_idx "
    "reorder_and_upcast_attn tie_word_embeddings add_cross_attention",
    configure,
    bind};
