#include "app/figure_scene.h"

#include "app/import.h"
#include "app/subject_options.h"
#include "model/base/file.h"

bool scene_edits(const State *state, const Model *model, Arena *arena, Edits *out, Error *error) {
    static const char *const words[EDIT_KIND_COUNT] = {
        [EDIT_ABLATE] = "ablate ",
        [EDIT_SCALE] = "scale ",
        [EDIT_PATCH] = "patch ",
        [EDIT_SET] = "set ",
    };
    *out = (Edits){0};
    for (int i = 0; i < state->edits.n; i++) {
        const char *text = state->edits.items[i];
        int kind = 0;
        while (kind < EDIT_KIND_COUNT && !str_starts(str(text), words[kind]))
            kind++;
        if (kind == EDIT_KIND_COUNT)
            return error_set(error, ERROR_INPUT,
                             "edit '%.60s': expected ablate, scale, patch or set, then a place",
                             text);
        if (!edits_add(out, (EditKind)kind, text + strlen(words[kind]), arena, error)) return false;
    }
    return out->n == 0 || edits_check(out, model, error);
}

SubjectText scene_text(const State *state) {
    return (SubjectText){.text = state->text,
                         .text_pair = state->text_pair,
                         .target_text = state->target_text,
                         .to = state->to,
                         .source_language = state->source_language,
                         .inputs = state->inputs,
                         .row = state->row,
                         .image = state->image,
                         .audio = state->audio};
}

/* Reads, generates where nothing was given to write, and keeps what the view needs. */
static Trace *run_subject(Scene *scene, const Subject *subject, const State *state,
                          const View *view, const Edits *edits, Error *error) {
    SubjectText what = scene_text(state);
    Input input;
    /* The subject of a batch is lent: its lines say nothing of themselves. */
    Progress progress = scene->owned ? subject_progress() : (Progress){0};
    GenerateOptions generate = {.n_beams = state->beam,
                                .max_new_tokens = state->max_new_tokens,
                                .edits = edits,
                                .progress = progress};
    if (!subject_read(subject, &what, scene->arena, &input, error) ||
        !subject_complete(subject, &input, &generate, scene->arena, error))
        return NULL;
    TraceOptions options = {
        .sites = view_sites(view, state, subject->model, scene->arena),
        .edits = edits,
        .lazy_patterns = input.source.n > 256 || input.target.n > 256,
        .progress = progress,
    };
    return trace_run(subject->model, &input, &options, error);
}

static bool same_tokens(Tokens a, Tokens b, int *where) {
    for (*where = 0; *where < a.n && *where < b.n; ++*where)
        if (!str_eq(a.items[*where].label, b.items[*where].label)) return false;
    return a.n == b.n;
}

static bool part_at(const char *side, Tokens a, Tokens b, int at, Error *error) {
    Str none = str("(nothing)");
    Str x = at < a.n ? a.items[at].label : none, y = at < b.n ? b.items[at].label : none;
    return error_set(error, ERROR_INPUT,
                     "the two runs do not read the same tokens: they part at %s token %d, '%.*s' "
                     "against '%.*s'; %s",
                     side, at, (int)x.n, x.data, (int)y.n, y.data,
                     *side == 't' ? "give the target too (--target-text)"
                                  : "both must be of the same text");
}

/* A difference is of the same tokens, cell by cell. */
static bool check_same(const Scene *scene, Error *error) {
    int at;
    Tokens a = trace_source(scene->trace), b = trace_source(scene->baseline);
    if (!same_tokens(a, b, &at)) return part_at("source", a, b, at, error);
    a = trace_target(scene->trace);
    b = trace_target(scene->baseline);
    return same_tokens(a, b, &at) || part_at("target", a, b, at, error);
}

