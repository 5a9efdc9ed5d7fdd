/* Where the figure lies in the window: its zoom, the part in sight, the size it is laid out for,
 * and which of its places is focused. Drawing it is picture_draw.c. */
#include "app/window/picture.h"

#include <math.h>
#include <string.h>

enum { RELAYOUT_AFTER_MS = 160 };
static const double LEAST_WHOLE = 0.6, MIN_ZOOM = 0.1, MAX_ZOOM = 64, MAX_LAID_ZOOM = 6,
                    HARDLY = 0.4;

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

double picture_factor(const Window *w) {
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
    double f = picture_factor(w), page_w = p->page_w * f, page_h = p->page_h * f;
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
    p->laid_before = p->laid_most = 0;
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
    if (p->laid_most > 0) wanted = fmin(wanted, p->laid_most);
    if (fabs(wanted - laid(w)) < 0.01) return;
    /* Told to window_sync by the size that it asks for; what is drawn meanwhile keeps its place. */
    double before = picture_factor(w);
    p->laid_before = laid(w);
    p->laid_zoom = wanted;
    p->page_w *= before / picture_factor(w);
    p->page_h *= before / picture_factor(w);
}

void picture_place(Window *w, Box area) {
    Picture *p = &w->picture;
    if (memcmp(&area, &p->area, sizeof area) != 0) {
        p->area = area;
        if (!p->touched) p->zoom = fit_zoom(w);
        clamp(w);
    }
    relayout(w);
}

/* How tall all that can be pointed at is, in points; the page around it says nothing. */
static double content_height(const Figure *figure) {
    int n;
    const FigureItem *items = figure_items(figure, &n);
    double top = INFINITY, bottom = -INFINITY;
    for (int i = 0; i < n; i++) {
        bool cells = items[i].kind == FIGURE_IMAGE;
        if (!cells && (!items[i].mark || figure_pick_is_none(items[i].mark->pick))) continue;
        top = fmin(top, items[i].box.y);
        bottom = fmax(bottom, items[i].box.y + items[i].box.h);
    }
    return bottom > top ? bottom - top : 0;
}

/* Cells have a largest size: where they hardly grow with what they are laid out for, the figure is
 * laid out as before and seen enlarged. */
static void keep_growing(Window *w, double before, double now) {
    Picture *p = &w->picture;
    double from = p->laid_before, wanted = p->laid_zoom / from;
    p->laid_before = 0;
    if (from <= 0 || before <= 0 || wanted <= 1) return;
    if (now / before - 1 < HARDLY * (wanted - 1)) p->laid_most = p->laid_zoom = from;
}

void picture_placed(Window *w) {
    Picture *p = &w->picture;
    p->dirty = true;
    w->ui.again = true;
    if (!w->shown || !w->shown->figure) return;
    FigureBox page = figure_bounds(w->shown->figure);
    double f = picture_factor(w), content = p->content;
    p->content = content_height(w->shown->figure);
    if (p->touched && p->page_w > 0 && page.w > 0) {
        /* The middle of the area stays over the same part of the page. */
        double u = (p->area.w / 2 - p->x) / (p->page_w * f);
        double v = (p->area.h / 2 - p->y) / (p->page_h * f);
        keep_growing(w, content, p->content);
        f = picture_factor(w);
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
