/* Scaled dot-product attention, head by head: scores, softmax, and the mix of values. */
#include "model/ops.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "model/kernels.h"

/* [pos, head, d_head] with heads side by side: head h is a matrix of its own row stride. */
static float *head_data(Tensor x, int64_t head) {
    return x.data + head * x.stride[1];
}
static float *head_grad(Tensor x, int64_t head) {
    return x.grad + head * x.stride[1];
}

typedef struct Scores {
    Tensor q, k, bias, y;
    float scale;
} Scores;

static void scores_backward(const void *saved, Tape *tape) {
    (void)tape;
    const Scores *s = saved;
    int64_t n_heads = s->q.shape[1], group = n_heads / s->k.shape[1], d = s->q.shape[2];
    int64_t nq = s->q.shape[0], nk = s->k.shape[0];
    for (int64_t h = 0; h < n_heads; h++) {
        const float *dy =
            s->y.grad + h * nq * nk; /* masked cells have gradient 0: softmax gave 0 */
        if (s->q.grad)
            ops_gemm(&(Gemm){.m = nq, .n = d, .k = nk, .alpha = s->scale, .beta = 1}, dy, nk,
                     head_data(s->k, h / group), s->k.stride[0], head_grad(s->q, h),
                     s->q.stride[0]);
        if (s->k.grad)
            ops_gemm(
                &(Gemm){
                    .a_transposed = true, .m = nk, .n = d, .k = nq, .alpha = s->scale, .beta = 1},
                dy, nk, head_data(s->q, h), s->q.stride[0], head_grad(s->k, h / group),
                s->k.stride[0]);
    }
    if (s->bias.grad) kernel_add(s->bias.grad, s->y.grad, tensor_count(s->y));
}

/* One row of each head: what lies before the window, behind the query, or is left out. */
static void mask_scores(Tensor y, const MaskRule *mask) {
    if (!mask->causal && !mask->window && !mask->keep) return;
    int64_t n_keys = y.shape[2];
    for (int64_t h = 0; h < y.shape[0]; h++)
        for (int64_t q = 0; q < y.shape[1]; q++) {
            float *row = y.data + (h * y.shape[1] + q) * n_keys;
            int64_t at = q + mask->query_offset, end = n_keys, begin = 0;
            if (mask->causal && at + 1 < end) end = at + 1;
            if (mask->window > 0 && at + 1 - mask->window > 0) begin = at + 1 - mask->window;
            if (begin > n_keys) begin = n_keys;
            for (int64_t k = 0; k < begin; k++)
                row[k] = -INFINITY;
            for (int64_t k = end; k < n_keys; k++)
                row[k] = -INFINITY;
            for (int64_t k = begin; mask->keep && k < end; k++)
                if (!mask->keep[k]) row[k] = -INFINITY;
        }
}

typedef struct ScoresWork {
    Tensor q, k, bias, y;
    float scale;
    const MaskRule *mask;
    bool alone; /* BLAS must not bring threads of its own */
} ScoresWork;

static void scores_of_head(void *context, int64_t h) {
    const ScoresWork *s = context;
    int64_t nq = s->q.shape[0], nk = s->k.shape[0], group = s->q.shape[1] / s->k.shape[1];
    Tensor y = tensor_slice(s->y, 0, h, h + 1);
    (s->alone ? ops_gemm_part : ops_gemm)(
        &(Gemm){.b_transposed = true, .m = nq, .n = nk, .k = s->q.shape[2], .alpha = s->scale},
        head_data(s->q, h), s->q.stride[0], head_data(s->k, h / group), s->k.stride[0], y.data, nk);
    if (s->bias.data) kernel_add(y.data, s->bias.data + h * nq * nk, nq * nk);
    mask_scores(y, s->mask);
}

Tensor op_attention_scores(Run *run, Tensor q, Tensor k, float scale, Tensor bias,
                           const MaskRule *mask) {
    int64_t n_heads = q.shape[1], nq = q.shape[0], nk = k.shape[0];
    assert(q.rank == 3 && k.rank == 3 && k.shape[2] == q.shape[2] && n_heads % k.shape[1] == 0);
    assert(!bias.data || tensor_is_contiguous(bias));
    Tensor y = run_tensor(run, 3, n_heads, nq, nk);
    Team *team = run->tape ? NULL : run->team;
    ScoresWork work = {q, k, bias, y, scale, mask, team != NULL};
    team_run(team, n_heads, scores_of_head, &work);
    if (run->tape)
        *(Scores *)tape_append(run->tape, scores_backward, sizeof(Scores)) =
            (Scores){q, k, bias, y, scale};
    return y;
}

