/* An open checkpoint: what its reader found, and what that lies in until it is closed. */
#include "model/checkpoint/format.h"

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
