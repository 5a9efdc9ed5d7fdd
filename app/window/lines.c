/* Sentences, or tab-separated pairs, of a file that is stepped through. */
#include "app/lines.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "app/window/window.h"
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
    window_set_text(w, line->text, line->target);
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

/* The run that has just come may be of the line in sight. */
void lines_note_score(Window *w) {
    if (w->n_lines < 1 || !w->pass || !w->state.text) return;
    Line *line = &w->lines[w->line_rows[w->at_line]];
    if (strcmp(line->text, w->state.text) != 0) return;
    line->score = w->pass->score;
    line->worst = lines_worst(w->pass);
    line->tried = true;
}
