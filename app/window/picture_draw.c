/* The figure in the window: played, pointed at, clicked, dragged. The last play is kept, and only
 * what changes the picture (zoom, pan, focus, a new figure) plays it again. */
#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "app/window/edits.h"
#include "app/window/heads.h"
#include "app/window/input.h"
#include "app/window/jobs.h"
#include "app/window/panel.h"
#include "app/window/parts.h"
#include "app/window/picture.h"
#include "app/window/steps.h"

enum { DIM_AFTER_MS = 120, BAR_AFTER_MS = 400 };

/* ---- playing ---- */

static bool fit_pixels(Picture *p, int width, int height) {
    if (width < 1 || height < 1) return false;
    if (p->width == width && p->height == height && p->pixels) return true;
    free(p->pixels);
    p->pixels = malloc((size_t)width * (size_t)height * 4);
    if (!p->pixels) abort();
    p->width = width;
    p->height = height;
    p->dirty = true;
    return true;
}

static void ground(Picture *p, Color color) {
    uint32_t pixel = 0xff000000u | color >> 8;
    for (int x = 0; x < p->width; x++)
        p->pixels[x] = pixel;
    for (int y = 1; y < p->height; y++)
        memcpy(p->pixels + (size_t)y * (size_t)p->width, p->pixels, (size_t)p->width * 4);
}

static void play_on(Window *w, CanvasPixels *pixels) {
    Picture *p = &w->picture;
    double s = w->ui.paint.scale, f = picture_factor(w);
    /* Whole pixels, so that hairlines and cells stay sharp while it is panned. */
    CanvasView view = {.scale = s * f,
                       .x = round(p->x * s),
                       .y = round(p->y * s),
                       .moving = window_now_ms() < p->moving_until_ms,
                       .bare = true};
    canvas_play(w->ui.canvas, w->shown->figure, &view, pixels);
}

/* While it moves every frame is another: played straight onto the window, whose ground is there
 * already. False where that does not fit. */
static bool play_moving(Window *w, PaintClip area) {
    Picture *p = &w->picture;
    const CanvasPixels *all = &w->ui.paint.pixels;
    if (!p->dirty || window_now_ms() >= p->moving_until_ms || area.x0 < 0 || area.y0 < 0 ||
        area.x1 > all->width || area.y1 > all->height || area.x1 <= area.x0 || area.y1 <= area.y0)
        return false;
    uint8_t *first = (uint8_t *)all->data + (size_t)area.y0 * all->stride + (size_t)area.x0 * 4;
    CanvasPixels part = {(uint32_t *)(void *)first, area.x1 - area.x0, area.y1 - area.y0,
                         all->stride};
    play_on(w, &part);
    return true;
}

static void play_kept(Window *w, PaintClip area) {
    Picture *p = &w->picture;
    if (!fit_pixels(p, area.x1 - area.x0, area.y1 - area.y0)) return;
    CanvasPixels pixels = {p->pixels, p->width, p->height, p->width * 4};
    if (p->dirty) {
        ground(p, w->ui.theme->background);
        play_on(w, &pixels);
        p->dirty = false;
    }
    paint_copy(&w->ui.paint, &pixels, area.x0, area.y0);
}

/* ---- pointing ---- */

static bool point_at(Window *w, double x, double y, FigurePick *pick, const FigureMark **mark) {
    Picture *p = &w->picture;
    double f = picture_factor(w);
    if (!w->shown || !w->shown->figure || f <= 0) return false;
    *pick =
        figure_pick(w->shown->figure, (x - p->area.x - p->x) / f, (y - p->area.y - p->y) / f, mark);
    return !figure_pick_is_none(*pick);
}

static void hover(Window *w, bool hot) {
    FigurePick pick = FIGURE_PICK_NONE;
    const FigureMark *mark = NULL;
    Place place = place_none();
    bool on = hot && point_at(w, w->ui.in.x, w->ui.in.y, &pick, &mark);
    if (on) {
        place = view_place(&w->shown->report, pick);
        if (!steps_reached(w, &place)) place = place_none();
        if (mark && mark->title) {
            Box at = {w->ui.in.x, w->ui.in.y, 1, 14};
            if (!place_is_open(&place)) ui_tip(&w->ui, picture_id(), at, mark->title);
        }
        w->ui.cursor = SDL_SYSTEM_CURSOR_HAND;
    }
    if (place_equal(&place, &w->hover)) return;
    w->hover = place;
    picture_refocus(w);
}

static void lock(Window *w) {
    State *s = &w->state;
    bool nothing = place_is_open(&w->hover);
    if (nothing || (s->locked && place_equal(&s->selection, &w->hover))) {
        state_unselect(s);
    } else {
        state_select(s, w->hover);
    }
    picture_refocus(w);
}

