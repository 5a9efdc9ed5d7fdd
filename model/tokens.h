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
} Token;

typedef struct Tokens {
    int n;
    Token *items; // [n], the arena's
    Str text;     /* what was cut; empty when only ids were given */
} Tokens;

#endif
