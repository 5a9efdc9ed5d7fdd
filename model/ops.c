/* Element-wise ops, norms, embeddings and the loss. */
#include "model/ops.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "model/kernels.h"

/* ---- sums and products ---- */

typedef struct Binary {
    Tensor a, b, y;
} Binary;

static void add_backward(const void *saved, Tape *tape) {
    (void)tape;
    const Binary *s = saved;
    int64_t n = tensor_count(s->y);
    if (s->a.grad) kernel_add(s->a.grad, s->y.grad, n);
    if (s->b.grad) kernel_add(s->b.grad, s->y.grad, n);
}

Tensor op_add(Run *run, Tensor a, Tensor b) {
    assert(tensor_same_shape(a, b) && tensor_is_contiguous(a) && tensor_is_contiguous(b));
    Tensor y = run_tensor_shape(run, a.rank, a.shape);
    int64_t n = tensor_count(a);
    memcpy(y.data, a.data, (size_t)n * sizeof *y.data);
    kernel_add(y.data, b.data, n);
    if (run->tape)
        *(Binary *)tape_append(run->tape, add_backward, sizeof(Binary)) = (Binary){a, b, y};
    return y;
}

static void mul_backward(const void *saved, Tape *tape) {
    (void)tape;
    const Binary *s = saved;
    for (int64_t i = 0, n = tensor_count(s->y); i < n; i++) {
        if (s->a.grad) s->a.grad[i] += s->y.grad[i] * s->b.data[i];
        if (s->b.grad) s->b.grad[i] += s->y.grad[i] * s->a.data[i];
    }
}

Tensor op_mul(Run *run, Tensor a, Tensor b) {
    assert(tensor_same_shape(a, b) && tensor_is_contiguous(a) && tensor_is_contiguous(b));
    Tensor y = run_tensor_shape(run, a.rank, a.shape);
    for (int64_t i = 0, n = tensor_count(a); i < n; i++)
        y.data[i] = a.data[i] * b.data[i];
    if (run->tape)
        *(Binary *)tape_append(run->tape, mul_backward, sizeof(Binary)) = (Binary){a, b, y};
    return y;
}

typedef struct Scaled {
    Tensor x, y;
    float factor;
} Scaled;

static void scale_backward(const void *saved, Tape *tape) {
    (void)tape;
    const Scaled *s = saved;
    if (s->x.grad) kernel_axpy(s->x.grad, s->factor, s->y.grad, tensor_count(s->y));
}

Tensor op_scale(Run *run, Tensor x, float factor) {
    assert(tensor_is_contiguous(x));
    Tensor y = run_tensor_shape(run, x.rank, x.shape);
    for (int64_t i = 0, n = tensor_count(x); i < n; i++)
        y.data[i] = factor * x.data[i];
    if (run->tape)
        *(Scaled *)tape_append(run->tape, scale_backward, sizeof(Scaled)) = (Scaled){x, y, factor};
    return y;
}

/* ---- dropout ---- */

typedef struct Dropped {
    Tensor base, x, y; /* base without data: none */
    float rate;
    uint32_t seed;
} Dropped;

static void dropout_backward(const void *saved, Tape *tape) {
    (void)tape;
    const Dropped *s = saved;
    int64_t n = tensor_count(s->y);
    if (s->base.grad) kernel_add(s->base.grad, s->y.grad, n);
    if (s->x.grad) kernel_dropout_backward(s->y.grad, s->x.grad, n, s->rate, s->seed);
}

static Tensor dropped_sum(Run *run, Tensor base, Tensor x) {
    assert(tensor_is_contiguous(x));
    Tensor y = run_tensor_shape(run, x.rank, x.shape);
    uint32_t seed = run->dropout_seed + 0x85ebca6bu * ++run->dropout_calls;
    kernel_dropout(base.data, x.data, y.data, tensor_count(x), run->dropout, seed);
    if (run->tape)
        *(Dropped *)tape_append(run->tape, dropout_backward, sizeof(Dropped)) =
            (Dropped){base, x, y, run->dropout, seed};
    return y;
}

Tensor op_residual(Run *run, Tensor base, Tensor x) {
    return run->dropout > 0 ? dropped_sum(run, base, x) : op_add(run, base, x);
}

Tensor op_dropout(Run *run, Tensor x) {
    return run->dropout > 0 ? dropped_sum(run, (Tensor){0}, x) : x;
}

/* ---- activations ---- */

typedef struct Activated {
    Tensor x, y;
    Activation kind;
} Activated;

static void activation_backward(const void *saved, Tape *tape) {
    (void)tape;
    const Activated *s = saved;
    if (s->x.grad)
        kernel_activation_backward(s->kind, s->x.data, s->y.grad, s->x.grad, tensor_count(s->y));
}

typedef struct ActivationWork {
    Activation kind;
    const float *x;
    float *y;
    int64_t n, n_parts;
} ActivationWork;

