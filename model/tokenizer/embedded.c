/* A vocabulary that lies in the file of weights (GGUF), or beside it in a form of its own
 * (llama2.c): checkpoint.h gives it as the tokenizer.json that the same model would have. */
#include "model/checkpoint.h"
#include "model/tokenizer/layout.h"

bool layout_embedded(Tokenizer *tokenizer, const char *path, bool *found, Error *error) {
    Error failure = {0};
    json_t *root = checkpoint_tokenizer(path, &failure);
    *found = root || failure.kind != ERROR_NONE;
    if (!root) return *found && error_set(error, failure.kind, "%s", failure.message);
    tokenizer->kind = "in the file of weights";
    Pipeline *pipeline = &tokenizer->sides[0];
    bool ok = layout_json_read(root, pipeline, tokenizer->arena, error);
    json_decref(root);
    if (!ok) return error_prefix(error, "%s", path);
    tokenizer->sides[1] = *pipeline;
    return true;
}
