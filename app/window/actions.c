/* See actions.h. A title is what the palette lists; keys follow Netron for files and zoom, llm-viz
 * for playing. */
#include "app/window/actions.h"

#include <stdlib.h>
#include <string.h>

#include "app/window/act.h"

#define ANY ACTION_ANYWHERE
#define PIC ACTION_PICTURE
const Action actions[] = {
    {"open", "Open a model, a trace or a file of sentences…", "Files", ANY, SDLK_o, true, false,
     false, act_open_panel, PANEL_OPEN, NULL},
    {"export.png", "Export the picture as PNG…", "Files", ANY, SDLK_e, true, true, false,
     act_open_export, SAVE_PNG, act_has_picture},
    {"export.svg", "Export the picture as SVG…", "Files", ANY, SDLK_e, true, false, true,
     act_open_export, SAVE_SVG, act_has_picture},
    {"copy.command", "Copy the command line that draws this picture", "Files", ANY, SDLK_c, true,
     true, false, act_copy_command, 0, NULL},
    {"export.window", "Export a picture of the whole window…", "Files", ANY, SDLK_F12, false, false,
     false, act_open_export, SAVE_WINDOW, NULL},
    {"session.save", "Save the session as a file…", "Files", ANY, SDLK_s, true, false, false,
     act_open_export, SAVE_SESSION, NULL},
    {"lines", "Sentences of the open file", "Files", ANY, SDLK_l, true, true, false, act_open_panel,
     PANEL_LINES, act_has_lines},
    {"lines.next", "Next sentence of the file", "Files", ANY, SDLK_PAGEDOWN, true, false, false,
     act_step_line, 1, act_has_lines},
    {"lines.back", "Sentence before", "Files", ANY, SDLK_PAGEUP, true, false, false, act_step_line,
     -1, act_has_lines},
    {"quit", "Close the window", "Files", ANY, SDLK_q, true, false, false, act_quit, 0, NULL},

    {"palette", "All commands", "Window", ANY, SDLK_k, true, false, false, act_open_panel,
     PANEL_PALETTE, NULL},
    {"help", "Keys", "Window", ANY, SDLK_F1, false, false, false, act_open_panel, PANEL_HELP, NULL},
    {"options", "Options of this view", "Window", ANY, SDLK_COMMA, true, false, false,
     act_open_panel, PANEL_OPTIONS, NULL},
    {"full", "Full screen", "Window", ANY, SDLK_F11, false, false, false, act_full_screen, 0, NULL},
    {"scale.up", "Everything larger", "Window", ANY, SDLK_PLUS, true, false, false, act_set_scale,
     1, NULL},
    {"scale.down", "Everything smaller", "Window", ANY, SDLK_MINUS, true, false, false,
     act_set_scale, -1, NULL},
    {"scale.reset", "Everything at 100 %", "Window", ANY, SDLK_0, true, false, false, act_set_scale,
     0, NULL},
    {"theme.next", "Next theme", "Window", ANY, SDLK_t, true, true, false, act_set_theme, -1, NULL},
    {"theme.light", "Light theme", "Window", ANY, 0, false, false, false, act_set_theme, 0, NULL},
    {"theme.dark", "Dark theme", "Window", ANY, 0, false, false, false, act_set_theme, 1, NULL},
    {"theme.projector", "Projector theme", "Window", ANY, 0, false, false, false, act_set_theme, 2,
     NULL},
    {"undo", "Undo the last choice", "Window", PIC, SDLK_z, true, false, false, act_undo, 0,
     act_can_undo},
    {"redo", "Redo", "Window", PIC, SDLK_y, true, false, false, act_redo, 0, act_can_redo},
    {"cancel", "Stop the run", "Window", ANY, SDLK_PERIOD, true, false, false, act_cancel, 0,
     act_is_busy},
    {"inspector", "Inspector as a drawer", "Window", ANY, SDLK_i, true, false, false,
     act_open_panel, PANEL_INSPECTOR, NULL},

    {"focus.source", "To the sentence", "Text", ANY, SDLK_l, true, false, false, act_focus_field, 0,
     NULL},
    {"focus.target", "To the target", "Text", ANY, SDLK_r, true, false, false, act_focus_field, 1,
     NULL},
    {"focus.picture", "To the picture", "Text", ANY, SDLK_p, true, false, false, act_focus_picture,
     0, NULL},
    {"target.own", "Back to the model's own words", "Text", ANY, SDLK_r, true, true, false,
     act_own_target, 0, NULL},
    {"continue", "Let the model go on for 20 tokens", "Text", ANY, SDLK_g, true, false, false,
     act_continue_text, 20, act_has_model},

    {"view.next", "Next view", "Picture", ANY, SDLK_TAB, true, false, false, act_step_view, 1,
     NULL},
    {"view.back", "View before", "Picture", ANY, SDLK_TAB, true, true, false, act_step_view, -1,
     NULL},
    {"attention.encoder", "Encoder attention", "Picture", PIC, SDLK_e, false, false, false,
     act_set_attention, 0, act_has_model},
    {"attention.decoder", "Decoder attention", "Picture", PIC, SDLK_d, false, false, false,
     act_set_attention, 1, act_has_model},
    {"attention.cross", "Cross-attention", "Picture", PIC, SDLK_c, false, false, false,
     act_set_attention, 2, act_has_model},
    {"layer.back", "Layer before", "Picture", PIC, SDLK_UP, false, false, false, act_step_layer, -1,
     act_has_picture},
    {"layer.next", "Next layer", "Picture", PIC, SDLK_DOWN, false, false, false, act_step_layer, 1,
     act_has_picture},
    {"head.back", "Head before", "Picture", PIC, SDLK_LEFT, false, false, false, act_step_head, -1,
     act_has_picture},
    {"head.next", "Next head", "Picture", PIC, SDLK_RIGHT, false, false, false, act_step_head, 1,
     act_has_picture},
    {"head.alone", "Only this head", "Picture", PIC, SDLK_s, false, false, false, act_heads_only, 0,
     act_has_head},
    {"select.up", "Query before", "Picture", PIC, SDLK_UP, false, true, false, act_move_selection,
     0, act_has_picture},
    {"select.down", "Next query", "Picture", PIC, SDLK_DOWN, false, true, false, act_move_selection,
     1, act_has_picture},
    {"select.left", "Key before", "Picture", PIC, SDLK_LEFT, false, true, false, act_move_selection,
     2, act_has_picture},
    {"select.right", "Next key", "Picture", PIC, SDLK_RIGHT, false, true, false, act_move_selection,
     3, act_has_picture},
    {"unlock", "Release the selection", "Picture", PIC, SDLK_BACKSPACE, false, false, false,
     act_unlock, 0, NULL},
    {"units", "Pieces or words", "Picture", PIC, SDLK_w, false, false, false, act_toggle_units, 0,
     NULL},
    {"rows", "Rows named by what is read or written", "Picture", PIC, SDLK_r, false, false, false,
     act_toggle_rows, 0, NULL},
    {"hide.special", "Hide or show special tokens", "Picture", PIC, SDLK_h, false, false, false,
     act_toggle_flag, 0, NULL},
    {"hide.punctuation", "Hide or show punctuation", "Picture", PIC, 0, false, false, false,
     act_toggle_flag, 5, NULL},
    {"transpose", "Swap rows and columns", "Picture", PIC, SDLK_t, false, false, false,
     act_toggle_flag, 1, NULL},
    {"numbers", "Numbers in the cells", "Picture", PIC, SDLK_n, false, false, false,
     act_toggle_flag, 2, NULL},
    {"raw", "The vocabulary's own strings", "Picture", PIC, SDLK_u, false, false, false,
     act_toggle_flag, 3, NULL},
    {"ribbons", "Ribbons or lines", "Picture", PIC, SDLK_b, false, false, false, act_toggle_flag, 4,
     NULL},
    {"zoom.in", "Zoom in", "Picture", PIC, SDLK_PLUS, false, false, false, act_zoom, 1,
     act_has_picture},
    {"zoom.out", "Zoom out", "Picture", PIC, SDLK_MINUS, false, false, false, act_zoom, -1,
     act_has_picture},
    {"fit", "Fit", "Picture", PIC, SDLK_f, false, false, false, act_fit, 0, NULL},
    {"pan.left", "Pan left", "Picture", ANY, SDLK_LEFT, false, false, true, act_pan, 0,
     act_has_picture},
    {"pan.right", "Pan right", "Picture", ANY, SDLK_RIGHT, false, false, true, act_pan, 1,
     act_has_picture},
    {"pan.up", "Pan up", "Picture", ANY, SDLK_UP, false, false, true, act_pan, 2, act_has_picture},
    {"pan.down", "Pan down", "Picture", ANY, SDLK_DOWN, false, false, true, act_pan, 3,
     act_has_picture},

    {"heads", "List of all heads", "Heads", ANY, SDLK_h, true, false, false, act_open_panel,
     PANEL_HEADS, act_has_model},
    {"ablate", "Switch this head off, or on again", "Heads", PIC, SDLK_a, false, false, false,
     act_ablate, 0, act_has_head},
    {"weaken", "Scale this head down", "Heads", PIC, SDLK_LEFTBRACKET, false, false, false,
     act_scale_head, -1, act_has_head},
    {"strengthen", "Scale this head up", "Heads", PIC, SDLK_RIGHTBRACKET, false, false, false,
     act_scale_head, 1, act_has_head},
    {"set", "Set the chosen weight to 1", "Heads", PIC, SDLK_1, false, true, false, act_set_cell, 0,
     act_has_cell},
    {"edits.clear", "Take all changes back", "Heads", PIC, SDLK_x, false, false, false,
     act_clear_edits, 0, act_has_edits},

    {"play", "Play or pause", "Steps", PIC, SDLK_SPACE, false, false, false, act_play_pause, 0,
     act_has_steps},
    {"step.back", "Step back", "Steps", PIC, SDLK_COMMA, false, false, false, act_go_step, -1,
     act_has_steps},
    {"step.next", "Next step", "Steps", PIC, SDLK_PERIOD, false, false, false, act_go_step, 1,
     act_has_steps},
    {"step.first", "First step", "Steps", PIC, SDLK_HOME, false, false, false, act_go_step, -2,
     act_has_steps},
    {"step.last", "Last step", "Steps", PIC, SDLK_END, false, false, false, act_go_step, 2,
     act_has_steps},
    {"beam", "The beam as a tree", "Steps", ANY, SDLK_b, true, false, false, act_open_beam, 4,
     act_writes_words},
    {"beam.4", "Search with four beams", "Steps", PIC, 0, false, false, false, act_beams, 4,
     act_has_model},
    {"beam.1", "Greedy: no beams", "Steps", PIC, 0, false, false, false, act_beams, 1,
     act_has_model},
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
    act_set_view(w, e->key - SDLK_1);
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
