/* Which sites of a pass are recorded, and where to: the inside of a trace while it is being made.
 */
#ifndef MODEL_CAPTURE_H
#define MODEL_CAPTURE_H

#include "model/attention.h"
#include "model/run.h"

struct Capture {
    const char *const *sites; /* globs of names, ended by NULL; NULL: the default set */
    bool lazy;                /* patterns as q, k and log-sum-exp where nothing needs them stored */
    bool grads;               /* keep the returned tensors, to read their gradients later */
    Trace *trace;
    const float *placed; /* lies in the trace's arena already (capture_place) */
};

/* Is this site recorded? */
bool capture_wants(const Run *run, const HookPoint *at);
/* Where to compute what will be recorded at this site, so that no copy is needed: the trace's
 * arena; NULL where it is not recorded. The caller sets capture->placed to the tensor's data. */
Arena *capture_place(const Run *run, const HookPoint *at);
/* Records x: a copy of it, unless it was placed. */
void capture_put(const Run *run, const HookPoint *at, Tensor x);
/* Called before a row's attention: for a pattern that is kept lazily, records its recipe and
 * returns lse [head, query] to fill; else no data. */
Tensor capture_row_begin(const Run *run, const HookPoint *at, const AttentionRow *row);

#endif
