/* From the command line to what is run: the tables options_model, options_input and options_edits
 * of commands.h, read. */
#ifndef APP_SUBJECT_OPTIONS_H
#define APP_SUBJECT_OPTIONS_H

#include "app/options.h"
#include "app/subject.h"

SubjectText subject_text_of(const Options *options);
/* --ablate, --scale, --patch, --set, checked against the model. */
bool subject_edits_of(const Options *options, const Subject *subject, Arena *arena, Edits *out,
                      Error *error);
/* "3,91" as ids below n_vocab; NULL with an error that names the option. */
int32_t *subject_ids_of(const char *text, const char *option, int n_vocab, Arena *arena, int *n,
                        Error *error);

#endif
