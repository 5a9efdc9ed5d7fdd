/* RoBERTa: Liu et al. 2019. BERT's layers; positions begin behind the row of the padding and do not
 * count it; other names for the heads. XLM-RoBERTa and CamemBERT are the same model. */
#include "model/arch/encoder.h"

static const HeadNames heads[] = {
    {HEAD_MASKED, PICK_ALL, .output = "lm_head.decoder", .bias = "lm_head.bias",
     .transform = "lm_head.dense", .norm = "lm_head.layer_norm", .tied = true,
     .activation = ACTIVATION_GELU},
    {HEAD_LANGUAGE, PICK_ALL, .output = "lm_head.decoder", .bias = "lm_head.bias",
     .transform = "lm_head.dense", .norm = "lm_head.layer_norm", .tied = true,
     .activation = ACTIVATION_GELU},
    {HEAD_SEQUENCE, PICK_FIRST, .output = "classifier.out_proj", .transform = "classifier.dense",
     .activation = ACTIVATION_TANH},
    {HEAD_SEQUENCE, PICK_FIRST, .output = "classifier", .transform = "@pooler.dense",
     .activation = ACTIVATION_TANH},
    {HEAD_TOKENS, PICK_ALL, .output = "classifier"},
    {HEAD_SPAN, PICK_ALL, .output = "qa_outputs"},
    {0}};

static bool configure(const Fields *f, ModelConfig *out) {
    encoder_configure(f, out);
    StackConfig *c = &out->stack[STACK_BLOCKS];
    encoder_skip_padding(f, c, 1);
    return error_ok(f->error);
}

static void bind(Loader *l, Model *m) {
    const char *root = encoder_root(l, "roberta.");
    encoder_bind_embeddings(l, m, root, m->config.d_model);
    encoder_bind_layers(l, m, root);
    heads_bind(l, m, STACK_BLOCKS, root, heads);
}

const Arch arch_roberta = {"roberta",
                           "RoBERTa, XLM-RoBERTa, CamemBERT",
                           "xlm-roberta camembert",
                           ENCODER_FIELDS,
                           configure,
                           bind};
