#include "model/tokenizer/wordpiece.h"

#include "model/base/utf8.h"
#include "model/tokenizer/trie.h"

typedef struct WordPiece {
    PieceModel base;
    Trie begins, goes_on; /* keys are ids; those that go on without their prefix */
    const Vocabulary *vocabulary;
    int max_chars;
    Unknown unknown;
} WordPiece;

static void cut(const PieceModel *base, Str text, Pieces *out) {
    const WordPiece *model = (const WordPiece *)base;
    int n_before = out->n;
    bool known = utf8_count(text) <= (size_t)model->max_chars;
    for (size_t at = 0, n = 0; known && at < text.n; at += n) {
        int32_t id = trie_longest(at ? &model->goes_on : &model->begins, text, at, &n);
        known = id >= 0;
        if (known) pieces_add(out, (Piece){id, (int32_t)at, (int32_t)(at + n)});
    }
    if (known) return;
    out->n = n_before;
    pieces_add_unknown(out, text, 0, (int32_t)text.n, &model->unknown, n_before);
}

const PieceModel *wordpiece_new(const Vocabulary *vocabulary, Str prefix, int max_chars,
                                int32_t unknown, Arena *arena) {
    WordPiece *model = arena_alloc(arena, sizeof *model);
    *model = (WordPiece){.base = {"wordpiece", cut},
                         .vocabulary = vocabulary,
                         .max_chars = max_chars,
                         .unknown = {.id = unknown}};
    Arena *scratch = arena_new();
    int n = vocabulary->n_ids;
    Str *keys = arena_calloc(scratch, (size_t)n, sizeof *keys);
    for (int id = 0; id < n; id++) {
        Str label = vocabulary->labels[id];
        if (label.n >= prefix.n && str_eq(str_sub(label, 0, prefix.n), prefix))
            keys[id] = str_sub(label, prefix.n, label.n);
    }
    model->goes_on = trie_build(keys, n, arena);
    model->begins = trie_build(vocabulary->labels, n, arena);
    arena_free(scratch);
    return &model->base;
}

static void look_up(const PieceModel *base, Str text, Pieces *out) {
    const WordPiece *model = (const WordPiece *)base;
    int32_t id = vocabulary_id(model->vocabulary, text);
    if (id >= 0)
        pieces_add(out, (Piece){id, 0, (int32_t)text.n});
    else
        pieces_add_unknown(out, text, 0, (int32_t)text.n, &model->unknown, out->n);
}

const PieceModel *wordlevel_new(const Vocabulary *vocabulary, int32_t unknown, Arena *arena) {
    WordPiece *model = arena_alloc(arena, sizeof *model);
    *model = (WordPiece){
        .base = {"wordlevel", look_up}, .vocabulary = vocabulary, .unknown = {.id = unknown}};
    return &model->base;
}
