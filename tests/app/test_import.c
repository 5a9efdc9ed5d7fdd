/* Attentions from elsewhere: numpy's own files, JSON, Marian, Nematus; what is wrong is named. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "app/dataexport.h"
#include "app/dataexport_npz.h"
#include "app/import.h"
#include "model/base/file.h"
#include "model/pattern.h"
#include "tests/app/spawn.h"

static Trace *opened(const char *path, const ImportHints *hints) {
    Error error = {0};
    Trace *trace = import_open(path, hints, &error);
    if (!trace) fail_msg("%s", error.message);
    return trace;
}

static void refused(const char *path, const char *part) {
    Error error = {0};
    assert_null(import_open(path, NULL, &error));
    if (!strstr(error.message, part)) fail_msg("'%s' is not in: %s", part, error.message);
    assert_null(strchr(error.message, '\n'));
}

static void refused_json(const char *json, const char *part) {
    refused(spawn_file("x.json", json, strlen(json)), part);
}

static float weight(const Trace *trace, const char *name, int head, int query, int key) {
    const Tensor *x = trace_find(trace, name);
    assert_non_null(x);
    return *tensor_at(*x, head, query, key, 0);
}

static void label_is(Tokens tokens, int index, const char *expected) {
    assert_true(index < tokens.n);
    if (!str_is(tokens.items[index].label, expected))
        fail_msg("'%.*s', expected '%s'", (int)tokens.items[index].label.n,
                 tokens.items[index].label.data, expected);
}

/* tests/data/import/make.py, which numpy ran. */
static void numpy_one_stack(void **unused) {
    (void)unused;
    Trace *trace = opened("tests/data/import/one.npz", NULL);
    assert_int_equal(trace_n_layers(trace, STACK_BLOCKS, false), 2);
    assert_int_equal(trace_n_heads(trace, STACK_BLOCKS, false), 3);
    Tokens tokens = trace_source(trace);
    assert_int_equal(tokens.n, 4);
    label_is(tokens, 1, "猫");
    assert_true(tokens.items[0].special);
    assert_false(tokens.items[2].special);
    for (int q = 0; q < 4; q++) { /* Fortran order read wrongly would not sum to 1 */
        float sum = 0;
        for (int k = 0; k < 4; k++)
            sum += weight(trace, "blocks.1.attn.hook_pattern", 2, q, k);
        assert_true(fabsf(sum - 1) < 1e-5f);
    }
    /* default_rng(1).normal: the first two numbers are 0.345584, 0.821618 */
    float ratio = weight(trace, "blocks.0.attn.hook_pattern", 0, 0, 0) /
                  weight(trace, "blocks.0.attn.hook_pattern", 0, 0, 1);
    assert_true(fabsf(ratio - expf(0.34558419f - 0.82161814f)) < 1e-5f);
    trace_release(trace);
}

static void numpy_generation_steps(void **unused) {
    (void)unused;
    Trace *trace = opened("tests/data/import/steps.npz", NULL);
    assert_int_equal(trace_n_layers(trace, STACK_DECODER, true), 2);
    assert_int_equal(trace_target(trace).n, 3);
    label_is(trace_target(trace), 0, "<pad>");
    const Token *next = trace_next_tokens(trace);
    assert_non_null(next);
    assert_true(str_is(next[0].label, "x") && str_is(next[2].label, "z"));
    const Tensor *decoder = trace_find(trace, "decoder.1.attn.hook_pattern");
    assert_int_equal(decoder->shape[1], 3);
    assert_int_equal(decoder->shape[2], 3);
    assert_true(isnan(*tensor_at(*decoder, 0, 0, 1, 0))); /* not there yet */
    float sum = *tensor_at(*decoder, 0, 2, 0, 0) + *tensor_at(*decoder, 0, 2, 1, 0) +
                *tensor_at(*decoder, 0, 2, 2, 0);
    assert_true(fabsf(sum - 1) < 1e-2f); /* half precision */
    trace_release(trace);
}

