/* The plan of the house (docs/architecture.md), checked: who may include whom. Runs in the root of
 * the sources, as `make test` does. */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

/* A file whose path begins with one of `files` may include what begins with one of `headers` only
 * if its path also begins with one of `allowed`. */
typedef struct Rule {
    const char *files[12];
    const char *headers[8];
    const char *allowed[8];
    const char *why;
} Rule;

static const Rule rules[] = {
    {{"model/base/"},
     {"model/", "render/", "app/"},
     {NULL},
     "the ground floor includes nothing above it"},
    {{"model/"}, {"render/", "app/"}, {NULL}, "model never includes render or app"},
    {{"render/"}, {"model/"}, {NULL}, "render includes model/base and nothing else of model"},
    {{"render/"}, {"app/"}, {NULL}, "render never includes app"},
    {{"model/", "render/", "app/"},
     {"SDL"},
     {"app/window", "app/widget"},
     "SDL only in the window"},
    {{"model/", "render/", "app/"},
     {"cairo", "pango", "fontconfig", "ft2build", "hb"},
     {"render/canvas", "render/text", "render/export", "render/font"},
     "cairo and pango only in render/canvas, render/text, render/export"},
    {{"model/", "render/", "app/"}, {"cblas", "openblas"}, {"model/ops"}, "BLAS only in model/ops"},
    {{"app/window/window.", "app/window/picture.", "app/window/panel.", "app/window/input.",
      "app/window/cells.", "app/window/edits.", "app/window/heads.", "app/window/steps.",
      "app/window/lines.", "app/window/session."},
     {"app/window/jobs.h", "app/window/actions.h", "app/window/parts.h"},
     {NULL},
     "what the window knows calls neither what draws it nor its jobs"},
    {{"app/window/jobs.", "app/window/state.", "app/window/window_files.", "app/window/act"},
     {"app/window/parts.h"},
     {NULL},
     "what draws the window is called by its loop alone"},
};

static int n_files, n_breaches;

static bool begins(const char *path, const char *const *prefixes, size_t n) {
    for (size_t i = 0; i < n && prefixes[i]; i++)
        if (strncmp(path, prefixes[i], strlen(prefixes[i])) == 0) return true;
    return false;
}

static void check(const char *path, int line, const char *header) {
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        const Rule *rule = &rules[i];
        if (!begins(path, rule->files, 12) || !begins(header, rule->headers, 8)) continue;
        if (begins(path, rule->allowed, 8)) continue;
        /* The ground floor is open to all. */
        if (strncmp(header, "model/base/", 11) == 0) continue;
        print_error("%s:%d includes %s: %s\n", path, line, header, rule->why);
        n_breaches++;
    }
}

static void check_file(const char *path) {
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    char text[4096], header[256];
    for (int line = 1; fgets(text, sizeof text, file); line++)
        if (sscanf(text, " # include %*[\"<]%255[^\">]", header) == 1) check(path, line, header);
    fclose(file);
    n_files++;
}

static void check_folder(const char *folder) {
    DIR *dir = opendir(folder);
    if (!dir) return;
    for (struct dirent *entry; (entry = readdir(dir));) {
        char path[1024];
        struct stat st;
        size_t n = strlen(entry->d_name);
        if (entry->d_name[0] == '.') continue;
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        if (stat(path, &st) != 0) continue;
        if (S_ISDIR(st.st_mode))
            check_folder(path);
        else if (n > 2 && entry->d_name[n - 2] == '.' && strchr("ch", entry->d_name[n - 1]))
            check_file(path);
    }
    closedir(dir);
}

static void test_directions(void **state) {
    (void)state;
    check_folder("model");
    check_folder("render");
    check_folder("app");
    assert_true(n_files > 10);
    assert_int_equal(n_breaches, 0);
}

static void test_the_check_finds_breaches(void **state) {
    (void)state;
    static const char *const wrong[][2] = {
        {"model/trace.c", "render/figure.h"},
        {"model/base/str.c", "model/trace.h"},
        {"render/svg.c", "model/trace.h"},
        {"render/heatmap.c", "cairo.h"},
        {"app/state.c", "SDL2/SDL.h"},
        {"model/forward.c", "cblas.h"},
        {"render/figure.c", "app/state.h"},
        {"app/window/picture.c", "app/window/jobs.h"},
        {"app/window/jobs.c", "app/window/parts.h"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        n_breaches = 0;
        check(wrong[i][0], 1, wrong[i][1]);
        assert_true(n_breaches > 0);
    }
    n_breaches = 0;
    check("render/svg.c", 1, "model/base/str.h");
    check("model/ops_linear.c", 1, "cblas.h");
    check("app/window/window.c", 1, "SDL.h");
    check("app/window/picture_draw.c", 1, "app/window/jobs.h");
    check("render/text.c", 1, "pango/pangocairo.h");
    assert_int_equal(n_breaches, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_directions),
                                       cmocka_unit_test(test_the_check_finds_breaches)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
