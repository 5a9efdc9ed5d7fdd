#include "model/arch/seq2seq.h"

#include <math.h>

#include "model/hooks.h"

const LayerNames seq2seq_layer_names = {
    .layers = "layers",
    .attn = {.q = "self_attn.q_proj",
             .k = "self_attn.k_proj",
             .v = "self_attn.v_proj",
             .o = "self_attn.out_proj"},
    .ln1 = "self_attn_layer_norm",
    .cross = {.q = "encoder_attn.q_proj",
              .k = "encoder_attn.k_proj",
              .v = "encoder_attn.v_proj",
              .o = "encoder_attn.out_proj"},
    .ln_cross = "encoder_attn_layer_norm",
    .up = "fc1",
    .down = "fc2",
    .ln2 = "final_layer_norm",
};

bool seq2seq_classifies(const ModelConfig *config) {
    return config->head.kind == HEAD_SEQUENCE || config->head.kind == HEAD_SPAN;
}

void seq2seq_bind_classifier(Loader *l, Model *m) {
    static const HeadNames heads[] = {
        {HEAD_SEQUENCE, PICK_LAST_END, .output = "classification_head.out_proj",
         .transform = "classification_head.dense", .activation = ACTIVATION_TANH},
        {HEAD_SPAN, PICK_ALL, .output = "qa_outputs"},
        {0}};
    heads_bind(l, m, STACK_DECODER, "", heads);
}

static void configure_stack(const Fields *f, ModelConfig *out, bool decoder) {
    StackConfig *c = &out->stack[decoder ? STACK_DECODER : STACK_ENCODER];
    int n_heads =
        field_size(f, decoder ? "decoder_attention_heads" : "encoder_attention_heads", MOST_WIDTH);
    layers_stack(
        c,
        &(StackSizes){
            .n_layers = field_size(f, decoder ? "decoder_layers" : "encoder_layers", MOST_LAYERS),
            .n_heads = n_heads,
            .n_kv_heads = n_heads,
            .d_head = field_head_size(f, out->d_model, n_heads),
            .d_ff = field_size(f, decoder ? "decoder_ffn_dim" : "encoder_ffn_dim", MOST_WIDTH)});
    c->position = POSITION_TABLE;
    c->position_offset = 2;
    c->n_positions = field_int(f, "max_position_embeddings", 1024, 1, MOST_POSITIONS);
    c->embed_scale = field_bool(f, "scale_embedding", false) ? sqrtf((float)out->d_model) : 1;
    c->norm = NORM_LAYER;
    c->norm_place = NORM_POST;
    c->norm_epsilon = 1e-5f;
    c->activation = field_activation(f, "activation_function", ACTIVATION_GELU);
    c->causal = c->has_cross = decoder;
}

void seq2seq_configure(const Fields *f, ModelConfig *out) {
    out->family = FAMILY_ENCODER_DECODER;
    out->d_model = field_size(f, "d_model", MOST_WIDTH);
    out->n_vocab = out->n_source_vocab = field_size(f, "vocab_size", MOST_VOCAB);
    configure_stack(f, out, false);
    configure_stack(f, out, true);
    heads_configure(f, out, true);
    if (!seq2seq_classifies(out)) out->head.kind = HEAD_LANGUAGE;
    out->dropout = (float)field_number(f, "dropout", 0.1, 0, 0.99);
}

const char *seq2seq_root(Loader *l) {
    static const char *const roots[] = {"model.", "", NULL};
    return layers_root(l, "decoder.layers.0.fc1.weight", roots);
}

void seq2seq_bind_embeddings(Loader *l, Model *m, const char *root) {
    static const char *const places[] = {"shared.weight", "decoder.embed_tokens.weight",
                                         "encoder.embed_tokens.weight", NULL};
    const ModelConfig *c = &m->config;
    const char *found = NULL;
    for (int i = 0; places[i]; i++) {
        const char *name = arena_printf(l->arena, "%s%s", root, places[i]);
        if (!found && load_has(l, "%s", name)) found = name;
        load_ignore(l, "%s", name);
    }
    if (!found && load_has(l, "lm_head.weight")) found = "lm_head.weight";
    if (!found) found = arena_printf(l->arena, "%sshared.weight", root);
    Weight shared = load_matrix(l, c->n_vocab, c->d_model, "%s", found);
    m->stack[STACK_ENCODER].embed = m->stack[STACK_DECODER].embed = m->output.weight = shared;
    if (!c->tied_output && load_has(l, "lm_head.weight"))
        m->output.weight = load_matrix(l, c->n_vocab, c->d_model, "lm_head.weight");
    load_ignore(l, "lm_head.weight");
    if (seq2seq_classifies(c)) {
        load_ignore(l, "final_logits_bias");
        seq2seq_bind_classifier(l, m);
        return;
    }
    if (load_has(l, "final_logits_bias"))
        m->output.bias = load_vector(l, c->n_vocab, "final_logits_bias");
}

void seq2seq_bind_positions(Loader *l, Model *m, StackId id, const char *root) {
    const StackConfig *c = &m->config.stack[id];
    m->stack[id].positions = load_matrix(l, c->n_positions + c->position_offset, m->config.d_model,
                                         "%s%sembed_positions.weight", root, stack_prefix(id));
}

void seq2seq_bind_stack(Loader *l, Model *m, StackId id, const char *root,
                        const LayerNames *names) {
    const StackConfig *c = &m->config.stack[id];
    Stack *s = &m->stack[id];
    int d = m->config.d_model;
    const char *here = arena_printf(l->arena, "%s%s", root, stack_prefix(id));
    if (c->embed_norm) s->embed_norm = load_norm(l, d, "%slayernorm_embedding", here);
    layers_bind(l, m, id, here, names);
    if (c->final_norm) s->final_norm = load_norm(l, d, "%slayer_norm", here);
}
