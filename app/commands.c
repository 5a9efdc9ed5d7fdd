#include "app/commands.h"

#include <string.h>

extern const Command command_figure, command_translate, command_score, command_generate,
    command_trace, command_tokenize, command_train, command_inspect, command_models, command_hooks,
    command_bench, command_answer, command_help;
#ifndef ATTNSCOPE_HEADLESS
extern const Command command_window;
#endif

static const Command *const commands[] = {
#ifndef ATTNSCOPE_HEADLESS
    &command_window,
#endif
    &command_figure,   &command_translate,
    &command_score,    &command_generate,
    &command_answer,   &command_trace,
    &command_tokenize, &command_train,
    &command_inspect,  &command_models,
    &command_hooks,    &command_bench,
    &command_help,     NULL,
};

const Command *const *commands_all(void) {
    return commands;
}

const Command *commands_find(const char *name) {
    for (const Command *const *c = commands; *c; c++)
        if (strcmp((*c)->name, name) == 0) return *c;
    return NULL;
}
