/* The display: whether there is one, how large the window is on it, and its scale. */
#include <stdlib.h>
#include <string.h>

#include "app/window/events.h"
#include "app/window/window.h"

/* On X11 the desktop's scale is Xft.dpi, which SDL reports as the display's dpi; what a display
 * says of its own size in millimetres is often wrong, so only plain factors are believed. */
static double desktop_scale(SDL_Window *sdl) {
    const char *forced = getenv("GDK_SCALE");
    if (forced && atof(forced) >= 1 && atof(forced) <= 4) return atof(forced);
    int window_w, pixel_w;
    SDL_GetWindowSize(sdl, &window_w, NULL);
    SDL_GetWindowSizeInPixels(sdl, &pixel_w, NULL);
    return window_w > 0 && pixel_w > window_w ? (double)pixel_w / window_w : 1;
}

static bool is_asked_for(const char *variable) {
    const char *value = SDL_getenv(variable);
    return value && *value;
}

/* Looked at before SDL does, whose libraries would speak up on their own. */
static bool has_display(void) {
#ifdef __APPLE__
    return true;
#else
    return is_asked_for("DISPLAY") || is_asked_for("WAYLAND_DISPLAY") ||
           is_asked_for("SDL_VIDEODRIVER");
#endif
}

/* SDL's last resorts have no screen: nobody would see that window, unless it was asked for. */
static bool is_seen(const char *driver) {
    static const char *const unseen[] = {"offscreen", "dummy", "evdev"};
    for (size_t i = 0; driver && i < sizeof unseen / sizeof *unseen; i++)
        if (strcmp(driver, unseen[i]) == 0) return is_asked_for("SDL_VIDEODRIVER");
    return driver != NULL;
}

bool window_open_display(Window *w, const WindowOptions *options, Error *error) {
    SDL_SetHint(SDL_HINT_VIDEO_X11_NET_WM_BYPASS_COMPOSITOR, "0");
    SDL_SetHint(SDL_HINT_IME_SHOW_UI, "1");
    SDL_SetHint(SDL_HINT_MOUSE_FOCUS_CLICKTHROUGH, "1");
    SDL_SetHint(SDL_HINT_VIDEO_ALLOW_SCREENSAVER, "1");
    SDL_SetHint(SDL_HINT_APP_NAME, "attnscope");
    SDL_SetHint(SDL_HINT_NO_SIGNAL_HANDLERS, "1");
    if (!has_display())
        return error_set(error, ERROR_IO,
                         "no window can be opened here: there is no display (DISPLAY and "
                         "WAYLAND_DISPLAY); without one use for example: attnscope figure cross "
                         "-o cross.png");
    bool started = SDL_Init(SDL_INIT_VIDEO) == 0;
    if (!started || !is_seen(SDL_GetCurrentVideoDriver()))
        return error_set(error, ERROR_IO,
                         "no window can be opened here: %s; without a display use for example: "
                         "attnscope figure cross -o cross.png",
                         started ? "the display cannot be reached" : SDL_GetError());
    /* The window is drawn by us, pixel by pixel: a way through OpenGL would only copy it once more,
     * and without a GPU that copy is dear. */
    if (strcmp(SDL_GetCurrentVideoDriver(), "x11") == 0)
        SDL_SetHint(SDL_HINT_FRAMEBUFFER_ACCELERATION, "0");
    w->wake_event = SDL_RegisterEvents(1);
    double scale = w->user_scale;
    int width = options->width      ? options->width
                : w->settings.width ? (int)(w->settings.width * scale)
                                    : (int)(1440 * scale);
    int height = options->height      ? options->height
                 : w->settings.height ? (int)(w->settings.height * scale)
                                      : (int)(900 * scale);
    SDL_Rect usable;
    if (!options->width && SDL_GetDisplayUsableBounds(0, &usable) == 0) {
        width = width > usable.w ? usable.w : width;
        height = height > usable.h ? usable.h : height;
    }
    w->sdl = SDL_CreateWindow("attnscope", SDL_WINDOWPOS_CENTERED, SDL_WINDOWPOS_CENTERED, width,
                              height, SDL_WINDOW_RESIZABLE | SDL_WINDOW_ALLOW_HIGHDPI);
    if (!w->sdl)
        return error_set(error, ERROR_IO, "no window can be opened here: %s", SDL_GetError());
    SDL_SetWindowMinimumSize(w->sdl, 480, 360);
    w->dpi_scale = desktop_scale(w->sdl);
    SDL_EventState(SDL_DROPFILE, SDL_ENABLE);
    SDL_AddEventWatch(events_watch, NULL);
    SDL_StopTextInput();
    return true;
}
