/* The kernels' stated bounds: exp, softmax, dropout, activations, sums, Adam. */
#include "tests/model/engine.h"

#include <stdlib.h>
#include <string.h>

#include "model/kernels.h"

/* ---- exp ---- */

static void exp_is_within_its_bound(void **state) {
    (void)state;
    enum { N = 1 << 20 };
    float *x = malloc(N * sizeof *x), *y = malloc(N * sizeof *y);
    assert_true(x && y);
    for (int i = 0; i < N; i++)
        x[i] = (float)(-87.3 + (88.7 + 87.3) * i / (N - 1));
    kernel_exp(x, y, N);
    double worst = 0;
    for (int i = 0; i < N; i++)
        worst = fmax(worst, fabs(y[i] / exp((double)x[i]) - 1));
    if (worst >= 2e-7) fail_msg("relative error %g", worst);
    for (int i = 0; i < N; i++) /* close to 0, where softmax rows have their greatest */
        x[i] = (float)(-1e-3 * i / (N - 1));
    kernel_exp(x, y, N);
    for (int i = 0; i < N; i++)
        assert_true(fabs(y[i] / exp((double)x[i]) - 1) < 2e-7);
    assert_true(y[0] == 1);
    free(x);
    free(y);
}

static void exp_of_what_is_no_number(void **state) {
    (void)state;
    for (int n = 1; n <= 40; n++) { /* vector body and tail */
        float x[40], y[40];
        for (int i = 0; i < n; i++)
            x[i] = (float[]){-INFINITY, NAN, 0, INFINITY, -1000, 1000, -0.0f}[i % 7];
        kernel_exp(x, y, n);
        for (int i = 0; i < n; i++)
            switch (i % 7) {
            case 0:
            case 4:
                assert_true(y[i] == 0);
                break;
            case 1:
                assert_true(isnan(y[i]));
                break;
            case 3:
            case 5:
                assert_true(isinf(y[i]) && y[i] > 0);
                break;
            default:
                assert_true(y[i] == 1);
            }
        kernel_exp(x, x, n); /* in place */
        for (int i = 0; i < n; i++)
            assert_true(isnan(x[i]) ? isnan(y[i]) : x[i] == y[i]);
    }
}

/* ---- softmax ---- */

static void softmax_rows(void **state) {
    (void)state;
    for (int n = 1; n <= 70; n++) {
        float x[70], y[70];
        double sum = 0, total = 0;
        for (int i = 0; i < n; i++)
            x[i] = i % 5 == 3 ? -INFINITY : (float)(90 + 3 * sin(i)); /* exp alone would overflow */
        float lse = kernel_softmax(x, y, n);
        for (int i = 0; i < n; i++)
            total += exp(x[i] - 90.0);
        for (int i = 0; i < n; i++) {
            if (isinf(x[i])) assert_true(y[i] == 0);
            assert_true(fabs(y[i] - exp(x[i] - 90.0) / total) < 1e-6);
            sum += y[i];
        }
        assert_true(fabs(sum - 1) < 1e-6);
        assert_true(fabs(lse - 90 - log(total)) < 1e-5);
        for (int i = 0; i < n; i++)
            x[i] = -INFINITY;
        lse = kernel_softmax(x, y, n);
        assert_true(isinf(lse) && lse < 0);
        for (int i = 0; i < n; i++)
            assert_true(y[i] == 0);
        x[n / 2] = NAN; /* what is broken must show */
        x[0] = n > 1 ? 1 : NAN;
        kernel_softmax(x, y, n);
        assert_true(isnan(y[n / 2]));
    }
}

/* ---- dropout ---- */

static void dropout_rate_and_mask(void **state) {
    (void)state;
    enum { N = 200000 };
    float *x = malloc(N * sizeof *x), *y = malloc(N * sizeof *y), *dx = calloc(N, sizeof *dx);
    assert_true(x && y && dx);
    for (int i = 0; i < N; i++)
        x[i] = 2;
    for (int r = 0; r < 4; r++) {
        float rate = (float[]){0.1f, 0.3f, 0.5f, 0.9f}[r];
        int n_dropped = 0, n_pairs = 0;
        kernel_dropout(NULL, x, y, N, rate, 1234 + (uint32_t)r);
        for (int i = 0; i < N; i++) {
            assert_true(y[i] == 0 || fabsf(y[i] - 2 / (1 - rate)) < 1e-5f / (1 - rate));
            n_dropped += y[i] == 0;
            n_pairs += i > 0 && y[i] == 0 && y[i - 1] == 0;
        }
        double deviation = sqrt(rate * (1 - rate) / N);
        assert_true(fabs(n_dropped / (double)N - rate) < 5 * deviation);
        assert_true(fabs(n_pairs / (double)N - rate * rate) < 8 * deviation); /* neighbours apart */
        memset(dx, 0, N * sizeof *dx);
        kernel_dropout_backward(x, dx, N, rate, 1234 + (uint32_t)r);
        assert_memory_equal(dx, y, N * sizeof *dx); /* the same mask */
        kernel_dropout(x, x, dx, N, rate, 1234 + (uint32_t)r);
        for (int i = 0; i < N; i++)
            assert_true(dx[i] == 2 + y[i]);
        kernel_dropout(NULL, x, dx, N, rate, 77); /* another seed, another mask */
        int n_same = 0;
        for (int i = 0; i < N; i++)
            n_same += (dx[i] == 0) == (y[i] == 0);
        assert_true(fabs(n_same / (double)N - (rate * rate + (1 - rate) * (1 - rate))) < 0.02);
    }
    free(x);
    free(y);
    free(dx);
}

/* ---- activations ---- */

