/* Draws views for files: one per thread, for it holds the fonts.
 *
 *     Drawer drawer;
 *     if (!drawer_open(&drawer, &state, &error)) ...
 *     Figure *figure = drawer_draw(&drawer, view, &input, &error);
 *     drawer_write(&drawer, view, &input, figure, "x.svg", &error);       picture or numbers
 *     figure_free(figure);
 *     drawer_close(&drawer);
 */
#ifndef APP_DRAWER_H
#define APP_DRAWER_H

#include "app/views.h"
#include "render/canvas.h"
#include "render/text.h"
#include "render/theme.h"

typedef struct Drawer {
    Text *text;
    Canvas *canvas;
    const Theme *theme;
} Drawer;

/* Fonts and theme of the state. A font that is not installed is an error that says so. */
bool drawer_open(Drawer *drawer, const State *state, Error *error);
void drawer_close(Drawer *drawer);
/* The size is the state's; NULL on failure. */
Figure *drawer_draw(const Drawer *drawer, const View *view, const ViewInput *input, Error *error);
/* By the ending: a picture with its spec, or the numbers (app/dataexport.h). */
bool drawer_write(const Drawer *drawer, const View *view, const ViewInput *input,
                  const Figure *figure, const char *path, Error *error);
/* Is this an ending that drawer_write knows? An error lists them. */
bool drawer_knows(const char *path, Error *error);

/* What draws this figure again, as JSON; heap, the caller frees. indented: for people. The state
 * should know its model's hash by then. */
char *drawer_spec(const ViewInput *input, bool indented);

#endif
