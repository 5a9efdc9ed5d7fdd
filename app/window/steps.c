/* Generation step by step: where the eye is, and other candidates than the model's own. */
#include <math.h>
#include <string.h>

#include "app/window/window.h"

int steps_n(const Window *w) {
    return w->pass ? w->pass->n_steps : 0;
}

int steps_at(const Window *w) {
    int n = steps_n(w);
    return w->state.step < 0 || w->state.step >= n ? n - 1 : w->state.step;
}

void steps_go(Window *w, int step) {
    int n = steps_n(w);
    if (n < 1) return;
    w->state.step = step < 0 ? 0 : step >= n ? n - 1 : step;
    w->state.locked = false;
    w->state.selection = place_none();
    w->hover = place_none();
    picture_refocus(w);
    w->ui.again = true;
}

void steps_play(Window *w, bool play) {
    if (play && steps_n(w) < 2) return;
    if (play && steps_at(w) >= steps_n(w) - 1) steps_go(w, 0);
    w->playing = play;
    w->next_step_ms = window_now_ms() + 700;
    w->ui.again = true;
}

/* The words up to the step, then the candidate, then what the model goes on with: a forced target
 * that ends with the candidate would end there, so the model is asked for the rest first. */
void steps_choose(Window *w, int step, int32_t id) {
    const Model *model = window_model(w);
    if (!model || step < 0 || step >= steps_n(w)) return;
    Arena *arena = arena_new();
    const Subject *subject = w->loaded->subject;
    bool two =
        model->config.family == FAMILY_ENCODER_DECODER || model->config.family == FAMILY_RECURRENT;
    int32_t *ids = arena_alloc(arena, ((size_t)step + 3) * sizeof *ids);
    int n = 0;
    if (two && model->config.generation.start_id >= 0) ids[n++] = model->config.generation.start_id;
    if (!two) ids[n++] = trace_source(w->pass->trace).items[0].id;
    for (int i = 0; i < step; i++)
        ids[n++] = w->pass->steps[i].id;
    ids[n++] = id;
    Input input = {.source = trace_source(w->pass->trace)};
    GenerateOptions options = {.prompt = ids, .n_prompt = n};
    Generation out;
    Error error = {0};
    Str text = {0};
    if (two && generate(model, &input, &options, arena, &out, &error))
        text = subject_decode(subject, out.ids, out.n, arena);
    else if (!two)
        text = subject_decode(subject, ids, n, arena);
    if (!error_ok(&error)) {
        window_notice(w, true, "%s", error.message);
    } else if (two) {
        w->target_own = false;
        textedit_replace(&w->target.edit, text);
        window_state_from_fields(w);
        w->state.step = step;
    } else {
        textedit_replace(&w->source.edit, text);
        window_state_from_fields(w);
    }
    arena_free(arena);
    w->ui.again = true;
}
