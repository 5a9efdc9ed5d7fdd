/* Changes to the forward pass: a head switched off or scaled, a weight set.
 *
 *     edit_set_factor(window, head, 0);
 *     edit_set_weight(window, cell, 1);
 */
#ifndef APP_WINDOW_EDITS_H
#define APP_WINDOW_EDITS_H

#include "app/window/window.h"

bool edit_head_factor(const Window *window, Place head, double *factor); /* false: none set */
void edit_set_factor(Window *window, Place head, double factor);         /* 1 takes the edit away */
void edit_set_weight(Window *window, Place cell, double weight);
void edit_clear(Window *window);

#endif
