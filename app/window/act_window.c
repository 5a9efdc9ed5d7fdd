/* Commands about the rest: panels, fields, themes, steps, files; and what can be done when. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "app/window/act.h"
#include "app/window/input.h"
#include "app/window/jobs.h"
#include "app/window/lines.h"
#include "app/window/panel.h"
#include "app/window/picture.h"
#include "app/window/steps.h"

bool act_has_model(const Window *w) {
    return w->loaded != NULL;
}

bool act_has_picture(const Window *w) {
    return w->shown && w->shown->figure;
}

bool act_has_steps(const Window *w) {
    return steps_n(w) > 1;
}

bool act_has_lines(const Window *w) {
    return w->n_lines > 0;
}

static bool has_beams(const Window *w) {
    return w->pass && w->pass->search.n_nodes > 0;
}

bool act_writes_words(const Window *w) {
    const Model *model = window_model(w);
    return model && model->config.family != FAMILY_ENCODER;
}

bool act_has_edits(const Window *w) {
    return w->state.edits.n > 0;
}

bool act_has_head(const Window *w) {
    Place p = window_head(w);
    return p.layer >= 0 && p.head >= 0;
}

bool act_has_cell(const Window *w) {
    Place p = window_selected(w);
    return p.layer >= 0 && p.head >= 0 && p.query >= 0 && p.key >= 0;
}

bool act_can_undo(const Window *w) {
    return history_can_undo(w->history);
}

bool act_can_redo(const Window *w) {
    return history_can_redo(w->history);
}

bool act_is_busy(const Window *w) {
    return worker_busy(w->worker, SLOT_RUN);
}

void act_open_panel(Window *w, int panel) {
    panel_open(w, (Panel)panel);
}

void act_open_export(Window *w, int what) {
    w->save = (SaveKind)what;
    panel_open(w, PANEL_EXPORT);
}

void act_focus_field(Window *w, int which) {
    static const char *const names[] = {"source", "target", "pair"};
    ui_focus(&w->ui, ui_id(names[which], 0));
    w->ui.focus_visible = true;
    TextField *fields[] = {&w->source, &w->target, &w->pair};
    textedit_select_all(&fields[which]->edit);
}

void act_focus_picture(Window *w, int unused) {
    (void)unused;
    ui_focus(&w->ui, picture_id());
    w->ui.focus_visible = true;
}

void act_set_scale(Window *w, int direction) {
    static const double steps[] = {0.75, 0.9, 1, 1.1, 1.25, 1.5, 1.75, 2, 2.5, 3};
    int at = 2;
    for (int i = 0; i < 10; i++)
        if (fabs(steps[i] - w->user_scale) < fabs(steps[at] - w->user_scale)) at = i;
    at = direction == 0 ? 2 : at + direction;
    w->user_scale = steps[at < 0 ? 0 : at > 9 ? 9 : at];
    w->picture.dirty = true;
    w->ui.again = true;
}

void act_full_screen(Window *w, int unused) {
    (void)unused;
    w->full_screen = !w->full_screen;
    SDL_SetWindowFullscreen(w->sdl, w->full_screen ? SDL_WINDOW_FULLSCREEN_DESKTOP : 0);
}

void act_set_theme(Window *w, int which) {
    static const char *const names[] = {"light", "dark", "projector"};
    if (which < 0) {
        int at = 0;
        for (int i = 0; i < 3; i++)
            if (strcmp(w->ui.theme->name, names[i]) == 0) at = i;
        which = (at + 1) % 3;
    }
    state_put_text(&w->state.theme, names[which]);
    w->ui.again = true;
}

void act_go_step(Window *w, int by) {
    steps_go(w, by == -2 ? 0 : by == 2 ? steps_n(w) - 1 : steps_at(w) + by);
}

void act_play_pause(Window *w, int unused) {
    (void)unused;
    steps_play(w, !w->playing);
}

void act_undo(Window *w, int unused) {
    (void)unused;
    window_remember(w);
    const char *text = history_undo(w->history);
    if (text) window_state_text(w, text, "undo");
}

void act_redo(Window *w, int unused) {
    (void)unused;
    const char *text = history_redo(w->history);
    if (text) window_state_text(w, text, "redo");
}

void act_copy_command(Window *w, int unused) {
    (void)unused;
    State seen;
    state_init(&seen);
    job_state(w, &seen);
    char *line = state_command_line(&seen);
    state_free(&seen);
    SDL_SetClipboardText(line);
    window_notice(w, false, "Copied: %s", line);
    free(line);
}

void act_quit(Window *w, int unused) {
    (void)unused;
    w->quit = true;
}

void act_cancel(Window *w, int unused) {
    (void)unused;
    worker_cancel(w->worker, SLOT_RUN);
    w->run_since_ms = 0;
}

void act_own_target(Window *w, int unused) {
    (void)unused;
    w->target_own = true;
    input_from_fields(w);
}

void act_step_line(Window *w, int by) {
    if (w->n_lines > 0) lines_go(w, w->at_line + by);
}

/* The tree is of a search with beams: asks for one where there is none yet. */
void act_open_beam(Window *w, int n) {
    if (!has_beams(w) && w->state.beam < 2) w->state.beam = n;
    panel_open(w, PANEL_BEAM);
}

void act_beams(Window *w, int n) {
    w->state.beam = n;
    if (n > 1) panel_open(w, PANEL_BEAM);
}

void act_continue_text(Window *w, int n) {
    w->state.max_new_tokens = n;
}
