/* The vocabulary of a GGUF file: the keys tokenizer.ggml.*, as llama.cpp's src/llama-vocab.cpp
 * reads them. */
#include <stdlib.h>

#include "model/checkpoint/gguf.h"
#include "model/checkpoint/vocabulary.h"

static const GgufKey *array_of(const GgufFile *file, const char *name, GgufType type) {
    const GgufKey *key = gguf_key(file, name);
    bool good =
        key && key->type == GGUF_ARRAY && key->item_type == type && key->n_items <= INT32_MAX;
    return good ? key : NULL;
}

static int id_of(const GgufFile *file, const char *name, int otherwise) {
    int64_t id;
    if (!gguf_integer(file, name, &id)) return otherwise;
    return id < 0 || id > INT32_MAX || id == UINT32_MAX ? -1 : (int)id;
}

static bool flag_of(const GgufFile *file, const char *name, bool otherwise) {
    bool flag;
    return gguf_bool(file, name, &flag) ? flag : otherwise;
}

static bool read_pieces(const GgufFile *file, Arena *arena, Vocabulary *v, Error *error) {
    const GgufKey *tokens = array_of(file, "tokenizer.ggml.tokens", GGUF_STRING);
    const GgufKey *types = array_of(file, "tokenizer.ggml.token_type", GGUF_I32);
    const GgufKey *scores = array_of(file, "tokenizer.ggml.scores", GGUF_F32);
    if (!tokens || tokens->n_items == 0)
        return error_set(error, ERROR_INPUT,
                         "%s: no tokenizer.ggml.tokens, a list of texts expected", gguf_path(file));
    if ((types && types->n_items != tokens->n_items) ||
        (scores && scores->n_items != tokens->n_items) || (!v->byte_level && !scores))
        return error_set(error, ERROR_INPUT,
                         "%s: tokenizer.ggml.tokens, token_type and scores are not of one length",
                         gguf_path(file));
    /* What tokenizer.json's tree will take, as json.h bounds the trees of texts. */
    const GgufKey *merges = array_of(file, "tokenizer.ggml.merges", GGUF_STRING);
    uint64_t n_texts = tokens->n_items + (merges ? merges->n_items : 0);
    if (n_texts * 128 > 2 * (uint64_t)gguf_n_bytes(file) + ((uint64_t)64 << 20))
        return error_set(error, ERROR_INPUT,
                         "%s: a vocabulary of %llu texts in a file of %zu bytes", gguf_path(file),
                         (unsigned long long)n_texts, gguf_n_bytes(file));
    v->n_pieces = (int)tokens->n_items;
    v->pieces = arena_calloc(arena, tokens->n_items, sizeof *v->pieces);
    GgufItems token = gguf_items(tokens), type = {0}, score = {0};
    if (types) type = gguf_items(types);
    if (scores) score = gguf_items(scores);
    for (int id = 0; id < v->n_pieces; id++) {
        VocabularyPiece *piece = &v->pieces[id];
        double kind = PIECE_NORMAL, points = 0;
        gguf_next_text(&token, &piece->text);
        if (types) gguf_next_number(&type, &kind);
        if (scores) gguf_next_number(&score, &points);
        piece->type = (int)kind;
        piece->score = points == points ? (float)points : 0;
    }
    return true;
}

static void read_merges(const GgufFile *file, Arena *arena, Vocabulary *v) {
    const GgufKey *merges = array_of(file, "tokenizer.ggml.merges", GGUF_STRING);
    if (!merges) return;
    Str *list = arena_calloc(arena, merges->n_items, sizeof *list);
    GgufItems item = gguf_items(merges);
    while (gguf_next_text(&item, &list[v->n_merges]))
        if (++v->n_merges == (int)merges->n_items) break;
    v->merges = list;
}

static json_t *read_vocabulary(const GgufFile *file, Str model, Arena *arena, Error *error) {
    Vocabulary v = {.byte_level = str_is(model, "gpt2"), .pre = {"", 0}};
    if (!v.byte_level && !str_is(model, "llama")) {
        error_set(error, ERROR_UNSUPPORTED,
                  "%s: tokenizer.ggml.model %.*s; llama and gpt2 are read", gguf_path(file),
                  (int)(model.n < 100 ? model.n : 100), model.data);
        return NULL;
    }
    gguf_text(file, "tokenizer.ggml.pre", &v.pre);
    bool llama3 = str_is(v.pre, "llama-bpe");
    v.unknown = id_of(file, "tokenizer.ggml.unknown_token_id", v.byte_level ? -1 : 0);
    v.bos = id_of(file, "tokenizer.ggml.bos_token_id", v.byte_level ? -1 : 1);
    v.eos = id_of(file, "tokenizer.ggml.eos_token_id", v.byte_level ? -1 : 2);
    v.add_bos = flag_of(file, "tokenizer.ggml.add_bos_token", !v.byte_level || llama3);
    v.add_eos = flag_of(file, "tokenizer.ggml.add_eos_token", false);
    v.add_space_prefix = flag_of(file, "tokenizer.ggml.add_space_prefix", !v.byte_level);
    if (!read_pieces(file, arena, &v, error)) return NULL;
    read_merges(file, arena, &v);
    return vocabulary_json(&v, gguf_path(file), error);
}

json_t *gguf_tokenizer(const GgufFile *file, Error *error) {
    Str model;
    if (!gguf_text(file, "tokenizer.ggml.model", &model)) return NULL;
    Arena *arena = arena_new();
    json_t *out = read_vocabulary(file, model, arena, error);
    arena_free(arena);
    return out;
}
