/* Goto and van de Geijn 2008: C is made of tiles of 12 rows and 32 columns that stay in 24
 * registers while k runs; B is packed into panels [k, 32], which lie in the first-level cache while
 * the rows of A go by.
 *
 *            32                      B panel, packed
 *          +----+
 *          |    | k block
 *   k      +----+
 *  +-----+ +----+
 *  |     | |    | 12                 A is read where it lies: a row of 12 broadcasts a step
 *  +-----+ +----+                    (transposed: packed [k, 12])
 *
 * Rows and columns behind the last are zeros that are not stored. */
#include "model/kernels_gemm.h"

#include <stdlib.h>
#include <string.h>

#if defined(__x86_64__) && defined(__GNUC__)

#include <immintrin.h>

#define AVX512 __attribute__((target("avx512f,avx512vl,avx512bw,avx512dq,fma")))
#define INLINE static inline __attribute__((always_inline))

enum { LANES = 16, TILE_ROWS = 12, TILE_COLUMNS = 2 * LANES };
enum { BLOCK_K = 256, BLOCK_N = 256, BLOCK_M = 20 * TILE_ROWS };
enum { LEAST_WORK = 64 * 64 * 64 };
typedef float Lanes __attribute__((vector_size(4 * LANES)));

#define LOAD(v, p) memcpy(&(v), (p), sizeof(v))
#define STORE(p, v) memcpy((p), &(v), sizeof(v))

/* ---- one tile ---- */

typedef struct Tile {
    const float *a; // [12, k]; packed: [k, 12]
    const float *b; // [k, 32]
    float *c;
    const float *bias; // [32]; NULL: none
    int64_t k, lda, ldc;
    int rows, columns; /* that are stored */
    float alpha, beta;
} Tile;

INLINE void store_row(const Tile *t, float *c, const Lanes *left, const Lanes *right) {
    Lanes x = *left * t->alpha, y = *right * t->alpha, old;
    if (t->beta != 0) {
        LOAD(old, c);
        x += t->beta * old;
        LOAD(old, c + LANES);
        y += t->beta * old;
    }
    if (t->bias) {
        LOAD(old, t->bias);
        x += old;
        LOAD(old, t->bias + LANES);
        y += old;
    }
    STORE(c, x);
    STORE(c + LANES, y);
}

INLINE void store_tile(const Tile *t, Lanes acc[TILE_ROWS][2]) {
    if (t->rows == TILE_ROWS && t->columns == TILE_COLUMNS) {
#pragma GCC unroll 12
        for (int r = 0; r < TILE_ROWS; r++)
            store_row(t, t->c + r * t->ldc, &acc[r][0], &acc[r][1]);
        return;
    }
    float whole[TILE_ROWS][TILE_COLUMNS];
#pragma GCC unroll 12
    for (int r = 0; r < TILE_ROWS; r++) {
        STORE(whole[r], acc[r][0]);
        STORE(whole[r] + LANES, acc[r][1]);
    }
    for (int r = 0; r < t->rows; r++) {
        float *c = t->c + r * t->ldc;
        for (int i = 0; i < t->columns; i++)
            c[i] = t->alpha * whole[r][i] + (t->beta != 0 ? t->beta * c[i] : 0) +
                   (t->bias ? t->bias[i] : 0);
    }
}

/* Zeros; C is asked for while the tile is computed. */
INLINE void begin_tile(const Tile *t, Lanes acc[TILE_ROWS][2]) {
#pragma GCC unroll 12
    for (int r = 0; r < TILE_ROWS; r++) {
        acc[r][0] = acc[r][1] = (Lanes){0};
        __builtin_prefetch(t->c + r * t->ldc, 1);
        __builtin_prefetch(t->c + r * t->ldc + LANES, 1);
    }
}

/* Three rows a pointer: base, stride and twice the stride are one address each. */
AVX512 static void tile_rows(const Tile *t) {
    Lanes acc[TILE_ROWS][2];
    begin_tile(t, acc);
    const float *b = t->b, *a[TILE_ROWS / 3];
    int64_t lda = t->lda;
    for (int g = 0; g < TILE_ROWS / 3; g++)
        a[g] = t->a + 3 * g * lda;
    for (int64_t l = 0; l < t->k; l++, b += TILE_COLUMNS) {
        Lanes left, right;
        LOAD(left, b);
        LOAD(right, b + LANES);
#pragma GCC unroll 12
        for (int r = 0; r < TILE_ROWS; r++) {
            float x = a[r / 3][r % 3 * lda];
            acc[r][0] += x * left;
            acc[r][1] += x * right;
        }
#pragma GCC unroll 4
        for (int g = 0; g < TILE_ROWS / 3; g++)
            a[g]++;
    }
    store_tile(t, acc);
}

