/* The measures of a head, on patterns whose answers are known. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "model/measure/measure.h"

static void close_to(double found, double expected) {
    if (fabs(found - expected) > 1e-6) fail_msg("%.9f, expected %.9f", found, expected);
}

static Trace *trace_of(StackId stack, bool cross, int n_q, int n_k, const float *weights) {
    Arena *arena = arena_new();
    Tokens source = {.n = cross ? n_k : n_q}, target = {.n = cross ? n_q : 0};
    source.items = arena_calloc(arena, (size_t)source.n + 1, sizeof(Token));
    target.items = arena_calloc(arena, (size_t)target.n + 1, sizeof(Token));
    Tensor x = tensor_new(arena, 3, 1, n_q, n_k);
    for (int i = 0; i < n_q * n_k; i++)
        x.data[i] = weights[i];
    Trace *trace = trace_new(arena, source, target, NULL);
    char name[HOOK_NAME_MAX];
    trace_put(trace,
              hook_name(&(HookPoint){.site = SITE_PATTERN, .stack = stack, .cross = cross}, name),
              x);
    return trace;
}

static void rows(void **unused) {
    (void)unused;
    const float even[] = {0.25f, 0.25f, 0.25f, 0.25f}, one[] = {0, 0, 1, 0};
    const bool special[] = {true, false, false, true};
    MeasureRow row = {even, 4, 1, special};
    close_to(measure_entropy(&row), 2);
    close_to(measure_distance(&row), (1 + 0 + 1 + 2) / 4.0);
    close_to(measure_diagonal(&row), 0.75);
    close_to(measure_special(&row), 0.5);
    close_to(measure_concentration(&row), 0.25);
    double mass;
    close_to(measure_entropy_off_special(&row, &mass), 1);
    close_to(mass, 0.5);
    row.weights = one;
    close_to(measure_entropy(&row), 0);
    close_to(measure_distance(&row), 1);
    close_to(measure_concentration(&row), 1);
    row.special = NULL;
    close_to(measure_special(&row), 0);
}

static void absent_cells_count_as_nothing(void **unused) {
    (void)unused;
    const float causal[] = {0.5f, 0.5f, NAN, NAN};
    MeasureRow row = {causal, 4, 1, NULL};
    close_to(measure_entropy(&row), 1);
    close_to(measure_distance(&row), 0.5);
    close_to(measure_concentration(&row), 0.5);
    const float nothing[] = {0, 0, 0, 0};
    row.weights = nothing;
    close_to(measure_entropy(&row), 0);
    close_to(measure_entropy_off_special(&row, NULL), 0);
}

static void heads(void **unused) {
    (void)unused;
    const float weights[] = {1, 0, 0, 0, 0.5f, 0.5f, 0.5f, 0.5f, 0};
    Trace *trace = trace_of(STACK_BLOCKS, false, 3, 3, weights);
    Pattern p;
    assert_true(trace_pattern(trace, STACK_BLOCKS, 0, false, &p));
    double stats[MEASURE_COUNT];
    measure_head(&p, 0, NULL, stats);
    close_to(stats[MEASURE_ENTROPY], 2.0 / 3);
    close_to(stats[MEASURE_DISTANCE], (0 + 0.5 + 1.5) / 3);
    close_to(stats[MEASURE_DIAGONAL], (1 + 1 + 0.5) / 3);
    close_to(measure_head_one(&p, 0, NULL, MEASURE_ENTROPY), 2.0 / 3);
    Arena *arena = arena_new();
    Tensor all = measure_all(trace, STACK_BLOCKS, false, NULL, arena);
    assert_int_equal(all.shape[0], 1);
    assert_int_equal(all.shape[2], MEASURE_COUNT);
    close_to((double)*tensor_at(all, 0, 0, MEASURE_CONCENTRATION, 0), (double)(2.0f / 3));
    assert_null(measure_all(trace, STACK_DECODER, true, NULL, arena).data);
    arena_free(arena);
    trace_release(trace);
}

/* In cross-attention the diagonal goes from the first pair to the last. */
static void the_diagonal_of_cross_attention(void **unused) {
    (void)unused;
    close_to(measure_centre(0, 3, 5, true), 0);
    close_to(measure_centre(1, 3, 5, true), 2);
    close_to(measure_centre(2, 3, 5, true), 4);
    close_to(measure_centre(2, 3, 3, false), 2);
    close_to(measure_centre(0, 1, 5, true), 0);
    close_to(measure_centre(0, 1, 5, false), 4); /* one step with a cache */
    const float weights[] = {1, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1};
    Trace *trace = trace_of(STACK_DECODER, true, 3, 5, weights);
    Pattern p;
    assert_true(trace_pattern(trace, STACK_DECODER, 0, true, &p));
    close_to(measure_head_one(&p, 0, NULL, MEASURE_DISTANCE), 0);
    close_to(measure_head_one(&p, 0, NULL, MEASURE_DIAGONAL), 1);
    trace_release(trace);
}

static void names(void **unused) {
    (void)unused;
    for (int m = 0; m < MEASURE_COUNT; m++)
        assert_ptr_equal(measure_find(measures[m].name), &measures[m]);
    assert_null(measure_find("beauty"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows),  cmocka_unit_test(absent_cells_count_as_nothing),
        cmocka_unit_test(heads), cmocka_unit_test(the_diagonal_of_cross_attention),
        cmocka_unit_test(names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