static bool is_thumbnail_view(const Window *w) {
    return strcmp(window_view(w)->name, "model") == 0;
}

/* From the thumbnail to the head itself. */
static void go_in(Window *w, Place head) {
    state_put_text(&w->state.view, head.cross ? "cross" : "head");
    heads_go(w, head);
}

static void click_box(Window *w) {
    FigurePick pick;
    const FigureMark *mark = NULL;
    if (!point_at(w, w->ui.in.x, w->ui.in.y, &pick, &mark) || !mark || !mark->title) return;
    /* A box is called by its hook; that of a repeated layer stands for all of them:
     * "decoder.{l}.hook_mlp_out". */
    char hook[HOOK_NAME_MAX + 16];
    const char *gap = strstr(mark->title, "{l}");
    Place head = window_head(w);
    if (gap)
        snprintf(hook, sizeof hook, "%.*s%d%.64s", (int)(gap - mark->title), mark->title,
                 head.layer < 0 ? 0 : head.layer, gap + 3);
    else
        snprintf(hook, sizeof hook, "%.100s", mark->title);
    HookPoint at;
    if (hook_parse(hook, &at)) job_values(w, hook);
}

static void clicked(Window *w, UiState state) {
    Place hot = w->hover;
    if (strcmp(window_view(w)->name, "blocks") == 0) {
        click_box(w);
        return;
    }
    if (state.double_clicked && hot.layer >= 0 && hot.head >= 0 && is_thumbnail_view(w)) {
        go_in(w, hot);
        return;
    }
    lock(w);
    /* A second click on a patch: what does it look at itself? */
    if (state.double_clicked && hot.key >= 0 && strcmp(window_view(w)->name, "patches") == 0) {
        hot.query = hot.key;
        hot.key = -1;
        state_select(&w->state, hot);
        w->hover = place_none();
    }
}

/* Dragging a weight onto another key: with Shift, from a place that has a query. */
static void drag_weight(Window *w, UiState state) {
    Picture *p = &w->picture;
    if (state.held) {
        w->ui.cursor = SDL_SYSTEM_CURSOR_CROSSHAIR;
        return;
    }
    p->setting = false;
    FigurePick pick;
    if (!point_at(w, w->ui.in.x, w->ui.in.y, &pick, NULL)) return;
    Place to = view_place(&w->shown->report, pick);
    if (to.key < 0) return;
    Place cell = p->set_from;
    cell.key = to.key;
    edit_set_weight(w, cell, 1);
}

static void drag(Window *w, UiState state) {
    Picture *p = &w->picture;
    if (w->ui.in.pressed && state.held) {
        p->last_x = p->press_x = w->ui.in.x;
        p->last_y = p->press_y = w->ui.in.y;
        p->dragged = false;
        p->setting = w->ui.in.shift && w->hover.query >= 0 && w->hover.layer >= 0;
        p->set_from = w->hover;
    }
    if (p->setting) {
        drag_weight(w, state);
        return;
    }
    if (!state.held) {
        p->dragging = false;
        return;
    }
    if (!p->dragged && hypot(w->ui.in.x - p->press_x, w->ui.in.y - p->press_y) > 4)
        p->dragged = true;
    if (!p->dragged) return;
    p->dragging = true;
    w->ui.cursor = SDL_SYSTEM_CURSOR_SIZEALL;
    if (w->ui.in.x != p->last_x || w->ui.in.y != p->last_y)
        picture_pan(w, w->ui.in.x - p->last_x, w->ui.in.y - p->last_y);
    p->last_x = w->ui.in.x;
    p->last_y = w->ui.in.y;
}

static void wheel(Window *w, bool hot) {
    UiInput *in = &w->ui.in;
    Picture *p = &w->picture;
    if (!hot || (in->wheel_x == 0 && in->wheel_y == 0)) return;
    bool tall = p->page_h * picture_factor(w) > p->area.h + 1 && p->zoom <= 1.01;
    if (in->shift || in->wheel_x != 0)
        picture_pan(w, (in->wheel_x != 0 ? -in->wheel_x : in->wheel_y) * 48, 0);
    else if (tall && !in->ctrl)
        picture_pan(w, 0, in->wheel_y * 64);
    else
        picture_zoom(w, pow(1.15, in->wheel_y), in->x, in->y);
    in->wheel_x = in->wheel_y = 0;
}

/* ---- what stands where no picture is ---- */

static void draw_message(Window *w, Box area, const char *head, const char *text) {
    Ui *ui = &w->ui;
    double wide = fmin(area.w - 32, 440);
    double tall = ui_user_wrapped(ui, str(text), (Box){0, 0, wide, 0}, 13, COLOR_BLACK, false);
    Box box = {area.x + (area.w - wide) / 2, area.y + area.h * 0.38 - tall / 2, wide, tall};
    ui_text(ui, head, (Box){box.x, box.y - 36, wide, 28}, 17, 600, UI_INK, LABEL_LEFT);
    ui_user_wrapped(ui, str(text), box, 13, ui_color(ui, UI_SOFT), true);
}

