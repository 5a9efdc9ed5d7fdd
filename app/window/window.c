/* Opening, the loop, and one frame: see window.h. */
#include "app/window/window.h"

#include <math.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "app/window/actions.h"
#include "app/window/events.h"
#include "app/window/jobs.h"
#include "app/window/screenshot.h"

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
    w->notice_until_ms = bad ? 0 : window_now_ms() + 8000;
    w->ui.again = true;
}

static void apply_theme(Window *w) {
    const Theme *theme = w->state.theme ? theme_find(str(w->state.theme)) : NULL;
    if (!theme) theme = theme_of(THEME_LIGHT);
    if (w->ui.theme != theme) w->picture.dirty = true;
    w->ui.theme = theme;
}

static void wake(void *context) {
    Window *w = context;
    SDL_Event event = {.type = w->wake_event};
    SDL_PushEvent(&event);
}

static void start_state(Window *w, const WindowOptions *options, Error *error) {
    state_init(&w->state);
    if (w->settings.state && !options->session && !options->model && !options->file) {
        Error broken = {0};
        if (!state_merge(&w->state, w->settings.state, "the last session", &broken))
            window_notice(w, true, "The last session was not taken up: %s", broken.message);
    }
    if (options->session && !session_read(&w->state, options->session, error)) return;
    if (options->model) state_put_text(&w->state.model, options->model);
    if (options->text) {
        state_put_text(&w->state.text, options->text);
        state_put_text(&w->state.target_text, NULL);
    }
    const char *theme = options->theme ? options->theme : w->settings.theme;
    if (theme && *theme) state_put_text(&w->state.theme, theme);
    w->view_unsaid = !w->state.view || !view_find(w->state.view);
    if (w->view_unsaid) state_put_text(&w->state.view, "cross");
    if (options->session) return;
    /* A selection of another day means nothing. */
    w->state.selection = place_none();
    w->state.locked = false;
}

Window *window_open(const WindowOptions *options, Error *error) {
    Window *w = calloc(1, sizeof *w);
    if (!w) abort();
    char note[1024] = "";
    if (options->fresh)
        w->settings.scale = 1;
    else
        settings_load(&w->settings, note, sizeof note);
    w->user_scale = options->scale > 0 ? options->scale : w->settings.scale;
    w->dpi_scale = 1;
    w->ui.theme = theme_of(THEME_LIGHT);
    w->hover = place_none();
    w->ui.in.x = w->ui.in.y = -1e6;
    w->history = history_new(200);
    w->target_own = true;
    state_init(&w->asked_run);
    state_init(&w->asked_draw);
    if (*note) window_notice(w, true, "%s", note);
    start_state(w, options, error);
    apply_theme(w);
    if (!error_ok(error) || !window_open_display(w, options, error)) {
        w->settings.path[0] = 0;
        window_close(w);
        return NULL;
    }
    w->worker_fonts = text_new(w->state.font);
    w->ui.canvas = canvas_new(NULL);
    w->ui.labels = labels_new(window_scale(w));
    w->worker = worker_new(wake, w);
    const char *no_fonts = labels_note(w->ui.labels);
    if (no_fonts) window_notice(w, true, "%s", no_fonts);
    if (options->screenshot) w->screenshot = strdup(options->screenshot);
    w->unattended = options->screenshot != NULL;
    window_fields_from_state(w);
    picture_fit(w);
    ui_focus(&w->ui, ui_id("source", 0));
    if (options->trace)
        w->pass = pass_of_trace(options->trace);
    else if (options->file)
        window_open_path(w, options->file);
    else
        window_load(w, w->state.model);
    return w;
}

static void keep_session(Window *w) {
    if (!w->settings.path[0] || !w->sdl) return;
    int width, height;
    SDL_GetWindowSize(w->sdl, &width, &height);
    if (!w->full_screen) {
        w->settings.width = (int)(width / w->user_scale);
        w->settings.height = (int)(height / w->user_scale);
    }
    w->settings.scale = w->user_scale;
    snprintf(w->settings.theme, sizeof w->settings.theme, "%s", w->ui.theme->name);
    json_decref(w->settings.state);
    w->settings.state = state_json(&w->state);
    if (w->state.text) settings_recent(w->settings.sentences, w->state.text);
    Error error = {0};
    if (!settings_save(&w->settings, &error))
        fprintf(stderr, "attnscope: the session was not kept: %s\n", error.message);
}

