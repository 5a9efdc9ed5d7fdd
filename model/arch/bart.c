/* BART: Lewis et al. 2020. Post-norm encoder-decoder, learned positions from row 2 on, a norm
 * behind the embedding. */
#include "model/arch/seq2seq.h"

static bool configure(const Fields *f, ModelConfig *out) {
    seq2seq_configure(f, out);
    out->stack[STACK_ENCODER].embed_norm = out->stack[STACK_DECODER].embed_norm = true;
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

const Arch arch_bart = {
    "bart",
    "BART",
    NULL,
    SEQ2SEQ_FIELDS "classifier_dropout classif_dropout normalize_before normalize_embedding "
                   "add_final_layer_norm add_bias_logits static_position_embeddings "
                   "extra_pos_embeddings force_bos_token_to_be_generated gradient_checkpointing",
    configure,
    bind};
