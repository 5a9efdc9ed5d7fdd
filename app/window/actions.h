/* The named commands of the window: one table for keys, menus, the palette, tests and lessons.
 *
 *     action_run(window, "view.heatmap");
 *     actions_keys(window);                   the keys of this frame
 */
#ifndef APP_WINDOW_ACTIONS_H
#define APP_WINDOW_ACTIONS_H

#include "app/window/window.h"

typedef enum ActionWhere {
    ACTION_ANYWHERE, /* whatever has the focus */
    ACTION_PICTURE,  /* only while no text field has it */
} ActionWhere;

typedef struct Action {
    const char *name;  /* "layer.next"; NULL ends the table */
    const char *title; /* "Next layer", in the palette and the help */
    const char *group; /* heading in the help */
    ActionWhere where;
    SDL_Keycode key; /* 0: none */
    bool ctrl, shift, alt;
    void (*run)(Window *window, int argument);
    int argument;
    bool (*enabled)(const Window *window); /* NULL: always */
} Action;
extern const Action actions[];

const Action *action_find(const char *name);
bool action_enabled(const Window *window, const Action *action);
/* False if there is no such action or it is not possible now. */
bool action_run(Window *window, const char *name);
/* "Ctrl+Shift+E"; empty when it has none. */
const char *action_keys(const Action *action, char buffer[48]);

/* Keys that are the same everywhere, before the widgets see them. */
void actions_keys(Window *window);
/* Those of the picture, after the widgets had their turn. */
void actions_late_keys(Window *window);

#endif
