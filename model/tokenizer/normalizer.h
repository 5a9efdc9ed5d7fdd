/* Rewriting a text before it is cut: a row of steps, each from one Aligned to the next.
 *
 *     Aligned text = normalizer_apply(&pipeline->normalizer, aligned_text(s, arena), arena);
 *
 * A step is a function and what it needs; tokenizer.json's normalizers, BERT's and sentencepiece's
 * own are all of this form.
 */
#ifndef MODEL_TOKENIZER_NORMALIZER_H
#define MODEL_TOKENIZER_NORMALIZER_H

#include <stdbool.h>

#include "model/tokenizer/aligned.h"
#include "model/tokenizer/charsmap.h"
#include "model/tokenizer/sentencepiece.h"

typedef struct NormalizerStep NormalizerStep;
struct NormalizerStep {
    Aligned (*apply)(const NormalizerStep *step, Aligned in, Arena *arena);
    const SentencePiece *sp; /* sentencepiece's own rules */
};

typedef struct Normalizer {
    const NormalizerStep *steps; // [n]
    int n;
} Normalizer;

Aligned normalizer_apply(const Normalizer *normalizer, Aligned text, Arena *arena);

/* What sentencepiece does to a text: the charsmap, spaces, "▁". Spans are its own. */
NormalizerStep normalizer_sentencepiece(const SentencePiece *sp);

#endif
