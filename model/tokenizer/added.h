/* Added tokens: strings cut from the text before anything else is done to it, "</s>", "[MASK]",
 * "<|endoftext|>". Leftmost first, of those the longest.
 *
 *     AddedTokens added = added_build(items, n, arena);
 *     for (int32_t at = 0; added_next(&added, text, &at, &match); ) ...
 *
 * Source: tokenizers/src/tokenizer/added_vocabulary.rs (find_matches).
 */
#ifndef MODEL_TOKENIZER_ADDED_H
#define MODEL_TOKENIZER_ADDED_H

#include <stdbool.h>
#include <stdint.h>

#include "model/tokenizer/trie.h"

typedef struct AddedToken {
    Str content;
    int32_t id;
    bool lstrip, rstrip; /* takes the white space before, behind it */
    bool single_word;    /* not inside a word */
    bool normalized;     /* looked for after the normalizer, not before */
    bool special;
} AddedToken;

typedef struct AddedTokens {
    const AddedToken *items; // [n]
    int n;
    Trie trie;
} AddedTokens;

typedef struct AddedMatch {
    int32_t id;
    int32_t begin, end; /* stripped white space included */
} AddedMatch;

AddedTokens added_build(const AddedToken *items, int n, Arena *arena);
/* The next match at or behind *at; *at moves behind it. */
bool added_next(const AddedTokens *added, Str text, int32_t *at, AddedMatch *out);

#endif
