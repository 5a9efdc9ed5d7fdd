/* B [n,k]: four rows of B and up to six of A lie along k; their 24 dot products stay in registers,
 * sixteen partial sums each, and are added up at the end.
 *
 *          k ->                       6 rows of A from the first-level cache
 *   B 4 x =========                   4 rows of B from memory, once for all rows of A
 *
 * B [k,n]: six rows and 64 columns of C stay in registers while k runs; the block of B that one
 * strip of columns reads is small enough to be in the cache for the rows of A behind the first. */
#include "model/kernels_skinny.h"

#include <string.h>

#if defined(__x86_64__) && defined(__GNUC__)

#include <immintrin.h>

#define AVX512 __attribute__((target("avx512f,avx512vl,avx512bw,avx512dq,fma")))
#define INLINE static inline __attribute__((always_inline)) AVX512

enum { LANES = 16, ROWS = 6, B_ROWS = 4, STRIP = 4, MOST_ROWS = 40, LEAST_WORK = 32 * 1024 };
enum { BLOCK_K = 128 };

typedef struct Place {
    const float *a, *b;
    float *c;
    int64_t k, lda, ldb, ldc;
    float alpha, beta;
} Place;

INLINE void put(float *c, float x, float alpha, float beta) {
    *c = alpha * x + (beta != 0 ? beta * *c : 0);
}

/* ---- B [n,k] ---- */

/* rows x b_rows dot products; both are constants where it is called. */
INLINE void dots(const Place *s, int rows, int b_rows) {
    __m512 acc[ROWS][B_ROWS];
#pragma GCC unroll 6
    for (int r = 0; r < rows; r++)
#pragma GCC unroll 4
        for (int j = 0; j < b_rows; j++)
            acc[r][j] = _mm512_setzero_ps();
    int64_t l = 0;
    for (; l + LANES <= s->k; l += LANES) {
        __m512 b[B_ROWS];
#pragma GCC unroll 4
        for (int j = 0; j < b_rows; j++)
            b[j] = _mm512_loadu_ps(s->b + j * s->ldb + l);
#pragma GCC unroll 6
        for (int r = 0; r < rows; r++) {
            __m512 a = _mm512_loadu_ps(s->a + r * s->lda + l);
#pragma GCC unroll 4
            for (int j = 0; j < b_rows; j++)
                acc[r][j] = _mm512_fmadd_ps(a, b[j], acc[r][j]);
        }
    }
    if (l < s->k) {
        __mmask16 rest = (__mmask16)((1u << (s->k - l)) - 1);
#pragma GCC unroll 6
        for (int r = 0; r < rows; r++) {
            __m512 a = _mm512_maskz_loadu_ps(rest, s->a + r * s->lda + l);
#pragma GCC unroll 4
            for (int j = 0; j < b_rows; j++)
                acc[r][j] = _mm512_fmadd_ps(a, _mm512_maskz_loadu_ps(rest, s->b + j * s->ldb + l),
                                            acc[r][j]);
        }
    }
#pragma GCC unroll 6
    for (int r = 0; r < rows; r++)
#pragma GCC unroll 4
        for (int j = 0; j < b_rows; j++)
            put(s->c + r * s->ldc + j, _mm512_reduce_add_ps(acc[r][j]), s->alpha, s->beta);
}

INLINE void dots_of(const Place *s, int rows, int b_rows) {
    switch (rows) {
    case 6:
        dots(s, 6, b_rows);
        return;
    case 5:
        dots(s, 5, b_rows);
        return;
    case 4:
        dots(s, 4, b_rows);
        return;
    case 3:
        dots(s, 3, b_rows);
        return;
    case 2:
        dots(s, 2, b_rows);
        return;
    default:
        dots(s, 1, b_rows);
    }
}

AVX512 static void dots_of_four(const Place *s, int rows) {
    dots_of(s, rows, B_ROWS);
}
AVX512 static void dots_of_one(const Place *s, int rows) {
    dots_of(s, rows, 1);
}

/* Rows in portions of much the same size: 16 are 6, 5 and 5. */
static int64_t portion(int64_t m, int64_t row) {
    int64_t n_left = (m - row + ROWS - 1) / ROWS;
    return (m - row + n_left - 1) / n_left;
}

static void multiply_turned(const Gemm *shape, const Place *whole) {
    for (int64_t column = 0; column < shape->n;) {
        bool four = column + B_ROWS <= shape->n;
        for (int64_t row = 0, rows; row < shape->m; row += rows) {
            Place s = *whole;
            rows = portion(shape->m, row);
            s.a += row * s.lda;
            s.b += column * s.ldb;
            s.c += row * s.ldc + column;
            if (four)
                dots_of_four(&s, (int)rows);
            else
                dots_of_one(&s, (int)rows);
        }
        column += four ? B_ROWS : 1;
    }
}

