/* Loss of a few examples, and its gradient by the parameters: forward over the packed rows,
 * backward over the tape. One call is one micro-batch of one thread. */
#ifndef MODEL_TRAINER_LOSS_H
#define MODEL_TRAINER_LOSS_H

#include "model/corpus.h"
#include "model/model.h"

typedef struct LossJob {
    const Model *model;
    const Example *examples; // [n]
    int n;
    float smoothing, dropout;
    uint32_t seed;       /* of the dropout masks */
    float weight;        /* of a token's loss in the gradient */
    const float *params; /* NULL: the loss alone */
    float *grads;        // [n_params], added to
    int64_t n_params;
} LossJob;

typedef struct LossSum {
    double loss, nll; /* over tokens */
} LossSum;

/* Adds to sum; the arena is cleared. */
void loss_run(const LossJob *job, Arena *arena, LossSum *sum);

#endif
