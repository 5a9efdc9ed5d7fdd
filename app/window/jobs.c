/* See jobs.h. */
#include "app/window/jobs.h"

#include <stdlib.h>
#include <string.h>

#include "app/parallel.h"
#include "app/window/input.h"
#include "app/window/lines.h"
#include "app/window/panel.h"
#include "app/window/picture.h"
#include "app/window/steps.h"
#include "app/window/values.h"
#include "model/base/file.h"
#include "model/hub.h"
#include "model/ops.h"
#include "render/export.h"

/* ---- opening a model ---- */

typedef struct LoadJob {
    char *name;
    char *from; /* the trace that was open then: it gives way to the model */
    Loaded *loaded;
} LoadJob;

static bool load_work(void *data, const Progress *progress, Error *error) {
    (void)progress;
    LoadJob *job = data;
    job->loaded = loaded_open(job->name, error);
    return job->loaded != NULL;
}

static void load_done(void *context, void *data, bool ok, const Error *error) {
    Window *w = context;
    LoadJob *job = data;
    if (!ok) {
        snprintf(w->load_error, sizeof w->load_error, "%s", error->message);
        window_notice(w, true, "%s", error->message);
        return;
    }
    w->load_error[0] = 0;
    bool first = w->loaded == NULL;
    InputKind kind_before = input_kind(w);
    loaded_release(w->loaded);
    pass_release(w->pass);
    w->loaded = loaded_retain(job->loaded);
    w->pass = NULL;
    state_put_text(&w->state.model, job->name);
    if (job->from && w->state.from && strcmp(job->from, w->state.from) == 0)
        state_put_text(&w->state.from, NULL);
    lines_forget_scores(w);
    if (job->name) settings_recent(w->settings.models, job->name);
    if (w->view_unsaid || (!first && input_kind(w) != kind_before)) input_choose_view(w);
    w->view_unsaid = false;
    /* One stack has no second sentence to look at. */
    bool one = model_has_stack(job->loaded->subject->model, STACK_BLOCKS);
    if (one && strcmp(window_view(w)->name, "cross") == 0) state_put_text(&w->state.view, "head");
    if (one) state_put_text(&w->state.attention, NULL);
    input_adapt(w);
    if (!w->notice_stays) w->notice[0] = 0;
    w->run_error[0] = 0;
    if (input_there(w)) {
        job_run(w);
    } else {
        shown_free(w->shown);
        w->shown = NULL;
        w->ui.again = true;
    }
}

static void load_drop(void *data) {
    LoadJob *job = data;
    loaded_release(job->loaded);
    free(job->name);
    free(job->from);
    free(job);
}

void job_load(Window *w, const char *name) {
    if (w->loaded) window_notice(w, false, "Opening %s …", name ? name : "the shipped model");
    LoadJob *job = calloc(1, sizeof *job);
    if (!job) abort();
    job->name = name ? strdup(name) : NULL;
    job->from = w->state.from ? strdup(w->state.from) : NULL;
    w->load_error[0] = 0;
    worker_cancel(w->worker, SLOT_RUN);
    worker_cancel(w->worker, SLOT_DRAW);
    worker_cancel(w->worker, SLOT_SCORE);
    worker_submit(w->worker, (Job){SLOT_LOAD, job, load_work, load_done, load_drop});
}

/* ---- running and drawing ---- */

typedef struct DrawJob {
    Loaded *loaded;
    Pass *pass; /* NULL: to be run first */
    bool run;
    State state;
    double width, height;
    Text *fonts; /* the worker's */
    Shown *shown;
} DrawJob;

enum { SCORES_BUDGET = 64 << 20 };

/* Patterns, what the view needs, the logits for the candidates; the scores for the inspector where
 * they are small. */
static const char *const *sites_of(const DrawJob *job, Arena *arena) {
    const Model *model = job->loaded ? job->loaded->subject->model : NULL;
    const char *const *wanted = view_sites(view_find(job->state.view), &job->state, model, arena);
    int n = 0;
    while (wanted && wanted[n])
        n++;
    const char **sites = arena_calloc(arena, (size_t)n + 4, sizeof *sites);
    for (int i = 0; i < n; i++)
        sites[i] = wanted[i];
    sites[n++] = "logits";
    if (job->state.box) sites[n++] = arena_strdup(arena, job->state.box);
    size_t tokens = job->state.text ? strlen(job->state.text) / 3 + 4 : 64, heads = 0;
    for (int s = 0; model && s < STACK_COUNT; s++)
        heads += (size_t)model->config.stack[s].n_layers * (size_t)model->config.stack[s].n_heads;
    if (heads * tokens * tokens * sizeof(float) < SCORES_BUDGET) sites[n++] = "*hook_attn_scores";
    return sites;
}

static bool needs_pass(const State *state) {
    return (view_find(state->view)->needs & (VIEW_NEEDS_TRACE | VIEW_NEEDS_BASELINE)) != 0;
}

/* A few words are read faster by one thread than two can agree on, all the more so on a machine
 * that has other work. */
