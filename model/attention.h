/* Attention weights of one row of tokens, and what they carry to each query.
 *
 *   weights[h,q,k] = softmax_k( scale * Q[h,q].K[h,k] + bias[h,q,k] )      masked keys get exactly
 * 0 out[q,h]       = sum_k weights[h,q,k] * V[h,k]
 *
 * source   Vaswani et al. 2017, section 3.2.1, equation 1; grouped queries: Ainslie et al. 2023
 * hooks    hook_attn_scores, hook_pattern
 */
#ifndef MODEL_ATTENTION_H
#define MODEL_ATTENTION_H

#include "model/ops.h"

typedef struct AttentionRow {
    Tensor q;    // [query, head, d_head], already rotated if the model rotates
    Tensor k, v; // [key, kv_head, d_head]; kv_head divides head
    float scale;
    MaskRule mask;
    const struct PositionBias *bias; /* position.h; NULL: none */
} AttentionRow;

/* Into out [query, head, d_head]. Long rows are walked in blocks of queries, so that the run never
 * holds [head, query, key] unless a capture or a tape asks for it. */
void attention_row(Run *run, const HookPoint *at, const AttentionRow *row, Tensor out);

#endif