static void free_fields(Window *w) {
    textfield_free(&w->source);
    textfield_free(&w->pair);
    textfield_free(&w->target);
    textfield_free(&w->query);
    for (int i = 0; i < MAX_FIELDS; i++)
        textfield_free(&w->fields[i]);
    for (int i = 0; i < w->n_found; i++)
        free(w->found[i]);
    free(w->found);
}

void window_close(Window *w) {
    if (!w) return;
    keep_session(w);
    worker_free(w->worker);
    shown_free(w->shown);
    shown_free(w->values);
    pass_release(w->pass);
    loaded_release(w->loaded);
    lines_free(w);
    free_fields(w);
    arena_free(w->models_arena);
    strbuf_free(&w->kept.quiet);
    free(w->muted);
    free(w->picture.pixels);
    free(w->screenshot);
    history_free(w->history);
    state_free(&w->state);
    state_free(&w->asked_run);
    state_free(&w->asked_draw);
    settings_free(&w->settings);
    labels_free(w->ui.labels);
    canvas_free(w->ui.canvas);
    text_free(w->worker_fonts);
    for (int i = 0; i < SDL_NUM_SYSTEM_CURSORS; i++)
        if (w->cursors[i]) SDL_FreeCursor(w->cursors[i]);
    if (w->sdl) SDL_DestroyWindow(w->sdl);
    SDL_Quit();
    free(w);
}

/* ---- one frame ---- */

static bool narrow(const Window *w) {
    return w->width < 1100;
}

static void draw_notice(Window *w, Box center) {
    if (!*w->notice) return;
    Ui *ui = &w->ui;
    if (w->notice_until_ms && ui->now_ms >= w->notice_until_ms) {
        w->notice[0] = 0;
        return;
    }
    if (w->notice_until_ms && (ui->wake_ms == 0 || w->notice_until_ms < ui->wake_ms))
        ui->wake_ms = w->notice_until_ms;
    Str notice = str(w->notice);
    double room = fmin(center.w - 32, 720) - 56;
    double wide = fmin(room, ui_user_width(ui, notice, 13) + 1);
    double tall = ui_user_wrapped(ui, notice, (Box){0, 0, wide, 0}, 13, COLOR_BLACK, false);
    Box box = {center.x + (center.w - wide - 56) / 2, center.y + center.h - tall - 32, wide + 56,
               tall + 16};
    ui_float_begin(ui, box);
    paint_shadow(&ui->paint, box, 8, 12, color_alpha(COLOR_BLACK, 0.12));
    paint_round(&ui->paint, box, 8, ui->theme->panel);
    paint_frame(&ui->paint, box, 8, 1, w->notice_bad ? ui->theme->negative : ui->theme->line);
    ui_user_wrapped(ui, notice, (Box){box.x + 16, box.y + 8, wide, tall}, 13,
                    w->notice_bad ? ui->theme->negative : ui->theme->ink, true);
    Box close = {box.x + box.w - 32, box.y + box.h / 2 - 12, 24, 24};
    if (ui_icon_button(ui, ui_id("notice", 0), close, ICON_CLOSE, false, "Close")) w->notice[0] = 0;
    ui_float_end(ui);
}

static void edge(Window *w, Box box) {
    paint_fill(&w->ui.paint, box, w->ui.theme->line);
}

static void draw_center(Window *w, Box box) {
    Ui *ui = &w->ui;
    paint_fill(&ui->paint, box, ui->theme->background);
    PaintClip outer = paint_clip(&ui->paint, box);
    Box inner = box_inset(box, 24, 0);
    box_cut_top(&inner, 20);
    header_draw(w, box_cut_top(&inner, header_height(w, inner.w)));
    inner.h -= 12;
    picture_draw(w, inner);
    draw_notice(w, box);
    paint_unclip(&ui->paint, outer);
}

