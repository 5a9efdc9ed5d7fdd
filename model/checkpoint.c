/* Finds out which format a folder or file is in, and holds what its reader found.
 *
 * A format is a row of the table below and a file in checkpoint/. Probes look at names and first
 * bytes only; the first that says "mine" opens the checkpoint. */
#include "model/checkpoint.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "model/checkpoint/format.h"

/* In the order of worth: a folder that has several kinds is read as the first. */
static const CheckpointFormat *const formats[] = {
    &format_adapter,                      /* before safetensors: its folder may hold both */
    &format_safetensors, &format_llama2c, /* before torch: it knows the exact size */
    &format_torch,       &format_gguf,    &format_marian,
};
enum { N_FORMATS = sizeof formats / sizeof *formats };

bool file_head(const char *path, uint8_t head[64], size_t *n_bytes) {
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    bool regular = fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
    memset(head, 0, 64);
    ssize_t n = regular ? read(fd, head, 64) : -1;
    if (fd >= 0) close(fd);
    if (n < 0) return false;
    *n_bytes = (size_t)st.st_size;
    return true;
}

static bool read_head(Source *source, Error *error) {
    if (file_head(source->path, source->head, &source->n_bytes)) return true;
    FileMap map = {0}; /* says what is wrong with it */
    bool mapped = file_map(source->path, &map, error);
    file_unmap(&map);
    return mapped && error_set(error, ERROR_IO, "%s: cannot read", source->path);
}

bool source_has(const Source *source, const char *name) {
    Arena *arena = arena_new();
    bool there = file_exists(path_join(arena, source->folder, name));
    arena_free(arena);
    return there;
}

static const char *folder_of(Arena *arena, const char *path) {
    size_t n = (size_t)(path_name(path) - path);
    while (n > 1 && path[n - 1] == '/')
        n--;
    return n ? arena_str(arena, (Str){path, n}).data : ".";
}

const char *source_path(Arena *arena, const Source *source, const char *extension) {
    if (!source->is_folder) return source->path;
    DIR *folder = opendir(source->folder);
    const char *first = NULL;
    if (!folder) return NULL;
    for (struct dirent *entry; (entry = readdir(folder));) {
        if (*entry->d_name == '.' || !str_ends(str(entry->d_name), extension)) continue;
        const char *path = path_join(arena, source->folder, entry->d_name);
        if (file_exists(path) && (!first || strcmp(path, first) < 0)) first = path;
    }
    closedir(folder);
    return first;
}

Probe source_lone_file(const Source *source, const char *extension, Error *error) {
    DIR *folder = opendir(source->folder);
    int n = 0;
    for (struct dirent *entry; folder && (entry = readdir(folder));)
        n += *entry->d_name != '.' && str_ends(str(entry->d_name), extension);
    if (folder) closedir(folder);
    if (n == 0) return PROBE_NOT_MINE;
    if (n == 1) return PROBE_MINE;
    error_set(error, ERROR_INPUT, "%s: %d files %s in this folder; name one of them", source->path,
              n, extension);
    return PROBE_BROKEN;
}

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

static bool look_at(const char *path, Arena *arena, Source *source, Error *error) {
    source->path = path;
    source->is_folder = file_is_folder(path);
    source->folder = source->is_folder ? path : folder_of(arena, path);
    return source->is_folder || read_head(source, error);
}

const char *checkpoint_probe(const char *path) {
    Arena *arena = arena_new();
    Source source = {0};
    const CheckpointFormat *format =
        look_at(path, arena, &source, NULL) ? find_format(&source, NULL) : NULL;
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
    bool ok = look_at(checkpoint->path, arena, &source, error);
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
    if (look_at(path, arena, &source, error)) {
        const CheckpointFormat *format = find_format(&source, NULL);
        if (format && format->tokenizer) tokenizer = format->tokenizer(&source, error);
    }
    arena_free(arena);
    return tokenizer;
}

typedef struct Held {
    struct Held *next;
    void *thing;
    void (*close)(void *thing);
} Held;

void checkpoint_hold(Checkpoint *checkpoint, void *thing, void (*close_thing)(void *thing)) {
    Held *held = arena_alloc(checkpoint->arena, sizeof *held);
    *held = (Held){checkpoint->held, thing, close_thing};
    checkpoint->held = held;
}

static void unmap(void *map) {
    file_unmap(map);
}

bool checkpoint_map(Checkpoint *checkpoint, const char *path, Str *out, Error *error) {
    FileMap *map = arena_calloc(checkpoint->arena, 1, sizeof *map);
    if (!file_map(path, map, error)) return false;
    checkpoint_hold(checkpoint, map, unmap);
    *out = (Str){(const char *)map->data, map->n_bytes};
    return true;
}

void checkpoint_close(Checkpoint *checkpoint) {
    if (!checkpoint) return;
    for (Held *held = checkpoint->held; held; held = held->next)
        held->close(held->thing);
    json_decref(checkpoint->config);
    json_decref(checkpoint->generation_config);
    tensor_list_free(&checkpoint->tensors);
    arena_free(checkpoint->arena);
}

const char *checkpoint_path(const Checkpoint *checkpoint) {
    return checkpoint->path;
}

const char *checkpoint_tokenizer_path(const Checkpoint *checkpoint) {
    return checkpoint->tokenizer_path;
}

const char *checkpoint_format(const Checkpoint *checkpoint) {
    return checkpoint->format;
}

const json_t *checkpoint_config(const Checkpoint *checkpoint) {
    return checkpoint->config;
}

const json_t *checkpoint_generation_config(const Checkpoint *checkpoint) {
    return checkpoint->generation_config;
}

int checkpoint_n_tensors(const Checkpoint *checkpoint) {
    return checkpoint->tensors.n;
}

const RawTensor *checkpoint_tensor(const Checkpoint *checkpoint, int index) {
    return &checkpoint->tensors.items[index];
}

const RawTensor *checkpoint_find(const Checkpoint *checkpoint, const char *name) {
    return tensor_list_find(&checkpoint->tensors, name);
}
