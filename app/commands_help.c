/* --help, the man page and the shell completions, printed from the table of commands. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "app/commands.h"
#include "app/version.h"

static const char summary[] =
    "an attention microscope: runs a Transformer and draws what every head attends to";

/* Words of `text` in lines up to column `width`, each from column `indent` on; the first goes on at
 * column `at`. "\n" breaks. */
static void wrap(FILE *to, const char *text, int at, int indent, int width) {
    bool line_is_empty = true;
    fprintf(to, "%*s", indent > at ? indent - at : 0, "");
    for (int column = indent; *text;) {
        int n = (int)strcspn(text, " \n");
        if (!line_is_empty && column + 1 + n > width) {
            fprintf(to, "\n%*s", indent, "");
            column = indent;
            line_is_empty = true;
        }
        if (n > 0) {
            fprintf(to, "%s%.*s", line_is_empty ? "" : " ", n, text);
            column += n + !line_is_empty;
            line_is_empty = false;
        }
        text += n;
        if (*text == '\n' && text[1]) {
            fprintf(to, "\n%*s", indent, "");
            column = indent;
            line_is_empty = true;
        }
        if (*text) text++;
    }
    fputc('\n', to);
}

enum { HELP_COLUMN = 30, HELP_WIDTH = 100 };

static void print_option(FILE *to, const Option *o) {
    char left[256], help[512];
    const char *argument = o->argument ? o->argument : "";
    char letter[8] = "    ";
    if (o->letter) snprintf(letter, sizeof letter, "-%c, ", o->letter);
    int n = snprintf(left, sizeof left, "  %s--%s%s%s", letter, o->name, *argument ? " " : "",
                     argument);
    bool fits = n < HELP_COLUMN;
    fprintf(to, "%s%s", left, fits ? "" : "\n");
    snprintf(help, sizeof help, "%s%s", o->help, o->repeatable ? " (may be repeated)" : "");
    wrap(to, help, fits ? n : 0, HELP_COLUMN, HELP_WIDTH);
}

static void print_options(FILE *to, const OptionSpec *spec) {
    for (int g = 0; g < OPTIONS_MAX_GROUPS && spec->groups[g]; g++)
        for (const Option *o = spec->groups[g]; o->name; o++)
            if (!o->hidden) print_option(to, o);
}

static void print_examples(FILE *to, const char *examples, const char *indent) {
    while (examples && *examples) {
        int n = (int)strcspn(examples, "\n");
        fprintf(to, "%s%.*s\n", indent, n, examples);
        examples += n + (examples[n] == '\n');
    }
}

void commands_help(FILE *to) {
    fprintf(to, "attnscope %s: %s\n\n", ATTNSCOPE_VERSION, summary);
    fputs("usage: attnscope                     open the window on the model that comes with it\n"
          "       attnscope COMMAND [OPTIONS]   all else\n"
          "       attnscope COMMAND --help      what a command takes, with an example\n\n"
          "commands:\n",
          to);
    for (const Command *const *c = commands_all(); *c; c++)
        fprintf(to, "  %-10s %s\n", (*c)->name, (*c)->title);
    fputs("\nexamples:\n"
          "  echo 'She loves cats.' | attnscope translate --to fra\n"
          "  attnscope figure cross --text 'She loves cats.' --to fra -o cross.svg\n"
          "  attnscope figure model --text 'The cat is on the mat.' -o heads.png\n\n"
          "Nothing leaves this machine: there is no network code in this program.\n",
          to);
}

void command_print_help(const Command *command, FILE *to) {
    fprintf(to, "attnscope %s: %s\n\n", command->name, command->title);
    fprintf(to, "usage: attnscope %s%s%s%s\n", command->name, command->options.words ? " " : "",
            command->options.words ? command->options.words : "",
            command->options.groups[0] ? " [OPTIONS]" : "");
    if (command->about) {
        fputc('\n', to);
        wrap(to, command->about, 0, 0, HELP_WIDTH);
    }
    fputs("\noptions:\n", to);
    print_options(to, &command->options);
    for (const Option *o = options_help; o->name; o++)
        print_option(to, o);
    if (command->examples) {
        fputs("\nexamples:\n", to);
        print_examples(to, command->examples, "  ");
    }
}

