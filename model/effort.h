/* How long will it take? The multiply-adds of a run, and how many of them this machine does in a
 * second with this model's own weights, measured on one product. Said before a long run, and in the
 * refusal of one for which there is no room.
 *
 *     Effort effort = {.what = "a pass over 9,000 tokens", .n_bytes = n_bytes,
 *                      .seconds = asked ? effort_pass(model, n_source, n_target, false) : 0,
 *                      .advice = "a shorter text takes less"};
 *     if (!effort_allowed(&effort, &progress, &error)) ...
 */
#ifndef MODEL_EFFORT_H
#define MODEL_EFFORT_H

#include "model/trace.h"

typedef struct Effort {
    const char *what;
    int64_t n_bytes;
    double seconds;     /* as expected */
    const char *advice; /* what would take less */
} Effort;

/* Is anyone to hear of it? Only then measure. */
bool effort_asked(int64_t n_bytes, const Progress *progress);
/* Multiply-adds of a pass over so many tokens; n_target 0: one stack. */
double effort_multiply_adds(const Model *model, int64_t n_source, int64_t n_target);
/* Seconds of that pass, forwards or with its gradients; 0 where it is too short to ask. */
double effort_pass(const Model *model, int64_t n_source, int64_t n_target, bool gradient);
/* Seconds of one step of writing: n_rows hypotheses, each of which reads n_keys tokens. */
double effort_step(const Model *model, int n_rows, int64_t n_keys);
/* "40 s", "3 min", "2.5 h" */
const char *effort_text(double seconds, char buffer[32]);

/* False, with both said, where there is no room for it; progress->expect hears of a long one. */
bool effort_allowed(const Effort *effort, const Progress *progress, Error *error);

#endif
