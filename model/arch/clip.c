/* CLIP: Radford et al. 2021. Two towers that meet in nothing but the angle between what they make
 * of a picture and of a text, so each is a model of its own here: the picture's, which a folder
 * with both opens as, and the text's (clip_text_model). Pre-norm; the picture's has a norm in front
 * of its layers too, and no bias under its patches; the text's is causal. */
#include "model/arch/layers.h"

#include <string.h>

static const LayerNames names = {
    .layers = "encoder.layers",
    .attn = {.q = "self_attn.q_proj",
             .k = "self_attn.k_proj",
             .v = "self_attn.v_proj",
             .o = "self_attn.out_proj"},
    .ln1 = "layer_norm1",
    .up = "mlp.fc1",
    .down = "mlp.fc2",
    .ln2 = "layer_norm2",
};

/* The tower's own fields: config.json itself, or, where the folder has both towers, a part of it.
 */
static Fields tower_fields(const Fields *f, const char *below) {
    const json_t *inside = json_object_get(f->root, below);
    return (Fields){json_is_object(inside) ? inside : f->root, f->where, f->error};
}

static void configure_tower(const Fields *f, ModelConfig *out, int d_model, int n_heads, int d_ff) {
    StackConfig *c = &out->stack[STACK_BLOCKS];
    out->d_model = field_int(f, "hidden_size", d_model, 1, MOST_WIDTH);
    n_heads = field_int(f, "num_attention_heads", n_heads, 1, MOST_WIDTH);
    layers_stack(c, &(StackSizes){.n_layers = field_int(f, "num_hidden_layers", 12, 1, MOST_LAYERS),
                                  .n_heads = n_heads,
                                  .n_kv_heads = n_heads,
                                  .d_head = field_head_size(f, out->d_model, n_heads),
                                  .d_ff = field_int(f, "intermediate_size", d_ff, 1, MOST_WIDTH)});
    c->position = POSITION_TABLE;
    c->norm = NORM_LAYER;
    c->norm_place = NORM_PRE;
    c->norm_epsilon = (float)field_number(f, "layer_norm_eps", 1e-5, 0, 1);
    c->final_norm = true;
    c->activation = field_activation(f, "hidden_act", ACTIVATION_GELU_QUICK);
    out->logit_scale = 1;
}

static bool configure_picture(const Fields *f, ModelConfig *out) {
    Fields tower = tower_fields(f, "vision_config");
    StackConfig *c = &out->stack[STACK_BLOCKS];
    out->family = FAMILY_ENCODER;
    configure_tower(&tower, out, 768, 12, 3072);
    out->front = (FrontConfig){.kind = FRONT_PATCHES,
                               .image_size = field_int(&tower, "image_size", 224, 1, 1 << 13),
                               .patch_size = field_int(&tower, "patch_size", 32, 1, 1 << 12),
                               .n_channels = field_int(&tower, "num_channels", 3, 1, 64),
                               .n_leading = 1};
    int grid = out->front.image_size / out->front.patch_size;
    if (grid < 1)
        error_set(f->error, ERROR_INPUT, "%s: patches of %d pixels in a picture of %d", f->where,
                  out->front.patch_size, out->front.image_size);
    c->n_positions = 1 + grid * grid;
    c->embed_norm = true;
    return error_ok(f->error);
}

static void bind_picture(Loader *l, Model *m) {
    static const char *const roots[] = {"vision_model.", "", NULL};
    const char *root = layers_root(l, "embeddings.class_embedding", roots);
    const FrontConfig *front = &m->config.front;
    Stack *s = &m->stack[STACK_BLOCKS];
    int d = m->config.d_model, p = front->patch_size;
    m->front.patch = load_convolution(l, d, front->n_channels * p * p, false,
                                      "%sembeddings.patch_embedding", root);
    m->front.leading = load_vector(l, d, "%sembeddings.class_embedding", root);
    s->positions = load_matrix(l, m->config.stack[STACK_BLOCKS].n_positions, d,
                               "%sembeddings.position_embedding.weight", root);
    s->embed_norm = load_norm(l, d, "%spre_layrnorm", root); /* spelt so */
    layers_bind(l, m, STACK_BLOCKS, root, &names);
    s->final_norm = load_norm(l, d, "%spost_layernorm", root);
    load_ignore(l, "%sembeddings.position_ids", root);
    load_ignore(l, "text_model.embeddings.position_ids");
    load_ignore(l, "visual_projection.weight"); /* to the space of both, behind the attention */
    load_ignore(l, "text_projection.weight");
    load_ignore(l, "logit_scale");
}

static bool configure_text(const Fields *f, ModelConfig *out) {
    Fields tower = tower_fields(f, "text_config");
    StackConfig *c = &out->stack[STACK_BLOCKS];
    out->family = FAMILY_DECODER;
    configure_tower(&tower, out, 512, 8, 2048);
    out->n_vocab = out->n_source_vocab = field_int(&tower, "vocab_size", 49408, 1, MOST_VOCAB);
    c->n_positions = field_int(&tower, "max_position_embeddings", 77, 1, MOST_POSITIONS);
    c->causal = true;
    return error_ok(f->error);
}

static void bind_text(Loader *l, Model *m) {
    static const char *const roots[] = {"text_model.", "", NULL};
    const char *root = layers_root(l, "embeddings.token_embedding.weight", roots);
    Stack *s = &m->stack[STACK_BLOCKS];
    int d = m->config.d_model;
    s->embed = load_matrix(l, m->config.n_vocab, d, "%sembeddings.token_embedding.weight", root);
    s->positions = load_matrix(l, m->config.stack[STACK_BLOCKS].n_positions, d,
                               "%sembeddings.position_embedding.weight", root);
    layers_bind(l, m, STACK_BLOCKS, root, &names);
    s->final_norm = load_norm(l, d, "%sfinal_layer_norm", root);
    load_ignore(l, "%sembeddings.position_ids", root);
    load_ignore(l, "text_projection.weight");
}

#define TOWER_FIELDS                                                                               \
    "hidden_size num_hidden_layers num_attention_heads intermediate_size hidden_act "              \
    "layer_norm_eps projection_dim "

const Arch arch_clip = {"clip",
                        "CLIP, the tower of pictures",
                        "clip_vision_model",
                        TOWER_FIELDS "image_size patch_size num_channels vision_config text_config "
                                     "vision_config_dict text_config_dict logit_scale_init_value",
                        configure_picture,
                        bind_picture};

const Arch arch_clip_text = {"clip_text_model",
                             "CLIP, the tower of texts",
                             NULL,
                             TOWER_FIELDS "vocab_size max_position_embeddings",
                             configure_text,
                             bind_text};
