#include "model/position.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "model/kernels.h"

const float *position_sinusoid(Arena *arena, Sinusoid kind, int n_positions, int d) {
    float *table = arena_alloc(arena, (size_t)n_positions * (size_t)d * sizeof *table);
    ArenaMark mark = arena_mark(arena);
    double *divisors = arena_alloc(arena, (size_t)d * sizeof *divisors);
    int half = (d + 1) / 2;
    bool interleaved = kind == SINUSOID_INTERLEAVED;
    for (int i = 0; i < d; i++) {
        int pair = interleaved ? i / 2 : i % half;
        double exponent = 2.0 * pair / d;
        if (kind == SINUSOID_FAIRSEQ) exponent = half > 1 ? pair / (half - 1.0) : 0;
        divisors[i] = pow(10000.0, exponent);
    }
    for (int p = 0; p < n_positions; p++)
        for (int i = 0; i < d; i++) {
            bool sine = interleaved ? i % 2 == 0 : i < half;
            double angle = p / divisors[i];
            table[(int64_t)p * d + i] = (float)(sine ? sin(angle) : cos(angle));
        }
    arena_reset(arena, mark);
    return table;
}

const PositionBias *position_bias(PositionBias *out, const StackConfig *config,
                                  const AttentionWeights *weights, bool cross) {
    *out = (PositionBias){config, weights, cross, NULL};
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

/* e(distance) of the table. */
static const float *distance_row(const PositionBias *bias, int64_t distance) {
    int64_t limit = bias->config->relative_positions - 1;
    int64_t at = (distance < -limit ? -limit : distance > limit ? limit : distance) + limit;
    return bias->weights->distance_table + at * bias->config->d_head;
}

/* Relative keys: q.e(q - k), and with queries also k.e(q - k), scaled as the scores are. */
static float relative_term(const PositionBias *bias, const float *x, const float *y,
                           int64_t distance) {
    const StackConfig *c = bias->config;
    const float *e = distance_row(bias, distance);
    float sum = kernel_dot(x, e, c->d_head);
    if (c->position == POSITION_RELATIVE_KEY_QUERY) sum += kernel_dot(y, e, c->d_head);
    return sum * c->attention_scale;
}

typedef struct Relative {
    PositionBias bias;
    Tensor q, k, y;
    int64_t query_begin;
} Relative;

static void relative_backward(const void *saved, Tape *tape) {
    (void)tape;
    const Relative *s = saved;
    const StackConfig *c = s->bias.config;
    bool with_keys = c->position == POSITION_RELATIVE_KEY_QUERY && s->k.grad;
    for (int64_t h = 0, at = 0; h < s->y.shape[0]; h++)
        for (int64_t i = 0; i < s->y.shape[1]; i++)
            for (int64_t j = 0; j < s->y.shape[2]; j++, at++) {
                float dy = s->y.grad[at] * c->attention_scale;
                const float *e = distance_row(&s->bias, s->query_begin + i - j);
                int64_t query = i * s->q.stride[0] + h * s->q.stride[1];
                if (s->q.grad) kernel_axpy(s->q.grad + query, dy, e, c->d_head);
                int64_t key = j * s->k.stride[0] + h * s->k.stride[1];
                if (with_keys) kernel_axpy(s->k.grad + key, dy, e, c->d_head);
            }
}

static void relative_bias(const PositionBias *bias, Tensor q, Tensor k, int64_t query_begin,
                          Tensor out) {
    for (int64_t h = 0; h < out.shape[0]; h++)
        for (int64_t i = 0; i < out.shape[1]; i++)
            for (int64_t j = 0; j < out.shape[2]; j++)
                *tensor_at(out, h, i, j, 0) = relative_term(
                    bias, tensor_at(q, i, h, 0, 0), tensor_at(k, j, h, 0, 0), query_begin + i - j);
}

/* Buckets depend on the distance alone: one look-up a distance and head, then rows are copies. */
static void bucket_bias(Run *run, const PositionBias *bias, int64_t query_begin, Tensor out) {
    const StackConfig *c = bias->config;
    int64_t nq = out.shape[1], nk = out.shape[2], n = nq + nk - 1;
    int64_t first = -(query_begin + nq - 1); /* key 0 seen from the last query */
    int *buckets = arena_alloc(run->arena, (size_t)n * sizeof *buckets);
    float *values = arena_alloc(run->arena, (size_t)n * sizeof *values);
    for (int64_t d = 0; d < n; d++)
        buckets[d] = t5_bucket(c, first + d);
    for (int h = 0; h < c->n_heads; h++) {
        for (int64_t d = 0; d < n; d++)
            values[d] = bias->weights->position_bias[(int64_t)buckets[d] * c->n_heads + h];
        for (int64_t i = 0; i < nq; i++)
            memcpy(tensor_at(out, h, i, 0, 0), values + (nq - 1 - i), (size_t)nk * sizeof *values);
    }
}

/* A key that is left out moves none of those behind it (transformers, build_alibi_tensor). */
static void alibi_bias(const PositionBias *bias, Tensor out) {
    for (int h = 0; h < bias->config->n_heads; h++) {
        float slope = alibi_slope(h, bias->config->n_heads), *row = tensor_at(out, h, 0, 0, 0);
        int64_t at = 0;
        for (int64_t j = 0; j < out.shape[2]; j++) {
            row[j] = slope * (float)at;
            if (!bias->keep || bias->keep[j]) at++;
        }
        for (int64_t i = 1; i < out.shape[1]; i++)
            memcpy(tensor_at(out, h, i, 0, 0), row, (size_t)out.shape[2] * sizeof *row);
    }
}

Tensor position_bias_block(Run *run, const PositionBias *bias, Tensor q, Tensor k,
                           int64_t query_begin) {
    Tensor out = tensor_new(run->arena, 3, bias->config->n_heads, q.shape[0], k.shape[0]);
    if (bias->config->position == POSITION_ALIBI)
        alibi_bias(bias, out);
    else if (bias->config->position == POSITION_T5_BUCKETS)
        bucket_bias(run, bias, query_begin, out);
    else
        relative_bias(bias, q, k, query_begin, out);
    if (run->tape && bias->weights->distance_table) {
        out.grad = arena_calloc(run->arena, (size_t)tensor_count(out), sizeof *out.grad);
        *(Relative *)tape_append(run->tape, relative_backward, sizeof(Relative)) =
            (Relative){*bias, q, k, out, query_begin};
    }
    return out;
}

/* Slow angles of llama3 models are stretched (transformers, modeling_rope_utils.py). */
static double llama3_frequency(const StackConfig *c, double frequency) {
    double wave = 2 * 3.14159265358979323846 / frequency, original = c->rope_original;
    if (wave < original / (double)c->rope_high) return frequency;
    if (wave > original / (double)c->rope_low) return frequency / (double)c->rope_factor;
    double fast = (original / wave - (double)c->rope_low) / (double)(c->rope_high - c->rope_low);
    return (1 - fast) * frequency / (double)c->rope_factor + fast * frequency;
}

const float *position_frequencies(Arena *arena, const StackConfig *c, int64_t n_longest) {
    if (!position_rotates(c)) return NULL;
    int n = c->rope_dims;
    double base = (double)c->rope_base, factor = (double)c->rope_factor;
    if (c->rope_scaling == ROPE_DYNAMIC && n_longest > c->rope_original && n > 2)
        base *= pow(factor * (double)n_longest / c->rope_original - (factor - 1), n / (n - 2.0));
    float *out = arena_alloc(arena, (size_t)n / 2 * sizeof *out);
    for (int i = 0; i < n / 2; i++) {
        double frequency = pow(base, -2.0 * i / n);
        out[i] =
            (float)(c->rope_scaling == ROPE_LLAMA3 ? llama3_frequency(c, frequency) : frequency);
    }
    return out;
}

Tensor position_angles(Run *run, const StackConfig *c, const float *frequencies,
                       const int32_t *positions, int64_t n) {
    if (!position_rotates(c)) return (Tensor){0};
    int half = c->rope_dims / 2;
    int32_t longest = 0;
    for (int64_t t = 0; t < n; t++)
        longest = positions[t] + 1 > longest ? positions[t] + 1 : longest;
    if (c->rope_scaling == ROPE_DYNAMIC && longest > c->rope_original)
        frequencies = position_frequencies(run->arena, c, longest);
    Tensor out = tensor_new(run->arena, 2, n, 2 * half);
    for (int64_t t = 0; t < n; t++) {
        float position = (float)positions[t], *row = out.data + t * 2 * half;
        if (c->rope_scaling == ROPE_LINEAR) position /= c->rope_factor;
        for (int i = 0; i < half; i++) {
            float angle = position * frequencies[i];
            row[i] = cosf(angle);
            row[half + i] = sinf(angle);
        }
    }
    return out;
}

typedef struct Rotation {
    Tensor x, y, angles;
    const StackConfig *config;
} Rotation;

/* One head of one token; direction -1 turns back: the inverse of a rotation is its transpose. */
static void rotate_head(const StackConfig *c, const float *angles, float direction, int64_t d_head,
                        const float *restrict from, float *restrict to) {
    int n = c->rope_dims, half = n / 2;
    const float *cosine = angles, *sine = angles + half;
    if (c->position == POSITION_ROTARY_HALVES) {
        for (int i = 0; i < half; i++) {
            float u = from[i], v = from[i + half], s = direction * sine[i];
            to[i] += u * cosine[i] - v * s;
            to[i + half] += v * cosine[i] + u * s;
        }
    } else {
        for (int i = 0; i < half; i++) {
            float u = from[2 * i], v = from[2 * i + 1], s = direction * sine[i];
            to[2 * i] += u * cosine[i] - v * s;
            to[2 * i + 1] += v * cosine[i] + u * s;
        }
    }
    for (int64_t i = n; i < d_head; i++)
        to[i] += from[i];
}

/* to += turned from; x says how both lie. */
static void rotate(const StackConfig *c, Tensor angles, Tensor x, const float *from, float *to,
                   float direction) {
    for (int64_t t = 0; t < x.shape[0]; t++)
        for (int64_t h = 0; h < x.shape[1]; h++) {
            int64_t at = t * x.stride[0] + h * x.stride[1];
            rotate_head(c, angles.data + t * angles.stride[0], direction, x.shape[2], from + at,
                        to + at);
        }
}

static void rotate_backward(const void *saved, Tape *tape) {
    (void)tape;
    const Rotation *s = saved;
    if (s->x.grad) rotate(s->config, s->angles, s->x, s->y.grad, s->x.grad, -1);
}

Tensor position_rotate(Run *run, const StackConfig *config, Tensor x, Tensor angles) {
    assert(tensor_is_contiguous(x) && angles.shape[0] == x.shape[0]);
    Tensor y = run_tensor_shape(run, x.rank, x.shape);
    tensor_fill(y, 0);
    rotate(config, angles, x, x.data, y.data, 1);
    if (run->tape)
        *(Rotation *)tape_append(run->tape, rotate_backward, sizeof(Rotation)) =
            (Rotation){x, y, angles, config};
    return y;
}
