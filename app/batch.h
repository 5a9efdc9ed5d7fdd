/* Many figures in one start of the program: `figure --batch FILE -o 'out/{line}-{kind}.svg'`.
 *
 * Every line of the file is a sentence; with a tab in it a pair, whose second half the decoder is
 * made to write. {line} counts from 1 as editors do; {kind}, {layer} and {head} are filled in as
 * well, and where {layer} or {head} stand in the name every selected head gets a file of its own.
 * A line that fails is reported and does not stop the rest. --shard 3/16 takes lines 3, 19, 35 ...
 */
#ifndef APP_BATCH_H
#define APP_BATCH_H

#include "app/options.h"
#include "app/state.h"

/* Notes the model's hash in the state. */
bool batch_run(const Options *given, State *state, Error *error);

/* The name of one figure: braces filled in; false with an error for an unknown one. layer, head:
 * -1 where they are averaged ("mean"). */
typedef struct BatchName {
    int line; /* from 1 */
    const char *kind;
    int layer, head;
} BatchName;
bool batch_path(const char *pattern, const BatchName *name, StrBuf *out, Error *error);
/* "3/16": 1 <= part <= parts. */
bool batch_shard(const char *text, int *part, int *parts, Error *error);

#endif
