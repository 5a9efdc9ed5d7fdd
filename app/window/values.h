/* The values of one hook as a picture: rows are positions, columns dimensions. */
#ifndef APP_WINDOW_VALUES_H
#define APP_WINDOW_VALUES_H

#include "app/window/shown.h"

/* NULL if the trace has no such tensor. */
Shown *values_make(const Trace *trace, const char *hook, const State *state, double width,
                   double height, Text *fonts, Error *error);

#endif
