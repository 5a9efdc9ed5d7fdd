#include "tests/model/engine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "model/base/random.h"

/* ---- numbers ---- */

Tensor random_tensor(Arena *arena, int seed, double deviation, int rank, const int64_t *shape) {
    Tensor x = tensor_new_shape(arena, rank, shape);
    int64_t n = tensor_count(x);
    x.grad = arena_calloc(arena, (size_t)n + 1, sizeof *x.grad);
    for (int64_t i = 0; i < n; i++)
        x.data[i] = (float)(deviation * random_normal((uint64_t)seed, (uint64_t)i));
    return x;
}

/* Item i of a tensor of any strides, counted row-major. */
static int64_t place(Tensor x, int64_t i) {
    int64_t at = 0;
    for (int a = x.rank - 1; a >= 0; a--) {
        at += i % x.shape[a] * x.stride[a];
        i /= x.shape[a];
    }
    return at;
}

Tensor random_strided(Arena *arena, int seed, int64_t n, int64_t d) {
    return tensor_slice(random_new(arena, seed, 1, 2, n, d + 3), 1, 2, d + 2);
}

double tensor_distance(Tensor a, Tensor b) {
    assert_true(tensor_same_shape(a, b));
    double most = 0;
    for (int64_t i = 0, n = tensor_count(a); i < n; i++) {
        float x = a.data[place(a, i)], y = b.data[place(b, i)];
        if (isnan(x) != isnan(y)) fail_msg("item %lld: %g and %g", (long long)i, x, y);
        if (isnan(x) || x == y) continue;
        most = fmax(most, fabs((double)x - y));
    }
    return most;
}

/* ---- finite differences ---- */

static Tensor apply(const GradientCheck *c, Arena *arena, Tape *tape) {
    Run run = {.arena = arena, .tape = tape, .dropout = c->dropout, .dropout_seed = 5};
    return c->function(&run, c->in, c->context);
}

static float weight_of(int64_t i) {
    return (float)random_normal(99, (uint64_t)i);
}

static double weighted_sum(const GradientCheck *c) {
    Arena *arena = arena_new();
    Tensor y = apply(c, arena, NULL);
    double sum = 0;
    for (int64_t i = 0, n = tensor_count(y); i < n; i++)
        if (isfinite(y.data[place(y, i)])) sum += (double)weight_of(i) * y.data[place(y, i)];
    arena_free(arena);
    return sum;
}

static void check_one(const GradientCheck *c, Tensor x, int which) {
    double step = c->step > 0 ? c->step : 1e-2, tolerance = c->tolerance > 0 ? c->tolerance : 2e-3;
    int64_t n = tensor_count(x);
    double greatest = 1;
    for (int64_t i = 0; i < n; i++)
        greatest = fmax(greatest, fabs(x.grad[place(x, i)]));
    int64_t stride = n > 160 ? n / 160 : 1; /* large ones: some of them */
    for (int64_t i = 0; i < n; i += stride) {
        float *at = &x.data[place(x, i)], old = *at;
        *at = (float)(old + step);
        double width = *at, up = weighted_sum(c);
        *at = (float)(old - step);
        width -= *at;
        double down = weighted_sum(c), want = (up - down) / width, have = x.grad[place(x, i)];
        *at = old;
        if (!(fabs(want - have) <= tolerance * greatest))
            fail_msg("input %d, item %lld: the tape says %g, differences %g (greatest %g)", which,
                     (long long)i, have, want, greatest);
    }
}

void gradient_check(const GradientCheck *c) {
    Arena *arena = arena_new();
    Tape *tape = tape_new(arena);
    if (c->params.data) tape_params(tape, c->params.data, c->params.grad, tensor_count(c->params));
    Tensor y = apply(c, arena, tape);
    assert_non_null(y.grad);
    for (int64_t i = 0, n = tensor_count(y); i < n; i++)
        if (isfinite(y.data[place(y, i)])) y.grad[place(y, i)] = weight_of(i);
    tape_backward(tape);
    for (int i = 0; i < c->n_in; i++)
        check_one(c, c->in[i], i);
    if (c->params.data) check_one(c, c->params, -1);
    arena_free(arena);
}

/* ---- golden models ---- */

Tokens tokens_of(Arena *arena, const int32_t *ids, int n) {
    Tokens out = {.n = n, .items = arena_calloc(arena, (size_t)n + 1, sizeof *out.items)};
    for (int i = 0; i < n; i++)
        out.items[i] = (Token){.id = ids[i], .label = str(arena_printf(arena, "%d", ids[i]))};
    return out;
}

