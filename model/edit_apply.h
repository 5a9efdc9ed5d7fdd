/* Edits at work: an activation goes in, what the edits of its place make of it comes out.
 *
 *     x = edits_apply(run->edits, at, x, run->arena, run->tape, &run->undone);
 *
 * Scaling and ablating take the heads named and leave masked scores masked; a patch copies the
 * donor's positions, those that this slice of the pass has; a set writes one weight of a pattern
 * and scales the others of its row so that it sums to 1 again.
 */
#ifndef MODEL_EDIT_APPLY_H
#define MODEL_EDIT_APPLY_H

#include "model/edit.h"
#include "model/tape.h"

/* Does one of them name this place? NULL: none does. */
bool edits_touch(const Edits *edits, const HookPoint *at);
/* x itself where no edit names the place, else an edited copy in the arena. With a tape the copy
 * has a gradient, and its backward is appended. edits are borrowed until the tape has been walked.
 * *undone becomes an edit that cannot be done: a set where no other key of the row has any weight.
 */
Tensor edits_apply(const Edits *edits, const HookPoint *at, Tensor x, Arena *arena, Tape *tape,
                   const Edit **undone);

#endif
