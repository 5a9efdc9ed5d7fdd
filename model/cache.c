#include "model/cache.h"

#include <assert.h>
#include <stdlib.h>

Cache *cache_new(const Model *model, StackId stack, int n_rows, int capacity) {
    const StackConfig *config = &model->config.stack[stack];
    Arena *arena = arena_new();
    Cache *cache = arena_calloc(arena, 1, sizeof *cache);
    *cache = (Cache){.n_rows = n_rows,
                     .capacity = capacity,
                     .n_layers = config->n_layers,
                     .arena = arena,
                     .layers = arena_calloc(arena, (size_t)config->n_layers, sizeof(LayerCache))};
    for (int l = 0; l < config->n_layers; l++) {
        cache->layers[l].k =
            tensor_new(arena, 4, n_rows, capacity, config->n_kv_heads, config->d_head);
        cache->layers[l].v =
            tensor_new(arena, 4, n_rows, capacity, config->n_kv_heads, config->d_head);
    }
    return cache;
}

void cache_free(Cache *cache) {
    if (cache) arena_free(cache->arena);
}

static void reorder(Tensor x, const int32_t *parents, int n_rows, int length, Tensor scratch) {
    for (int r = 0; r < n_rows; r++)
        tensor_copy(tensor_slice(tensor_index(scratch, 0, r), 0, 0, length),
                    tensor_slice(tensor_index(x, 0, parents[r]), 0, 0, length));
    for (int r = 0; r < n_rows; r++)
        tensor_copy(tensor_slice(tensor_index(x, 0, r), 0, 0, length),
                    tensor_slice(tensor_index(scratch, 0, r), 0, 0, length));
}

void cache_reorder(Cache *cache, const int32_t *parents, int n_rows) {
    assert(n_rows <= cache->n_rows);
    bool same = true;
    for (int r = 0; r < n_rows; r++)
        same = same && parents[r] == r;
    if (same) return;
    ArenaMark mark = arena_mark(cache->arena);
    for (int l = 0; l < cache->n_layers; l++) {
        LayerCache *layer = &cache->layers[l];
        Tensor scratch = tensor_new_shape(cache->arena, 4, layer->k.shape);
        reorder(layer->k, parents, n_rows, cache->length, scratch);
        reorder(layer->v, parents, n_rows, cache->length, scratch);
        arena_reset(cache->arena, mark);
    }
}

void cache_append(Cache *cache, int layer, Tensor k, Tensor v, int n_new) {
    assert(cache->length + n_new <= cache->capacity);
    LayerCache *at = &cache->layers[layer];
    for (int64_t r = 0; r < k.shape[0] / n_new; r++) {
        tensor_copy(
            tensor_slice(tensor_index(at->k, 0, r), 0, cache->length, cache->length + n_new),
            tensor_slice(k, 0, r * n_new, (r + 1) * n_new));
        tensor_copy(
            tensor_slice(tensor_index(at->v, 0, r), 0, cache->length, cache->length + n_new),
            tensor_slice(v, 0, r * n_new, (r + 1) * n_new));
    }
}