Tokens golden_tokens(const Golden *g, const char *name, int row) {
    const RawTensor *t = safetensors_find(g->expected, name);
    assert_non_null(t);
    assert_int_equal(t->dtype, DTYPE_I64);
    assert_int_equal(t->rank, 2);
    int n = (int)t->shape[1];
    int32_t *ids = arena_alloc(g->arena, (size_t)n * sizeof *ids);
    for (int i = 0; i < n; i++)
        ids[i] = (int32_t)((const int64_t *)t->data)[row * n + i];
    return tokens_of(g->arena, ids, n);
}

Tensor golden_row(const Golden *g, const char *name, int row) {
    const RawTensor *t = safetensors_find(g->expected, name);
    if (!t || t->dtype != DTYPE_F32 || t->rank < 2) return (Tensor){0};
    Tensor x = tensor_new_shape(g->arena, t->rank - 1, t->shape + 1);
    int64_t n = tensor_count(x);
    dtype_to_f32(DTYPE_F32, t->data, row * n, n, x.data);
    return x;
}

const int32_t *golden_types(const Golden *g, const char *name, int row) {
    if (!safetensors_find(g->expected, name)) return NULL;
    Tokens ids = golden_tokens(g, name, row);
    int32_t *types = arena_alloc(g->arena, (size_t)ids.n * sizeof *types);
    for (int i = 0; i < ids.n; i++)
        types[i] = ids.items[i].id;
    return types;
}

Golden golden_open(const char *name) {
    Error error = {0};
    Golden g = {.arena = arena_new()};
    const char *folder = arena_printf(g.arena, "tests/data/golden/%s", name);
    g.model = model_open(folder, &error);
    expect_ok(&error);
    g.expected = safetensors_open(arena_printf(g.arena, "%s/expected.safetensors", folder), &error);
    expect_ok(&error);
    g.input.features = golden_row(&g, "pixel_values", 0);
    if (!g.input.features.data) g.input.features = golden_row(&g, "input_features", 0);
    if (!g.input.features.data) g.input.source = golden_tokens(&g, "input_ids", 0);
    g.input.types = golden_types(&g, "token_type_ids", 0);
    if (safetensors_find(g.expected, "decoder_input_ids"))
        g.input.target = golden_tokens(&g, "decoder_input_ids", 0);
    return g;
}

void golden_close(Golden *g) {
    safetensors_close(g->expected);
    model_free(g->model);
    arena_free(g->arena);
}

Tensor golden_tensor(const Golden *g, const char *name) {
    const RawTensor *t = safetensors_find(g->expected, name);
    if (!t) return (Tensor){0};
    assert_int_equal(t->dtype, DTYPE_F32);
    int skip = t->rank > 1 && t->shape[0] == 1;
    Tensor x = tensor_new_shape(g->arena, t->rank - skip, t->shape + skip);
    memcpy(x.data, t->data, t->n_bytes);
    return x;
}

Trace *golden_trace(const Golden *g, const TraceOptions *options) {
    Error error = {0};
    Trace *trace = trace_run(g->model, &g->input, options, &error);
    expect_ok(&error);
    assert_non_null(trace);
    return trace;
}

Tensor trace_tensor_of(const Trace *trace, const char *name) {
    const Tensor *x = trace_find(trace, name);
    if (!x) fail_msg("the trace has no %s", name);
    return *x;
}

void edit_add(Edits *edits, EditKind kind, const char *text, const Model *model, Arena *arena) {
    Error error = {0};
    if (edits_add(edits, kind, text, arena, &error)) edits_check(edits, model, &error);
    expect_ok(&error);
}

char *temporary_path(Arena *arena, const char *suffix) {
    return arena_printf(arena, "/tmp/attnscope-test-%ld-%s", (long)getpid(), suffix);
}

/* ---- errors ---- */

void expect_ok(const Error *error) {
    if (!error_ok(error)) fail_msg("%s", error->message);
}

void expect_error(Error *error, const char *text) {
    if (error_ok(error)) fail_msg("no error, \"%s\" expected", text);
    if (!strstr(error->message, text)) fail_msg("\"%s\" expected in: %s", text, error->message);
    assert_null(strchr(error->message, '\n'));
    *error = (Error){0};
}
