/* A picture and what it was made from: by the worker, for the window to draw and to point at.
 *
 *     Shown *shown = shown_make(loaded, pass, &state, width, height, fonts);
 *     if (shown->figure) ...                    else shown->error says why not
 *     shown_free(shown);
 */
#ifndef APP_WINDOW_SHOWN_H
#define APP_WINDOW_SHOWN_H

#include "app/views.h"
#include "app/window/pass.h"

typedef struct Shown {
    Figure *figure; /* NULL: it could not be made, see error */
    ViewReport report;
    const View *view;
    double width, height; /* it was asked for, points */
    Place head; /* attention, layer and head that the picture is about; -1: several, or a mean */
    ErrorKind kind;
    char error[1024];
} Shown;

/* The view's picture as the state wants it. Never NULL. */
Shown *shown_make(const Loaded *loaded, const Pass *pass, const State *state, double width,
                  double height, Text *fonts);
void shown_free(Shown *shown); /* NULL is fine */

/* What a view is made from; loaded and pass may be NULL. */
ViewInput shown_input(const Loaded *loaded, const Pass *pass, const State *state);
const Theme *shown_theme(const State *state); /* light where it names none */

/* The state's text for layers or heads, where it names one; -1: none or several. */
int shown_index(const char *text);

#endif
