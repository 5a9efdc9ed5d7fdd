/* SentencePiece files: read, and if one is accepted, cut and put together again. */
#include <stdint.h>

#include "model/tokenizer/layout.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const char text[] =
        "The boat's \xc3\xa4iti \xef\xac\x81nd\t \xe4\xbb\x8a\xe5\xa4\xa9 e\xcc\x81 <s>";
    Arena *arena = arena_new();
    Pipeline pipeline = {0};
    SentencePiece *sp;
    Error error = {0};
    if (layout_spm_read((Str){(const char *)data, size}, &pipeline, arena, &sp, &error)) {
        Tokens tokens;
        PipelineOptions options = {.tag = -1, .language = -1};
        pipeline_encode(&pipeline, (Str){text, sizeof text}, &options, arena, &tokens, NULL);
        int32_t *ids = arena_alloc(arena, ((size_t)tokens.n + 1) * sizeof *ids);
        for (int i = 0; i < tokens.n; i++) {
            const Token *token = &tokens.items[i];
            if (token->begin < 0 || token->end < token->begin || token->end > (int64_t)sizeof text)
                __builtin_trap();
            ids[i] = token->id;
        }
        pipeline_decode(&pipeline, ids, tokens.n, false, arena);
    } else if (error_ok(&error)) {
        __builtin_trap();
    }
    arena_free(arena);
    return 0;
}
