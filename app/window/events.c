#include "app/window/events.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "app/window/input.h"
#include "app/window/parts.h"
#include "app/window/picture.h"

static void read_modifiers(UiInput *in, SDL_Keymod mod) {
    in->shift = (mod & KMOD_SHIFT) != 0;
    in->ctrl = (mod & (KMOD_CTRL | KMOD_GUI)) != 0;
    /* AltGr writes letters on many keyboards: it is no Alt. */
    in->alt = (mod & KMOD_LALT) != 0;
}

static UiEvent *add(UiInput *in, UiEventKind kind) {
    if (in->n_events == UI_MAX_EVENTS) return NULL;
    UiEvent *e = &in->events[in->n_events++];
    *e = (UiEvent){.kind = kind, .shift = in->shift, .ctrl = in->ctrl, .alt = in->alt};
    return e;
}

static void take_key(Window *w, const SDL_KeyboardEvent *key) {
    UiInput *in = &w->ui.in;
    read_modifiers(in, (SDL_Keymod)key->keysym.mod);
    UiEvent *e = add(in, UI_KEY);
    if (!e) return;
    e->key = key->keysym.sym;
    e->repeat = key->repeat != 0;
}

/* Letters typed with Ctrl or Alt are commands, not text. */
static void take_text(Window *w, const char *text) {
    UiInput *in = &w->ui.in;
    /* As they were with this letter: SDL_GetModState() is already that of the keys after it. */
    if (in->ctrl || in->alt) return;
    for (size_t n = strlen(text); n > 0;) {
        UiEvent *e = add(in, UI_TEXT);
        if (!e) return;
        size_t part = n < sizeof e->text - 1 ? n : sizeof e->text - 1;
        while (part < n && part > 0 && ((unsigned char)text[part] & 0xc0) == 0x80)
            part--;
        memcpy(e->text, text, part);
        text += part;
        n -= part;
    }
}

static void take_composition(Window *w, const char *text, int caret) {
    UiEvent *e = add(&w->ui.in, UI_COMPOSE);
    if (!e) return;
    snprintf(e->text, sizeof e->text, "%s", text);
    e->caret = caret;
}

static void move_to(Window *w, double x, double y) {
    int window_w, pixel_w;
    SDL_GetWindowSize(w->sdl, &window_w, NULL);
    SDL_GetWindowSizeInPixels(w->sdl, &pixel_w, NULL);
    double factor = (window_w > 0 ? (double)pixel_w / window_w : 1) / window_scale(w);
    w->ui.in.x = x * factor;
    w->ui.in.y = y * factor;
    w->ui.in.moved = true;
}

static void take_button(Window *w, const SDL_MouseButtonEvent *b) {
    UiInput *in = &w->ui.in;
    read_modifiers(in, SDL_GetModState());
    move_to(w, b->x, b->y);
    bool down = b->type == SDL_MOUSEBUTTONDOWN;
    if (b->button == SDL_BUTTON_RIGHT && down) in->right_pressed = true;
    if (b->button != SDL_BUTTON_LEFT && b->button != SDL_BUTTON_MIDDLE) return;
    in->clicks = b->clicks;
    in->down = down;
    in->pressed = in->pressed || down;
    in->released = in->released || !down;
    /* While a drag goes on the pointer may leave the window. */
    SDL_CaptureMouse(down ? SDL_TRUE : SDL_FALSE);
}

static bool take_window(Window *w, const SDL_WindowEvent *e) {
    switch (e->event) {
    case SDL_WINDOWEVENT_LEAVE:
        if (!w->ui.in.down) w->ui.in.x = w->ui.in.y = -1e6;
        return true;
    case SDL_WINDOWEVENT_FOCUS_LOST:
        w->ui.in.shift = w->ui.in.ctrl = w->ui.in.alt = false;
        return false;
    case SDL_WINDOWEVENT_MOVED:
    case SDL_WINDOWEVENT_CLOSE: /* SDL_QUIT follows */
        return false;
    default:
        return true;
    }
}

