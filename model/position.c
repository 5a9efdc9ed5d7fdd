#include "model/position.h"

#include <assert.h>
#include <math.h>
#include <string.h>

const float *position_sinusoid(Arena *arena, Sinusoid kind, int n_positions, int d) {
    float *table = arena_alloc(arena, (size_t)n_positions * (size_t)d * sizeof *table);
    int half = (d + 1) / 2;
    for (int p = 0; p < n_positions; p++)
        for (int i = 0; i < d; i++) {
            int pair = kind == SINUSOID_INTERLEAVED ? i / 2 : i % half;
            bool sine = kind == SINUSOID_INTERLEAVED ? i % 2 == 0 : i < half;
            double angle = p / pow(10000.0, 2.0 * pair / d);
            table[(int64_t)p * d + i] = (float)(sine ? sin(angle) : cos(angle));
        }
    return table;
}

const PositionBias *position_bias(PositionBias *out, const StackConfig *config,
                                  const AttentionWeights *weights, bool cross) {
    *out = (PositionBias){config, weights, cross};
    switch (config->position) {
    case POSITION_ALIBI:
        return cross ? NULL : out;
    case POSITION_T5_BUCKETS:
        return weights->position_bias && !cross ? out : NULL;
    case POSITION_RELATIVE_KEY:
    case POSITION_RELATIVE_KEY_QUERY:
        return weights->distance_table && !cross ? out : NULL;
    case POSITION_NONE:
    case POSITION_TABLE:
    case POSITION_ROTARY_HALVES:
    case POSITION_ROTARY_INTERLEAVED:
        return NULL;
    }
    return NULL;
}

/* Slope of a head: 2^(-8 (h+1) / n), and for n that is no power of two the odd steps of the next
 * one behind those of the largest below (Press et al. 2022, appendix A.2 of the released code). */
static float alibi_slope(int head, int n_heads) {
    int power = 1;
    while (power * 2 <= n_heads)
        power *= 2;
    if (head < power) return powf(2, -8.0f * (float)(head + 1) / (float)power);
    return powf(2, -4.0f * (float)(2 * (head - power) + 1) / (float)power);
}

/* Raffel et al. 2020, section 2.1: exact for small distances, logarithmic up to the greatest. */
static int t5_bucket(const StackConfig *config, int64_t distance) {
    int n = config->t5_buckets, bucket = 0;
    if (config->t5_bidirectional) {
        n /= 2;
        if (distance > 0) bucket = n;
        distance = distance < 0 ? -distance : distance;
    } else {
        distance = distance < 0 ? -distance : 0;
    }
    int exact = n / 2;
    if (distance < exact) return bucket + (int)distance;
    int large =
        exact + (int)(logf((float)distance / (float)exact) /
                      logf((float)config->t5_max_distance / (float)exact) * (float)(n - exact));
    return bucket + (large < n - 1 ? large : n - 1);
}

/* Relative keys: q.e(q - k), and with queries also k.e(q - k), scaled as the scores are. */
static float relative_term(const PositionBias *bias, Tensor q, Tensor k, int64_t head,
                           int64_t query, int64_t key, int64_t distance) {
    const StackConfig *c = bias->config;
    int64_t limit = c->relative_positions - 1;
    int64_t at = (distance < -limit ? -limit : distance > limit ? limit : distance) + limit;
    const float *e = bias->weights->distance_table + at * c->d_head;
    const float *x = tensor_at(q, query, head, 0, 0), *y = tensor_at(k, key, head, 0, 0);
    float sum = 0;
    for (int i = 0; i < c->d_head; i++)
        sum += e[i] * (c->position == POSITION_RELATIVE_KEY_QUERY ? x[i] + y[i] : x[i]);
    return sum * c->attention_scale;
}

Tensor position_bias_block(Run *run, const PositionBias *bias, Tensor q, Tensor k,
                           int64_t query_begin) {
    const StackConfig *c = bias->config;
    int64_t nq = q.shape[0], nk = k.shape[0];
    Tensor out = tensor_new(run->arena, 3, c->n_heads, nq, nk);
    for (int h = 0; h < c->n_heads; h++)
        for (int64_t i = 0; i < nq; i++)
            for (int64_t j = 0; j < nk; j++) {
                int64_t distance = j - (query_begin + i);
                float *cell = tensor_at(out, h, i, j, 0);
                if (c->position == POSITION_ALIBI)
                    *cell = alibi_slope(h, c->n_heads) * (float)j;
                else if (c->position == POSITION_T5_BUCKETS)
                    *cell = bias->weights->position_bias[t5_bucket(c, distance) * c->n_heads + h];
                else
                    *cell = relative_term(bias, q, k, h, i, j, -distance);
            }
    return out;
}

typedef struct Rotation {
    Tensor x, y;
    const StackConfig *config;
    const int32_t *positions;
} Rotation;

/* direction -1 turns back: the inverse of a rotation is its transpose. */
static void rotate(const StackConfig *c, const int32_t *positions, Tensor x, float *const from,
                   float *const to, float direction, bool add) {
    int n = c->rope_dims, half = n / 2;
    bool halves = c->position == POSITION_ROTARY_HALVES;
    for (int64_t t = 0; t < x.shape[0]; t++)
        for (int i = 0; i < half; i++) {
            float angle = (float)positions[t] * powf(c->rope_base, -2.0f * (float)i / (float)n);
            float cosine = cosf(angle), sine = direction * sinf(angle);
            int64_t a = t * x.stride[0] + (halves ? i : 2 * i);
            int64_t b = t * x.stride[0] + (halves ? i + half : 2 * i + 1);
            for (int64_t h = 0; h < x.shape[1]; h++, a += x.stride[1], b += x.stride[1]) {
                float u = from[a], v = from[b];
                to[a] = (add ? to[a] : 0) + u * cosine - v * sine;
                to[b] = (add ? to[b] : 0) + v * cosine + u * sine;
            }
        }
    for (int64_t t = 0; t < x.shape[0]; t++)
        for (int64_t h = 0; h < x.shape[1]; h++)
            for (int64_t i = n; i < x.shape[2]; i++) {
                int64_t at = t * x.stride[0] + h * x.stride[1] + i;
                to[at] = (add ? to[at] : 0) + from[at];
            }
}

static void rotate_backward(const void *saved, Tape *tape) {
    (void)tape;
    const Rotation *s = saved;
    if (s->x.grad) rotate(s->config, s->positions, s->x, s->y.grad, s->x.grad, -1, true);
}

Tensor position_rotate(Run *run, const StackConfig *config, Tensor x, const int32_t *positions) {
    if (!position_rotates(config)) return x;
    assert(tensor_is_contiguous(x));
    Tensor y = run_tensor_shape(run, x.rank, x.shape);
    rotate(config, positions, x, x.data, y.data, 1, false);
    if (run->tape) {
        int32_t *kept = arena_alloc(run->arena, (size_t)x.shape[0] * sizeof *kept);
        memcpy(kept, positions, (size_t)x.shape[0] * sizeof *kept);
        *(Rotation *)tape_append(run->tape, rotate_backward, sizeof(Rotation)) =
            (Rotation){x, y, config, kept};
    }
    return y;
}
