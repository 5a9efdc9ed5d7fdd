/* SDL's events as the input of one frame. */
#ifndef APP_WINDOW_EVENTS_H
#define APP_WINDOW_EVENTS_H

#include "app/window/window.h"

/* True when a frame has to be drawn. */
bool events_take(Window *window, const SDL_Event *event);
/* A key that may give the focus to something else: what comes after it belongs to a later frame. */
bool events_turns(const Window *window, const SDL_Event *event);
bool events_turn_next(const Window *window);       /* is the next key of the queue such a one? */
int events_watch(void *context, SDL_Event *event); /* for SDL_AddEventWatch */

#endif