AVX512 static void tile_packed(const Tile *t) {
    Lanes acc[TILE_ROWS][2];
    begin_tile(t, acc);
    const float *a = t->a, *b = t->b;
    for (int64_t l = 0; l < t->k; l++, a += TILE_ROWS, b += TILE_COLUMNS) {
        Lanes left, right;
        LOAD(left, b);
        LOAD(right, b + LANES);
#pragma GCC unroll 12
        for (int r = 0; r < TILE_ROWS; r++) {
            acc[r][0] += a[r] * left;
            acc[r][1] += a[r] * right;
        }
    }
    store_tile(t, acc);
}

/* ---- packing ---- */

static int64_t least(int64_t a, int64_t b) {
    return a < b ? a : b;
}

/* Eight rows of eight numbers -> their columns, 32 apart. */
AVX512 static void turn_8x8(const float *in, int64_t stride, float *out) {
    __m256 row[8], pair[8], four[8];
#pragma GCC unroll 8
    for (int r = 0; r < 8; r++)
        row[r] = _mm256_loadu_ps(in + r * stride);
#pragma GCC unroll 4
    for (int r = 0; r < 8; r += 2) {
        pair[r] = _mm256_unpacklo_ps(row[r], row[r + 1]);
        pair[r + 1] = _mm256_unpackhi_ps(row[r], row[r + 1]);
    }
#pragma GCC unroll 4
    for (int r = 0; r < 4; r++) { /* columns 2r' and 2r' + 1 of four rows, in both halves */
        int at = r / 2 * 4 + r % 2;
        four[2 * r] = _mm256_shuffle_ps(pair[at], pair[at + 2], 0x44);
        four[2 * r + 1] = _mm256_shuffle_ps(pair[at], pair[at + 2], 0xee);
    }
#pragma GCC unroll 4
    for (int r = 0; r < 4; r++) {
        _mm256_storeu_ps(out + r * TILE_COLUMNS,
                         _mm256_permute2f128_ps(four[r], four[r + 4], 0x20));
        _mm256_storeu_ps(out + (r + 4) * TILE_COLUMNS,
                         _mm256_permute2f128_ps(four[r], four[r + 4], 0x31));
    }
}

/* columns rows of B kept [n, k] -> one panel [k, 32]. */
AVX512 static void pack_turned(const float *b, int64_t ldb, int64_t k, int64_t columns,
                               float *out) {
    int64_t whole = columns == TILE_COLUMNS ? k / 8 * 8 : 0;
    for (int64_t l = 0; l < whole; l += 8)
        for (int64_t i = 0; i < TILE_COLUMNS; i += 8)
            turn_8x8(b + i * ldb + l, ldb, out + l * TILE_COLUMNS + i);
    for (int64_t l = whole; l < k; l++)
        for (int64_t i = 0; i < columns; i++)
            out[l * TILE_COLUMNS + i] = b[i * ldb + l];
}

/* k rows of B, n columns -> panels [k, 32] one behind the other. */
AVX512 static void pack_b(const Gemm *s, const float *b, int64_t ldb, int64_t k, int64_t n,
                          float *out) {
    int64_t panel = k * TILE_COLUMNS, whole = s->b_transposed ? 0 : n / TILE_COLUMNS;
    for (int64_t l = 0; l < k; l++)
        for (int64_t i = 0; i < whole; i++)
            memcpy(out + i * panel + l * TILE_COLUMNS, b + l * ldb + i * TILE_COLUMNS,
                   TILE_COLUMNS * sizeof *out);
    for (int64_t first = whole * TILE_COLUMNS; first < n; first += TILE_COLUMNS) {
        int64_t columns = least(TILE_COLUMNS, n - first);
        float *to = out + first * k;
        if (columns < TILE_COLUMNS) memset(to, 0, (size_t)panel * sizeof *to);
        if (s->b_transposed) {
            pack_turned(b + first * ldb, ldb, k, columns, to);
            continue;
        }
        for (int64_t l = 0; l < k; l++)
            memcpy(to + l * TILE_COLUMNS, b + l * ldb + first, (size_t)columns * sizeof *to);
    }
}

/* A kept [k, m] -> tiles [k, 12]. */
AVX512 static void pack_a(const float *a, int64_t lda, int64_t m, int64_t k, float *out) {
    int64_t tile = k * TILE_ROWS, whole = m / TILE_ROWS, rest = m % TILE_ROWS;
    for (int64_t l = 0; l < k; l++)
        for (int64_t i = 0; i < whole; i++)
            memcpy(out + i * tile + l * TILE_ROWS, a + l * lda + i * TILE_ROWS,
                   TILE_ROWS * sizeof *out);
    if (rest == 0) return;
    memset(out + whole * tile, 0, (size_t)tile * sizeof *out);
    for (int64_t l = 0; l < k; l++)
        memcpy(out + whole * tile + l * TILE_ROWS, a + l * lda + whole * TILE_ROWS,
               (size_t)rest * sizeof *out);
}

