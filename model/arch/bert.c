/* BERT: Devlin et al. 2019. Post-norm encoder, learned positions (or relative ones: Shaw et al.
 * 2018, Huang et al. 2020), heads for masked words, sequences, tokens and spans. Older files call
 * the norms' parameters gamma and beta. */
#include "model/arch/encoder.h"

static const HeadNames heads[] = {
    {HEAD_MASKED, PICK_ALL, .output = "cls.predictions.decoder", .bias = "cls.predictions.bias",
     .transform = "cls.predictions.transform.dense", .norm = "cls.predictions.transform.LayerNorm",
     .tied = true, .own_activation = true},
    {HEAD_LANGUAGE, PICK_ALL, .output = "cls.predictions.decoder", .bias = "cls.predictions.bias",
     .transform = "cls.predictions.transform.dense", .norm = "cls.predictions.transform.LayerNorm",
     .tied = true, .own_activation = true},
    {HEAD_SEQUENCE, PICK_FIRST, .output = "classifier", .transform = "@pooler.dense",
     .activation = ACTIVATION_TANH},
    {HEAD_TOKENS, PICK_ALL, .output = "classifier"},
    {HEAD_SPAN, PICK_ALL, .output = "qa_outputs"},
    {HEAD_SEQUENCE, PICK_FIRST, .output = "cls.seq_relationship", .transform = "@pooler.dense",
     .activation = ACTIVATION_TANH},
    {0}};

static bool configure(const Fields *f, ModelConfig *out) {
    encoder_configure(f, out);
    return error_ok(f->error);
}

static void bind(Loader *l, Model *m) {
    const char *root = encoder_root(l, "bert.");
    encoder_bind_embeddings(l, m, root, m->config.d_model);
    encoder_bind_layers(l, m, root);
    heads_bind(l, m, STACK_BLOCKS, root, heads);
    load_ignore(l, "cls.seq_relationship.weight");
    load_ignore(l, "cls.seq_relationship.bias");
}

const Arch arch_bert = {"bert", "BERT", NULL, ENCODER_FIELDS, configure, bind};
