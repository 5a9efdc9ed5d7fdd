/* tokenizer.json: parsed, and if one is accepted, a text is cut with it and put together again. */
#include <stdint.h>

#include "model/tokenizer/layout.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void use(const Pipeline *pipeline, Arena *arena) {
    static const char text[] = "The boat's \xc3\x84iti \xef\xac\x81nd\t \xe4\xbb\x8a\xe5\xa4\xa9 "
                               "e\xcc\x81\xcc\xa3 <s> 1984 \xf0\x9f\x91\x8d\xf0\x9f\x8f\xbd";
    Tokens tokens;
    PipelineOptions options = {.special = true, .pair = str("x y"), .tag = -1, .language = -1};
    pipeline_encode(pipeline, (Str){text, sizeof text}, &options, arena, &tokens, NULL);
    int32_t *ids = arena_alloc(arena, ((size_t)tokens.n + 1) * sizeof *ids);
    for (int i = 0; i < tokens.n; i++) {
        const Token *token = &tokens.items[i];
        if (token->begin < 0 || token->end < token->begin || token->end > (int64_t)sizeof text)
            __builtin_trap();
        ids[i] = token->id;
    }
    pipeline_decode(pipeline, ids, tokens.n, false, arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    Error error = {0};
    json_t *root = folder_parse((Str){(const char *)data, size}, "tokenizer.json", &error);
    if (root) {
        Arena *arena = arena_new();
        Pipeline pipeline = {0};
        if (layout_json_read(root, &pipeline, arena, &error))
            use(&pipeline, arena);
        else if (error_ok(&error))
            __builtin_trap();
        arena_free(arena);
        json_decref(root);
    } else if (error_ok(&error)) {
        __builtin_trap();
    }
    return 0;
}
