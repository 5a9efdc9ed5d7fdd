#include "app/batch.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "app/drawer.h"
#include "app/figure_scene.h"
#include "app/lines.h"
#include "app/output.h"
#include "app/parallel.h"
#include "app/views/select.h"
#include "model/base/file.h"

enum { MOST_KINDS = 32, MOST_DRAWERS = 256, MOST_PATHS = 16 };

typedef struct Line {
    int number;       /* from 1, in the file */
    Str text, target; /* target.data NULL: the model's own */
    Error failure;
} Line;

typedef struct Batch {
    const State *state;
    const Subject *subject;
    int n_kinds;
    const View *kinds[MOST_KINDS];
    int n_paths;
    const char *paths[MOST_PATHS];
    bool resume;
    int n_lines;
    Line *lines;
    Arena *arena; /* owns the texts */
    pthread_mutex_t lock;
    int n_idle;
    Drawer *idle[MOST_DRAWERS]; /* fonts are dear: handed from line to line */
    atomic_int n_done, n_written, n_kept;
} Batch;

/* ---- names ---- */

static void add_index(StrBuf *out, int index) {
    if (index >= 0)
        strbuf_printf(out, "%d", index);
    else
        strbuf_puts(out, "mean");
}

bool batch_path(const char *pattern, const BatchName *name, StrBuf *out, Error *error) {
    for (const char *c = pattern; *c; c++) {
        if (*c != '{') {
            strbuf_putc(out, *c);
            continue;
        }
        Str word = {c + 1, strcspn(c + 1, "}")};
        if (str_is(word, "line"))
            strbuf_printf(out, "%d", name->line);
        else if (str_is(word, "kind"))
            strbuf_puts(out, name->kind);
        else if (str_is(word, "layer"))
            add_index(out, name->layer);
        else if (str_is(word, "head"))
            add_index(out, name->head);
        else
            return error_set(
                error, ERROR_USAGE,
                "-o %s: '{%.*s}' is not known; there is {line}, {kind}, {layer}, {head}", pattern,
                word.n > 20 ? 20 : (int)word.n, word.data);
        if (!c[word.n + 1])
            return error_set(error, ERROR_USAGE, "-o %s: a { without its }", pattern);
        c += word.n + 1;
    }
    return true;
}

bool batch_shard(const char *text, int *part, int *parts, Error *error) {
    const char *slash = strchr(text, '/');
    long long a, b;
    if (!slash || !integer_parse((Str){text, (size_t)(slash - text)}, &a) ||
        !integer_parse(str(slash + 1), &b) || b < 1 || b > 1000000 || a < 1 || a > b)
        return error_set(error, ERROR_USAGE, "--shard %.40s: expected I/N from 1/N to N/N, as 3/16",
                         text);
    *part = (int)a;
    *parts = (int)b;
    return true;
}

static bool names_heads(const char *pattern) {
    return strstr(pattern, "{layer}") || strstr(pattern, "{head}");
}

static bool check_pattern(const Batch *b, const char *pattern, Error *error) {
    StrBuf out = {0};
    bool ok = batch_path(pattern, &(BatchName){.kind = "x"}, &out, error) &&
              drawer_knows(out.data ? out.data : "", error);
    strbuf_free(&out);
    if (ok && b->n_lines > 1 && !strstr(pattern, "{line}"))
        return error_set(error, ERROR_USAGE,
                         "-o %s: %d lines would overwrite one another; put {line} into the name",
                         pattern, b->n_lines);
    if (ok && b->n_kinds > 1 && !strstr(pattern, "{kind}"))
        return error_set(error, ERROR_USAGE,
                         "-o %s: %d kinds would overwrite one another; put {kind} into the name",
                         pattern, b->n_kinds);
    return ok;
}

/* ---- what is asked for ---- */

static bool read_kinds(Batch *b, Error *error) {
    Str rest = b->state->view ? str(b->state->view) : (Str){0}, part;
    while (select_part(&rest, ',', &part) && b->n_kinds < MOST_KINDS) {
        char name[64];
        snprintf(name, sizeof name, "%.*s", part.n > 63 ? 63 : (int)part.n, part.data);
        const View *view = view_find(name);
        if (!view) return error_set(error, ERROR_USAGE, "figure: no kind '%s'", name);
        b->kinds[b->n_kinds++] = view;
    }
    return b->n_kinds > 0 ||
           error_set(error, ERROR_USAGE, "figure --batch: which kind? heatmap, or heatmap,cross");
}

static void add_line(Batch *b, int number, Str text) {
    if ((b->n_lines & (b->n_lines - 1)) == 0) { /* room for twice as many */
        size_t room = b->n_lines ? (size_t)b->n_lines * 2 : 1;
        b->lines = realloc(b->lines, room * sizeof *b->lines);
        if (!b->lines) abort();
    }
    Line *line = &b->lines[b->n_lines++];
    *line = (Line){.number = number};
    Str copy = arena_str(b->arena, text);
    const char *tab = memchr(copy.data, '\t', copy.n);
    line->text = tab ? str_sub(copy, 0, (size_t)(tab - copy.data)) : copy;
    if (!tab) return;
    line->target = str_sub(copy, line->text.n + 1, copy.n);
    if (memchr(line->target.data, '\t', line->target.n))
        error_set(&line->failure, ERROR_INPUT, "two tabs, expected a sentence, or a pair with one");
}

