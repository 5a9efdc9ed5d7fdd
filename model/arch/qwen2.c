/* Qwen2: Yang et al. 2024. Llama with biases on queries, keys and values. */
#include "model/arch/decoder.h"

static bool configure(const Fields *f, ModelConfig *out) {
    decoder_configure(f, out, false);
    StackConfig *c = &out->stack[STACK_BLOCKS];
    if (!field_bool(f, "use_sliding_window", false)) return error_ok(f->error);
    decoder_window(f, c);
    if (field_has(f, "layer_types")) return error_ok(f->error);
    /* The first max_window_layers see everything, those above only the window (Qwen2Config). */
    int first = field_int(f, "max_window_layers", 28, 0, INT32_MAX);
    for (int i = 0; i < first && i < c->n_layers; i++)
        c->full_layers[i / 64] |= (uint64_t)1 << i % 64;
    return error_ok(f->error);
}

static void bind(Loader *l, Model *m) {
    LayerNames names = decoder_layer_names;
    names.attn.bias = names.attn.k_bias = BIAS_YES;
    decoder_bind(l, m, &names);
}

const Arch arch_qwen2 = {
    "qwen2",   "Qwen 1.5, 2 and 2.5",
    NULL,      DECODER_FIELDS "use_sliding_window sliding_window max_window_layers",
    configure, bind};
