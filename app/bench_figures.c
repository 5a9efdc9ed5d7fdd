/* bench figures: from a trace that is there to the bytes of a file, views of 12 layers x 12 heads
 * of random patterns. Beside it stands tests/bench/matplotlib_figures.py, the same pictures by
 * matplotlib. */
#include <math.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#include "app/bench.h"
#include "app/drawer.h"
#include "app/views/select.h"
#include "model/base/random.h"
#include "render/export.h"

enum { LAYERS = 12, HEADS = 12, MOST_RUNS = 64 };

/* Softmax of random scores with one strong key a query, as attention has. */
static void fill_head(float *out, int n, uint64_t seed) {
    for (int q = 0; q < n; q++) {
        float sum = 0, *row = out + (int64_t)q * n;
        for (int k = 0; k < n; k++) {
            uint64_t bits = random_word(seed, (uint64_t)q * (uint64_t)n + (uint64_t)k);
            row[k] = expf((float)(bits >> 40) * 0x1p-24f * 4) + (k == (q * 7 + 3) % n ? 400 : 0);
            sum += row[k];
        }
        for (int k = 0; k < n; k++)
            row[k] /= sum;
    }
}

static Trace *make_trace(int n, int n_layers, int n_heads) {
    Arena *arena = arena_new();
    Tokens tokens = {.n = n, .items = arena_calloc(arena, (size_t)n, sizeof(Token))};
    for (int i = 0; i < n; i++)
        tokens.items[i].label = str(arena_printf(arena, "token%d", i));
    Trace *trace = trace_new(arena, tokens, (Tokens){0}, NULL);
    for (int layer = 0; layer < n_layers; layer++) {
        char name[HOOK_NAME_MAX];
        Tensor x = tensor_new(arena, 3, n_heads, n, n);
        for (int head = 0; head < n_heads; head++)
            fill_head(tensor_at(x, head, 0, 0, 0), n, (uint64_t)(layer * n_heads + head));
        HookPoint at = {.site = SITE_PATTERN, .stack = STACK_BLOCKS, .layer = layer};
        trace_put(trace, hook_name(&at, name), x);
    }
    return trace;
}

/* Seconds of processor time of this process: what a busy machine does not change. */
static double cpu_now(void) {
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static double peak_mb(void) {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
#ifdef __APPLE__
    return (double)usage.ru_maxrss / 1e6;
#else
    return (double)usage.ru_maxrss / 1e3;
#endif
}

typedef struct Case {
    const char *what, *view, *fields;
    int n, n_layers, n_heads;
    ExportFormat format;
} Case;

static const Case cases[] = {
    {"model view, 12 x 12 heads", "model", "", 512, LAYERS, HEADS, EXPORT_PNG},
    {"model view, 12 x 12 heads", "model", "", 128, LAYERS, HEADS, EXPORT_PNG},
    {"heatmap with labels", "heatmap", "0", 512, 1, 1, EXPORT_PNG},
    {"heatmap with labels", "heatmap", "0", 512, 1, 1, EXPORT_SVG},
    {"heatmap with labels", "heatmap", "0", 1024, 1, 1, EXPORT_SVG},
    {"heatmap with labels", "heatmap", "0", 32, 1, 1, EXPORT_PNG},
    {"heatmap with labels", "heatmap", "0", 32, 1, 1, EXPORT_SVG},
    {"heatmap with labels", "heatmap", "0", 32, 1, 1, EXPORT_PDF},
    {"head view, 12 heads", "head", "0", 32, 1, HEADS, EXPORT_PNG},
    {"arcs", "arcs", "0", 32, 1, 1, EXPORT_PNG},
};

static bool run_once(const Case *c, const Trace *trace, const Drawer *drawer, double *seconds,
                     size_t *n_bytes, Error *error) {
    State state;
    state_init(&state);
    if (*c->fields) state_put_text(&state.layer, c->fields);
    ViewReport report = {0};
    ViewInput input = {.trace = trace, .state = &state, .report = &report};
    StrBuf bytes = {0};
    double begin = bench_now();
    Figure *figure = drawer_draw(drawer, view_find(c->view), &input, error);
    bool ok = figure && export_bytes(figure, c->format, &(ExportOptions){.canvas = drawer->canvas},
                                     &bytes, error);
    *seconds = bench_now() - begin;
    *n_bytes = bytes.n;
    strbuf_free(&bytes);
    figure_free(figure);
    view_report_free(&report);
    state_free(&state);
    return ok;
}

static bool run_case(const Case *c, int n_runs, BenchTable *table, Error *error) {
    Trace *trace = make_trace(c->n, c->n_layers, c->n_heads);
    double with_trace = peak_mb(), times[MOST_RUNS], cpu[MOST_RUNS];
    size_t n_bytes = 0;
    bool ok = true;
    for (int i = 0; i < n_runs && ok; i++) {
        Drawer drawer;
        State plain;
        state_init(&plain);
        ok = drawer_open(&drawer, &plain, error); /* new each time: nothing is kept from before */
        if (!ok) break;
        cpu[i] = cpu_now();
        ok = run_once(c, trace, &drawer, &times[i], &n_bytes, error);
        cpu[i] = cpu_now() - cpu[i];
        drawer_close(&drawer);
    }
    if (ok)
        bench_row(table, "%s\t%d\t%s\t%.0f\t%.0f\t%.0f\t%.0f", c->what, c->n,
                  export_kind(c->format)->extension + 1, 1e3 * bench_median(times, n_runs),
                  1e3 * bench_median(cpu, n_runs), (double)n_bytes / 1e3, peak_mb() - with_trace);
    trace_release(trace);
    return ok;
}

/* --tokens 512,32: only cases of these lengths. */
static bool wanted(const Case *c, const char *tokens) {
    Str rest = tokens ? str(tokens) : (Str){0}, part;
    bool any = !tokens;
    while (select_part(&rest, ',', &part)) {
        long long n;
        any = any || (integer_parse(part, &n) && n == c->n);
    }
    return any;
}

static bool run(const Options *given, BenchTable *table, Error *error) {
    const char *tokens = options_text(given, "tokens", NULL);
    int n_runs = options_int(given, "steps", 5);
    if (n_runs > MOST_RUNS) n_runs = MOST_RUNS;
    bench_columns(table, "figure|tokens|file|ms|CPU ms|kB|more memory, MB");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (wanted(&cases[i], tokens) && !run_case(&cases[i], n_runs, table, error)) return false;
    bench_note(
        table,
        "Median of %d, from a trace in memory to the bytes of the file, fonts looked up anew "
        "each time. Memory: what the peak of the process rose by, in this order.",
        n_runs);
    return true;
}

const Bench bench_figures = {"figures", "figures from a trace that is there", run};
