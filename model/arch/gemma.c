/* Gemma: Gemma Team 2024. Llama's layout; norms multiply by 1 + weight, embeddings are scaled by
 * sqrt(d_model), heads have a size of their own. */
#include "model/arch/decoder.h"

#include <math.h>

static bool configure(const Fields *f, ModelConfig *out) {
    decoder_configure(f, out, true);
    StackConfig *c = &out->stack[STACK_BLOCKS];
    c->norm = NORM_RMS_PLUS;
    c->embed_scale = sqrtf((float)out->d_model);
    /* hidden_act of the first files said gelu and meant the one with tanh */
    c->activation = field_activation(f, "hidden_activation", ACTIVATION_GELU_TANH);
    return error_ok(f->error);
}

static void bind(Loader *l, Model *m) {
    decoder_bind(l, m, &decoder_layer_names);
}

const Arch arch_gemma = {"gemma",   "Gemma 1", NULL, DECODER_FIELDS "hidden_activation",
                         configure, bind};
