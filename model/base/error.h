/* What went wrong in the user's world: a kind and one line that says what, where, what was
 * expected and what to try. Passed as the last argument of whatever can fail; the first failure
 * wins, so a caller may clean up through functions that fail too. NULL is allowed everywhere.
 *
 *     Error error = {0};
 *     if (!model_open(path, &error)) return fail(&error);      callers up the stack print it once
 *     ...
 *     return error_set(error, ERROR_INPUT, "%s: %d layers, at least 1 expected", path, n);
 */
#ifndef MODEL_BASE_ERROR_H
#define MODEL_BASE_ERROR_H

#include <stdbool.h>

typedef enum ErrorKind {
    ERROR_NONE = 0,
    ERROR_INPUT,       /* a file, a text or a value is not what it must be */
    ERROR_NOT_FOUND,   /* nothing there under that name */
    ERROR_IO,          /* the machine: permission, full disk, broken pipe */
    ERROR_UNSUPPORTED, /* understood, but not something this program computes */
    ERROR_MEMORY,      /* it would not fit */
    ERROR_CANCELLED,   /* the user stopped it */
    ERROR_USAGE,       /* the command line is wrong: exit status 2 */
} ErrorKind;

typedef struct Error {
    ErrorKind kind;
    char message[1024]; /* UTF-8, one line, no full stop at the end */
} Error;

/* Records the failure unless one is recorded already. Always returns false. */
bool error_set(Error *error, ErrorKind kind, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Puts "format: " before a recorded message: the place, known only further up. Returns false. */
bool error_prefix(Error *error, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Control characters become blanks and question marks: a name out of somebody's file must not break
 * the one line of a message, nor send an escape sequence to a terminal. In place. */
void error_printable(char *text);

/* True when nothing has failed yet. */
static inline bool error_ok(const Error *error) {
    return !error || error->kind == ERROR_NONE;
}

#endif
