/* M2M-100 and NLLB: Fan et al. 2021, NLLB Team 2022. Pre-norm encoder-decoder with fairseq's
 * sinusoids, which leave out padding. */
#include "model/arch/seq2seq.h"

#include <string.h>

#include "model/hooks.h"
#include "model/position.h"

static bool configure(const Fields *f, ModelConfig *out) {
    seq2seq_configure(f, out);
    out->head.kind = HEAD_LANGUAGE;
    int pad = field_int(f, "pad_token_id", 1, 0, MOST_VOCAB);
    for (StackId id = STACK_ENCODER; id <= STACK_DECODER; id++) {
        StackConfig *c = &out->stack[id];
        c->norm_place = NORM_PRE;
        c->final_norm = true;
        c->sinusoid = SINUSOID_FAIRSEQ;
        c->pad_positions_id = pad;
        c->position_offset = pad + 1;
        if (!field_has(f, "activation_function")) c->activation = ACTIVATION_RELU;
    }
    return error_ok(f->error);
}

static void bind(Loader *l, Model *m) {
    const char *root = seq2seq_root(l);
    seq2seq_bind_embeddings(l, m, root);
    if (!error_ok(l->error)) return; /* before tables are computed for it */
    int d = m->config.d_model;
    for (StackId id = STACK_ENCODER; id <= STACK_DECODER; id++) {
        const StackConfig *c = &m->config.stack[id];
        int n = c->n_positions + c->position_offset;
        float *table = (float *)(uintptr_t)position_sinusoid(l->arena, c->sinusoid, n, d);
        memset(table + (int64_t)c->pad_positions_id * d, 0, (size_t)d * sizeof *table);
        m->stack[id].positions = (Weight){.data = table, .rows = n, .cols = d};
        load_ignore(l, "%s%sembed_positions.weights", root, stack_prefix(id)); /* older files */
        load_ignore(l, "%s%sembed_positions.weight", root, stack_prefix(id));
        seq2seq_bind_stack(l, m, id, root, &seq2seq_layer_names);
    }
}

const Arch arch_m2m_100 = {
    "m2m_100",
    "M2M-100, NLLB-200",
    NULL,
    SEQ2SEQ_FIELDS "tokenizer_class max_source_positions max_target_positions normalize_before "
                   "normalize_embedding add_final_layer_norm add_bias_logits "
                   "static_position_embeddings extra_pos_embeddings gradient_checkpointing "
                   "early_stopping num_beams max_length",
    configure,
    bind};
