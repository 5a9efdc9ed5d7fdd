/* A text cut into the pieces a model reads: ids, what the vocabulary calls them, and which bytes of
 * the text each stands for. */
#ifndef MODEL_TOKENS_H
#define MODEL_TOKENS_H

#include <stdbool.h>
#include <stdint.h>

#include "model/base/str.h"

typedef struct Token {
    int32_t id;
    Str label;          /* the vocabulary's own string: "▁katso", "##ing", "Ġthe", "<0xE2>" */
    int64_t begin, end; /* bytes of the text; 0,0 for a special token that was added */
    bool special;       /* </s>, [CLS], >>fin<<, a language code ... */
    bool second;        /* of the second text of a pair: begin and end are bytes of that one */
    int type;           /* token_type_ids: what the tokenizer's own files say, 0 or 1 */
} Token;

typedef struct Tokens {
    int n;
    Token *items; // [n], the arena's
    Str text;     /* what was cut; empty when only ids were given */
    Str pair;     /* the second text; data NULL: none */
} Tokens;

#endif
