/* Running text, each token shaded by a weight: what one chosen token attends to. Wraps, runs from
 * right to left where the text does; with a second sentence above, the chosen token stands there.
 *
 *     Sentence sentence = {.matrix = head, .queries = target, .keys = source, .query = 3};
 *     sentence_draw(figure, &sentence, &options, &error);
 */
#ifndef RENDER_SENTENCE_H
#define RENDER_SENTENCE_H

#include "render/chart.h"

typedef struct Sentence {
    ChartMatrix matrix;
    ChartAxis queries, keys;
    int query;      /* whose row is shown */
    bool same_text; /* queries are the keys' own text: drawn once, the chosen token outlined */
    bool numbers;   /* the weight under each token */
} Sentence;

bool sentence_draw(Figure *figure, const Sentence *sentence, const ChartOptions *options,
                   Error *error);

#endif
