/* Recurrent encoder-decoders with one attention, in torch's own names: rnn.h has the formulas. */
#include "model/rnn.h"

#include <string.h>

#include "model/arch.h"

static void configure_cell(const Fields *f, RnnConfig *c) {
    static const char *const cells[] = {"RNN", "LSTM", "GRU"};
    static const char *const attentions[] = {"bahdanau", "luong_dot", "luong_general"};
    const char *cell = field_string(f, "cell", "LSTM");
    const char *attention = field_string(f, "attention", "bahdanau");
    int at = -1;
    for (int i = 0; i < 3; i++)
        if (strcmp(cells[i], cell) == 0) at = i;
    if (at < 0)
        error_set(f->error, ERROR_UNSUPPORTED, "%s: cell \"%.40s\": RNN, LSTM or GRU expected",
                  f->where, cell);
    c->cell = at < 0 ? CELL_RNN : (RnnCellKind)at;
    at = -1;
    for (int i = 0; i < 3; i++)
        if (strcmp(attentions[i], attention) == 0) at = i;
    if (at < 0)
        error_set(f->error, ERROR_UNSUPPORTED,
                  "%s: attention \"%.40s\": bahdanau, luong_dot or luong_general expected",
                  f->where, attention);
    c->attention = at == 0 ? RNN_BAHDANAU : RNN_LUONG;
    c->activation = field_activation(f, "nonlinearity", ACTIVATION_TANH);
    if (c->cell != CELL_RNN) c->activation = ACTIVATION_TANH;
}

static bool configure(const Fields *f, ModelConfig *out) {
    RnnConfig *c = &out->rnn;
    out->family = FAMILY_RECURRENT;
    out->n_source_vocab = field_size(f, "src_vocab_size", MOST_VOCAB);
    out->n_vocab = field_size(f, "tgt_vocab_size", MOST_VOCAB);
    out->d_embed = field_size(f, "embedding_size", MOST_WIDTH);
    configure_cell(f, c);
    c->bidirectional = field_bool(f, "bidirectional", false);
    c->d_encoder = field_size(f, "encoder_hidden_size", MOST_WIDTH);
    c->d_decoder = out->d_model = field_size(f, "decoder_hidden_size", MOST_WIDTH);
    c->d_attention = field_int(f, "attention_size", c->d_decoder, 1, MOST_WIDTH);
    for (StackId id = STACK_ENCODER; id <= STACK_DECODER; id++) {
        StackConfig *s = &out->stack[id];
        s->n_layers = field_int(f, "num_layers", 1, 1, MOST_LAYERS);
        s->n_heads = s->n_kv_heads = 1;
        s->d_head = id == STACK_ENCODER ? c->d_encoder : c->d_decoder;
        s->causal = id == STACK_DECODER;
        s->embed_scale = 1;
        s->pad_positions_id = -1;
    }
    out->logit_scale = 1;
    out->head.kind = HEAD_LANGUAGE;
    return error_ok(f->error);
}

/* torch: weight_ih_l0, weight_hh_l0, bias_ih_l0, bias_hh_l0, with _reverse behind. */
static RnnCell cell(Loader *l, int rows, int d_in, int d, const char *name, const char *suffix) {
    RnnCell out = {0};
    out.input.weight = load_matrix(l, rows, d_in, "%s.weight_ih_%s", name, suffix);
    out.hidden.weight = load_matrix(l, rows, d, "%s.weight_hh_%s", name, suffix);
    out.input.bias = load_vector(l, rows, "%s.bias_ih_%s", name, suffix);
    out.hidden.bias = load_vector(l, rows, "%s.bias_hh_%s", name, suffix);
    return out;
}

static RnnCell *cells(Loader *l, const Model *m, StackId id, bool backward) {
    const RnnConfig *c = &m->config.rnn;
    int n = m->config.stack[id].n_layers, directions = c->bidirectional ? 2 : 1;
    int d = m->config.stack[id].d_head, d_memory = directions * c->d_encoder;
    int first = m->config.d_embed, between = id == STACK_ENCODER ? d_memory : d;
    if (id == STACK_DECODER && c->attention == RNN_BAHDANAU) first += d_memory;
    RnnCell *out = arena_calloc(l->arena, (size_t)n, sizeof *out);
    for (int i = 0; i < n && error_ok(l->error); i++)
        out[i] = cell(l, rnn_n_gates(c) * d, i == 0 ? first : between, d,
                      id == STACK_ENCODER ? "encoder.rnn" : "decoder.rnn",
                      arena_printf(l->arena, "l%d%s", i, backward ? "_reverse" : ""));
    return out;
}

static void bind_attention(Loader *l, const Model *m, RnnWeights *w, int d_memory) {
    const RnnConfig *c = &m->config.rnn;
    if (c->attention == RNN_BAHDANAU) {
        w->query = load_linear(l, c->d_attention, c->d_decoder, load_has(l, "attention.query.bias"),
                               "attention.query");
        w->key = load_linear(l, c->d_attention, d_memory, load_has(l, "attention.key.bias"),
                             "attention.key");
        w->v = load_vector(l, c->d_attention, "attention.v.weight");
        return;
    }
    w->memory = load_linear(l, c->d_decoder, d_memory, load_has(l, "attention.memory.bias"),
                            "attention.memory");
    w->combine = load_linear(l, c->d_decoder, 2 * c->d_decoder,
                             load_has(l, "attention.combine.bias"), "attention.combine");
}

static void bind(Loader *l, Model *m) {
    const RnnConfig *c = &m->config.rnn;
    int d_memory = (c->bidirectional ? 2 : 1) * c->d_encoder, d_embed = m->config.d_embed;
    RnnWeights *w = arena_calloc(l->arena, 1, sizeof *w);
    m->extra = w;
    m->stack[STACK_ENCODER].embed =
        load_matrix(l, m->config.n_source_vocab, d_embed, "src_embed.weight");
    m->stack[STACK_DECODER].embed = load_matrix(l, m->config.n_vocab, d_embed, "tgt_embed.weight");
    w->forward = cells(l, m, STACK_ENCODER, false);
    if (c->bidirectional) w->backward = cells(l, m, STACK_ENCODER, true);
    w->decoder = cells(l, m, STACK_DECODER, false);
    w->bridge_h = load_linear(l, c->d_decoder, d_memory, true, "bridge_h");
    if (c->cell == CELL_LSTM)
        w->bridge_c = load_linear(l, c->d_decoder, d_memory, true, "bridge_c");
    bind_attention(l, m, w, d_memory);
    int d_out = c->d_decoder;
    if (c->attention == RNN_BAHDANAU) d_out += d_memory + d_embed;
    m->output = load_linear(l, m->config.n_vocab, d_out, true, "out");
}

const Arch arch_rnn_seq2seq = {
    "rnn_seq2seq",
    "recurrent encoder-decoders with attention",
    NULL,
    "cell nonlinearity bidirectional attention num_layers embedding_size encoder_hidden_size "
    "decoder_hidden_size attention_size src_vocab_size tgt_vocab_size",
    configure,
    bind};
