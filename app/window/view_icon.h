/* A small drawing for each view, where there is no room for its name. */
#ifndef APP_WINDOW_VIEW_ICON_H
#define APP_WINDOW_VIEW_ICON_H

#include "app/window/ui.h"

void view_icon(Ui *ui, const char *view, Box box, Color color);

#endif
