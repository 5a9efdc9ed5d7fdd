/* The one mechanism behind every tokenizer, whatever files it came from:
 *
 *     text -> added tokens cut out -> normalizer -> added tokens again -> pre-tokenizer
 *          -> piece model -> ids -> post-processor (special tokens) -> Tokens
 *     ids  -> labels -> decoder -> text
 *
 * A layout (tokenizer.json, vocab.txt, source.spm ...) fills in the parts; see layout.h.
 */
#ifndef MODEL_TOKENIZER_PIPELINE_H
#define MODEL_TOKENIZER_PIPELINE_H

#include "model/tokenizer.h"
#include "model/tokenizer/added.h"
#include "model/tokenizer/decoder.h"
#include "model/tokenizer/normalizer.h"
#include "model/tokenizer/pieces.h"
#include "model/tokenizer/pretokenizer.h"
#include "model/tokenizer/template.h"
#include "model/tokenizer/vocabulary.h"

typedef struct Pipeline {
    Vocabulary vocabulary;
    AddedTokens added; /* looked for in the raw text */
    Normalizer normalizer;
    AddedTokens added_normalized; /* looked for behind the normalizer */
    PreTokenizer pretokenizer;
    const PieceModel *model;
    const int32_t *external; // [the model's pieces] ids of the checkpoint; NULL: the same
    bool leading_tag;        /* ">>fra<<" at the beginning of a text is one token */
    int32_t unknown;         /* -1: none */
    Template single, pair;
    bool trim_offsets; /* spans leave the white space at their ends out */
    bool prefix_space; /* ... but for the space put before the text */
    Decoder decoder;
} Pipeline;

typedef struct PipelineOptions {
    bool special;
    Str pair;         /* data NULL: none */
    int32_t tag;      /* put first; -1: none */
    int32_t language; /* for the templates; -1: none */
} PipelineOptions;

/* text and pair are UTF-8 of less than 1 GB. False: the normalizer lets the text grow without end.
 */
bool pipeline_encode(const Pipeline *pipeline, Str text, const PipelineOptions *options,
                     Arena *arena, Tokens *out, Error *error);
Str pipeline_decode(const Pipeline *pipeline, const int32_t *ids, int n, bool skip_special,
                    Arena *arena);

#endif