static void activate_part(void *context, int64_t part) {
    const ActivationWork *s = context;
    int64_t first = s->n * part / s->n_parts, end = s->n * (part + 1) / s->n_parts;
    kernel_activation(s->kind, s->x + first, s->y + first, end - first);
}

Tensor op_activation(Run *run, Activation kind, Tensor x) {
    assert(tensor_is_contiguous(x));
    Tensor y = run_tensor_shape(run, x.rank, x.shape);
    Team *team = run->tape || tensor_count(x) < 8192 ? NULL : run->team;
    ActivationWork work = {kind, x.data, y.data, tensor_count(x), team ? 4 * team_size(team) : 1};
    team_run(team, work.n_parts, activate_part, &work);
    if (run->tape)
        *(Activated *)tape_append(run->tape, activation_backward, sizeof(Activated)) =
            (Activated){x, y, kind};
    return y;
}

/* ---- norms ----
 * With c = x - mean and s = sqrt(mean(c^2) + epsilon), y = c / s * w + b. The scale is an op of its
 * own, since it is a hook site that may be written to; the two backwards together are the usual
 * one. */

typedef struct Normed {
    Tensor x, scale, y;
    float *means; // [n]
    const Norm *norm;
    NormKind kind;
} Normed;

static void norm_scale_backward(const void *saved, Tape *tape) {
    (void)tape;
    const Normed *s = saved;
    if (!s->x.grad) return;
    int64_t d = s->x.shape[1];
    for (int64_t t = 0; t < s->x.shape[0]; t++) {
        float ds = s->scale.grad[t] / ((float)d * s->scale.data[t]);
        const float *x = s->x.data + t * s->x.stride[0];
        float *dx = s->x.grad + t * s->x.stride[0];
        kernel_add_centred(dx, ds, x, s->means[t], d);
    }
}

Tensor op_norm_scale(Run *run, NormKind kind, Tensor x, float epsilon) {
    assert(x.rank == 2 && x.stride[1] == 1);
    int64_t n = x.shape[0];
    Tensor scale = run_tensor(run, 2, n, 1);
    float *means = arena_alloc(run->arena, (size_t)n * sizeof *means);
    for (int64_t t = 0; t < n; t++)
        kernel_norm_stats(x.data + t * x.stride[0], x.shape[1], kind == NORM_LAYER, epsilon,
                          means + t, scale.data + t);
    if (run->tape)
        *(Normed *)tape_append(run->tape, norm_scale_backward, sizeof(Normed)) =
            (Normed){x, scale, (Tensor){0}, means, NULL, kind};
    return scale;
}

static void norm_apply_backward(const void *saved, Tape *tape) {
    const Normed *s = saved;
    int64_t d = s->x.shape[1];
    float *dw = tape_param_grad(tape, s->norm->scale), *db = tape_param_grad(tape, s->norm->shift);
    const float *w = s->norm->scale;
    float plus = s->kind == NORM_RMS_PLUS ? 1 : 0;
    float *dc = arena_alloc(tape_scratch(tape), (size_t)d * sizeof *dc);
    for (int64_t t = 0; t < s->x.shape[0]; t++) {
        const float *x = s->x.data + t * s->x.stride[0], *dy = s->y.grad + t * d;
        float inverse = 1 / s->scale.data[t];
        float along = kernel_norm_slope(x, dy, w, plus, s->means[t], inverse, dw, dc, d);
        if (db) kernel_add(db, dy, d);
        if (s->scale.grad) s->scale.grad[t] -= along * inverse;
        if (!s->x.grad) continue;
        float *dx = s->x.grad + t * s->x.stride[0];
        float shift = s->kind == NORM_LAYER ? kernel_sum(dc, d) / (float)d : 0;
        kernel_add_centred(dx, 1, dc, shift, d);
    }
}

Tensor op_norm_apply(Run *run, NormKind kind, Tensor x, Tensor scale, const Norm *norm) {
    assert(x.rank == 2 && x.stride[1] == 1 && scale.shape[0] == x.shape[0]);
    int64_t n = x.shape[0], d = x.shape[1];
    Tensor y = run_tensor(run, 2, n, d);
    float *means = arena_alloc(run->arena, (size_t)n * sizeof *means);
    float plus = kind == NORM_RMS_PLUS ? 1 : 0;
    for (int64_t t = 0; t < n; t++) {
        const float *in = x.data + t * x.stride[0];
        float mean = kind == NORM_LAYER ? kernel_sum(in, d) / (float)d : 0,
              inverse = 1 / scale.data[t];
        float *out = y.data + t * d;
        means[t] = mean;
        kernel_norm_apply(in, mean, inverse, norm->scale, plus, out, d);
        if (norm->shift) kernel_add(out, norm->shift, d);
    }
    if (run->tape)
        *(Normed *)tape_append(run->tape, norm_apply_backward, sizeof(Normed)) =
            (Normed){x, scale, y, means, norm, kind};
    return y;
}

