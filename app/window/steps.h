/* The steps of what was written: which is in sight, and other candidates than the model's own.
 *
 *     steps_go(window, steps_at(window) + 1);
 *     steps_choose(window, step, id);           and the model goes on from there
 */
#ifndef APP_WINDOW_STEPS_H
#define APP_WINDOW_STEPS_H

#include "app/window/window.h"

int steps_n(const Window *window);
int steps_at(const Window *window); /* in sight: the step, else the locked decoder word, the last */
/* Is the place's query there by the step that is shown? */
bool steps_reached(const Window *window, const Place *place);
void steps_go(Window *window, int step);
void steps_play(Window *window, bool play);
void steps_choose(Window *window, int step, int32_t id);

#endif
