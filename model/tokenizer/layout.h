/* A layout: a way in which a tokenizer lies in a folder. Its file reads what is there and fills in
 * pipelines; from then on all tokenizers are the same.
 *
 * To add one: a file here with a probe and an open, and a row of the table in model/tokenizer.c.
 */
#ifndef MODEL_TOKENIZER_LAYOUT_H
#define MODEL_TOKENIZER_LAYOUT_H

#include "model/tokenizer/folder.h"
#include "model/tokenizer/pipeline.h"

/* What a decoder begins with so that it writes a language. */
typedef enum LanguageBegin {
    BEGIN_START_LANGUAGE, /* </s> fr_XX: M2M100, NLLB, mBART-50 */
    BEGIN_LANGUAGE,       /* fr_XX: mBART */
    BEGIN_WHISPER,        /* <|startoftranscript|> <|fr|> <|transcribe|> <|notimestamps|> */
} LanguageBegin;

typedef struct Language {
    const char *code; /* "fra", "fr_XX", "fr" */
    int32_t id;
} Language;

struct Tokenizer {
    Arena *arena;
    const char *kind;
    Pipeline sides[2];           /* what the encoder reads, what the decoder writes */
    const Language *languages;   // [n_languages]
    const char **language_codes; // [n_languages + 1], NULL at the end
    int n_languages;
    bool tags;           /* the target's language is a token before the source */
    LanguageBegin begin; /* without tags */
    int32_t language[2]; /* the default of each side; -1: none */
};

typedef struct Layout {
    const char *name;
    const char *files; /* what it looks for, for messages */
    bool (*probe)(const Folder *folder);
    /* Errors name the file. What it allocates belongs to tokenizer->arena, which is the folder's.
     */
    bool (*open)(Tokenizer *tokenizer, const Folder *folder, Error *error);
} Layout;

extern const Layout layout_json, layout_marian, layout_spm, layout_families, layout_bpe,
    layout_bert, layout_tiktoken;

/* ---- what layouts share ---- */

/* How a vocabulary writes the names of languages. */
typedef enum LanguageStyle {
    LANGUAGES_TAGS,    /* >>fra<< */
    LANGUAGES_MBART,   /* fr_XX */
    LANGUAGES_M2M100,  /* __fr__ */
    LANGUAGES_NLLB,    /* fra_Latn */
    LANGUAGES_WHISPER, /* <|fr|> */
} LanguageStyle;
/* Finds them in the vocabulary of the source side, marks them, sets the defaults of
 * tokenizer_config.json (src_lang, tgt_lang). Returns how many. */
int layout_languages(Tokenizer *tokenizer, const Folder *folder, LanguageStyle style);
/* Templates that multilingual models need, whatever the file says: mBART's, mBART-50's, NLLB's. */
void layout_language_template(Tokenizer *tokenizer, bool in_front, int32_t eos);

/* Puts added tokens into the vocabulary and where they are looked for. Call it last: those that are
 * looked for behind the normalizer are normalized themselves. */
bool layout_add(Pipeline *pipeline, const AddedToken *items, int n, Arena *arena, Error *error);

/* A list of added tokens that grows. */
typedef struct AddedList {
    AddedToken *items;
    int n, capacity;
    Arena *arena;
} AddedList;
void added_list_put(AddedList *list, AddedToken token);
/* The token that tokenizer_config.json names under `key` (or `usual`), if the vocabulary has it.
 * Its id, -1 if there is none. */
int32_t added_list_special(AddedList *list, const Folder *folder, const Vocabulary *vocabulary,
                           const char *key, const char *usual);
/* Those of tokenizer_config.json's added_tokens_decoder, or else of added_tokens.json, and
 * additional_special_tokens. */
bool added_list_files(AddedList *list, const Folder *folder, const Vocabulary *vocabulary,
                      Error *error);

/* Reads a SentencePiece file into the arena. */
bool layout_read_spm(const char *path, Arena *arena, SentencePiece **out, Error *error);
/* The vocabulary of a file of weights. found: there is one, or one that cannot be read. */
bool layout_embedded(Tokenizer *tokenizer, const char *path, bool *found, Error *error);
/* A tokenizer.json that is read already. */
bool layout_json_read(const json_t *root, Pipeline *pipeline, Arena *arena, Error *error);
/* The whole pipeline of a SentencePiece file: ids are its pieces, nothing is added. */
bool layout_spm_read(Str bytes, Pipeline *pipeline, Arena *arena, SentencePiece **sp, Error *error);
/* The normalizer and the decoder of a SentencePiece model. raw: as sentencepiece decodes, the
 * unknown piece shown; else as transformers does, white space at the ends gone. */
void layout_set_spm(Pipeline *pipeline, const SentencePiece *sp, bool raw, Arena *arena);
/* vocab.json: an object of pieces and ids. */
bool layout_read_vocabulary(const char *path, Arena *arena, Vocabulary *out, Error *error);
/* "A </s>"; with a pair "A B </s>". */
void layout_append(Pipeline *pipeline, int32_t id, Arena *arena);
/* A step list of one. */
const NormalizerStep *layout_normalizer(NormalizerStep step, Arena *arena);

/* <|startoftranscript|> [language] <|notimestamps|> A <|endoftext|> */
void layout_whisper_template(Pipeline *pipeline, Arena *arena);

bool layout_base64(Str text, Arena *arena, Str *out);

#endif
