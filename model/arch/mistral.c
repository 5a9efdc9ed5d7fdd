/* Mistral: Jiang et al. 2023. Llama with a sliding window. */
#include "model/arch/decoder.h"

static bool configure(const Fields *f, ModelConfig *out) {
    decoder_configure(f, out, false);
    decoder_window(f, &out->stack[STACK_BLOCKS]);
    return error_ok(f->error);
}

static void bind(Loader *l, Model *m) {
    decoder_bind(l, m, &decoder_layer_names);
}

const Arch arch_mistral = {"mistral", "Mistral", NULL, DECODER_FIELDS "sliding_window",
                           configure, bind};
