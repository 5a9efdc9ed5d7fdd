/* What the model wrote, token by token, with the probabilities it gave: from the captured logits.
 */
#ifndef APP_WINDOW_PASS_STEPS_H
#define APP_WINDOW_PASS_STEPS_H

#include "app/window/pass.h"

/* Fills steps, output, scores and answers of a pass whose trace is there. typed: the target as the
 * user wrote it, {NULL, 0}: none. */
void pass_steps_make(Pass *pass, const Subject *subject, Str typed, const char *to);

#endif