static double activation_in_double(Activation kind, double x) {
    switch (kind) {
    case ACTIVATION_RELU:
        return x > 0 ? x : 0;
    case ACTIVATION_GELU:
        return 0.5 * x * (1 + erf(x / sqrt(2)));
    case ACTIVATION_GELU_TANH:
        return 0.5 * x * (1 + tanh(sqrt(2 / 3.14159265358979323846) * (x + 0.044715 * x * x * x)));
    case ACTIVATION_GELU_QUICK:
        return x / (1 + exp(-1.702 * x));
    case ACTIVATION_SILU:
        return x / (1 + exp(-x));
    case ACTIVATION_TANH:
        return tanh(x);
    case ACTIVATION_SIGMOID:
        return 1 / (1 + exp(-x));
    }
    return NAN;
}

static void activations_equal_their_formulas(void **state) {
    (void)state;
    enum { N = 1003 };
    float x[N], y[N];
    for (Activation kind = ACTIVATION_RELU; kind <= ACTIVATION_SIGMOID; kind++) {
        for (int i = 0; i < N; i++)
            x[i] = (float)(-12 + 24.0 * i / (N - 1));
        x[0] = -200; /* far out: no NaN of inf - inf */
        x[N - 1] = 200;
        kernel_activation(kind, x, y, N);
        for (int i = 0; i < N; i++) {
            double want = activation_in_double(kind, x[i]);
            if (!(fabs(y[i] - want) < 3e-7 * (1 + fabs(want))))
                fail_msg("activation %d at %g: %g, %g expected", (int)kind, x[i], y[i], want);
        }
        float dx[N] = {0}, dy[N];
        for (int i = 0; i < N; i++)
            dy[i] = 1;
        kernel_activation_backward(kind, x, dy, dx, N);
        for (int i = 0; i < N; i++) {
            double slope = (activation_in_double(kind, x[i] + 1e-5) -
                            activation_in_double(kind, x[i] - 1e-5)) /
                           2e-5;
            if (fabsf(x[i]) > 1e-4f) assert_true(fabs(dx[i] - slope) < 2e-6 * (1 + fabs(slope)));
        }
        x[5] = NAN;
        kernel_activation(kind, x, y, N);
        if (kind != ACTIVATION_RELU) assert_true(isnan(y[5]));
    }
}

/* ---- sums, Adam ---- */

static void sums_equal_plain_loops(void **state) {
    (void)state;
    for (int n = 0; n < 70; n++) {
        float a[70], b[70], y[70];
        double dot = 0, squares = 0;
        for (int i = 0; i < n; i++) {
            a[i] = (float)sin(i * 1.3);
            b[i] = (float)cos(i * 0.7);
            y[i] = 1;
            dot += a[i] * b[i];
            squares += a[i] * a[i];
        }
        assert_true(fabs(kernel_dot(a, b, n) - dot) < 1e-5);
        assert_true(fabs(kernel_sum_of_squares(a, n) - squares) < 1e-5);
        kernel_axpy(y, 2, a, n);
        kernel_add(y, b, n);
        kernel_scale(y, 0.5f, n);
        for (int i = 0; i < n; i++)
            assert_true(fabsf(y[i] - (1 + 2 * a[i] + b[i]) / 2) < 1e-6f);
        if (n == 0) continue;
        float mean, scale;
        double m = 0, variance = 0;
        for (int i = 0; i < n; i++)
            m += a[i] / (double)n;
        for (int i = 0; i < n; i++)
            variance += (a[i] - m) * (a[i] - m) / n;
        kernel_norm_stats(a, n, true, 1e-3f, &mean, &scale);
        assert_true(fabs(mean - m) < 1e-6 && fabs(scale - sqrt(variance + 1e-3)) < 1e-6);
        kernel_norm_stats(a, n, false, 1e-3f, &mean, &scale);
        assert_true(mean == 0 && fabs(scale - sqrt(squares / n + 1e-3)) < 1e-6);
    }
}

/* Kingma and Ba 2015, algorithm 1, in double. */
static void adam_steps(void **state) {
    (void)state;
    enum { N = 21 };
    float parameter[N], m[N] = {0}, v[N] = {0}, gradient[N];
    double p[N], m2[N] = {0}, v2[N] = {0};
    for (int i = 0; i < N; i++)
        p[i] = parameter[i] = (float)sin(i);
    for (int t = 1; t <= 5; t++) {
        for (int i = 0; i < N; i++)
            gradient[i] = (float)cos(3 * i + t);
        double rate = 0.01 * sqrt(1 - pow(0.98, t)) / (1 - pow(0.9, t));
        kernel_adam(parameter, gradient, m, v, N,
                    &(AdamStep){(float)rate, 0.9f, 0.98f, 1e-9f, 0.5f});
        for (int i = 0; i < N; i++) {
            double g = 0.5 * gradient[i];
            m2[i] = 0.9 * m2[i] + 0.1 * g;
            v2[i] = 0.98 * v2[i] + 0.02 * g * g;
            p[i] -= 0.01 * (m2[i] / (1 - pow(0.9, t))) / (sqrt(v2[i] / (1 - pow(0.98, t))) + 1e-9);
            assert_true(fabs(p[i] - parameter[i]) < 1e-5);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(exp_is_within_its_bound),
                                       cmocka_unit_test(exp_of_what_is_no_number),
                                       cmocka_unit_test(softmax_rows),
                                       cmocka_unit_test(dropout_rate_and_mask),
                                       cmocka_unit_test(activations_equal_their_formulas),
                                       cmocka_unit_test(sums_equal_plain_loops),
                                       cmocka_unit_test(adam_steps)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
