/* Completions for bash, zsh and fish, printed from the table of commands. */
#include <string.h>

#include "app/commands.h"

/* Calls back for every option of a command that help shows, --help and --version last. */
typedef void (*OptionPrinter)(FILE *to, const Command *command, const Option *option);

static void each_option(FILE *to, const Command *command, OptionPrinter print) {
    for (int g = 0; g < OPTIONS_MAX_GROUPS && command->options.groups[g]; g++)
        for (const Option *o = command->options.groups[g]; o->name; o++)
            if (!o->hidden) print(to, command, o);
    for (const Option *o = options_help; o->name; o++)
        print(to, command, o);
}

/* "light|dark" as "light dark". */
static void print_words(FILE *to, const char *choices) {
    for (; *choices; choices++)
        fputc(*choices == '|' ? ' ' : *choices, to);
}

static bool takes_path(const Option *o) {
    return o->kind == OPTION_FILE || o->kind == OPTION_FOLDER || o->kind == OPTION_MODEL;
}

static void bash_name(FILE *to, const Command *command, const Option *o) {
    (void)command;
    fprintf(to, "--%s ", o->name);
}

static void bash_value(FILE *to, const Command *command, const Option *o) {
    if (o->kind == OPTION_FLAG) return;
    fprintf(to, "    %s:--%s", command->name, o->name);
    if (o->letter) fprintf(to, "|%s:-%c", command->name, o->letter);
    fputs(") ", to);
    if (o->kind == OPTION_CHOICE) {
        fputs("COMPREPLY=($(compgen -W '", to);
        print_words(to, o->argument);
        fputs("' -- \"$cur\"));", to);
    } else if (takes_path(o)) {
        fprintf(to, "COMPREPLY=($(compgen -%c -- \"$cur\"));",
                o->kind == OPTION_FOLDER ? 'd' : 'f');
    } else {
        fputs("COMPREPLY=();", to);
    }
    fputs(" return ;;\n", to);
}

void commands_completion_bash(FILE *to) {
    fputs("# bash completion of attnscope, printed by `attnscope help --format bash`\n"
          "_attnscope() {\n"
          "    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}\n"
          "    local command=${COMP_WORDS[1]} words=\n"
          "    if [ \"$COMP_CWORD\" -eq 1 ]; then\n        COMPREPLY=($(compgen -W '",
          to);
    for (const Command *const *c = commands_all(); *c; c++)
        fprintf(to, "%s ", (*c)->name);
    fputs("--help --version' -- \"$cur\"))\n        return\n    fi\n"
          "    case \"$command:$prev\" in\n",
          to);
    for (const Command *const *c = commands_all(); *c; c++)
        each_option(to, *c, bash_value);
    fputs("    esac\n    case \"$command\" in\n", to);
    for (const Command *const *c = commands_all(); *c; c++) {
        fprintf(to, "    %s) words='", (*c)->name);
        if ((*c)->word_choices) print_words(to, (*c)->word_choices), fputc(' ', to);
        each_option(to, *c, bash_name);
        fputs("' ;;\n", to);
    }
    fputs("    esac\n    COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n}\n"
          "complete -o bashdefault -o default -F _attnscope attnscope\n",
          to);
}

/* Inside single quotes and an _arguments spec: quote, brackets and colons are escaped. */
static void zsh_text(FILE *to, const char *text) {
    for (; *text; text++) {
        if (*text == '\'')
            fputs("'\\''", to);
        else if (strchr("[]:\\", *text))
            fprintf(to, "\\%c", *text);
        else
            fputc(*text, to);
    }
}

static void zsh_option(FILE *to, const Command *command, const Option *o) {
    (void)command;
    fprintf(to, "        '%s--%s[", o->repeatable ? "*" : "", o->name);
    zsh_text(to, o->help);
    fputc(']', to);
    if (o->kind != OPTION_FLAG) {
        fputc(':', to);
        zsh_text(to, o->kind == OPTION_CHOICE ? o->name : o->argument);
        fputc(':', to);
    }
    if (o->kind == OPTION_CHOICE) {
        fputc('(', to);
        print_words(to, o->argument);
        fputc(')', to);
    } else if (takes_path(o)) {
        fputs(o->kind == OPTION_FOLDER ? "_files -/" : "_files", to);
    }
    fputs("' \\\n", to);
}

void commands_completion_zsh(FILE *to) {
    fputs("#compdef attnscope\n"
          "# zsh completion of attnscope, printed by `attnscope help --format zsh`\n"
          "local -a commands\ncommands=(\n",
          to);
    for (const Command *const *c = commands_all(); *c; c++) {
        fprintf(to, "    '%s:", (*c)->name);
        zsh_text(to, (*c)->title);
        fputs("'\n", to);
    }
    fputs(")\nif (( CURRENT == 2 )); then\n    _describe 'command' commands\n    return\nfi\n"
          "local command=$words[2]\nshift words\n(( CURRENT-- ))\ncase $command in\n",
          to);
    for (const Command *const *c = commands_all(); *c; c++) {
        fprintf(to, "    %s) _arguments \\\n", (*c)->name);
        each_option(to, *c, zsh_option);
        if ((*c)->word_choices) {
            fputs("        '1:kind:(", to);
            print_words(to, (*c)->word_choices);
            fputs(")' \\\n", to);
        }
        fputs("        '*:file:_files' ;;\n", to);
    }
    fputs("esac\n", to);
}

static void fish_text(FILE *to, const char *text) {
    for (; *text; text++) {
        if (*text == '\'' || *text == '\\') fputc('\\', to);
        fputc(*text, to);
    }
}

static void fish_option(FILE *to, const Command *command, const Option *o) {
    fprintf(to, "complete -c attnscope -n '__fish_seen_subcommand_from %s' -l %s", command->name,
            o->name);
    if (o->letter) fprintf(to, " -s %c", o->letter);
    if (o->kind == OPTION_CHOICE) {
        fputs(" -x -a '", to);
        print_words(to, o->argument);
        fputc('\'', to);
    } else if (takes_path(o)) {
        fputs(" -r -F", to);
    } else if (o->kind != OPTION_FLAG) {
        fputs(" -x", to);
    }
    fputs(" -d '", to);
    fish_text(to, o->help);
    fputs("'\n", to);
}

void commands_completion_fish(FILE *to) {
    fputs("# fish completion of attnscope, printed by `attnscope help --format fish`\n", to);
    for (const Command *const *c = commands_all(); *c; c++) {
        fprintf(to, "complete -c attnscope -n __fish_use_subcommand -f -a %s -d '", (*c)->name);
        fish_text(to, (*c)->title);
        fputs("'\n", to);
        if ((*c)->word_choices) {
            fprintf(to, "complete -c attnscope -n '__fish_seen_subcommand_from %s' -f -a '",
                    (*c)->name);
            print_words(to, (*c)->word_choices);
            fputs("'\n", to);
        }
        each_option(to, *c, fish_option);
    }
}
