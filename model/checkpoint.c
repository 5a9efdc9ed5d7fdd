/* Finds out which format a folder or file is in, and has its reader open it.
 *
 * A format is a row of the table below and a file in checkpoint/. Probes look at names and first
 * bytes only; the first that says "mine" opens the checkpoint. */
#include "model/checkpoint.h"

#include <string.h>

#include "model/checkpoint/format.h"

/* In the order of worth: a folder that has several kinds is read as the first. */
static const CheckpointFormat *const formats[] = {
    &format_adapter,                      /* before safetensors: its folder may hold both */
    &format_safetensors, &format_llama2c, /* before torch: it knows the exact size */
    &format_torch,       &format_gguf,    &format_marian,
};
enum { N_FORMATS = sizeof formats / sizeof *formats };

/* What others keep weights in, so that the message can say that it was seen. */
static void say_no_weights(const Source *source, Error *error) {
    static const char *const foreign[] = {".h5",   ".msgpack", ".onnx",  ".ot",
                                          ".ckpt", ".pth",     ".tflite"};
    Arena *arena = arena_new();
    const char *seen = NULL;
    for (size_t i = 0; !seen && i < sizeof foreign / sizeof *foreign; i++)
        seen = source_path(arena, source, foreign[i]);
    error_set(error, ERROR_NOT_FOUND,
              "%s: no weights in this folder: model.safetensors, pytorch_model.bin (or their "
              "index.json), a .gguf or a Marian .npz expected%s%s%s",
              source->path, seen ? "; " : "", seen ? path_name(seen) : "",
              seen ? " is not a format that is read" : "");
    arena_free(arena);
}

/* The row whose files these are. NULL and, when a row says that it is broken, an error. */
static const CheckpointFormat *find_format(const Source *source, Error *error) {
    for (int i = 0; i < N_FORMATS; i++) {
        Probe probe = formats[i]->probe(source, error);
        if (probe == PROBE_BROKEN) return NULL;
        if (probe == PROBE_MINE) return formats[i];
    }
    if (source->is_folder)
        say_no_weights(source, error);
    else
        error_set(error, ERROR_INPUT,
                  "%s: not a format of weights that is known here: safetensors, pytorch_model.bin, "
                  "GGUF, Marian .npz or llama2.c's .bin expected",
                  source->path);
    return NULL;
}

const char *checkpoint_probe(const char *path) {
    Arena *arena = arena_new();
    Source source = {0};
    const CheckpointFormat *format =
        source_look(&source, path, arena, NULL) ? find_format(&source, NULL) : NULL;
    arena_free(arena);
    return format ? format->name : NULL;
}

static bool all_begin_with(const TensorList *list, const char *prefix) {
    for (int i = 0; i < list->n; i++)
        if (strncmp(list->items[i].name, prefix, strlen(prefix)) != 0) return false;
    return list->n > 0;
}

/* What torch.compile and DistributedDataParallel put before every name is taken off. */
static void unwrap_names(TensorList *list) {
    static const char *const wrappers[] = {"module.", "_orig_mod.", "module."};
    for (size_t i = 0; i < sizeof wrappers / sizeof *wrappers; i++)
        if (all_begin_with(list, wrappers[i]))
            for (int k = 0; k < list->n; k++)
                list->items[k].name += strlen(wrappers[i]);
}

Checkpoint *checkpoint_open_with(const char *path, const CheckpointOptions *options, Error *error) {
    static const CheckpointOptions defaults = {0};
    Arena *arena = arena_new();
    Checkpoint *checkpoint = arena_calloc(arena, 1, sizeof *checkpoint);
    checkpoint->arena = arena;
    checkpoint->path = arena_strdup(arena, path);
    Source source = {.options = options ? options : &defaults};
    bool ok = source_look(&source, checkpoint->path, arena, error);
    const CheckpointFormat *format = ok ? find_format(&source, error) : NULL;
    if (format) checkpoint->format = format->name;
    if (format) checkpoint->tokenizer_path = format->tokenizer ? source.path : source.folder;
    if (format && format->open(checkpoint, &source, error)) {
        unwrap_names(&checkpoint->tensors);
        if (tensor_list_sort(&checkpoint->tensors, error)) return checkpoint;
    }
    checkpoint_close(checkpoint);
    return NULL;
}

Checkpoint *checkpoint_open(const char *path, Error *error) {
    return checkpoint_open_with(path, NULL, error);
}

json_t *checkpoint_tokenizer(const char *path, Error *error) {
    Arena *arena = arena_new();
    Source source = {0};
    json_t *tokenizer = NULL;
    if (source_look(&source, path, arena, error)) {
        const CheckpointFormat *format = find_format(&source, NULL);
        if (format && format->tokenizer) tokenizer = format->tokenizer(&source, error);
    }
    arena_free(arena);
    return tokenizer;
}
