/* Models in pytorch_model.bin, or the shards of pytorch_model.bin.index.json, with config.json
 * beside them; and the ckpt.pt and model.pt of nanoGPT and minGPT. */
#include <string.h>

#include "model/checkpoint/nanogpt.h"
#include "model/checkpoint/torch.h"

/* One of these in a folder, the first that is there. */
static const char *const files[] = {"pytorch_model.bin", "pytorch_model.bin.index.json", "ckpt.pt",
                                    "model.pt"};
enum { N_FILES = sizeof files / sizeof *files };

static const char *file_in(const Source *source) {
    for (int i = 0; i < N_FILES; i++)
        if (source_has(source, files[i])) return files[i];
    return NULL;
}

static Probe probe(const Source *source, Error *error) {
    (void)error;
    if (source->is_folder) return file_in(source) ? PROBE_MINE : PROBE_NOT_MINE;
    Str name = str(path_name(source->path));
    bool known = str_ends(name, files[1]) || str_is(name, files[0]) || str_ends(name, ".pt") ||
                 str_ends(name, ".pth") ||
                 (torch_file_is(source->head, source->n_bytes) && !str_ends(name, ".npz"));
    return known ? PROBE_MINE : PROBE_NOT_MINE;
}

static void close_file(void *file) {
    torch_file_close(file);
}

static TorchFile *add_one(Checkpoint *checkpoint, const char *path, Error *error) {
    TorchFile *file = torch_file_open(path, error);
    if (!file) return NULL;
    checkpoint_hold(checkpoint, file, close_file);
    const PickleValue *dict = torch_file_state(file, error);
    return dict && torch_file_tensors(file, dict, &checkpoint->tensors, error) ? file : NULL;
}

static bool add_file(Checkpoint *checkpoint, const char *path, Error *error) {
    return add_one(checkpoint, path, error) != NULL;
}

static bool open_model(Checkpoint *checkpoint, const Source *source, Error *error) {
    const char *path = source->path;
    if (source->is_folder) path = path_join(checkpoint->arena, source->folder, file_in(source));
    if (str_ends(str(path), ".index.json"))
        return checkpoint_read_config(checkpoint, source->folder, error) &&
               checkpoint_add_shards(checkpoint, path, add_file, error);
    bool configured = source_has(source, "config.json");
    if (configured && !checkpoint_read_config(checkpoint, source->folder, error)) return false;
    const TorchFile *file = add_one(checkpoint, path, error);
    if (!file) return false;
    if (nanogpt_is(checkpoint)) return nanogpt_translate(checkpoint, file, error);
    return configured || checkpoint_read_config(checkpoint, source->folder, error);
}

const CheckpointFormat format_torch = {"torch", probe, open_model, NULL};
