/* See actions.h. A title is what the palette lists; keys follow Netron for files and zoom, llm-viz
 * for playing. */
#include "app/window/actions.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "app/window/jobs.h"

/* ---- what can be done when ---- */

static bool has_model(const Window *w) {
    return w->loaded != NULL;
}
static bool has_picture(const Window *w) {
    return w->shown && w->shown->figure;
}
static bool has_steps(const Window *w) {
    return steps_n(w) > 1;
}
static bool has_lines(const Window *w) {
    return w->n_lines > 0;
}
static bool has_beams(const Window *w) {
    return w->pass && w->pass->search.n_nodes > 0;
}
static bool writes_words(const Window *w) {
    const Model *model = window_model(w);
    return model && model->config.family != FAMILY_ENCODER;
}
static bool has_edits(const Window *w) {
    return w->state.edits.n > 0;
}
static bool has_head(const Window *w) {
    Place p = window_head(w);
    return p.layer >= 0 && p.head >= 0;
}
static bool has_cell(const Window *w) {
    Place p = window_selected(w);
    return p.layer >= 0 && p.head >= 0 && p.query >= 0 && p.key >= 0;
}
static bool can_undo(const Window *w) {
    return history_can_undo(w->history);
}
static bool can_redo(const Window *w) {
    return history_can_redo(w->history);
}
static bool is_busy(const Window *w) {
    return worker_busy(w->worker, SLOT_RUN);
}

/* ---- doing it ---- */

static void open_panel(Window *w, int panel) {
    panel_open(w, (Panel)panel);
}

static void open_export(Window *w, int what) {
    w->save = (SaveKind)what;
    panel_open(w, PANEL_EXPORT);
}

static void set_view(Window *w, int index) {
    int n = 0;
    while (views[n].name)
        n++;
    if (index < n) state_put_text(&w->state.view, views[index].name);
}

static void step_view(Window *w, int by) {
    int n = 0, at = 0;
    char reason[256];
    for (; views[n].name; n++)
        if (&views[n] == window_view(w)) at = n;
    for (int i = 0; i < n; i++) {
        at = (at + by + n) % n;
        if (window_view_fits(w, &views[at], reason)) break;
    }
    set_view(w, at);
}

/* Layers and heads of the attention in sight. */
static bool counts(Window *w, int *n_layers, int *n_heads) {
    Place p = window_head(w);
    const Summary *s = pass_summary(w->pass, &p);
    if (!s && w->pass && w->pass->n_summaries > 0)
        s = &w->pass->summaries[w->pass->n_summaries - 1];
    if (!s) return false;
    *n_layers = s->n_layers;
    *n_heads = s->n_heads;
    return true;
}

static void step_layer(Window *w, int by) {
    int n_layers, n_heads;
    if (!counts(w, &n_layers, &n_heads)) return;
    Place p = window_head(w);
    p.layer = ((p.layer < 0 ? 0 : p.layer + by) + n_layers) % n_layers;
    if (p.head >= n_heads) p.head = n_heads - 1;
    window_go_head(w, p);
}

static void step_head(Window *w, int by) {
    int n_layers, n_heads;
    if (!counts(w, &n_layers, &n_heads)) return;
    Place p = window_head(w);
    p.head = ((p.head < 0 ? (by > 0 ? 0 : n_heads - 1) : p.head + by) + n_heads) % n_heads;
    if (p.layer < 0 || p.layer >= n_layers) p.layer = 0;
    window_go_head(w, p);
}

static void set_attention(Window *w, int which) {
    static const char *const names[] = {"encoder", "decoder", "cross"};
    state_put_text(&w->state.attention, names[which]);
    /* Another attention has other numbers of layers and heads: begin with its own default. */
    state_put_text(&w->state.heads, NULL);
    w->state.locked = false;
    w->state.selection = place_none();
    w->hover = place_none();
}

