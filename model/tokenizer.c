/* The table of layouts, and the public calls: which side, which language, then the pipeline. */
#include "model/tokenizer.h"

#include "model/base/file.h"
#include "model/base/utf8.h"
#include "model/tokenizer/layout.h"

/* The first that finds its files opens the folder. */
static const Layout *const layouts[] = {
    &layout_marian,   &layout_json, &layout_spm,  &layout_families,
    &layout_tiktoken, &layout_bpe,  &layout_bert,
};
enum { N_LAYOUTS = sizeof layouts / sizeof *layouts };

bool tokenizer_layout(int index, const char **name, const char **files) {
    if (index < 0 || index >= N_LAYOUTS) return false;
    *name = layouts[index]->name;
    *files = layouts[index]->files;
    return true;
}

static bool open_folder(Tokenizer *tokenizer, const Folder *folder, Error *error) {
    for (int i = 0; i < N_LAYOUTS; i++) {
        if (!layouts[i]->probe(folder)) continue;
        tokenizer->kind = layouts[i]->name;
        return layouts[i]->open(tokenizer, folder, error);
    }
    StrBuf files = {0};
    for (int i = 0; i < N_LAYOUTS; i++)
        strbuf_printf(&files, "%s%s", i ? "; " : "", layouts[i]->files);
    error_set(error, ERROR_NOT_FOUND, "%s: no tokenizer there; looked for %s", folder->path,
              files.data);
    strbuf_free(&files);
    return false;
}

/* The folder's own files first; then what the file of weights brings along. */
static bool open_path(Tokenizer *tokenizer, const char *path, Error *error) {
    Error nothing = {0};
    Folder folder;
    bool is_folder = file_is_folder(path), found = false, ok = false;
    if (is_folder) {
        if (!folder_open(path, tokenizer->arena, &folder, error)) return false;
        ok = open_folder(tokenizer, &folder, &nothing);
        folder_close(&folder);
        if (ok || nothing.kind != ERROR_NOT_FOUND)
            return ok || error_set(error, nothing.kind, "%s", nothing.message);
    }
    if (is_folder || file_exists(path)) ok = layout_embedded(tokenizer, path, &found, error);
    if (found) return ok;
    if (is_folder) return error_set(error, nothing.kind, "%s", nothing.message);
    /* A file of weights: the folder that it lies in. */
    size_t n = (size_t)(path_name(path) - path);
    const char *above = n ? arena_str(tokenizer->arena, (Str){path, n}).data : ".";
    if (!folder_open(file_exists(path) ? above : path, tokenizer->arena, &folder, error))
        return false;
    ok = open_folder(tokenizer, &folder, error);
    folder_close(&folder);
    return ok;
}

Tokenizer *tokenizer_open(const char *path, Error *error) {
    Arena *arena = arena_new();
    Tokenizer *tokenizer = arena_calloc(arena, 1, sizeof *tokenizer);
    tokenizer->arena = arena;
    tokenizer->language[0] = tokenizer->language[1] = -1;
    if (open_path(tokenizer, path, error)) return tokenizer;
    tokenizer_free(tokenizer);
    return NULL;
}

void tokenizer_free(Tokenizer *tokenizer) {
    if (tokenizer) arena_free(tokenizer->arena);
}

const char *tokenizer_kind(const Tokenizer *tokenizer) {
    return tokenizer->kind;
}

int tokenizer_n_ids(const Tokenizer *tokenizer) {
    int source = tokenizer->sides[0].vocabulary.n_ids,
        target = tokenizer->sides[1].vocabulary.n_ids;
    return source > target ? source : target;
}

int tokenizer_begin(const Tokenizer *tokenizer, const char *code, int32_t start,
                    int32_t out[TOKENIZER_MAX_BEGIN]) {
    static const char *const after[] = {"<|transcribe|>", "<|notimestamps|>"};
    int32_t language = tokenizer_language_id(tokenizer, code);
    int n = 0;
    if (tokenizer->tags || language < 0) return 0;
    if (tokenizer->begin != BEGIN_LANGUAGE && start >= 0) out[n++] = start;
    out[n++] = language;
    for (int i = 0; i < 2 && tokenizer->begin == BEGIN_WHISPER; i++) {
        int32_t id = tokenizer_id(tokenizer, str(after[i]), true);
        if (id >= 0) out[n++] = id;
    }
    return n;
}

bool tokenizer_encode(const Tokenizer *tokenizer, Str text, const EncodeOptions *options,
                      Arena *arena, Tokens *out, Error *error) {
    enum { MAX_BYTES = 1 << 29 };
    if (text.n > MAX_BYTES || options->pair.n > MAX_BYTES)
        return error_set(error, ERROR_INPUT, "a text of %zu bytes; at most %d are expected", text.n,
                         MAX_BYTES);
    if (!utf8_check(text, "the text", error)) return false;
    if (options->pair.data && !utf8_check(options->pair, "the second text", error)) return false;
    PipelineOptions how = {.special = options->special,
                           .pair = options->pair,
                           .tag = -1,
                           .language = tokenizer->language[options->target]};
    const char *wanted = options->target ? options->target_language : options->source_language;
    if (tokenizer->n_languages == 0) {
        how.language = -1; /* nothing to choose from */
    } else if (tokenizer->tags) {
        if (!options->target && options->target_language &&
            !tokenizer_find_language(tokenizer, options->target_language, &how.tag, error))
            return false;
    } else if (wanted && !tokenizer_find_language(tokenizer, wanted, &how.language, error)) {
        return false;
    } else if (options->target_language) {
        int32_t there; /* the decoder begins with it, if it is one */
        if (!tokenizer_find_language(tokenizer, options->target_language, &there, error))
            return false;
    }
    return pipeline_encode(&tokenizer->sides[options->target], text, &how, arena, out, error);
}

Str tokenizer_decode(const Tokenizer *tokenizer, const int32_t *ids, int n,
                     const DecodeOptions *options, Arena *arena) {
    return pipeline_decode(&tokenizer->sides[options->target], ids, n, options->skip_special,
                           arena);
}

Str tokenizer_label(const Tokenizer *tokenizer, int32_t id, bool target) {
    return vocabulary_label(&tokenizer->sides[target].vocabulary, id);
}

int32_t tokenizer_id(const Tokenizer *tokenizer, Str label, bool target) {
    return vocabulary_id(&tokenizer->sides[target].vocabulary, label);
}

bool tokenizer_is_special(const Tokenizer *tokenizer, int32_t id) {
    unsigned flags = vocabulary_flags(&tokenizer->sides[0].vocabulary, id);
    return (flags & (VOCABULARY_SPECIAL | VOCABULARY_TAG)) != 0;
}
