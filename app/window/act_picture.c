/* Commands about the picture: which view, attention, layer, head and token; changes of a head. */
#include <math.h>
#include <string.h>

#include "app/window/act.h"
#include "app/window/cells.h"
#include "app/window/edits.h"
#include "app/window/heads.h"
#include "app/window/picture.h"
#include "app/window/steps.h"

void act_set_view(Window *w, int index) {
    int n = 0;
    while (views[n].name)
        n++;
    if (index < n) state_put_text(&w->state.view, views[index].name);
}

void act_step_view(Window *w, int by) {
    int n = 0, at = 0;
    char reason[256];
    for (; views[n].name; n++)
        if (&views[n] == window_view(w)) at = n;
    for (int i = 0; i < n; i++) {
        at = (at + by + n) % n;
        if (window_view_fits(w, &views[at], reason)) break;
    }
    act_set_view(w, at);
}

/* Layers and heads of the attention in sight. */
static bool counts(Window *w, int *n_layers, int *n_heads) {
    Place p = window_head(w);
    const Summary *s = pass_summary_near(w->pass, &p);
    if (!s) return false;
    *n_layers = s->n_layers;
    *n_heads = s->n_heads;
    return true;
}

void act_step_layer(Window *w, int by) {
    int n_layers, n_heads;
    if (!counts(w, &n_layers, &n_heads)) return;
    Place p = window_head(w);
    p.layer = ((p.layer < 0 ? 0 : p.layer + by) + n_layers) % n_layers;
    if (p.head >= n_heads) p.head = n_heads - 1;
    heads_go(w, p);
}

void act_step_head(Window *w, int by) {
    int n_layers, n_heads;
    if (!counts(w, &n_layers, &n_heads)) return;
    Place p = window_head(w);
    p.head = ((p.head < 0 ? (by > 0 ? 0 : n_heads - 1) : p.head + by) + n_heads) % n_heads;
    if (p.layer < 0 || p.layer >= n_layers) p.layer = 0;
    heads_go(w, p);
}

void act_set_attention(Window *w, int which) {
    static const char *const names[] = {"encoder", "decoder", "cross"};
    state_put_text(&w->state.attention, names[which]);
    /* Another attention has other numbers of layers and heads: begin with its own default. */
    state_put_text(&w->state.heads, NULL);
    state_unselect(&w->state);
    w->hover = place_none();
}

void act_toggle_units(Window *w, int unused) {
    (void)unused;
    state_put_text(&w->state.units, window_words(w) ? "tokens" : "words");
}

void act_toggle_rows(Window *w, int unused) {
    (void)unused;
    Place p = window_head(w);
    bool writes = w->state.rows ? strcmp(w->state.rows, "writes") == 0 : p.cross;
    state_put_text(&w->state.rows, writes ? "reads" : "writes");
}

void act_toggle_flag(Window *w, int which) {
    State *s = &w->state;
    bool *flags[] = {&s->hide_special, &s->transpose, &s->numbers,
                     &s->raw_tokens,   &s->ribbons,   &s->hide_punctuation};
    *flags[which] = !*flags[which];
}

void act_zoom(Window *w, int direction) {
    Box a = w->picture.area;
    picture_zoom(w, direction > 0 ? 1.25 : 0.8, a.x + a.w / 2, a.y + a.h / 2);
}

void act_fit(Window *w, int unused) {
    (void)unused;
    picture_fit(w);
}

void act_pan(Window *w, int direction) {
    static const int dx[] = {64, -64, 0, 0}, dy[] = {0, 0, 64, -64};
    picture_pan(w, dx[direction], dy[direction]);
}

void act_ablate(Window *w, int unused) {
    (void)unused;
    Place head = window_head(w);
    double factor;
    edit_head_factor(w, head, &factor);
    edit_set_factor(w, head, factor == 0 ? 1 : 0);
}

void act_scale_head(Window *w, int tenths) {
    Place head = window_head(w);
    double factor;
    edit_head_factor(w, head, &factor);
    factor = round(factor * 10 + tenths) / 10;
    edit_set_factor(w, head, fmin(2, fmax(0, factor)));
}

void act_set_cell(Window *w, int unused) {
    (void)unused;
    edit_set_weight(w, window_selected(w), 1);
}

void act_clear_edits(Window *w, int unused) {
    (void)unused;
    edit_clear(w);
}

void act_unlock(Window *w, int unused) {
    (void)unused;
    state_unselect(&w->state);
    w->state.step = -1;
    picture_refocus(w);
}

void act_heads_only(Window *w, int unused) {
    (void)unused;
    heads_toggle(w, window_head(w), true);
}

/* Moves the locked cell by keys: the whole window can be used without a mouse. */
void act_move_selection(Window *w, int direction) {
    Place p = window_selected(w);
    Place head = window_head(w);
    if (p.layer < 0) p = head;
    static const int down[] = {-1, 1, 0, 0}, right[] = {0, 0, -1, 1};
    if (!cells_step(w, &p, down[direction], right[direction])) return;
    if (!steps_reached(w, &p)) return;
    w->hover = place_none();
    state_select(&w->state, p);
    picture_refocus(w);
}
