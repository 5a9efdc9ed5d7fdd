/* What comes before the first stack where it reads no tokens: patches of a picture, or sound.
 *
 *     if (!front_check(model, features, &error)) ...
 *     rows.embedded = front_embed(run, features);                  // [front_n_tokens, d_model]
 *
 * A picture is [channel, y, x], already resized and normalised; it is cut into squares, each a
 * token by one matrix, behind the class token (Dosovitskiy et al. 2021, equation 1; with a
 * distillation token: Touvron et al. 2021). Sound is a log-mel spectrogram [mel, frame] under two
 * convolutions of width 3, the second of stride 2, each with GELU (Radford et al. 2023,
 * section 2.2).
 */
#ifndef MODEL_FRONT_H
#define MODEL_FRONT_H

#include "model/run.h"

int front_n_tokens(const Model *model);
/* Is that a picture (or a sound) of the size that this model reads? */
bool front_check(const Model *model, Tensor features, Error *error);
/* [token, d_model], without positions; in the run's arena. */
Tensor front_embed(Run *run, Tensor features);
/* Labels: [CLS], then "y,x" of each patch; or the second at which each piece of sound begins. */
Tokens front_tokens(const Model *model, Arena *arena);
/* Patches from left to right and from top to bottom; 0 where there are none. */
int front_grid(const Model *model);

#endif
