/* The command line as a table: every option of every command is one row, and the rows make the
 * parser, --help, the man page and the shell completions.
 *
 *     static const Option options[] = {
 *         {"row", 0, OPTION_INTEGER, "N", "which row of the batch (default 0)", .max = 1e6}, {0}};
 *     ...
 *     int row = options_int(parsed, "row", 0);
 *     for (int i = 0; i < options_count(parsed, "ablate"); i++)
 *         use(options_nth(parsed, "ablate", i));
 *
 * A value is checked for its kind while it is parsed, so whoever asks for it gets a good one.
 * Asking for a name that is in no table of the command is a bug and asserts. Strings are argv's
 * own.
 */
#ifndef APP_OPTIONS_H
#define APP_OPTIONS_H

#include <stdbool.h>

#include "model/base/error.h"

typedef enum OptionKind {
    OPTION_FLAG,    /* given or not */
    OPTION_TEXT,    /* anything */
    OPTION_INTEGER, /* whole number in min..max */
    OPTION_NUMBER,  /* finite number in min..max */
    OPTION_CHOICE,  /* one of the words in `argument`: "light|dark|print" */
    OPTION_FILE,    /* a path; completed as one */
    OPTION_FOLDER,
    OPTION_MODEL, /* folder, file or name of a model */
} OptionKind;

typedef struct Option {
    const char *name; /* "max-new-tokens" for --max-new-tokens; NULL ends a table */
    char letter;      /* 'o' for -o as well; 0: none */
    OptionKind kind;
    const char *argument; /* "N", "FILE", "light|dark"; NULL for a flag */
    const char *help;     /* one sentence, no full stop, with the default where there is one */
    double min, max;      /* of INTEGER and NUMBER; both 0: no bounds */
    bool repeatable;      /* otherwise a second one is refused */
    bool hidden;          /* not in --help: an alias kept for scripts */
} Option;

enum { OPTIONS_MAX_GROUPS = 8 };

/* What a command takes: tables of options ({0} ends each), words without dashes. */
typedef struct OptionSpec {
    const Option *groups[OPTIONS_MAX_GROUPS]; /* NULL ends */
    const char *words;                        /* "KIND", "[FILE...]" in the usage line; or NULL */
    int n_words_min, n_words_max;
} OptionSpec;

typedef struct Options Options;

/* argv without the program and the command. NULL and ERROR_USAGE on wrong usage: the message names
 * the nearest option. `where` goes into the hint ("attnscope trace --help"). */
Options *options_parse(const OptionSpec *spec, int argc, char **argv, const char *where,
                       Error *error);
void options_free(Options *options); /* NULL is fine */

bool options_given(const Options *options, const char *name);
/* The last value given, else the fallback. */
const char *options_text(const Options *options, const char *name, const char *fallback);
int options_int(const Options *options, const char *name, int fallback);
double options_number(const Options *options, const char *name, double fallback);
/* Every value of a repeatable one, in the order given. */
int options_count(const Options *options, const char *name);
const char *options_nth(const Options *options, const char *name, int index);
/* Words without dashes; NULL behind the last. */
int options_n_words(const Options *options);
const char *options_word(const Options *options, int index);

/* The row of a name ("model") or letter ("o") in the tables; NULL if there is none. */
const Option *options_find(const OptionSpec *spec, const char *name);
/* The candidate nearest to a mistyped word, or NULL when none is near. Candidates end with NULL. */
const char *options_nearest(const char *word, const char *const *candidates);

#endif
