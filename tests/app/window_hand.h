/* A hand at the window of a test: opens it on the tiny model, types, presses keys, runs commands,
 * clicks on what the figure shows, and waits each time until the picture has come.
 *
 *     Window *w = open_tiny(900, 600, "the cat sat");
 *     type(w, " on");
 *     act(w, "ablate");
 *     window_close(w);
 */
#ifndef TESTS_APP_WINDOW_HAND_H
#define TESTS_APP_WINDOW_HAND_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "app/window/actions.h"
#include "app/window/window.h"

#define TINY "tests/data/tiny"
enum { LIMIT_MS = 60000 };

static inline Window *open_tiny(int width, int height, const char *text) {
    Error error = {0};
    WindowOptions options = {
        .model = TINY, .text = text, .width = width, .height = height, .fresh = true};
    Window *w = window_open(&options, &error);
    assert_string_equal(error.message, "");
    assert_non_null(w);
    assert_true(window_settle(w, LIMIT_MS));
    return w;
}

/* How many colours differ from the window's ground within the picture. */
static inline int inked(const Window *w) {
    const Picture *p = &w->picture;
    int n = 0;
    uint32_t ground = 0xff000000u | w->ui.theme->background >> 8;
    for (int i = 0; i < p->width * p->height; i++)
        n += p->pixels[i] != ground;
    return n;
}

/* In pieces as long as an event takes; letters of more bytes than one must fit whole. */
static inline void type(Window *w, const char *text) {
    SDL_Event event = {.type = SDL_TEXTINPUT};
    for (size_t n; *text; text += n) {
        n = strlen(text);
        if (n >= sizeof event.text.text) n = sizeof event.text.text - 1;
        memcpy(event.text.text, text, n);
        event.text.text[n] = 0;
        SDL_PushEvent(&event);
    }
    assert_true(window_settle(w, LIMIT_MS));
}

static inline void key(Window *w, SDL_Keycode sym, Uint16 mod) {
    SDL_Event event = {.type = SDL_KEYDOWN};
    event.key.keysym.sym = sym;
    event.key.keysym.mod = mod;
    SDL_PushEvent(&event);
    assert_true(window_settle(w, LIMIT_MS));
}

static inline void act(Window *w, const char *name) {
    assert_true(action_run(w, name));
    assert_true(window_settle(w, LIMIT_MS));
}

/* A click in the middle of what the figure has for a pick. */
static inline void click(Window *w, FigurePick pick, int times) {
    FigureBox box;
    assert_true(figure_find(w->shown->figure, pick, &box));
    const Picture *p = &w->picture;
    double f = p->zoom / (p->laid_zoom > 0 ? p->laid_zoom : 1), s = window_scale(w);
    SDL_Event event = {.type = SDL_MOUSEBUTTONDOWN};
    event.button.button = SDL_BUTTON_LEFT;
    event.button.clicks = (Uint8)times;
    event.button.x = (int)((p->area.x + p->x + (box.x + box.w / 2) * f) * s);
    event.button.y = (int)((p->area.y + p->y + (box.y + box.h / 2) * f) * s);
    SDL_PushEvent(&event);
    event.type = SDL_MOUSEBUTTONUP;
    SDL_PushEvent(&event);
    assert_true(window_settle(w, LIMIT_MS));
}

#endif
