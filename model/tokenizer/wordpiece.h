/* WordPiece: the longest piece of the vocabulary that begins a word, then the longest "##" piece
 * that goes on, and so forth; a word that cannot be made up so is unknown as a whole. WordLevel: a
 * word is in the vocabulary or unknown.
 *
 * Source: tokenizers/src/models/wordpiece/mod.rs, wordlevel/mod.rs; Schuster & Nakajima 2012.
 */
#ifndef MODEL_TOKENIZER_WORDPIECE_H
#define MODEL_TOKENIZER_WORDPIECE_H

#include "model/tokenizer/pieces.h"
#include "model/tokenizer/vocabulary.h"

/* unknown: -1 drops what is unknown. */
const PieceModel *wordpiece_new(const Vocabulary *vocabulary, Str prefix, int max_chars,
                                int32_t unknown, Arena *arena);
const PieceModel *wordlevel_new(const Vocabulary *vocabulary, int32_t unknown, Arena *arena);

#endif
