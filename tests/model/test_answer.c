/* What models say, with names and probabilities; and passes that would not fit are refused. */
#include "tests/model/engine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/answer.h"
#include "model/effort.h"
#include "model/memory.h"

/* DeiT's classes: names of the config, a softmax of the reference's own logits. */
static void classes(void **state) {
    (void)state;
    Error error = {0};
    Golden g = golden_open("deit");
    Tensor want = golden_row(&g, "logits", 0);
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

/* What is counted is what a pass multiplies: one layer of bert's kind by hand. */
static void multiply_adds(void **state) {
    (void)state;
    Golden g = golden_open("roberta");
    const StackConfig *c = &g.model->config.stack[STACK_BLOCKS];
    double d = g.model->config.d_model, n = 10;
    double layer = 4 * d * d + 2 * d * c->d_ff + n * (2 * d + 32 * c->n_heads);
    double output = d * g.model->config.n_vocab;
    assert_true(effort_multiply_adds(g.model, 10, 0) == n * (layer * c->n_layers + output));
    assert_true(effort_pass(g.model, 10, 0, false) == 0); /* too short to ask */
    /* With so many tokens all is attention: ten times as many take a hundred times as long. */
    assert_true(effort_multiply_adds(g.model, 10000000, 0) >
                99 * effort_multiply_adds(g.model, 1000000, 0));
    assert_true(effort_pass(g.model, 1000000, 0, false) > 0);
    assert_true(effort_step(g.model, 1, 10000000) > 0);
    char text[32];
    assert_string_equal(effort_text(0.254, text), "0.25 s");
    assert_string_equal(effort_text(99, text), "99 s");
    assert_string_equal(effort_text(3000, text), "50 min");
    assert_string_equal(effort_text(9000, text), "2.5 h");
    golden_close(&g);
}

typedef struct Heard {
    atomic_bool cancel;
    char what[200];
} Heard;

static void hear(void *context, const char *what) {
    Heard *heard = context;
    snprintf(heard->what, sizeof heard->what, "%s", what);
    atomic_store(&heard->cancel, true);
}

/* A long run says so before it begins; one for which there is no room is refused with its time. */
static void expected_time(void **state) {
    (void)state;
    enum { N = 200000 };
    Error error = {0};
    Golden g = golden_open("llama-mqa");
    g.model->config.stack[STACK_BLOCKS].n_positions = 0;
    int32_t *ids = arena_calloc(g.arena, N, sizeof *ids);
    Input input = {.source = tokens_of(g.arena, ids, N)};
    Heard heard = {0};
    TraceOptions options = {
        .progress = {.expect = hear, .context = &heard, .cancel = &heard.cancel}};
    assert_null(trace_run(g.model, &input, &options, &error));
    assert_int_equal(error.kind, ERROR_CANCELLED);
    assert_non_null(strstr(heard.what, "a pass over 200000 tokens takes about "));
    assert_non_null(strstr(heard.what, " GB"));
    error = (Error){0};
    input.source.n = 20; /* a short one says nothing */
    heard = (Heard){0};
    trace_release(trace_run(g.model, &input, &options, &error));
    expect_ok(&error);
    assert_string_equal(heard.what, "");
    input.source.n = N; /* all patterns are stored: 1.3 TB a head */
    options.grad = "loss";
    if (memory_available() >= 0) {
        assert_null(trace_run(g.model, &input, &options, &error));
        assert_int_equal(error.kind, ERROR_MEMORY);
        assert_non_null(strstr(error.message, " GB and about "));
        expect_error(&error, "a pass over 200000 tokens would take ");
    }
    golden_close(&g);
}

static void room(void **state) {
    (void)state;
    Error error = {0};
    Effort effort = {
        .what = "a pass over 9 tokens", .n_bytes = 1 << 20, .advice = "a shorter text takes less"};
    assert_true(memory_fits(1 << 20));
    assert_true(effort_allowed(&effort, &(Progress){0}, &error));
    if (memory_available() < 0) return; /* the system does not say */
    assert_false(memory_fits((int64_t)1 << 55));
    effort.n_bytes = (int64_t)1 << 55;
    assert_false(effort_allowed(&effort, &(Progress){0}, &error));
    expect_error(&error, "a pass over 9 tokens would take 36028797.0 GB, and ");
    effort.seconds = 130;
    assert_false(effort_allowed(&effort, &(Progress){0}, &error));
    expect_error(&error, " GB and about 2 min, and ");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(classes),       cmocka_unit_test(words),
        cmocka_unit_test(no_head),       cmocka_unit_test(room),
        cmocka_unit_test(multiply_adds), cmocka_unit_test(expected_time)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
