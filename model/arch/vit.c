/* Vision transformers: ViT (Dosovitskiy et al. 2021) and DeiT (Touvron et al. 2021), which has a
 * second token that learns from a teacher. Pre-norm encoders over patches of a picture. */
#include "model/arch/heads.h"
#include "model/arch/layers.h"

#include <string.h>

static const LayerNames names = {
    .layers = "encoder.layer",
    .attn = {.q = "attention.attention.query",
             .k = "attention.attention.key",
             .v = "attention.attention.value",
             .o = "attention.output.dense",
             .bias = BIAS_IF_THERE,
             .k_bias = BIAS_IF_THERE},
    .ln1 = "layernorm_before",
    .up = "intermediate.dense",
    .down = "output.dense",
    .ln2 = "layernorm_after",
};

static bool configure(const Fields *f, ModelConfig *out) {
    StackConfig *c = &out->stack[STACK_BLOCKS];
    bool deit = strcmp(field_string(f, "model_type", "vit"), "deit") == 0;
    out->family = FAMILY_ENCODER;
    out->d_model = field_int(f, "hidden_size", 768, 1, MOST_WIDTH);
    int n_heads = field_int(f, "num_attention_heads", 12, 1, MOST_WIDTH);
    layers_stack(c, &(StackSizes){.n_layers = field_int(f, "num_hidden_layers", 12, 1, MOST_LAYERS),
                                  .n_heads = n_heads,
                                  .n_kv_heads = n_heads,
                                  .d_head = field_head_size(f, out->d_model, n_heads),
                                  .d_ff = field_int(f, "intermediate_size", 3072, 1, MOST_WIDTH)});
    out->front = (FrontConfig){.kind = FRONT_PATCHES,
                               .image_size = field_int(f, "image_size", 224, 1, 1 << 13),
                               .patch_size = field_int(f, "patch_size", 16, 1, 1 << 12),
                               .n_channels = field_int(f, "num_channels", 3, 1, 64),
                               .n_leading = deit ? 2 : 1};
    int grid = out->front.image_size / out->front.patch_size;
    if (grid < 1)
        error_set(f->error, ERROR_INPUT, "%s: patches of %d pixels in a picture of %d", f->where,
                  out->front.patch_size, out->front.image_size);
    c->position = POSITION_TABLE;
    c->n_positions = out->front.n_leading + grid * grid;
    c->norm = NORM_LAYER;
    c->norm_place = NORM_PRE;
    c->norm_epsilon = (float)field_number(f, "layer_norm_eps", 1e-12, 0, 1);
    c->final_norm = true;
    c->activation = field_activation(f, "hidden_act", ACTIVATION_GELU);
    heads_configure(f, out, false);
    return error_ok(f->error);
}

/* The tokens before the patches. */
static void bind_leading(Loader *l, Model *m, const char *root) {
    static const char *const tokens[] = {"cls_token", "distillation_token"};
    int d = m->config.d_model, n = m->config.front.n_leading;
    float *leading = arena_calloc(l->arena, (size_t)(n * d), sizeof *leading);
    for (int i = 0; i < n; i++) {
        const float *token = load_vector(l, d, "%sembeddings.%s", root, tokens[i]);
        if (token) memcpy(leading + i * d, token, (size_t)d * sizeof *token);
    }
    m->front.leading = leading;
}

static void bind_heads(Loader *l, Model *m, const char *root) {
    static const HeadNames heads[] = {{HEAD_SEQUENCE, PICK_FIRST_TWO, .output = "cls_classifier"},
                                      {HEAD_SEQUENCE, PICK_FIRST, .output = "classifier"},
                                      {0}};
    heads_bind(l, m, STACK_BLOCKS, root, heads);
    if (m->config.head.pick == PICK_FIRST_TWO)
        m->head.second = load_linear(l, m->output.weight.rows, m->config.d_model, true,
                                     "distillation_classifier");
}

static void bind(Loader *l, Model *m) {
    static const char *const roots[] = {"vit.", "deit.", "", NULL};
    const char *root = layers_root(l, "embeddings.cls_token", roots);
    const FrontConfig *front = &m->config.front;
    Stack *s = &m->stack[STACK_BLOCKS];
    int d = m->config.d_model, p = front->patch_size;
    m->front.patch = load_convolution(l, d, front->n_channels * p * p, true,
                                      "%sembeddings.patch_embeddings.projection", root);
    bind_leading(l, m, root);
    s->positions = load_matrix(l, m->config.stack[STACK_BLOCKS].n_positions, d,
                               "%sembeddings.position_embeddings", root);
    layers_bind(l, m, STACK_BLOCKS, root, &names);
    s->final_norm = load_norm(l, d, "%slayernorm", root);
    bind_heads(l, m, root);
    load_ignore(l, "%sembeddings.mask_token", root);
}

const Arch arch_vit = {
    "vit",
    "ViT, DeiT",
    "deit",
    "hidden_size num_hidden_layers num_attention_heads intermediate_size hidden_act layer_norm_eps "
    "image_size patch_size num_channels qkv_bias encoder_stride pooler_act pooler_output_size "
    "tie_word_embeddings",
    configure,
    bind};
