/* Generation step by step: where the eye is, and other candidates than the model's own. */
#include "app/window/steps.h"

#include <stdlib.h>

#include "app/window/input.h"
#include "app/window/picture.h"

int steps_n(const Window *w) {
    return w->pass ? w->pass->n_steps : 0;
}

/* Does the place's query belong to what is written step by step? */
static bool is_stepped(const Window *w, const Place *place) {
    return steps_n(w) > 0 && place->query >= 0 &&
           (place->stack == STACK_DECODER || place->cross || place->stack == STACK_BLOCKS);
}

int steps_at(const Window *w) {
    int n = steps_n(w);
    const Place *locked = &w->state.selection;
    if (w->state.step >= 0 && w->state.step < n) return w->state.step;
    if (w->state.locked && is_stepped(w, locked) && locked->query < n) return locked->query;
    return n - 1;
}

bool steps_reached(const Window *w, const Place *place) {
    return w->state.step < 0 || !is_stepped(w, place) || place->query <= w->state.step;
}

void steps_go(Window *w, int step) {
    int n = steps_n(w);
    if (n < 1) return;
    w->state.step = step < 0 ? 0 : step >= n ? n - 1 : step;
    state_unselect(&w->state);
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

/* ---- another candidate ---- */

typedef struct ChooseJob {
    Pass *pass;
    int step;
    int32_t id;
    bool two; /* encoder-decoder */
    Arena *arena;
    Str text;
} ChooseJob;

/* The words up to the step, then the candidate, then what the model goes on with: a forced target
 * that ended with the candidate would end there, so the model is asked for the rest. */
static bool choose_work(void *data, const Progress *progress, Error *error) {
    ChooseJob *job = data;
    const Pass *pass = job->pass;
    const Subject *subject = pass->loaded->subject;
    int32_t start = subject->model->config.generation.start_id;
    int32_t *ids = arena_alloc(job->arena, ((size_t)job->step + 3) * sizeof *ids);
    int n = 0;
    if (job->two && start >= 0) ids[n++] = start;
    if (!job->two) ids[n++] = trace_source(pass->trace).items[0].id;
    for (int i = 0; i < job->step; i++)
        ids[n++] = pass->steps[i].id;
    ids[n++] = job->id;
    if (!job->two) {
        job->text = subject_decode(subject, ids, n, job->arena);
        return true;
    }
    Input input = {.source = trace_source(pass->trace)};
    GenerateOptions options = {.prompt = ids, .n_prompt = n, .progress = *progress};
    Generation out;
    if (!generate(subject->model, &input, &options, job->arena, &out, error)) return false;
    job->text = subject_decode(subject, out.ids, out.n, job->arena);
    return true;
}

static void choose_done(void *context, void *data, bool ok, const Error *error) {
    Window *w = context;
    ChooseJob *job = data;
    if (!ok) {
        window_notice(w, true, "%s", error->message);
        return;
    }
    if (job->two) w->target_own = false;
    textedit_replace(job->two ? &w->target.edit : &w->source.edit, job->text);
    input_from_fields(w);
    /* The strip stands at the choice; what came of it is all there. */
    if (job->two) {
        Place p = window_head(w);
        p.query = job->step;
        w->state.selection = p;
        w->state.locked = p.stack == STACK_DECODER || p.cross;
    }
    w->ui.again = true;
}

static void choose_drop(void *data) {
    ChooseJob *job = data;
    pass_release(job->pass);
    arena_free(job->arena);
    free(job);
}

void steps_choose(Window *w, int step, int32_t id) {
    const Model *model = window_model(w);
    if (!model || !w->pass || !w->pass->loaded || step < 0 || step >= steps_n(w)) return;
    ChooseJob *job = calloc(1, sizeof *job);
    if (!job) abort();
    job->pass = pass_retain(w->pass);
    job->step = step;
    job->id = id;
    job->two =
        model->config.family == FAMILY_ENCODER_DECODER || model->config.family == FAMILY_RECURRENT;
    job->arena = arena_new();
    worker_submit(w->worker, (Job){SLOT_SCAN, job, choose_work, choose_done, choose_drop});
}
