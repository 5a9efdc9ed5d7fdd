/* What every part of the window asks of it: the time, the scale, a line at the bottom, and what is
 * open, shown and chosen. Nothing here gives the worker work. */
#include "app/window/window.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

double window_now_ms(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec * 1e-6;
}

double window_scale(const Window *w) {
    double projector = w->ui.theme->kind == THEME_PROJECTOR ? 1.25 : 1;
    return w->dpi_scale * w->user_scale * projector;
}

void window_notice(Window *w, bool bad, const char *format, ...) {
    va_list list;
    va_start(list, format);
    vsnprintf(w->notice, sizeof w->notice, format, list);
    va_end(list);
    w->notice_bad = bad;
    w->notice_stays = false;
    w->notice_until_ms = bad ? 0 : window_now_ms() + 8000;
    w->ui.again = true;
}

void window_apply_theme(Window *w) {
    const Theme *theme = shown_theme(&w->state);
    if (w->ui.theme != theme) w->picture.dirty = true;
    w->ui.theme = theme;
}

bool window_busy(const Window *w) {
    return !worker_idle(w->worker);
}

bool window_narrow(const Window *w) {
    return w->width < 1100;
}

void window_wake(void *window) {
    Window *w = window;
    SDL_Event event = {.type = w->wake_event};
    SDL_PushEvent(&event);
}

const Model *window_model(const Window *w) {
    return w->loaded ? w->loaded->subject->model : NULL;
}

const View *window_view(const Window *w) {
    const View *view = w->state.view ? view_find(w->state.view) : NULL;
    return view ? view : &views[0];
}

bool window_words(const Window *w) {
    const char *name = window_view(w)->name;
    if (w->state.units) return strcmp(w->state.units, "words") == 0;
    return strcmp(name, "cross") == 0 || strcmp(name, "arcs") == 0 || strcmp(name, "sentence") == 0;
}

static void find_fitting(Window *w) {
    Remembered *kept = &w->kept;
    ViewInput input = shown_input(w->loaded, w->pass, &w->state);
    input.live = true;
    for (int i = 0; views[i].name && i < 32; i++) {
        Error error = {0};
        kept->reasons[i][0] = 0;
        if (!view_fits(&views[i], &input, &error))
            snprintf(kept->reasons[i], sizeof kept->reasons[i], "%.250s", error.message);
    }
    kept->fits_pass = w->pass;
    kept->fits_shown = w->shown;
    kept->fits_loaded = w->loaded;
}

bool window_view_fits(Window *w, const View *view, char reason[256]) {
    reason[0] = 0;
    if (!w->pass && !w->loaded) return true; /* not known yet */
    const Remembered *kept = &w->kept;
    if (kept->fits_pass != w->pass || kept->fits_shown != w->shown ||
        kept->fits_loaded != w->loaded)
        find_fitting(w);
    if (view - views < 32) memcpy(reason, kept->reasons[view - views], 256);
    return reason[0] == 0;
}

Place window_head(const Window *w) {
    if (!w->shown) return place_none();
    Place p = w->shown->head, s = w->state.selection;
    /* Among several heads the locked one is meant. */
    if (w->state.locked && s.layer >= 0 && s.head >= 0 && place_same_attention(&s, &p) &&
        (p.layer < 0 || p.head < 0)) {
        p.layer = s.layer;
        p.head = s.head;
    }
    return p;
}

Place window_selected(const Window *w) {
    if (!place_is_open(&w->hover)) return w->hover;
    if (w->state.locked) return w->state.selection;
    if (w->state.step >= 0) {
        Place p = window_head(w);
        p.query = w->state.step;
        bool decodes = p.stack == STACK_DECODER || p.cross || p.stack == STACK_BLOCKS;
        return decodes ? p : place_none();
    }
    return place_none();
}

void window_remember(Window *w) {
    State quiet;
    state_init(&quiet);
    state_copy(&quiet, &w->state);
    state_unselect(&quiet);
    char *text = state_text(&quiet);
    /* While someone types, the letters are the field's to undo. */
    bool typing = w->ui.focus == ui_id("source", 0) || w->ui.focus == ui_id("target", 0) ||
                  w->ui.focus == ui_id("pair", 0);
    if (typing)
        history_touch(w->history, text);
    else
        history_push(w->history, text);
    free(text);
    state_free(&quiet);
}