/* The plain run decodes what the edited one wrote: the same tokens. */
static bool run_plain(Scene *scene, const State *state, const View *view, Error *error) {
    State plain;
    state_init(&plain);
    state_copy(&plain, state);
    state_list_clear(&plain.edits);
    Input input = {.source = trace_source(scene->trace),
                   .target = trace_target(scene->trace),
                   .next = trace_next(scene->trace),
                   .next_tokens = trace_next_tokens(scene->trace)};
    TraceOptions options = {.sites = view_sites(view, state, scene->subject->model, scene->arena)};
    SubjectText what = scene_text(&plain);
    Input read;
    bool ok = subject_read(scene->subject, &what, scene->arena, &read, error);
    if (ok) {
        read.source = input.source;
        read.target = input.target;
        read.next = input.next;
        read.next_tokens = input.next_tokens;
        scene->baseline = trace_run(scene->subject->model, &read, &options, error);
    }
    scene->baseline_name = "plain";
    state_free(&plain);
    return scene->baseline != NULL;
}

static bool open_against(Scene *scene, const State *state, const View *view, Error *error) {
    const char *name = state->against;
    scene->baseline_name = name;
    if (file_exists(name) && strcmp(path_extension(name), ".gguf") != 0) {
        ImportHints hints = {state->text, state->target_text, state->row};
        scene->baseline = import_open(name, &hints, error);
        return scene->baseline && check_same(scene, error);
    }
    scene->other = subject_open(name, error);
    if (!scene->other) return false;
    scene->baseline = run_subject(scene, scene->other, state, view, NULL, error);
    return scene->baseline && check_same(scene, error);
}

static bool open_baseline(Scene *scene, const State *state, const View *view, Error *error) {
    if (state->against) return open_against(scene, state, view, error);
    if (state->edits.n > 0 && scene->subject) return run_plain(scene, state, view, error);
    return error_set(
        error, ERROR_INPUT,
        "figure difference: nothing to compare with; give --against MODEL or TRACE, or "
        "an edit (--ablate, --scale, --patch, --set)");
}

static bool open_all(Scene *scene, const State *state, const View *view, const Subject *subject,
                     Error *error) {
    bool needs_model = view->needs & VIEW_NEEDS_MODEL;
    if (state->from) {
        if (needs_model && !(view->needs & VIEW_NEEDS_TRACE) && !state->model)
            return error_set(error, ERROR_INPUT, "figure %s is drawn from a model, not from --from",
                             view->name);
        if (state->edits.n)
            return error_set(error, ERROR_INPUT,
                             "edits change a forward pass; --from has the result of one");
        ImportHints hints = {state->text, state->target_text, state->row};
        scene->trace = import_open(state->from, &hints, error);
        if (!scene->trace) return false;
    }
    if (!state->from || state->model) {
        scene->subject = subject;
        if (!subject) scene->subject = scene->owned = subject_open(state->model, error);
        if (!scene->subject) return false;
    }
    if ((view->needs & VIEW_NEEDS_TRACE) && !scene->trace) {
        Edits *edits = arena_alloc(scene->arena, sizeof *edits);
        if (!scene_edits(state, scene->subject->model, scene->arena, edits, error)) return false;
        scene->trace =
            run_subject(scene, scene->subject, state, view, edits->n ? edits : NULL, error);
        if (!scene->trace) return false;
    }
    return !(view->needs & VIEW_NEEDS_BASELINE) || open_baseline(scene, state, view, error);
}

bool scene_open(Scene *scene, const State *state, const View *view, const Subject *subject,
                Error *error) {
    *scene = (Scene){.arena = arena_new()};
    if (open_all(scene, state, view, subject, error)) return true;
    scene_close(scene);
    return false;
}

void scene_close(Scene *scene) {
    trace_release(scene->trace);
    trace_release(scene->baseline);
    subject_close(scene->owned);
    subject_close(scene->other);
    arena_free(scene->arena);
    *scene = (Scene){0};
}

ViewInput scene_input(const Scene *scene, const State *state) {
    return (ViewInput){.model = scene->subject ? scene->subject->model : NULL,
                       .tokenizer = scene->subject ? scene->subject->tokenizer : NULL,
                       .trace = scene->trace,
                       .baseline = scene->baseline,
                       .baseline_name = scene->baseline_name,
                       .state = state};
}
