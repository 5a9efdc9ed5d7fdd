/* Llama: Touvron et al. 2023. */
#include "model/arch/decoder.h"

static bool configure(const Fields *f, ModelConfig *out) {
    decoder_configure(f, out, false);
    return error_ok(f->error);
}

static void bind(Loader *l, Model *m) {
    decoder_bind(l, m, &decoder_layer_names);
}

const Arch arch_llama = {
    "llama", "Llama 1, 2 and 3, TinyLlama, SmolLM, Vicuna", NULL, DECODER_FIELDS, configure, bind};
