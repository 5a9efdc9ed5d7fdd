/* Products of few rows with a large matrix, as a short sentence makes with every weight: the weight
 * is read once where it lies, nothing is packed, so it is memory that sets the time. For
 * processors with AVX-512.
 *
 *     if (kernel_skinny_serves(&shape)) kernel_skinny(&shape, a, lda, b, ldb, c, ldc);
 *
 * Source of the register blocking: Goto and van de Geijn 2008, without its packing.
 */
#ifndef MODEL_KERNELS_SKINNY_H
#define MODEL_KERNELS_SKINNY_H

#include "model/kernels_gemm.h"

/* Up to 40 rows of A, kept [m,k]; B [n,k] or [k,n]. */
bool kernel_skinny_serves(const Gemm *shape);
void kernel_skinny(const Gemm *shape, const float *a, int64_t lda, const float *b, int64_t ldb,
                   float *c, int64_t ldc);

#endif
