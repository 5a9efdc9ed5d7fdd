#include "model/hub.h"

#include <ctype.h>
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "model/base/file.h"
#include "model/base/json.h"
#include "model/checkpoint.h"

enum { MAX_CACHES = 5 };

static const struct {
    const char *variable, *below;
} cache_places[MAX_CACHES] = {
    {"HF_HUB_CACHE", ""},
    {"HUGGINGFACE_HUB_CACHE", ""},
    {"HF_HOME", "hub"},
    {"XDG_CACHE_HOME", "huggingface/hub"},
    {"HOME", ".cache/huggingface/hub"},
};

const char **hub_caches(Arena *arena) {
    const char **caches = arena_calloc(arena, MAX_CACHES + 1, sizeof *caches);
    int n = 0;
    for (int i = 0; i < MAX_CACHES; i++) {
        const char *root = getenv(cache_places[i].variable);
        if (!root || !*root) continue;
        caches[n++] = *cache_places[i].below ? path_join(arena, root, cache_places[i].below) : root;
    }
    return caches;
}

/* Letters, digits, . _ - and one slash inside: what the Hub takes as a name. */
static bool is_hub_name(Str name) {
    int n_slashes = 0;
    for (size_t i = 0; i < name.n; i++) {
        unsigned char c = (unsigned char)name.data[i];
        if (c == '/')
            n_slashes++;
        else if (!(c < 0x80 && isalnum(c)) && !strchr("._-", c))
            return false;
        if (c == '/' && (i == 0 || i + 1 == name.n)) return false;
    }
    return name.n > 0 && n_slashes <= 1 && name.data[0] != '.' && name.data[0] != '-';
}

/* models--ORG--NAME */
static const char *cache_folder(Arena *arena, const char *cache, Str name) {
    StrBuf folder = {0};
    strbuf_puts(&folder, "models--");
    for (size_t i = 0; i < name.n; i++) {
        if (name.data[i] == '/')
            strbuf_puts(&folder, "--");
        else
            strbuf_putc(&folder, name.data[i]);
    }
    const char *path = path_join(arena, cache, folder.data);
    strbuf_free(&folder);
    return path;
}

/* The folder of a revision, which must be one plain name; NULL if there is none. */
static const char *snapshot(Arena *arena, const char *model, Str revision) {
    while (revision.n && isspace((unsigned char)revision.data[revision.n - 1]))
        revision.n--;
    if (!revision.n || revision.data[0] == '.' || memchr(revision.data, '/', revision.n) ||
        memchr(revision.data, '\0', revision.n))
        return NULL;
    const char *all = path_join(arena, model, "snapshots");
    const char *path = path_join(arena, all, arena_str(arena, revision).data);
    return file_is_folder(path) ? path : NULL;
}

/* Without a ref: the snapshot that was made last. */
static const char *newest_snapshot(Arena *arena, const char *model) {
    const char *all = path_join(arena, model, "snapshots"), *best = NULL;
    DIR *folder = opendir(all);
    if (!folder) return NULL;
    struct timespec when = {0};
    for (struct dirent *entry; (entry = readdir(folder));) {
        if (entry->d_name[0] == '.') continue;
        const char *path = path_join(arena, all, entry->d_name);
        struct stat st;
        if (stat(path, &st) != 0 || !S_ISDIR(st.st_mode)) continue;
        if (best && (st.st_mtim.tv_sec < when.tv_sec ||
                     (st.st_mtim.tv_sec == when.tv_sec && strcmp(path, best) < 0)))
            continue;
        best = path;
        when = st.st_mtim;
    }
    closedir(folder);
    return best;
}

/* revision: a branch or tag of refs/, or the revision itself. */
static const char *find_snapshot(Arena *arena, const char *model, Str revision) {
    bool main_branch = revision.n == 0;
    if (main_branch) revision = str("main");
    if (memchr(revision.data, '/', revision.n) || revision.data[0] == '.') return NULL;
    const char *refs = path_join(arena, model, "refs");
    const char *ref = path_join(arena, refs, arena_str(arena, revision).data);
    Str found;
    if (file_exists(ref) && file_read(ref, 4096, arena, &found, NULL)) {
        const char *path = snapshot(arena, model, found);
        if (path) return path;
    }
    return main_branch ? newest_snapshot(arena, model) : snapshot(arena, model, revision);
}

/* No model on the Hub is called like a file of weights: advice to download it would mislead. */
static bool is_file_name(Str name) {
    static const char *const endings[] = {".safetensors", ".gguf", ".bin", ".pt",
                                          ".npz",         ".json", ".spm", NULL};
    for (const char *const *ending = endings; *ending; ending++)
        if (str_ends(name, *ending)) return true;
    return false;
}

static void say_not_found(const char *name, Str model, const char **caches, Error *error) {
    StrBuf places = {0};
    for (const char **cache = caches; *cache; cache++)
        strbuf_printf(&places, "%s%s", cache == caches ? "" : ", ", *cache);
    if (!*caches) strbuf_puts(&places, "no cache: neither HF_HOME nor HOME is set");
    error_set(
        error, ERROR_NOT_FOUND,
        "%s: no such folder or file, and not in the Hugging Face cache (looked in %s); to fetch "
        "it: hf download %.*s",
        name, places.data, (int)model.n, model.data);
    strbuf_free(&places);
}

