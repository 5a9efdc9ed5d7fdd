/* The rules of a step, each by itself, as transformers' logits processors have them. */
#include "tests/model/engine.h"

#include <string.h>

#include "model/logits.h"

enum { N = 8 };

static GenerationConfig plain(void) {
    return (GenerationConfig){.start_id = 0,
                              .pad_id = -1,
                              .n_eos = 1,
                              .eos_ids = {1},
                              .forced_bos_id = -1,
                              .forced_eos_id = -1,
                              .min_new_tokens = -1,
                              .repetition_penalty = 1};
}

/* Which ids may still be said, as bits, after ids[0..n) under a config. */
static int allowed(const GenerationConfig *config, bool ignore_eos, int n_prompt, int max_length,
                   const int32_t *ids, int n, float scores[N]) {
    StepRules rules = {config, ignore_eos, n_prompt, max_length};
    int bits = 0;
    for (int v = 0; v < N; v++)
        scores[v] = v % 2 ? 2 : -2;
    logits_process(&rules, ids, n, scores, N);
    for (int v = 0; v < N; v++)
        bits |= isinf(scores[v]) ? 0 : 1 << v;
    return bits;
}

static const int all = (1 << N) - 1;
#define BUT(...) (all & ~bits_of((const int[]){__VA_ARGS__, -1}))
static int bits_of(const int *ids) {
    int bits = 0;
    for (; *ids >= 0; ids++)
        bits |= 1 << *ids;
    return bits;
}

static void bad_words(void **state) {
    (void)state;
    static const int32_t one[] = {3, -1}, pair[] = {4, 5, -1}, three[] = {2, 2, 6, -1},
                         end[] = {1, -1}, beyond[] = {99, -1};
    static const int32_t *const words[] = {one, pair, three, end, beyond};
    GenerationConfig c = plain();
    c.n_bad_words = 5;
    c.bad_words = words;
    float s[N];
    assert_int_equal(allowed(&c, false, 1, 20, (const int32_t[]){0}, 1, s), BUT(3));
    assert_int_equal(allowed(&c, false, 1, 20, (const int32_t[]){0, 4}, 2, s), BUT(3, 5));
    assert_int_equal(allowed(&c, false, 1, 20, (const int32_t[]){0, 4, 7}, 3, s), BUT(3));
    assert_int_equal(allowed(&c, false, 1, 20, (const int32_t[]){0, 2, 2}, 3, s), BUT(3, 6));
    assert_int_equal(allowed(&c, false, 1, 20, (const int32_t[]){0, 7, 2}, 3, s), BUT(3));
    /* transformers asks for as many ids as the word has before it looks at all */
    assert_int_equal(allowed(&c, false, 1, 20, (const int32_t[]){4}, 1, s), BUT(3));
    assert_int_equal(allowed(&c, false, 1, 20, (const int32_t[]){2, 2}, 2, s), BUT(3));
}

static void forced_first_and_last(void **state) {
    (void)state;
    GenerationConfig c = plain();
    c.forced_bos_id = 5;
    c.forced_eos_id = 1;
    float s[N];
    assert_int_equal(allowed(&c, false, 1, 4, (const int32_t[]){0}, 1, s), 1 << 5);
    assert_true(s[5] == 0);
    assert_int_equal(allowed(&c, false, 1, 4, (const int32_t[]){0, 5}, 2, s), all);
    assert_int_equal(allowed(&c, false, 1, 4, (const int32_t[]){0, 5, 6}, 3, s), 1 << 1);
    assert_int_equal(allowed(&c, true, 1, 4, (const int32_t[]){0, 5, 6}, 3, s), all);
}

