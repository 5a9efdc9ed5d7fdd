/* What the window's choices mean: changes of the state, undo, and which job a change asks for. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "app/window/input.h"
#include "app/window/jobs.h"
#include "app/window/window.h"
#include "model/base/file.h"
#include "render/export.h"

/* ---- fields and state ---- */

void window_fields_from_state(Window *w) {
    const State *s = &w->state;
    input_to_field(w);
    textedit_set(&w->pair.edit, s->text_pair ? str(s->text_pair) : (Str){"", 0});
    w->target_own = s->target_text == NULL;
    Str own = w->pass && w->target_own && !s->from ? w->pass->own : (Str){"", 0};
    textedit_set(&w->target.edit, s->target_text ? str(s->target_text) : own);
}

static bool put(char **field, const TextEdit *edit) {
    Str text = textedit_text(edit);
    if (text.n ? *field && strlen(*field) == text.n && memcmp(*field, text.data, text.n) == 0
               : !*field)
        return false;
    state_put_text(field, text.n ? text.data : NULL);
    return true;
}

void window_state_from_fields(Window *w) {
    State *s = &w->state;
    bool changed = input_from_field(w);
    changed = put(&s->text_pair, &w->pair.edit) || changed;
    if (w->target_own)
        state_put_text(&s->target_text, NULL);
    else
        changed = put(&s->target_text, &w->target.edit) || changed;
    if (!changed) return;
    /* Another text has other steps and other words to select. */
    s->step = -1;
    s->locked = false;
    s->selection = place_none();
}

void window_set_text(Window *w, const char *text, const char *target) {
    if (w->state.text) settings_recent(w->settings.sentences, w->state.text);
    StrBuf clean = {0}, clean_target = {0};
    textedit_clean(str(text), &clean);
    if (target) textedit_clean(str(target), &clean_target);
    state_put_text(&w->state.text, clean.n ? clean.data : NULL);
    state_put_text(&w->state.target_text, clean_target.n ? clean_target.data : NULL);
    strbuf_free(&clean);
    strbuf_free(&clean_target);
    state_put_text(&w->state.text_pair, NULL);
    state_put_text(&w->state.inputs, NULL);
    state_put_text(&w->state.from, NULL);
    w->state.step = -1;
    w->state.locked = false;
    w->state.selection = place_none();
    window_fields_from_state(w);
    w->ui.again = true;
}

bool window_state_text(Window *w, const char *json, const char *where) {
    json_error_t at;
    Error error = {0};
    json_t *root = json_loads(json, 0, &at);
    State next;
    state_init(&next);
    if (!root) error_set(&error, ERROR_INPUT, "%s: line %d: %s", where, at.line, at.text);
    bool ok = root && state_merge(&next, root, where, &error);
    if (ok) {
        bool other = (next.model != NULL) != (w->state.model != NULL) ||
                     (next.model && strcmp(next.model, w->state.model) != 0);
        if (!next.view) state_put_text(&next.view, "cross");
        state_copy(&w->state, &next);
        window_fields_from_state(w);
        picture_refocus(w);
        if (other) window_load(w, w->state.model);
    } else {
        window_notice(w, true, "%s", error.message);
    }
    state_free(&next);
    json_decref(root);
    w->ui.again = true;
    return ok;
}

/* ---- what a change asks for ---- */

static bool same_text(const char *a, const char *b) {
    return (!a && !b) || (a && b && strcmp(a, b) == 0);
}

static bool same_list(const StateList *a, const StateList *b) {
    if (a->n != b->n) return false;
    for (int i = 0; i < a->n; i++)
        if (strcmp(a->items[i], b->items[i]) != 0) return false;
    return true;
}

/* All that a run reads. */
static bool same_run(const State *a, const State *b) {
    return same_text(a->text, b->text) && same_text(a->text_pair, b->text_pair) &&
           same_text(a->target_text, b->target_text) && same_text(a->to, b->to) &&
           same_text(a->source_language, b->source_language) && same_text(a->inputs, b->inputs) &&
           a->row == b->row && same_text(a->image, b->image) && same_text(a->audio, b->audio) &&
           same_text(a->from, b->from) && same_text(a->against, b->against) &&
           same_list(&a->edits, &b->edits) && a->beam == b->beam &&
           a->max_new_tokens == b->max_new_tokens;
}