static void choose_threads(const DrawJob *job) {
    enum { A_FEW_BYTES = 400, WIDE = 1024 };
    const Model *model = job->loaded ? job->loaded->subject->model : NULL;
    size_t n = job->state.text ? strlen(job->state.text) : A_FEW_BYTES;
    bool small = model && model->config.d_model < WIDE && n < A_FEW_BYTES;
    ops_blas_threads(small ? 1 : parallel_n_threads());
}

static bool draw_work(void *data, const Progress *progress, Error *error) {
    DrawJob *job = data;
    if (job->run && (job->loaded || job->state.from)) {
        Arena *arena = arena_new();
        choose_threads(job);
        job->pass = pass_run(job->state.from ? NULL : job->loaded, &job->state,
                             sites_of(job, arena), progress, error);
        arena_free(arena);
        if (!job->pass && (needs_pass(&job->state) || error->kind == ERROR_CANCELLED)) return false;
    }
    job->shown =
        shown_make(job->loaded, job->pass, &job->state, job->width, job->height, job->fonts);
    return true;
}

static void take_picture(Window *w, DrawJob *job) {
    shown_free(w->shown);
    w->shown = job->shown;
    job->shown = NULL;
    picture_placed(w);
}

static void show_output(Window *w) {
    if (!w->target_own || !w->pass) return;
    Str text = w->pass->own;
    if (!str_eq(textedit_text(&w->target.edit), text)) textedit_set(&w->target.edit, text);
}

/* The command line's names of the texts are no words of the window. */
static const char *in_words(const char *message, char out[1024]) {
    static const char *const names[][2] = {{"--text: ", "The text: "},
                                           {"--target-text: ", "The target: "},
                                           {"--text-pair: ", "The second sentence: "}};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        size_t n = strlen(names[i][0]);
        if (strncmp(message, names[i][0], n) != 0) continue;
        snprintf(out, 1024, "%s%.1000s", names[i][1], message + n);
        return out;
    }
    return message;
}

/* A picture of this model stays, and what went wrong is said below it. */
static void run_failed(Window *w, const Error *error) {
    char text[1024];
    const char *message = in_words(error->message, text);
    if (w->shown && w->pass) {
        window_notice(w, true, "%s", message);
        return;
    }
    shown_free(w->shown);
    w->shown = NULL;
    snprintf(w->run_error, sizeof w->run_error, "%s", message);
    w->ui.again = true;
}

static void run_done(void *context, void *data, bool ok, const Error *error) {
    Window *w = context;
    DrawJob *job = data;
    w->run_since_ms = 0;
    if (!ok) {
        run_failed(w, error);
        return;
    }
    w->run_error[0] = 0;
    if (w->notice_bad && !w->notice_stays) w->notice[0] = 0;
    pass_release(w->pass);
    w->pass = pass_retain(job->pass);
    show_output(w);
    lines_note_score(w);
    lines_score_on(w);
    if (w->playing && steps_n(w) < 2) w->playing = false;
    take_picture(w, job);
    window_remember(w);
}

static void draw_done(void *context, void *data, bool ok, const Error *error) {
    Window *w = context;
    if (ok)
        take_picture(w, data);
    else
        window_notice(w, true, "%s", error->message);
}

static void draw_drop(void *data) {
    DrawJob *job = data;
    shown_free(job->shown);
    pass_release(job->pass);
    loaded_release(job->loaded);
    state_free(&job->state);
    free(job);
}

/* The state as its picture shows it: the model view shows all heads, whichever is gone to. */
void job_state(const Window *w, State *out) {
    state_copy(out, &w->state);
    out->selection = window_selected(w);
    if (strcmp(window_view(w)->name, "model") != 0 || shown_index(out->layer) < 0 ||
        shown_index(out->head) < 0)
        return;
    state_put_text(&out->layer, NULL);
    state_put_text(&out->head, NULL);
}

static DrawJob *draw_job(Window *w, bool run) {
    DrawJob *job = calloc(1, sizeof *job);
    if (!job) abort();
    state_init(&job->state);
    job_state(w, &job->state);
    job->run = run;
    job->loaded = loaded_retain(w->loaded);
    job->pass = run ? NULL : pass_retain(w->pass);
    picture_wanted(w, &job->width, &job->height);
    job->fonts = w->worker_fonts;
    w->asked_place = job->state.selection;
    w->asked_width = job->width;
    w->asked_height = job->height;
    return job;
}

void job_run(Window *w) {
    state_copy(&w->asked_run, &w->state);
    state_copy(&w->asked_draw, &w->state);
    if (w->run_since_ms <= 0) w->run_since_ms = window_now_ms();
    worker_cancel(w->worker, SLOT_DRAW);
    worker_cancel(w->worker, SLOT_SCORE);
    worker_submit(w->worker, (Job){SLOT_RUN, draw_job(w, true), draw_work, run_done, draw_drop});
}

void job_draw(Window *w) {
    state_copy(&w->asked_draw, &w->state);
    worker_submit(w->worker, (Job){SLOT_DRAW, draw_job(w, false), draw_work, draw_done, draw_drop});
}

