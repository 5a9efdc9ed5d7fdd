/* What Llama and its descendants share: the fields of the config, RMS norms, rotary positions,
 * grouped queries, a gated feed-forward part, and the names in the file. Touvron et al. 2023. */
#ifndef MODEL_ARCH_DECODER_H
#define MODEL_ARCH_DECODER_H

#include "model/arch/heads.h"
#include "model/arch/layers.h"

extern const LayerNames decoder_layer_names; /* Llama's; biases where the file has them */

void decoder_configure(const Fields *f, ModelConfig *out, bool tied_by_default);
void decoder_bind(Loader *loader, Model *model, const LayerNames *names);
/* Sliding attention by the fields sliding_window and layer_types. */
void decoder_window(const Fields *f, StackConfig *c);

/* n_layers ... of a decoder-only model whose heads all have keys of their own; names are those of
 * the config's fields. */
typedef struct DecoderNames {
    const char *d_model, *n_layers, *n_heads, *d_ff;
    const char *norm_epsilon, *activation, *n_positions;
} DecoderNames;
void decoder_configure_plain(const Fields *f, ModelConfig *out, const DecoderNames *names);

#define DECODER_FIELDS                                                                             \
    "vocab_size hidden_size num_hidden_layers num_attention_heads num_key_value_heads "            \
    "intermediate_size hidden_act max_position_embeddings rms_norm_eps rope_theta rope_scaling "   \
    "rope_parameters head_dim tie_word_embeddings attention_bias mlp_bias pretraining_tp "         \
    "layer_types "

#endif
