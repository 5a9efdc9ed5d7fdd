/* What models say, with names and probabilities; and passes that would not fit are refused. */
#include "tests/model/engine.h"

#include <stdlib.h>
#include <string.h>

#include "model/answer.h"
#include "model/memory.h"

static Tensor row_of(const Golden *g, const char *name) {
    const RawTensor *t = safetensors_find(g->expected, name);
    assert_non_null(t);
    Tensor x = tensor_new_shape(g->arena, t->rank - 1, t->shape + 1);
    memcpy(x.data, t->data, (size_t)tensor_count(x) * sizeof(float));
    return x;
}

/* DeiT's classes: names of the config, a softmax of the reference's own logits. */
static void classes(void **state) {
    (void)state;
    Error error = {0};
    Golden g = {.arena = arena_new()};
    g.model = model_open("tests/data/golden/deit", &error);
    expect_ok(&error);
    g.expected = safetensors_open("tests/data/golden/deit/expected.safetensors", &error);
    expect_ok(&error);
    g.input.features = row_of(&g, "pixel_values");
    Tensor want = row_of(&g, "logits");
    Trace *trace = golden_trace(&g, NULL);
    Answer answer;
    assert_true(answer_of(g.model, NULL, trace, 5, g.arena, &answer, &error));
    assert_int_equal(answer.kind, HEAD_SEQUENCE);
    assert_int_equal(answer.n_items, 1);
    assert_int_equal(answer.items[0].n, 5);
    double total = 0, sum = 0;
    for (int i = 0; i < 5; i++)
        total += exp((double)want.data[i]);
    for (int i = 0; i < 5; i++) {
        const Choice *c = &answer.items[0].choices[i];
        char name[16];
        snprintf(name, sizeof name, "LABEL_%d", c->id);
        assert_true(str_is(c->name, name));
        assert_true(fabs(c->probability - exp((double)want.data[c->id]) / total) < 1e-4);
        assert_true(i == 0 || c->probability <= c[-1].probability);
        sum += c->probability;
    }
    assert_true(fabs(sum - 1) < 1e-6);
    trace_release(trace);
    golden_close(&g);
}

/* RoBERTa's words: without a tokenizer an answer for every position, called by its id. */
static void words(void **state) {
    (void)state;
    Error error = {0};
    Golden g = golden_open("roberta");
    Trace *trace = golden_trace(&g, NULL);
    Answer answer;
    assert_true(answer_of(g.model, NULL, trace, 2, g.arena, &answer, &error));
    assert_int_equal(answer.kind, HEAD_MASKED);
    assert_int_equal(answer.n_items, g.input.source.n);
    Tensor logits = golden_tensor(&g, "logits");
    int best = 0;
    for (int v = 1; v < logits.shape[1]; v++)
        if (logits.data[v] > logits.data[best]) best = v;
    assert_int_equal(answer.items[0].choices[0].id, best);
    trace_release(trace);
    golden_close(&g);
}

static void no_head(void **state) {
    (void)state;
    Error error = {0};
    Golden g = golden_open("albert-groups");
    Trace *trace = golden_trace(&g, NULL);
    Answer answer;
    assert_false(answer_of(g.model, NULL, trace, 2, g.arena, &answer, &error));
    expect_error(&error, "no head that answers");
    trace_release(trace);
    golden_close(&g);
}

static void room(void **state) {
    (void)state;
    Error error = {0};
    assert_true(memory_fits(1 << 20, "a little", "", &error));
    if (memory_available() < 0) return; /* the system does not say */
    assert_false(
        memory_fits((int64_t)1 << 55, "a pass over 9 tokens", "a shorter text takes less", &error));
    expect_error(&error, "a pass over 9 tokens would take");
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(classes), cmocka_unit_test(words),
                                       cmocka_unit_test(no_head), cmocka_unit_test(room)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