bool events_turns(const Window *w, const SDL_Event *event) {
    if (event->type != SDL_KEYDOWN) return false;
    SDL_Keycode key = event->key.keysym.sym;
    bool letter = key >= SDLK_SPACE && key < SDLK_DELETE;
    bool chord = event->key.keysym.mod & (KMOD_CTRL | KMOD_GUI | KMOD_LALT);
    if (!w->ui.text_wanted) return true; /* the picture's commands are one after the other */
    return letter ? chord
                  : chord || key == SDLK_ESCAPE || key == SDLK_TAB || key == SDLK_RETURN ||
                        key == SDLK_KP_ENTER || (key >= SDLK_F1 && key <= SDLK_F12);
}

bool events_turn_next(const Window *w) {
    SDL_Event next;
    SDL_PumpEvents();
    return SDL_PeepEvents(&next, 1, SDL_PEEKEVENT, SDL_KEYDOWN, SDL_KEYDOWN) > 0 &&
           events_turns(w, &next);
}

/* While a display hands over many keys at once, letters right behind the key that gives a field the
 * focus are letters already; the frame switches this off again where no field wants them. */
int events_watch(void *context, SDL_Event *event) {
    (void)context;
    bool may_focus = event->type == SDL_MOUSEBUTTONDOWN;
    if (event->type == SDL_KEYDOWN) {
        SDL_Keycode key = event->key.keysym.sym;
        may_focus = (event->key.keysym.mod & (KMOD_CTRL | KMOD_GUI | KMOD_LALT)) ||
                    key == SDLK_TAB || key == SDLK_RETURN || key == SDLK_SPACE ||
                    (key >= SDLK_F1 && key <= SDLK_F12);
        may_focus = may_focus && key != SDLK_LCTRL && key != SDLK_RCTRL && key != SDLK_LALT;
    }
    if (may_focus && !SDL_IsTextInputActive()) SDL_StartTextInput();
    return 1;
}

bool events_take(Window *w, const SDL_Event *event) {
    UiInput *in = &w->ui.in;
    switch (event->type) {
    case SDL_QUIT:
        w->quit = true;
        return false;
    case SDL_WINDOWEVENT:
        return take_window(w, &event->window);
    case SDL_KEYDOWN:
        take_key(w, &event->key);
        return true;
    case SDL_KEYUP:
        read_modifiers(in, (SDL_Keymod)event->key.keysym.mod);
        return false;
    case SDL_TEXTINPUT:
        take_text(w, event->text.text);
        return true;
    case SDL_TEXTEDITING:
        take_composition(w, event->edit.text, event->edit.start);
        return true;
    case SDL_TEXTEDITING_EXT:
        if (event->editExt.text) {
            take_composition(w, event->editExt.text, event->editExt.start);
            SDL_free(event->editExt.text);
        }
        return true;
    case SDL_MOUSEMOTION:
        if (w->unattended) return false;
        move_to(w, event->motion.x, event->motion.y);
        return true;
    case SDL_MOUSEBUTTONDOWN:
    case SDL_MOUSEBUTTONUP:
        take_button(w, &event->button);
        return true;
    case SDL_MOUSEWHEEL:
        read_modifiers(in, SDL_GetModState());
        in->wheel_x += (double)event->wheel.preciseX;
        in->wheel_y += (double)event->wheel.preciseY;
        return true;
    case SDL_MULTIGESTURE:
        if (fabs((double)event->mgesture.dDist) > 0.001)
            picture_zoom(w, 1 + 3 * (double)event->mgesture.dDist,
                         (double)event->mgesture.x * w->width,
                         (double)event->mgesture.y * w->height);
        return true;
    case SDL_DROPFILE:
        window_open_path(w, event->drop.file);
        SDL_free(event->drop.file);
        return true;
    case SDL_DROPTEXT:
        input_set_text(w, event->drop.file, NULL);
        SDL_free(event->drop.file);
        return true;
    case SDL_RENDER_TARGETS_RESET:
        return true;
    default:
        /* What the worker has done is seen by the loop; how far it is, only once that is shown. */
        return event->type == w->wake_event && picture_shows_progress(w);
    }
}
