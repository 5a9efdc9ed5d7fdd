/* T5 and mT5: Raffel et al. 2020. Pre-norm (RMS, no shifts, no biases), a learned bias on the
 * scores by bucketed distance that all layers share, scores that are not divided by sqrt(d_head).
 */
#include "model/arch/seq2seq.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/hooks.h"

static const LayerNames encoder_names = {
    .layers = "block",
    .attn = {.q = "layer.0.SelfAttention.q",
             .k = "layer.0.SelfAttention.k",
             .v = "layer.0.SelfAttention.v",
             .o = "layer.0.SelfAttention.o",
             .bias = BIAS_NO,
             .k_bias = BIAS_NO,
             .o_bias = BIAS_NO},
    .ln1 = "layer.0.layer_norm",
    .up = "layer.1.DenseReluDense.wi",
    .down = "layer.1.DenseReluDense.wo",
    .ln2 = "layer.1.layer_norm",
    .mlp_bias = BIAS_NO,
};

static bool is_encoder_alone(const Fields *f) {
    return field_class(f, "T5EncoderModel");
}

/* "relu", "gated-gelu": the gelu of a gated model is the one with tanh. What transformers made of
 * that stands beside it in dense_act_fn and is_gated_act, and goes before it there too. */
static void feed_forward(const Fields *f, StackConfig *c, bool mt5) {
    const char *kind = field_string(f, "feed_forward_proj", mt5 ? "gated-gelu" : "relu");
    bool gated = strncmp(kind, "gated-", 6) == 0;
    const char *name = gated ? kind + 6 : kind;
    if (strcmp(kind, "gated-gelu") == 0) name = "gelu_new";
    c->gated = field_bool(f, "is_gated_act", gated);
    if (field_has(f, "dense_act_fn")) {
        c->activation = field_activation(f, "dense_act_fn", ACTIVATION_RELU);
        return;
    }
    json_t *named = json_pack("{s:s}", "feed_forward_proj", name);
    c->activation = field_activation(&(Fields){named, f->where, f->error}, "feed_forward_proj",
                                     ACTIVATION_RELU);
    json_decref(named);
}

static void configure_stack(const Fields *f, ModelConfig *out, StackId id, bool mt5) {
    StackConfig *c = &out->stack[id];
    int n_heads = field_int(f, "num_heads", mt5 ? 6 : 8, 1, MOST_WIDTH);
    int n_layers = field_int(f, "num_layers", mt5 ? 8 : 6, 1, MOST_LAYERS);
    if (id == STACK_DECODER)
        n_layers = field_int(f, "num_decoder_layers", n_layers, 1, MOST_LAYERS);
    layers_stack(c, &(StackSizes){.n_layers = n_layers,
                                  .n_heads = n_heads,
                                  .n_kv_heads = n_heads,
                                  .d_head = field_int(f, "d_kv", 64, 1, MOST_WIDTH),
                                  .d_ff = field_size(f, "d_ff", MOST_WIDTH)});
    c->attention_scale = 1;
    c->position = POSITION_T5_BUCKETS;
    c->t5_buckets = field_int(f, "relative_attention_num_buckets", 32, 4, 1 << 16);
    c->t5_max_distance = field_int(f, "relative_attention_max_distance", 128, 2, 1 << 24);
    c->t5_bidirectional = id != STACK_DECODER;
    c->norm = NORM_RMS;
    c->norm_place = NORM_PRE;
    c->norm_epsilon = (float)field_number(f, "layer_norm_epsilon", 1e-6, 0, 1);
    c->final_norm = true;
    feed_forward(f, c, mt5);
    c->causal = c->has_cross = id == STACK_DECODER;
}

static bool configure(const Fields *f, ModelConfig *out) {
    bool mt5 = strcmp(field_string(f, "model_type", "t5"), "mt5") == 0;
    bool alone = is_encoder_alone(f);
    out->family = alone ? FAMILY_ENCODER : FAMILY_ENCODER_DECODER;
    out->d_model = field_size(f, "d_model", MOST_WIDTH);
    out->n_vocab = out->n_source_vocab = field_size(f, "vocab_size", MOST_VOCAB);
    heads_configure(f, out, !mt5);
    if (alone) {
        configure_stack(f, out, STACK_BLOCKS, mt5);
        out->head.kind = HEAD_NONE;
        return error_ok(f->error);
    }
    configure_stack(f, out, STACK_ENCODER, mt5);
    configure_stack(f, out, STACK_DECODER, mt5);
    if (seq2seq_classifies(out)) return error_ok(f->error);
    out->head.kind = HEAD_LANGUAGE;
    /* transformers 5 says it apart, and then calls every output tied */
    if (field_bool(f, "scale_decoder_outputs", out->tied_output))
        out->logit_scale = 1 / sqrtf((float)out->d_model);
    return error_ok(f->error);
}

