/* What the worker is given to do: opening a model, running it, drawing a view, writing a file. Each
 * job owns all it reads, so the window may change meanwhile. */
#ifndef APP_WINDOW_JOBS_H
#define APP_WINDOW_JOBS_H

#include "app/window/window.h"

void job_load(Window *window, const char *name); /* NULL: the shipped model */
/* Runs the model, then draws the view; the picture comes with the run. */
void job_run(Window *window);
void job_draw(Window *window);
void job_export(Window *window, const char *path);
void job_values(Window *window, const char *hook);
void job_scan(Window *window); /* looks for models */

/* The state that draws what is in sight, for the command line and for files. */
void job_state(const Window *window, State *out);

#endif
