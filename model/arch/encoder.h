/* What BERT and its descendants share: the fields of the config, the sum of three embeddings with a
 * norm, and the names inside a layer. Devlin et al. 2019. */
#ifndef MODEL_ARCH_ENCODER_H
#define MODEL_ARCH_ENCODER_H

#include "model/arch/heads.h"
#include "model/arch/layers.h"

extern const LayerNames encoder_layer_names; /* BERT's */

/* num_hidden_layers, hidden_size ... into the one stack, post-norm. */
void encoder_configure(const Fields *f, ModelConfig *out);
/* root + embeddings.word_embeddings and so on, d_embed wide. */
void encoder_bind_embeddings(Loader *loader, Model *model, const char *root, int d_embed);
/* The layers under BERT's names, with their tables of distances if positions are relative. */
void encoder_bind_layers(Loader *loader, Model *model, const char *root);
/* prefix + attention + .distance_embedding, [2 * positions - 1, d_head]; NULL where positions are
 * absolute. */
const float *encoder_distances(Loader *loader, const Model *model, const char *prefix,
                               const char *attention);
/* What a file of this family is called by: "bert." or nothing. */
const char *encoder_root(Loader *loader, const char *prefix);
/* Positions that leave out padding and begin behind its row (RoBERTa). */
void encoder_skip_padding(const Fields *f, StackConfig *c, int default_pad);

#define ENCODER_FIELDS                                                                             \
    "vocab_size hidden_size num_hidden_layers num_attention_heads intermediate_size hidden_act "   \
    "max_position_embeddings type_vocab_size layer_norm_eps pad_token_id position_embedding_type " \
    "tie_word_embeddings is_decoder "

#endif