static bool read_lines(Batch *b, const char *path, int part, int parts, Error *error) {
    LineReader *reader = lines_open(path, error);
    if (!reader) return false;
    Str texts[64];
    int number = 0;
    for (int n; (n = lines_next(reader, 64, texts, error)) > 0;)
        for (int i = 0; i < n; i++) {
            number++;
            if (texts[i].n > 0 && number % parts == part % parts) add_line(b, number, texts[i]);
        }
    lines_close(reader);
    return error_ok(error);
}

/* ---- one line ---- */

static Drawer *take_drawer(Batch *b, Error *error) {
    Drawer *drawer = NULL;
    pthread_mutex_lock(&b->lock);
    if (b->n_idle > 0) drawer = b->idle[--b->n_idle];
    pthread_mutex_unlock(&b->lock);
    if (drawer) return drawer;
    drawer = calloc(1, sizeof *drawer);
    if (!drawer) abort();
    if (drawer_open(drawer, b->state, error)) return drawer;
    free(drawer);
    return NULL;
}

static void give_drawer(Batch *b, Drawer *drawer) {
    pthread_mutex_lock(&b->lock);
    bool kept = b->n_idle < MOST_DRAWERS;
    if (kept) b->idle[b->n_idle++] = drawer;
    pthread_mutex_unlock(&b->lock);
    if (kept) return;
    drawer_close(drawer);
    free(drawer);
}

/* Draws and writes what has one name; skips what is there already. */
static bool write_one(Batch *b, const Drawer *drawer, const View *view, const ViewInput *input,
                      const Figure *figure, const char *pattern, const BatchName *name,
                      Error *error) {
    StrBuf path = {0};
    bool ok = batch_path(pattern, name, &path, error);
    if (ok && b->resume && file_exists(path.data)) {
        atomic_fetch_add(&b->n_kept, 1);
        strbuf_free(&path);
        return true;
    }
    ok = ok && folder_make_above(path.data, error) &&
         drawer_write(drawer, view, input, figure, path.data, error);
    if (ok) atomic_fetch_add(&b->n_written, 1);
    strbuf_free(&path);
    return ok;
}

/* A file for each head: the same state, one head at a time. */
static bool write_heads(Batch *b, const Drawer *drawer, const View *view, const ViewInput *input,
                        const char *pattern, int line, Error *error) {
    bool ok = true;
    for (int i = 0; i < input->report->n_series && ok; i++) {
        Place place = input->report->series[i];
        State one;
        state_init(&one);
        state_copy(&one, input->state);
        char number[16];
        state_put_text(&one.heads, NULL);
        state_put_text(&one.attention, place_attention_name(&place));
        snprintf(number, sizeof number, "%d", place.layer);
        if (place.layer >= 0) state_put_text(&one.layer, number);
        snprintf(number, sizeof number, "%d", place.head);
        if (place.head >= 0) state_put_text(&one.head, number);
        ViewReport report = {0};
        ViewInput alone = *input;
        alone.state = &one;
        alone.report = &report;
        Figure *figure = drawer_draw(drawer, view, &alone, error);
        BatchName name = {line, view->name, place.layer, place.head};
        ok = figure && write_one(b, drawer, view, &alone, figure, pattern, &name, error);
        figure_free(figure);
        view_report_free(&report);
        state_free(&one);
    }
    return ok;
}

static bool draw_kind(Batch *b, const Drawer *drawer, const View *view, ViewInput *input,
                      const Line *line, Error *error) {
    ViewReport report = {0};
    input->report = &report;
    Figure *figure = drawer_draw(drawer, view, input, error);
    bool ok = figure != NULL;
    for (int i = 0; i < b->n_paths && ok; i++) {
        if (names_heads(b->paths[i]) && report.n_series > 1) {
            ok = write_heads(b, drawer, view, input, b->paths[i], line->number, error);
            continue;
        }
        BatchName name = {line->number, view->name, -1, -1};
        if (report.n_series == 1) {
            name.layer = report.series[0].layer;
            name.head = report.series[0].head;
        }
        ok = write_one(b, drawer, view, input, figure, b->paths[i], &name, error);
    }
    figure_free(figure);
    view_report_free(&report);
    input->report = NULL;
    return ok;
}

/* Can one pass serve all kinds? Not when a view keeps more than patterns, or compares. */
static bool shares_pass(const View *view) {
    return !view->sites && !(view->needs & VIEW_NEEDS_BASELINE);
}