static void toggle_units(Window *w, int unused) {
    (void)unused;
    bool words = w->state.units ? strcmp(w->state.units, "words") == 0
                                : strcmp(window_view(w)->name, "cross") == 0 ||
                                      strcmp(window_view(w)->name, "arcs") == 0 ||
                                      strcmp(window_view(w)->name, "sentence") == 0;
    state_put_text(&w->state.units, words ? "tokens" : "words");
}

static void toggle_rows(Window *w, int unused) {
    (void)unused;
    Place p = window_head(w);
    bool writes = w->state.rows ? strcmp(w->state.rows, "writes") == 0 : p.cross;
    state_put_text(&w->state.rows, writes ? "reads" : "writes");
}

static void toggle_flag(Window *w, int which) {
    State *s = &w->state;
    bool *flags[] = {&s->hide_special, &s->transpose, &s->numbers,
                     &s->raw_tokens,   &s->ribbons,   &s->hide_punctuation};
    *flags[which] = !*flags[which];
}

static void focus_field(Window *w, int which) {
    static const char *const names[] = {"source", "target", "pair"};
    ui_focus(&w->ui, ui_id(names[which], 0));
    w->ui.focus_visible = true;
    TextField *fields[] = {&w->source, &w->target, &w->pair};
    textedit_select_all(&fields[which]->edit);
}

static void focus_picture(Window *w, int unused) {
    (void)unused;
    ui_focus(&w->ui, picture_id());
    w->ui.focus_visible = true;
}

static void zoom(Window *w, int direction) {
    Box a = w->picture.area;
    picture_zoom(w, direction > 0 ? 1.25 : 0.8, a.x + a.w / 2, a.y + a.h / 2);
}

static void fit(Window *w, int unused) {
    (void)unused;
    picture_fit(w);
}

static void pan(Window *w, int direction) {
    static const int dx[] = {64, -64, 0, 0}, dy[] = {0, 0, 64, -64};
    picture_pan(w, dx[direction], dy[direction]);
}

static void set_scale(Window *w, int direction) {
    static const double steps[] = {0.75, 0.9, 1, 1.1, 1.25, 1.5, 1.75, 2, 2.5, 3};
    int at = 2;
    for (int i = 0; i < 10; i++)
        if (fabs(steps[i] - w->user_scale) < fabs(steps[at] - w->user_scale)) at = i;
    at = direction == 0 ? 2 : at + direction;
    w->user_scale = steps[at < 0 ? 0 : at > 9 ? 9 : at];
    w->picture.dirty = true;
    w->ui.again = true;
}

static void full_screen(Window *w, int unused) {
    (void)unused;
    w->full_screen = !w->full_screen;
    SDL_SetWindowFullscreen(w->sdl, w->full_screen ? SDL_WINDOW_FULLSCREEN_DESKTOP : 0);
}

