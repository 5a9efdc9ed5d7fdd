#include "model/attention.h"

#include "model/capture.h"
#include "model/position.h"
#include "model/run_hooks.h"

/* Floats of [head, query, key] held at once: 4 MB, the size of a second-level cache. */
enum { BLOCK_FLOATS = 1 << 20 };

static int64_t block_queries(const Run *run, int64_t n_heads, int64_t n_queries, int64_t n_keys) {
    if (run->tape) return n_queries;
    int64_t n = BLOCK_FLOATS / (n_heads * (n_keys ? n_keys : 1));
    n = n < 16 ? 16 : n;
    return n < n_queries ? n : n_queries;
}

/* Keys that the queries up to query_end may see: behind them a causal row holds only masked cells.
 * With edits, which may name such a cell, or a tape, all of them. */
static int64_t seen_keys(const Run *run, const MaskRule *mask, int64_t query_end, int64_t n_keys) {
    if (run->tape || run->edits || !mask->causal) return n_keys;
    int64_t n = mask->query_offset + query_end;
    return n < n_keys ? n : n_keys;
}

void attention_row(Run *run, const HookPoint *at, const AttentionRow *row, Tensor out) {
    int64_t n_queries = row->q.shape[0], n_heads = row->q.shape[1], n_keys = row->k.shape[0];
    int64_t step = block_queries(run, n_heads, n_queries, n_keys);
    Tensor lse = capture_row_begin(run, at, row);
    for (int64_t begin = 0; begin < n_queries; begin += step) {
        int64_t end = begin + step < n_queries ? begin + step : n_queries;
        ArenaMark mark = arena_mark(run->arena);
        HookPoint here = *at;
        here.query_begin += begin;
        MaskRule mask = row->mask;
        mask.query_offset += begin;
        int64_t n_seen = seen_keys(run, &row->mask, end, n_keys);
        Tensor q = tensor_slice(row->q, 0, begin, end), bias = {0};
        Tensor k = tensor_slice(row->k, 0, 0, n_seen), v = tensor_slice(row->v, 0, 0, n_seen);
        if (row->bias) bias = position_bias_block(run, row->bias, q, k, mask.query_offset);
        Tensor scores = op_attention_scores(run, q, k, row->scale, bias, &mask);
        here.site = SITE_SCORES;
        scores = hook(run, &here, scores);
        Tensor block_lse = {0};
        if (lse.data) block_lse = tensor_new(run->arena, 2, n_heads, end - begin);
        Tensor pattern = op_softmax(run, scores, block_lse);
        if (lse.data) tensor_copy(tensor_slice(lse, 1, begin, end), block_lse);
        here.site = SITE_PATTERN;
        pattern = hook(run, &here, pattern);
        op_attention_mix(run, pattern, v, tensor_slice(out, 0, begin, end));
        if (!run->tape) arena_reset(run->arena, mark);
    }
}
