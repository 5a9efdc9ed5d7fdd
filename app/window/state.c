/* Another state for the window, and which job a change of the state asks for. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "app/window/input.h"
#include "app/window/jobs.h"
#include "app/window/picture.h"

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
        input_to_fields(w);
        picture_refocus(w);
        if (other) job_load(w, w->state.model);
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

/* The sites that a state's view needs, as a pass writes down what it kept; to be freed. */
static char *needed(Window *w, const State *state) {
    Arena *arena = arena_new();
    const View *view = state->view ? view_find(state->view) : NULL;
    char *key = pass_sites_key(view ? view_sites(view, state, window_model(w), arena) : NULL);
    arena_free(arena);
    return key;
}

/* A view may need activations that the last run did not keep. */
static bool keeps_enough(Window *w) {
    if (!w->pass || !w->pass->sites_key || !w->loaded) return true;
    char *key = needed(w, &w->state);
    bool enough = strncmp(w->pass->sites_key, key, strlen(key)) == 0;
    free(key);
    return enough;
}

/* The same of the run on its way: its picture is then laid out anew when it is there, and nothing
 * of it is lost for a window that has another size or a pointer that moves. */
static bool will_keep_enough(Window *w) {
    if (!w->loaded) return true;
    char *wanted = needed(w, &w->state), *asked = needed(w, &w->asked_run);
    bool enough = strncmp(asked, wanted, strlen(wanted)) == 0;
    free(wanted);
    free(asked);
    return enough;
}

/* Of an emptied field there is no picture: in its place stands what to do. */
static void forget_run(Window *w) {
    worker_cancel(w->worker, SLOT_RUN);
    worker_cancel(w->worker, SLOT_SCORE);
    pass_release(w->pass);
    w->pass = NULL;
    w->run_since_ms = 0;
    w->run_error[0] = 0;
    w->playing = false;
    if (w->target_own) textedit_set(&w->target.edit, (Str){"", 0});
    state_copy(&w->asked_run, &w->state);
}

void window_sync(Window *w) {
    if (worker_busy(w->worker, SLOT_LOAD)) return;
    bool can_run = (w->loaded && input_there(w)) || w->state.from;
    if (!can_run && !w->pass && !w->loaded) return;
    if (!can_run && (w->pass || worker_busy(w->worker, SLOT_RUN))) forget_run(w);
    /* The part of one view that was looked at says nothing of another. */
    if (w->picture.touched && !same_text(w->state.view, w->asked_draw.view)) picture_fit(w);
    bool running = worker_busy(w->worker, SLOT_RUN);
    if (can_run && !same_run(&w->state, &w->asked_run)) {
        job_run(w);
        return;
    }
    if (same_picture(w) || (running && will_keep_enough(w))) return;
    if (can_run && (running || !keeps_enough(w)))
        job_run(w);
    else
        job_draw(w);
    if (!running) window_remember(w);
}
