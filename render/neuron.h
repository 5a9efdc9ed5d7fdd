/* Neuron view: one query against all keys, dimension by dimension: q, each k, their element-wise
 * product, its sum, and the weight after softmax.
 *
 *     Neuron neuron = {.query = q, .keys = k, .weights = row, .tokens = tokens, .index = 3};
 *     neuron_draw(figure, &neuron, &options, &error);
 *
 * Picks: query = index, key = row; series -1.
 */
#ifndef RENDER_NEURON_H
#define RENDER_NEURON_H

#include "render/chart.h"

typedef struct Neuron {
    Tensor query;     // [d_head]
    Tensor keys;      // [key, d_head]
    Tensor weights;   // [key] after softmax; not a number: masked
    double scale;     /* of the score: sum * scale (+ bias); 1/sqrt(d_head) as a rule */
    Tensor scores;    // [key] as the model has them; no data: sum * scale
    ChartAxis tokens; /* the keys */
    Str query_token;
    const char *query_title; /* what the query is; NULL: "query" */
    int index;               /* of the query */
    const char *id;          /* "L5H3" */
} Neuron;

bool neuron_draw(Figure *figure, const Neuron *neuron, const ChartOptions *options, Error *error);

#endif
