/* Every op: its backward against central differences, its forward against plain loops.
 * Those of attention are in test_ops_attention.c. */
#include "tests/model/engine.h"

#include <string.h>

#include "model/ops.h"
#include "model/position.h"

/* ---- linear ---- */

static Tensor linear(Run *run, const Tensor *in, const void *context) {
    return op_linear(run, in[0], context);
}

static void linear_gradients(void **state) {
    (void)state;
    static const struct {
        int n, in, out;
        bool bias, transposed, gap;
    } cases[] = {{3, 5, 4, true, false, false},   {1, 7, 3, true, false, false},
                 {4, 6, 5, false, true, false},   {2, 5, 6, true, true, true},
                 {3, 4, 5, false, false, true},   {40, 33, 31, true, false, false},
                 {37, 40, 29, true, true, false}, {1, 1, 1, true, false, false}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Arena *arena = arena_new();
        int rows = cases[i].transposed ? cases[i].in : cases[i].out;
        int cols = cases[i].transposed ? cases[i].out : cases[i].in;
        int stride = cols + (cases[i].gap ? 2 : 0);
        Tensor params = random_new(arena, 1, 1, 1, rows * stride + cases[i].out);
        Linear w = {.weight = {.data = params.data,
                               .transposed = cases[i].transposed,
                               .rows = cases[i].out,
                               .cols = cases[i].in,
                               .stride = cases[i].gap ? stride : 0},
                    .bias = cases[i].bias ? params.data + rows * stride : NULL};
        gradient_check(&(GradientCheck){.function = linear,
                                        .context = &w,
                                        .n_in = 1,
                                        .in = {random_strided(arena, 2, cases[i].n, cases[i].in)},
                                        .params = params});
        arena_free(arena);
    }
}

/* Kept as F16, BF16 and F64: the product with what those numbers are in f32; more rows than one
 * panel. The gradient by x goes the same way. */
static void linear_of_other_types(void **state) {
    (void)state;
    static const Dtype types[] = {DTYPE_F16, DTYPE_BF16, DTYPE_F64};
    enum { N = 3, IN = 17, OUT = 600 };
    for (int i = 0; i < 6; i++) {
        Arena *arena = arena_new();
        Dtype dtype = types[i / 2];
        bool transposed = i % 2;
        Tensor w = random_new(arena, 1, 1, 2, transposed ? IN : OUT, transposed ? OUT : IN);
        size_t n_bytes;
        assert_true(dtype_bytes(dtype, IN * OUT, &n_bytes));
        void *kept = arena_alloc(arena, n_bytes);
        dtype_from_f32(dtype, w.data, IN * OUT, kept);
        dtype_to_f32(dtype, kept, 0, IN * OUT, w.data);
        Linear plain = {
            .weight = {.data = w.data, .transposed = transposed, .rows = OUT, .cols = IN}};
        Linear packed = plain;
        packed.weight.data = kept;
        packed.weight.dtype = dtype;
        Tensor x = random_strided(arena, 2, N, IN);
        Run run = {.arena = arena};
        assert_true(tensor_distance(op_linear(&run, x, &plain), op_linear(&run, x, &packed)) <
                    2e-5);
        if (dtype == DTYPE_F16)
            gradient_check(&(GradientCheck){
                .function = linear, .context = &packed, .n_in = 1, .in = {x}, .tolerance = 3e-3});
        arena_free(arena);
    }
}

/* ---- element by element ---- */

static Tensor add(Run *run, const Tensor *in, const void *context) {
    (void)context;
    return op_add(run, in[0], in[1]);
}
static Tensor mul(Run *run, const Tensor *in, const void *context) {
    (void)context;
    return op_mul(run, in[0], in[1]);
}
static Tensor square(Run *run, const Tensor *in, const void *context) {
    (void)context;
    return op_mul(run, in[0], in[0]);
}
static Tensor twice(Run *run, const Tensor *in, const void *context) {
    (void)context;
    return op_add(run, op_scale(run, in[0], -2.5f), in[0]);
}
static Tensor residual(Run *run, const Tensor *in, const void *context) {
    (void)context;
    return op_residual(run, in[0], op_residual(run, in[1], in[0]));
}
static Tensor dropout(Run *run, const Tensor *in, const void *context) {
    (void)context;
    return op_dropout(run, in[0]);
}

