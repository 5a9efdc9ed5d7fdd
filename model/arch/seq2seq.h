/* What BART and its descendants share: two stacks under the names of fairseq. Lewis et al. 2020. */
#ifndef MODEL_ARCH_SEQ2SEQ_H
#define MODEL_ARCH_SEQ2SEQ_H

#include "model/arch/heads.h"
#include "model/arch/layers.h"

extern const LayerNames seq2seq_layer_names;

/* Both stacks: sizes, activation, learned positions from row 2 on, post-norm. */
void seq2seq_configure(const Fields *f, ModelConfig *out);
/* Does architectures promise classes or spans, not words? */
bool seq2seq_classifies(const ModelConfig *config);
/* The heads of those, behind the decoder. */
void seq2seq_bind_classifier(Loader *loader, Model *model);
/* "model." or nothing. */
const char *seq2seq_root(Loader *loader);
/* One embedding for both sides and the output, whatever the file keeps it under. */
void seq2seq_bind_embeddings(Loader *loader, Model *model, const char *root);
/* Layers, norms behind the embedding and the last layer, as the config says. */
void seq2seq_bind_stack(Loader *loader, Model *model, StackId id, const char *root,
                        const LayerNames *names);
/* The learned table of positions. */
void seq2seq_bind_positions(Loader *loader, Model *model, StackId id, const char *root);

#define SEQ2SEQ_FIELDS                                                                             \
    "vocab_size d_model encoder_layers decoder_layers encoder_attention_heads "                    \
    "decoder_attention_heads encoder_ffn_dim decoder_ffn_dim activation_function "                 \
    "max_position_embeddings scale_embedding pad_token_id tie_word_embeddings init_std "           \
    "encoder_layerdrop decoder_layerdrop num_hidden_layers is_encoder_decoder "

#endif