static void draw_all(Window *w) {
    Ui *ui = &w->ui;
    bool small = narrow(w);
    Box all = {0, 0, w->width, w->height};
    Box top = box_cut_top(&all, topbar_height(w, w->width));
    Box strip = strip_wanted(w) ? box_cut_bottom(&all, 60) : (Box){0};
    Box side = box_cut_left(&all, small ? 48 : 184);
    Box inspector = box_cut_right(&all, small ? 48 : 276);
    paint_fill(&ui->paint, top, ui->theme->panel);
    paint_fill(&ui->paint, side, ui->theme->panel);
    paint_fill(&ui->paint, inspector, ui->theme->panel);
    ui->modal = w->panel != PANEL_NONE;
    topbar_draw(w, top);
    sidebar_draw(w, side, small);
    draw_center(w, all);
    if (small) {
        Box button = {inspector.x + 8, inspector.y + 12, 32, 32};
        if (ui_icon_button(ui, ui_id("drawer", 1), button, ICON_PANEL, w->panel == PANEL_INSPECTOR,
                           "Selection, head, changes (Ctrl+I)"))
            panel_open(w, PANEL_INSPECTOR);
    } else {
        inspector_draw(w, inspector);
    }
    edge(w, (Box){0, top.h - 1, w->width, 1});
    edge(w, (Box){side.w - 1, side.y, 1, side.h});
    edge(w, (Box){inspector.x, inspector.y, 1, inspector.h});
    if (strip.h > 0) {
        paint_fill(&ui->paint, strip, ui->theme->panel);
        edge(w, (Box){0, strip.y, w->width, 1});
        strip_draw(w, strip);
    }
    panel_draw(w);
}

static void set_cursor(Window *w) {
    SDL_SystemCursor c = w->ui.cursor;
    if (!w->cursors[c]) w->cursors[c] = SDL_CreateSystemCursor(c);
    if (w->cursors[c] && SDL_GetCursor() != w->cursors[c]) SDL_SetCursor(w->cursors[c]);
}

static void set_text_input(Window *w) {
    bool on = SDL_IsTextInputActive() == SDL_TRUE;
    if (w->ui.text_wanted && !on) SDL_StartTextInput();
    /* Stopping would throw away letters that wait behind a key not yet looked at. */
    bool waiting = SDL_HasEvent(SDL_KEYDOWN) || SDL_HasEvent(SDL_TEXTINPUT);
    if (!w->ui.text_wanted && on && !waiting) SDL_StopTextInput();
    if (!w->ui.text_wanted) return;
    double s = window_scale(w);
    Box b = w->ui.text_box;
    SDL_Rect at = {(int)(b.x * s), (int)(b.y * s), 4, (int)(b.h * s)};
    SDL_SetTextInputRect(&at);
}

void window_frame(Window *w) {
    SDL_Surface *surface = SDL_GetWindowSurface(w->sdl);
    if (!surface) return;
    apply_theme(w);
    double scale = window_scale(w);
    labels_scale(w->ui.labels, scale);
    w->ui.paint.pixels = (CanvasPixels){surface->pixels, surface->w, surface->h, surface->pitch};
    w->ui.paint.scale = scale;
    w->width = surface->w / scale;
    w->height = surface->h / scale;
    SDL_LockSurface(surface);
    ui_begin(&w->ui, window_now_ms());
    actions_keys(w);
    draw_all(w);
    actions_late_keys(w);
    ui_end(&w->ui);
    SDL_UnlockSurface(surface);
    set_cursor(w);
    set_text_input(w);
    window_sync(w);
}

/* The window's picture as a file, before it is handed to the display. */
static void write_screenshot(Window *w, SDL_Surface *surface) {
    Error error = {0};
    CanvasPixels pixels = {surface->pixels, surface->w, surface->h, surface->pitch};
    if (screenshot_save(&pixels, w->screenshot, &error))
        window_notice(w, false, "The picture of the window is in %s", w->screenshot);
    else
        window_notice(w, true, "%s", error.message);
    free(w->screenshot);
    w->screenshot = NULL;
}

