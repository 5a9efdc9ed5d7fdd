#include "model/arch/encoder.h"

#include <string.h>

const LayerNames encoder_layer_names = {
    .layers = "encoder.layer",
    .attn = {.q = "attention.self.query",
             .k = "attention.self.key",
             .v = "attention.self.value",
             .o = "attention.output.dense"},
    .ln1 = "attention.output.LayerNorm",
    .up = "intermediate.dense",
    .down = "output.dense",
    .ln2 = "output.LayerNorm",
};

static Position position_kind(const Fields *f) {
    static const struct {
        const char *name;
        Position kind;
    } kinds[] = {{"absolute", POSITION_TABLE},
                 {"relative_key", POSITION_RELATIVE_KEY},
                 {"relative_key_query", POSITION_RELATIVE_KEY_QUERY}};
    const char *name = field_string(f, "position_embedding_type", "absolute");
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(kinds[i].name, name) == 0) return kinds[i].kind;
    error_set(f->error, ERROR_UNSUPPORTED,
              "%s: position_embedding_type \"%.40s\" is not computed here; absolute, relative_key "
              "and relative_key_query are",
              f->where, name);
    return POSITION_TABLE;
}

void encoder_configure(const Fields *f, ModelConfig *out) {
    StackConfig *c = &out->stack[STACK_BLOCKS];
    bool decoder = field_bool(f, "is_decoder", false);
    field_only(f, "add_cross_attention", "false");
    out->family = decoder ? FAMILY_DECODER : FAMILY_ENCODER;
    out->d_model = field_size(f, "hidden_size", MOST_WIDTH);
    out->n_vocab = out->n_source_vocab = field_size(f, "vocab_size", MOST_VOCAB);
    int n_heads = field_size(f, "num_attention_heads", MOST_WIDTH);
    layers_stack(c, &(StackSizes){.n_layers = field_size(f, "num_hidden_layers", MOST_LAYERS),
                                  .n_heads = n_heads,
                                  .n_kv_heads = n_heads,
                                  .d_head = field_head_size(f, out->d_model, n_heads),
                                  .d_ff = field_size(f, "intermediate_size", MOST_WIDTH)});
    c->position = position_kind(f);
    c->n_positions = field_int(f, "max_position_embeddings", 512, 1, MOST_POSITIONS);
    if (c->position != POSITION_TABLE) c->relative_positions = c->n_positions;
    c->norm = NORM_LAYER;
    c->norm_place = NORM_POST;
    c->norm_epsilon = (float)field_number(f, "layer_norm_eps", 1e-12, 0, 1);
    c->embed_norm = true;
    c->activation = field_activation(f, "hidden_act", ACTIVATION_GELU);
    c->causal = decoder;
    out->dropout = 0;
    heads_configure(f, out, true);
    if (decoder && out->head.kind == HEAD_MASKED) out->head.kind = HEAD_LANGUAGE;
}

void encoder_bind_embeddings(Loader *l, Model *m, const char *root, int d_embed) {
    const StackConfig *c = &m->config.stack[STACK_BLOCKS];
    Stack *s = &m->stack[STACK_BLOCKS];
    s->embed =
        load_matrix(l, m->config.n_vocab, d_embed, "%sembeddings.word_embeddings.weight", root);
    int64_t n_types = load_rows(l, "%sembeddings.token_type_embeddings.weight", root);
    if (n_types)
        s->types =
            load_matrix(l, n_types, d_embed, "%sembeddings.token_type_embeddings.weight", root);
    if (c->position == POSITION_TABLE)
        s->positions = load_matrix(l, c->n_positions + c->position_offset, d_embed,
                                   "%sembeddings.position_embeddings.weight", root);
    else
        load_ignore(l, "%sembeddings.position_embeddings.weight", root);
    load_ignore(l, "%sembeddings.position_ids", root);
    load_ignore(l, "%sembeddings.token_type_ids", root);
    s->embed_norm = load_norm(l, d_embed, "%sembeddings.LayerNorm", root);
}

const float *encoder_distances(Loader *l, const Model *m, const char *prefix,
                               const char *attention) {
    const StackConfig *c = &m->config.stack[STACK_BLOCKS];
    if (c->relative_positions == 0) return NULL;
    bool packed = l->keep_packed;
    l->keep_packed = false; /* the table is read as f32 */
    Weight table = load_matrix(l, 2 * c->relative_positions - 1, c->d_head,
                               "%s%s.distance_embedding.weight", prefix, attention);
    l->keep_packed = packed;
    return table.data;
}

void encoder_bind_layers(Loader *l, Model *m, const char *root) {
    layers_bind(l, m, STACK_BLOCKS, root, &encoder_layer_names);
    Layer *layers = m->stack[STACK_BLOCKS].layers;
    for (int i = 0; i < m->config.stack[STACK_BLOCKS].n_layers && error_ok(l->error); i++)
        layers[i].attn.distance_table = encoder_distances(
            l, m, arena_printf(l->arena, "%sencoder.layer.%d.", root, i), "attention.self");
}

const char *encoder_root(Loader *l, const char *prefix) {
    const char *roots[] = {prefix, "", NULL};
    return layers_root(l, "embeddings.word_embeddings.weight", roots);
}

void encoder_skip_padding(const Fields *f, StackConfig *c, int default_pad) {
    c->pad_positions_id = field_int(f, "pad_token_id", default_pad, 0, MOST_VOCAB);
    c->position_offset = c->pad_positions_id + 1;
    if (c->position == POSITION_TABLE) c->n_positions -= c->position_offset;
    if (c->n_positions < 1)
        error_set(f->error, ERROR_INPUT,
                  "%s: max_position_embeddings leaves no positions behind the %d of the padding",
                  f->where, c->position_offset);
}
