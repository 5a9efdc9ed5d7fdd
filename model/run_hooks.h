/* The one line that the forward pass says at each of its sites (hooks.h has the table of them):
 *
 *     x = hook(run, &(HookPoint){.site = SITE_RESID_PRE, .stack = STACK_DECODER, .layer = 2}, x);
 *
 * hook() returns an edited copy if an edit names the place, else x itself, and records what it
 * returns into the trace if it is wanted there. On a tape it is an identity, so the gradient at
 * any site is the gradient of what it returned.
 */
#ifndef MODEL_RUN_HOOKS_H
#define MODEL_RUN_HOOKS_H

#include "model/run.h"

Tensor hook(Run *run, const HookPoint *at, Tensor x);
/* The two halves of hook(), for what is computed step by step: changes alone, recording alone. */
Tensor hook_edited(Run *run, const HookPoint *at, Tensor x);
void hook_record(Run *run, const HookPoint *at, Tensor x);
/* Does anything read or change this place? What is expensive to build is built only then. */
bool hook_wanted(const Run *run, const HookPoint *at);

#endif