/* ---- writing a file ---- */

typedef struct ExportJob {
    DrawJob *draw;
    char *path;
    Text *fonts;
} ExportJob;

static bool export_work(void *data, const Progress *progress, Error *error) {
    (void)progress;
    ExportJob *job = data;
    DrawJob *draw = job->draw;
    char folder[1100];
    snprintf(folder, sizeof folder, "%s", job->path);
    char *slash = strrchr(folder, '/');
    if (slash && slash != folder) {
        *slash = 0;
        if (!file_is_folder(folder))
            return error_set(error, ERROR_NOT_FOUND, "%s: there is no such folder", folder);
    }
    ExportFormat format;
    if (!export_format(job->path, &format, error)) return false;
    const View *view = view_find(draw->state.view);
    ViewInput input = shown_input(draw->loaded, draw->pass, &draw->state);
    Figure *figure = figure_new(shown_theme(&draw->state), job->fonts);
    bool ok = view_fits(view, &input, error) && view_build(view, figure, &input, error);
    if (ok) {
        figure_seal(figure);
        char *spec = state_text(&draw->state);
        ExportOptions options = {
            .dpi = draw->state.dpi, .spec = str(spec), .text_as_paths = draw->state.text_as_paths};
        ok = export_figure(figure, job->path, &options, error);
        free(spec);
    }
    figure_free(figure);
    return ok;
}

static void export_done(void *context, void *data, bool ok, const Error *error) {
    Window *w = context;
    ExportJob *job = data;
    if (!ok) {
        window_notice(w, true, "%s", error->message);
        return;
    }
    char full[4096];
    bool known = realpath(job->path, full) != NULL;
    window_notice(w, false, "Written: %s", known ? full : job->path);
}

static void export_drop(void *data) {
    ExportJob *job = data;
    draw_drop(job->draw);
    free(job->path);
    free(job);
}

/* The next file is looked for where this one is. */
static void remember_folder(Settings *settings, const char *path) {
    const char *slash = strrchr(path, '/');
    if (slash && slash != path)
        snprintf(settings->folder, sizeof settings->folder, "%.*s", (int)(slash - path), path);
}

void job_export(Window *w, const char *path) {
    remember_folder(&w->settings, path);
    ExportJob *job = calloc(1, sizeof *job);
    if (!job) abort();
    job->draw = draw_job(w, false);
    job->path = strdup(path);
    job->fonts = w->worker_fonts;
    worker_submit(w->worker, (Job){SLOT_EXPORT, job, export_work, export_done, export_drop});
}

/* ---- the values of a hook ---- */

static bool values_work(void *data, const Progress *progress, Error *error) {
    DrawJob *job = data;
    Arena *arena = arena_new();
    const char *sites[] = {job->state.box, NULL};
    job->pass = job->loaded ? pass_run(job->loaded, &job->state, sites, progress, error) : NULL;
    arena_free(arena);
    if (!job->pass) return false;
    job->shown = values_make(job->pass->trace, job->state.box, &job->state, job->width, job->height,
                             job->fonts, error);
    return job->shown != NULL;
}

static void values_done(void *context, void *data, bool ok, const Error *error) {
    Window *w = context;
    DrawJob *job = data;
    if (!ok) {
        window_notice(w, true, "%s", error->message);
        return;
    }
    shown_free(w->values);
    w->values = job->shown;
    job->shown = NULL;
    snprintf(w->values_title, sizeof w->values_title, "%s", job->state.box);
    panel_open(w, PANEL_VALUES);
}

void job_values(Window *w, const char *hook) {
    if (!w->loaded) return;
    DrawJob *job = draw_job(w, true);
    state_put_text(&job->state.box, hook);
    job->width = w->width * 0.7;
    job->height = w->height * 0.7 - 80;
    worker_submit(w->worker, (Job){SLOT_SCAN, job, values_work, values_done, draw_drop});
}

/* ---- models on this machine ---- */

typedef struct ScanJob {
    Arena *arena;
    HubModel *models;
    int n;
} ScanJob;

static bool scan_work(void *data, const Progress *progress, Error *error) {
    (void)progress;
    (void)error;
    ScanJob *job = data;
    job->n = hub_list(model_path_shipped(job->arena), job->arena, &job->models);
    return true;
}

static void scan_done(void *context, void *data, bool ok, const Error *error) {
    (void)ok;
    (void)error;
    Window *w = context;
    ScanJob *job = data;
    arena_free(w->models_arena);
    w->models_arena = job->arena;
    w->models = job->models;
    w->n_models = job->n;
    job->arena = NULL;
    w->ui.again = true;
}

static void scan_drop(void *data) {
    ScanJob *job = data;
    arena_free(job->arena);
    free(job);
}

void job_scan(Window *w) {
    ScanJob *job = calloc(1, sizeof *job);
    if (!job) abort();
    job->arena = arena_new();
    worker_submit(w->worker, (Job){SLOT_SCAN, job, scan_work, scan_done, scan_drop});
}
