/* The product against sums in double: every operand order, sizes around the tiles' edges, strides
 * wider than the rows, what lies beside C untouched. */
#include "tests/model/engine.h"

#include <stdlib.h>

#include "model/base/random.h"
#include "model/kernels_gemm.h"
#include "model/kernels_skinny.h"

static const Gemm large = {.m = 256, .n = 256, .k = 256, .alpha = 1};

static float *drawn(int64_t n, uint64_t seed) {
    float *x = malloc((size_t)n * sizeof *x);
    assert_non_null(x);
    for (int64_t i = 0; i < n; i++)
        x[i] = (float)random_unit(seed, (uint64_t)i) - 0.5f;
    return x;
}

static void check_by(const Gemm *s, bool skinny) {
    enum { BESIDE = 3 };
    int64_t lda = (s->a_transposed ? s->m : s->k) + BESIDE;
    int64_t ldb = (s->b_transposed ? s->k : s->n) + BESIDE, ldc = s->n + BESIDE;
    float *a = drawn((s->a_transposed ? s->k : s->m) * lda, 1);
    float *b = drawn((s->b_transposed ? s->n : s->k) * ldb, 2);
    float *c = drawn(s->m * ldc, 3), *before = drawn(s->m * ldc, 3);
    if (skinny)
        kernel_skinny(s, a, lda, b, ldb, c, ldc);
    else
        assert_true(kernel_gemm(s, a, lda, b, ldb, c, ldc));
    for (int64_t i = 0; i < s->m; i++)
        for (int64_t j = 0; j < ldc; j++) {
            double expected = before[i * ldc + j];
            if (j < s->n) {
                double sum = 0;
                for (int64_t l = 0; l < s->k; l++)
                    sum += (double)(s->a_transposed ? a[l * lda + i] : a[i * lda + l]) *
                           (s->b_transposed ? b[j * ldb + l] : b[l * ldb + j]);
                expected = s->alpha * sum + s->beta * expected + (s->bias ? s->bias[j] : 0);
            }
            double far = fabs(c[i * ldc + j] - expected);
            if (!(far <= (j < s->n ? 2e-5 : 0)))
                fail_msg("%dx%dx%d%s%s: c[%d,%d] is %g, expected %g", (int)s->m, (int)s->n,
                         (int)s->k, s->a_transposed ? " A'" : "", s->b_transposed ? " B'" : "",
                         (int)i, (int)j, c[i * ldc + j], expected);
        }
    free(a);
    free(b);
    free(c);
    free(before);
}

static void check(const Gemm *s) {
    check_by(s, false);
}

static void skinny_agrees_with_sums(void **state) {
    (void)state;
    if (!kernel_skinny_serves(&(Gemm){.m = 16, .n = 256, .k = 256})) skip();
    static const int columns[] = {1, 4, 63, 64, 67, 130}, depths[] = {16, 33, 128, 300};
    for (int m = 1; m <= 40; m += m < 14 ? 1 : 13)
        for (int n = 0; n < 6; n++)
            for (int k = 0; k < 4; k++)
                for (int kind = 0; kind < 4; kind++)
                    check_by(&(Gemm){.b_transposed = kind & 1,
                                     .m = m,
                                     .n = columns[n],
                                     .k = depths[k],
                                     .alpha = 0.5f,
                                     .beta = kind & 2 ? 1.0f : 0.0f},
                             true);
}

static void agrees_with_sums(void **state) {
    (void)state;
    static const int sizes[][3] = {{36, 32, 16},  {37, 45, 29},   {48, 64, 300}, {245, 33, 20},
                                   {61, 300, 17}, {40, 257, 521}, {241, 96, 256}};
    static const float betas[] = {0, 1, -2, 0};
    if (!kernel_gemm_serves(&large)) skip();
    float *bias = drawn(300, 4);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        for (int order = 0; order < 4; order++)
            for (int kind = 0; kind < 4; kind++)
                check(&(Gemm){.a_transposed = order & 1,
                              .b_transposed = order & 2,
                              .m = sizes[i][0],
                              .n = sizes[i][1],
                              .k = sizes[i][2],
                              .alpha = kind == 2 ? 0.5f : 1,
                              .beta = betas[kind],
                              .bias = kind == 3 ? bias : NULL});
    free(bias);
}

/* beta 0 does not read C: what lies there may be no number. */
static void overwrites_what_is_no_number(void **state) {
    (void)state;
    enum { N = 70 };
    Gemm s = {.m = N, .n = N, .k = N, .alpha = 1};
    if (!kernel_gemm_serves(&s)) skip();
    float *a = drawn(N * N, 1);
    static float c[N * N];
    for (int i = 0; i < N * N; i++)
        c[i] = NAN;
    assert_true(kernel_gemm(&s, a, N, a, N, c, N));
    for (int i = 0; i < N * N; i++)
        assert_true(isfinite(c[i]));
    free(a);
}

static void small_ones_are_left_to_blas(void **state) {
    (void)state;
    assert_false(kernel_gemm_serves(&(Gemm){.m = 1, .n = 256, .k = 256}));
    assert_false(kernel_gemm_serves(&(Gemm){.m = 256, .n = 8, .k = 256}));
    assert_false(kernel_gemm_serves(&(Gemm){.m = 40, .n = 40, .k = 32}));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_sums),
        cmocka_unit_test(skinny_agrees_with_sums),
        cmocka_unit_test(overwrites_what_is_no_number),
        cmocka_unit_test(small_ones_are_left_to_blas),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
