#include "model/measure/measure.h"

#include <assert.h>
#include <string.h>

const Measure measures[MEASURE_COUNT] = {
    [MEASURE_ENTROPY] = {"entropy", "entropy", "bit",
                         "how widely a query spreads its weight: 0 on one key, log2 n on n alike",
                         0, 0, measure_entropy},
    [MEASURE_DISTANCE] = {"distance", "mean distance", "tokens",
                          "how far from its own place a query looks", 0, 0, measure_distance},
    [MEASURE_DIAGONAL] = {"diagonal", "on the diagonal", "",
                          "share of the weight within one token of the query's own place", 0, 1,
                          measure_diagonal},
    [MEASURE_SPECIAL] = {"special", "on special tokens", "",
                         "share of the weight on </s>, [CLS], [SEP], language tags", 0, 1,
                         measure_special},
    [MEASURE_CONCENTRATION] = {"concentration", "largest weight", "",
                               "the mean of each query's largest weight", 0, 1,
                               measure_concentration},
};
static_assert(sizeof measures / sizeof *measures == MEASURE_COUNT, "a row for each measure");

const Measure *measure_find(const char *name) {
    for (int m = 0; m < MEASURE_COUNT; m++)
        if (strcmp(measures[m].name, name) == 0) return &measures[m];
    return NULL;
}

double measure_centre(int64_t query, int64_t n_queries, int64_t n_keys, bool cross) {
    if (cross)
        return n_queries > 1 ? (double)query * (double)(n_keys - 1) / (double)(n_queries - 1) : 0;
    /* With a cache the queries are the last of the keys. */
    return (double)(query + (n_keys > n_queries ? n_keys - n_queries : 0));
}

enum { ROWS_AT_ONCE = 64 };

/* Calls visit for every row of one head; tile [ROWS_AT_ONCE, n_keys] is scratch. */
typedef void RowVisit(const MeasureRow *row, void *user);
static void each_row(const Pattern *p, int head, const bool *special, float *tile, RowVisit *visit,
                     void *user) {
    for (int64_t begin = 0; begin < p->n_queries; begin += ROWS_AT_ONCE) {
        int64_t end = begin + ROWS_AT_ONCE < p->n_queries ? begin + ROWS_AT_ONCE : p->n_queries;
        pattern_tile(p, head, begin, end, 0, p->n_keys, tile);
        for (int64_t q = begin; q < end; q++) {
            MeasureRow row = {tile + (q - begin) * p->n_keys, p->n_keys,
                              measure_centre(q, p->n_queries, p->n_keys, p->at.cross), special};
            visit(&row, user);
        }
    }
}

static float *new_tile(const Pattern *p, Arena *arena) {
    return arena_alloc(arena, (size_t)ROWS_AT_ONCE * (size_t)p->n_keys * sizeof(float));
}

static void add_row(const MeasureRow *row, void *user) {
    double *sums = user;
    for (int m = 0; m < MEASURE_COUNT; m++)
        sums[m] += measures[m].row(row);
}

static void measure_head_with(const Pattern *pattern, int head, const bool *special, float *tile,
                              double out[MEASURE_COUNT]) {
    for (int m = 0; m < MEASURE_COUNT; m++)
        out[m] = 0;
    each_row(pattern, head, special, tile, add_row, out);
    for (int m = 0; m < MEASURE_COUNT && pattern->n_queries > 0; m++)
        out[m] /= (double)pattern->n_queries;
}

void measure_head(const Pattern *pattern, int head, const bool *special,
                  double out[MEASURE_COUNT]) {
    Arena *scratch = arena_new();
    measure_head_with(pattern, head, special, new_tile(pattern, scratch), out);
    arena_free(scratch);
}

typedef struct One {
    double (*row)(const MeasureRow *row);
    double sum;
} One;

static void add_one(const MeasureRow *row, void *user) {
    One *one = user;
    one->sum += one->row(row);
}

double measure_head_one(const Pattern *pattern, int head, const bool *special, MeasureId measure) {
    Arena *scratch = arena_new();
    One one = {measures[measure].row, 0};
    each_row(pattern, head, special, new_tile(pattern, scratch), add_one, &one);
    arena_free(scratch);
    return pattern->n_queries > 0 ? one.sum / (double)pattern->n_queries : 0;
}

Tensor measure_all(const Trace *trace, StackId stack, bool cross, const bool *special,
                   Arena *arena) {
    int n_layers = trace_n_layers(trace, stack, cross),
        n_heads = trace_n_heads(trace, stack, cross);
    if (n_layers == 0 || n_heads == 0) return (Tensor){0};
    Tensor out = tensor_new(arena, 3, n_layers, n_heads, MEASURE_COUNT);
    tensor_fill(out, 0);
    Arena *scratch = arena_new();
    for (int layer = 0; layer < n_layers; layer++) {
        Pattern pattern;
        if (!trace_pattern(trace, stack, layer, cross, &pattern)) continue;
        arena_clear(scratch);
        float *tile = new_tile(&pattern, scratch);
        for (int head = 0; head < pattern.n_heads && head < n_heads; head++) {
            double stats[MEASURE_COUNT];
            measure_head_with(&pattern, head, special, tile, stats);
            for (int m = 0; m < MEASURE_COUNT; m++)
                *tensor_at(out, layer, head, m, 0) = (float)stats[m];
        }
    }
    arena_free(scratch);
    return out;
}

static void add_sharpness(const MeasureRow *row, void *user) {
    double *sums = user, mass; /* rows weigh as much as they put on words */
    double bits = measure_entropy_off_special(row, &mass);
    sums[0] += bits * mass;
    sums[1] += mass;
}

double measure_layer_sharpness(const Pattern *pattern, const bool *special) {
    Arena *scratch = arena_new();
    float *tile = new_tile(pattern, scratch);
    double sums[2] = {0, 0};
    for (int head = 0; head < pattern->n_heads; head++)
        each_row(pattern, head, special, tile, add_sharpness, sums);
    arena_free(scratch);
    return sums[1] > 0 ? sums[0] / sums[1] : 0;
}
