/* Models in safetensors: model.safetensors, or the shards of model.safetensors.index.json, with
 * config.json beside them. */
#include <string.h>

#include "model/checkpoint/format.h"
#include "model/safetensors.h"

static const char one_file[] = "model.safetensors";
static const char index_file[] = "model.safetensors.index.json";

/* A header length that fits, then JSON. */
static bool looks_like_safetensors(const Source *source) {
    uint64_t n_header;
    memcpy(&n_header, source->head, 8);
    return source->n_bytes > 8 && source->head[8] == '{' && n_header <= 100u << 20;
}

static Probe probe(const Source *source, Error *error) {
    (void)error;
    if (source->is_folder)
        return source_has(source, one_file) || source_has(source, index_file) ? PROBE_MINE
                                                                              : PROBE_NOT_MINE;
    const char *name = path_name(source->path);
    bool named = str_ends(str(name), ".safetensors") || str_ends(str(name), index_file);
    return named || looks_like_safetensors(source) ? PROBE_MINE : PROBE_NOT_MINE;
}

static void close_file(void *file) {
    safetensors_close(file);
}

static bool add_file(Checkpoint *checkpoint, const char *path, Error *error) {
    Safetensors *file = safetensors_open(path, error);
    if (!file) return false;
    checkpoint_hold(checkpoint, file, close_file);
    for (int i = 0; i < safetensors_n_tensors(file); i++)
        tensor_list_add(&checkpoint->tensors, safetensors_tensor(file, i));
    return true;
}

static bool open_model(Checkpoint *checkpoint, const Source *source, Error *error) {
    if (!checkpoint_read_config(checkpoint, source->folder, error))
        return !source->is_folder &&
               error_prefix(error, "%s: a file of weights needs its config.json beside it",
                            source->path);
    if (!source->is_folder)
        return str_ends(str(source->path), ".index.json")
                   ? checkpoint_add_shards(checkpoint, source->path, add_file, error)
                   : add_file(checkpoint, source->path, error);
    char *path = path_join(checkpoint->arena, source->folder, one_file);
    if (file_exists(path)) return add_file(checkpoint, path, error);
    path = path_join(checkpoint->arena, source->folder, index_file);
    return checkpoint_add_shards(checkpoint, path, add_file, error);
}

const CheckpointFormat format_safetensors = {"safetensors", probe, open_model, NULL};
