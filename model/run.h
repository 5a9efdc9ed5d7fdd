/* One pass through a model: its memory, and who is listening. Everything the forward pass does not
 * compute from the weights and the input comes in here.
 *
 *     Arena *arena = arena_new();
 *     Run run = {.model = model, .arena = arena};
 *     Tensor hidden;
 *     forward_stack(&run, STACK_ENCODER, &rows, NULL, NULL, &hidden, &error);
 */
#ifndef MODEL_RUN_H
#define MODEL_RUN_H

#include "model/edit.h"
#include "model/tape.h"
#include "model/team.h"
#include "model/trace.h"

typedef struct Capture Capture; /* trace.c: which sites are recorded, and where to */

typedef struct Run {
    const Model *model;
    Arena *arena;     /* outputs and scratch; without a tape the forward pass resets it per layer */
    Tape *tape;       /* NULL: no gradients */
    Capture *capture; /* NULL: nothing is recorded */
    const Edits *edits; /* NULL: nothing is changed */
    const Edit *undone; /* one that could not be done: the pass fails (run_continues) */
    const HookPoint
        *logits_at; /* where the logits of a step of generation stand; NULL: from 0 on */
    float dropout;  /* training only; 0: none */
    uint32_t dropout_seed, dropout_calls; /* each call draws its own mask */
    Tensor first_h, first_c; // recurrent decoders: first state [row, layer, d], from the encoder
    Progress progress;
    Team *team; /* shares the large ops (ops_team); NULL: the caller alone, BLAS with its threads */
} Run;

/* A new tensor in the run's arena, with a zeroed gradient if there is a tape. Not cleared. */
Tensor run_tensor_shape(Run *run, int rank, const int64_t *shape);
#define run_tensor(run, rank, ...)                                                                 \
    run_tensor_shape(run, rank, (const int64_t[TENSOR_MAX_RANK]){__VA_ARGS__})

/* False, with the error set, when the user has cancelled or an edit could not be done. */
bool run_continues(const Run *run, Error *error);

#endif