const char *hub_find(const char *name, const char *shipped, Arena *arena, Error *error) {
    struct stat st;
    if (*name && stat(name, &st) == 0) return arena_strdup(arena, name);
    const char *at = strchr(name, '@');
    Str model = at ? (Str){name, (size_t)(at - name)} : str(name);
    Str revision = at ? str(at + 1) : (Str){"", 0};
    if (!is_hub_name(model) || is_file_name(model)) {
        error_set(error, ERROR_NOT_FOUND, "%s: no such folder or file", *name ? name : "''");
        return NULL;
    }
    if (shipped && !at && !memchr(model.data, '/', model.n)) {
        const char *path = path_join(arena, shipped, name);
        if (file_is_folder(path)) return path;
    }
    const char **caches = hub_caches(arena);
    for (const char **cache = caches; *cache; cache++) {
        const char *folder = cache_folder(arena, *cache, model);
        const char *path = file_is_folder(folder) ? find_snapshot(arena, folder, revision) : NULL;
        if (path) return path;
    }
    say_not_found(name, model, caches, error);
    return NULL;
}

/* Listing. */

typedef struct List {
    HubModel *items;
    int n, capacity;
} List;

/* Two levels are enough: models keep their files flat, some with one folder more. */
static int64_t folder_bytes(Arena *arena, const char *path, int depth) {
    DIR *folder = opendir(path);
    if (!folder) return 0;
    int64_t n_bytes = 0;
    for (struct dirent *entry; (entry = readdir(folder));) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
        ArenaMark mark = arena_mark(arena);
        const char *inside = path_join(arena, path, entry->d_name);
        struct stat st;
        if (stat(inside, &st) == 0) {
            if (S_ISREG(st.st_mode)) n_bytes += st.st_size;
            if (S_ISDIR(st.st_mode) && depth > 0) n_bytes += folder_bytes(arena, inside, depth - 1);
        }
        arena_reset(arena, mark);
    }
    closedir(folder);
    return n_bytes;
}

static const char *model_type_of(Arena *arena, const char *path) {
    const char *file = path_join(arena, path, "config.json");
    json_t *config = file_exists(file) ? json_read(file, 1 << 20, NULL) : NULL;
    const char *type = json_string_value(json_object_get(config, "model_type"));
    if (type) type = arena_strdup(arena, type);
    json_decref(config);
    return type;
}

static void add_model(List *list, Arena *arena, const char *name, const char *path, bool shipped) {
    for (int i = 0; i < list->n; i++)
        if (strcmp(list->items[i].name, name) == 0) return; /* an earlier place wins */
    if (list->n == list->capacity) {
        list->capacity = list->capacity ? 2 * list->capacity : 32;
        HubModel *items = arena_alloc(arena, (size_t)list->capacity * sizeof *items);
        if (list->n) memcpy(items, list->items, (size_t)list->n * sizeof *items);
        list->items = items;
    }
    HubModel model = {.name = name, .path = path, .shipped = shipped};
    model.n_bytes = folder_bytes(arena, path, 2);
    model.model_type = model_type_of(arena, path);
    model.format = checkpoint_probe(path);
    list->items[list->n++] = model;
}

static void add_shipped(List *list, Arena *arena, const char *shipped) {
    DIR *folder = opendir(shipped);
    if (!folder) return;
    for (struct dirent *entry; (entry = readdir(folder));) {
        const char *path = path_join(arena, shipped, entry->d_name);
        if (entry->d_name[0] != '.' && file_exists(path_join(arena, path, "config.json")))
            add_model(list, arena, arena_strdup(arena, entry->d_name), path, true);
    }
    closedir(folder);
}

static void add_cache(List *list, Arena *arena, const char *cache) {
    DIR *folder = opendir(cache);
    if (!folder) return;
    for (struct dirent *entry; (entry = readdir(folder));) {
        if (strncmp(entry->d_name, "models--", 8) != 0) continue;
        char *name = arena_strdup(arena, entry->d_name + 8);
        char *between = strstr(name, "--");
        if (between) {
            *between = '/';
            memmove(between + 1, between + 2, strlen(between + 2) + 1);
        }
        const char *path =
            find_snapshot(arena, path_join(arena, cache, entry->d_name), (Str){"", 0});
        if (path && is_hub_name(str(name))) add_model(list, arena, name, path, false);
    }
    closedir(folder);
}

static int by_name(const void *a, const void *b) {
    return strcmp(((const HubModel *)a)->name, ((const HubModel *)b)->name);
}

int hub_list(const char *shipped, Arena *arena, HubModel **out) {
    List list = {0};
    if (shipped) add_shipped(&list, arena, shipped);
    for (const char **cache = hub_caches(arena); *cache; cache++)
        add_cache(&list, arena, *cache);
    if (list.n) qsort(list.items, (size_t)list.n, sizeof *list.items, by_name);
    *out = list.items;
    return list.n;
}
