#include "model/tokenizer/added.h"

#include "model/base/utf8.h"
#include "model/tokenizer/chars.h"

AddedTokens added_build(const AddedToken *items, int n, Arena *arena) {
    AddedToken *kept = arena_alloc(arena, (size_t)n * sizeof *kept);
    Str *keys = arena_alloc(arena, (size_t)n * sizeof *keys);
    int n_kept = 0;
    for (int i = 0; i < n; i++) {
        if (!items[i].content.n) continue;
        keys[n_kept] = items[i].content;
        kept[n_kept++] = items[i];
    }
    return (AddedTokens){kept, n_kept, trie_build(keys, n_kept, arena)};
}

static bool inside_word(Str text, size_t begin, size_t end) {
    size_t n;
    if (begin > 0 && char_is_word(utf8_decode(text, char_before(text, begin), &n))) return true;
    return end < text.n && char_is_word(utf8_decode(text, end, &n));
}

bool added_next(const AddedTokens *added, Str text, int32_t *at, AddedMatch *out) {
    if (!added->n) return false;
    for (size_t i = (size_t)*at, n; i < text.n; i++) {
        int32_t key = trie_longest(&added->trie, text, i, &n);
        if (key < 0) continue;
        const AddedToken *token = &added->items[key];
        size_t begin = i, end = i + n;
        if (token->single_word && inside_word(text, begin, end)) {
            i = end - 1;
            continue;
        }
        while (token->lstrip && begin > (size_t)*at) {
            size_t previous = char_before(text, begin);
            if (!char_is_space(utf8_decode(text, previous, &n))) break;
            begin = previous;
        }
        while (token->rstrip && end < text.n && char_is_space(utf8_decode(text, end, &n)))
            end += n;
        *out = (AddedMatch){token->id, (int32_t)begin, (int32_t)end};
        *at = (int32_t)end;
        return true;
    }
    return false;
}
