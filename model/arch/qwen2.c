/* Qwen2: Yang et al. 2024. Llama with biases on queries, keys and values. */
#include "model/arch/decoder.h"

static bool configure(const Fields *f, ModelConfig *out) {
    decoder_configure(f, out, false);
    StackConfig *c = &out->stack[STACK_BLOCKS];
    if (!field_bool(f, "use_sliding_window", false)) return error_ok(f->error);
    decoder_window(f, c);
    /* Which layers slide was said differently over the years: only what is unambiguous is taken. */
    int first = field_int(f, "max_window_layers", c->n_layers, 0, INT32_MAX);
    if (!field_has(f, "layer_types") && first > 0 && first < c->n_layers)
        error_set(f->error, ERROR_UNSUPPORTED,
                  "%s: max_window_layers %d, a window in some of the %d layers, is not computed "
                  "here without layer_types",
                  f->where, first, c->n_layers);
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