static void elementwise_gradients(void **state) {
    (void)state;
    Arena *arena = arena_new();
    Tensor a = random_new(arena, 1, 1, 2, 5, 7), b = random_new(arena, 2, 1, 2, 5, 7);
    gradient_check(&(GradientCheck){.function = add, .n_in = 2, .in = {a, b}});
    arena_clear(arena);
    a = random_new(arena, 1, 1, 2, 5, 7), b = random_new(arena, 2, 1, 2, 5, 7);
    gradient_check(&(GradientCheck){.function = mul, .n_in = 2, .in = {a, b}});
    gradient_check(&(GradientCheck){
        .function = square, .n_in = 1, .in = {random_new(arena, 3, 1, 3, 2, 3, 4)}});
    gradient_check(
        &(GradientCheck){.function = twice, .n_in = 1, .in = {random_new(arena, 4, 1, 2, 1, 9)}});
    for (int i = 0; i < 3; i++) {
        float rate = (float[]){0, 0.1f, 0.5f}[i];
        Tensor x = random_new(arena, 5, 1, 2, 6, 9), y = random_new(arena, 6, 1, 2, 6, 9);
        gradient_check(
            &(GradientCheck){.function = residual, .n_in = 2, .in = {x, y}, .dropout = rate});
        if (rate > 0)
            gradient_check(&(GradientCheck){.function = dropout,
                                            .n_in = 1,
                                            .in = {random_new(arena, 7, 1, 2, 4, 5)},
                                            .dropout = rate});
    }
    arena_free(arena);
}

static Tensor activation(Run *run, const Tensor *in, const void *context) {
    return op_activation(run, *(const Activation *)context, in[0]);
}

static void activation_gradients(void **state) {
    (void)state;
    for (Activation kind = ACTIVATION_RELU; kind <= ACTIVATION_SIGMOID; kind++) {
        Arena *arena = arena_new();
        Tensor x = random_new(arena, 1, 2, 2, 3, 23);
        for (int64_t i = 0; i < tensor_count(x); i++) /* not across the corner of ReLU */
            if (fabsf(x.data[i]) < 0.05f) x.data[i] = 0.3f;
        gradient_check(
            &(GradientCheck){.function = activation, .context = &kind, .n_in = 1, .in = {x}});
        arena_free(arena);
    }
}

/* ---- norms ---- */

typedef struct NormCase {
    NormKind kind;
    Norm norm;
} NormCase;

static Tensor normed(Run *run, const Tensor *in, const void *context) {
    const NormCase *c = context;
    Tensor scale = op_norm_scale(run, c->kind, in[0], 1e-5f);
    return op_norm_apply(run, c->kind, in[0], scale, &c->norm);
}
static Tensor norm_scale(Run *run, const Tensor *in, const void *context) {
    return op_norm_scale(run, ((const NormCase *)context)->kind, in[0], 1e-5f);
}
static Tensor norm_apply(Run *run, const Tensor *in, const void *context) {
    const NormCase *c = context;
    return op_norm_apply(run, c->kind, in[0], in[1], &c->norm);
}

static void norm_gradients(void **state) {
    (void)state;
    for (int i = 0; i < 9; i++) {
        int n = (int[]){4, 1, 3}[i / 3], d = (int[]){19, 5, 32}[i / 3];
        Arena *arena = arena_new();
        Tensor params = random_new(arena, 1, 0.5, 1, 2 * d);
        bool shifted = i % 3 == NORM_LAYER;
        NormCase c = {.kind = (NormKind)(i % 3),
                      .norm = {params.data, shifted ? params.data + d : NULL}};
        Tensor scale = random_new(arena, 4, 0.1, 2, n, 1);
        for (int t = 0; t < n; t++)
            scale.data[t] += 1.5f;
        GradientCheck check = {
            .function = normed, .context = &c, .n_in = 1, .in = {random_strided(arena, 2, n, d)}};
        check.params = params;
        gradient_check(&check);
        check = (GradientCheck){.function = norm_scale,
                                .context = &c,
                                .n_in = 1,
                                .in = {random_strided(arena, 3, n, d)}};
        gradient_check(&check);
        memset(params.grad, 0, (size_t)(2 * d) * sizeof *params.grad);
        check = (GradientCheck){.function = norm_apply,
                                .context = &c,
                                .n_in = 2,
                                .in = {random_strided(arena, 3, n, d), scale},
                                .params = params};
        gradient_check(&check);
        arena_free(arena);
    }
}

/* ---- embeddings ---- */

typedef struct EmbedCase {
    Weight table;
    const int32_t *ids;
    int n;
} EmbedCase;

static Tensor embed(Run *run, const Tensor *in, const void *context) {
    (void)in;
    const EmbedCase *c = context;
    return op_embed(run, &c->table, c->ids, c->n, 1.7f);
}
static Tensor add_embed(Run *run, const Tensor *in, const void *context) {
    const EmbedCase *c = context;
    return op_add_embed(run, in[0], &c->table, c->ids);
}