static void bind_stack(Loader *l, Model *m, StackId id, const char *before) {
    const StackConfig *c = &m->config.stack[id];
    Stack *s = &m->stack[id];
    bool decoder = id == STACK_DECODER;
    const char *root = arena_printf(l->arena, "%s%s", before, decoder ? "decoder." : "encoder.");
    LayerNames names = encoder_names;
    names.cross = (AttentionNames){.q = "layer.1.EncDecAttention.q",
                                   .k = "layer.1.EncDecAttention.k",
                                   .v = "layer.1.EncDecAttention.v",
                                   .o = "layer.1.EncDecAttention.o",
                                   .bias = BIAS_NO,
                                   .k_bias = BIAS_NO,
                                   .o_bias = BIAS_NO};
    names.ln_cross = "layer.1.layer_norm";
    if (decoder) {
        names.up = "layer.2.DenseReluDense.wi";
        names.down = "layer.2.DenseReluDense.wo";
        names.ln2 = "layer.2.layer_norm";
    }
    if (c->gated) {
        names.gate = decoder ? "layer.2.DenseReluDense.wi_0" : "layer.1.DenseReluDense.wi_0";
        names.up = decoder ? "layer.2.DenseReluDense.wi_1" : "layer.1.DenseReluDense.wi_1";
    }
    layers_bind(l, m, id, root, &names);
    bool packed = l->keep_packed;
    l->keep_packed = false; /* the bias is read as f32 */
    const float *bias =
        load_matrix(l, c->t5_buckets, c->n_heads,
                    "%sblock.0.layer.0.SelfAttention.relative_attention_bias.weight", root)
            .data;
    l->keep_packed = packed;
    for (int i = 0; i < c->n_layers; i++)
        s->layers[i].attn.position_bias = bias;
    if (decoder) /* of older files, never used */
        load_ignore(l, "%sblock.0.layer.1.EncDecAttention.relative_attention_bias.weight", root);
    s->final_norm = load_norm_scale(l, m->config.d_model, "%sfinal_layer_norm", root);
}

static void bind(Loader *l, Model *m) {
    static const char *const places[] = {"shared.weight", "encoder.embed_tokens.weight",
                                         "decoder.embed_tokens.weight", NULL};
    const ModelConfig *c = &m->config;
    static const char *const roots[] = {"transformer.", "", NULL}; /* before: of a classifier */
    const char *root = layers_root(l, "decoder.final_layer_norm.weight", roots);
    const char *found = *places;
    for (int i = 2; i >= 0; i--) {
        if (load_has(l, "%s%s", root, places[i])) found = places[i];
        load_ignore(l, "%s%s", root, places[i]);
    }
    const char *name = arena_printf(l->arena, "%s%s", root, found);
    if (c->tied_output && !load_has(l, "%s", name) && load_has(l, "lm_head.weight"))
        name = "lm_head.weight";
    Weight shared = load_matrix(l, c->n_vocab, c->d_model, "%s", name);
    if (c->family == FAMILY_ENCODER) {
        m->stack[STACK_BLOCKS].embed = shared;
        bind_stack(l, m, STACK_BLOCKS, root);
        return;
    }
    m->stack[STACK_ENCODER].embed = m->stack[STACK_DECODER].embed = m->output.weight = shared;
    bool own = !c->tied_output || (c->logit_scale == 1 && load_has(l, "lm_head.weight"));
    if (own && !seq2seq_classifies(c))
        m->output.weight = load_matrix(l, c->n_vocab, c->d_model, "lm_head.weight");
    load_ignore(l, "lm_head.weight");
    bind_stack(l, m, STACK_ENCODER, root);
    bind_stack(l, m, STACK_DECODER, root);
    if (seq2seq_classifies(c)) seq2seq_bind_classifier(l, m);
}

const Arch arch_t5 = {
    "t5",
    "T5, Flan-T5, mT5, ByT5",
    "mt5",
    "vocab_size d_model d_kv d_ff num_layers num_decoder_layers num_heads feed_forward_proj "
    "dense_act_fn is_gated_act scale_decoder_outputs relative_attention_num_buckets "
    "relative_attention_max_distance "
    "layer_norm_epsilon initializer_factor tie_word_embeddings n_positions classifier_dropout "
    "output_past tokenizer_class num_hidden_layers is_encoder_decoder",
    configure,
    bind};
