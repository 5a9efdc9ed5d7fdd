/* Small numbers that say how a head attends, each a pure function of one row of a pattern.
 *
 *     double stats[MEASURE_COUNT];
 *     measure_head(&pattern, head, special_keys, stats);          means over the queries
 *     printf("%s %g %s\n", measures[m].title, stats[m], measures[m].unit);
 *
 * A new measure is one file with one function, and one row in measure.c.
 */
#ifndef MODEL_MEASURE_MEASURE_H
#define MODEL_MEASURE_MEASURE_H

#include "model/pattern.h"

typedef enum MeasureId {
    MEASURE_ENTROPY,
    MEASURE_DISTANCE,
    MEASURE_DIAGONAL,
    MEASURE_SPECIAL,
    MEASURE_CONCENTRATION,
    MEASURE_COUNT
} MeasureId;

/* One query's weights. */
typedef struct MeasureRow {
    const float *weights; // [n_keys]
    int64_t n_keys;
    double centre;       /* the key that stands where the query stands: its own position, in
                            cross-attention its share of the way through the sentence */
    const bool *special; // [n_keys]; NULL: no key is special
} MeasureRow;

typedef struct Measure {
    const char *name;    /* "entropy": --statistic */
    const char *title;   /* "entropy" in words */
    const char *unit;    /* "bit" */
    const char *meaning; /* one line */
    double low;          /* least value; the greatest is n_keys's affair or `high` */
    double high;         /* 0: no bound of its own */
    double (*row)(const MeasureRow *row);
} Measure;
extern const Measure measures[MEASURE_COUNT];

const Measure *measure_find(const char *name); /* NULL if there is none */

/* - sum p log2 p: 0 looks at one key, log2 n at all alike. */
double measure_entropy(const MeasureRow *row);
/* The entropy over the keys that are not special, their weights summing to 1 again; 0 where nothing
 * falls on them. `mass` (may be NULL) gets how much did. */
double measure_entropy_off_special(const MeasureRow *row, double *mass);
/* sum p |key - centre|, in keys. */
double measure_distance(const MeasureRow *row);
/* Mass within one key of the centre. */
double measure_diagonal(const MeasureRow *row);
/* Mass on special tokens. */
double measure_special(const MeasureRow *row);
/* The largest weight: "confidence" in Voita et al. 2019, section 4. */
double measure_concentration(const MeasureRow *row);

/* The centre of a query among the keys. */
double measure_centre(int64_t query, int64_t n_queries, int64_t n_keys, bool cross);
/* Means over all queries of one head. special [n_keys] or NULL. */
void measure_head(const Pattern *pattern, int head, const bool *special, double out[MEASURE_COUNT]);
/* One of them alone. */
double measure_head_one(const Pattern *pattern, int head, const bool *special, MeasureId measure);
/* Of all heads of one kind of attention: [layer, head, MEASURE_COUNT] in the arena; data NULL if
 * the trace has none. special [n_keys] or NULL. */
Tensor measure_all(const Trace *trace, StackId stack, bool cross, const bool *special,
                   Arena *arena);
/* Mean entropy off the special tokens over all heads of a layer: how sharply it aligns. */
double measure_layer_sharpness(const Pattern *pattern, const bool *special);

#endif