/* Views whose content, not only its emphasis, is that of the chosen token. */
static bool follows_selection(const Window *w) {
    const View *view = window_view(w);
    return strcmp(view->name, "sentence") == 0 || strcmp(view->name, "neuron") == 0 ||
           strcmp(view->name, "steps") == 0 || strcmp(view->name, "patches") == 0 ||
           strcmp(view->name, "audio") == 0;
}

static bool same_picture(Window *w) {
    State *a = &w->state, *b = &w->asked_draw;
    b->selection = a->selection;
    b->locked = a->locked;
    Place selected = window_selected(w);
    if (follows_selection(w) && !place_equal(&selected, &w->asked_place)) return false;
    double width, height;
    picture_wanted(w, &width, &height);
    bool resized =
        w->shown && (fabs(width - w->asked_width) >= 1 || fabs(height - w->asked_height) >= 1);
    return state_equal(a, b) && !resized;
}

/* A view may need activations that the last run did not keep. */
static bool keeps_enough(Window *w) {
    if (!w->pass || !w->pass->sites_key || !w->loaded) return true;
    Arena *arena = arena_new();
    const char *const *sites = view_sites(window_view(w), &w->state, window_model(w), arena);
    char *key = pass_sites_key(sites);
    bool enough = strncmp(w->pass->sites_key, key, strlen(key)) == 0;
    free(key);
    arena_free(arena);
    return enough;
}

void window_sync(Window *w) {
    if (worker_busy(w->worker, SLOT_LOAD)) return;
    bool can_run = (w->loaded && input_there(w)) || w->state.from;
    if (!can_run && !w->pass && !w->loaded) return;
    bool running = worker_busy(w->worker, SLOT_RUN);
    if (can_run && !same_run(&w->state, &w->asked_run)) {
        job_run(w);
        return;
    }
    if (same_picture(w)) return;
    if (can_run && (running || !keeps_enough(w)))
        job_run(w);
    else
        job_draw(w);
    if (!running) window_remember(w);
}

void window_remember(Window *w) {
    State quiet;
    state_init(&quiet);
    state_copy(&quiet, &w->state);
    quiet.selection = place_none();
    quiet.locked = false;
    char *text = state_text(&quiet);
    /* While someone types, the letters are the field's to undo. */
    bool typing = w->ui.focus == ui_id("source", 0) || w->ui.focus == ui_id("target", 0) ||
                  w->ui.focus == ui_id("pair", 0);
    if (typing)
        history_touch(w->history, text);
    else
        history_push(w->history, text);
    free(text);
    state_free(&quiet);
}

/* ---- opening ---- */

void window_load(Window *w, const char *name) {
    w->first_load = w->loaded == NULL;
    if (!w->first_load) window_notice(w, false, "Opening %s …", name ? name : "the shipped model");
    job_load(w, name);
}

static bool has_extension(const char *path, const char *list) {
    const char *e = path_extension(path);
    if (!*e) return false;
    const char *at = strstr(list, e);
    size_t n = strlen(e);
    return at && (at[n] == ' ' || at[n] == 0);
}

bool session_read(State *state, const char *path, Error *error) {
    if (has_extension(path, ".json")) return state_load(state, path, error);
    Arena *arena = arena_new();
    Str spec;
    bool ok = export_read_spec(path, arena, &spec, error);
    json_error_t at;
    json_t *root = ok ? json_loadb(spec.data, spec.n, 0, &at) : NULL;
    if (ok && !root)
        ok = error_set(error, ERROR_INPUT, "%s: its spec is no JSON: %s", path, at.text);
    ok = ok && state_merge(state, root, path, error);
    json_decref(root);
    arena_free(arena);
    return ok;
}

