/* MarianMT as Hugging Face keeps it: the encoder-decoder of Vaswani et al. 2017, post-norm, with
 * sinusoids in halves (all sines, then all cosines) and one embedding for both sides and the
 * output. Junczys-Dowmunt et al. 2018. */
#include "model/arch.h"

#include <math.h>

#include "model/position.h"

static void configure_stack(const Fields *f, StackConfig *c, bool decoder, int d_model) {
    c->n_layers = field_size(f, decoder ? "decoder_layers" : "encoder_layers", MOST_LAYERS);
    c->n_heads =
        field_size(f, decoder ? "decoder_attention_heads" : "encoder_attention_heads", MOST_WIDTH);
    c->d_ff = field_size(f, decoder ? "decoder_ffn_dim" : "encoder_ffn_dim", MOST_WIDTH);
    c->n_kv_heads = c->n_heads;
    c->d_head = field_head_size(f, d_model, c->n_heads);
    c->attention_scale = 1 / sqrtf((float)c->d_head);
    c->n_positions = field_int(f, "max_position_embeddings", 512, 1, MOST_POSITIONS);
    c->position = POSITION_TABLE;
    c->sinusoid = SINUSOID_HALVES;
    c->pad_positions_id = -1;
    c->embed_scale = field_bool(f, "scale_embedding", false) ? sqrtf((float)d_model) : 1;
    c->norm = NORM_LAYER;
    c->norm_place = NORM_POST;
    c->norm_epsilon = 1e-5f;
    c->activation = field_activation(f, "activation_function", ACTIVATION_GELU);
    c->causal = c->has_cross = decoder;
}

static bool configure(const Fields *f, ModelConfig *out) {
    out->family = FAMILY_ENCODER_DECODER;
    out->d_model = field_size(f, "d_model", MOST_WIDTH);
    out->n_source_vocab = field_size(f, "vocab_size", MOST_VOCAB);
    out->n_vocab = field_int(f, "decoder_vocab_size", out->n_source_vocab, 1, MOST_VOCAB);
    configure_stack(f, &out->stack[STACK_ENCODER], false, out->d_model);
    configure_stack(f, &out->stack[STACK_DECODER], true, out->d_model);
    out->dropout = (float)field_number(f, "dropout", 0.1, 0, 0.99);
    out->logit_scale = 1;
    out->head.kind = HEAD_LANGUAGE;
    return error_ok(f->error);
}

static AttentionWeights attention(Loader *l, int d, const char *stack, int layer,
                                  const char *name) {
    return (AttentionWeights){
        .q = load_linear(l, d, d, true, "model.%s.layers.%d.%s.q_proj", stack, layer, name),
        .k = load_linear(l, d, d, true, "model.%s.layers.%d.%s.k_proj", stack, layer, name),
        .v = load_linear(l, d, d, true, "model.%s.layers.%d.%s.v_proj", stack, layer, name),
        .o = load_linear(l, d, d, true, "model.%s.layers.%d.%s.out_proj", stack, layer, name)};
}

static void bind_stack(Loader *l, Model *m, StackId id, const char *name) {
    const StackConfig *c = &m->config.stack[id];
    Stack *s = &m->stack[id];
    int d = m->config.d_model;
    s->positions = (Weight){.rows = c->n_positions, .cols = d};
    if (load_has(l, "model.%s.embed_positions.weight", name))
        s->positions = load_matrix(l, c->n_positions, d, "model.%s.embed_positions.weight", name);
    else
        s->positions.data = position_sinusoid(l->arena, c->sinusoid, c->n_positions, d);
    s->layers = arena_calloc(l->arena, (size_t)c->n_layers, sizeof *s->layers);
    for (int i = 0; i < c->n_layers; i++) {
        Layer *layer = &s->layers[i];
        layer->attn = attention(l, d, name, i, "self_attn");
        layer->ln1 = load_norm(l, d, "model.%s.layers.%d.self_attn_layer_norm", name, i);
        if (c->has_cross) {
            layer->cross = attention(l, d, name, i, "encoder_attn");
            layer->ln_cross =
                load_norm(l, d, "model.%s.layers.%d.encoder_attn_layer_norm", name, i);
        }
        layer->up = load_linear(l, c->d_ff, d, true, "model.%s.layers.%d.fc1", name, i);
        layer->down = load_linear(l, d, c->d_ff, true, "model.%s.layers.%d.fc2", name, i);
        layer->ln2 = load_norm(l, d, "model.%s.layers.%d.final_layer_norm", name, i);
    }
}

/* model.shared serves both sides and the output unless the file keeps them apart. */
static void bind_embeddings(Loader *l, Model *m) {
    const ModelConfig *c = &m->config;
    bool apart = load_has(l, "model.encoder.embed_tokens.weight") &&
                 load_has(l, "model.decoder.embed_tokens.weight");
    Weight *source = &m->stack[STACK_ENCODER].embed, *target = &m->stack[STACK_DECODER].embed;
    if (apart) {
        *source =
            load_matrix(l, c->n_source_vocab, c->d_model, "model.encoder.embed_tokens.weight");
        *target = load_matrix(l, c->n_vocab, c->d_model, "model.decoder.embed_tokens.weight");
        load_ignore(l, "model.shared.weight");
    } else {
        *source = *target = load_matrix(l, c->n_vocab, c->d_model, "model.shared.weight");
        if (c->n_vocab != c->n_source_vocab)
            error_set(l->error, ERROR_INPUT,
                      "config.json: vocab_size %d and decoder_vocab_size %d "
                      "differ, but there is one embedding for both",
                      c->n_source_vocab, c->n_vocab);
    }
    m->output.weight = *target;
    if (load_has(l, "lm_head.weight"))
        m->output.weight = load_matrix(l, c->n_vocab, c->d_model, "lm_head.weight");
    if (load_has(l, "final_logits_bias"))
        m->output.bias = load_vector(l, c->n_vocab, "final_logits_bias");
}

static void bind(Loader *l, Model *m) {
    bind_embeddings(l, m);
    bind_stack(l, m, STACK_ENCODER, "encoder");
    bind_stack(l, m, STACK_DECODER, "decoder");
}

const Arch arch_marian = {
    "marian",
    "Marian, OPUS-MT",
    NULL,
    "vocab_size decoder_vocab_size d_model encoder_layers decoder_layers encoder_attention_heads "
    "decoder_attention_heads encoder_ffn_dim decoder_ffn_dim activation_function "
    "max_position_embeddings scale_embedding share_encoder_decoder_embeddings dropout "
    "tie_word_embeddings encoder_layerdrop decoder_layerdrop num_hidden_layers normalize_before "
    "normalize_embedding add_final_layer_norm add_bias_logits static_position_embeddings "
    "extra_pos_embeddings",
    configure,
    bind};
