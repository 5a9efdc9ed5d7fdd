/* The commands of the command line. One file each (command_trace.c ...), one row each in the table
 * of commands.c: that table is the only switchboard, and the help, the man page and the shell
 * completions are printed from it.
 *
 *     const Command command_hooks = {
 *         .name = "hooks", .title = "list the places that can be seen and changed",
 *         .examples = "attnscope hooks --json\n", .options = {{options_json}}, .run = run_hooks};
 */
#ifndef APP_COMMANDS_H
#define APP_COMMANDS_H

#include <stdio.h>

#include "app/options.h"

typedef struct Command {
    const char *name;
    const char *title;        /* one line, small first letter, no full stop */
    const char *about;        /* paragraphs, "\n" between lines; or NULL */
    const char *examples;     /* command lines, each ended by "\n"; "# ..." lines are remarks */
    const char *word_choices; /* "heatmap|cross" when the words are from a list; or NULL */
    OptionSpec options;
    /* False and a recorded error: exit status 2 for ERROR_USAGE, else 1. Results go through
     * app/output.h. */
    bool (*run)(const Options *options, Error *error);
} Command;

/* NULL-terminated, in the order of --help. */
const Command *const *commands_all(void);
const Command *commands_find(const char *name);
/* The error of a word that is none, with the nearest. */
bool commands_unknown(const char *word, Error *error);

/* Everything behind the program's name; what main does. */
bool commands_run(int argc, char **argv, Error *error);

/* Tables of options that several commands take. */
extern const Option options_model[];    /* --model */
extern const Option options_input[];    /* --text, --target-text, --to, --inputs, --row ... */
extern const Option options_language[]; /* --to, --source-language: where options_input is not */
extern const Option options_search[];   /* --beam, --max-new-tokens */
extern const Option options_edits[];    /* --ablate, --scale, --patch, --set */
extern const Option options_output[];   /* -o */
extern const Option options_json[];     /* --json */
extern const Option options_help[];     /* --help, --version: every command takes them */

/* Help as text, man page and completions, printed from the tables. */
void commands_help(FILE *to);
void command_print_help(const Command *command, FILE *to);
void commands_man(FILE *to);
void commands_completion_bash(FILE *to);
void commands_completion_zsh(FILE *to);
void commands_completion_fish(FILE *to);

#endif
