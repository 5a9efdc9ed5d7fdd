/* JSON of nobody's trust, and config.json as every family reads it. */
#include <string.h>

#include "model/arch.h"
#include "model/base/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    Error error = {0};
    json_t *root = json_parse((Str){(const char *)data, size}, "input", 0, 0, &error);
    if (!root && error_ok(&error)) __builtin_trap();
    Arena *arena = arena_new();
    int n;
    const Arch *const *rows = arch_rows(&n);
    const char *name;
    json_t *value;
    if (json_is_object(root)) arch_find(&(Fields){root, "input", &(Error){0}});
    json_object_foreach(root, name, value) arch_knows_field(rows[0], name);
    for (int i = 0; json_is_object(root) && i < n; i++) {
        Error local = {0};
        ModelConfig config = {0};
        Fields fields = {root, "input", &local};
        rows[i]->configure(&fields, &config);
        fields_generation(&fields, &(Fields){NULL, "input", &local}, arena, &config.generation);
    }
    arena_free(arena);
    json_decref(root);
    return 0;
}
