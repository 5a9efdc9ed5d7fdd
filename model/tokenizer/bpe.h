/* Byte-pair encoding: begin with single characters, join the best pair of neighbours until none is
 * left that may be joined; of equal ones the leftmost goes first.
 *
 * Which pairs may be joined, and how good they are, comes from one of two places:
 *   merges    a list of (left, right) in order of rank (tokenizer.json, merges.txt)
 *   scores    every pair whose text together is a piece, by that piece's score (SentencePiece)
 *
 * Source: Sennrich et al. 2016 (Neural Machine Translation of Rare Words with Subword Units),
 * section 3.2; sentencepiece/src/bpe_model.cc; tokenizers/src/models/bpe/{model,word}.rs.
 */
#ifndef MODEL_TOKENIZER_BPE_H
#define MODEL_TOKENIZER_BPE_H

#include "model/base/error.h"
#include "model/tokenizer/pieces.h"
#include "model/tokenizer/trie.h"
#include "model/tokenizer/vocabulary.h"

typedef struct BpeMerge {
    int32_t left, right, to; /* ids */
} BpeMerge;

typedef struct BpeSpec {
    const Vocabulary *vocabulary;
    Unknown unknown;
    const BpeMerge *merges; // [n_merges] best first; NULL: by scores
    int n_merges;
    const float *scores;  // [n_ids]; NULL with merges, or when nothing is joined at all
    const uint8_t *types; // [n_ids] PieceType, with scores
    const Trie *frozen;   /* stretches that are pieces as they stand; NULL: none */
    Str suffix;           /* end_of_word_suffix, "</w>" */
    Str prefix;           /* continuing_subword_prefix, "##" */
    bool whole_first;     /* ignore_merges: a stretch that is in the vocabulary is not cut */
} BpeSpec;

/* Looks a merge up; right is without prefix in what the two make. False: not in the vocabulary. */
bool bpe_merge(const Vocabulary *vocabulary, Str prefix, Str left, Str right, BpeMerge *out);
/* The ids of "<0x00>" ... "<0xFF>", -1 where there is none. */
const int32_t *bpe_byte_ids(const Vocabulary *vocabulary, Arena *arena);

/* Borrows what the spec points to. */
const PieceModel *bpe_new(const BpeSpec *spec, Arena *arena);

#endif