void window_present(Window *w) {
    SDL_Surface *surface = SDL_GetWindowSurface(w->sdl);
    if (!surface) return;
    /* What a choice of this frame closes is gone in the next. */
    bool calm = !window_busy(w) && !w->ui.again;
    if (w->screenshot && calm) write_screenshot(w, surface);
    SDL_UpdateWindowSurface(w->sdl);
}

/* ---- the loop ---- */

static void play_on(Window *w) {
    if (!w->playing) return;
    double now = window_now_ms();
    if (now < w->next_step_ms) return;
    if (steps_at(w) + 1 >= steps_n(w)) {
        w->playing = false;
        return;
    }
    steps_go(w, steps_at(w) + 1);
    w->next_step_ms = now + 700;
}

static int patience(const Window *w, int wait_ms) {
    double until = -1, now = window_now_ms();
    if (w->ui.wake_ms > 0) until = w->ui.wake_ms;
    if (w->playing && (until < 0 || w->next_step_ms < until)) until = w->next_step_ms;
    if (w->picture.relayout_at_ms > 0 && (until < 0 || w->picture.relayout_at_ms < until))
        until = w->picture.relayout_at_ms;
    int due = until < 0 ? -1 : until <= now ? 0 : (int)ceil(until - now);
    if (wait_ms < 0) return due;
    return due < 0 || due > wait_ms ? wait_ms : due;
}

void window_step(Window *w, int wait_ms) {
    SDL_Event event;
    int wait = w->ui.again ? 0 : patience(w, wait_ms);
    bool any = wait < 0 ? SDL_WaitEvent(&event) : SDL_WaitEventTimeout(&event, wait);
    bool frame = w->ui.again || (!any && w->ui.wake_ms > 0 && window_now_ms() >= w->ui.wake_ms);
    while (any && !w->quit) {
        frame = events_take(w, &event) || frame;
        /* A press and its release are two frames, or the release would be lost. */
        if (w->ui.in.released || w->ui.in.n_events > UI_MAX_EVENTS - 8) break;
        /* So are a key that moves the focus, and those on either side of it. */
        if (events_turns(w, &event) || (w->ui.in.n_events > 0 && events_turn_next(w))) break;
        any = SDL_PollEvent(&event);
    }
    frame = worker_deliver(w->worker, w) > 0 || frame;
    play_on(w);
    if (w->picture.relayout_at_ms > 0 && window_now_ms() >= w->picture.relayout_at_ms) frame = true;
    if (w->playing) frame = true;
    if (!frame || w->quit) return;
    window_frame(w);
    window_present(w);
}

bool window_busy(const Window *w) {
    return !worker_idle(w->worker);
}

bool window_settle(Window *w, int limit_ms) {
    double limit = window_now_ms() + limit_ms;
    w->ui.again = true;
    for (int calm = 0; calm < 2;) {
        if (window_now_ms() > limit || w->quit) return false;
        bool before = window_busy(w) || w->ui.again;
        window_step(w, 2);
        calm = before || window_busy(w) || w->ui.again ? 0 : calm + 1;
    }
    return true;
}

/* A signal may land in any thread and may do next to nothing there: it posts a semaphore, and a
 * thread that sleeps on it tells the loop. Idle costs nothing. */
static sem_t end_asked;
static atomic_bool end_watch;

static void on_signal(int number) {
    (void)number;
    sem_post(&end_asked);
}

static void *watch(void *context) {
    Window *w = context;
    while (sem_wait(&end_asked) != 0)
        continue;
    if (!atomic_load(&end_watch)) return NULL;
    SDL_Event event = {.type = SDL_QUIT};
    SDL_PushEvent(&event);
    wake(w);
    return NULL;
}

void window_loop(Window *w) {
    pthread_t watcher;
    sem_init(&end_asked, 0, 0);
    atomic_store(&end_watch, true);
    bool watched = pthread_create(&watcher, NULL, watch, w) == 0;
    signal(SIGTERM, on_signal);
    signal(SIGINT, on_signal);
    signal(SIGHUP, on_signal);
    w->ui.again = true;
    while (!w->quit)
        window_step(w, -1);
    atomic_store(&end_watch, false);
    sem_post(&end_asked);
    if (watched) pthread_join(watcher, NULL);
}
