/* One frame, and the loop that waits for the next. */
#include <math.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdlib.h>

#include "app/window/actions.h"
#include "app/window/events.h"
#include "app/window/panel.h"
#include "app/window/parts.h"
#include "app/window/screenshot.h"
#include "app/window/session.h"
#include "app/window/steps.h"

static void draw_notice(Window *w, Box center) {
    if (!*w->notice) return;
    Ui *ui = &w->ui;
    if (w->notice_until_ms > 0 && ui->now_ms >= w->notice_until_ms) {
        w->notice[0] = 0;
        return;
    }
    if (w->notice_until_ms > 0 && (ui->wake_ms == 0 || w->notice_until_ms < ui->wake_ms))
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
    bool small = window_narrow(w);
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
    window_apply_theme(w);
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
    if (w->keep_at_ms > 0 && (until < 0 || w->keep_at_ms < until)) until = w->keep_at_ms;
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
    session_due(w);
    if (w->picture.relayout_at_ms > 0 && window_now_ms() >= w->picture.relayout_at_ms) frame = true;
    if (w->playing) frame = true;
    if (!frame || w->quit) return;
    window_frame(w);
    window_present(w);
    session_touch(w);
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
    window_wake(w);
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
