/* The attention weights of one (stack, layer, self or cross), readable by tile without knowing
 * whether they were stored or are recomputed:
 *
 *     pattern[q,k] = exp(scale * Q[q].K[k] + bias(q,k) - lse[q])
 *
 *     Pattern p;
 *     trace_pattern(trace, STACK_DECODER, 2, true, &p);
 *     float tile[8 * 12];
 *     pattern_tile(&p, head, 0, 8, 0, 12, tile);          // [8, 12] row-major
 */
#ifndef MODEL_PATTERN_H
#define MODEL_PATTERN_H

#include "model/trace.h"

typedef struct Pattern {
    int n_heads;
    int64_t n_queries, n_keys;
    const Trace *trace;
    HookPoint at;
    Tensor stored;      // [head, query, key]; data NULL: recomputed
    const void *recipe; /* of a recomputed one: q, k, lse, mask, bias; the trace's */
} Pattern;

/* False if the trace has no such attention. */
bool trace_pattern(const Trace *trace, StackId stack, int layer, bool cross, Pattern *out);
/* weights [q_end - q_begin, k_end - k_begin] of one head, row-major. Masked cells are 0. */
void pattern_tile(const Pattern *pattern, int head, int64_t q_begin, int64_t q_end, int64_t k_begin,
                  int64_t k_end, float *out);
/* May query q see key k at all? True where the trace does not know the mask. */
bool pattern_visible(const Pattern *pattern, int64_t query, int64_t key);

#endif
