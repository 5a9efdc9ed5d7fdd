/* From the command line to what is run: the tables options_model, options_input and options_edits
 * of commands.h, read. */
#ifndef APP_SUBJECT_OPTIONS_H
#define APP_SUBJECT_OPTIONS_H

#include "app/options.h"
#include "app/subject.h"

/* --model and --no-adapter; what the file holds beyond the model is noted on stderr. */
Subject *subject_open_of(const Options *options, Error *error);
/* The same where the model's name may stand as a word too. */
Subject *subject_open_named(const char *name, const Options *options, Error *error);

/* What a command that looks at a model is given. */
typedef struct SubjectJob {
    const Subject *subject;
    const Options *given;
    const Edits *edits; /* checked; NULL: none */
    Arena *arena;       /* goes when the job is done */
    StrBuf *note;       /* said when all has gone well: a failure is one line */
} SubjectJob;
/* Opens the model of --model, reads --to and the edits, does the work, closes. The command takes
 * options_model, options_edits, and options_input or options_language. */
bool subject_job(const Options *options, bool (*work)(const SubjectJob *job, Error *error),
                 Error *error);
/* --beam and --max-new-tokens (options_search), with the edits. */
GenerateOptions subject_search_of(const SubjectJob *job);

/* Of a command that runs one thing: a run of some seconds and more is announced on stderr. */
Progress subject_progress(void);

/* Of options_input: one thing to read, and nothing that goes with another; else ERROR_USAGE. */
bool subject_check_given(const Options *options, Error *error);
/* What the options give to read. Which language is written where nobody chose one goes into the
 * job's note. */
SubjectText subject_text_of(const SubjectJob *job);
/* --to and --source-language alone (options_language): the text comes line by line. */
SubjectText subject_languages_of(const SubjectJob *job);
/* --ablate, --scale, --patch, --set, checked against the model. */
bool subject_edits_of(const Options *options, const Subject *subject, Arena *arena, Edits *out,
                      Error *error);
/* Says which edits name a decoder step that n_target steps did not come to. */
void subject_note_late(const SubjectJob *job, const Input *input, int n_target);
/* "3,91" as ids below n_vocab; NULL with an error that names the option. */
int32_t *subject_ids_of(const char *text, const char *option, int n_vocab, Arena *arena, int *n,
                        Error *error);

#endif
