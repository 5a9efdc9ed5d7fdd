/* The figure in the window: placed, played, picked. The last play is kept, and only what changes
 * the picture (zoom, pan, focus, a new figure) plays it again. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "app/window/input.h"
#include "app/window/window.h"

enum { RELAYOUT_AFTER_MS = 160, DIM_AFTER_MS = 120, BAR_AFTER_MS = 400 };
static const double LEAST_WHOLE = 0.6, MIN_ZOOM = 0.1, MAX_ZOOM = 64, MAX_LAID_ZOOM = 6;

UiId picture_id(void) {
    return ui_id("picture", 0);
}

/* Views that are laid out anew when they are zoomed: their cells grow, their words do not. */
static bool grows(const Window *w) {
    static const char *const names[] = {"heatmap", "model",        "difference",
                                        "mask",    "position-map", "position-similarity"};
    const char *name = window_view(w)->name;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(name, names[i]) == 0) return true;
    return false;
}

void picture_wanted(const Window *w, double *width, double *height) {
    const Picture *p = &w->picture;
    double zoom = p->laid_zoom > 0 ? p->laid_zoom : 1;
    double s = w->ui.theme->kind == THEME_PROJECTOR ? 1.25 : 1;
    double room_w = p->area.w > 0 ? p->area.w : 900, room_h = p->area.h > 0 ? p->area.h : 640;
    *width = floor(fmax(160, room_w * s * zoom));
    *height = floor(fmax(120, room_h * s * zoom));
}

/* Units of the window a point of the figure, before the zoom. */
static double point(const Window *w) {
    return w->ui.theme->kind == THEME_PROJECTOR ? 1 / 1.25 : 1;
}

static double laid(const Window *w) {
    return w->picture.laid_zoom > 0 ? w->picture.laid_zoom : 1;
}

/* Units a point as it is drawn now. */
static double factor(const Window *w) {
    return point(w) * w->picture.zoom / laid(w);
}

static double fit_zoom(const Window *w) {
    const Picture *p = &w->picture;
    if (p->page_w <= 0 || p->area.w <= 0) return 1;
    double wide = p->area.w / (p->page_w * point(w)) * laid(w);
    double tall = p->area.h / (p->page_h * point(w)) * laid(w);
    /* What is a little too tall is seen whole; what is far too tall is scrolled. */
    bool whole = tall >= LEAST_WHOLE && tall < wide;
    return fmin(1, whole ? tall : wide);
}

static void clamp(Window *w) {
    Picture *p = &w->picture;
    double f = factor(w), page_w = p->page_w * f, page_h = p->page_h * f;
    /* What fits is kept whole and in the middle, what does not is kept in sight. */
    if (page_w <= p->area.w + 0.5)
        p->x = (p->area.w - page_w) / 2;
    else
        p->x = fmin(p->area.w * 0.5, fmax(p->x, p->area.w * 0.5 - page_w));
    if (page_h <= p->area.h + 0.5)
        p->y = p->touched && p->zoom > 1.01 ? fmin(p->area.h - page_h, fmax(0, p->y)) : 0;
    else
        p->y = fmin(p->zoom > 1.01 ? p->area.h * 0.5 : 0,
                    fmax(p->y, (p->zoom > 1.01 ? p->area.h * 0.5 : p->area.h) - page_h));
    p->dirty = true;
}

void picture_fit(Window *w) {
    Picture *p = &w->picture;
    p->touched = false;
    if (p->laid_zoom != 1) p->relayout_at_ms = window_now_ms();
    p->laid_zoom = 1;
    p->x = p->y = 0;
    p->zoom = 1;
    if (w->shown && w->shown->figure && w->shown->width > 0) p->zoom = fit_zoom(w);
    clamp(w);
    w->ui.again = true;
}

static void moving(Window *w) {
    w->picture.moving_until_ms = window_now_ms() + RELAYOUT_AFTER_MS;
    w->picture.relayout_at_ms = w->picture.moving_until_ms;
    w->picture.dirty = true;
    w->ui.again = true;
}

void picture_zoom(Window *w, double by, double x, double y) {
    Picture *p = &w->picture;
    double zoom = fmin(MAX_ZOOM, fmax(MIN_ZOOM, p->zoom * by));
    by = zoom / p->zoom;
    double px = x - p->area.x, py = y - p->area.y;
    p->x = px - (px - p->x) * by;
    p->y = py - (py - p->y) * by;
    p->zoom = zoom;
    p->touched = true;
    clamp(w);
    moving(w);
}