static void suppressed(void **state) {
    (void)state;
    static const int32_t always[] = {2, 7, 300}, first[] = {4, 6};
    GenerationConfig c = plain();
    c.suppressed = always;
    c.n_suppressed = 3;
    c.begin_suppressed = first;
    c.n_begin_suppressed = 2;
    float s[N];
    assert_int_equal(allowed(&c, false, 1, 9, (const int32_t[]){0}, 1, s), BUT(2, 4, 6, 7));
    assert_int_equal(allowed(&c, false, 1, 9, (const int32_t[]){0, 3}, 2, s), BUT(2, 7));
    assert_int_equal(allowed(&c, false, 2, 9, (const int32_t[]){0, 3}, 2, s), BUT(2, 4, 6, 7));
    c.forced_bos_id = 5; /* the first free token is the second */
    assert_int_equal(allowed(&c, false, 1, 9, (const int32_t[]){0, 5}, 2, s), BUT(2, 4, 6, 7));
    assert_int_equal(allowed(&c, false, 1, 9, (const int32_t[]){0, 5, 3}, 3, s), BUT(2, 7));
}

static void repeats(void **state) {
    (void)state;
    GenerationConfig c = plain();
    float s[N];
    c.no_repeat_ngram = 2;
    assert_int_equal(allowed(&c, false, 1, 99, (const int32_t[]){3, 4, 3, 5, 3}, 5, s), BUT(4, 5));
    assert_int_equal(allowed(&c, false, 1, 99, (const int32_t[]){3}, 1, s), all);
    c.no_repeat_ngram = 3;
    assert_int_equal(allowed(&c, false, 1, 99, (const int32_t[]){3, 4, 6, 5, 3, 4}, 6, s), BUT(6));
    assert_int_equal(allowed(&c, false, 1, 99, (const int32_t[]){3, 4}, 2, s), all);
    c.no_repeat_ngram = 1;
    assert_int_equal(allowed(&c, false, 1, 99, (const int32_t[]){3, 4}, 2, s), BUT(3, 4));
    c.no_repeat_ngram = 0;
    c.repetition_penalty = 2;
    assert_int_equal(allowed(&c, false, 1, 99, (const int32_t[]){3, 4, 3, -1, 99}, 5, s), all);
    assert_true(s[3] == 1 && s[4] == -4 && s[5] == 2 &&
                s[6] == -2); /* once, however often it is there */
}

static void least_length(void **state) {
    (void)state;
    GenerationConfig c = plain();
    float s[N];
    c.n_eos = 2;
    c.eos_ids[1] = 6;
    c.min_length = 3;
    assert_int_equal(allowed(&c, false, 1, 99, (const int32_t[]){0, 3}, 2, s), BUT(1, 6));
    assert_int_equal(allowed(&c, false, 1, 99, (const int32_t[]){0, 3, 3}, 3, s), all);
    c.min_length = 0;
    c.min_new_tokens = 2;
    assert_int_equal(allowed(&c, false, 2, 99, (const int32_t[]){0, 3, 3}, 3, s), BUT(1, 6));
    assert_int_equal(allowed(&c, false, 2, 99, (const int32_t[]){0, 3, 3, 4}, 4, s), all);
    c.min_length = 9; /* min_new_tokens goes before it, 0 too */
    c.min_new_tokens = 0;
    assert_int_equal(allowed(&c, false, 2, 99, (const int32_t[]){0, 3}, 2, s), all);
    c.min_new_tokens = -1;
    assert_int_equal(allowed(&c, false, 2, 99, (const int32_t[]){0, 3}, 2, s), BUT(1, 6));
}

static void log_softmax_sums_to_one(void **state) {
    (void)state;
    float x[N] = {1, 2, -3, 90, -INFINITY, 4, 89, 0}, y[N];
    logits_log_softmax(x, N, y);
    double sum = 0;
    for (int v = 0; v < N; v++)
        sum += exp(y[v]);
    assert_true(fabs(sum - 1) < 2e-5 && isinf(y[4])); /* 90 in f32 has 8e-6 between numbers */
    StepRules rules = {&(GenerationConfig){.n_eos = 1, .eos_ids = {3}}, false, 1, 9};
    assert_true(logits_is_end(&rules, 3) && !logits_is_end(&rules, 2));
    rules.ignore_eos = true;
    assert_false(logits_is_end(&rules, 3));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bad_words),    cmocka_unit_test(forced_first_and_last),
        cmocka_unit_test(suppressed),   cmocka_unit_test(repeats),
        cmocka_unit_test(least_length), cmocka_unit_test(log_softmax_sums_to_one)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
