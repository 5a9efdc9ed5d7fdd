/* Matrix products: op_linear, and the one door to BLAS. */
#include "model/ops.h"

#include <assert.h>
#include <cblas.h>
#include <string.h>

#include "model/kernels.h"
#include "model/kernels_skinny.h"

void ops_blas_threads(int n_threads) {
    openblas_set_num_threads(n_threads);
}

const char *ops_blas_better_core(void) {
#if defined(__x86_64__)
    const char *core = openblas_get_corename();
    bool behind = strcmp(core, "Haswell") == 0 || strcmp(core, "Zen") == 0;
    if (behind && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
        __builtin_cpu_supports("avx512cd"))
        return "SKYLAKEX";
#endif
    return NULL;
}

void ops_gemm_blas(const Gemm *s, const float *a, int64_t lda, const float *b, int64_t ldb,
                   float *c, int64_t ldc) {
    cblas_sgemm(CblasRowMajor, s->a_transposed ? CblasTrans : CblasNoTrans,
                s->b_transposed ? CblasTrans : CblasNoTrans, (blasint)s->m, (blasint)s->n,
                (blasint)s->k, s->alpha, a, (blasint)lda, b, (blasint)ldb, s->beta, c,
                (blasint)ldc);
}

/* Below this many multiplications a call of BLAS costs more than the product. */
enum { SMALL_PRODUCT = 32 * 1024 };

void ops_gemm(const Gemm *s, const float *a, int64_t lda, const float *b, int64_t ldb, float *c,
              int64_t ldc) {
    if (s->m * s->n * s->k <= SMALL_PRODUCT && (s->beta == 0 || s->beta == 1) &&
        !(s->a_transposed && s->b_transposed)) {
        int m = (int)s->m, n = (int)s->n, k = (int)s->k;
        if (s->a_transposed)
            kernel_small_tn(m, n, k, s->alpha, a, lda, b, ldb, c, ldc, s->beta != 0);
        else if (s->b_transposed)
            kernel_small_nt(m, n, k, s->alpha, a, lda, b, ldb, c, ldc, s->beta != 0);
        else
            kernel_small_nn(m, n, k, s->alpha, a, lda, b, ldb, c, ldc, s->beta != 0);
        return;
    }
    if (s->m == 1 &&
        !s->a_transposed) { /* one token: every weight is read once, nothing is packed */
        bool turned = !s->b_transposed;
        cblas_sgemv(CblasRowMajor, turned ? CblasTrans : CblasNoTrans,
                    (blasint)(turned ? s->k : s->n), (blasint)(turned ? s->n : s->k), s->alpha, b,
                    (blasint)ldb, a, 1, s->beta, c, 1);
        return;
    }
    if (openblas_get_num_threads() == 1 && s->n >= 64 && kernel_skinny_serves(s)) {
        kernel_skinny(s, a, lda, b, ldb, c, ldc);
        return;
    }
    if (openblas_get_num_threads() == 1 && kernel_gemm_serves(s) && ops_blas_better_core() &&
        kernel_gemm(s, a, lda, b, ldb, c, ldc))
        return;
    ops_gemm_blas(s, a, lda, b, ldb, c, ldc);
}

Team *ops_team(void) {
    static const Gemm usual = {.m = 64, .n = 256, .k = 256};
    int n_threads = openblas_get_num_threads();
    return n_threads > 1 && kernel_gemm_serves(&usual) ? team_new(n_threads) : NULL;
}

/* The bias in every row, where the product will be added to it. */
static void put_bias(const float *bias, int64_t m, int64_t n, float *c, int64_t ldc) {
    for (int64_t i = 0; bias && i < m; i++)
        memcpy(c + i * ldc, bias, (size_t)n * sizeof *c);
}

