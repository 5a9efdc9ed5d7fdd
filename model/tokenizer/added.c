#include "model/tokenizer/added.h"

#include <utf8proc.h>

#include "model/base/utf8.h"

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

static size_t previous_char(Str text, size_t at) {
    do
        at--;
    while (at > 0 && ((unsigned char)text.data[at] & 0xc0) == 0x80);
    return at;
}

static bool is_space(uint32_t c) {
    return (c >= 9 && c <= 13) || c == 0x85 ||
           (utf8proc_category((utf8proc_int32_t)c) >= UTF8PROC_CATEGORY_ZS &&
            utf8proc_category((utf8proc_int32_t)c) <= UTF8PROC_CATEGORY_ZP);
}

/* \w of the Unicode regular expressions: letters, marks, decimal digits, connectors, joiners. */
static bool is_word(uint32_t c) {
    utf8proc_category_t k = utf8proc_category((utf8proc_int32_t)c);
    return (k >= UTF8PROC_CATEGORY_LU && k <= UTF8PROC_CATEGORY_LO) ||
           (k >= UTF8PROC_CATEGORY_MN && k <= UTF8PROC_CATEGORY_NL) || k == UTF8PROC_CATEGORY_PC ||
           c == 0x200c || c == 0x200d;
}

static bool inside_word(Str text, size_t begin, size_t end) {
    size_t n;
    if (begin > 0 && is_word(utf8_decode(text, previous_char(text, begin), &n))) return true;
    return end < text.n && is_word(utf8_decode(text, end, &n));
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
            size_t previous = previous_char(text, begin);
            if (!is_space(utf8_decode(text, previous, &n))) break;
            begin = previous;
        }
        while (token->rstrip && end < text.n && is_space(utf8_decode(text, end, &n)))
            end += n;
        *out = (AddedMatch){token->id, (int32_t)begin, (int32_t)end};
        *at = (int32_t)end;
        return true;
    }
    return false;
}
