/* Written with the compilers' vector extension: sixteen lanes, lowered to what the machine has.
 * exp is a range reduction to [-ln2/2, ln2/2] and a polynomial (Cephes), because libm's expf does
 * not vectorise without -ffast-math, and masks of -inf forbid that. */
#include "model/kernels.h"

#include <math.h>
#include <string.h>

#include "model/kernels_lanes.h"

/* ---- sums ---- */

CLONES float kernel_dot(const float *a, const float *b, int64_t n) {
    return dot(a, b, n);
}

INLINE float sum(const float *x, int64_t n) {
    Lanes s = {0}, v;
    int64_t i = 0;
    for (; i + LANES <= n; i += LANES) {
        LOAD(v, x + i);
        s += v;
    }
    float total = sum_lanes(&s);
    for (; i < n; i++)
        total += x[i];
    return total;
}

CLONES float kernel_sum(const float *x, int64_t n) {
    return sum(x, n);
}

INLINE void axpy(float *restrict y, float a, const float *restrict x, int64_t n) {
    for (int64_t i = 0; i < n; i++)
        y[i] += a * x[i];
}

CLONES void kernel_axpy(float *y, float a, const float *x, int64_t n) {
    axpy(y, a, x, n);
}

CLONES void kernel_add(float *restrict y, const float *restrict x, int64_t n) {
    for (int64_t i = 0; i < n; i++)
        y[i] += x[i];
}

CLONES void kernel_scale(float *x, float a, int64_t n) {
    for (int64_t i = 0; i < n; i++)
        x[i] *= a;
}

CLONES void kernel_affine(float *x, float a, float b, int64_t n) {
    for (int64_t i = 0; i < n; i++)
        x[i] = a * x[i] + b;
}

CLONES void kernel_add_centred(float *restrict y, float a, const float *restrict x, float mean,
                               int64_t n) {
    for (int64_t i = 0; i < n; i++)
        y[i] += a * (x[i] - mean);
}

CLONES double kernel_sum_of_squares(const float *x, int64_t n) {
    double total = 0;
    for (int64_t i = 0; i < n; i += 4096) /* partial sums in f32 stay exact enough */
        total += dot(x + i, x + i, n - i < 4096 ? n - i : 4096);
    return total;
}

/* ---- exp and softmax ---- */

INLINE void exp_lanes(Lanes *v) {
    const Lanes lowest = SPLAT(-87.3f), highest = SPLAT(88.7228f), magic = SPLAT(12582912.0f);
    Lanes x = *v;
    IntLanes tiny = x<lowest, huge = x> highest;
    Lanes t = SELECT(tiny, lowest, x);
    t = SELECT(huge, highest, t);
    Lanes n = t * 1.44269504088896341f + magic; /* 1.5 * 2^23: rounds to the nearest integer */
    IntLanes power = (IntLanes)n << 23;
    n -= magic;
    Lanes r = t - n * 0.693359375f + n * 2.12194440e-4f;
    Lanes p = SPLAT(1.9875691500e-4f);
    p = p * r + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    p = p * r * r + r + 1.0f;
    Lanes y = (Lanes)((IntLanes)p + power);
    y = SELECT(tiny, SPLAT(0), y);
    y = SELECT(huge, SPLAT(INFINITY), y);
    *v = SELECT(x == x, y, x); /* NaN stays NaN */
}

CLONES void kernel_exp(const float *x, float *y, int64_t n) {
    Lanes v;
    int64_t i = 0;
    for (; i + LANES <= n; i += LANES) {
        LOAD(v, x + i);
        exp_lanes(&v);
        STORE(y + i, v);
    }
    if (i == n) return;
    load_tail(&v, x + i, n - i, 0);
    exp_lanes(&v);
    store_tail(y + i, &v, n - i);
}

/* NaN is passed over. */
INLINE float greatest(const float *x, int64_t n) {
    Lanes most = SPLAT(-INFINITY), v;
    int64_t i = 0;
    for (; i + LANES <= n; i += LANES) {
        LOAD(v, x + i);
        most = SELECT(v > most, v, most);
    }
    float lane[LANES], top = -INFINITY;
    memcpy(lane, &most, sizeof lane);
    for (int l = 0; l < LANES; l++)
        top = lane[l] > top ? lane[l] : top;
    for (; i < n; i++)
        top = x[i] > top ? x[i] : top;
    return top;
}

CLONES float kernel_softmax(const float *x, float *y, int64_t n) {
    float top = greatest(x, n);
    if (!(top > -INFINITY)) { /* all are masked or not numbers */
        float worst = -INFINITY;
        for (int64_t i = 0; i < n; i++) {
            if (x[i] != x[i]) worst = x[i];
            y[i] = x[i] != x[i] ? x[i] : 0;
        }
        return worst;
    }
    Lanes sum = {0}, v;
    int64_t i = 0;
    for (; i + LANES <= n; i += LANES) {
        LOAD(v, x + i);
        v -= top;
        exp_lanes(&v);
        STORE(y + i, v);
        sum += v;
    }
    if (i < n) {
        load_tail(&v, x + i, n - i, -INFINITY);
        v -= top;
        exp_lanes(&v);
        store_tail(y + i, &v, n - i);
        sum += v;
    }
    float total = sum_lanes(&sum), inverse = 1.0f / total;
    for (i = 0; i < n; i++)
        y[i] *= inverse;
    return top + logf(total);
}

