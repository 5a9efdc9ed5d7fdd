/* Every command line in README.md, docs/ and the programs' own examples is one that the program
 * takes: known command, known options, values of the right kind. */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "app/commands.h"

enum { MOST_WORDS = 64 };

static int n_checked, n_wrong;

/* Words of one command of a shell line, quotes taken off; *at moves behind it. Returns how many. */
static int split(const char **at, char words[MOST_WORDS][256]) {
    int n = 0;
    const char *c = *at;
    while (*c && n < MOST_WORDS) {
        while (*c == ' ')
            c++;
        if (!*c || *c == '#' || *c == '|' || *c == '>' || *c == '<' || *c == '&' || *c == ';')
            break;
        int length = 0;
        for (char quote = 0; *c && (quote || !strchr(" |><&;", *c)); c++) {
            if (quote ? *c == quote : *c == '\'' || *c == '"')
                quote = quote ? 0 : *c;
            else if (length < 255)
                words[n][length++] = *c;
        }
        words[n++][length] = '\0';
    }
    *at = c;
    return n;
}

static bool is_program(const char *word) {
    return strcmp(word, "attnscope") == 0 || strcmp(word, "build/attnscope") == 0 ||
           strcmp(word, "./build/attnscope") == 0;
}

static void check_command(const char *where, char words[MOST_WORDS][256], int n) {
    char *argv[MOST_WORDS];
    Error error = {0};
    if (n < 2 || words[1][0] == '-' || strcmp(words[1], "COMMAND") == 0) return;
    n_checked++;
    const Command *command = commands_find(words[1]);
    if (!command) {
        print_error("%s: no command '%s'\n", where, words[1]);
        n_wrong++;
        return;
    }
    for (int i = 2; i < n; i++) {
        if (strcmp(words[i], "--help") == 0) return;
        argv[i - 2] = words[i];
    }
    Options *options = options_parse(&command->options, n - 2, argv, where, &error);
    if (!options) {
        print_error("%s: attnscope %s: %s\n", where, words[1], error.message);
        n_wrong++;
    }
    options_free(options);
}

/* A shell line: commands with | ; && between. */
static void check_line(const char *where, const char *line) {
    static char words[MOST_WORDS][256];
    while (*line) {
        int n = split(&line, words), first = 0;
        while (first < n && strchr(words[first], '=') && !is_program(words[first]))
            first++; /* VARIABLE=value before the program */
        if (first < n && is_program(words[first])) check_command(where, words + first, n - first);
        if (*line == '#') return;
        if (*line) line++;
    }
}

/* Code blocks of a Markdown file: indented by four, or between fences. */
static void check_file(const char *path) {
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    static char joined[8192];
    char line[4096], where[300];
    bool fenced = false;
    *joined = '\0';
    for (int number = 1; fgets(line, sizeof line, file); number++) {
        line[strcspn(line, "\n")] = '\0';
        if (strncmp(line, "```", 3) == 0) {
            fenced = !fenced;
            continue;
        }
        const char *code = strncmp(line, "    ", 4) == 0 ? line + 4 : fenced ? line : NULL;
        if (!code) continue;
        size_t n = strlen(code), have = strlen(joined);
        bool goes_on = n > 0 && code[n - 1] == '\\';
        if (have + n + 2 < sizeof joined)
            snprintf(joined + have, sizeof joined - have, "%.*s ", (int)(n - goes_on), code);
        if (goes_on) continue;
        const char *prompt = strncmp(joined, "$ ", 2) == 0 ? joined + 2 : joined;
        snprintf(where, sizeof where, "%s:%d", path, number);
        check_line(where, prompt);
        *joined = '\0';
    }
    fclose(file);
}

static void test_documents(void **state) {
    (void)state;
    check_file("README.md");
    DIR *docs = opendir("docs");
    assert_non_null(docs);
    for (struct dirent *entry; (entry = readdir(docs));) {
        char path[512];
        const char *dot = strrchr(entry->d_name, '.');
        if (!dot || strcmp(dot, ".md") != 0) continue;
        snprintf(path, sizeof path, "docs/%s", entry->d_name);
        check_file(path);
    }
    closedir(docs);
    assert_true(n_checked > 20);
    assert_int_equal(n_wrong, 0);
}

static void test_examples(void **state) {
    (void)state;
    for (const Command *const *c = commands_all(); *c; c++) {
        const char *text = (*c)->examples;
        while (*text) {
            char line[1024];
            snprintf(line, sizeof line, "%.*s", (int)strcspn(text, "\n"), text);
            check_line((*c)->name, line);
            text += strcspn(text, "\n");
            text += *text == '\n';
        }
    }
    assert_int_equal(n_wrong, 0);
}

/* The table of packages is read by a script: every row has a cell for every system. */
static void test_packages(void **state) {
    (void)state;
    FILE *file = fopen("README.md", "r");
    assert_non_null(file);
    char line[1024];
    int n_rows = 0;
    bool inside = false;
    while (fgets(line, sizeof line, file)) {
        inside = strncmp(line, "| for ", 6) == 0 || (inside && line[0] == '|');
        if (!inside) continue;
        int n_cells = -1;
        for (const char *c = line; *c; c++)
            n_cells += *c == '|';
        if (n_cells != 8) fail_msg("8 cells expected, %d found: %s", n_cells, line);
        n_rows++;
    }
    fclose(file);
    assert_true(n_rows > 20);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_documents),
                                       cmocka_unit_test(test_examples),
                                       cmocka_unit_test(test_packages)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
