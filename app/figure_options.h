/* The options of `attnscope figure`, and the state that they say. */
#ifndef APP_FIGURE_OPTIONS_H
#define APP_FIGURE_OPTIONS_H

#include "app/options.h"
#include "app/state.h"
#include "app/views.h"

extern const Option figure_options_what[];  /* which attention, layers, heads, tokens */
extern const Option figure_options_look[];  /* theme, size, titles */
extern const Option figure_options_files[]; /* spec, session, from, against, batch, output */

/* --spec and --session first, the other options on top. words: the view's name or NULL. */
bool figure_state_of(const Options *given, const char *kind, State *state, Error *error);

/* Says on the standard error which of the given options this kind of figure has no use for. */
void figure_note_idle(const Options *given, const View *view);

/* "84mm", "6in", "1200px", "400pt", "160x90mm": points; height 0 when it is free. */
bool figure_size_of(const char *text, double dpi, double *width_pt, double *height_pt,
                    Error *error);

#endif
