/* Training against five steps that torch made (tests/data/torch), and against itself: a run that is
 * resumed gives the bytes of one that was not. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "model/base/file.h"
#include "model/safetensors.h"
#include "model/trainer.h"

#define DATA "tests/data/torch"

typedef struct Fixture {
    Safetensors *steps;
    Example examples[4];
    Recipe recipe;
} Fixture;

static const int32_t *row(const Safetensors *file, const char *name, int i) {
    const RawTensor *t = safetensors_find(file, name);
    return (const int32_t *)t->data + i * t->shape[1];
}

static int length(const Safetensors *file, const char *name, int i) {
    return ((const int32_t *)safetensors_find(file, name)->data)[i];
}

static Fixture fixture(int threads) {
    Error error = {0};
    Fixture f = {.steps = safetensors_open(DATA "/steps.safetensors", &error)};
    if (!f.steps) fail_msg("%s", error.message);
    for (int i = 0; i < 4; i++)
        f.examples[i] = (Example){.n_source = length(f.steps, "source.lengths", i),
                                  .n_target = length(f.steps, "target.lengths", i),
                                  .source = row(f.steps, "source.ids", i),
                                  .target = row(f.steps, "target.ids", i)};
    f.recipe = (Recipe){.model = DATA,
                        .threads = threads,
                        .steps = 1000,
                        .micro_tokens = 8,
                        .learning_rate = 0.005,
                        .warmup_steps = 3,
                        .beta1 = 0.9,
                        .beta2 = 0.98,
                        .epsilon = 1e-9,
                        .clip_norm = 2,
                        .label_smoothing = 0.1};
    return f;
}

static Trainer *start(const Fixture *f) {
    Error error = {0};
    Trainer *t = trainer_new(&f->recipe, &error);
    if (!t || !trainer_init_from(t, DATA, &error)) fail_msg("%s", error.message);
    return t;
}

static double worst(const Trainer *t, const Safetensors *file, const char *prefix,
                    const float *have) {
    const Parameters *made = trainer_parameters(t);
    double most = 0;
    for (int i = 0; i < made->n; i++) {
        const Parameter *p = &made->items[i];
        char name[128];
        snprintf(name, sizeof name, "%s%s", prefix, p->name);
        /* What all keys share does not reach the softmax: Adam only scales rounding there. */
        if (prefix[0] == 'f' && strstr(name, "k_proj.bias")) continue;
        const RawTensor *want = safetensors_find(file, name);
        assert_non_null(want);
        for (size_t j = 0; j < want->n_bytes / 4; j++)
            most = fmax(most, fabs(((const float *)want->data)[j] - have[p->begin + (int64_t)j]));
    }
    return most;
}

static void steps_equal_torch(void **state) {
    (void)state;
    for (int threads = 1; threads <= 3; threads++) {
        Fixture f = fixture(threads);
        Trainer *t = start(&f);
        Error error = {0};
        for (int s = 0; s < 5; s++) {
            StepReport r;
            assert_true(trainer_step(t, (CorpusBatch){4, f.examples}, &r, &error));
            const float *loss = safetensors_find(f.steps, "loss")->data;
            const float *norm = safetensors_find(f.steps, "grad_norm")->data;
            const float *rate = safetensors_find(f.steps, "learning_rate")->data;
            assert_true(fabs(r.loss - loss[s]) < 1e-5);
            assert_true(fabs(r.gradient_norm - norm[s]) < 1e-4 * norm[s]);
            assert_true(fabs(r.learning_rate - rate[s]) < 1e-8);
            if (s == 0) assert_true(worst(t, f.steps, "grad.", trainer_gradient(t)) < 2e-6);
        }
        assert_true(worst(t, f.steps, "final.", trainer_parameters(t)->data) < 2e-5);
        trainer_free(t);
        safetensors_close(f.steps);
    }
}

static char *whole(const char *path, Arena *arena, size_t *n) {
    Str data;
    Error error = {0};
    if (!file_read(path, 0, arena, &data, &error)) fail_msg("%s", error.message);
    *n = data.n;
    return (char *)(uintptr_t)data.data;
}

static void take_steps(Trainer *t, const Fixture *f, int n) {
    StepReport r;
    Error error = {0};
    for (int s = 0; s < n; s++)
        assert_true(trainer_step(t, (CorpusBatch){4, f->examples}, &r, &error));
}

static void resumed_equals_straight(void **state) {
    (void)state;
    Fixture f = fixture(2);
    f.recipe.dropout = 0.3;
    f.recipe.average = 0.9;
    char half[64], a[64], b[64];
    snprintf(half, sizeof half, "/tmp/attnscope-test-%ld-half", (long)getpid());
    snprintf(a, sizeof a, "/tmp/attnscope-test-%ld-a", (long)getpid());
    snprintf(b, sizeof b, "/tmp/attnscope-test-%ld-b", (long)getpid());
    Error error = {0};
    Trainer *straight = start(&f);
    take_steps(straight, &f, 10);
    assert_true(trainer_save(straight, half, &error));
    take_steps(straight, &f, 10);
    assert_true(trainer_save(straight, a, &error));
    trainer_free(straight);
    Trainer *resumed = trainer_new(&f.recipe, &error);
    assert_true(trainer_resume(resumed, half, &error));
    assert_int_equal(trainer_place(resumed)->step, 10);
    take_steps(resumed, &f, 10);
    assert_true(trainer_save(resumed, b, &error));
    trainer_free(resumed);
    Arena *arena = arena_new();
    size_t n_a, n_b;
    char *x = whole(a, arena, &n_a), *y = whole(b, arena, &n_b);
    assert_int_equal(n_a, n_b);
    assert_memory_equal(x, y, n_a);
    arena_free(arena);
    safetensors_close(f.steps);
    unlink(half);
    unlink(a);
    unlink(b);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(steps_equal_torch),
                                       cmocka_unit_test(resumed_equals_straight)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
