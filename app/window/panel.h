/* What lies over the window for a moment, one at a time, and the ground that all of them share.
 *
 *     panel_open(window, PANEL_HEADS);          the same again: closed
 *     int clicked = panel_list(window, box, &list);
 *     panel_close(window);                      the keys go to the picture
 */
#ifndef APP_WINDOW_PANEL_H
#define APP_WINDOW_PANEL_H

#include "app/window/window.h"

void panel_open(Window *window, Panel panel);
void panel_close(Window *window);
/* A list under a panel's field: arrows and pointer move window->chosen. Returns the row that was
 * clicked, or -1. draw_row: row `i` of the caller's `rows`. */
typedef struct PanelList {
    const char *name; /* of the widget */
    int n;
    double pitch; /* units */
    void (*draw_row)(Window *window, Box row, const void *rows, int i, bool chosen);
    const void *rows;
} PanelList;
int panel_list(Window *window, Box box, const PanelList *list);
bool panel_entered(Window *window); /* Return, on either keypad */

#endif
