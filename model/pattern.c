#include "model/pattern.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "model/kernels.h"
#include "model/ops.h"
#include "model/run.h"
#include "model/trace_inside.h"

bool trace_pattern(const Trace *trace, StackId stack, int layer, bool cross, Pattern *out) {
    HookPoint at = {.site = SITE_PATTERN, .stack = stack, .layer = layer, .cross = cross};
    char name[HOOK_NAME_MAX];
    const Tensor *x = trace_find(trace, hook_name(&at, name));
    if (!x && cross && layer == 0) { /* the one attention of a recurrent decoder */
        at.layer = -1;
        x = trace_find(trace, hook_name(&at, name));
    }
    const PatternRecipe *recipe = trace_recipe(trace, stack, layer, cross);
    *out = (Pattern){.trace = trace, .at = at, .recipe = recipe};
    if (x && x->rank == 3) {
        out->stored = *x;
        out->n_heads = (int)x->shape[0];
        out->n_queries = x->shape[1];
        out->n_keys = x->shape[2];
        return true;
    }
    if (!recipe || !recipe->q.data) return false;
    out->n_heads = recipe->n_heads;
    out->n_queries = recipe->n_queries;
    out->n_keys = recipe->n_keys;
    return true;
}

/* Bias of one head in a tile, added to the scores. */
static void add_bias(const PatternRecipe *r, int head, int64_t q_begin, int64_t q_end,
                     int64_t k_begin, int64_t k_end, float *out) {
    Arena *arena = arena_new();
    Run run = {.arena = arena};
    Tensor bias = position_bias_block(&run, &r->bias, tensor_slice(r->q, 0, q_begin, q_end), r->k,
                                      r->mask.query_offset + q_begin);
    for (int64_t q = 0; q < q_end - q_begin; q++)
        kernel_add(out + q * (k_end - k_begin), tensor_at(bias, head, q, k_begin, 0),
                   k_end - k_begin);
    arena_free(arena);
}

static void recompute(const PatternRecipe *r, int head, int64_t q_begin, int64_t q_end,
                      int64_t k_begin, int64_t k_end, float *out) {
    int64_t n = k_end - k_begin, group = r->n_heads / r->k.shape[1];
    ops_gemm(&(Gemm){.b_transposed = true,
                     .m = q_end - q_begin,
                     .n = n,
                     .k = r->q.shape[2],
                     .alpha = r->scale},
             tensor_at(r->q, q_begin, head, 0, 0), r->q.stride[0],
             tensor_at(r->k, k_begin, head / group, 0, 0), r->k.stride[0], out, n);
    if (r->has_bias) add_bias(r, head, q_begin, q_end, k_begin, k_end, out);
    for (int64_t q = q_begin; q < q_end; q++) {
        float *row = out + (q - q_begin) * n, lse = *tensor_at(r->lse, head, q, 0, 0);
        for (int64_t k = k_begin; k < k_end; k++)
            row[k - k_begin] = mask_visible(&r->mask, q, k) ? row[k - k_begin] - lse : -INFINITY;
        kernel_exp(row, row, n);
    }
}

void pattern_tile(const Pattern *p, int head, int64_t q_begin, int64_t q_end, int64_t k_begin,
                  int64_t k_end, float *out) {
    assert(head >= 0 && head < p->n_heads && q_begin >= 0 && q_end <= p->n_queries);
    assert(k_begin >= 0 && k_end <= p->n_keys);
    if (!p->stored.data) {
        recompute(p->recipe, head, q_begin, q_end, k_begin, k_end, out);
        return;
    }
    int64_t n = k_end - k_begin;
    for (int64_t q = q_begin; q < q_end; q++)
        memcpy(out + (q - q_begin) * n, tensor_at(p->stored, head, q, k_begin, 0),
               (size_t)n * sizeof *out);
}

bool pattern_visible(const Pattern *p, int64_t query, int64_t key) {
    const PatternRecipe *r = p->recipe;
    return !r || mask_visible(&r->mask, query, key);
}
