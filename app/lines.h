/* Lines of the standard input or of a file, a batch at a time: as many as are there, at least one.
 * Someone who types gets an answer to each line, a pipe full of them is worked off in large steps.
 *
 *     LineReader *reader = lines_open(NULL, &error);
 *     Str lines[64];
 *     for (int n; (n = lines_next(reader, 64, lines, &error)) > 0;) ...    borrowed until the next
 *     lines_close(reader);
 */
#ifndef APP_LINES_H
#define APP_LINES_H

#include "model/base/error.h"
#include "model/base/str.h"

typedef struct LineReader LineReader;

/* path NULL or "-": the standard input. NULL on failure. */
LineReader *lines_open(const char *path, Error *error);
void lines_close(LineReader *reader); /* NULL is fine */
/* From now on lines_next() waits until n_max lines are there, or the end. */
void lines_wait(LineReader *reader);
/* How many lines follow, without their ends ("\n", "\r\n"); 0 at the end, and on failure with the
 * error set. A line of more than 16 MB is a failure. */
int lines_next(LineReader *reader, int n_max, Str *lines, Error *error);

#endif
