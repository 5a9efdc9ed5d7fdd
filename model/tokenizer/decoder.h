/* From the labels of a row of tokens back to text: steps that rewrite the row, then a join.
 *
 *     Str text = decoder_apply(&pipeline->decoder, labels, n, arena);
 */
#ifndef MODEL_TOKENIZER_DECODER_H
#define MODEL_TOKENIZER_DECODER_H

#include <stdbool.h>

#include "model/base/arena.h"
#include "model/base/str.h"

typedef struct DecoderStep DecoderStep;
struct DecoderStep {
    /* Rewrites labels [n] in place, returns how many are left. */
    int (*apply)(const DecoderStep *step, Str *labels, int n, Arena *arena);
};

typedef struct Decoder {
    const DecoderStep *steps; // [n]
    int n;
} Decoder;

Str decoder_apply(const Decoder *decoder, const Str *labels, int n, Arena *arena);

/* "▁" is a space, but for the first; "<0xE2>" is a byte. */
DecoderStep decoder_sentencepiece(void);

/* The byte that "<0xE2>" stands for, -1 if the label is nothing of the kind. */
int decoder_byte(Str label);

#endif