typedef struct Softmax {
    Tensor x, y;
} Softmax;

static void softmax_backward(const void *saved, Tape *tape) {
    (void)tape;
    const Softmax *s = saved;
    int64_t n = s->y.shape[s->y.rank - 1];
    if (!s->x.grad || n == 0) return;
    for (int64_t i = 0, rows = tensor_count(s->y) / n; i < rows; i++)
        kernel_softmax_backward(s->y.data + i * n, s->y.grad + i * n, s->x.grad + i * n, n);
}

typedef struct SoftmaxWork {
    Tensor x, y, lse;
    int64_t rows; /* of each matrix */
} SoftmaxWork;

static void softmax_of_matrix(void *context, int64_t index) {
    const SoftmaxWork *s = context;
    int64_t n = s->x.shape[s->x.rank - 1];
    for (int64_t i = index * s->rows; i < (index + 1) * s->rows; i++) {
        float row = kernel_softmax(s->x.data + i * n, s->y.data + i * n, n);
        if (s->lse.data) s->lse.data[i] = row;
    }
}

Tensor op_softmax(Run *run, Tensor x, Tensor lse) {
    assert(tensor_is_contiguous(x));
    Tensor y = run_tensor_shape(run, x.rank, x.shape);
    int64_t n = x.shape[x.rank - 1], n_matrices = x.rank == 3 ? x.shape[0] : 1;
    if (tensor_count(x) > 0) {
        SoftmaxWork work = {x, y, lse, tensor_count(x) / n / n_matrices};
        team_run(run->tape ? NULL : run->team, n_matrices, softmax_of_matrix, &work);
    }
    if (run->tape)
        *(Softmax *)tape_append(run->tape, softmax_backward, sizeof(Softmax)) = (Softmax){x, y};
    return y;
}

typedef struct Mix {
    Tensor pattern, v, out;
} Mix;

static void mix_backward(const void *saved, Tape *tape) {
    (void)tape;
    const Mix *s = saved;
    int64_t n_heads = s->pattern.shape[0], group = n_heads / s->v.shape[1], d = s->v.shape[2];
    int64_t nq = s->pattern.shape[1], nk = s->pattern.shape[2];
    for (int64_t h = 0; h < n_heads; h++) {
        const float *dz = head_grad(s->out, h);
        if (s->pattern.grad)
            ops_gemm(&(Gemm){.b_transposed = true, .m = nq, .n = nk, .k = d, .alpha = 1, .beta = 1},
                     dz, s->out.stride[0], head_data(s->v, h / group), s->v.stride[0],
                     s->pattern.grad + h * nq * nk, nk);
        if (s->v.grad)
            ops_gemm(&(Gemm){.a_transposed = true, .m = nk, .n = d, .k = nq, .alpha = 1, .beta = 1},
                     s->pattern.data + h * nq * nk, nk, dz, s->out.stride[0],
                     head_grad(s->v, h / group), s->v.stride[0]);
    }
}

typedef struct MixWork {
    Tensor pattern, v, out;
    bool alone;
} MixWork;

static void mix_of_head(void *context, int64_t h) {
    const MixWork *s = context;
    int64_t group = s->pattern.shape[0] / s->v.shape[1];
    int64_t nq = s->pattern.shape[1], nk = s->pattern.shape[2];
    (s->alone ? ops_gemm_part : ops_gemm)(
        &(Gemm){.m = nq, .n = s->v.shape[2], .k = nk, .alpha = 1}, s->pattern.data + h * nq * nk,
        nk, head_data(s->v, h / group), s->v.stride[0], head_data(s->out, h), s->out.stride[0]);
}

void op_attention_mix(Run *run, Tensor pattern, Tensor v, Tensor out) {
    int64_t n_heads = pattern.shape[0];
    assert(tensor_is_contiguous(pattern) && v.shape[0] == pattern.shape[2] &&
           out.shape[0] == pattern.shape[1]);
    Team *team = run->tape ? NULL : run->team;
    MixWork work = {pattern, v, out, team != NULL};
    team_run(team, n_heads, mix_of_head, &work);
    if (run->tape)
        *(Mix *)tape_append(run->tape, mix_backward, sizeof(Mix)) = (Mix){pattern, v, out};
}
