#include <string.h>

#include "app/commands.h"

static const Option options[] = {
    {.name = "format",
     .kind = OPTION_CHOICE,
     .argument = "text|man|bash|zsh|fish",
     .help = "text (the default), the man page, or the completions of a shell"},
    {0}};

static bool run(const Options *given, Error *error) {
    static const struct {
        const char *name;
        void (*print)(FILE *to);
    } formats[] = {{"text", commands_help},
                   {"man", commands_man},
                   {"bash", commands_completion_bash},
                   {"zsh", commands_completion_zsh},
                   {"fish", commands_completion_fish}};
    const char *name = options_word(given, 0);
    if (name) {
        const Command *command = commands_find(name);
        if (!command) return commands_unknown(name, error);
        command_print_help(command, stdout);
        return true;
    }
    const char *format = options_text(given, "format", "text");
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
        if (strcmp(formats[i].name, format) == 0) formats[i].print(stdout);
    return true;
}

const Command command_help = {
    .name = "help",
    .title = "this help, a command's help, the man page, shell completions",
    .examples = "attnscope help trace\n"
                "attnscope help --format man > attnscope.1\n"
                "attnscope help --format bash > /etc/bash_completion.d/attnscope\n",
    .options = {.groups = {options}, .words = "[COMMAND]", .n_words_max = 1},
    .run = run,
};
