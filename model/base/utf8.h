/* UTF-8 by hand where a library would be in the way; properties and normal forms are utf8proc's. */
#ifndef MODEL_BASE_UTF8_H
#define MODEL_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/base/error.h"
#include "model/base/str.h"

/* The character at s[at] and its length in bytes. Where the bytes are not UTF-8 (overlong forms,
 * surrogates and values over U+10FFFF included): U+FFFD and 1. at < s.n. */
uint32_t utf8_decode(Str s, size_t at, size_t *n_bytes);
/* Writes 1..4 bytes; returns how many. */
size_t utf8_encode(uint32_t c, char out[4]);
/* Byte offset of the first byte that is not UTF-8, or s.n. */
size_t utf8_invalid_at(Str s);
/* False, and an error naming `where` and the byte offset, when s is not UTF-8. */
bool utf8_check(Str s, const char *where, Error *error);
size_t utf8_count(Str s); /* characters */

#endif
