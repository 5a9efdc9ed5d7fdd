/* A SentencePiece model file (.spm, .model): a protobuf message ModelProto, read by a short reader
 * of the wire format that believes no length.
 *
 *     SentencePiece sp;
 *     if (!sentencepiece_read(bytes, arena, &sp, &error)) ...
 *     sp.labels[17], sp.scores[17], sp.types[17]
 *
 * Source: sentencepiece/src/sentencepiece_model.proto (0.1.97). Labels are borrowed from the bytes.
 */
#ifndef MODEL_TOKENIZER_SENTENCEPIECE_H
#define MODEL_TOKENIZER_SENTENCEPIECE_H

#include <stdbool.h>
#include <stdint.h>

#include "model/base/arena.h"
#include "model/base/error.h"
#include "model/base/str.h"
#include "model/tokenizer/charsmap.h"
#include "model/tokenizer/pieces.h"
#include "model/tokenizer/trie.h"

typedef enum PieceType {
    PIECE_NORMAL = 1,
    PIECE_UNKNOWN = 2,
    PIECE_CONTROL = 3,
    PIECE_USER_DEFINED = 4,
    PIECE_UNUSED = 5,
    PIECE_BYTE = 6,
} PieceType;

typedef enum SentencePieceModel {
    SENTENCEPIECE_UNIGRAM = 1,
    SENTENCEPIECE_BPE = 2,
    SENTENCEPIECE_WORD = 3,
    SENTENCEPIECE_CHAR = 4,
} SentencePieceModel;

typedef struct SentencePiece {
    int n;
    Str *labels;    // [n]
    float *scores;  // [n]
    uint8_t *types; // [n] PieceType
    SentencePieceModel model;
    bool byte_fallback;
    bool space_is_suffix; /* treat_whitespace_as_suffix: "the▁" */
    bool add_dummy_prefix, remove_extra_spaces, escape_spaces;
    int32_t unknown;  /* the piece of type UNKNOWN */
    int32_t bos, eos; /* pieces of type CONTROL by the names the trainer gave them; -1: none */
    Str unknown_surface;
    Charsmap charsmap;
    Charsmap decoded;  /* denormalizer_spec: what decoded text goes through */
    Trie user_defined; /* found in the text before all else */
    int n_user_defined;
} SentencePiece;

bool sentencepiece_read(Str bytes, Arena *arena, SentencePiece *out, Error *error);
/* Unigram or BPE over the pieces, as sentencepiece itself would cut. sp must outlive it. */
bool sentencepiece_model(const SentencePiece *sp, Arena *arena, const PieceModel **out,
                         Error *error);

#endif
