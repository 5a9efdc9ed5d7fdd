/* A layout: a way in which a tokenizer lies in a folder. Its file reads what is there and fills in
 * pipelines; from then on all tokenizers are the same.
 *
 * To add one: a file here with a probe and an open, and a row of the table in model/tokenizer.c.
 */
#ifndef MODEL_TOKENIZER_LAYOUT_H
#define MODEL_TOKENIZER_LAYOUT_H

#include "model/tokenizer/folder.h"
#include "model/tokenizer/pipeline.h"

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
    int32_t language[2]; /* the default of each side; -1: none */
};

typedef struct Layout {
    const char *name;
    const char *files; /* what it looks for, for messages */
    bool (*probe)(const Folder *folder);
    /* Errors name the file. What it allocates belongs to tokenizer->arena. */
    bool (*open)(Tokenizer *tokenizer, const Folder *folder, Error *error);
} Layout;

extern const Layout layout_marian, layout_spm;

/* The languages of a vocabulary whose tags look like ">>fra<<"; marks those ids. */
void layout_find_tags(Tokenizer *tokenizer);
/* Reads the file into the arena and the model out of it. */
bool layout_read_spm(const char *path, Arena *arena, SentencePiece **out, Error *error);
/* One template item after the text: "A </s>"; with a pair "A B </s>". */
void layout_append(Pipeline *pipeline, int32_t id, Arena *arena);

#endif