void ops_gemm_part(const Gemm *s, const float *a, int64_t lda, const float *b, int64_t ldb,
                   float *c, int64_t ldc) {
    assert(!s->bias || s->beta == 0);
    bool skinny = kernel_skinny_serves(s);
    if (!skinny && kernel_gemm_serves(s) && kernel_gemm(s, a, lda, b, ldb, c, ldc)) return;
    put_bias(s->bias, s->m, s->n, c, ldc);
    Gemm onto = *s;
    if (s->bias) onto.beta = 1;
    int m = (int)s->m, n = (int)s->n, k = (int)s->k;
    if (skinny)
        kernel_skinny(&onto, a, lda, b, ldb, c, ldc);
    else if (s->b_transposed)
        kernel_small_nt(m, n, k, s->alpha, a, lda, b, ldb, c, ldc, onto.beta != 0);
    else
        kernel_small_nn(m, n, k, s->alpha, a, lda, b, ldb, c, ldc, onto.beta != 0);
}

/* A weight as f32 rows first..first + n, converted into scratch where it is not f32 already. */
typedef struct Panel {
    const float *data;
    int64_t stride;
    bool transposed;
} Panel;

static int64_t kept_stride(const Weight *w) {
    return w->stride ? w->stride : w->transposed ? w->rows : w->cols;
}

static Panel weight_panel(const Weight *w, int64_t first, int64_t n, float *scratch) {
    int64_t stride = kept_stride(w);
    if (w->dtype == DTYPE_F32) {
        const float *data = w->data;
        return (Panel){data + first * (w->transposed ? 1 : stride), stride, w->transposed};
    }
    if (!w->transposed) {
        for (int64_t r = 0; r < n; r++)
            dtype_to_f32(w->dtype, w->data, (first + r) * stride, w->cols, scratch + r * w->cols);
        return (Panel){scratch, w->cols, false};
    }
    for (int64_t c = 0; c < w->cols; c++)
        dtype_to_f32(w->dtype, w->data, c * stride + first, n, scratch + c * n);
    return (Panel){scratch, n, true};
}

enum { PANEL_ROWS = 256 }; /* a multiple of every packed block; 256 x 4096 floats stay in cache */

/* Outputs a panel: f32 needs no conversion, so all of them. */
static int64_t panel_rows(const Weight *w) {
    return w->dtype == DTYPE_F32 ? w->rows : PANEL_ROWS < w->rows ? PANEL_ROWS : w->rows;
}

typedef struct LinearSaved {
    Tensor x, y;
    const Linear *linear;
} LinearSaved;

static void linear_backward(const void *saved, Tape *tape) {
    const LinearSaved *s = saved;
    const Weight *w = &s->linear->weight;
    int64_t n = s->x.shape[0], ldx = s->x.stride[0];
    if (s->x.grad) {
        int64_t step = panel_rows(w);
        float *scratch = w->dtype == DTYPE_F32
                             ? NULL
                             : arena_alloc(tape_scratch(tape), (size_t)(step * w->cols) * 4);
        for (int64_t first = 0; first < w->rows; first += step) {
            int64_t rows = w->rows - first < step ? w->rows - first : step;
            Panel p = weight_panel(w, first, rows, scratch);
            ops_gemm(&(Gemm){.b_transposed = p.transposed,
                             .m = n,
                             .n = w->cols,
                             .k = rows,
                             .alpha = 1,
                             .beta = 1},
                     s->y.grad + first, s->y.stride[0], p.data, p.stride, s->x.grad, ldx);
        }
    }
    float *dw = w->dtype == DTYPE_F32 ? tape_param_grad(tape, w->data) : NULL;
    if (dw && !w->transposed)
        ops_gemm(
            &(Gemm){
                .a_transposed = true, .m = w->rows, .n = w->cols, .k = n, .alpha = 1, .beta = 1},
            s->y.grad, s->y.stride[0], s->x.data, ldx, dw, kept_stride(w));
    else if (dw)
        ops_gemm(
            &(Gemm){
                .a_transposed = true, .m = w->cols, .n = w->rows, .k = n, .alpha = 1, .beta = 1},
            s->x.data, ldx, s->y.grad, s->y.stride[0], dw, kept_stride(w));
    float *db = tape_param_grad(tape, s->linear->bias);
    for (int64_t t = 0; db && t < n; t++)
        kernel_add(db, s->y.grad + t * s->y.stride[0], w->rows);
}

/* Outputs in slices, a part of the team's round each: its rows of the weight, converted if need be,
 * its columns of y. */
typedef struct Slices {
    Tensor x, y;
    const Linear *linear;
    int64_t first, end, width; /* outputs of this round; of a slice */
    float *scratch;            // [slice, width, in]; NULL for f32
} Slices;