static bool open_session(Window *w, const char *path, Error *error) {
    State next;
    state_init(&next);
    bool ok = session_read(&next, path, error);
    if (ok) {
        char *text = state_text(&next);
        window_state_text(w, text, path);
        free(text);
    }
    state_free(&next);
    return ok;
}

static void open_sense(Window *w, char **field, const char *path, InputKind kind) {
    if (w->loaded && input_kind(w) != kind) {
        window_notice(w, true, "%s: the open model does not %s; open one that does (Ctrl+O)", path,
                      kind == INPUT_PICTURE ? "look at pictures" : "listen to sounds");
        return;
    }
    state_put_text(field, path);
    window_fields_from_state(w);
}

/* Attentions from a file: the fields are empty, for what stands in them is not what is drawn. */
static void open_trace(Window *w, const char *path) {
    state_put_text(&w->state.from, path);
    w->state.step = -1;
    w->state.locked = false;
    w->state.selection = place_none();
    window_fields_from_state(w);
}

void window_open_path(Window *w, const char *path) {
    if (path[0] == '~' && path[1] == '/' && getenv("HOME")) {
        char full[4096];
        snprintf(full, sizeof full, "%s%s", getenv("HOME"), path + 1);
        window_open_path(w, full);
        return;
    }
    Error error = {0};
    if (file_is_folder(path) || has_extension(path, ".gguf .bin .pt .pth")) {
        window_load(w, path);
        return;
    }
    if (!file_exists(path)) {
        /* A name on the Hub looks like no path that is there. */
        window_load(w, path);
        return;
    }
    if (!w->loaded && !worker_busy(w->worker, SLOT_LOAD)) window_load(w, w->state.model);
    if (has_extension(path, ".svg .pdf .png .html") && open_session(w, path, &error)) return;
    if (has_extension(path, ".svg .pdf .html")) {
        window_notice(w, true, "%s", error.message);
    } else if (has_extension(path, ".safetensors .npz")) {
        open_trace(w, path);
    } else if (has_extension(path, ".png .jpg .jpeg")) {
        open_sense(w, &w->state.image, path, INPUT_PICTURE);
    } else if (has_extension(path, ".wav .flac")) {
        open_sense(w, &w->state.audio, path, INPUT_SOUND);
    } else if (has_extension(path, ".json")) {
        /* A session, or attentions from elsewhere. */
        if (!open_session(w, path, &error)) open_trace(w, path);
    } else {
        Error unread = {0};
        if (!lines_load(w, path, &unread)) window_notice(w, true, "%s", unread.message);
    }
    w->ui.again = true;
}

void window_export(Window *w, const char *path) {
    char folder[1024];
    snprintf(folder, sizeof folder, "%s", path);
    char *slash = strrchr(folder, '/');
    if (slash && slash != folder) {
        *slash = 0;
        snprintf(w->settings.folder, sizeof w->settings.folder, "%s", folder);
    }
    job_export(w, path);
}

void window_values(Window *w, const char *hook) {
    if (!w->loaded) return;
    job_values(w, hook);
}

void window_go_head(Window *w, Place head) {
    char text[16];
    State *s = &w->state;
    w->hover = place_none();
    w->ui.again = true;
    if (strcmp(window_view(w)->name, "model") == 0 && head.layer >= 0 && head.head >= 0) {
        /* All heads are in sight already: this one is picked out. */
        s->selection = place_of_head(head, head.layer, head.head);
        s->locked = true;
        picture_refocus(w);
        return;
    }
    state_put_text(&s->heads, NULL);
    if (head.layer >= 0) {
        snprintf(text, sizeof text, "%d", head.layer);
        state_put_text(&s->layer, text);
    }
    if (head.head >= 0) {
        snprintf(text, sizeof text, "%d", head.head);
        state_put_text(&s->head, text);
    }
    const Model *model = window_model(w);
    bool two =
        model && model_has_stack(model, STACK_DECODER) && model_has_stack(model, STACK_ENCODER);
    if (two) state_put_text(&s->attention, place_attention_name(&head));
    s->locked = false;
    s->selection = place_none();
    w->hover = place_none();
    w->ui.again = true;
}
