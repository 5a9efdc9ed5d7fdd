/* Training on the same forward pass that everything else uses (Vaswani et al. 2017, section 5).
 *
 *     Trainer *t = trainer_new(&recipe, &error);
 *     trainer_init_from(t, "DIR", &error)      or  trainer_resume(t, "DIR/checkpoint.safetensors",
 * &error) StepReport report; trainer_step(t, batch, &report, &error); trainer_save(t,
 * "DIR/checkpoint.safetensors", &error);      everything a resumed run needs trainer_export(t,
 * "DIR/model.safetensors", &error);         the weights alone, F16 trainer_free(t);
 *
 * A batch is split among the recipe's threads, each with a gradient of its own and BLAS on one
 * thread; the sum is taken in a fixed order. Same seed and same number of threads: same bytes.
 */
#ifndef MODEL_TRAINER_H
#define MODEL_TRAINER_H

#include "model/corpus.h"
#include "model/loader.h"

typedef struct StepReport {
    int step;    /* that was just made, from 1 */
    double loss; /* a token, smoothed as it is minimised */
    double nll;  /* a token, -log p of the target */
    double gradient_norm, learning_rate;
    int64_t n_target_tokens;
} StepReport;

typedef struct Trainer Trainer;

/* Weights are drawn from the recipe's seed. NULL on failure. */
Trainer *trainer_new(const Recipe *recipe, Error *error);
void trainer_free(Trainer *trainer); /* NULL is fine */
/* Weights of a model folder in place of random ones; moments stay 0 and the schedule starts anew.
 */
bool trainer_init_from(Trainer *trainer, const char *folder, Error *error);

bool trainer_step(Trainer *trainer, CorpusBatch batch, StepReport *report, Error *error);
/* Loss a token without dropout; nothing changes. averaged: with the running mean of the weights. */
bool trainer_evaluate(Trainer *trainer, const Corpus *dev, bool averaged, double *nll,
                      Error *error);

/* Where the next batch is: kept in the checkpoint for the caller. */
typedef struct TrainPlace {
    int step, pass, batch;
} TrainPlace;
TrainPlace *trainer_place(Trainer *trainer);

/* Ids that both sides of an example may hold are below this. */
int trainer_n_vocab(const Trainer *trainer);

bool trainer_save(Trainer *trainer, const char *path, Error *error);
bool trainer_resume(Trainer *trainer, const char *path, Error *error);
/* The running mean of the weights if the recipe keeps one, else the weights. */
bool trainer_export(Trainer *trainer, const char *path, Error *error);

/* For tests: the parameters and the gradient of the last step, in one array each. */
const Parameters *trainer_parameters(const Trainer *trainer);
const float *trainer_gradient(const Trainer *trainer);

#endif
