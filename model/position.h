/* Everything a model knows of order: position tables, rotation of queries and keys, and biases on
 * the scores that depend on the distance.
 */
#ifndef MODEL_POSITION_H
#define MODEL_POSITION_H

#include "model/model.h"
#include "model/ops.h"

/* Sinusoid [n_positions, d]: sin(p / 10000^(2i/d)) and the cosine of the same angle, alternating
 * (Vaswani et al. 2017, section 3.5) or in halves (Marian); fairseq's exponent is i / (d/2 - 1).
 * The arena's. */
const float *position_sinusoid(Arena *arena, Sinusoid kind, int n_positions, int d);

/* What the scores of one attention get added. */
typedef struct PositionBias {
    const StackConfig *config;
    const AttentionWeights *weights;
    bool cross;
    const uint8_t *keep; // [key] as in MaskRule: ALiBi counts only these; NULL: all
} PositionBias;

/* NULL where this attention has no such bias. */
const PositionBias *position_bias(PositionBias *out, const StackConfig *config,
                                  const AttentionWeights *weights, bool cross);
/* bias [head, query, key] for queries from position query_begin and keys from 0; relative keys also
 * read q. In the run's arena. */
Tensor position_bias_block(Run *run, const PositionBias *bias, Tensor q, Tensor k,
                           int64_t query_begin);

/* Radians a position of each pair of dimensions [rope_dims / 2]. n_longest: positions of the text,
 * where the scaling depends on it (0: no longer than those of the training). NULL: no rotation. */
const float *position_frequencies(Arena *arena, const StackConfig *config, int64_t n_longest);
/* Cosines, then sines of every token's angles: [n, rope_dims]. No data where nothing rotates. */
Tensor position_angles(Run *run, const StackConfig *config, const float *frequencies,
                       const int32_t *positions, int64_t n);
/* Turns the leading rope_dims of each head by these angles (Su et al. 2021):
 * x [n, head, d_head] -> same shape. */
Tensor position_rotate(Run *run, const StackConfig *config, Tensor x, Tensor angles);
static inline bool position_rotates(const StackConfig *config) {
    return config->position == POSITION_ROTARY_HALVES ||
           config->position == POSITION_ROTARY_INTERLEAVED;
}

#endif