/* ---- embeddings ---- */

typedef struct Embedded {
    Tensor x, y; /* x without data: a look-up alone */
    const Weight *table;
    const int32_t *ids;
    float factor;
} Embedded;

static void embed_backward(const void *saved, Tape *tape) {
    const Embedded *s = saved;
    int64_t d = s->y.shape[1], stride = s->table->stride ? s->table->stride : d;
    if (s->x.grad) kernel_add(s->x.grad, s->y.grad, tensor_count(s->y));
    float *dw = s->table->dtype == DTYPE_F32 ? tape_param_grad(tape, s->table->data) : NULL;
    for (int64_t t = 0; dw && t < s->y.shape[0]; t++)
        kernel_axpy(dw + s->ids[t] * stride, s->factor, s->y.grad + t * d, d);
}

static Tensor embedded(Run *run, Tensor x, const Weight *table, const int32_t *ids, int64_t n,
                       float factor) {
    int64_t d = table->cols, stride = table->stride ? table->stride : d;
    assert(!table->transposed);
    Tensor y = run_tensor(run, 2, n, d);
    for (int64_t t = 0; t < n; t++) {
        float *row = y.data + t * d;
        assert(ids[t] >= 0 && ids[t] < table->rows);
        dtype_to_f32(table->dtype, table->data, ids[t] * stride, d, row);
        if (factor != 1) kernel_scale(row, factor, d);
        if (x.data) kernel_add(row, x.data + t * x.stride[0], d);
    }
    if (run->tape) {
        int32_t *kept = arena_alloc(run->arena, (size_t)n * sizeof *kept);
        memcpy(kept, ids, (size_t)n * sizeof *kept);
        *(Embedded *)tape_append(run->tape, embed_backward, sizeof(Embedded)) =
            (Embedded){x, y, table, kept, factor};
    }
    return y;
}

Tensor op_embed(Run *run, const Weight *table, const int32_t *ids, int64_t n, float factor) {
    return embedded(run, (Tensor){0}, table, ids, n, factor);
}

Tensor op_add_embed(Run *run, Tensor x, const Weight *table, const int32_t *ids) {
    assert(x.rank == 2 && x.shape[1] == table->cols && tensor_is_contiguous(x));
    return embedded(run, x, table, ids, x.shape[0], 1);
}

/* ---- loss ---- */

typedef struct Loss {
    Tensor logits, y;
    const int32_t *targets;
    float smoothing;
} Loss;

/* d loss / d logit[v] = p[v] - (1 - smoothing) [v = target] - smoothing / V. The loss is the only
 * reader of its logits, so their gradient is written, not added to: p lies there already. */
static void cross_entropy_backward(const void *saved, Tape *tape) {
    (void)tape;
    const Loss *s = saved;
    if (!s->logits.grad) return;
    int64_t n_vocab = s->logits.shape[1];
    float weight = s->y.grad[0];
    for (int64_t t = 0; t < s->logits.shape[0]; t++) {
        if (s->targets[t] < 0) continue;
        float *dx = s->logits.grad + t * n_vocab;
        kernel_affine(dx, weight, -weight * s->smoothing / (float)n_vocab, n_vocab);
        dx[s->targets[t]] -= weight * (1 - s->smoothing);
    }
}

Tensor op_cross_entropy(Run *run, Tensor logits, const int32_t *targets, float smoothing,
                        double *loss_plain) {
    assert(logits.rank == 2 && tensor_is_contiguous(logits));
    int64_t n = logits.shape[0], n_vocab = logits.shape[1];
    Tensor y = run_tensor(run, 1, 1);
    ArenaMark mark = arena_mark(run->arena);
    float *scratch = arena_alloc(run->arena, (size_t)n_vocab * sizeof *scratch);
    bool kept = run->tape && logits.grad; /* p, for the backward */
    double total = 0, plain = 0;
    for (int64_t t = 0; t < n; t++) {
        if (targets[t] < 0) continue;
        assert(targets[t] < n_vocab);
        const float *x = logits.data + t * n_vocab;
        float lse = kernel_softmax(x, kept ? logits.grad + t * n_vocab : scratch, n_vocab);
        double mean = smoothing > 0 ? kernel_sum(x, n_vocab) : 0;
        double nll = lse - x[targets[t]];
        plain += nll;
        total += (1 - smoothing) * nll + smoothing * (lse - mean / (double)n_vocab);
    }
    arena_reset(run->arena, mark);
    y.data[0] = (float)total;
    if (loss_plain) *loss_plain = plain;
    if (run->tape)
        *(Loss *)tape_append(run->tape, cross_entropy_backward, sizeof(Loss)) =
            (Loss){logits, y, targets, smoothing};
    return y;
}
