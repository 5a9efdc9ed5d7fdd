#include "model/cache.h"

#include <assert.h>
#include <stdlib.h>

/* What is reserved before the first token; more is made as it is needed. */
enum { FIRST_CAPACITY = 128 };

Cache *cache_new(const Model *model, StackId stack, int n_rows) {
    const StackConfig *config = &model->config.stack[stack];
    Arena *arena = arena_new();
    Cache *cache = arena_calloc(arena, 1, sizeof *cache);
    *cache = (Cache){.n_rows = n_rows,
                     .n_layers = config->n_layers,
                     .arena = arena,
                     .layers = arena_calloc(arena, (size_t)config->n_layers, sizeof(LayerCache))};
    if (model->config.family == FAMILY_RECURRENT) {
        cache->h = tensor_new(arena, 3, n_rows, config->n_layers, config->d_head);
        cache->c = tensor_new(arena, 3, n_rows, config->n_layers, config->d_head);
        return cache;
    }
    for (int l = 0; l < config->n_layers; l++) {
        cache->layers[l].k =
            tensor_new(arena, 4, n_rows, FIRST_CAPACITY, config->n_kv_heads, config->d_head);
        cache->layers[l].v =
            tensor_new(arena, 4, n_rows, FIRST_CAPACITY, config->n_kv_heads, config->d_head);
    }
    return cache;
}

void cache_free(Cache *cache) {
    if (cache) arena_free(cache->arena);
}

static void reorder(Tensor x, const int32_t *parents, int n_rows, int length, Tensor scratch) {
    for (int r = 0; r < n_rows; r++) /* rows that stay are left alone */
        if (parents[r] != r)
            tensor_copy(tensor_slice(tensor_index(scratch, 0, r), 0, 0, length),
                        tensor_slice(tensor_index(x, 0, parents[r]), 0, 0, length));
    for (int r = 0; r < n_rows; r++)
        if (parents[r] != r)
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
    if (cache->h.data) {
        int n_layers = cache->n_layers;
        reorder(cache->h, parents, n_rows, n_layers,
                tensor_new_shape(cache->arena, 3, cache->h.shape));
        reorder(cache->c, parents, n_rows, n_layers,
                tensor_new_shape(cache->arena, 3, cache->h.shape));
        arena_reset(cache->arena, mark);
        return;
    }
    for (int l = 0; l < cache->n_layers; l++) {
        LayerCache *layer = &cache->layers[l];
        Tensor scratch = tensor_new_shape(cache->arena, 4, layer->k.shape);
        reorder(layer->k, parents, n_rows, cache->length, scratch);
        reorder(layer->v, parents, n_rows, cache->length, scratch);
        arena_reset(cache->arena, mark);
    }
}

/* x with room for `wanted` tokens a row, what is in it copied. At least twice the room, so that all
 * the copies together cost no more than one. */
static Tensor grown(Cache *cache, Tensor x, int64_t wanted) {
    if (wanted <= x.shape[1]) return x;
    int64_t room = wanted > 2 * x.shape[1] ? wanted : 2 * x.shape[1];
    Tensor y = tensor_new(cache->arena, 4, x.shape[0], room, x.shape[2], x.shape[3]);
    tensor_copy(tensor_slice(y, 1, 0, cache->length), tensor_slice(x, 1, 0, cache->length));
    return y;
}

void cache_append(Cache *cache, int layer, Tensor k, Tensor v, int n_new) {
    LayerCache *at = &cache->layers[layer];
    at->k = grown(cache, at->k, (int64_t)cache->length + n_new);
    at->v = grown(cache, at->v, (int64_t)cache->length + n_new);
    for (int64_t r = 0; r < k.shape[0] / n_new; r++) {
        tensor_copy(
            tensor_slice(tensor_index(at->k, 0, r), 0, cache->length, cache->length + n_new),
            tensor_slice(k, 0, r * n_new, (r + 1) * n_new));
        tensor_copy(
            tensor_slice(tensor_index(at->v, 0, r), 0, cache->length, cache->length + n_new),
            tensor_slice(v, 0, r * n_new, (r + 1) * n_new));
    }
}
