/* The ops of attention: scores and what they carry, softmax and masks, rotation, relative keys.
 * Each backward against central differences, forwards against plain loops. */
#include "tests/model/engine.h"

#include "model/ops.h"
#include "model/position.h"

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
    return tensor_split(random_strided(arena, seed, n, n_heads * d_head), 1, n_heads);
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

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(attention_gradients),        cmocka_unit_test(attention_forward),
        cmocka_unit_test(softmax_gradient_and_masks), cmocka_unit_test(rotation_gradients),
        cmocka_unit_test(relative_key_gradients),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
