#include "app/window/session.h"

#include <stdio.h>
#include <string.h>

enum { MOMENT_MS = 2000 };

/* Takes over what is kept; false: nothing has changed. */
static bool take(Window *w) {
    Settings *s = &w->settings;
    int width = s->width, height = s->height;
    if (!w->full_screen) {
        SDL_GetWindowSize(w->sdl, &width, &height);
        width = (int)(width / w->user_scale);
        height = (int)(height / w->user_scale);
    }
    json_t *state = state_json(&w->state);
    bool same = width == s->width && height == s->height && w->user_scale == s->scale &&
                strcmp(s->theme, w->ui.theme->name) == 0 && json_equal(s->state, state);
    s->width = width;
    s->height = height;
    s->scale = w->user_scale;
    snprintf(s->theme, sizeof s->theme, "%s", w->ui.theme->name);
    json_decref(s->state);
    s->state = state;
    return !same;
}

static bool has_place(const Window *w) {
    return w->settings.path[0] && w->sdl;
}

void session_touch(Window *w) {
    if (has_place(w) && w->keep_at_ms == 0) w->keep_at_ms = window_now_ms() + MOMENT_MS;
}

void session_due(Window *w) {
    if (w->keep_at_ms == 0 || window_now_ms() < w->keep_at_ms) return;
    w->keep_at_ms = 0;
    Error unsaid = {0}; /* closing tries again, and says it */
    if (take(w)) settings_save(&w->settings, &unsaid);
}

void session_close(Window *w) {
    if (!has_place(w)) return;
    take(w);
    if (w->state.text) settings_recent(w->settings.sentences, w->state.text);
    Error error = {0};
    if (!settings_save(&w->settings, &error))
        fprintf(stderr, "attnscope: the session was not kept: %s\n", error.message);
}