static void json_of_one_stack(void **unused) {
    (void)unused;
    const char *json = "{\"attention\": [[[[1, 0], [0.25, 0.75]]]], \"tokens\": [\"a\", \"b\"], "
                       "\"encoder_attention\": null, \"other\": 3}";
    Trace *trace = opened(spawn_file("a.json", json, strlen(json)), NULL);
    assert_true(weight(trace, "blocks.0.attn.hook_pattern", 0, 1, 1) == 0.75f);
    label_is(trace_source(trace), 1, "b");
    trace_release(trace);
}

/* [step][layer][batch][head][query][key], as outputs.cross_attentions nests them. */
static void json_of_generate(void **unused) {
    (void)unused;
    const char *json = "{\"cross_attentions\": [[[[[[1, 0]]]]], [[[[[0.5, 0.5]]]]]],"
                       "\"decoder_attentions\": [[[[[[1]]]]], [[[[[0.5, 0.5]]]]]],"
                       "\"encoder_tokens\": [\"a\", \"b\"], \"decoder_tokens\": [\"<s>\", \"x\", "
                       "\"y\"]}";
    Trace *trace = opened(spawn_file("g.json", json, strlen(json)), NULL);
    assert_true(weight(trace, "decoder.0.cross_attn.hook_pattern", 0, 1, 1) == 0.5f);
    assert_true(isnan(weight(trace, "decoder.0.attn.hook_pattern", 0, 0, 1)));
    assert_true(str_is(trace_next_tokens(trace)[0].label, "x"));
    trace_release(trace);
}

static void wrong_files_are_named(void **unused) {
    (void)unused;
    refused_json("{\"weights\": [[1]], \"words\": []}", "found: weights, words");
    refused_json("{\"cross_attention.0\": [[[[1]]]], \"cross_attention.2\": [[[[1]]]]}",
                 "cross_attention.2 follows cross_attention.0, expected step 1");
    refused("tests/data/import/objects.npz", "never opened");
    refused("tests/data/import/complex.npz", "number type '<c16', expected float or integer");
    refused("tests/data/import/wide.npz", "number type '<f260'");
    refused_json("{\"attention\": [[[1, 0], [0, 1]]]}", "[1, 2, 2], expected [layer, head");
    refused_json("{\"attention\": [[[[1, 0], [0, 1]]]], \"tokens\": [\"a\"]}",
                 "has 2 queries, but tokens has 1");
    refused_json("{\"attention\": [[[[1, 0], [0]]]]}", "a list of 1 at depth 3, expected 2");
    refused_json("{\"attention\": [[[[1, \"x\"]]]]}", "no number");
    refused_json("{\"attention\": [[[[1e999]]]]}", "json");
    refused_json("{\"cross_attention\": [[[[1]]]], \"attention\": [[[[1]]]]}", "one stack or two");
    refused_json("{\"weights\": [[[[1]]]]}", "no attention in it");
    refused_json("{\"attention\": [[[[]]]]}", "at least one");
    refused_json("{\"attention\": [[[[1, 0], [0, 1]]]], \"tokens\": {\"a\": 1}}", "list of texts");
    refused_json("{\"attention\": [[[[1,", "line 1");
    refused(spawn_file("x.npz", "PK\3\4nothing", 11), "zip");
    refused(spawn_file("x.bin", "nothing at all", 14), "not known what this is");
    refused("/nonexistent.npz", "No such file");
    refused("tests", "folder");
}

/* Each byte of a good file changed once: never a crash, and the error is one line. */
static void damaged_npz(void **unused) {
    (void)unused;
    Arena *arena = arena_new();
    Str good;
    assert_true(file_read("tests/data/import/one.npz", 0, arena, &good, NULL));
    char *bad = arena_alloc(arena, good.n);
    for (size_t i = 0; i < good.n; i += 3) {
        memcpy(bad, good.data, good.n);
        bad[i] ^= 0x41;
        Error error = {0};
        Trace *trace = import_open(spawn_file("d.npz", bad, good.n), NULL, &error);
        assert_true(trace || (error.kind != ERROR_NONE && !strchr(error.message, '\n')));
        trace_release(trace);
        Error cut = {0};
        Trace *half = import_open(spawn_file("c.npz", good.data, i), NULL, &cut);
        assert_null(half);
        assert_int_not_equal(cut.kind, ERROR_NONE);
    }
    arena_free(arena);
}

