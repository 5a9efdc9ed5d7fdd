/* Every command line in README.md, docs/ and the programs' own examples is one that the program
 * takes: known command, known options, values of the right kind. */
#include <ctype.h>
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "app/commands.h"
#include "tests/app/spawn.h"

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

/* docs/models.md is the program's own list. `make golden` writes it again. */
static void test_families(void **state) {
    (void)state;
    const char *mode = getenv("GOLDEN");
    bool write = mode && strcmp(mode, "write") == 0;
    Spawned r = spawn_shell(write ? "$ATTNSCOPE models --families --markdown > docs/models.md"
                                  : "$ATTNSCOPE models --families --markdown | "
                                    "diff - docs/models.md");
    if (r.status != 0) fail_msg("docs/models.md differs (make golden writes it): %s", r.out);
    spawn_free(&r);
}

/* Does the file have a heading that GitHub gives this anchor? */
static bool has_anchor(const char *path, const char *anchor) {
    FILE *file = fopen(path, "r");
    char line[4096];
    bool found = false;
    while (file && !found && fgets(line, sizeof line, file)) {
        if (line[0] != '#') continue;
        char name[256];
        int n = 0;
        for (const char *c = line + strspn(line, "# "); *c && *c != '\n' && n < 255; c++)
            if (isalnum((unsigned char)*c) || strchr(" -_", *c))
                name[n++] = (char)(*c == ' ' ? '-' : tolower((unsigned char)*c));
        name[n] = '\0';
        found = strcmp(name, anchor) == 0;
    }
    if (file) fclose(file);
    return found;
}

/* Every link and picture of a page that is no address leads to a file that is there. */
static void check_links(const char *page) {
    FILE *file = fopen(page, "r");
    assert_non_null(file);
    char line[8192], folder[256];
    const char *slash = strrchr(page, '/');
    snprintf(folder, sizeof folder, "%.*s", slash ? (int)(slash - page + 1) : 0, page);
    while (fgets(line, sizeof line, file))
        for (char *at = strstr(line, "]("); at; at = strstr(at + 1, "](")) {
            char target[256], path[600];
            snprintf(target, sizeof target, "%.*s", (int)strcspn(at + 2, ")\n"), at + 2);
            if (strstr(target, "://")) continue;
            char *anchor = strchr(target, '#');
            if (anchor) *anchor++ = '\0';
            snprintf(path, sizeof path, "%s%s", *target ? folder : "", *target ? target : page);
            n_checked++;
            if (access(path, R_OK) != 0 || (anchor && !has_anchor(path, anchor))) {
                print_error("%s: no %s%s%s\n", page, path, anchor ? "#" : "", anchor ? anchor : "");
                n_wrong++;
            }
        }
    fclose(file);
}

static void test_links(void **state) {
    (void)state;
    static const char *const pages[] = {"README.md",       "docs/architecture.md",
                                        "docs/figures.md", "docs/guide.md",
                                        "docs/models.md",  "docs/performance.md",
                                        "docs/window.md",  "assets/models/en-fr-fi/README.md"};
    n_checked = 0;
    for (size_t i = 0; i < sizeof pages / sizeof *pages; i++)
        check_links(pages[i]);
    assert_true(n_checked > 40);
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
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_documents), cmocka_unit_test(test_examples),
        cmocka_unit_test(test_families), cmocka_unit_test(test_links),
        cmocka_unit_test(test_packages)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
