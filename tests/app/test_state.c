#include "app/state.h"

#include <stdlib.h>
#include <unistd.h>

// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

static void set(State *state, const char *field, const char *value) {
    Error error = {0};
    if (!state_set(state, field, str(value), &error)) fail_msg("%s", error.message);
}

static void expect_refused(const char *json, const char *in_message) {
    State state, before;
    state_init(&state);
    state_init(&before);
    set(&state, "layer", "4");
    state_copy(&before, &state);
    json_t *root = json_loads(json, JSON_ALLOW_NUL, NULL);
    assert_non_null(root);
    Error error = {0};
    assert_false(state_merge(&state, root, "x.json", &error));
    assert_non_null(strstr(error.message, "x.json"));
    if (!strstr(error.message, in_message)) fail_msg("%s: %s", json, error.message);
    assert_true(state_equal(&state, &before)); /* a merge that fails changes nothing */
    json_decref(root);
    state_free(&state);
    state_free(&before);
}

static void defaults_are_an_empty_record(void **unused) {
    (void)unused;
    State state;
    state_init(&state);
    char *text = state_text(&state);
    assert_string_equal(text, "{\"format\": \"" STATE_FORMAT "\"}");
    free(text);
    assert_int_equal(state.pair, -1);
    assert_int_equal(state.selection.layer, -1);
    state_free(&state);
}

static void every_field_goes_round(void **unused) {
    (void)unused;
    State state, back;
    state_init(&state);
    state_init(&back);
    for (const StateField *f = state_fields; f->name; f++) {
        char choice[32] = {0};
        if (f->kind == FIELD_CHOICE) memcpy(choice, f->choices, strcspn(f->choices, "|"));
        static const char *const values[] = {[FIELD_TEXT] = "Tämä \"on\" 猫'\n",
                                             [FIELD_LIST] = "a, b",
                                             [FIELD_FLAG] = "true",
                                             [FIELD_INTEGER] = "1",
                                             [FIELD_NUMBER] = "0.25",
                                             [FIELD_PLACE] = "cross-L2H3-q4"};
        set(&state, f->name, f->kind == FIELD_CHOICE ? choice : values[f->kind]);
        assert_true(state_is_set(&state, f->name));
    }
    set(&state, "hide", "second");
    json_t *root = state_json(&state);
    Error error = {0};
    assert_true(state_merge(&back, root, "x", &error));
    assert_true(state_equal(&state, &back));
    assert_int_equal(back.hide.n, 2);
    assert_string_equal(back.hide.items[1], "second");
    json_decref(root);
    state_free(&state);
    state_free(&back);
}

static void partial_states_are_laid_over(void **unused) {
    (void)unused;
    State state;
    state_init(&state);
    set(&state, "layer", "1");
    set(&state, "top-k", "5");
    set(&state, "hide", "a");
    json_t *root = json_loads("{\"layer\": null, \"head\": \"2\", \"hide\": [\"b\"], "
                              "\"selection\": \"L1H2\", \"version\": \"9\"}",
                              0, NULL);
    assert_true(state_merge(&state, root, "x", NULL));
    assert_null(state.layer);
    assert_string_equal(state.head, "2");
    assert_int_equal(state.top_k, 5);
    assert_int_equal(state.hide.n, 1);
    assert_string_equal(state.hide.items[0], "b");
    assert_int_equal(state.selection.head, 2);
    json_decref(root);
    state_free(&state);
}

static void wrong_states_are_refused_by_name(void **unused) {
    (void)unused;
    expect_refused("{\"lyaer\": \"2\"}", "lyaer");
    expect_refused("{\"layer\": 2}", "layer");
    expect_refused("{\"layer\": \"1\", \"top_k\": -1}", "top_k");
    expect_refused("{\"threshold\": 1.5}", "1.5");
    expect_refused("{\"theme\": \"pink\"}", "light|dark|print|projector");
    expect_refused("{\"theme\": \"ligh\"}", "ligh");
    expect_refused("{\"hide\": [1]}", "hide[0]");
    expect_refused("{\"hide\": \"a\"}", "list");
    expect_refused("{\"selection\": \"L\"}", "no place");
    expect_refused("{\"base\": 1.0}", "whole number");
    expect_refused("{\"text\": \"a\\u0000b\"}", "NUL");
    expect_refused("{\"top-k\": 3}", "top-k"); /* the JSON has one spelling */
    expect_refused("{\"format\": \"attnscope-state-9\"}", "format");
    expect_refused("[1]", "object");
}

static void saves_and_loads(void **unused) {
    (void)unused;
    char path[] = "/tmp/test_state_XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    State state, back;
    state_init(&state);
    state_init(&back);
    set(&state, "text", "猫 sat");
    set(&state, "dpi", "299.5");
    assert_true(state_save(&state, path, NULL));
    assert_true(state_load(&back, path, NULL));
    assert_true(state_equal(&state, &back));
    unlink(path);
    Error error = {0};
    assert_false(state_load(&back, path, &error));
    assert_true(state_equal(&state, &back));
    state_free(&state);
    state_free(&back);
}

static void prints_its_command_line(void **unused) {
    (void)unused;
    State state;
    state_init(&state);
    set(&state, "view", "heatmap");
    set(&state, "text", "It's <here>");
    set(&state, "attention", "cross");
    set(&state, "edits", "ablate decoder.2.cross_attn:H3");
    set(&state, "top-k", "5");
    set(&state, "hide-special", "true");
    set(&state, "threshold", "0.9");
    char *line = state_command_line(&state);
    assert_string_equal(line, "attnscope figure heatmap --text 'It'\\''s <here>' --ablate "
                              "decoder.2.cross_attn:H3 --threshold 0.9 --top-k 5 --hide-special "
                              "--cross");
    free(line);
    state_free(&state);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_are_an_empty_record),
        cmocka_unit_test(every_field_goes_round),
        cmocka_unit_test(partial_states_are_laid_over),
        cmocka_unit_test(wrong_states_are_refused_by_name),
        cmocka_unit_test(saves_and_loads),
        cmocka_unit_test(prints_its_command_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
