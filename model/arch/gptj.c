/* GPT-J: Wang and Komatsuzaki 2021. Attention and feed-forward part side by side under one norm;
 * the leading dimensions of a head rotate in neighbouring pairs. */
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
    .attn = {.q = "attn.q_proj",
             .k = "attn.k_proj",
             .v = "attn.v_proj",
             .o = "attn.out_proj",
             .bias = BIAS_NO,
             .k_bias = BIAS_NO,
             .o_bias = BIAS_NO},
    .ln1 = "ln_1",
    .up = "mlp.fc_in",
    .down = "mlp.fc_out",
};

static bool configure(const Fields *f, ModelConfig *out) {
    decoder_configure_plain(f, out, &fields);
    StackConfig *c = &out->stack[STACK_BLOCKS];
    c->position = POSITION_ROTARY_INTERLEAVED;
    /* not there: 64; null: as many as the model is wide. More than a head has cannot turn. */
    int usual = json_object_get(f->root, "rotary_dim") ? out->d_model : 64;
    c->rope_dims = field_int(f, "rotary_dim", usual, 2, MOST_WIDTH);
    c->rope_base = 10000;
    if (c->rope_dims % 2 || c->rope_dims > c->d_head)
        error_set(f->error, ERROR_INPUT, "%s: rotary_dim %d, an even number up to %d expected",
                  f->where, c->rope_dims, c->d_head);
    c->parallel = true;
    out->tied_output = field_bool(f, "tie_word_embeddings", false);
    return error_ok(f->error);
}

static void bind(Loader *l, Model *m) {
    static const char *const roots[] = {"transformer.", "", NULL};
    const char *root = layers_root(l, "wte.weight", roots);
    Stack *s = &m->stack[STACK_BLOCKS];
    s->embed = load_matrix(l, m->config.n_vocab, m->config.d_model, "%swte.weight", root);
    layers_bind(l, m, STACK_BLOCKS, root, &names);
    for (int i = 0; i < m->config.stack[STACK_BLOCKS].n_layers; i++) { /* of older files */
        load_ignore(l, "%sh.%d.attn.bias", root, i);
        load_ignore(l, "%sh.%d.attn.masked_bias", root, i);
    }
    s->final_norm = load_norm(l, m->config.d_model, "%sln_f", root);
    layers_bind_rope(l, m, STACK_BLOCKS);
    heads_bind_decoder(l, m, "lm_head");
}

const Arch arch_gptj = {
    "gptj",
    "GPT-J",
    NULL,
    "vocab_size n_embd n_layer n_head n_inner n_positions layer_norm_epsilon "
    "activation_function rotary_dim rotary scale_attn_weights tie_word_embeddings",
    configure,
    bind};
