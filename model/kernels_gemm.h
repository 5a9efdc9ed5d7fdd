/* A matrix product for processors with AVX-512, one thread at a time: for the parts of a team's
 * round, and where BLAS keeps to AVX2 kernels because OPENBLAS_CORETYPE says so, or because the
 * library is older than the processor. Everywhere else BLAS does the work (ops_blas.c). Measured
 * on a Xeon of 2023 with training's shapes, in GFLOP/s of one core: this 115, OpenBLAS 0.3.21 with
 * its AVX-512 kernels 90 to 120, with its AVX2 ones 40 to 70.
 *
 *     if (kernel_gemm_serves(&shape)) kernel_gemm(&shape, a, lda, b, ldb, c, ldc);
 *
 * The result depends on the operands alone, never on addresses or on how often it was called.
 */
#ifndef MODEL_KERNELS_GEMM_H
#define MODEL_KERNELS_GEMM_H

#include <stdbool.h>
#include <stdint.h>

/* C[m,n] = alpha A B + beta C + bias; transposed operands are kept [k,m], [n,k]. */
typedef struct Gemm {
    bool a_transposed, b_transposed;
    int64_t m, n, k;
    float alpha, beta;
    const float *bias; // [n] for every row; NULL: none. Of kernel_gemm and ops_gemm_part alone
} Gemm;

/* Can this processor do it, and is the product large enough to be worth packing? */
bool kernel_gemm_serves(const Gemm *shape);
/* False, with C untouched: no memory for the packed operands. */
bool kernel_gemm(const Gemm *shape, const float *a, int64_t lda, const float *b, int64_t ldb,
                 float *c, int64_t ldc);

#endif
