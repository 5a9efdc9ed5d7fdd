/* DistilBERT: Sanh et al. 2019. BERT without token types, other names for everything. */
#include "model/arch/encoder.h"

static const LayerNames names = {
    .layers = "transformer.layer",
    .attn = {.q = "attention.q_lin",
             .k = "attention.k_lin",
             .v = "attention.v_lin",
             .o = "attention.out_lin"},
    .ln1 = "sa_layer_norm",
    .up = "ffn.lin1",
    .down = "ffn.lin2",
    .ln2 = "output_layer_norm",
};

static const HeadNames heads[] = {{HEAD_MASKED, PICK_ALL, .output = "vocab_projector",
                                   .transform = "vocab_transform", .norm = "vocab_layer_norm",
                                   .tied = true, .own_activation = true},
                                  {HEAD_SEQUENCE, PICK_FIRST, .output = "classifier",
                                   .transform = "pre_classifier", .activation = ACTIVATION_RELU},
                                  {HEAD_TOKENS, PICK_ALL, .output = "classifier"},
                                  {HEAD_SPAN, PICK_ALL, .output = "qa_outputs"},
                                  {0}};

static bool configure(const Fields *f, ModelConfig *out) {
    StackConfig *c = &out->stack[STACK_BLOCKS];
    out->family = FAMILY_ENCODER;
    out->d_model = field_size(f, "dim", MOST_WIDTH);
    out->n_vocab = out->n_source_vocab = field_size(f, "vocab_size", MOST_VOCAB);
    int n_heads = field_size(f, "n_heads", MOST_WIDTH);
    layers_stack(c, &(StackSizes){.n_layers = field_size(f, "n_layers", MOST_LAYERS),
                                  .n_heads = n_heads,
                                  .n_kv_heads = n_heads,
                                  .d_head = field_head_size(f, out->d_model, n_heads),
                                  .d_ff = field_size(f, "hidden_dim", MOST_WIDTH)});
    c->position = POSITION_TABLE; /* sinusoidal_pos_embds only says how the table was begun */
    c->n_positions = field_int(f, "max_position_embeddings", 512, 1, MOST_POSITIONS);
    c->norm = NORM_LAYER;
    c->norm_place = NORM_POST;
    c->norm_epsilon = 1e-12f;
    c->embed_norm = true;
    c->activation = field_activation(f, "activation", ACTIVATION_GELU);
    heads_configure(f, out, true);
    return error_ok(f->error);
}

static void bind(Loader *l, Model *m) {
    const char *root = encoder_root(l, "distilbert.");
    encoder_bind_embeddings(l, m, root, m->config.d_model);
    layers_bind(l, m, STACK_BLOCKS, root, &names);
    heads_bind(l, m, STACK_BLOCKS, root, heads);
}

const Arch arch_distilbert = {
    "distilbert",
    "DistilBERT",
    NULL,
    "vocab_size dim n_layers n_heads hidden_dim activation max_position_embeddings "
    "sinusoidal_pos_embds tie_word_embeddings pad_token_id",
    configure,
    bind};
