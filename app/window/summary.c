#include "app/window/summary.h"

#include <math.h>
#include <string.h>

/* Long sequences are looked at in bands of queries, so that the memory stays small. */
enum { BAND = 64 };

typedef struct Sums {
    double entropy, distance, diagonal, special;
} Sums;

static void add_row(Sums *sums, const float *row, int64_t query, const Pattern *p,
                    const Tokens *keys) {
    double ratio = p->n_queries > 1 ? (double)(p->n_keys - 1) / (double)(p->n_queries - 1) : 0;
    double expected = p->n_queries == p->n_keys ? (double)query : (double)query * ratio;
    for (int64_t key = 0; key < p->n_keys; key++) {
        double w = row[key];
        if (w <= 0) continue;
        sums->entropy -= w * log2(w);
        sums->distance += w * fabs((double)key - (double)query);
        if (fabs((double)key - expected) <= 1) sums->diagonal += w;
        if (key < keys->n && keys->items[key].special) sums->special += w;
    }
}

static void add_thumb(HeadSummary *head, const Summary *s, const float *row, int64_t query) {
    int64_t r = query * s->rows / s->n_queries;
    for (int64_t key = 0; key < s->n_keys; key++) {
        int64_t c = key * s->columns / s->n_keys;
        double level = round(fmin(1, fmax(0, (double)row[key])) * 255);
        uint8_t *cell = &head->thumb[r * s->columns + c];
        if (level > *cell) *cell = (uint8_t)level;
    }
}

static void head_make(HeadSummary *out, const Summary *s, const Pattern *p, int head,
                      const Tokens *keys, float *band) {
    Sums sums = {0};
    memset(out, 0, sizeof *out);
    for (int64_t begin = 0; begin < p->n_queries; begin += BAND) {
        int64_t end = begin + BAND < p->n_queries ? begin + BAND : p->n_queries;
        pattern_tile(p, head, begin, end, 0, p->n_keys, band);
        for (int64_t query = begin; query < end; query++) {
            const float *row = band + (query - begin) * p->n_keys;
            add_row(&sums, row, query, p, keys);
            add_thumb(out, s, row, query);
        }
    }
    double n = p->n_queries > 0 ? (double)p->n_queries : 1;
    out->entropy = sums.entropy / n;
    out->distance = sums.distance / n;
    out->diagonal = sums.diagonal / n;
    out->special = sums.special / n;
}

bool summary_make(Summary *out, const Trace *trace, StackId stack, bool cross, Arena *arena) {
    memset(out, 0, sizeof *out);
    if (!trace || !trace_has(trace, stack, cross)) return false;
    out->attention = place_attention(stack, cross);
    out->n_layers = trace_n_layers(trace, stack, cross);
    out->n_heads = trace_n_heads(trace, stack, cross);
    if (out->n_layers < 1 || out->n_heads < 1) return false;
    out->heads =
        arena_calloc(arena, (size_t)out->n_layers * (size_t)out->n_heads, sizeof *out->heads);
    bool target_keys = stack == STACK_DECODER && !cross;
    Tokens keys = target_keys ? trace_target(trace) : trace_source(trace);
    Arena *scratch = arena_new();
    for (int layer = 0; layer < out->n_layers; layer++) {
        Pattern p;
        if (!trace_pattern(trace, stack, layer, cross, &p)) continue;
        out->n_queries = p.n_queries;
        out->n_keys = p.n_keys;
        out->rows = p.n_queries < SUMMARY_SIDE ? (int)p.n_queries : SUMMARY_SIDE;
        out->columns = p.n_keys < SUMMARY_SIDE ? (int)p.n_keys : SUMMARY_SIDE;
        arena_clear(scratch);
        float *band = arena_alloc(scratch, (size_t)BAND * (size_t)p.n_keys * sizeof *band);
        for (int head = 0; head < out->n_heads && head < p.n_heads; head++)
            head_make(&out->heads[layer * out->n_heads + head], out, &p, head, &keys, band);
    }
    arena_free(scratch);
    return true;
}

const HeadSummary *summary_head(const Summary *summary, int layer, int head) {
    if (layer < 0 || head < 0 || layer >= summary->n_layers || head >= summary->n_heads)
        return NULL;
    return &summary->heads[layer * summary->n_heads + head];
}
