/* What is looked at: a model, its tokenizer, and what the model is given to read. The commands, the
 * figures and the window all start here.
 *
 *     Subject *subject = subject_open(NULL, &error);                 NULL: the shipped model
 *     SubjectText what = {.text = "She loves cats.", .to = "fra"};
 *     Input input;
 *     if (!subject_read(subject, &what, arena, &input, &error)) ...
 *     if (!subject_complete(subject, &input, &generate, arena, &error)) ...   the model's own words
 *     Trace *trace = trace_run(subject->model, &input, &options, &error);
 *     subject_close(subject);
 *
 * Read-only after the open: threads may share it.
 */
#ifndef APP_SUBJECT_H
#define APP_SUBJECT_H

#include "model/generate.h"
#include "model/model.h"
#include "model/tokenizer.h"

typedef struct Subject {
    Model *model;
    Tokenizer *tokenizer; /* NULL: the folder has none; tokens are called by their ids */
    char *path;           /* resolved */
} Subject;

/* name as --model takes it. NULL on failure. */
Subject *subject_open(const char *name, Error *error);
Subject *subject_open_with(const char *name, const CheckpointOptions *options, Error *error);
void subject_close(Subject *subject); /* NULL is fine */

/* What to read, in words. All may be NULL; one of text, inputs, image, audio must be there. */
typedef struct SubjectText {
    const char *text, *text_pair;
    const char *target_text; /* what the decoder is made to write */
    const char *to, *source_language;
    const char *inputs; /* a safetensors file under Hugging Face's names, and a row of it */
    int row;
    const char *image, *audio;
} SubjectText;

/* Tokens in the arena. Without a target text, out->target is empty (n 0). */
bool subject_read(const Subject *subject, const SubjectText *what, Arena *arena, Input *out,
                  Error *error);
/* The same for a text with its length, as it stands in a line of a file; `where` names it in
 * errors. target may be {NULL, 0}. */
bool subject_read_line(const Subject *subject, Str text, Str target, const SubjectText *what,
                       const char *where, Arena *arena, Input *out, Error *error);
/* Can this model be told to write that language? `to` NULL: nothing is asked. */
bool subject_check_language(const Subject *subject, const char *to, Error *error);
/* Nothing but white space: such a line of a file gives an empty line. */
bool subject_is_blank(Str text);
/* Where the model has a decoder that reads an encoder and no target was given: generates one. */
bool subject_complete(const Subject *subject, Input *input, const GenerateOptions *options,
                      Arena *arena, Error *error);

/* One row of a batch file (subject_inputs.c). */
bool subject_read_inputs(const Subject *subject, const char *path, int row, Arena *arena,
                         Input *out, Error *error);
/* A picture or a sound, as the model's folder asks for it (subject_senses.c). */
bool subject_read_image(const Subject *subject, const char *path, Arena *arena, Input *out,
                        Error *error);
bool subject_read_audio(const Subject *subject, const char *path, Arena *arena, Input *out,
                        Error *error);
/* Tokens of ids alone, called as the vocabulary calls them. */
Tokens subject_tokens(const Subject *subject, const int32_t *ids, int n, bool target, Arena *arena);
/* ids as text: by the tokenizer, or the ids with spaces between. */
Str subject_decode(const Subject *subject, const int32_t *ids, int n, Arena *arena);

#endif
