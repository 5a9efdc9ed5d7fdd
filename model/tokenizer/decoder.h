/* From the labels of a row of tokens back to text: steps that rewrite the row, then a join.
 *
 *     Str text = decoder_apply(&pipeline->decoder, labels, n, arena);
 *
 * Source: tokenizers/src/decoders/; without any step the labels are joined by spaces, as there.
 */
#ifndef MODEL_TOKENIZER_DECODER_H
#define MODEL_TOKENIZER_DECODER_H

#include <stdbool.h>

#include "model/base/arena.h"
#include "model/base/str.h"
#include "model/tokenizer/regex.h"
#include "model/tokenizer/sentencepiece.h"

typedef struct DecoderStep DecoderStep;
struct DecoderStep {
    /* Rewrites labels [n] in place, returns how many are left (never more). */
    int (*apply)(const DecoderStep *step, Str *labels, int n, Arena *arena);
    Str from, to;
    const Regex *pattern;
    int n_start, n_stop;
    bool cleanup, prefix_space;
    const SentencePiece *sp;
};

typedef struct Decoder {
    const DecoderStep *steps; // [n]
    int n;
} Decoder;

Str decoder_apply(const Decoder *decoder, const Str *labels, int n, Arena *arena);

/* "▁" is a space, but not at the beginning; "<0xE2>" is a byte; the label `from` (if any) is `to`.
 */
DecoderStep decoder_sentencepiece(const SentencePiece *sp);
DecoderStep decoder_bytes(void);         /* GPT-2's characters */
DecoderStep decoder_byte_fallback(void); /* "<0xE2>" */
DecoderStep decoder_fuse(void);
DecoderStep decoder_trim(void); /* white space at the ends of the whole */
DecoderStep decoder_strip(Str character, int n_start, int n_stop);
DecoderStep decoder_replace(const Regex *pattern, Str to);
DecoderStep decoder_metaspace(Str mark, bool prefix_space);
/* "##" joined, else a space; cleanup: none before punctuation and in "don't". */
DecoderStep decoder_wordpiece(Str prefix, bool cleanup);
DecoderStep decoder_suffix(Str suffix); /* "</w>" is a space */

/* The byte that "<0xE2>" stands for, -1 if the label is nothing of the kind. */
int decoder_byte(Str label);

#endif
