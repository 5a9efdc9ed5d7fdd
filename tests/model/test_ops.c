/* Every op: its backward against central differences, its forward against plain loops. */
#include "tests/model/engine.h"

#include <stdlib.h>
#include <string.h>

#include "model/ops.h"
#include "model/position.h"

/* Columns of a wider buffer: rows do not lie one behind the other. */
static Tensor strided(Arena *arena, int seed, int64_t n, int64_t d) {
    return tensor_slice(random_new(arena, seed, 1, 2, n, d + 3), 1, 2, d + 2);
}

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
                                        .in = {strided(arena, 2, cases[i].n, cases[i].in)},
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
        Tensor x = strided(arena, 2, N, IN);
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
            .function = normed, .context = &c, .n_in = 1, .in = {strided(arena, 2, n, d)}};
        check.params = params;
        gradient_check(&check);
        check = (GradientCheck){
            .function = norm_scale, .context = &c, .n_in = 1, .in = {strided(arena, 3, n, d)}};
        gradient_check(&check);
        memset(params.grad, 0, (size_t)(2 * d) * sizeof *params.grad);
        check = (GradientCheck){.function = norm_apply,
                                .context = &c,
                                .n_in = 2,
                                .in = {strided(arena, 3, n, d), scale},
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

/* ---- attention ---- */

typedef struct AttentionCase {
    int n_queries, n_keys, n_heads, n_kv_heads, d_head;
    bool biased;
    MaskRule mask;
} AttentionCase;

static const uint8_t keep_some[] = {1, 0, 1, 1, 0, 1, 1, 1, 1};
static const AttentionCase attention_cases[] = {
    {4, 5, 2, 2, 3, false, {0}},
    {5, 5, 4, 2, 3, true, {.causal = true}},
    {1, 6, 3, 1, 4, false, {.causal = true, .query_offset = 5}},
    {6, 6, 2, 1, 5, true, {.causal = true, .window = 2}},
    {3, 9, 2, 2, 2, true, {.keep = keep_some}},
    {1, 1, 1, 1, 1, false, {.causal = true}},
    {33, 40, 2, 1, 32, false, {.causal = true, .query_offset = 7}}, /* through BLAS */
};
enum { N_ATTENTION = sizeof attention_cases / sizeof *attention_cases };

/* [pos, head, d_head] out of wider rows, as the loader's fused matrices give them. */
static Tensor heads(Arena *arena, int seed, int n, int n_heads, int d_head) {
    return tensor_split(strided(arena, seed, n, n_heads * d_head), 1, n_heads);
}

static Tensor scores(Run *run, const Tensor *in, const void *context) {
    const AttentionCase *c = context;
    return op_attention_scores(run, in[0], in[1], 0.7f, c->biased ? in[2] : (Tensor){0}, &c->mask);
}

static Tensor whole_attention(Run *run, const Tensor *in, const void *context) {
    const AttentionCase *c = context;
    Tensor pattern = op_softmax(
        run,
        op_attention_scores(run, in[0], in[1], 0.7f, c->biased ? in[3] : (Tensor){0}, &c->mask),
        (Tensor){0});
    Tensor out = run_tensor(run, 3, c->n_queries, c->n_heads, c->d_head);
    op_attention_mix(run, pattern, in[2], out);
    return out;
}

static void attention_gradients(void **state) {
    (void)state;
    for (int i = 0; i < N_ATTENTION; i++) {
        const AttentionCase *c = &attention_cases[i];
        Arena *arena = arena_new();
        Tensor q = heads(arena, 1, c->n_queries, c->n_heads, c->d_head);
        Tensor k = heads(arena, 2, c->n_keys, c->n_kv_heads, c->d_head);
        Tensor v = heads(arena, 3, c->n_keys, c->n_kv_heads, c->d_head);
        Tensor bias = random_new(arena, 4, 1, 3, c->n_heads, c->n_queries, c->n_keys);
        gradient_check(&(GradientCheck){
            .function = scores, .context = c, .n_in = c->biased ? 3 : 2, .in = {q, k, bias}});
        Tensor again[] = {heads(arena, 1, c->n_queries, c->n_heads, c->d_head),
                          heads(arena, 2, c->n_keys, c->n_kv_heads, c->d_head),
                          random_new(arena, 4, 1, 3, c->n_heads, c->n_queries, c->n_keys)};
        gradient_check(&(GradientCheck){.function = whole_attention,
                                        .context = c,
                                        .n_in = c->biased ? 4 : 3,
                                        .in = {again[0], again[1], v, again[2]}});
        arena_free(arena);
    }
}

/* Against plain loops in double. */
static void attention_forward(void **state) {
    (void)state;
    for (int i = 0; i < N_ATTENTION; i++) {
        const AttentionCase *c = &attention_cases[i];
        Arena *arena = arena_new();
        Run run = {.arena = arena};
        Tensor in[] = {heads(arena, 1, c->n_queries, c->n_heads, c->d_head),
                       heads(arena, 2, c->n_keys, c->n_kv_heads, c->d_head),
                       heads(arena, 3, c->n_keys, c->n_kv_heads, c->d_head),
                       random_new(arena, 4, 1, 3, c->n_heads, c->n_queries, c->n_keys)};
        Tensor out = whole_attention(&run, in, c);
        for (int h = 0; h < c->n_heads; h++)
            for (int q = 0; q < c->n_queries; q++) {
                int kv = h / (c->n_heads / c->n_kv_heads);
                double weight[64], total = 0;
                for (int k = 0; k < c->n_keys; k++) {
                    double s = c->biased ? *tensor_at(in[3], h, q, k, 0) : 0;
                    for (int d = 0; d < c->d_head; d++)
                        s += 0.7 * *tensor_at(in[0], q, h, d, 0) * *tensor_at(in[1], k, kv, d, 0);
                    weight[k] = mask_visible(&c->mask, q, k) ? exp(s) : 0;
                    total += weight[k];
                }
                for (int d = 0; d < c->d_head; d++) {
                    double z = 0;
                    for (int k = 0; k < c->n_keys; k++)
                        z += weight[k] / total * *tensor_at(in[2], k, kv, d, 0);
                    assert_true(fabs(z - *tensor_at(out, q, h, d, 0)) < 2e-5);
                }
            }
        arena_free(arena);
    }
}

static Tensor softmax(Run *run, const Tensor *in, const void *context) {
    (void)context;
    return op_softmax(run, in[0], (Tensor){0});
}

static void softmax_gradient_and_masks(void **state) {
    (void)state;
    Arena *arena = arena_new();
    Tensor x = random_new(arena, 1, 2, 3, 2, 4, 21);
    for (int k = 0; k < 21; k++) {
        if (k % 3) *tensor_at(x, 0, 1, k, 0) = -INFINITY;
        *tensor_at(x, 1, 2, k, 0) = -INFINITY; /* nothing to see at all */
    }
    Run run = {.arena = arena};
    Tensor lse = tensor_new(arena, 2, 2, 4);
    Tensor y = op_softmax(&run, x, lse);
    for (int h = 0; h < 2; h++)
        for (int q = 0; q < 4; q++) {
            double sum = 0, total = 0;
            for (int k = 0; k < 21; k++) {
                float score = *tensor_at(x, h, q, k, 0), p = *tensor_at(y, h, q, k, 0);
                if (isinf(score)) assert_true(p == 0);
                sum += p;
                total += exp(score);
            }
            if (h == 1 && q == 2) {
                assert_true(sum == 0 && isinf(*tensor_at(lse, h, q, 0, 0)));
                continue;
            }
            assert_true(fabs(sum - 1) < 1e-6);
            assert_true(fabs(*tensor_at(lse, h, q, 0, 0) - log(total)) < 1e-5);
        }
    gradient_check(&(GradientCheck){
        .function = softmax, .n_in = 1, .in = {random_new(arena, 2, 1.5, 2, 5, 18)}});
    arena_free(arena);
}

/* ---- rotation ---- */

typedef struct RotateCase {
    StackConfig config;
    const int32_t *positions;
} RotateCase;

static Tensor rotated(Run *run, const Tensor *in, const void *context) {
    const RotateCase *c = context;
    const float *frequencies = position_frequencies(run->arena, &c->config, 0);
    Tensor angles = position_angles(run, &c->config, frequencies, c->positions, in[0].shape[0]);
    return position_rotate(run, &c->config, in[0], angles);
}

static void rotation_gradients(void **state) {
    (void)state;
    static const int32_t positions[] = {0, 1, 5, 200};
    for (int i = 0; i < 4; i++) {
        Arena *arena = arena_new();
        RotateCase c = {{.position = i % 2 ? POSITION_ROTARY_INTERLEAVED : POSITION_ROTARY_HALVES,
                         .rope_base = 10000,
                         .rope_dims = i < 2 ? 8 : 4,
                         .d_head = 8},
                        positions};
        Tensor x = random_new(arena, 1, 1, 3, 4, 2, 8);
        gradient_check(&(GradientCheck){.function = rotated, .context = &c, .n_in = 1, .in = {x}});
        Run run = {.arena = arena}; /* a rotation keeps lengths */
        Tensor y = rotated(&run, &x, &c);
        for (int t = 0; t < 4; t++) {
            double before = 0, after = 0;
            for (int d = 0; d < 8; d++) {
                before += pow(*tensor_at(x, t, 1, d, 0), 2);
                after += pow(*tensor_at(y, t, 1, d, 0), 2);
            }
            assert_true(fabs(before - after) < 1e-5 * before);
        }
        arena_free(arena);
    }
}

/* Relative keys (Shaw et al. 2018; with queries Huang et al. 2020): the bias reads q, and k. */
static Tensor relative_bias(Run *run, const Tensor *in, const void *context) {
    return position_bias_block(run, context, in[0], in[1], 2);
}

static void relative_key_gradients(void **state) {
    (void)state;
    for (int i = 0; i < 2; i++) {
        Arena *arena = arena_new();
        StackConfig config = {.position = i ? POSITION_RELATIVE_KEY_QUERY : POSITION_RELATIVE_KEY,
                              .n_heads = 2,
                              .d_head = 5,
                              .relative_positions = 4,
                              .attention_scale = 0.6f};
        AttentionWeights weights = {.distance_table = random_new(arena, 1, 1, 2, 7, 5).data};
        PositionBias bias = {.config = &config, .weights = &weights};
        gradient_check(
            &(GradientCheck){.function = relative_bias,
                             .context = &bias,
                             .n_in = 2,
                             .in = {heads(arena, 2, 4, 2, 5), heads(arena, 3, 6, 2, 5)}});
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
    const struct CMUnitTest tests[] = {cmocka_unit_test(linear_gradients),
                                       cmocka_unit_test(linear_of_other_types),
                                       cmocka_unit_test(elementwise_gradients),
                                       cmocka_unit_test(activation_gradients),
                                       cmocka_unit_test(norm_gradients),
                                       cmocka_unit_test(embedding_gradients),
                                       cmocka_unit_test(attention_gradients),
                                       cmocka_unit_test(attention_forward),
                                       cmocka_unit_test(softmax_gradient_and_masks),
                                       cmocka_unit_test(rotation_gradients),
                                       cmocka_unit_test(relative_key_gradients),
                                       cmocka_unit_test(cross_entropy),
                                       cmocka_unit_test(products_equal_plain_loops)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
