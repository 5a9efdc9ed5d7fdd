#include "model/effort.h"

#include <stdio.h>
#include <time.h>

#include "model/memory.h"
#include "model/ops.h"

/* Cells of attention cost an exponential and their way through memory besides their products: as
 * long as about so many multiply-adds. */
static const double adds_of_cell = 32;
/* Fewer than these are done before anyone could read the line. */
static const double too_few = 2e10;
/* A run is long from here on. */
static const double long_seconds = 5;

static double of_linear(const Linear *linear) {
    return linear->weight.data ? (double)linear->weight.rows * (double)linear->weight.cols : 0;
}

/* Multiply-adds of n queries that read n_keys keys each, in all layers; a step of writing finds the
 * keys of the source done. */
static double of_stack(const Model *model, StackId id, double n, double n_keys, double n_source,
                       bool step) {
    const StackConfig *c = &model->config.stack[id];
    double total = 0, n_sources = step ? 0 : n_source;
    double cell = c->n_heads * (2.0 * c->d_head + adds_of_cell);
    for (int l = 0; model->stack[id].layers && l < c->n_layers; l++) {
        const Layer *layer = &model->stack[id].layers[l];
        const AttentionWeights *a = &layer->attn, *x = &layer->cross;
        double own = of_linear(&a->q) + of_linear(&a->k) + of_linear(&a->v) + of_linear(&a->o) +
                     of_linear(&layer->up) + of_linear(&layer->gate) + of_linear(&layer->down);
        int window = stack_window(c, l);
        double seen = window && window < n_keys ? window : c->causal && !step ? n_keys / 2 : n_keys;
        total += n * (own + seen * cell);
        if (!c->has_cross) continue;
        total += n * (of_linear(&x->q) + of_linear(&x->o) + n_source * cell) +
                 n_sources * (of_linear(&x->k) + of_linear(&x->v));
    }
    return total;
}

double effort_multiply_adds(const Model *model, int64_t n_source, int64_t n_target) {
    double n = (double)n_source, m = (double)n_target;
    if (model->config.family == FAMILY_RECURRENT) return (double)model->n_parameters * (n + m);
    StackId first = model_first_stack(model);
    double total = of_stack(model, first, n, n, 0, false);
    if (first == STACK_ENCODER) total += of_stack(model, STACK_DECODER, m, m, n, false);
    return total + (first == STACK_ENCODER ? m : n) * of_linear(&model->output);
}

/* The weight whose product is measured: the widest kind there is. */
static const Linear *sample(const Model *model) {
    StackId last = model_has_stack(model, STACK_DECODER) ? STACK_DECODER : model_first_stack(model);
    if (model->config.family != FAMILY_RECURRENT && model->config.stack[last].n_layers > 0)
        return &model->stack[last].layers[0].up;
    return &model->output;
}

/* Multiply-adds a second of products with n rows. The first time counts: it reads the weight from
 * the disk where the file lies there. */
static double rate(const Model *model, int64_t n) {
    enum { MOST_ROWS = 128 };
    const Linear *linear = sample(model);
    if (!linear->weight.data) return 1e10;
    n = n > MOST_ROWS ? MOST_ROWS : n < 1 ? 1 : n;
    Run run = {.model = model, .arena = arena_new(), .team = ops_team()};
    Tensor x = run_tensor(&run, 2, n, linear->weight.cols);
    for (int64_t i = 0; i < tensor_count(x); i++)
        x.data[i] = (float)(i % 7) - 3;
    struct timespec begin, end;
    clock_gettime(CLOCK_MONOTONIC, &begin);
    op_linear(&run, x, linear);
    clock_gettime(CLOCK_MONOTONIC, &end);
    team_free(run.team);
    arena_free(run.arena);
    double seconds =
        (double)(end.tv_sec - begin.tv_sec) + (double)(end.tv_nsec - begin.tv_nsec) * 1e-9;
    return (double)n * of_linear(linear) / (seconds > 1e-9 ? seconds : 1e-9);
}

double effort_pass(const Model *model, int64_t n_source, int64_t n_target, bool gradient) {
    double adds = effort_multiply_adds(model, n_source, n_target) * (gradient ? 3 : 1);
    return adds < too_few ? 0 : adds / rate(model, n_source + n_target);
}

double effort_step(const Model *model, int n_rows, int64_t n_keys) {
    double n = n_rows, keys = (double)n_keys;
    if (model->config.family == FAMILY_RECURRENT) return 0;
    StackId id = model_has_stack(model, STACK_DECODER) ? STACK_DECODER : STACK_BLOCKS;
    double adds = of_stack(model, id, n, keys, keys, true) + n * of_linear(&model->output);
    return adds * 1000 < too_few ? 0 : adds / rate(model, n_rows);
}

const char *effort_text(double seconds, char buffer[32]) {
    if (seconds < 100)
        snprintf(buffer, 32, "%.*f s", seconds < 1 ? 2 : 0, seconds);
    else if (seconds < 100 * 60)
        snprintf(buffer, 32, "%.0f min", seconds / 60);
    else
        snprintf(buffer, 32, "%.1f h", seconds / 3600);
    return buffer;
}

bool effort_asked(int64_t n_bytes, const Progress *progress) {
    return progress->expect || !memory_fits(n_bytes);
}

bool effort_allowed(const Effort *effort, const Progress *progress, Error *error) {
    char time[32], what[160];
    if (!memory_fits(effort->n_bytes)) {
        effort_text(effort->seconds, time);
        return error_set(error, ERROR_MEMORY, "%s would take %.1f GB%s%s, and %.1f GB are free; %s",
                         effort->what, (double)effort->n_bytes / 1e9,
                         effort->seconds > 0 ? " and about " : "", effort->seconds > 0 ? time : "",
                         (double)memory_available() / 1e9, effort->advice);
    }
    if (!progress->expect || effort->seconds < long_seconds) return true;
    snprintf(what, sizeof what, "%s takes about %s and %.1f GB", effort->what,
             effort_text(effort->seconds, time), (double)effort->n_bytes / 1e9);
    progress->expect(progress->context, what);
    return true;
}
