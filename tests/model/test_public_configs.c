/* The config.json of models that people have, with all the fields that their authors left in them
 * (the sets of fields as published, by family and year). Every one is accepted: what is wrong with
 * the folder is that it holds none of the weights. */
#include "tests/model/engine.h"

#include <string.h>
#include <unistd.h>

#include "model/base/file.h"
#include "model/base/json.h"
#include "model/loader.h"
#include "model/safetensors.h"

static void write_folder(const char *folder, const json_t *config, Arena *arena) {
    Error error = {0};
    char *text = json_dumps(config, 0);
    assert_true(file_save(path_join(arena, folder, "config.json"), text, strlen(text), &error));
    free(text);
    static const char header[] = "{\"none\":{\"dtype\":\"F32\",\"shape\":[1],"
                                 "\"data_offsets\":[0,4]}}      ";
    enum { N = sizeof header - 1 };
    unsigned char file[8 + N + 4] = {N};
    memcpy(file + 8, header, N);
    assert_true(
        file_save(path_join(arena, folder, "model.safetensors"), file, sizeof file, &error));
}

static void every_config_is_accepted(void **unused) {
    (void)unused;
    Arena *arena = arena_new();
    Error error = {0};
    Str text;
    assert_true(file_read("tests/data/public_configs.json", 0, arena, &text, &error));
    json_t *all = json_parse(text, "public_configs.json", 0, 0, &error);
    assert_non_null(all);
    const char *folder = temporary_path(arena, "public");
    assert_true(folder_make(folder, &error));
    int n = 0;
    const char *name;
    json_t *config;
    json_object_foreach(all, name, config) {
        write_folder(folder, config, arena);
        error = (Error){0};
        Model *model = model_open(folder, &error);
        assert_null(model);
        if (!strstr(error.message, "tensor") || !strstr(error.message, "is missing"))
            fail_msg("%s: %s", name, error.message);
        n++;
    }
    assert_true(n > 40);
    unlink(path_join(arena, folder, "config.json"));
    unlink(path_join(arena, folder, "model.safetensors"));
    rmdir(folder);
    json_decref(all);
    arena_free(arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_config_is_accepted)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
