/* Models in pytorch_model.bin, or the shards of pytorch_model.bin.index.json, with config.json
 * beside them. */
#include <string.h>

#include "model/checkpoint/torch.h"

static const char one_file[] = "pytorch_model.bin";
static const char index_file[] = "pytorch_model.bin.index.json";

static Probe probe(const Source *source, Error *error) {
    (void)error;
    if (source->is_folder)
        return source_has(source, one_file) || source_has(source, index_file) ? PROBE_MINE
                                                                              : PROBE_NOT_MINE;
    Str name = str(path_name(source->path));
    bool known = str_ends(name, index_file) || str_is(name, one_file) ||
                 (torch_file_is(source->head, source->n_bytes) && !str_ends(name, ".npz"));
    return known ? PROBE_MINE : PROBE_NOT_MINE;
}

static void close_file(void *file) {
    torch_file_close(file);
}

static bool add_file(Checkpoint *checkpoint, const char *path, Error *error) {
    TorchFile *file = torch_file_open(path, error);
    if (!file) return false;
    checkpoint_hold(checkpoint, file, close_file);
    const PickleValue *dict = torch_file_state(file, error);
    return dict && torch_file_tensors(file, dict, &checkpoint->tensors, error);
}

static bool open_model(Checkpoint *checkpoint, const Source *source, Error *error) {
    if (!checkpoint_read_config(checkpoint, source->folder, error)) return false;
    if (!source->is_folder)
        return str_ends(str(source->path), ".index.json")
                   ? checkpoint_add_shards(checkpoint, source->path, add_file, error)
                   : add_file(checkpoint, source->path, error);
    if (source_has(source, one_file))
        return add_file(checkpoint, path_join(checkpoint->arena, source->folder, one_file), error);
    return checkpoint_add_shards(
        checkpoint, path_join(checkpoint->arena, source->folder, index_file), add_file, error);
}

const CheckpointFormat format_torch = {"torch", probe, open_model, NULL};
