/* The precompiled normalisation of a SentencePiece model: a double-array trie (Darts) of the
 * character sequences that change, and a pool of what they become.
 *
 *     file:  uint32 n_bytes of the trie | trie units, uint32 each | replacements, each ends in NUL
 *     unit:  bits 0-7 label, 8 has_leaf, 9 extend, 10-30 offset; a leaf: bit 31 set, value below it
 *
 * Source: sentencepiece/src/normalizer.cc (DecodePrecompiledCharsMap) and third_party/darts_clone.
 */
#ifndef MODEL_TOKENIZER_CHARSMAP_H
#define MODEL_TOKENIZER_CHARSMAP_H

#include <stdbool.h>
#include <stdint.h>

#include "model/base/arena.h"
#include "model/base/error.h"
#include "model/base/str.h"

typedef struct Charsmap {
    const uint32_t *units; // [n_units]
    size_t n_units;
    Str pool; /* replacements */
} Charsmap;

/* blob is copied where needed; an empty blob gives a map that changes nothing. */
bool charsmap_read(Str blob, Arena *arena, Charsmap *out, Error *error);
/* The longest entry that begins at text[at]: what it becomes and how many bytes it takes. False:
 * nothing there changes. */
bool charsmap_longest(const Charsmap *map, Str text, size_t at, Str *to, size_t *n_bytes);
/* The same with the shortest entry, as the Rust library (crate spm_precompiled) looks it up. */
bool charsmap_shortest(const Charsmap *map, Str text, Str *to);

#endif
