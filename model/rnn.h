/* The systems that came before: recurrent encoder-decoders with one attention (Bahdanau et al.
 * 2015, Luong et al. 2015) over plain, LSTM (Hochreiter and Schmidhuber 1997) or GRU cells (Cho et
 * al. 2014), with torch's own gate order and names. forward_stack() comes here for these models, so
 * traces, edits, generation and beams are those of all others.
 *
 *   encoder   h_t = cell(x_t, h_{t-1}), from both ends if bidirectional; outputs h_1 .. h_n
 *   bridge    the decoder's first state is tanh(W [h_forward; h_backward]) of each layer
 *   Bahdanau  e_j = v.tanh(W_q s + W_k h_j + b_k) with the top state s of the step before;
 *             the cell reads [embedding; context], the output [state; context; embedding]
 *   Luong     e_j = s.(W_m h_j) with the state of this step; the output reads
 *             tanh(W_c [context; state])
 *
 * All of it is ops, so gradients flow through time; that of a state includes what later states make
 * of it.
 *
 * hooks: encoder.{l}.hook_h, .hook_h_backward, decoder.{l}.hook_h, gates and hook_c of the reading
 * from left to right, decoder.attn.hook_attn_scores, decoder.attn.hook_pattern,
 * decoder.hook_context.
 */
#ifndef MODEL_RNN_H
#define MODEL_RNN_H

#include "model/forward.h"

typedef struct RnnCell {
    Linear input, hidden; // [gates * d, d_in], [gates * d, d]
} RnnCell;

typedef struct RnnWeights {      /* model->extra */
    RnnCell *forward, *backward; // [encoder layers]; backward NULL: read from left to right alone
    RnnCell *decoder;            // [decoder layers]
    Linear bridge_h, bridge_c;   /* c: LSTM */
    Linear query, key;           /* Bahdanau */
    const float *v;              // [d_attention]
    Linear memory, combine;      /* Luong */
} RnnWeights;

int rnn_n_gates(const RnnConfig *config);
bool rnn_stack(Run *run, StackId stack, const TokenRows *rows, const Memory *memory, Cache *cache,
               Tensor *out, Error *error);

#endif
