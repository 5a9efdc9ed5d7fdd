/* Patterns written for Oniguruma in Ruby's dialect, as tokenizer.json has them, in PCRE2's.
 *
 *     StrBuf pattern = {0};
 *     if (!dialect_translate(str("[[:alpha:]\\h]+|\\p{Han}"), &pattern, &error)) ...
 *
 * What means something else there is written out: \s, \w, \h, \b, POSIX brackets, names of
 * properties, a class inside a class. What cannot be written is refused by name.
 * Source: oniguruma/doc/RE; its tables were compared character by character.
 */
#ifndef MODEL_TOKENIZER_DIALECT_H
#define MODEL_TOKENIZER_DIALECT_H

#include "model/base/error.h"
#include "model/base/str.h"

bool dialect_translate(Str from, StrBuf *to, Error *error);

#endif
