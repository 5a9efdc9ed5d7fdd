/* mBART: Liu et al. 2020. BART with the norms before the sublayers and one more behind each stack.
 */
#include "model/arch/seq2seq.h"

static bool configure(const Fields *f, ModelConfig *out) {
    seq2seq_configure(f, out);
    for (StackId id = STACK_ENCODER; id <= STACK_DECODER; id++) {
        StackConfig *c = &out->stack[id];
        c->norm_place = NORM_PRE;
        c->embed_norm = c->final_norm = true;
    }
    return error_ok(f->error);
}

static void bind(Loader *l, Model *m) {
    const char *root = seq2seq_root(l);
    seq2seq_bind_embeddings(l, m, root);
    for (StackId id = STACK_ENCODER; id <= STACK_DECODER; id++) {
        seq2seq_bind_positions(l, m, id, root);
        seq2seq_bind_stack(l, m, id, root, &seq2seq_layer_names);
    }
}

const Arch arch_mbart = {"mbart",
                         "mBART, mBART-50",
                         NULL,
                         SEQ2SEQ_FIELDS
                         "classifier_dropout classif_dropout normalize_before normalize_embedding "
                         "add_final_layer_norm add_bias_logits static_position_embeddings "
                         "extra_pos_embeddings tokenizer_class gradient_checkpointing",
                         configure,
                         bind};