static void marian(void **unused) {
    (void)unused;
    const char *text = "un ||| 1,0 0.5,0.5\n"
                       "le chat ||| 0.7,0.2,0.1 0.1,0.8,0.1 0,0,1\n";
    ImportHints hints = {.source_text = "the cat", .row = 1};
    Trace *trace = opened(spawn_file("m.txt", text, strlen(text)), &hints);
    assert_true(weight(trace, "decoder.0.cross_attn.hook_pattern", 0, 1, 1) == 0.8f);
    label_is(trace_source(trace), 1, "cat");
    label_is(trace_source(trace), 2, "</s>");
    label_is(trace_target(trace), 0, "le");
    label_is(trace_target(trace), 2, "</s>");
    trace_release(trace);
    Error error = {0};
    hints.row = 2;
    assert_null(import_open(spawn_file("m.txt", text, strlen(text)), &hints, &error));
    assert_non_null(strstr(error.message, "it has 2"));
    refused(spawn_file("h.txt", "le chat ||| 0-0 1-1\n", 20), "--alignment soft");
    refused(spawn_file("u.txt", "le chat ||| 0.7,0.3 0.1\n", 24), "expected 2 numbers");
}

static void nematus(void **unused) {
    (void)unused;
    const char *text = "0 ||| le chat ||| -1.25 ||| the cat ||| 3 3\n"
                       "0.7 0.2 0.1\n0.1 0.8 0.1\n0 0 1\n\n"
                       "1 ||| oui ||| -0.5 ||| yes ||| 2 2\n0.75 0.25\n0.5 0.5\n";
    const char *path = spawn_file("n.txt", text, strlen(text));
    Trace *trace = opened(path, NULL);
    assert_true(weight(trace, "decoder.0.cross_attn.hook_pattern", 0, 0, 1) == 0.2f);
    label_is(trace_source(trace), 0, "the");
    label_is(trace_target(trace), 1, "chat");
    trace_release(trace);
    trace = opened(path, &(ImportHints){.row = 1});
    assert_true(weight(trace, "decoder.0.cross_attn.hook_pattern", 0, 0, 0) == 0.75f);
    label_is(trace_target(trace), 0, "oui");
    trace_release(trace);
    refused(spawn_file("s.txt", "0 ||| a ||| -1 ||| b ||| 2 2\n0.5 0.5\n", 37),
            "1 rows of weights");
}

/* What is written is read back, number for number. */
static void round_trips(void **unused) {
    (void)unused;
    static const char *const files[] = {"tests/data/import/one.npz", "tests/data/import/steps.npz"};
    static const char *const endings[] = {"r.npz", "r.json", "r.safetensors"};
    State state;
    state_init(&state);
    for (int f = 0; f < 2; f++)
        for (int e = 0; e < 3; e++) {
            Trace *trace = opened(files[f], NULL);
            ViewInput input = {.trace = trace, .state = &state};
            char path[256];
            snprintf(path, sizeof path, "%s", spawn_file(endings[e], "", 0));
            Error error = {0};
            if (!dataexport(path, &input, &error)) fail_msg("%s", error.message);
            Trace *back = opened(path, NULL);
            assert_int_equal(trace_source(back).n, trace_source(trace).n);
            assert_int_equal(trace_target(back).n, trace_target(trace).n);
            for (int i = 0; i < trace_n_tensors(trace); i++) {
                const Tensor *x = trace_tensor(trace, i);
                const Tensor *y = trace_find(back, trace_tensor_name(trace, i));
                assert_non_null(y);
                assert_true(tensor_same_shape(*x, *y));
                for (int64_t n = 0; n < tensor_count(*x); n++)
                    if (!isnan(x->data[n])) assert_true(fabsf(x->data[n] - y->data[n]) < 2e-7f);
            }
            trace_release(back);
            trace_release(trace);
        }
    state_free(&state);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numpy_one_stack),
        cmocka_unit_test(numpy_generation_steps),
        cmocka_unit_test(json_of_one_stack),
        cmocka_unit_test(json_of_generate),
        cmocka_unit_test(marian),
        cmocka_unit_test(nematus),
        cmocka_unit_test(round_trips),
        cmocka_unit_test(wrong_files_are_named),
        cmocka_unit_test(damaged_npz),
    };
    return cmocka_run_group_tests(tests, NULL, spawn_clean);
}
