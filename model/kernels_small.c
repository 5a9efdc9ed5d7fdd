/* Products of a few dozen rows, as attention makes them head by head: four rows of C stay in
 * registers, sixteen columns each, while k runs. A [m, k] and A [k, m] are one function with other
 * steps; B [n, k] is turned first, sixteen of its rows at a time. */
#include "model/kernels.h"

#include "model/kernels_lanes.h"

enum { ROWS = 4, TURNED_K = 256 };

typedef struct Strip { /* 16 columns of B, fewer at the end, for all of A and C */
    const float *a, *b;
    float *c;
    int64_t row_step, k_step; /* in A */
    int64_t ldb, ldc;
    int m, k, columns;
    float alpha;
    bool add;
} Strip;

/* b_whole: sixteen floats can be read in each row of B. */
INLINE void strip_rows(const Strip *s, int row, int rows, bool b_whole) {
    Lanes sum[ROWS] = {0}, v;
    const float *a = s->a + row * s->row_step;
    for (int l = 0; l < s->k; l++) {
        const float *b = s->b + l * s->ldb;
        if (b_whole)
            LOAD(v, b);
        else
            load_tail(&v, b, s->columns, 0);
#pragma GCC unroll 4
        for (int r = 0; r < rows; r++)
            sum[r] += a[r * s->row_step + l * s->k_step] * v;
    }
    for (int r = 0; r < rows; r++) {
        float *c = s->c + (row + r) * s->ldc;
        sum[r] *= s->alpha;
        if (s->columns == LANES) {
            if (s->add) {
                LOAD(v, c);
                sum[r] += v;
            }
            STORE(c, sum[r]);
            continue;
        }
        float t[LANES];
        STORE(t, sum[r]);
        for (int i = 0; i < s->columns; i++)
            c[i] = s->add ? c[i] + t[i] : t[i];
    }
}

INLINE void strip(const Strip *s, bool b_whole) {
    int row = 0;
    for (; row + ROWS <= s->m; row += ROWS)
        strip_rows(s, row, ROWS, b_whole);
    for (; row < s->m; row++)
        strip_rows(s, row, 1, b_whole);
}

/* B [k, n]; the steps in A are lda and 1, or 1 and lda. */
INLINE void strips(int m, int n, int k, float alpha, const float *a, int64_t row_step,
                   int64_t k_step, const float *b, int64_t ldb, float *c, int64_t ldc, bool add) {
    for (int first = 0; first < n; first += LANES) {
        Strip s = {.a = a,
                   .b = b + first,
                   .c = c + first,
                   .row_step = row_step,
                   .k_step = k_step,
                   .ldb = ldb,
                   .ldc = ldc,
                   .m = m,
                   .k = k,
                   .columns = n - first < LANES ? n - first : LANES,
                   .alpha = alpha,
                   .add = add};
        if (s.columns == LANES)
            strip(&s, true);
        else
            strip(&s, false);
    }
}

CLONES void kernel_small_nn(int m, int n, int k, float alpha, const float *a, int64_t lda,
                            const float *b, int64_t ldb, float *c, int64_t ldc, bool add) {
    strips(m, n, k, alpha, a, lda, 1, b, ldb, c, ldc, add);
}

CLONES void kernel_small_tn(int m, int n, int k, float alpha, const float *a, int64_t lda,
                            const float *b, int64_t ldb, float *c, int64_t ldc, bool add) {
    strips(m, n, k, alpha, a, 1, lda, b, ldb, c, ldc, add);
}

CLONES void kernel_small_nt(int m, int n, int k, float alpha, const float *a, int64_t lda,
                            const float *b, int64_t ldb, float *c, int64_t ldc, bool add) {
    if (m < ROWS || k > TURNED_K) { /* turning costs more than it saves, or has no room */
        for (int i = 0; i < m; i++)
            for (int j = 0; j < n; j++) {
                float x = alpha * dot(a + i * lda, b + j * ldb, k);
                c[i * ldc + j] = add ? c[i * ldc + j] + x : x;
            }
        return;
    }
    float turned[TURNED_K * LANES]; // [k, 16]
    for (int first = 0; first < n; first += LANES) {
        int columns = n - first < LANES ? n - first : LANES;
        const float *rows = b + first * ldb;
        for (int l = 0; l < k; l++)
            for (int i = 0; i < LANES; i++)
                turned[l * LANES + i] = i < columns ? rows[i * ldb + l] : 0;
        strip(&(Strip){.a = a,
                       .b = turned,
                       .c = c + first,
                       .row_step = lda,
                       .k_step = 1,
                       .ldb = LANES,
                       .ldc = ldc,
                       .m = m,
                       .k = k,
                       .columns = columns,
                       .alpha = alpha,
                       .add = add},
              true);
    }
}
