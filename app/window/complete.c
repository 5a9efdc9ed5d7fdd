#include "app/window/complete.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/base/file.h"

enum { MOST_ENTRIES = 20000 };

char *complete_expand(const char *typed) {
    const char *home = getenv("HOME");
    bool tilde = typed[0] == '~' && (typed[1] == '/' || typed[1] == 0) && home;
    size_t n = strlen(typed) + (tilde ? strlen(home) : 0) + 1;
    char *out = malloc(n);
    if (!out) abort();
    snprintf(out, n, "%s%s", tilde ? home : "", tilde ? typed + 1 : typed);
    return out;
}

static int compare(const void *a, const void *b) {
    const char *x = *(const char *const *)a, *y = *(const char *const *)b;
    bool fx = x[strlen(x) - 1] == '/', fy = y[strlen(y) - 1] == '/';
    if (fx != fy) return fx ? -1 : 1;
    return strcmp(x, y);
}

int complete_path(const char *typed, char **out, int max) {
    char *full = complete_expand(typed);
    char *slash = strrchr(full, '/');
    const char *begin = slash ? slash + 1 : full;
    size_t n_begin = strlen(begin), n_kept = strlen(typed) - n_begin;
    char *folder = slash ? strndup(full, (size_t)(slash - full) + 1) : strdup(".");
    if (!folder) abort();
    if (strlen(typed) < n_begin) n_kept = 0;
    int n = 0;
    DIR *dir = opendir(folder);
    struct dirent *entry;
    for (int seen = 0; dir && n < max && seen < MOST_ENTRIES && (entry = readdir(dir)); seen++) {
        const char *name = entry->d_name;
        if (strncmp(name, begin, n_begin) != 0) continue;
        if (name[0] == '.' && begin[0] != '.') continue;
        if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0) continue;
        size_t size = strlen(folder) + strlen(name) + 2;
        char *path = malloc(size);
        if (!path) abort();
        snprintf(path, size, "%s%s%s", folder, slash ? "" : "/", name);
        bool is_folder = file_is_folder(path);
        free(path);
        size = n_kept + strlen(name) + 2;
        out[n] = malloc(size);
        if (!out[n]) abort();
        snprintf(out[n++], size, "%.*s%s%s", (int)n_kept, typed, name, is_folder ? "/" : "");
    }
    if (dir) closedir(dir);
    free(folder);
    free(full);
    qsort(out, (size_t)n, sizeof *out, compare);
    return n;
}

size_t complete_shared(char *const *found, int n) {
    size_t shared = n > 0 ? strlen(found[0]) : 0;
    for (int i = 1; i < n; i++) {
        size_t k = 0;
        while (k < shared && found[i][k] == found[0][k])
            k++;
        shared = k;
    }
    return shared;
}