/* Fewer than 12 rows of A -> one tile [k, 12]. */
AVX512 static void pack_rest(const float *a, int64_t lda, int64_t rows, int64_t k, float *out) {
    memset(out, 0, (size_t)(k * TILE_ROWS) * sizeof *out);
    for (int64_t r = 0; r < rows; r++)
        for (int64_t l = 0; l < k; l++)
            out[l * TILE_ROWS + r] = a[r * lda + l];
}

/* ---- blocks ---- */

typedef struct Block { /* of A (m, k), B (k, n, packed) and C (m, n) */
    const float *a, *b, *bias;
    float *c, *packed;
    int64_t m, n, k, lda, ldc;
    float alpha, beta;
    bool a_transposed;
} Block;

static void multiply_block(const Block *s) {
    int64_t whole = s->m / TILE_ROWS * TILE_ROWS; /* rows that can be read where they lie */
    if (s->a_transposed)
        pack_a(s->a, s->lda, s->m, s->k, s->packed);
    else if (whole < s->m)
        pack_rest(s->a + whole * s->lda, s->lda, s->m - whole, s->k, s->packed);
    for (int64_t column = 0; column < s->n; column += TILE_COLUMNS)
        for (int64_t row = 0; row < s->m; row += TILE_ROWS) {
            Tile t = {.a = s->a + row * s->lda,
                      .b = s->b + column * s->k,
                      .c = s->c + row * s->ldc + column,
                      .bias = s->bias ? s->bias + column : NULL,
                      .k = s->k,
                      .lda = s->lda,
                      .ldc = s->ldc,
                      .rows = (int)least(TILE_ROWS, s->m - row),
                      .columns = (int)least(TILE_COLUMNS, s->n - column),
                      .alpha = s->alpha,
                      .beta = s->beta};
            if (s->a_transposed || row == whole) {
                t.a = s->packed + (s->a_transposed ? row * s->k : 0);
                tile_packed(&t);
            } else {
                tile_rows(&t);
            }
        }
}

bool kernel_gemm_serves(const Gemm *s) {
    return s->m >= 3 * TILE_ROWS && s->n >= TILE_COLUMNS && s->k >= LANES &&
           s->m * s->n * s->k >= LEAST_WORK && __builtin_cpu_supports("avx512f") &&
           __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("fma");
}

bool kernel_gemm(const Gemm *s, const float *a, int64_t lda, const float *b, int64_t ldb, float *c,
                 int64_t ldc) {
    enum { FLOATS_B = BLOCK_K * BLOCK_N, FLOATS_A = BLOCK_K * BLOCK_M };
    float *packed = aligned_alloc(64, (FLOATS_B + FLOATS_A) * sizeof *packed);
    if (!packed) return false;
    int64_t n_blocks = (s->k + BLOCK_K - 1) / BLOCK_K, step = (s->k + n_blocks - 1) / n_blocks;
    for (int64_t column = 0; column < s->n; column += BLOCK_N)
        for (int64_t l = 0; l < s->k; l += step) {
            Block block = {.b = packed,
                           .bias = s->bias && l == 0 ? s->bias + column : NULL,
                           .packed = packed + FLOATS_B,
                           .n = least(BLOCK_N, s->n - column),
                           .k = least(step, s->k - l),
                           .lda = lda,
                           .ldc = ldc,
                           .alpha = s->alpha,
                           .beta = l == 0 ? s->beta : 1,
                           .a_transposed = s->a_transposed};
            pack_b(s, s->b_transposed ? b + column * ldb + l : b + l * ldb + column, ldb, block.k,
                   block.n, packed);
            for (int64_t row = 0; row < s->m; row += BLOCK_M) {
                block.m = least(BLOCK_M, s->m - row);
                block.a = s->a_transposed ? a + l * lda + row : a + row * lda + l;
                block.c = c + row * ldc + column;
                multiply_block(&block);
            }
        }
    free(packed);
    return true;
}

#else

bool kernel_gemm_serves(const Gemm *s) {
    (void)s;
    return false;
}

bool kernel_gemm(const Gemm *s, const float *a, int64_t lda, const float *b, int64_t ldb, float *c,
                 int64_t ldc) {
    (void)s, (void)a, (void)lda, (void)b, (void)ldb, (void)c, (void)ldc;
    return false;
}

#endif
