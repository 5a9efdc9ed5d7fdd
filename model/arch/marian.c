/* MarianMT as Hugging Face keeps it: the encoder-decoder of Vaswani et al. 2017, post-norm, with
 * sinusoids in halves (all sines, then all cosines) and one embedding for both sides and the
 * output. Junczys-Dowmunt et al. 2018. */
#include "model/arch.h"

#include <math.h>

#include "model/arch/layers.h"
#include "model/hooks.h"
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
    out->tied_output = field_bool(f, "tie_word_embeddings", true);
    out->logit_scale = 1;
    out->head.kind = HEAD_LANGUAGE;
    return error_ok(f->error);
}

static AttentionWeights attention(Loader *l, int d, const char *layer, const char *name) {
    return (AttentionWeights){.q = load_linear(l, d, d, true, "%s.%s.q_proj", layer, name),
                              .k = load_linear(l, d, d, true, "%s.%s.k_proj", layer, name),
                              .v = load_linear(l, d, d, true, "%s.%s.v_proj", layer, name),
                              .o = load_linear(l, d, d, true, "%s.%s.out_proj", layer, name)};
}

static void bind_layer(Loader *l, const StackConfig *c, int d, const char *name, Layer *layer) {
    layer->attn = attention(l, d, name, "self_attn");
    layer->ln1 = load_norm(l, d, "%s.self_attn_layer_norm", name);
    if (c->has_cross) {
        layer->cross = attention(l, d, name, "encoder_attn");
        layer->ln_cross = load_norm(l, d, "%s.encoder_attn_layer_norm", name);
    }
    layer->up = load_linear(l, c->d_ff, d, true, "%s.fc1", name);
    layer->down = load_linear(l, d, c->d_ff, true, "%s.fc2", name);
    layer->ln2 = load_norm(l, d, "%s.final_layer_norm", name);
}

static void bind_stack(Loader *l, Model *m, StackId id, const char *root) {
    const StackConfig *c = &m->config.stack[id];
    Stack *s = &m->stack[id];
    int d = m->config.d_model;
    const char *name = arena_printf(l->arena, "%s%s", root, stack_prefix(id));
    s->positions = (Weight){.rows = c->n_positions, .cols = d};
    if (load_has(l, "%sembed_positions.weight", name))
        s->positions = load_matrix(l, c->n_positions, d, "%sembed_positions.weight", name);
    else
        s->positions.data = position_sinusoid(l->arena, c->sinusoid, c->n_positions, d);
    s->layers = arena_calloc(l->arena, (size_t)c->n_layers, sizeof *s->layers);
    for (int i = 0; i < c->n_layers; i++)
        bind_layer(l, c, d, arena_printf(l->arena, "%slayers.%d", name, i), &s->layers[i]);
}

/* Where the one embedding of both sides and the output lies: of tensors that share their numbers
 * safetensors keeps one, not always "shared". */
static const char *shared_name(Loader *l, const char *encoder, const char *decoder,
                               const char *shared) {
    const char *const places[] = {shared, decoder, encoder, "lm_head.weight"};
    for (int i = 0; i < 4; i++)
        if (load_has(l, "%s", places[i])) return places[i];
    return shared;
}

static void bind_embeddings(Loader *l, Model *m, const char *root) {
    const ModelConfig *c = &m->config;
    const char *encoder = arena_printf(l->arena, "%sencoder.embed_tokens.weight", root);
    const char *decoder = arena_printf(l->arena, "%sdecoder.embed_tokens.weight", root);
    const char *shared = arena_printf(l->arena, "%sshared.weight", root);
    bool apart = load_has(l, "%s", encoder) && load_has(l, "%s", decoder) &&
                 (c->n_vocab != c->n_source_vocab || !load_has(l, "%s", shared));
    Weight *source = &m->stack[STACK_ENCODER].embed, *target = &m->stack[STACK_DECODER].embed;
    if (apart) {
        *source = load_matrix(l, c->n_source_vocab, c->d_model, "%s", encoder);
        *target = load_matrix(l, c->n_vocab, c->d_model, "%s", decoder);
    } else {
        const char *found = shared_name(l, encoder, decoder, shared);
        *source = *target = load_matrix(l, c->n_vocab, c->d_model, "%s", found);
        if (c->n_vocab != c->n_source_vocab)
            error_set(l->error, ERROR_INPUT,
                      "%s: config.json: vocab_size %d and decoder_vocab_size %d differ, but there "
                      "is one embedding for both",
                      m->path, c->n_source_vocab, c->n_vocab);
    }
    load_ignore(l, "%s", encoder);
    load_ignore(l, "%s", decoder);
    load_ignore(l, "%s", shared);
    m->output.weight = *target;
    if (!c->tied_output)
        m->output.weight = load_matrix(l, c->n_vocab, c->d_model, "lm_head.weight");
    load_ignore(l, "lm_head.weight");
    if (load_has(l, "final_logits_bias"))
        m->output.bias = load_vector(l, c->n_vocab, "final_logits_bias");
}

static void bind(Loader *l, Model *m) {
    static const char *const roots[] = {"", "model.", NULL}; /* the latter also of one made new */
    const char *root = layers_root(l, "decoder.layers.0.fc1.weight", roots);
    bind_embeddings(l, m, root);
    if (!error_ok(l->error)) return; /* before tables are computed for it */
    bind_stack(l, m, STACK_ENCODER, root);
    bind_stack(l, m, STACK_DECODER, root);
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
