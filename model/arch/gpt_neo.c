/* GPT-Neo: Black et al. 2021. GPT-2 with a window in every other layer ("local") and scores that
 * are not divided by sqrt(d_head). */
#include "model/arch/decoder.h"

#include <string.h>

static const DecoderNames fields = {.d_model = "hidden_size",
                                    .n_layers = "num_layers",
                                    .n_heads = "num_heads",
                                    .d_ff = "intermediate_size",
                                    .norm_epsilon = "layer_norm_epsilon",
                                    .activation = "activation_function",
                                    .n_positions = "max_position_embeddings"};

static const LayerNames names = {
    .layers = "h",
    .attn = {.q = "attn.attention.q_proj",
             .k = "attn.attention.k_proj",
             .v = "attn.attention.v_proj",
             .o = "attn.attention.out_proj",
             .bias = BIAS_NO,
             .k_bias = BIAS_NO},
    .ln1 = "ln_1",
    .ln2 = "ln_2",
    .up = "mlp.c_fc",
    .down = "mlp.c_proj",
};

static void add_kind(const Fields *f, StackConfig *c, const json_t *kind, int *layer) {
    const char *name = json_string_value(kind);
    bool full = name && strcmp(name, "global") == 0;
    if (!full && !(name && strcmp(name, "local") == 0))
        error_set(f->error, ERROR_INPUT, "%s: attention_types: global or local expected", f->where);
    if (full && *layer < MOST_LAYERS) c->full_layers[*layer / 64] |= (uint64_t)1 << *layer % 64;
    ++*layer;
}

/* [[["global", "local"], 6]]: the list, six times. */
static int add_types(const Fields *f, StackConfig *c) {
    int n = 0;
    size_t i, k;
    const json_t *group, *kind;
    json_array_foreach(json_object_get(f->root, "attention_types"), i, group) {
        json_int_t times = json_integer_value(json_array_get(group, 1));
        for (json_int_t t = 0; t < times && n < c->n_layers; t++)
            json_array_foreach(json_array_get(group, 0), k, kind) add_kind(f, c, kind, &n);
    }
    return n;
}

static bool configure(const Fields *f, ModelConfig *out) {
    decoder_configure_plain(f, out, &fields);
    StackConfig *c = &out->stack[STACK_BLOCKS];
    c->position = POSITION_TABLE;
    c->attention_scale = 1;
    c->window = field_int(f, "window_size", 256, 1, INT32_MAX);
    int n = 0;
    size_t i;
    const json_t *kind;
    if (field_has(f, "attention_types"))
        n = add_types(f, c);
    else
        json_array_foreach(json_object_get(f->root, "attention_layers"), i, kind)
            add_kind(f, c, kind, &n);
    if (n != c->n_layers)
        error_set(f->error, ERROR_INPUT,
                  "%s: attention_types says what %d layers are, but there are %d", f->where, n,
                  c->n_layers);
    return error_ok(f->error);
}

static void bind(Loader *l, Model *m) {
    static const char *const roots[] = {"transformer.", "", NULL};
    const char *root = layers_root(l, "wte.weight", roots);
    Stack *s = &m->stack[STACK_BLOCKS];
    const StackConfig *c = &m->config.stack[STACK_BLOCKS];
    int d = m->config.d_model;
    s->embed = load_matrix(l, m->config.n_vocab, d, "%swte.weight", root);
    s->positions = load_matrix(l, c->n_positions, d, "%swpe.weight", root);
    layers_bind(l, m, STACK_BLOCKS, root, &names);
    for (int i = 0; i < c->n_layers; i++) { /* the mask, in older files */
        load_ignore(l, "%sh.%d.attn.attention.bias", root, i);
        load_ignore(l, "%sh.%d.attn.attention.masked_bias", root, i);
    }
    s->final_norm = load_norm(l, d, "%sln_f", root);
    heads_bind_decoder(l, m, "lm_head");
}

const Arch arch_gpt_neo = {"gpt_neo",
                           "GPT-Neo",
                           NULL,
                           "vocab_size hidden_size num_layers num_heads intermediate_size "
                           "max_position_embeddings layer_norm_epsilon activation_function "
                           "attention_types attention_layers window_size tie_word_embeddings",
                           configure,
                           bind};
