/* What stands behind the program's name: which command that is, and its help. */
#include <stdio.h>
#include <string.h>

#include "app/commands.h"
#include "app/version.h"

static bool no_window(Error *error) {
    return error_set(error, ERROR_USAGE,
                     "this build has no window (make HEADLESS=1); 'attnscope --help' lists what it "
                     "does, for example: attnscope figure cross -o cross.png");
}

/* What runs when only the program's name is given. */
static bool run_default(Error *error) {
    const Command *window = commands_find("window");
    if (!window) return no_window(error);
    Options *options = options_parse(&window->options, 0, NULL, "attnscope", error);
    bool ok = options && window->run(options, error);
    options_free(options);
    return ok;
}

bool commands_unknown(const char *word, Error *error) {
    const char *names[64];
    int n = 0;
    for (const Command *const *c = commands_all(); *c && n < 63; c++)
        names[n++] = (*c)->name;
    names[n] = NULL;
    const char *nearest = options_nearest(word, names);
    if (nearest)
        return error_set(error, ERROR_USAGE,
                         "unknown command '%s', did you mean %s? See attnscope --help", word,
                         nearest);
    return error_set(error, ERROR_USAGE, "unknown command '%s'. See attnscope --help", word);
}

/* --help and --version may stand anywhere before "--", also beside what is wrong otherwise. */
static bool asks_for(int argc, char **argv, const char *name, char letter) {
    for (int i = 0; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if (strncmp(argv[i], "--", 2) == 0 && strcmp(argv[i] + 2, name) == 0) return true;
        if (letter && argv[i][0] == '-' && argv[i][1] == letter && !argv[i][2]) return true;
    }
    return false;
}

static bool run_command(const Command *command, int argc, char **argv, Error *error) {
    char where[64];
    snprintf(where, sizeof where, "attnscope %s", command->name);
    Options *options = options_parse(&command->options, argc, argv, where, error);
    bool ok = options && command->run(options, error);
    options_free(options);
    return ok;
}

bool commands_run(int argc, char **argv, Error *error) {
    if (argc == 0) return run_default(error);
    const Command *command = commands_find(argv[0]);
    if (asks_for(argc, argv, "help", 'h')) {
        if (command)
            command_print_help(command, stdout);
        else if (argv[0][0] != '-')
            return commands_unknown(argv[0], error);
        else
            commands_help(stdout);
        return true;
    }
    if (asks_for(argc, argv, "version", 0)) {
        printf("attnscope %s\n", ATTNSCOPE_VERSION);
        return true;
    }
    if (command) return run_command(command, argc - 1, argv + 1, error);
    const Command *window = commands_find("window");
    if (argv[0][0] == '-' && window) return run_command(window, argc, argv, error);
    if (argv[0][0] == '-' || strcmp(argv[0], "window") == 0) return no_window(error);
    return commands_unknown(argv[0], error);
}
