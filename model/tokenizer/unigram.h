/* Unigram: the cut of a text whose pieces' log-probabilities have the greatest sum.
 *
 *     best[end] = max over pieces text[begin, end) of best[begin] + score(piece)
 *
 * A character that no one-character piece covers may be cut off alone as unknown, at a penalty.
 * Source: Kudo 2018 (Subword Regularization), section 3.2; sentencepiece/src/unigram_model.cc
 * (EncodeOptimized), tokenizers/src/models/unigram/model.rs.
 */
#ifndef MODEL_TOKENIZER_UNIGRAM_H
#define MODEL_TOKENIZER_UNIGRAM_H

#include "model/tokenizer/pieces.h"

typedef struct UnigramSpec {
    int n;
    const Str *labels;    // [n] data NULL: never cut
    const double *scores; // [n]
    double unknown_score; /* of a character without a piece */
    Unknown unknown;
    bool single; /* sums are rounded to float, as sentencepiece does */
} UnigramSpec;

/* Copies the numbers; labels and unknown.bytes are borrowed. */
const PieceModel *unigram_new(const UnigramSpec *spec, Arena *arena);

#endif
