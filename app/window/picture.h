/* How the figure lies in its area: zoom, the part in sight, and which of its places is focused.
 *
 *     picture_place(window, area);              before it is drawn there
 *     picture_zoom(window, 1.25, x, y);
 *     picture_placed(window);                   a new figure has come
 */
#ifndef APP_WINDOW_PICTURE_H
#define APP_WINDOW_PICTURE_H

#include "app/window/window.h"

void picture_place(Window *window, Box area);
void picture_placed(Window *window);
void picture_fit(Window *window);
void picture_zoom(Window *window, double factor, double x, double y); /* about a point, units */
void picture_pan(Window *window, double dx, double dy);
void picture_refocus(Window *window); /* the selection has changed */
/* The size that the next figure is to be laid out for, points. */
void picture_wanted(const Window *window, double *width, double *height);
double picture_factor(const Window *window); /* units a point, as it is drawn now */
UiId picture_id(void);

#endif
