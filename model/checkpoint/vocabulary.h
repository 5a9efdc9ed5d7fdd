/* A vocabulary that lies inside a file of weights, written as the tokenizer.json that Hugging Face
 * has for the same model, so that one reader serves all.
 *
 *     Vocabulary v = {.pieces = pieces, .n_pieces = n, .bos = 1, .eos = 2, .add_bos = true, ...};
 *     json_t *tokenizer = vocabulary_json(&v, "tiny.gguf", &error);      a new reference
 */
#ifndef MODEL_CHECKPOINT_VOCABULARY_H
#define MODEL_CHECKPOINT_VOCABULARY_H

#include <jansson.h>
#include <stdint.h>

#include "model/base/error.h"
#include "model/base/str.h"

/* As llama.cpp numbers them. */
enum {
    PIECE_NORMAL = 1,
    PIECE_UNKNOWN = 2,
    PIECE_CONTROL = 3,
    PIECE_USER = 4,
    PIECE_UNUSED = 5,
    PIECE_BYTE = 6,
};

typedef struct VocabularyPiece {
    Str text;
    float score;
    int type;
} VocabularyPiece;

typedef struct Vocabulary {
    VocabularyPiece *pieces; /* by id */
    int n_pieces;
    bool byte_level;   /* GPT-2's kind, with merges; else SentencePiece's BPE, by score */
    const Str *merges; /* "left right", first the first to be merged */
    int n_merges;
    Str pre;               /* llama.cpp's name of the pre-tokenizer; byte-level only */
    int unknown, bos, eos; /* ids; -1: none */
    bool add_bos, add_eos; /* around every text */
    bool add_space_prefix; /* SentencePiece's dummy prefix */
} Vocabulary;

/* NULL and an error when a piece is not UTF-8 or the kind is not known. */
json_t *vocabulary_json(const Vocabulary *vocabulary, const char *path, Error *error);

#endif