static void linear_slice(void *context, int64_t part) {
    const Slices *s = context;
    const Weight *w = &s->linear->weight;
    int64_t first = s->first + part * s->width, n = s->x.shape[0];
    int64_t rows = s->end - first < s->width ? s->end - first : s->width;
    float *scratch = s->scratch ? s->scratch + part * s->width * w->cols : NULL;
    Panel p = weight_panel(w, first, rows, scratch);
    ops_gemm_part(&(Gemm){.b_transposed = !p.transposed,
                          .m = n,
                          .n = rows,
                          .k = w->cols,
                          .alpha = 1,
                          .bias = s->linear->bias ? s->linear->bias + first : NULL},
                  s->x.data, s->x.stride[0], p.data, p.stride, s->y.data + first, w->rows);
}

enum { LEAST_SLICE = 64 }; /* outputs: whole tiles of the kernels */

/* A few slices for each thread, so that one which is held up costs little. */
static void linear_f32(Run *run, Slices *s) {
    int64_t n_slices = 4 * (int64_t)team_size(run->team);
    s->end = s->linear->weight.rows;
    s->width = (s->end + n_slices - 1) / n_slices;
    s->width = (s->width + LEAST_SLICE - 1) / LEAST_SLICE * LEAST_SLICE;
    team_run(run->team, (s->end + s->width - 1) / s->width, linear_slice, s);
}

/* Slices that stay in a cache between conversion and product, in rounds that bound the scratch. */
static void linear_converted(Run *run, Slices *s) {
    const Weight *w = &s->linear->weight;
    int64_t n_slices = 4 * (int64_t)team_size(run->team);
    ArenaMark mark = arena_mark(run->arena);
    s->width = w->transposed ? PANEL_ROWS : LEAST_SLICE; /* packed blocks lie along the outputs */
    s->scratch = arena_alloc(run->arena, (size_t)(n_slices * s->width * w->cols) * sizeof(float));
    for (s->first = 0; s->first < w->rows; s->first = s->end) {
        s->end = s->first + n_slices * s->width;
        if (s->end > w->rows) s->end = w->rows;
        team_run(run->team, (s->end - s->first + s->width - 1) / s->width, linear_slice, s);
    }
    arena_reset(run->arena, mark);
}

static bool linear_by_team(Run *run, Tensor x, const Linear *linear, Tensor y) {
    const Weight *w = &linear->weight;
    if (!run->team || run->tape || x.shape[0] == 0 || w->cols < 16 || w->rows < 2 * LEAST_SLICE)
        return false;
    Slices s = {.x = x, .y = y, .linear = linear};
    if (w->dtype == DTYPE_F32)
        linear_f32(run, &s);
    else
        linear_converted(run, &s);
    return true;
}

Tensor op_linear(Run *run, Tensor x, const Linear *linear) {
    const Weight *w = &linear->weight;
    assert(x.rank == 2 && x.shape[1] == w->cols && x.stride[1] == 1);
    int64_t n = x.shape[0];
    Tensor y = run_tensor(run, 2, n, w->rows);
    if (linear_by_team(run, x, linear, y)) return y;
    ArenaMark mark = arena_mark(run->arena);
    int64_t step = panel_rows(w);
    float *scratch = w->dtype == DTYPE_F32
                         ? NULL
                         : arena_alloc(run->arena, (size_t)(step * w->cols) * sizeof(float));
    put_bias(linear->bias, n, w->rows, y.data, w->rows);
    for (int64_t first = 0; first < w->rows && n > 0; first += step) {
        int64_t rows = w->rows - first < step ? w->rows - first : step;
        Panel p = weight_panel(w, first, rows, scratch);
        ops_gemm(&(Gemm){.b_transposed = !p.transposed,
                         .m = n,
                         .n = rows,
                         .k = w->cols,
                         .alpha = 1,
                         .beta = linear->bias ? 1 : 0},
                 x.data, x.stride[0], p.data, p.stride, y.data + first, w->rows);
    }
    arena_reset(run->arena, mark);
    if (run->tape) {
        LinearSaved *s = tape_append(run->tape, linear_backward, sizeof *s);
        *s = (LinearSaved){x, y, linear};
    }
    return y;
}