static void embedding_gradients(void **state) {
    (void)state;
    static const int32_t ids[] = {2, 0, 2, 5, 2}; /* one of them thrice */
    for (int gap = 0; gap <= 4; gap += 4) {       /* rows of a table that lie apart */
        Arena *arena = arena_new();
        Tensor params = random_new(arena, 1, 1, 1, 6 * (7 + gap));
        EmbedCase c = {
            {.data = params.data, .rows = 6, .cols = 7, .stride = gap ? 7 + gap : 0}, ids, 5};
        gradient_check(&(GradientCheck){.function = embed, .context = &c, .params = params});
        memset(params.grad, 0, (size_t)tensor_count(params) * sizeof *params.grad);
        gradient_check(&(GradientCheck){.function = add_embed,
                                        .context = &c,
                                        .n_in = 1,
                                        .in = {random_new(arena, 2, 1, 2, 5, 7)},
                                        .params = params});
        arena_free(arena);
    }
}

/* ---- loss ---- */

typedef struct LossCase {
    const int32_t *targets;
    float smoothing;
} LossCase;

static Tensor loss(Run *run, const Tensor *in, const void *context) {
    const LossCase *c = context;
    return op_cross_entropy(run, in[0], c->targets, c->smoothing, NULL);
}

static void cross_entropy(void **state) {
    (void)state;
    static const int32_t targets[] = {3, -1, 0, 18};
    for (int i = 0; i < 3; i++) {
        Arena *arena = arena_new();
        LossCase c = {targets, (float[]){0, 0.1f, 0.6f}[i]};
        Tensor x = random_new(arena, 1, 2, 2, 4, 19);
        gradient_check(&(GradientCheck){.function = loss, .context = &c, .n_in = 1, .in = {x}});
        Run run = {.arena = arena};
        double want = 0, want_plain = 0, plain;
        Tensor y = op_cross_entropy(&run, x, targets, c.smoothing, &plain);
        for (int t = 0; t < 4; t++) {
            if (targets[t] < 0) continue;
            double total = 0, mean = 0;
            for (int v = 0; v < 19; v++)
                total += exp(*tensor_at(x, t, v, 0, 0));
            for (int v = 0; v < 19; v++)
                mean += (log(total) - *tensor_at(x, t, v, 0, 0)) / 19;
            double nll = log(total) - *tensor_at(x, t, targets[t], 0, 0);
            want_plain += nll;
            want += (1 - c.smoothing) * nll + c.smoothing * mean;
        }
        assert_true(fabs(y.data[0] - want) < 1e-5 * want);
        assert_true(fabs(plain - want_plain) < 1e-5 * want_plain);
        arena_free(arena);
    }
}

/* ---- products ---- */

static void products_equal_plain_loops(void **state) {
    (void)state;
    static const int sizes[][3] = {{1, 1, 1},  {3, 4, 5},    {1, 17, 33},  {16, 16, 16}, {7, 1, 64},
                                   {40, 3, 2}, {31, 33, 40}, {64, 65, 66}, {2, 5, 0}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        for (int how = 0; how < 8; how++) {
            bool ta = how & 1, tb = how & 2, add_to = how & 4;
            int m = sizes[i][0], n = sizes[i][1], k = sizes[i][2];
            Arena *arena = arena_new();
            Tensor a = random_new(arena, 1, 1, 2, (ta ? k : m) + 1, (ta ? m : k) + 2);
            Tensor b = random_new(arena, 2, 1, 2, (tb ? n : k) + 1, (tb ? k : n) + 3);
            Tensor c = random_new(arena, 3, 1, 2, m, n + 1), old = tensor_clone(arena, c);
            ops_gemm(&(Gemm){ta, tb, m, n, k, 1.5f, add_to ? 1 : 0, NULL}, a.data, a.stride[0],
                     b.data, b.stride[0], c.data, c.stride[0]);
            for (int x = 0; x < m; x++) {
                for (int y = 0; y < n; y++) {
                    double want = add_to ? *tensor_at(old, x, y, 0, 0) : 0;
                    for (int z = 0; z < k; z++)
                        want += 1.5 * *tensor_at(a, ta ? z : x, ta ? x : z, 0, 0) *
                                *tensor_at(b, tb ? y : z, tb ? z : y, 0, 0);
                    assert_true(fabs(want - *tensor_at(c, x, y, 0, 0)) < 2e-5 * (1 + fabs(want)));
                }
                assert_true(*tensor_at(c, x, n, 0, 0) == *tensor_at(old, x, n, 0, 0));
            }
            arena_free(arena);
        }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(linear_gradients),      cmocka_unit_test(linear_of_other_types),
        cmocka_unit_test(elementwise_gradients), cmocka_unit_test(activation_gradients),
        cmocka_unit_test(norm_gradients),        cmocka_unit_test(embedding_gradients),
        cmocka_unit_test(cross_entropy),         cmocka_unit_test(products_equal_plain_loops),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