static void set_theme(Window *w, int which) {
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

static void go_step(Window *w, int by) {
    steps_go(w, by == -2 ? 0 : by == 2 ? steps_n(w) - 1 : steps_at(w) + by);
}

static void play_pause(Window *w, int unused) {
    (void)unused;
    steps_play(w, !w->playing);
}

static void ablate(Window *w, int unused) {
    (void)unused;
    Place head = window_head(w);
    double factor;
    edit_head_factor(w, head, &factor);
    edit_set_factor(w, head, factor == 0 ? 1 : 0);
}

static void scale_head(Window *w, int tenths) {
    Place head = window_head(w);
    double factor;
    edit_head_factor(w, head, &factor);
    factor = round(factor * 10 + tenths) / 10;
    edit_set_factor(w, head, fmin(2, fmax(0, factor)));
}

static void set_cell(Window *w, int unused) {
    (void)unused;
    edit_set_weight(w, window_selected(w), 1);
}

static void clear_edits(Window *w, int unused) {
    (void)unused;
    edit_clear(w);
}

static void undo(Window *w, int unused) {
    (void)unused;
    window_remember(w);
    const char *text = history_undo(w->history);
    if (text) window_state_text(w, text, "undo");
}

static void redo(Window *w, int unused) {
    (void)unused;
    const char *text = history_redo(w->history);
    if (text) window_state_text(w, text, "redo");
}

static void copy_command(Window *w, int unused) {
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

static void quit(Window *w, int unused) {
    (void)unused;
    w->quit = true;
}

static void cancel(Window *w, int unused) {
    (void)unused;
    worker_cancel(w->worker, SLOT_RUN);
    w->run_since_ms = 0;
}

static void own_target(Window *w, int unused) {
    (void)unused;
    w->target_own = true;
    window_state_from_fields(w);
}

static void step_line(Window *w, int by) {
    if (w->n_lines > 0) lines_go(w, w->at_line + by);
}

/* The tree is of a search with beams: asks for one where there is none yet. */
static void open_beam(Window *w, int n) {
    if (!has_beams(w) && w->state.beam < 2) w->state.beam = n;
    panel_open(w, PANEL_BEAM);
}

static void beams(Window *w, int n) {
    w->state.beam = n;
    if (n > 1) panel_open(w, PANEL_BEAM);
}

static void unlock(Window *w, int unused) {
    (void)unused;
    w->state.locked = false;
    w->state.selection = place_none();
    w->state.step = -1;
    picture_refocus(w);
}

static void heads_only(Window *w, int unused) {
    (void)unused;
    heads_toggle(w, window_head(w), true);
}

static void continue_text(Window *w, int n) {
    w->state.max_new_tokens = n;
}

/* Moves the locked cell by keys: the whole window can be used without a mouse. */
static void move_selection(Window *w, int direction) {
    Place p = window_selected(w);
    Place head = window_head(w);
    if (p.layer < 0) p = head;
    const Summary *s = pass_summary(w->pass, &head);
    if (!s || p.layer < 0) return;
    int q = p.query, k = p.key;
    if (direction == 0) q = q > 0 ? q - 1 : 0;
    if (direction == 1) q = q + 1 < s->n_queries ? q + 1 : (int)s->n_queries - 1;
    if (direction == 2) k = k > 0 ? k - 1 : 0;
    if (direction == 3) k = k + 1 < s->n_keys ? k + 1 : (int)s->n_keys - 1;
    p.query = q;
    p.key = k;
    w->hover = place_none();
    w->state.selection = p;
    w->state.locked = true;
    picture_refocus(w);
}

#define ANY ACTION_ANYWHERE
#define PIC ACTION_PICTURE
const Action actions[] = {
    {"open", "Open a model, a trace or a file of sentences…", "Files", ANY, SDLK_o, true, false,
     false, open_panel, PANEL_OPEN, NULL},
    {"export.png", "Export the picture as PNG…", "Files", ANY, SDLK_e, true, true, false,
     open_export, SAVE_PNG, has_picture},
    {"export.svg", "Export the picture as SVG…", "Files", ANY, SDLK_e, true, false, true,
     open_export, SAVE_SVG, has_picture},
    {"copy.command", "Copy the command line that draws this picture", "Files", ANY, SDLK_c, true,
     true, false, copy_command, 0, NULL},
    {"export.window", "Export a picture of the whole window…", "Files", ANY, SDLK_F12, false, false,
     false, open_export, SAVE_WINDOW, NULL},
    {"session.save", "Save the session as a file…", "Files", ANY, SDLK_s, true, false, false,
     open_export, SAVE_SESSION, NULL},
    {"lines", "Sentences of the open file", "Files", ANY, SDLK_l, true, true, false, open_panel,
     PANEL_LINES, has_lines},
    {"lines.next", "Next sentence of the file", "Files", ANY, SDLK_PAGEDOWN, true, false, false,
     step_line, 1, has_lines},
    {"lines.back", "Sentence before", "Files", ANY, SDLK_PAGEUP, true, false, false, step_line, -1,
     has_lines},
    {"quit", "Close the window", "Files", ANY, SDLK_q, true, false, false, quit, 0, NULL},

    {"palette", "All commands", "Window", ANY, SDLK_k, true, false, false, open_panel,
     PANEL_PALETTE, NULL},
    {"help", "Keys", "Window", ANY, SDLK_F1, false, false, false, open_panel, PANEL_HELP, NULL},
    {"options", "Options of this view", "Window", ANY, SDLK_COMMA, true, false, false, open_panel,
     PANEL_OPTIONS, NULL},
    {"full", "Full screen", "Window", ANY, SDLK_F11, false, false, false, full_screen, 0, NULL},
    {"scale.up", "Everything larger", "Window", ANY, SDLK_PLUS, true, false, false, set_scale, 1,
     NULL},
    {"scale.down", "Everything smaller", "Window", ANY, SDLK_MINUS, true, false, false, set_scale,
     -1, NULL},
    {"scale.reset", "Everything at 100 %", "Window", ANY, SDLK_0, true, false, false, set_scale, 0,
     NULL},
    {"theme.next", "Next theme", "Window", ANY, SDLK_t, true, true, false, set_theme, -1, NULL},
    {"theme.light", "Light theme", "Window", ANY, 0, false, false, false, set_theme, 0, NULL},
    {"theme.dark", "Dark theme", "Window", ANY, 0, false, false, false, set_theme, 1, NULL},
    {"theme.projector", "Projector theme", "Window", ANY, 0, false, false, false, set_theme, 2,
     NULL},
    {"undo", "Undo the last choice", "Window", PIC, SDLK_z, true, false, false, undo, 0, can_undo},
    {"redo", "Redo", "Window", PIC, SDLK_y, true, false, false, redo, 0, can_redo},
    {"cancel", "Stop the run", "Window", ANY, SDLK_PERIOD, true, false, false, cancel, 0, is_busy},
    {"inspector", "Inspector as a drawer", "Window", ANY, SDLK_i, true, false, false, open_panel,
     PANEL_INSPECTOR, NULL},

    {"focus.source", "To the sentence", "Text", ANY, SDLK_l, true, false, false, focus_field, 0,
     NULL},
    {"focus.target", "To the target", "Text", ANY, SDLK_r, true, false, false, focus_field, 1,
     NULL},
    {"focus.picture", "To the picture", "Text", ANY, SDLK_p, true, false, false, focus_picture, 0,
     NULL},
    {"target.own", "Back to the model's own words", "Text", ANY, SDLK_r, true, true, false,
     own_target, 0, NULL},
    {"continue", "Let the model go on for 20 tokens", "Text", ANY, SDLK_g, true, false, false,
     continue_text, 20, has_model},

    {"view.next", "Next view", "Picture", ANY, SDLK_TAB, true, false, false, step_view, 1, NULL},
    {"view.back", "View before", "Picture", ANY, SDLK_TAB, true, true, false, step_view, -1, NULL},
    {"attention.encoder", "Encoder attention", "Picture", PIC, SDLK_e, false, false, false,
     set_attention, 0, has_model},
    {"attention.decoder", "Decoder attention", "Picture", PIC, SDLK_d, false, false, false,
     set_attention, 1, has_model},
    {"attention.cross", "Cross-attention", "Picture", PIC, SDLK_c, false, false, false,
     set_attention, 2, has_model},
    {"layer.back", "Layer before", "Picture", PIC, SDLK_UP, false, false, false, step_layer, -1,
     has_picture},
    {"layer.next", "Next layer", "Picture", PIC, SDLK_DOWN, false, false, false, step_layer, 1,
     has_picture},
    {"head.back", "Head before", "Picture", PIC, SDLK_LEFT, false, false, false, step_head, -1,
     has_picture},
    {"head.next", "Next head", "Picture", PIC, SDLK_RIGHT, false, false, false, step_head, 1,
     has_picture},
    {"head.alone", "Only this head", "Picture", PIC, SDLK_s, false, false, false, heads_only, 0,
     has_head},
    {"select.up", "Query before", "Picture", PIC, SDLK_UP, false, true, false, move_selection, 0,
     has_picture},
    {"select.down", "Next query", "Picture", PIC, SDLK_DOWN, false, true, false, move_selection, 1,
     has_picture},
    {"select.left", "Key before", "Picture", PIC, SDLK_LEFT, false, true, false, move_selection, 2,
     has_picture},
    {"select.right", "Next key", "Picture", PIC, SDLK_RIGHT, false, true, false, move_selection, 3,
     has_picture},
    {"unlock", "Release the selection", "Picture", PIC, SDLK_BACKSPACE, false, false, false, unlock,
     0, NULL},
    {"units", "Pieces or words", "Picture", PIC, SDLK_w, false, false, false, toggle_units, 0,
     NULL},
    {"rows", "Rows named by what is read or written", "Picture", PIC, SDLK_r, false, false, false,
     toggle_rows, 0, NULL},
    {"hide.special", "Hide or show special tokens", "Picture", PIC, SDLK_h, false, false, false,
     toggle_flag, 0, NULL},
    {"hide.punctuation", "Hide or show punctuation", "Picture", PIC, 0, false, false, false,
     toggle_flag, 5, NULL},
    {"transpose", "Swap rows and columns", "Picture", PIC, SDLK_t, false, false, false, toggle_flag,
     1, NULL},
    {"numbers", "Numbers in the cells", "Picture", PIC, SDLK_n, false, false, false, toggle_flag, 2,
     NULL},
    {"raw", "The vocabulary's own strings", "Picture", PIC, SDLK_u, false, false, false,
     toggle_flag, 3, NULL},
    {"ribbons", "Ribbons or lines", "Picture", PIC, SDLK_b, false, false, false, toggle_flag, 4,
     NULL},
    {"zoom.in", "Zoom in", "Picture", PIC, SDLK_PLUS, false, false, false, zoom, 1, has_picture},
    {"zoom.out", "Zoom out", "Picture", PIC, SDLK_MINUS, false, false, false, zoom, -1,
     has_picture},
    {"fit", "Fit", "Picture", PIC, SDLK_f, false, false, false, fit, 0, NULL},
    {"pan.left", "Pan left", "Picture", ANY, SDLK_LEFT, false, false, true, pan, 0, has_picture},
    {"pan.right", "Pan right", "Picture", ANY, SDLK_RIGHT, false, false, true, pan, 1, has_picture},
    {"pan.up", "Pan up", "Picture", ANY, SDLK_UP, false, false, true, pan, 2, has_picture},
    {"pan.down", "Pan down", "Picture", ANY, SDLK_DOWN, false, false, true, pan, 3, has_picture},

    {"heads", "List of all heads", "Heads", ANY, SDLK_h, true, false, false, open_panel,
     PANEL_HEADS, has_model},
    {"ablate", "Switch this head off, or on again", "Heads", PIC, SDLK_a, false, false, false,
     ablate, 0, has_head},
    {"weaken", "Scale this head down", "Heads", PIC, SDLK_LEFTBRACKET, false, false, false,
     scale_head, -1, has_head},
    {"strengthen", "Scale this head up", "Heads", PIC, SDLK_RIGHTBRACKET, false, false, false,
     scale_head, 1, has_head},
    {"set", "Set the chosen weight to 1", "Heads", PIC, SDLK_1, false, true, false, set_cell, 0,
     has_cell},
    {"edits.clear", "Take all changes back", "Heads", PIC, SDLK_x, false, false, false, clear_edits,
     0, has_edits},

    {"play", "Play or pause", "Steps", PIC, SDLK_SPACE, false, false, false, play_pause, 0,
     has_steps},
    {"step.back", "Step back", "Steps", PIC, SDLK_COMMA, false, false, false, go_step, -1,
     has_steps},
    {"step.next", "Next step", "Steps", PIC, SDLK_PERIOD, false, false, false, go_step, 1,
     has_steps},
    {"step.first", "First step", "Steps", PIC, SDLK_HOME, false, false, false, go_step, -2,
     has_steps},
    {"step.last", "Last step", "Steps", PIC, SDLK_END, false, false, false, go_step, 2, has_steps},
    {"beam", "The beam as a tree", "Steps", ANY, SDLK_b, true, false, false, open_beam, 4,
     writes_words},
    {"beam.4", "Search with four beams", "Steps", PIC, 0, false, false, false, beams, 4, has_model},
    {"beam.1", "Greedy: no beams", "Steps", PIC, 0, false, false, false, beams, 1, has_model},
    {0}};

const Action *action_find(const char *name) {
    for (const Action *a = actions; a->name; a++)
        if (strcmp(a->name, name) == 0) return a;
    return NULL;
}

bool action_enabled(const Window *w, const Action *action) {
    return !action->enabled || action->enabled(w);
}

bool action_run(Window *w, const char *name) {
    const Action *action = action_find(name);
    if (!action && strncmp(name, "view.", 5) == 0) {
        const View *view = view_find(name + 5);
        if (!view) return false;
        state_put_text(&w->state.view, view->name);
        w->ui.again = true;
        return true;
    }
    if (!action || !action_enabled(w, action)) return false;
    action->run(w, action->argument);
    w->ui.again = true;
    return true;
}

const char *action_keys(const Action *a, char buffer[48]) {
    buffer[0] = 0;
    if (!a->key) return buffer;
    const char *name = a->key == SDLK_PLUS    ? "+"
                       : a->key == SDLK_MINUS ? "-"
                                              : SDL_GetKeyName(a->key);
    snprintf(buffer, 48, "%s%s%s%s", a->ctrl ? "Ctrl+" : "", a->alt ? "Alt+" : "",
             a->shift ? "Shift+" : "", name);
    return buffer;
}

/* ---- keys ---- */

static bool in_field(const Window *w) {
    return w->ui.text_wanted || w->panel != PANEL_NONE;
}

/* A field has its own undo and its own copying. */
static bool is_editing_key(const UiEvent *e) {
    if (!e->ctrl || e->alt) return false;
    switch (e->key) {
    case SDLK_a:
    case SDLK_c:
    case SDLK_x:
    case SDLK_v:
    case SDLK_z:
    case SDLK_y:
        return e->key != SDLK_c || !e->shift;
    default:
        return false;
    }
}

static SDL_Keycode plain_key(SDL_Keycode key) {
    switch (key) {
    case SDLK_EQUALS: /* the key of + on many keyboards */
    case SDLK_KP_PLUS:
        return SDLK_PLUS;
    case SDLK_KP_MINUS:
        return SDLK_MINUS;
    case SDLK_KP_0:
        return SDLK_0;
    default:
        return key;
    }
}

static bool take_digit(Window *w, const UiEvent *e, bool picture) {
    if (e->key < SDLK_1 || e->key > SDLK_9 || e->ctrl || e->shift) return false;
    if (!e->alt && !picture) return false;
    set_view(w, e->key - SDLK_1);
    return true;
}

static void take(Window *w, ActionWhere where) {
    bool field = where == ACTION_ANYWHERE ? w->ui.text_had : w->ui.text_wanted;
    for (int i = 0; i < w->ui.in.n_events; i++) {
        UiEvent *e = &w->ui.in.events[i];
        if (e->used || e->kind != UI_KEY) continue;
        if (field && is_editing_key(e)) continue;
        if (take_digit(w, e, where == ACTION_PICTURE)) {
            e->used = w->ui.again = true;
            continue;
        }
        SDL_Keycode key = plain_key(e->key);
        bool plus = key == SDLK_PLUS;
        for (const Action *a = actions; a->name; a++) {
            if (a->where != where || a->key != key || a->ctrl != e->ctrl || a->alt != e->alt ||
                (a->shift != e->shift && !plus))
                continue;
            e->used = true;
            if (action_enabled(w, a)) a->run(w, a->argument);
            w->ui.again = true;
            break;
        }
    }
}

void actions_keys(Window *w) {
    if (w->ui.menu.owner) return;
    /* The text field of the frame before decides whose letters these are. */
    take(w, ACTION_ANYWHERE);
}

void actions_late_keys(Window *w) {
    if (w->ui.menu.owner || in_field(w)) return;
    take(w, ACTION_PICTURE);
}
