/* The arithmetic of the models. Each op computes at once; with a tape in the run it appends its
 * backward, which stands right below it in ops*.c. Tensors are row-major in their last axis;
 * outputs belong to the run's arena. Shapes are asserted: the loader has checked the checkpoint.
 *
 * Legend: n tokens (all rows of a batch one behind the other), d features, h heads, q queries, k
 * keys.
 */
#ifndef MODEL_OPS_H
#define MODEL_OPS_H

#include "model/kernels_gemm.h"
#include "model/model.h"
#include "model/run.h"

/* Threads that BLAS may use; 1 while several runs go on side by side. */
void ops_blas_threads(int n_threads);
/* OpenBLAS chooses its kernels when it is loaded, and releases older than the processor fall back
 * on AVX2 ones where AVX-512 would be up to twice as fast. The core to ask for (OPENBLAS_CORETYPE)
 * before the program is loaded anew, or NULL where it chose well. */
const char *ops_blas_better_core(void);

/* The product that a Gemm describes, by whoever is fastest at it: own loops, BLAS. */
void ops_gemm(const Gemm *shape, const float *a, int64_t lda, const float *b, int64_t ldb, float *c,
              int64_t ldc);

/* The same by BLAS alone: what measurements stand beside. */
void ops_gemm_blas(const Gemm *shape, const float *a, int64_t lda, const float *b, int64_t ldb,
                   float *c, int64_t ldc);
/* The same in a part of a team's round: the caller's thread alone, never BLAS' own. A is [m,k]; a
 * bias wants beta 0. */
void ops_gemm_part(const Gemm *shape, const float *a, int64_t lda, const float *b, int64_t ldb,
                   float *c, int64_t ldc);
/* As many threads as BLAS may use, where products of our own serve this processor; else NULL, and
 * BLAS does the work with its threads. */
Team *ops_team(void);

/* x [n, in] -> [n, out] */
Tensor op_linear(Run *run, Tensor x, const Linear *linear);
/* a + b, same shape */
Tensor op_add(Run *run, Tensor a, Tensor b);
/* a * b, element by element */
Tensor op_mul(Run *run, Tensor a, Tensor b);
Tensor op_scale(Run *run, Tensor x, float factor);
/* base + dropout(x): what a sublayer adds to the residual stream. Without dropout a plain sum. */
Tensor op_residual(Run *run, Tensor base, Tensor x);
/* dropout(x), x itself outside training (Srivastava et al. 2014) */
Tensor op_dropout(Run *run, Tensor x);
Tensor op_activation(Run *run, Activation kind, Tensor x);

/* sqrt(var(x) + epsilon) (or of the mean square, RMS): x [n, d] -> [n, 1] */
Tensor op_norm_scale(Run *run, NormKind kind, Tensor x, float epsilon);
/* (x - mean) / scale * weight + bias (Ba et al. 2016; RMS: Zhang and Sennrich 2019) */
Tensor op_norm_apply(Run *run, NormKind kind, Tensor x, Tensor scale, const Norm *norm);

/* factor * table[ids]: ids [n] -> [n, d]; ids are in range */
Tensor op_embed(Run *run, const Weight *table, const int32_t *ids, int64_t n, float factor);
/* x + table[ids] */
Tensor op_add_embed(Run *run, Tensor x, const Weight *table, const int32_t *ids);

/* Which keys a query may see. */
typedef struct MaskRule {
    bool causal;
    int window;           /* 0: none; else keys q - window < k <= q */
    int64_t query_offset; /* position of query 0 counted in keys: not 0 with a cache */
    const uint8_t *keep;  // [key]; NULL: all
} MaskRule;
static inline bool mask_visible(const MaskRule *mask, int64_t query, int64_t key) {
    int64_t at = query + mask->query_offset;
    return (!mask->causal || key <= at) && (mask->window == 0 || key > at - mask->window) &&
           (!mask->keep || mask->keep[key]);
}

/* scale * Q.K + bias, masked cells -inf (Vaswani et al. 2017, equation 1 inside the softmax):
 * q [query, head, d_head], k [key, kv_head, d_head], bias [head, query, key] or no data
 * -> [head, query, key] */
Tensor op_attention_scores(Run *run, Tensor q, Tensor k, float scale, Tensor bias,
                           const MaskRule *mask);
/* Over the last axis. lse, where given, [head, query] receives log(sum(exp)). */
Tensor op_softmax(Run *run, Tensor x, Tensor lse);
/* out[q,h] = sum_k pattern[h,q,k] v[k,h]: into out [query, head, d_head], which has a gradient if
 * there is a tape. v [key, kv_head, d_head] */
void op_attention_mix(Run *run, Tensor pattern, Tensor v, Tensor out);

/* Sum over tokens of (1 - smoothing) * -log p[target] + smoothing * mean_v(-log p[v])
 * (Szegedy et al. 2016, section 7): logits [n, vocab] -> [1]; tokens with target < 0 count nothing.
 * loss_plain, where given, receives the sum of -log p[target]. */
Tensor op_cross_entropy(Run *run, Tensor logits, const int32_t *targets, float smoothing,
                        double *loss_plain);

#endif
