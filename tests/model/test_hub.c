/* Names of models: folders, files, and a cache laid out as huggingface_hub does. */
#include "model/hub.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "model/base/file.h"
#include "tests/model/scratch.h"

static void forget_environment(void) {
    static const char *const names[] = {"HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_HOME",
                                        "XDG_CACHE_HOME", "HOME"};
    for (int i = 0; i < 5; i++)
        unsetenv(names[i]);
}

static int make(void **state) {
    if (scratch_make(state)) return -1;
    scratch_write("hf/hub/models--org--tiny/refs/main", str("abc1\n"));
    scratch_write("hf/hub/models--org--tiny/refs/v2", str("abc2"));
    scratch_write("hf/hub/models--org--tiny/snapshots/abc1/config.json",
                  str("{\"model_type\": \"llama\"}"));
    scratch_write("hf/hub/models--org--tiny/snapshots/abc1/model.safetensors", str("x"));
    scratch_write("hf/hub/models--org--tiny/snapshots/abc2/config.json", str("{}"));
    scratch_write("hf/hub/models--gpt2/snapshots/only/config.json", str("not json"));
    scratch_write("hf/hub/models--evil/refs/main", str("../../../../outside"));
    scratch_write("outside/config.json", str("{}"));
    scratch_write("hf/hub/datasets--org--x/refs/main", str("abc"));
    scratch_write("assets/en-fr-fi/config.json", str("{\"model_type\": \"marian\"}"));
    scratch_write("home/.cache/huggingface/hub/models--home/snapshots/h/config.json", str("{}"));
    return 0;
}

static const char *find(const char *name, Error *error) {
    return hub_find(name, scratch_path("assets"), scratch_arena(), error);
}

static void must_find(const char *name, const char *path) {
    Error error = {0};
    const char *found = find(name, &error);
    if (!found) fail_msg("%s", error.message);
    assert_string_equal(found, path);
}

static void names_become_folders(void **state) {
    (void)state;
    forget_environment();
    setenv("HF_HOME", scratch_path("hf"), 1);
    must_find("org/tiny", scratch_path("hf/hub/models--org--tiny/snapshots/abc1"));
    must_find("org/tiny@v2", scratch_path("hf/hub/models--org--tiny/snapshots/abc2"));
    must_find("org/tiny@abc2", scratch_path("hf/hub/models--org--tiny/snapshots/abc2"));
    must_find("gpt2", scratch_path("hf/hub/models--gpt2/snapshots/only"));
    must_find("en-fr-fi", scratch_path("assets/en-fr-fi"));
    must_find(scratch_path("outside"), scratch_path("outside"));
    must_find(scratch_path("outside/config.json"), scratch_path("outside/config.json"));
    setenv("HF_HUB_CACHE", scratch_path("hf/hub"), 1);
    unsetenv("HF_HOME");
    must_find("org/tiny", scratch_path("hf/hub/models--org--tiny/snapshots/abc1"));
    forget_environment();
    setenv("HOME", scratch_path("home"), 1);
    must_find("home", scratch_path("home/.cache/huggingface/hub/models--home/snapshots/h"));
    setenv("XDG_CACHE_HOME", scratch_path("home/.cache"), 1);
    unsetenv("HOME");
    must_find("home", scratch_path("home/.cache/huggingface/hub/models--home/snapshots/h"));
}

static void not_found_says_where_and_how(void **state) {
    (void)state;
    forget_environment();
    setenv("HF_HOME", scratch_path("hf"), 1);
    static const char *const names[] = {
        "org/other",     "org/tiny@../abc1", "org/tiny@nine", "a/b/c", "",
        "../x",          "./org/tiny",       "evil",          "-x",    "org/",
        "models--gpt2\n"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        Error error = {0};
        if (find(names[i], &error)) fail_msg("%s was found", names[i]);
        assert_int_equal(error.kind, ERROR_NOT_FOUND);
    }
    Error error = {0};
    find("org/other", &error);
    assert_non_null(strstr(error.message, scratch_path("hf/hub")));
    assert_non_null(strstr(error.message, "hf download org/other"));
    error = (Error){0};
    find("org/other.gguf", &error);
    assert_null(strstr(error.message, "hf download"));
    forget_environment();
    error = (Error){0};
    assert_null(find("org/other", &error));
    assert_non_null(strstr(error.message, "HF_HOME"));
}

static void the_list_is_sorted_and_whole(void **state) {
    (void)state;
    forget_environment();
    setenv("HF_HOME", scratch_path("hf"), 1);
    HubModel *models;
    int n = hub_list(scratch_path("assets"), scratch_arena(), &models);
    assert_int_equal(n, 3);
    assert_string_equal(models[0].name, "en-fr-fi");
    assert_true(models[0].shipped);
    assert_string_equal(models[0].model_type, "marian");
    assert_null(models[0].format);
    assert_string_equal(models[1].name, "gpt2");
    assert_null(models[1].model_type);
    assert_string_equal(models[2].name, "org/tiny");
    assert_string_equal(models[2].model_type, "llama");
    assert_string_equal(models[2].format, "safetensors");
    assert_int_equal(models[2].n_bytes, 24);
    forget_environment();
    assert_int_equal(hub_list(NULL, scratch_arena(), &models), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_become_folders),
        cmocka_unit_test(not_found_says_where_and_how),
        cmocka_unit_test(the_list_is_sorted_and_whole),
    };
    return cmocka_run_group_tests(tests, make, scratch_remove);
}
