/* Loops over floats that BLAS does not have, built for several instruction sets and chosen at run
 * time. Plain arrays, no shapes: ops*.c gives them meaning.
 */
#ifndef MODEL_KERNELS_H
#define MODEL_KERNELS_H

#include <stdint.h>

#include "model/config.h"

float kernel_dot(const float *a, const float *b, int64_t n);
float kernel_sum(const float *x, int64_t n);
/* y += a x */
void kernel_axpy(float *y, float a, const float *x, int64_t n);
void kernel_add(float *y, const float *x, int64_t n); /* y += x */
void kernel_scale(float *x, float a, int64_t n);
/* x = a x + b */
void kernel_affine(float *x, float a, float b, int64_t n);
/* y += a (x - mean) */
void kernel_add_centred(float *y, float a, const float *x, float mean, int64_t n);
double kernel_sum_of_squares(const float *x, int64_t n);

/* C[m,n] (+)= alpha A B for matrices of a few dozen rows, where a BLAS call costs more than the
 * product. a, b, c are rows of lda, ldb, ldc floats.
 *   nt: A [m,k], B [n,k]      nn: A [m,k], B [k,n]      tn: A [k,m], B [k,n] */
void kernel_small_nt(int m, int n, int k, float alpha, const float *a, int64_t lda, const float *b,
                     int64_t ldb, float *c, int64_t ldc, bool add);
void kernel_small_nn(int m, int n, int k, float alpha, const float *a, int64_t lda, const float *b,
                     int64_t ldb, float *c, int64_t ldc, bool add);
void kernel_small_tn(int m, int n, int k, float alpha, const float *a, int64_t lda, const float *b,
                     int64_t ldb, float *c, int64_t ldc, bool add);

/* y = exp(x), relative error below 2e-7 from -87.3 on; less than that (-inf too) gives exactly 0,
 * more than 88.7228 infinity, NaN stays. y may be x. */
void kernel_exp(const float *x, float *y, int64_t n);
/* y = softmax(x); returns log(sum exp(x)). Cells at -inf get exactly 0; so do all of a row that is
 * all -inf. NaN in the row stays to be seen. y may be x. */
float kernel_softmax(const float *x, float *y, int64_t n);
/* dx += (dy - sum(y dy)) y */
void kernel_softmax_backward(const float *y, const float *dy, float *dx, int64_t n);

/* Row statistics of a norm: *mean (0 for RMS) and sqrt(variance + epsilon). */
void kernel_norm_stats(const float *x, int64_t n, bool centred, float epsilon, float *mean,
                       float *scale);

/* y = (x - mean) inverse (w + plus) */
void kernel_norm_apply(const float *x, float mean, float inverse, const float *w, float plus,
                       float *y, int64_t n);
/* Its backward but for what goes through mean and inverse: dx = dy (w + plus) inverse (written, not
 * added), dw += dy x^ where dw is given, and returns sum(dy (w + plus) x^), with
 * x^ = (x - mean) inverse. */
float kernel_norm_slope(const float *x, const float *dy, const float *w, float plus, float mean,
                        float inverse, float *dw, float *dx, int64_t n);

void kernel_activation(Activation kind, const float *x, float *y, int64_t n);
/* dx += dy f'(x) */
void kernel_activation_backward(Activation kind, const float *x, const float *dy, float *dx,
                                int64_t n);

/* Item i is kept, and multiplied by 1 / (1 - rate), where a hash of (seed, i) says so:
 * forward y = base + dropped x, base may be NULL; backward dx += dropped dy. */
void kernel_dropout(const float *base, const float *x, float *y, int64_t n, float rate,
                    uint32_t seed);
void kernel_dropout_backward(const float *dy, float *dx, int64_t n, float rate, uint32_t seed);

/* One step of Adam (Kingma and Ba 2015, algorithm 1) with the bias correction in `rate`:
 * rate = lr sqrt(1 - beta2^t) / (1 - beta1^t). gradient is multiplied by grad_scale first. */
typedef struct AdamStep {
    float rate, beta1, beta2, epsilon, grad_scale;
} AdamStep;
void kernel_adam(float *parameter, const float *gradient, float *m, float *v, int64_t n,
                 const AdamStep *step);

#endif
