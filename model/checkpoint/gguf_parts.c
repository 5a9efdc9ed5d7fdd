/* Models in parts, as llama.cpp's gguf-split cuts them: NAME-00001-of-00003.gguf and so on. The
 * first part has the keys, each has some of the tensors, and split.count, split.no (from 0) and
 * split.tensors.count say so in each. Any of them may be named. */
#include <dirent.h>
#include <stdio.h>
#include <string.h>

#include "model/checkpoint/gguf.h"

enum { MOST_PARTS = 10000, N_SUFFIX = sizeof "-00001-of-00003.gguf" - 1 };

/* Number and count in a path that ends so; false for others. */
static bool part_of(const char *path, int *number, int *count) {
    size_t n = strlen(path);
    int n_read = 0;
    if (n <= N_SUFFIX) return false;
    const char *end = path + n - N_SUFFIX;
    return sscanf(end, "-%5d-of-%5d.gguf%n", number, count, &n_read) == 2 && n_read == N_SUFFIX &&
           *number >= 1 && *number <= *count && *count <= MOST_PARTS;
}

static const char *sibling(Arena *arena, const char *path, int number, int count) {
    return arena_printf(arena, "%.*s-%05d-of-%05d.gguf", (int)(strlen(path) - N_SUFFIX), path,
                        number, count);
}

const char *gguf_first_part(Arena *arena, const char *path) {
    int number, count;
    return part_of(path, &number, &count) ? sibling(arena, path, 1, count) : path;
}

/* Every .gguf of the folder is a part of the one model. */
static bool one_model(const char *folder_path, const char *first) {
    int number, count;
    if (!first || !part_of(first, &number, &count)) return false;
    const char *name = path_name(first);
    size_t n = strlen(name);
    DIR *folder = opendir(folder_path);
    bool all = folder != NULL;
    for (struct dirent *entry; all && (entry = readdir(folder));) {
        int other, others;
        if (*entry->d_name == '.' || !str_ends(str(entry->d_name), ".gguf")) continue;
        all = strlen(entry->d_name) == n && strncmp(entry->d_name, name, n - N_SUFFIX) == 0 &&
              part_of(entry->d_name, &other, &others) && others == count;
    }
    if (folder) closedir(folder);
    return all;
}

Probe gguf_probe_folder(const Source *source, Error *error) {
    Arena *arena = arena_new();
    bool whole = one_model(source->folder, source_path(arena, source, ".gguf"));
    arena_free(arena);
    return whole ? PROBE_MINE : source_lone_file(source, ".gguf", error);
}

static void close_file(void *file) {
    gguf_close(file);
}

static GgufFile *open_held(Checkpoint *checkpoint, const char *path, Error *error) {
    GgufFile *file = gguf_open(path, error);
    if (file) checkpoint_hold(checkpoint, file, close_file);
    return file;
}

static bool check_part(const GgufFile *file, int number, int64_t count, Error *error) {
    int64_t no = 0, n = 1;
    gguf_integer(file, "split.no", &no);
    gguf_integer(file, "split.count", &n);
    if (no == number - 1 && n == count) return true;
    return error_set(error, ERROR_INPUT,
                     "%s: says that it is part %lld of %lld, its name that it is part %d of %lld",
                     gguf_path(file), (long long)no + 1, (long long)n, number, (long long)count);
}

static bool open_others(Checkpoint *checkpoint, GgufParts *parts, const char *first, Error *error) {
    int64_t n_tensors = gguf_tensors(parts->files[0])->n, declared;
    for (int i = 1; i < parts->n; i++) {
        const char *path = sibling(checkpoint->arena, first, i + 1, parts->n);
        if (!file_exists(path))
            return error_set(error, ERROR_NOT_FOUND, "%s: this file is missing, part %d of %d",
                             path, i + 1, parts->n);
        parts->files[i] = open_held(checkpoint, path, error);
        if (!parts->files[i] || !check_part(parts->files[i], i + 1, parts->n, error)) return false;
        n_tensors += gguf_tensors(parts->files[i])->n;
    }
    if (gguf_integer(parts->files[0], "split.tensors.count", &declared) && declared != n_tensors)
        return error_set(error, ERROR_INPUT,
                         "%s: split.tensors.count is %lld, but %lld tensors are in the %d parts",
                         first, (long long)declared, (long long)n_tensors, parts->n);
    return true;
}

bool gguf_parts_open(Checkpoint *checkpoint, const char *path, GgufParts *out, Error *error) {
    int number = 1, count = 1;
    int64_t n = 1;
    bool named = part_of(path, &number, &count);
    const char *first = gguf_first_part(checkpoint->arena, path);
    if (named && !file_exists(first))
        return error_set(error, ERROR_NOT_FOUND, "%s: this file is missing, part 1 of %d", first,
                         count);
    GgufFile *file = open_held(checkpoint, first, error);
    if (!file) return false;
    bool split = gguf_integer(file, "split.count", &n) && n > 1;
    if (split && !named)
        return error_set(error, ERROR_INPUT,
                         "%s: is one of %lld parts; they are found by names that end in "
                         "-00001-of-%05lld.gguf",
                         path, (long long)n, (long long)n);
    if (named && !check_part(file, 1, count, error)) return false;
    *out = (GgufParts){.n = count};
    out->files = arena_calloc(checkpoint->arena, (size_t)count, sizeof(GgufFile *));
    out->files[0] = file;
    return open_others(checkpoint, out, first, error);
}
