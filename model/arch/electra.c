/* ELECTRA: Clark et al. 2020. BERT's layers over embeddings of another width; the discriminator
 * says of each token whether it was put in place of another, the generator is a masked language
 * model. */
#include "model/arch/encoder.h"

static const HeadNames heads[] = {
    {HEAD_REPLACED, PICK_ALL, .output = "discriminator_predictions.dense_prediction",
     .transform = "discriminator_predictions.dense", .own_activation = true},
    {HEAD_MASKED, PICK_ALL, .output = "generator_lm_head",
     .transform = "generator_predictions.dense", .norm = "generator_predictions.LayerNorm",
     .tied = true, .activation = ACTIVATION_GELU},
    {HEAD_LANGUAGE, PICK_ALL, .output = "generator_lm_head",
     .transform = "generator_predictions.dense", .norm = "generator_predictions.LayerNorm",
     .tied = true, .activation = ACTIVATION_GELU},
    {HEAD_SEQUENCE, PICK_FIRST, .output = "classifier.out_proj", .transform = "classifier.dense",
     .activation = ACTIVATION_GELU},
    {HEAD_TOKENS, PICK_ALL, .output = "classifier"},
    {HEAD_SPAN, PICK_ALL, .output = "qa_outputs"},
    {0}};

static bool configure(const Fields *f, ModelConfig *out) {
    encoder_configure(f, out);
    if (field_class(f, "ForPreTraining")) out->head.kind = HEAD_REPLACED;
    out->d_embed = field_int(f, "embedding_size", 128, 1, MOST_WIDTH);
    out->stack[STACK_BLOCKS].project_last = true;
    return error_ok(f->error);
}

static void bind(Loader *l, Model *m) {
    const char *root = encoder_root(l, "electra.");
    encoder_bind_embeddings(l, m, root, m->config.d_embed);
    if (m->config.d_embed != m->config.d_model)
        m->stack[STACK_BLOCKS].embed_project = load_linear(l, m->config.d_model, m->config.d_embed,
                                                           true, "%sembeddings_project", root);
    encoder_bind_layers(l, m, root);
    heads_bind(l, m, STACK_BLOCKS, root, heads);
}

const Arch arch_electra = {"electra", "ELECTRA", NULL, ENCODER_FIELDS "embedding_size",
                           configure, bind};
