/* Regular expressions of tokenizer.json, matched by PCRE2 with Unicode properties.
 *
 *     const Regex *digits = regex_new(str("\\p{N}{1,3}"), arena, &error);
 *     while (regex_next(digits, text, &at, &begin, &end, scratch)) ...
 *
 * The files are written for Oniguruma (dialect.h); ^ and $ are at every line. All memory comes from
 * the arenas.
 */
#ifndef MODEL_TOKENIZER_REGEX_H
#define MODEL_TOKENIZER_REGEX_H

#include <stdbool.h>
#include <stdint.h>

#include "model/base/arena.h"
#include "model/base/error.h"
#include "model/base/str.h"

typedef struct Regex Regex;
typedef struct RegexSearch RegexSearch;

const Regex *regex_new(Str pattern, Arena *arena, Error *error);
/* Matches that are exactly this string. */
const Regex *regex_literal(Str text, Arena *arena, Error *error);

/* One walk over a text. */
RegexSearch *regex_search(const Regex *regex, Str text, Arena *scratch);
/* The next match. It may be empty, between two characters or at an end of the text; not where the
 * match before it ended. */
bool regex_next(RegexSearch *search, int32_t *begin, int32_t *end);

#endif