void picture_pan(Window *w, double dx, double dy) {
    w->picture.x += dx;
    w->picture.y += dy;
    w->picture.touched = true;
    clamp(w);
    moving(w);
}

/* After a rest the figure is laid out for the zoom it is seen at. */
static void relayout(Window *w) {
    Picture *p = &w->picture;
    if (p->relayout_at_ms <= 0 || window_now_ms() < p->relayout_at_ms) return;
    p->relayout_at_ms = 0;
    p->dirty = true;
    double wanted = grows(w) ? fmin(MAX_LAID_ZOOM, fmax(1, p->zoom)) : 1;
    if (fabs(wanted - laid(w)) < 0.01) return;
    /* Told to window_sync by the size that it asks for; what is drawn meanwhile keeps its place. */
    double before = factor(w);
    p->laid_zoom = wanted;
    p->page_w *= before / factor(w);
    p->page_h *= before / factor(w);
}

void picture_placed(Window *w) {
    Picture *p = &w->picture;
    p->dirty = true;
    w->ui.again = true;
    if (!w->shown || !w->shown->figure) return;
    FigureBox page = figure_bounds(w->shown->figure);
    double f = factor(w);
    if (p->touched && p->page_w > 0 && page.w > 0) {
        /* The middle of the area stays over the same part of the page. */
        double u = (p->area.w / 2 - p->x) / (p->page_w * f);
        double v = (p->area.h / 2 - p->y) / (p->page_h * f);
        p->page_w = page.w;
        p->page_h = page.h;
        p->x = p->area.w / 2 - u * page.w * f;
        p->y = p->area.h / 2 - v * page.h * f;
    } else {
        p->page_w = page.w;
        p->page_h = page.h;
        if (!p->touched) p->zoom = fit_zoom(w);
    }
    clamp(w);
    picture_refocus(w);
}

void picture_refocus(Window *w) {
    Shown *s = w->shown;
    if (!s || !s->figure) return;
    Place place = window_selected(w);
    FigurePick pick = place_is_open(&place) && place.query < 0 && place.key < 0
                          ? FIGURE_PICK_NONE
                          : view_pick(&s->report, &place);
    /* The sentence is shaded by its query already: a frame around all of it would say nothing. */
    if (pick.key < 0 && strcmp(s->view->name, "sentence") == 0) pick = FIGURE_PICK_NONE;
    FigurePick now = figure_focused(s->figure);
    if (now.series == pick.series && now.query == pick.query && now.key == pick.key) return;
    figure_focus(s->figure, pick);
    w->picture.dirty = true;
    w->ui.again = true;
}

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
    double s = w->ui.paint.scale, f = factor(w);
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
    double f = factor(w);
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
        s->locked = false;
        s->selection = place_none();
    } else {
        s->locked = true;
        s->selection = w->hover;
    }
    picture_refocus(w);
}

static bool is_thumbnail_view(const Window *w) {
    return strcmp(window_view(w)->name, "model") == 0;
}

/* From the thumbnail to the head itself. */
static void go_in(Window *w, Place head) {
    state_put_text(&w->state.view, head.cross ? "cross" : "head");
    window_go_head(w, head);
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
    if (hook_parse(hook, &at)) window_values(w, hook);
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
        w->state.selection = hot;
        w->state.selection.query = hot.key;
        w->state.selection.key = -1;
        w->state.locked = true;
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
    bool tall = p->page_h * factor(w) > p->area.h + 1 && p->zoom <= 1.01;
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

static void draw_empty(Window *w, Box area) {
    const View *view = window_view(w);
    if (w->loaded && !input_there(w) && (view->needs & VIEW_NEEDS_TRACE)) {
        draw_message(w, area, view->title, input_ask(w));
    } else if (w->shown && !w->shown->figure) {
        char text[1400];
        snprintf(text, sizeof text, "%s%s%s", w->shown->error, *w->shown->error ? "\n" : "",
                 view->empty ? view->empty : "");
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

bool window_shows_progress(const Window *w) {
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
    if (memcmp(&area, &p->area, sizeof area) != 0) {
        p->area = area;
        if (!p->touched) p->zoom = fit_zoom(w);
        clamp(w);
    }
    double s = ui->paint.scale;
    PaintClip px = {(int)lround(area.x * s), (int)lround(area.y * s),
                    (int)lround((area.x + area.w) * s), (int)lround((area.y + area.h) * s)};
    UiState state = ui_widget_typed(ui, picture_id(), area);
    relayout(w);
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
