/* Scores of all sentences of a file, one job a sentence, so that what the user does goes first. */
#include <math.h>
#include <stdlib.h>

#include "app/window/window.h"

enum { SORT_EVERY = 20 };

typedef struct ScoreJob {
    Loaded *loaded;
    State state;
    int line;
    unsigned version; /* of the file and the model */
    double score, worst;
} ScoreJob;

double lines_worst(const Pass *pass) {
    double worst = 0;
    for (int i = 0; i < pass->n_steps; i++) {
        double p = pass->steps[i].prob;
        worst = fmin(worst, p > 0 ? log(p) : -99);
    }
    return worst;
}

static bool score_work(void *data, const Progress *progress, Error *error) {
    static const char *const sites[] = {"logits", NULL};
    ScoreJob *job = data;
    Pass *pass = pass_run(job->loaded, &job->state, sites, progress, error);
    if (!pass) return false;
    job->score = pass->score;
    job->worst = lines_worst(pass);
    pass_release(pass);
    return true;
}

static void score_done(void *context, void *data, bool ok, const Error *error) {
    (void)error;
    Window *w = context;
    ScoreJob *job = data;
    if (job->version != w->lines_version || job->line >= w->n_lines) return;
    Line *line = &w->lines[job->line];
    line->tried = true;
    if (ok) {
        line->score = job->score;
        line->worst = job->worst;
    }
    lines_score_on(w);
}

static void score_drop(void *data) {
    ScoreJob *job = data;
    loaded_release(job->loaded);
    state_free(&job->state);
    free(job);
}

int lines_n_scored(const Window *w) {
    int n = 0;
    for (int i = 0; i < w->n_lines; i++)
        n += w->lines[i].tried;
    return n;
}

void lines_score_on(Window *w) {
    int next = 0;
    while (next < w->n_lines && w->lines[next].tried)
        next++;
    bool all = next == w->n_lines;
    if (w->line_order == 0 || !w->loaded || w->n_lines == 0) return;
    if (all || next % SORT_EVERY == 0) lines_sort(w, w->line_order);
    w->ui.again = true;
    if (all || worker_busy(w->worker, SLOT_SCORE) || worker_busy(w->worker, SLOT_RUN)) return;
    ScoreJob *job = calloc(1, sizeof *job);
    if (!job) abort();
    job->loaded = loaded_retain(w->loaded);
    job->line = next;
    job->version = w->lines_version;
    state_init(&job->state);
    state_copy(&job->state, &w->state);
    state_put_text(&job->state.text, w->lines[next].text);
    state_put_text(&job->state.target_text, w->lines[next].target);
    state_put_text(&job->state.text_pair, NULL);
    state_put_text(&job->state.against, NULL);
    worker_submit(w->worker, (Job){SLOT_SCORE, job, score_work, score_done, score_drop});
}

void lines_forget_scores(Window *w) {
    w->lines_version++;
    for (int i = 0; i < w->n_lines; i++) {
        w->lines[i].tried = false;
        w->lines[i].score = w->lines[i].worst = NAN;
    }
}
