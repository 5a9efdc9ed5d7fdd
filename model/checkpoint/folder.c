/* A folder in Hugging Face layout: config.json and the weight files that an index names. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "model/checkpoint/format.h"

enum { MAX_CONFIG_BYTES = 64 << 20 };

/* Weights packed by a quantizer of somebody's: their tensors mean something else. */
static bool check_plain(const json_t *config, const char *path, Error *error) {
    const json_t *how = json_object_get(config, "quantization_config");
    if (!how || json_is_null(how)) return true;
    const char *method = json_string_value(json_object_get(how, "quant_method"));
    return error_set(error, ERROR_UNSUPPORTED,
                     "%s: quantization_config: weights packed by %.60s are not read; take the "
                     "unquantized model, or a GGUF file of it",
                     path, method ? method : "a quantizer");
}

bool checkpoint_read_config(Checkpoint *checkpoint, const char *folder, Error *error) {
    char *path = path_join(checkpoint->arena, folder, "config.json");
    checkpoint->config = json_read_object(path, MAX_CONFIG_BYTES, error);
    if (!checkpoint->config || !check_plain(checkpoint->config, path, error)) return false;
    path = path_join(checkpoint->arena, folder, "generation_config.json");
    if (!file_exists(path)) return true;
    checkpoint->generation_config = json_read_object(path, MAX_CONFIG_BYTES, error);
    return checkpoint->generation_config != NULL;
}

/* The same folder or one below it; both are real paths. */
static bool lies_in(const char *path, const char *folder) {
    size_t n = strlen(folder);
    return strncmp(path, folder, n) == 0 && (path[n] == '/' || strcmp(folder, "/") == 0);
}

/* Hugging Face's cache keeps files as links: models--x/snapshots/REV/f -> models--x/blobs/HASH. */
static bool lies_in_cache_of(const char *path, const char *folder) {
    const char *snapshots = strstr(folder, "/snapshots/");
    if (!snapshots || strchr(snapshots + strlen("/snapshots/"), '/')) return false;
    size_t n = (size_t)(snapshots - folder);
    return strncmp(path, folder, n) == 0 && strncmp(path + n, "/blobs/", 7) == 0;
}

static bool has_dots(const char *name) {
    for (const char *part = name; part; part = strchr(part, '/')) {
        if (*part == '/') part++;
        if (strncmp(part, "..", 2) == 0 && (part[2] == '/' || part[2] == '\0')) return true;
    }
    return false;
}

/* A name out of somebody's index must not lead out of the folder, by dots or by links. NULL and an
 * error, or the path in the arena. */
static const char *shard_path(Checkpoint *checkpoint, const char *index_path, const char *shard,
                              Error *error) {
    Arena *arena = checkpoint->arena;
    size_t n_folder = (size_t)(path_name(index_path) - index_path);
    const char *folder = n_folder ? arena_str(arena, (Str){index_path, n_folder}).data : ".";
    if (*shard == '\0' || *shard == '/' || has_dots(shard)) {
        error_set(error, ERROR_INPUT, "%s: file name '%.200s' leads out of the folder", index_path,
                  shard);
        return NULL;
    }
    char *path = path_join(arena, folder, shard);
    char *real = realpath(path, NULL), *real_folder = realpath(folder, NULL);
    const char *found = NULL;
    if (!real || !real_folder)
        error_set(error, ERROR_NOT_FOUND, "%s: this file is missing, %s names it", path,
                  path_name(index_path));
    else if (!lies_in(real, real_folder) && !lies_in_cache_of(real, real_folder))
        error_set(error, ERROR_INPUT, "%s: is a link out of the folder, to %s; copy the file there",
                  path, real);
    else
        found = path;
    free(real);
    free(real_folder);
    return found;
}

static int by_text(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool add_files(Checkpoint *checkpoint, const char *index_path, const json_t *map,
                      AddFile *add, Error *error) {
    size_t n = 0;
    const char **shards = calloc(json_object_size(map) + 1, sizeof *shards);
    if (!shards) return error_set(error, ERROR_MEMORY, "%s: no memory", index_path);
    const char *name;
    json_t *shard;
    bool ok = true;
    json_object_foreach((json_t *)map, name, shard) {
        shards[n] = json_string_value(shard);
        if (!shards[n] || strlen(shards[n]) != json_string_length(shard))
            ok = error_set(error, ERROR_INPUT, "%s: tensor %.200s: a file name is expected",
                           index_path, name);
        n += shards[n] != NULL;
    }
    qsort(shards, n, sizeof *shards, by_text);
    for (size_t i = 0; ok && i < n; i++) {
        if (i > 0 && strcmp(shards[i], shards[i - 1]) == 0) continue;
        const char *path = shard_path(checkpoint, index_path, shards[i], error);
        ok = path && add(checkpoint, path, error);
    }
    free(shards);
    return ok;
}

static bool check_all_there(const Checkpoint *checkpoint, const char *index_path, const json_t *map,
                            Error *error) {
    const char *name;
    json_t *shard;
    json_object_foreach((json_t *)map, name, shard) {
        const RawTensor *t = tensor_list_find(&checkpoint->tensors, name);
        if (!t)
            return error_set(error, ERROR_INPUT,
                             "%s: tensor %.200s is said to be in %.200s, it is not", index_path,
                             name, json_string_value(shard));
    }
    return true;
}

bool checkpoint_add_shards(Checkpoint *checkpoint, const char *index_path, AddFile *add,
                           Error *error) {
    json_t *index = json_read_object(index_path, 0, error);
    if (!index) return false;
    const json_t *map = json_object_get(index, "weight_map");
    bool ok = json_is_object(map) && json_object_size(map) > 0;
    if (!ok)
        error_set(error, ERROR_INPUT, "%s: no weight_map, {tensor: file} expected", index_path);
    ok = ok && add_files(checkpoint, index_path, map, add, error) &&
         tensor_list_sort(&checkpoint->tensors, error) &&
         check_all_there(checkpoint, index_path, map, error);
    json_decref(index);
    return ok;
}