/* ---- B [k,n] ---- */

/* rows x 64 columns, the last vectors of fewer under masks. */
INLINE void strip(const Place *s, int rows, const __mmask16 *kept) {
    __m512 acc[ROWS][STRIP];
#pragma GCC unroll 6
    for (int r = 0; r < rows; r++)
#pragma GCC unroll 4
        for (int j = 0; j < STRIP; j++)
            acc[r][j] = _mm512_setzero_ps();
    const float *b = s->b;
    for (int64_t l = 0; l < s->k; l++, b += s->ldb) {
        __m512 columns[STRIP];
#pragma GCC unroll 4
        for (int j = 0; j < STRIP; j++)
            columns[j] = _mm512_maskz_loadu_ps(kept[j], b + j * LANES);
#pragma GCC unroll 4
        for (int j = 0; j < STRIP; j++) /* the rows to come: columns lie a page apart */
            _mm_prefetch((const char *)(b + 8 * s->ldb + j * LANES), _MM_HINT_T0);
#pragma GCC unroll 6
        for (int r = 0; r < rows; r++) {
            __m512 a = _mm512_set1_ps(s->a[r * s->lda + l]);
#pragma GCC unroll 4
            for (int j = 0; j < STRIP; j++)
                acc[r][j] = _mm512_fmadd_ps(a, columns[j], acc[r][j]);
        }
    }
#pragma GCC unroll 6
    for (int r = 0; r < rows; r++)
#pragma GCC unroll 4
        for (int j = 0; j < STRIP; j++) {
            float *c = s->c + r * s->ldc + j * LANES;
            __m512 x = _mm512_mul_ps(acc[r][j], _mm512_set1_ps(s->alpha));
            if (s->beta != 0)
                x = _mm512_fmadd_ps(_mm512_maskz_loadu_ps(kept[j], c), _mm512_set1_ps(s->beta), x);
            _mm512_mask_storeu_ps(c, kept[j], x);
        }
}

AVX512 static void strip_of(const Place *s, int rows, const __mmask16 *kept) {
    switch (rows) {
    case 6:
        strip(s, 6, kept);
        return;
    case 5:
        strip(s, 5, kept);
        return;
    case 4:
        strip(s, 4, kept);
        return;
    case 3:
        strip(s, 3, kept);
        return;
    case 2:
        strip(s, 2, kept);
        return;
    default:
        strip(s, 1, kept);
    }
}

static void multiply_plain(const Gemm *shape, const Place *whole) {
    for (int64_t column = 0; column < shape->n; column += STRIP * LANES) {
        __mmask16 kept[STRIP];
        for (int j = 0; j < STRIP; j++) {
            int64_t left = shape->n - column - j * LANES;
            kept[j] = (__mmask16)(left >= LANES ? 0xffff : left > 0 ? (1u << left) - 1 : 0);
        }
        for (int64_t first = 0; first < shape->k; first += BLOCK_K)
            for (int64_t row = 0, rows; row < shape->m; row += rows) {
                Place s = *whole;
                rows = portion(shape->m, row);
                s.a += row * s.lda + first;
                s.b += first * s.ldb + column;
                s.c += row * s.ldc + column;
                s.k = shape->k - first < BLOCK_K ? shape->k - first : BLOCK_K;
                if (first > 0) s.beta = 1;
                strip_of(&s, (int)rows, kept);
            }
    }
}

bool kernel_skinny_serves(const Gemm *s) {
    return !s->a_transposed && s->m <= MOST_ROWS && s->k >= LANES &&
           s->m * s->n * s->k >= LEAST_WORK && __builtin_cpu_supports("avx512f") &&
           __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("fma");
}

void kernel_skinny(const Gemm *shape, const float *a, int64_t lda, const float *b, int64_t ldb,
                   float *c, int64_t ldc) {
    Place whole = {a, b, c, shape->k, lda, ldb, ldc, shape->alpha, shape->beta};
    if (shape->b_transposed)
        multiply_turned(shape, &whole);
    else
        multiply_plain(shape, &whole);
}

#else

bool kernel_skinny_serves(const Gemm *s) {
    (void)s;
    return false;
}

void kernel_skinny(const Gemm *shape, const float *a, int64_t lda, const float *b, int64_t ldb,
                   float *c, int64_t ldc) {
    (void)shape, (void)a, (void)lda, (void)b, (void)ldb, (void)c, (void)ldc;
}

#endif
