/* All heads of one attention at a glance: four numbers and a thumbnail each, for the list of heads
 * and the little grid.
 *
 *     Summary s;
 *     if (summary_make(&s, trace, STACK_DECODER, true, arena)) use(summary_head(&s, layer, head));
 */
#ifndef APP_WINDOW_SUMMARY_H
#define APP_WINDOW_SUMMARY_H

#include "app/place.h"
#include "model/pattern.h"

enum { SUMMARY_SIDE = 24 };

typedef struct HeadSummary {
    double entropy;  /* mean over queries, bits */
    double distance; /* mean |query - key|, tokens */
    double diagonal; /* share within one token of the (scaled) diagonal */
    double special;  /* share on special tokens */
    uint8_t thumb[SUMMARY_SIDE * SUMMARY_SIDE]; // [row, column] strongest weight of the cells there
} HeadSummary;

typedef struct Summary {
    Place attention;
    int n_layers, n_heads;
    int64_t n_queries, n_keys;
    int rows, columns;  /* of the thumbnails: at most SUMMARY_SIDE each */
    HeadSummary *heads; // [layer, head], the arena's
} Summary;

/* False if the trace has no such attention. */
bool summary_make(Summary *out, const Trace *trace, StackId stack, bool cross, Arena *arena);
const HeadSummary *summary_head(const Summary *summary, int layer, int head);

#endif
