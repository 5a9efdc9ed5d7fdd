/* Rewriting a text before it is cut: a row of steps, each from one Aligned to the next.
 *
 *     Aligned text = normalizer_apply(&pipeline->normalizer, aligned_text(s, arena), arena);
 *
 * A step is a function and what it needs; tokenizer.json's normalizers, BERT's and sentencepiece's
 * own are all of this form. Source of the steps: tokenizers/src/normalizers/.
 */
#ifndef MODEL_TOKENIZER_NORMALIZER_H
#define MODEL_TOKENIZER_NORMALIZER_H

#include <stdbool.h>

#include "model/tokenizer/aligned.h"
#include "model/tokenizer/charsmap.h"
#include "model/tokenizer/regex.h"
#include "model/tokenizer/sentencepiece.h"

typedef struct NormalizerStep NormalizerStep;
struct NormalizerStep {
    Aligned (*apply)(const NormalizerStep *step, Aligned in, Arena *arena);
    const SentencePiece *sp; /* sentencepiece's own rules */
    Charsmap charsmap;
    const Regex *pattern;
    Str content;      /* what a pattern is replaced by, what is put before */
    bool compose;     /* NFC, NFKC */
    bool compatible;  /* NFKC, NFKD */
    bool left, right; /* Strip */
    bool first_only;  /* sentencepiece's dummy prefix: before the text, not before each stretch */
    bool (*drop)(uint32_t c);
    uint32_t (*map)(uint32_t c);
    bool spanless;
};

typedef struct Normalizer {
    const NormalizerStep *steps; // [n]
    int n;
} Normalizer;

/* data NULL: the steps make more and more of it, and it was given up. */
Aligned normalizer_apply(const Normalizer *normalizer, Aligned text, Arena *arena);

/* What sentencepiece does to a text: the charsmap, spaces, "▁". Spans are its own. */
NormalizerStep normalizer_sentencepiece(const SentencePiece *sp);
/* The charsmap as the Rust library applies it, grapheme by grapheme. */
NormalizerStep normalizer_precompiled(Charsmap charsmap);
NormalizerStep normalizer_unicode(bool compose, bool compatible); /* NFC, NFD, NFKC, NFKD */
NormalizerStep normalizer_lowercase(void);
NormalizerStep normalizer_strip(bool left, bool right);
NormalizerStep normalizer_drop(bool (*drop)(uint32_t c));
NormalizerStep normalizer_map(uint32_t (*map)(uint32_t c));
NormalizerStep normalizer_replace(const Regex *pattern, Str content);
/* The Rust library lets it stand for the first character, sentencepiece for nothing (spanless). */
NormalizerStep normalizer_prepend(Str content, bool spanless);
NormalizerStep normalizer_space_cjk(void); /* BERT: a space on both sides of each ideograph */
NormalizerStep normalizer_bytes(void);     /* every byte as the character GPT-2 has for it */

/* Named rules of the libraries. */
bool normalizer_bert_drops(uint32_t c);
uint32_t normalizer_bert_space(uint32_t c);
bool normalizer_nmt_drops(uint32_t c);
uint32_t normalizer_nmt_space(uint32_t c);
uint32_t normalizer_plain_space(uint32_t c); /* "▁" typed by the user is a space */

typedef struct BertRules {
    bool clean_text, space_cjk, strip_accents, lowercase;
} BertRules;
enum { BERT_MAX_STEPS = 6 };
/* BertNormalizer as steps; returns how many. */
int normalizer_bert(const BertRules *rules, NormalizerStep steps[BERT_MAX_STEPS]);

#endif
