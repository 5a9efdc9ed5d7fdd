#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "app/commands.h"

static const Option table[] = {
    {.name = "text", .kind = OPTION_TEXT, .argument = "TEXT", .help = "a text"},
    {.name = "row", .kind = OPTION_INTEGER, .argument = "N", .help = "a row", .max = 10},
    {.name = "share", .kind = OPTION_NUMBER, .argument = "X", .help = "a share", .max = 1},
    {.name = "theme", .kind = OPTION_CHOICE, .argument = "light|dark", .help = "a theme"},
    {.name = "output", .letter = 'o', .kind = OPTION_FILE, .argument = "FILE", .help = "a file"},
    {.name = "ablate",
     .kind = OPTION_TEXT,
     .argument = "PLACE",
     .help = "a place",
     .repeatable = true},
    {.name = "json", .kind = OPTION_FLAG, .help = "a flag"},
    {0}};
static const OptionSpec spec = {.groups = {table}, .words = "[KIND]", .n_words_max = 1};

enum { MAX_ARGS = 16 };

/* "a b c" as argv; an underscore stands for a space. */
static Options *parse(const char *line, Error *error) {
    static char text[256];
    static char *argv[MAX_ARGS];
    snprintf(text, sizeof text, "%s", line);
    int argc = 0;
    for (char *word = strtok(text, " "); word && argc < MAX_ARGS; word = strtok(NULL, " ")) {
        argv[argc++] = word;
        for (; *word; word++)
            if (*word == '_') *word = ' ';
    }
    *error = (Error){0};
    return options_parse(&spec, argc, argv, "attnscope test", error);
}

static void test_values(void **state) {
    (void)state;
    Error error;
    Options *o =
        parse("heat --text a_b --row=7 -oout.png --share 0.25 --theme dark --json", &error);
    assert_non_null(o);
    assert_string_equal(options_text(o, "text", ""), "a b");
    assert_int_equal(options_int(o, "row", 0), 7);
    assert_string_equal(options_text(o, "output", ""), "out.png");
    assert_true(options_number(o, "share", 0) == 0.25);
    assert_string_equal(options_text(o, "theme", ""), "dark");
    assert_true(options_given(o, "json"));
    assert_int_equal(options_n_words(o), 1);
    assert_string_equal(options_word(o, 0), "heat");
    assert_null(options_word(o, 1));
    options_free(o);
    o = parse("", &error);
    assert_int_equal(options_int(o, "row", 3), 3);
    assert_false(options_given(o, "json"));
    assert_null(options_text(o, "text", NULL));
    options_free(o);
}

static void test_repeated_and_words(void **state) {
    (void)state;
    Error error;
    Options *o = parse("--ablate L0H1 --ablate L1H2 -- --json", &error);
    assert_non_null(o);
    assert_int_equal(options_count(o, "ablate"), 2);
    assert_string_equal(options_nth(o, "ablate", 0), "L0H1");
    assert_string_equal(options_nth(o, "ablate", 1), "L1H2");
    assert_null(options_nth(o, "ablate", 2));
    assert_string_equal(options_word(o, 0), "--json");
    assert_false(options_given(o, "json"));
    options_free(o);
    /* A value may begin with dashes when it is no option, or behind an equals sign. */
    o = parse("--text -5 --row 1", &error);
    assert_string_equal(options_text(o, "text", ""), "-5");
    options_free(o);
    o = parse("--text=--json", &error);
    assert_string_equal(options_text(o, "text", ""), "--json");
    options_free(o);
}

static void test_wrong_usage(void **state) {
    (void)state;
    static const char *const wrong[][2] = {
        {"--rwo 3", "did you mean --row"},
        {"--them dark", "did you mean --theme"},
        {"--zzzzzz", "unknown option '--zzzzzz'"},
        {"-x", "unknown option '-x'"},
        {"--o x", "unknown option"},
        {"--", NULL},
        {"--row", "needs a value"},
        {"--text --json", "--text needs a value"},
        {"--row 1.5", "a whole number from 0 to 10"},
        {"--row 11", "a whole number from 0 to 10"},
        {"--row 99999999999999999999", "a whole number"},
        {"--row 3x", "a whole number"},
        {"--share nan", "a number from 0 to 1"},
        {"--share 0,5", "a number from 0 to 1"},
        {"--theme d", "one of light|dark"},
        {"--theme=", "one of light|dark"},
        {"--json=1", "takes no value"},
        {"--row 1 --row 2", "given twice"},
        {"-o=", NULL},
        {"--output=", "the name of a file"},
        {"a b", "'b' is one word too many"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        Error error;
        Options *o = parse(wrong[i][0], &error);
        if (!wrong[i][1]) {
            assert_non_null(o);
            options_free(o);
            continue;
        }
        assert_null(o);
        assert_int_equal(error.kind, ERROR_USAGE);
        if (!strstr(error.message, wrong[i][1]))
            fail_msg("%s: '%s' lacks '%s'", wrong[i][0], error.message, wrong[i][1]);
    }
}

static void test_nearest(void **state) {
    (void)state;
    static const char *const words[] = {"translate", "trace", "train", "tokenize", NULL};
    assert_string_equal(options_nearest("trnaslate", words), "translate");
    assert_string_equal(options_nearest("trac", words), "trace");
    assert_string_equal(options_nearest("tok", words), "tokenize");
    assert_null(options_nearest("heatmap", words));
    assert_null(options_nearest("", words));
}

/* The tables themselves: names are unique within a command, letters too, a flag has no argument,
 * everything has a help, and every command an example. */
static void test_tables(void **state) {
    (void)state;
    for (const Command *const *c = commands_all(); *c; c++) {
        const OptionSpec *s = &(*c)->options;
        assert_non_null((*c)->title);
        assert_non_null((*c)->examples);
        assert_true(commands_find((*c)->name) == *c);
        for (int g = 0; g < OPTIONS_MAX_GROUPS && s->groups[g]; g++)
            for (const Option *o = s->groups[g]; o->name; o++) {
                assert_non_null(o->help);
                assert_true((o->kind == OPTION_FLAG) == (o->argument == NULL));
                if (options_find(s, o->name) != o) fail_msg("%s: --%s twice", (*c)->name, o->name);
                char letter[2] = {o->letter, 0};
                if (o->letter && options_find(s, letter) != o)
                    fail_msg("%s: -%c twice", (*c)->name, o->letter);
                if (strcmp(o->name, "help") == 0 || strcmp(o->name, "version") == 0)
                    fail_msg("%s: --%s belongs to every command", (*c)->name, o->name);
            }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),      cmocka_unit_test(test_repeated_and_words),
        cmocka_unit_test(test_wrong_usage), cmocka_unit_test(test_nearest),
        cmocka_unit_test(test_tables),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