CLONES void kernel_softmax_backward(const float *y, const float *dy, float *dx, int64_t n) {
    float s = dot(y, dy, n);
    for (int64_t i = 0; i < n; i++)
        dx[i] += (dy[i] - s) * y[i];
}

/* ---- norms ---- */

CLONES void kernel_norm_stats(const float *x, int64_t n, bool centred, float epsilon, float *mean,
                              float *scale) {
    float m = 0;
    if (centred) m = sum(x, n) / (float)n;
    Lanes s = {0}, v;
    int64_t i = 0;
    for (; i + LANES <= n; i += LANES) {
        LOAD(v, x + i);
        v -= m;
        s += v * v;
    }
    float variance = sum_lanes(&s);
    for (; i < n; i++)
        variance += (x[i] - m) * (x[i] - m);
    *mean = m;
    *scale = sqrtf(variance / (float)n + epsilon);
}

CLONES void kernel_norm_apply(const float *restrict x, float mean, float inverse,
                              const float *restrict w, float plus, float *restrict y, int64_t n) {
    for (int64_t i = 0; i < n; i++)
        y[i] = (x[i] - mean) * inverse * (w[i] + plus);
}

CLONES float kernel_norm_slope(const float *restrict x, const float *restrict dy,
                               const float *restrict w, float plus, float mean, float inverse,
                               float *restrict dw, float *restrict dx, int64_t n) {
    if (dw)
        for (int64_t i = 0; i < n; i++)
            dw[i] += dy[i] * ((x[i] - mean) * inverse);
    for (int64_t i = 0; i < n; i++)
        dx[i] = dy[i] * (w[i] + plus) * inverse;
    Lanes sum = {0}, a, b;
    int64_t i = 0;
    for (; i + LANES <= n; i += LANES) {
        LOAD(a, x + i);
        LOAD(b, dx + i);
        sum += (a - mean) * b;
    }
    float along = sum_lanes(&sum);
    for (; i < n; i++)
        along += (x[i] - mean) * dx[i];
    return along;
}

/* ---- activations ---- */

/* logistic(x) for n floats at a time through exp. */
INLINE void logistic_lanes(Lanes *v) {
    Lanes e = -*v;
    exp_lanes(&e);
    *v = 1.0f / (1.0f + e);
}

/* The normal distribution's share below x, for which libm's erff does not vectorise either:
 * erfc(z) = t exp(-z^2 + P(t)), t = 1 / (1 + z/2), whose relative error is below 1.2e-7 far into
 * the tail (Press et al. 1992, Numerical Recipes, section 6.2). */
INLINE void normal_lanes(Lanes *v) {
    static const float p[] = {0.17087277f,  -0.82215223f, 1.48851587f, -1.13520398f, 0.27886807f,
                              -0.18628806f, 0.09678418f,  0.37409196f, 1.00002368f,  -1.26551223f};
    Lanes x = *v, z = SELECT(x < SPLAT(0), -x, x) * 0.70710678118654752f;
    Lanes t = 1.0f / (1.0f + 0.5f * z), e = SPLAT(p[0]);
    for (int i = 1; i < 10; i++)
        e = e * t + p[i];
    e -= z * z;
    exp_lanes(&e);
    e *= 0.5f * t;
    *v = SELECT(x < SPLAT(0), e, 1.0f - e);
}

/* The value and the slope of each activation at x. */
INLINE void activation_lanes(Activation kind, const Lanes *in, Lanes *value, Lanes *slope) {
    Lanes x = *in, s;
    switch (kind) {
    case ACTIVATION_RELU:
        *value = SELECT(x > SPLAT(0), x, SPLAT(0));
        *slope = SELECT(x > SPLAT(0), SPLAT(1), SPLAT(0));
        return;
    case ACTIVATION_GELU: {
        s = x;
        normal_lanes(&s);
        Lanes density = -0.5f * x * x;
        exp_lanes(&density);
        *value = x * s;
        *slope = s + x * density * 0.39894228040143268f;
        return;
    }
    case ACTIVATION_GELU_TANH: { /* tanh(u) = 2 logistic(2u) - 1, so the factor is a logistic */
        const float a = 0.79788456080286536f, b = 0.044715f;
        s = 2 * a * (x + b * x * x * x);
        logistic_lanes(&s);
        *value = x * s;
        *slope = s + x * s * (1 - s) * 2 * a * (1 + 3 * b * x * x);
        return;
    }
    case ACTIVATION_GELU_QUICK:
        s = 1.702f * x;
        logistic_lanes(&s);
        *value = x * s;
        *slope = s + 1.702f * x * s * (1 - s);
        return;
    case ACTIVATION_SILU:
        s = x;
        logistic_lanes(&s);
        *value = x * s;
        *slope = s + x * s * (1 - s);
        return;
    case ACTIVATION_TANH:
        s = 2 * x;
        logistic_lanes(&s);
        *value = 2 * s - 1;
        *slope = 1 - *value * *value;
        return;
    case ACTIVATION_SIGMOID:
        s = x;
        logistic_lanes(&s);
        *value = s;
        *slope = s * (1 - s);
        return;
    }
}