static bool draw_line(Batch *b, const Line *line, const Drawer *drawer, Error *error) {
    State state;
    state_init(&state);
    state_copy(&state, b->state);
    state_put_text(&state.text, NULL);
    bool ok = state_set(&state, "text", line->text, error);
    if (ok && line->target.data) ok = state_set(&state, "target_text", line->target, error);
    Scene scene = {0};
    bool open = false;
    for (int i = 0; i < b->n_kinds && ok; i++) {
        const View *view = b->kinds[i];
        state_put_text(&state.view, view->name);
        if (!open || !shares_pass(view) || !shares_pass(b->kinds[i - 1])) {
            if (open) scene_close(&scene);
            ok = open = scene_open(&scene, &state, view, b->subject, error);
        }
        ViewInput input = ok ? scene_input(&scene, &state) : (ViewInput){0};
        ok = ok && draw_kind(b, drawer, view, &input, line, error);
    }
    if (open) scene_close(&scene);
    state_free(&state);
    return ok;
}

/* With plain names it is known before anything runs whether all is there. */
static bool all_there(const Batch *b, const Line *line) {
    bool there = b->resume;
    for (int p = 0; p < b->n_paths && there; p++)
        for (int k = 0; k < b->n_kinds && there; k++) {
            if (names_heads(b->paths[p])) return false;
            StrBuf path = {0};
            BatchName name = {line->number, b->kinds[k]->name, -1, -1};
            there = batch_path(b->paths[p], &name, &path, NULL) && file_exists(path.data);
            strbuf_free(&path);
        }
    return there;
}

static void work(void *context, int item) {
    Batch *b = context;
    Line *line = &b->lines[item];
    if (all_there(b, line)) {
        atomic_fetch_add(&b->n_kept, b->n_paths * b->n_kinds);
    } else if (line->failure.kind == ERROR_NONE) {
        Drawer *drawer = take_drawer(b, &line->failure);
        if (drawer) {
            draw_line(b, line, drawer, &line->failure);
            give_drawer(b, drawer);
        }
    }
    int done = atomic_fetch_add(&b->n_done, 1) + 1;
    pthread_mutex_lock(&b->lock);
    enum { BAR = 24 };
    char bar[BAR + 1] = {0};
    for (int i = 0; i < BAR; i++)
        bar[i] = i < done * BAR / b->n_lines ? '#' : '.';
    output_progress("[%s] %d of %d lines", bar, done, b->n_lines);
    pthread_mutex_unlock(&b->lock);
}

/* ---- all of them ---- */

static bool sum_up(const Batch *b, Error *error) {
    output_progress_end();
    int n_failed = 0;
    for (int i = 0; i < b->n_lines; i++) {
        const Line *line = &b->lines[i];
        if (line->failure.kind == ERROR_NONE) continue;
        n_failed++;
        output_note("line %d: %s", line->number, line->failure.message);
    }
    int kept = atomic_load(&b->n_kept);
    output_note("%d figure%s written%s", atomic_load(&b->n_written),
                atomic_load(&b->n_written) == 1 ? "" : "s", kept ? ", others were there" : "");
    return n_failed == 0 ||
           error_set(error, ERROR_INPUT, "%d of %d lines failed", n_failed, b->n_lines);
}

static bool prepare(Batch *b, const Options *given, Error *error) {
    int part = 1, parts = 1;
    const char *shard = options_text(given, "shard", NULL);
    if (shard && !batch_shard(shard, &part, &parts, error)) return false;
    if (!read_kinds(b, error)) return false;
    b->n_paths = options_count(given, "output");
    if (b->n_paths < 1 || b->n_paths > MOST_PATHS)
        return error_set(error, ERROR_USAGE,
                         "figure --batch: where to? -o 'out/{line}-{kind}.svg' (1 to %d of them)",
                         MOST_PATHS);
    for (int i = 0; i < b->n_paths; i++)
        b->paths[i] = options_nth(given, "output", i);
    if (b->state->from)
        return error_set(error, ERROR_USAGE, "figure: --batch reads sentences, --from one file");
    if (!read_lines(b, options_text(given, "batch", NULL), part, parts, error)) return false;
    for (int i = 0; i < b->n_paths; i++)
        if (!check_pattern(b, b->paths[i], error)) return false;
    return true;
}

bool batch_run(const Options *given, State *state, Error *error) {
    Batch b = {.state = state, .resume = options_given(given, "resume"), .arena = arena_new()};
    pthread_mutex_init(&b.lock, NULL);
    Subject *subject = NULL;
    bool ok = prepare(&b, given, error);
    if (ok && b.n_lines > 0) {
        b.subject = subject = subject_open(state->model, error);
        ok = subject && subject_check_language(subject, options_text(given, "to", NULL), error);
    }
    if (ok && subject) {
        char hash[17];
        state_put_text(&state->model_hash, model_hash(subject->model, hash));
    }
    if (ok) {
        parallel_for(b.n_lines, work, &b);
        ok = sum_up(&b, error);
    }
    for (int i = 0; i < b.n_idle; i++) {
        drawer_close(b.idle[i]);
        free(b.idle[i]);
    }
    subject_close(subject);
    free(b.lines);
    arena_free(b.arena);
    pthread_mutex_destroy(&b.lock);
    return ok;
}
