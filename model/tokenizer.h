/* Text to tokens and back, for every kind of vocabulary.
 *
 *     Tokenizer *t = tokenizer_open("models/en-fr-fi", &error);
 *     Tokens source;
 *     tokenizer_encode(t, str("She loves cats."), &(EncodeOptions){.special = true,
 *                      .target_language = "fin"}, arena, &source, &error);
 *     Str text = tokenizer_decode(t, ids, n, &(DecodeOptions){.skip_special = true}, arena);
 *     tokenizer_free(t);
 *
 * Layouts (Marian, tokenizer.json, vocab.txt ...) are rows of the table in tokenizer.c, each a file
 * in tokenizer/; all of them fill in the same pipeline, tokenizer/pipeline.h. A Tokenizer is
 * read-only after the open: threads may share it.
 */
#ifndef MODEL_TOKENIZER_H
#define MODEL_TOKENIZER_H

#include "model/base/arena.h"
#include "model/base/error.h"
#include "model/tokens.h"

typedef struct Tokenizer Tokenizer;

typedef struct EncodeOptions {
    bool special; /* add what the model was trained with: </s>, [CLS] ... [SEP], <s> */
    bool target; /* the side that is generated, where it has a vocabulary of its own (target.spm) */
    Str pair;    /* second sentence; data NULL: none */
    const char *target_language; /* "fin" puts >>fin<< (or the code this family writes) where the
                                    model expects it; NULL: none. A vocabulary without
                                    languages does not look at it */
    const char *source_language; /* mBART, M2M100; NULL: what tokenizer_config.json says */
} EncodeOptions;

typedef struct DecodeOptions {
    bool skip_special;
    bool target;
} DecodeOptions;

/* The ways a tokenizer may lie in a folder, for lists: name and files of layout `index`; false:
 * there are no more. */
bool tokenizer_layout(int index, const char **name, const char **files);

/* folder: Hugging Face layout; weights need not be there. Or a file of weights: the vocabulary in
 * it (GGUF, llama2.c), else the folder that it lies in. NULL on failure; ERROR_NOT_FOUND when there
 * is no tokenizer in it. */
Tokenizer *tokenizer_open(const char *folder, Error *error);
void tokenizer_free(Tokenizer *tokenizer); /* NULL is fine */

const char *
tokenizer_kind(const Tokenizer *tokenizer);      /* "sentencepiece-unigram", "wordpiece" ... */
int tokenizer_n_ids(const Tokenizer *tokenizer); /* greatest id + 1 */

/* text must be UTF-8 (an error otherwise); NUL bytes are text. */
bool tokenizer_encode(const Tokenizer *tokenizer, Str text, const EncodeOptions *options,
                      Arena *arena, Tokens *out, Error *error);
/* Ids without a label are written as the unknown token is. */
Str tokenizer_decode(const Tokenizer *tokenizer, const int32_t *ids, int n,
                     const DecodeOptions *options, Arena *arena);

/* The vocabulary's string for an id; {NULL, 0} if there is none. target: of the target side. */
Str tokenizer_label(const Tokenizer *tokenizer, int32_t id, bool target);
/* -1 if there is none. */
int32_t tokenizer_id(const Tokenizer *tokenizer, Str label, bool target);
bool tokenizer_is_special(const Tokenizer *tokenizer, int32_t id);
/* Codes that EncodeOptions.target_language takes ("fra", "fin"), NULL-terminated; borrowed. */
const char *const *tokenizer_languages(const Tokenizer *tokenizer);
/* The token of such a code: what a decoder is made to begin with where the model has no tag before
 * the source (mBART, M2M100, Whisper). -1: no such language. */
int32_t tokenizer_language_id(const Tokenizer *tokenizer, const char *code);
/* The same with an error that lists the languages there are. */
bool tokenizer_find_language(const Tokenizer *tokenizer, const char *code, int32_t *out,
                             Error *error);
/* What a model that is told its language by a tag before the source (>>fra<<) is told where nobody
 * chooses one: its first, if it has several. NULL: the text has a tag, or none is needed. */
const char *tokenizer_default_tag(const Tokenizer *tokenizer, Str text);
/* The ids that the decoder is made to begin with so that it writes that language, start among them
 * (the model's decoder_start_token_id). Returns how many; 0: nothing is needed, since the tag
 * stands before the source, or there is no such language. */
enum { TOKENIZER_MAX_BEGIN = 4 };
int tokenizer_begin(const Tokenizer *tokenizer, const char *code, int32_t start,
                    int32_t out[TOKENIZER_MAX_BEGIN]);

#endif
