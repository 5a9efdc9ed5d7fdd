/* Keys and values of the tokens a stack has read already, so that a step of generation reads one
 * token a row. Rows are hypotheses; they grow together.
 *
 *     Cache *cache = cache_new(model, STACK_DECODER, n_rows);
 *     forward_stack(&run, STACK_DECODER, &one_token_each, &memory, cache, &hidden, &error);
 *     cache_reorder(cache, parents, n_rows);          row r continues old row parents[r]
 *     cache_free(cache);
 */
#ifndef MODEL_CACHE_H
#define MODEL_CACHE_H

#include "model/model.h"

typedef struct LayerCache {
    Tensor k, v;             // [row, room, kv_head, d_head], after rotation and edits
    Tensor cross_k, cross_v; // [source token, kv_head, d_head]; no data before the first step
} LayerCache;

typedef struct Cache {
    int n_rows;
    int length; /* tokens of each row that are in */
    int n_layers;
    LayerCache *layers; // [n_layers]
    Tensor h, c;        // recurrent decoders, in place of keys and values: [row, layer, d]
    Arena *arena;
} Cache;

Cache *cache_new(const Model *model, StackId stack, int n_rows);
void cache_free(Cache *cache); /* NULL is fine */
/* row r becomes a copy of old row parents[r]; n_rows may shrink. */
void cache_reorder(Cache *cache, const int32_t *parents, int n_rows);
/* Appends k, v [n_rows * n_new, kv_head, d_head] behind what each row holds at this layer, with
 * more room if there is none; the forward pass calls this, and moves length when the pass is done.
 */
void cache_append(Cache *cache, int layer, Tensor k, Tensor v, int n_new);

#endif
