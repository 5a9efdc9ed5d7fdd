/* Where the program's words go: answers to stdout or a file, notes and progress to stderr.
 *
 *     Output *out = output_open(options_text(options, "output", NULL), &error);
 *     output_printf(out, "%s\t%d\n", name, n);
 *     return output_close(out, &error);              a full disk or a closed pipe shows here
 *
 * A file is written under a temporary name and renamed by the close. Failures are kept until then,
 * so a command checks once.
 */
#ifndef APP_OUTPUT_H
#define APP_OUTPUT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "model/base/error.h"
#include "model/base/str.h"

typedef struct Output Output;

/* path NULL or "-": stdout. NULL on failure. */
Output *output_open(const char *path, Error *error);
void output_str(Output *output, Str s);
void output_puts(Output *output, const char *s);
void output_printf(Output *output, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The value as JSON: one line and a line end, or indented. Consumes the value. */
void output_json(Output *output, json_t *value, bool indented);
/* Hands on what is written so far: someone may be waiting for the line at the other end. */
void output_flush(Output *output);
bool output_failed(const Output *output); /* no use in going on */
bool output_close(Output *output, Error *error);
void output_abandon(Output *output); /* NULL is fine; a file is not left behind */

/* A number for output_json: null for not-a-number and infinities. */
json_t *output_number(double x);
/* Text for output_json; bytes that are not UTF-8 become U+FFFD. */
json_t *output_text(Str s);

/* One line on stderr: "attnscope: ...". */
void output_note(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* A line on the terminal that the next one overwrites; nothing where stderr is no terminal. */
void output_progress(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Wipes that line. */
void output_progress_end(void);

#endif
