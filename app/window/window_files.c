/* What lies at a path is opened as what it is: a model, a session, a trace, a picture, a sound, or
 * sentences. */
#include <stdlib.h>
#include <string.h>

#include "app/window/input.h"
#include "app/window/jobs.h"
#include "app/window/lines.h"
#include "model/base/file.h"
#include "render/export.h"

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
    input_to_fields(w);
}

/* Attentions from a file: the fields are empty, for what stands in them is not what is drawn. */
static void open_trace(Window *w, const char *path) {
    state_put_text(&w->state.from, path);
    w->state.step = -1;
    state_unselect(&w->state);
    input_to_fields(w);
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
        job_load(w, path);
        return;
    }
    if (!file_exists(path)) {
        /* A name on the Hub looks like no path that is there. */
        job_load(w, path);
        return;
    }
    if (!w->loaded && !worker_busy(w->worker, SLOT_LOAD)) job_load(w, w->state.model);
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
