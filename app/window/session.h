/* The session on disk: what the window shows when it is opened again. It is written when the window
 * closes and, so that a crash costs little, a moment after something was drawn, if anything
 * changed.
 *
 *     session_touch(w);     after a frame
 *     session_due(w);       in the loop; w->keep_at_ms is when it has something to do, 0: never
 */
#ifndef APP_WINDOW_SESSION_H
#define APP_WINDOW_SESSION_H

#include "app/window/window.h"

void session_touch(Window *w);
void session_due(Window *w);
/* At the end: the sentence joins the recent ones, and what goes wrong is said on stderr. */
void session_close(Window *w);

#endif
