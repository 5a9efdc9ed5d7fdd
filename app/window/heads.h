/* Which heads are in sight.
 *
 *     heads_go(window, head);                   this one alone
 *     heads_toggle(window, head, false);        with the others, or no longer
 */
#ifndef APP_WINDOW_HEADS_H
#define APP_WINDOW_HEADS_H

#include "app/window/window.h"

void heads_go(Window *window, Place head); /* layer or head -1: as it is */
void heads_toggle(Window *window, Place head, bool alone);
bool heads_shown(const Window *window, Place head);

#endif