INLINE void activate(Activation kind, const float *x, float *y, int64_t n) {
    Lanes v, value, slope;
    int64_t i = 0;
    for (; i + LANES <= n; i += LANES) {
        LOAD(v, x + i);
        activation_lanes(kind, &v, &value, &slope);
        STORE(y + i, value);
    }
    if (i == n) return;
    load_tail(&v, x + i, n - i, 0);
    activation_lanes(kind, &v, &value, &slope);
    store_tail(y + i, &value, n - i);
}

/* One constant argument a branch, so that the switch is resolved outside the loop. */
CLONES void kernel_activation(Activation kind, const float *x, float *y, int64_t n) {
    switch (kind) {
    case ACTIVATION_RELU:
        activate(ACTIVATION_RELU, x, y, n);
        return;
    case ACTIVATION_GELU:
        activate(ACTIVATION_GELU, x, y, n);
        return;
    case ACTIVATION_GELU_TANH:
        activate(ACTIVATION_GELU_TANH, x, y, n);
        return;
    case ACTIVATION_GELU_QUICK:
        activate(ACTIVATION_GELU_QUICK, x, y, n);
        return;
    case ACTIVATION_SILU:
        activate(ACTIVATION_SILU, x, y, n);
        return;
    case ACTIVATION_TANH:
        activate(ACTIVATION_TANH, x, y, n);
        return;
    case ACTIVATION_SIGMOID:
        activate(ACTIVATION_SIGMOID, x, y, n);
        return;
    }
}

CLONES void kernel_activation_backward(Activation kind, const float *x, const float *dy, float *dx,
                                       int64_t n) {
    if (kind == ACTIVATION_RELU) {
        for (int64_t i = 0; i < n; i++)
            dx[i] += x[i] > 0 ? dy[i] : 0;
        return;
    }
    Lanes v, value, slope;
    for (int64_t i = 0; i < n; i += LANES) {
        int64_t left = n - i < LANES ? n - i : LANES;
        load_tail(&v, x + i, left, 0);
        activation_lanes(kind, &v, &value, &slope);
        float s[LANES];
        memcpy(s, &slope, sizeof s);
        for (int64_t j = 0; j < left; j++)
            dx[i + j] += dy[i + j] * s[j];
    }
}

/* ---- dropout ---- */

/* A 32-bit finaliser (lowbias32): neighbouring counters give unrelated words. */
INLINE uint32_t hash32(uint32_t x) {
    x ^= x >> 16;
    x *= 0x7feb352du;
    x ^= x >> 15;
    x *= 0x846ca68bu;
    x ^= x >> 16;
    return x;
}

CLONES void kernel_dropout(const float *base, const float *x, float *y, int64_t n, float rate,
                           uint32_t seed) {
    const uint32_t threshold = (uint32_t)(rate * 4294967296.0);
    const float scale = 1.0f / (1.0f - rate);
    if (base)
        for (int64_t i = 0; i < n; i++)
            y[i] = base[i] +
                   (hash32((uint32_t)i * 0x9e3779b9u + seed) >= threshold ? x[i] * scale : 0);
    else
        for (int64_t i = 0; i < n; i++)
            y[i] = hash32((uint32_t)i * 0x9e3779b9u + seed) >= threshold ? x[i] * scale : 0;
}

CLONES void kernel_dropout_backward(const float *restrict dy, float *restrict dx, int64_t n,
                                    float rate, uint32_t seed) {
    const uint32_t threshold = (uint32_t)(rate * 4294967296.0);
    const float scale = 1.0f / (1.0f - rate);
    for (int64_t i = 0; i < n; i++)
        dx[i] += hash32((uint32_t)i * 0x9e3779b9u + seed) >= threshold ? dy[i] * scale : 0;
}

/* ---- Adam ---- */

CLONES void kernel_adam(float *restrict parameter, const float *restrict gradient,
                        float *restrict m, float *restrict v, int64_t n, const AdamStep *step) {
    const AdamStep s = *step;
    for (int64_t i = 0; i < n; i++) {
        float g = gradient[i] * s.grad_scale;
        m[i] = s.beta1 * m[i] + (1 - s.beta1) * g;
        v[i] = s.beta2 * v[i] + (1 - s.beta2) * g * g;
        parameter[i] -= s.rate * m[i] / (sqrtf(v[i]) + s.epsilon);
    }
}