/* ---- man page ---- */

static void man_text(FILE *to, const char *text) {
    for (bool line_start = true; *text; text++) {
        if (line_start && (*text == '.' || *text == '\'')) fputs("\\&", to);
        if (*text == '-' || *text == '\\')
            fputs(*text == '-' ? "\\-" : "\\e", to);
        else
            fputc(*text, to);
        line_start = *text == '\n';
    }
}

static void man_options(FILE *to, const Option *options) {
    for (const Option *o = options; o->name; o++) {
        if (o->hidden) continue;
        fputs(".TP\n", to);
        if (o->letter) fprintf(to, "\\fB\\-%c\\fR, ", o->letter);
        fputs("\\fB\\-\\-", to);
        man_text(to, o->name);
        fputs("\\fR", to);
        if (o->argument) {
            fputs(" \\fI", to);
            man_text(to, o->argument);
            fputs("\\fR", to);
        }
        fputc('\n', to);
        man_text(to, o->help);
        fputs(o->repeatable ? " (may be repeated).\n" : ".\n", to);
    }
}

static void man_command(FILE *to, const Command *command) {
    fputs(".SS \"attnscope ", to);
    man_text(to, command->name);
    if (command->options.words) {
        fputc(' ', to);
        man_text(to, command->options.words);
    }
    fputs("\"\n", to);
    man_text(to, command->title);
    fputs(".\n", to);
    if (command->about) {
        fputs(".PP\n", to);
        man_text(to, command->about);
        fputc('\n', to);
    }
    for (int g = 0; g < OPTIONS_MAX_GROUPS && command->options.groups[g]; g++)
        man_options(to, command->options.groups[g]);
    if (!command->examples) return;
    fputs(".PP\n.nf\n.RS\n", to);
    man_text(to, command->examples);
    fputs(".RE\n.fi\n", to);
}

void commands_man(FILE *to) {
    fprintf(to, ".TH ATTNSCOPE 1 \"\" \"attnscope %s\" \"User Commands\"\n", ATTNSCOPE_VERSION);
    fprintf(to, ".SH NAME\nattnscope \\- %s\n", summary);
    fputs(".SH SYNOPSIS\n.B attnscope\n.br\n.B attnscope\n.I COMMAND\n[\\fIOPTIONS\\fR]\n"
          ".SH DESCRIPTION\n"
          "Without a command the window opens on the model that comes with the program. Results go "
          "to the standard output or to the file named with \\fB\\-o\\fR; messages and progress "
          "go to the standard error. Nothing leaves this machine.\n"
          ".PP\nEvery command takes \\fB\\-\\-help\\fR, which shows its options with examples, and "
          "\\fB\\-\\-version\\fR.\n"
          ".SH COMMANDS\n",
          to);
    for (const Command *const *c = commands_all(); *c; c++)
        man_command(to, *c);
    fputs(".SH EXIT STATUS\n0 done; 1 the input or the machine failed; 2 wrong usage.\n"
          ".SH ENVIRONMENT\n.TP\n\\fBATTNSCOPE_DATA\\fR\n"
          "The folder that holds the models that come with the program.\n"
          ".TP\n\\fBHF_HOME\\fR\nWhere the Hugging Face cache lies "
          "(default ~/.cache/huggingface).\n"
          ".TP\n\\fBXDG_STATE_HOME\\fR\nWhere the window keeps its last state, in "
          "attnscope/window.json (default ~/.local/state).\n"
          ".TP\n\\fBOPENBLAS_NUM_THREADS\\fR\nHow many cores matrix products use.\n",
          to);
}
