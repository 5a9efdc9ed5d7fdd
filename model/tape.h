/* The record of a pass, walked backwards for gradients.
 *
 * Ops are eager. With a tape set in the Run, each op's output also has a gradient (Tensor.grad,
 * zeroed) and the op appends what its backward needs; tape_backward() calls them in reverse order,
 * and each adds to the gradients of its inputs. Without a tape nothing is kept.
 *
 *     Tape *tape = tape_new(arena);
 *     ... ops ...
 *     loss.grad[0] = 1;
 *     tape_backward(tape);
 *
 * Gradients of parameters: a tape may be told where the parameters lie (one array) and where their
 * gradients go (an array laid out alike); other weights get none.
 */
#ifndef MODEL_TAPE_H
#define MODEL_TAPE_H

#include "model/base/tensor.h"

typedef struct Tape Tape;
typedef void TapeBackward(const void *saved, Tape *tape);

Tape *tape_new(Arena *arena); /* lives in the arena, as does all it keeps */
void tape_params(Tape *tape, const float *params, float *grads, int64_t n);
/* Appends a node; returns n_bytes to fill with what `backward` will be given. */
void *tape_append(Tape *tape, TapeBackward *backward, size_t n_bytes);
/* Where the gradient of a parameter goes, NULL if it has none. */
float *tape_param_grad(const Tape *tape, const float *param);
/* Scratch for a backward function, reset when it returns. */
Arena *tape_scratch(Tape *tape);
void tape_backward(Tape *tape);

#endif
