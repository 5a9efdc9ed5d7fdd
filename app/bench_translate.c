/* bench translate: a sentence as the window takes it, with the model open: tokens, greedy search,
 * one pass with all patterns, and the picture of what it attended to. */
#include <string.h>

#include "app/bench.h"
#include "app/drawer.h"
#include "app/subject.h"
#include "render/export.h"

enum { MOST_RUNS = 200 };

static const char *const sentences[] = {
    "She loves cats.",
    "Tourists visit Finland in winter to watch the northern lights.",
    ("When the rain stopped, the children ran out into the garden and played with the old dog "
     "until it was dark."),
};

typedef struct Timing {
    double search, pass, picture; /* seconds */
    int n_source, n_target;
} Timing;

static bool draw(const Drawer *drawer, const State *state, Trace *trace, Error *error) {
    ViewReport report = {0};
    ViewInput input = {.trace = trace, .state = state, .report = &report};
    StrBuf bytes = {0};
    Figure *figure = drawer_draw(drawer, view_find("cross"), &input, error);
    bool ok = figure && export_bytes(figure, EXPORT_PNG, &(ExportOptions){.canvas = drawer->canvas},
                                     &bytes, error);
    strbuf_free(&bytes);
    figure_free(figure);
    view_report_free(&report);
    return ok;
}

static bool run_once(const Subject *subject, const Drawer *drawer, const State *state,
                     const char *text, Timing *out, Arena *arena, Error *error) {
    arena_clear(arena);
    Input input;
    double begin = bench_now();
    if (!subject_read(subject, &(SubjectText){.text = text}, arena, &input, error) ||
        !subject_complete(subject, &input, &(GenerateOptions){0}, arena, error))
        return false;
    double searched = bench_now();
    Trace *trace = trace_run(subject->model, &input, &(TraceOptions){0}, error);
    if (!trace) return false;
    double passed = bench_now();
    bool ok = draw(drawer, state, trace, error);
    trace_release(trace);
    *out = (Timing){searched - begin, passed - searched, bench_now() - passed, input.source.n,
                    input.target.n};
    return ok;
}

static int n_words(const char *text) {
    int n = 1;
    for (; *text; text++)
        n += *text == ' ';
    return n;
}

static bool run_sentence(const Subject *subject, const Drawer *drawer, const State *state,
                         const char *text, int n_runs, BenchTable *table, Error *error) {
    double search[MOST_RUNS], pass[MOST_RUNS], picture[MOST_RUNS], both[MOST_RUNS];
    Timing t;
    Arena *arena = arena_new();
    bool ok = run_once(subject, drawer, state, text, &t, arena, error); /* warm */
    for (int i = 0; i < n_runs && ok; i++) {
        ok = run_once(subject, drawer, state, text, &t, arena, error);
        search[i] = t.search;
        pass[i] = t.pass;
        picture[i] = t.picture;
        both[i] = t.search + t.pass;
    }
    arena_free(arena);
    if (!ok) return false;
    bench_row(table, "%d\t%d\t%d\t%.1f\t%.1f\t%.1f\t%.1f", n_words(text), t.n_source, t.n_target,
              1e3 * bench_median(search, n_runs), 1e3 * bench_median(pass, n_runs),
              1e3 * bench_median(both, n_runs), 1e3 * bench_median(picture, n_runs));
    return true;
}

static bool run(const Options *given, BenchTable *table, Error *error) {
    int n_runs = options_int(given, "steps", 15);
    if (n_runs > MOST_RUNS) n_runs = MOST_RUNS;
    Subject *subject = subject_open(options_text(given, "model", NULL), error);
    if (!subject) return false;
    const StackConfig *stacks = subject->model->config.stack;
    bool two = stacks[STACK_ENCODER].n_layers > 0 && stacks[STACK_DECODER].n_layers > 0;
    bool ok = two || error_set(error, ERROR_INPUT, "%s: an encoder and a decoder are needed",
                               subject->path);
    State state;
    Drawer drawer;
    state_init(&state);
    if (ok && (ok = drawer_open(&drawer, &state, error))) {
        bench_columns(table, "words|tokens read|written|search, ms|pass, ms|both, ms|picture, ms");
        for (size_t i = 0; i < sizeof sentences / sizeof *sentences && ok; i++)
            ok = run_sentence(subject, &drawer, &state, sentences[i], n_runs, table, error);
        drawer_close(&drawer);
    }
    if (ok)
        bench_note(
            table,
            "Median of %d with the model open: greedy search, one pass over what was written "
            "with all patterns kept, cross-attention drawn to the bytes of a PNG.",
            n_runs);
    state_free(&state);
    subject_close(subject);
    return ok;
}

const Bench bench_translate = {"translate", "a sentence, its patterns, its picture", run};
