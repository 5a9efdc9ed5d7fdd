/* The cache's layout: https://huggingface.co/docs/huggingface_hub/guides/manage-cache
 *
 *     hub/models--Helsinki-NLP--opus-mt-en-fi/refs/main          the commit
 *     hub/models--Helsinki-NLP--opus-mt-en-fi/snapshots/COMMIT/  the files
 */
#include "app/model_path.h"

#include <dirent.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/assets.h"
#include "model/base/file.h"

static char *home_folder(Arena *arena) {
    const char *home = getenv("HOME");
    if (home && *home) return arena_strdup(arena, home);
    struct passwd *user = getpwuid(getuid());
    return user && user->pw_dir ? arena_strdup(arena, user->pw_dir) : NULL;
}

char *model_path_cache(Arena *arena) {
    static const char *const names[] = {"HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *value = getenv(names[i]);
        if (value && *value) return arena_strdup(arena, value);
    }
    const char *hf = getenv("HF_HOME"), *xdg = getenv("XDG_CACHE_HOME");
    if (hf && *hf) return path_join(arena, hf, "hub");
    if (xdg && *xdg) return path_join(arena, xdg, "huggingface/hub");
    char *home = home_folder(arena);
    return home ? path_join(arena, home, ".cache/huggingface/hub") : NULL;
}

/* Names in a folder, sorted, without those that begin with a dot. */
static int list_folder(const char *path, char ***out, Arena *arena) {
    struct dirent **entries = NULL;
    int n = scandir(path, &entries, NULL, alphasort), kept = 0;
    *out = arena_calloc(arena, n > 0 ? (size_t)n : 1, sizeof **out);
    for (int i = 0; i < n; i++) {
        if (entries[i]->d_name[0] != '.') (*out)[kept++] = arena_strdup(arena, entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
    return kept;
}

static bool is_model_folder(const char *path, Arena *arena) {
    return file_exists(path_join(arena, path, "config.json"));
}

/* The snapshot that refs/main names, else the last that holds a model; NULL if there is none. */
static char *snapshot_of(const char *repository, Arena *arena) {
    char *snapshots = path_join(arena, repository, "snapshots");
    Str commit;
    if (file_read(path_join(arena, repository, "refs/main"), 4096, arena, &commit, NULL)) {
        while (commit.n > 0 && strchr(" \r\n", commit.data[commit.n - 1]))
            commit.n--;
        char *name = arena_printf(arena, "%.*s", (int)commit.n, commit.data);
        char *path = path_join(arena, snapshots, name);
        bool inside = *name && !strchr(name, '/') && name[0] != '.';
        if (inside && is_model_folder(path, arena)) return path;
    }
    char **names, *found = NULL;
    int n = list_folder(snapshots, &names, arena);
    for (int i = 0; i < n; i++) {
        char *path = path_join(arena, snapshots, names[i]);
        if (is_model_folder(path, arena)) found = path;
    }
    return found;
}

/* "org/name" as "models--org--name". */
static char *repository_name(const char *name, Arena *arena) {
    StrBuf text = {0};
    strbuf_puts(&text, "models--");
    for (; *name; name++)
        strbuf_puts(&text, *name == '/' ? "--" : (char[]){*name, 0});
    char *copy = arena_strdup(arena, text.data);
    strbuf_free(&text);
    return copy;
}

/* May it be a name on the Hub: "gpt2", "org/name"? */
static bool is_hub_name(const char *name) {
    const char *slash = strchr(name, '/');
    return *name && *name != '.' && *name != '/' && *name != '~' &&
           (!slash || (slash[1] && !strchr(slash + 1, '/')));
}

char *model_path_find(const char *name, Arena *arena, Error *error) {
    if (!name) return assets_find("models/" ASSETS_DEFAULT_MODEL, arena, error);
    if (access(name, F_OK) == 0) return arena_strdup(arena, name);
    if (!is_hub_name(name)) {
        error_set(error, ERROR_NOT_FOUND, "%s: no such file or folder", name);
        return NULL;
    }
    char *shipped =
        strchr(name, '/') ? NULL : assets_find(path_join(arena, "models", name), arena, NULL);
    if (shipped) return shipped;
    char *cache = model_path_cache(arena);
    char *repository = cache ? path_join(arena, cache, repository_name(name, arena)) : NULL;
    char *snapshot = repository ? snapshot_of(repository, arena) : NULL;
    if (snapshot) return snapshot;
    error_set(error, ERROR_NOT_FOUND,
              "%s: no such folder or file here, no model of that name comes with the program, and "
              "the Hugging Face cache has no %s; to download it: huggingface-cli download %s",
              name, repository ? repository : "(no home folder)", name);
    return NULL;
}

int model_path_list(ModelEntry **out, Arena *arena) {
    char **shipped = NULL, **cached = NULL;
    char *assets = assets_find("models", arena, NULL), *cache = model_path_cache(arena);
    int n_shipped = assets ? list_folder(assets, &shipped, arena) : 0;
    int n_cached = cache ? list_folder(cache, &cached, arena) : 0, n = 0;
    ModelEntry *entries = arena_calloc(arena, (size_t)(n_shipped + n_cached + 1), sizeof *entries);
    for (int i = 0; i < n_shipped; i++) {
        char *path = path_join(arena, assets, shipped[i]);
        if (is_model_folder(path, arena)) entries[n++] = (ModelEntry){shipped[i], path, true};
    }
    for (int i = 0; i < n_cached; i++) {
        if (strncmp(cached[i], "models--", 8) != 0) continue;
        char *path = snapshot_of(path_join(arena, cache, cached[i]), arena);
        char *name = cached[i] + 8, *dashes = strstr(name, "--");
        if (dashes) name = arena_printf(arena, "%.*s/%s", (int)(dashes - name), name, dashes + 2);
        if (path) entries[n++] = (ModelEntry){name, path, false};
    }
    *out = entries;
    return n;
}