/* The reason alone says it where the model has read a text. */
static const char *what_to_do(const Window *w) {
    const View *view = window_view(w);
    bool one_head = strcmp(view->name, "neuron") == 0 || strcmp(view->name, "steps") == 0;
    if (!w->pass || !*w->shown->error) return view->empty ? view->empty : "";
    return one_head ? "Click a head in the grid at the right, or go to one with the arrow keys."
                    : "";
}

static void draw_empty(Window *w, Box area) {
    const View *view = window_view(w);
    if (w->loaded && !input_there(w) && (view->needs & VIEW_NEEDS_TRACE)) {
        draw_message(w, area, view->title, input_ask(w));
    } else if (w->shown && !w->shown->figure) {
        char text[1400];
        const char *what = what_to_do(w);
        snprintf(text, sizeof text, "%s%s%s", w->shown->error,
                 *w->shown->error && *what ? "\n" : "", what);
        text[0] = (char)toupper((unsigned char)text[0]);
        draw_message(w, area, view->title, text);
    } else if (*w->load_error) {
        draw_message(w, area, "No model is open", w->load_error);
        Box button = {area.x + (area.w - fmin(area.w - 32, 440)) / 2, area.y + area.h * 0.38 + 56,
                      150, 32};
        if (ui_button(&w->ui, ui_id("open-model", 0), button, "Open a model…",
                      (UiButton){.look = UI_PRIMARY}))
            panel_open(w, PANEL_OPEN);
    } else if (*w->run_error) {
        draw_message(w, area, "There is no picture", w->run_error);
    } else if (window_busy(w) && w->run_since_ms > 0 && window_now_ms() - w->run_since_ms > 150) {
        draw_message(w, area, "Running…",
                     "The picture comes as soon as the model has read the text.");
    }
}

bool picture_shows_progress(const Window *w) {
    return w->run_since_ms > 0 && window_now_ms() - w->run_since_ms >= BAR_AFTER_MS;
}

static void wake_at(Ui *ui, double due) {
    if (ui->wake_ms == 0 || due < ui->wake_ms) ui->wake_ms = due;
}

static void draw_progress(Window *w, Box area) {
    if (w->run_since_ms <= 0 || !worker_busy(w->worker, SLOT_RUN)) return;
    double since = w->ui.now_ms - w->run_since_ms;
    if (since < DIM_AFTER_MS) {
        wake_at(&w->ui, w->run_since_ms + DIM_AFTER_MS);
        return;
    }
    /* The old picture stays, dimmed, until the new one is there. */
    paint_veil(&w->ui.paint, area, color_alpha(w->ui.theme->background, 0.6));
    if (since < BAR_AFTER_MS) {
        wake_at(&w->ui, w->run_since_ms + BAR_AFTER_MS);
        return;
    }
    double done = worker_progress(w->worker, SLOT_RUN);
    Box bar = {area.x + area.w / 2 - 100, area.y + 8, 200, 4};
    paint_round(&w->ui.paint, bar, 2, color_mix(w->ui.theme->background, w->ui.theme->ink, 0.1));
    paint_round(&w->ui.paint, (Box){bar.x, bar.y, bar.w * fmax(0.02, done), 4}, 2,
                w->ui.theme->accent);
    Box cancel = {bar.x + bar.w + 12, bar.y - 12, 84, 28};
    if (ui_button(&w->ui, ui_id("cancel", 0), cancel, "Cancel", (UiButton){.look = UI_PILL})) {
        worker_cancel(w->worker, SLOT_RUN);
        w->run_since_ms = 0;
        window_notice(w, false, "Stopped; the picture is of the text before");
    }
}

void picture_draw(Window *w, Box area) {
    Picture *p = &w->picture;
    Ui *ui = &w->ui;
    if (area.w < 16 || area.h < 16) return;
    picture_place(w, area);
    double s = ui->paint.scale;
    PaintClip px = {(int)lround(area.x * s), (int)lround(area.y * s),
                    (int)lround((area.x + area.w) * s), (int)lround((area.y + area.h) * s)};
    UiState state = ui_widget_typed(ui, picture_id(), area);
    if (!w->shown || !w->shown->figure) {
        draw_empty(w, area);
        draw_progress(w, area);
        return;
    }
    wheel(w, state.hot);
    hover(w, state.hot && !p->dragging);
    drag(w, state);
    if (state.clicked && !p->dragged) clicked(w, state);
    if (!play_moving(w, px)) play_kept(w, px);
    draw_progress(w, area);
    if (ui->focus == picture_id() && ui->focus_visible)
        paint_frame(&ui->paint, area, 6, 2, ui->theme->accent);
}
