/* SDL's events as the input of one frame. */
#ifndef APP_WINDOW_EVENTS_H
#define APP_WINDOW_EVENTS_H

#include "app/window/window.h"

/* True when a frame has to be drawn. */
bool events_take(Window *window, const SDL_Event *event);

#endif
