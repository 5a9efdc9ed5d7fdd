/* Sentences, or tab-separated pairs, of a file that is stepped through. */
#include "app/window/lines.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "app/lines.h"
#include "app/window/input.h"
#include "model/base/file.h"

void lines_free(Window *w) {
    for (int i = 0; i < w->n_lines; i++) {
        free(w->lines[i].text);
        free(w->lines[i].target);
    }
    free(w->lines);
    free(w->line_rows);
    w->lines = NULL;
    w->line_rows = NULL;
    w->n_lines = 0;
}

static char *clean(Str s) {
    StrBuf out = {0};
    textedit_clean(s, &out);
    strbuf_puts(&out, "");
    char *copy = strdup(out.data ? out.data : "");
    if (!copy) abort();
    strbuf_free(&out);
    return copy;
}

static void add(Window *w, Str line) {
    const char *tab = line.n ? memchr(line.data, '\t', line.n) : NULL;
    Str text = tab ? str_sub(line, 0, (size_t)(tab - line.data)) : line;
    if (text.n == 0) return;
    Line *l = &w->lines[w->n_lines++];
    *l = (Line){.text = clean(text), .score = NAN, .worst = NAN};
    if (tab) {
        Str target = str_sub(line, text.n + 1, line.n);
        const char *more = target.n ? memchr(target.data, '\t', target.n) : NULL;
        if (more) target.n = (size_t)(more - target.data);
        if (target.n) l->target = clean(target);
    }
}

bool lines_load(Window *w, const char *path, Error *error) {
    LineReader *reader = lines_open(path, error);
    if (!reader) return false;
    lines_free(w);
    w->lines_version++;
    w->lines = calloc(MAX_LINES, sizeof *w->lines);
    w->line_rows = calloc(MAX_LINES, sizeof *w->line_rows);
    if (!w->lines || !w->line_rows) abort();
    Str batch[64];
    bool cut = false;
    for (int n; (n = lines_next(reader, 64, batch, error)) > 0;)
        for (int i = 0; i < n; i++) {
            if (w->n_lines < MAX_LINES)
                add(w, batch[i]);
            else
                cut = true;
        }
    lines_close(reader);
    if (!error_ok(error)) {
        lines_free(w);
        return false;
    }
    if (w->n_lines == 0)
        return error_set(error, ERROR_INPUT,
                         "%s: no line with text in it; sentences, or pairs with "
                         "a tab between, are expected",
                         path);
    snprintf(w->lines_name, sizeof w->lines_name, "%s", path_name(path));
    lines_sort(w, 0);
    lines_go(w, 0);
    window_notice(w, false,
                  "%s: %d lines%s; Ctrl+PageDown goes to the next, Ctrl+Shift+L lists them",
                  w->lines_name, w->n_lines, cut ? " (the first ones)" : "");
    return true;
}

void lines_go(Window *w, int row) {
    if (w->n_lines < 1) return;
    w->at_line = row < 0 ? 0 : row >= w->n_lines ? w->n_lines - 1 : row;
    const Line *line = &w->lines[w->line_rows[w->at_line]];
    input_set_text(w, line->text, line->target);
}

static const Line *sort_lines;
static int sort_by;

static int compare(const void *a, const void *b) {
    int x = *(const int *)a, y = *(const int *)b;
    if (sort_by) {
        double p = sort_by == 1 ? sort_lines[x].score : sort_lines[x].worst;
        double q = sort_by == 1 ? sort_lines[y].score : sort_lines[y].worst;
        if (!isfinite(p)) p = INFINITY;
        if (!isfinite(q)) q = INFINITY;
        if (p < q) return -1;
        if (p > q) return 1;
    }
    return x - y;
}

void lines_sort(Window *w, int order) {
    int now = w->n_lines && w->at_line < w->n_lines ? w->line_rows[w->at_line] : 0;
    w->line_order = order;
    for (int i = 0; i < w->n_lines; i++)
        w->line_rows[i] = i;
    sort_lines = w->lines;
    sort_by = order;
    qsort(w->line_rows, (size_t)w->n_lines, sizeof *w->line_rows, compare);
    for (int i = 0; i < w->n_lines; i++)
        if (w->line_rows[i] == now) w->at_line = i;
    w->ui.again = true;
}

/* ---- scores: one job a sentence, so that what the user does goes first ---- */

void lines_note_score(Window *w) {
    if (w->n_lines < 1 || !w->pass || !w->state.text) return;
    Line *line = &w->lines[w->line_rows[w->at_line]];
    if (strcmp(line->text, w->state.text) != 0) return;
    line->score = w->pass->score;
    line->worst = pass_worst(w->pass);
    line->tried = true;
}

enum { SORT_EVERY = 20 };

typedef struct ScoreJob {
    Loaded *loaded;
    State state;
    int line;
    unsigned version; /* of the file and the model */
    double score, worst;
} ScoreJob;

static bool score_work(void *data, const Progress *progress, Error *error) {
    static const char *const sites[] = {"logits", NULL};
    ScoreJob *job = data;
    Pass *pass = pass_run(job->loaded, &job->state, sites, progress, error);
    if (!pass) return false;
    job->score = pass->score;
    job->worst = pass_worst(pass);
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
