/* Classes of characters as the tokenizer libraries define them, on top of utf8proc. */
#ifndef MODEL_TOKENIZER_CHARS_H
#define MODEL_TOKENIZER_CHARS_H

#include <stdbool.h>
#include <stdint.h>

#include "model/base/str.h"

bool char_is_space(uint32_t c);       /* White_Space */
bool char_is_word(uint32_t c);        /* \w */
bool char_is_control(uint32_t c);     /* BERT: Cc Cf Cs Co, but not tab and line ends */
bool char_is_punctuation(uint32_t c); /* BERT: categories P*, and all ASCII symbols */
bool char_is_mark(uint32_t c);        /* categories M* */
bool char_is_mark_nonspacing(uint32_t c);
bool char_is_numeric(uint32_t c); /* categories N* */
bool char_is_cjk(uint32_t c);     /* BERT: the CJK ideograph blocks, no kana, no hangul */

/* Where the character before byte `at` begins; at > 0. */
static inline size_t char_before(Str text, size_t at) {
    do
        at--;
    while (at > 0 && ((unsigned char)text.data[at] & 0xc0) == 0x80);
    return at;
}

#endif
