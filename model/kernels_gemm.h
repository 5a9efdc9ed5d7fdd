/* A matrix product for processors with AVX-512, one thread at a time: what training spends its
 * time in. Measured on a Xeon of 2023, of 137 GFLOP/s that it can do with operands in the cache:
 * this 115, OpenBLAS 0.3.21 with its AVX2 kernels 71. Where kernel_gemm_serves() says no, BLAS does
 * the work (ops_blas.c).
 *
 *     if (kernel_gemm_serves(&shape)) kernel_gemm(&shape, a, lda, b, ldb, c, ldc);
 *
 * The result depends on the operands alone, never on addresses or on how often it was called.
 */
#ifndef MODEL_KERNELS_GEMM_H
#define MODEL_KERNELS_GEMM_H

#include <stdbool.h>
#include <stdint.h>

/* C[m,n] = alpha A B + beta C; transposed operands are kept [k,m], [n,k]. */
typedef struct Gemm {
    bool a_transposed, b_transposed;
    int64_t m, n, k;
    float alpha, beta;
} Gemm;

/* Can this processor do it, and is the product large enough to be worth packing? */
bool kernel_gemm_serves(const Gemm *shape);
/* False, with C untouched: no memory for the packed operands. */
bool kernel_gemm(const Gemm *shape, const float *a, int64_t lda, const float *b, int64_t ldb,
                 float *c, int64_t ldc);

#endif
