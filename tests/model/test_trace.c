/* Traces: gradients at every site against differences made by patching that site, also through
 * edits; patterns recomputed and stored; the file and back. */
#include "tests/model/engine.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "model/pattern.h"
#include "model/trace_inside.h"

static const char *const all_sites[] = {"*", NULL};

/* ---- gradients ---- */

/* What is differentiated, from the logits of a pass: one of them, or the loss in nats. */
typedef struct Objective {
    const char *grad;
    int64_t position, id; /* position -1: the loss */
    const int32_t *next;
    int n;
} Objective;

static double value_of(const Objective *o, Tensor logits) {
    if (o->position >= 0) return *tensor_at(logits, o->position, o->id, 0, 0);
    double loss = 0;
    for (int t = 0; t < o->n; t++) {
        double total = 0, top = -1e30;
        for (int64_t v = 0; v < logits.shape[1]; v++)
            top = fmax(top, *tensor_at(logits, t, v, 0, 0));
        for (int64_t v = 0; v < logits.shape[1]; v++)
            total += exp(*tensor_at(logits, t, v, 0, 0) - top);
        loss += top + log(total) - *tensor_at(logits, t, o->next[t], 0, 0);
    }
    return loss;
}

/* The pass with one more edit: the site replaced by donor, at one position or (-1) at all. */
static double patched_value(const Golden *g, const Objective *o, const Edits *edits,
                            const char *site, Tensor donor, int position) {
    static const char *const sites[] = {"logits", NULL};
    Edits more = edits ? *edits : (Edits){0};
    Edit *patch = &more.items[more.n++];
    *patch = (Edit){.kind = EDIT_PATCH, .position = position, .donor = donor, .text = site};
    assert_true(hook_parse(site, &patch->at));
    Trace *trace = golden_trace(g, &(TraceOptions){.sites = sites, .edits = &more});
    double value = value_of(o, trace_tensor_of(trace, "logits"));
    trace_release(trace);
    return value;
}

static double size_of(Tensor x) {
    double sum = 0;
    int64_t n = tensor_count(x), finite = 0;
    for (int64_t i = 0; i < n; i++)
        if (isfinite(x.data[i])) {
            sum += (double)x.data[i] * x.data[i];
            finite++;
        }
    return sqrt(sum / (double)(finite ? finite : 1)) + 1e-3;
}

static void check_site(const Golden *g, const Objective *o, const Edits *edits, const char *site,
                       Tensor x, Tensor grad) {
    int64_t n = tensor_count(x);
    double greatest = 0, step = 2e-3 * size_of(x);
    for (int64_t i = 0; i < n; i++)
        greatest = fmax(greatest, fabs(grad.data[i]));
    for (int s = 0; s < 3; s++) { /* some of the numbers, the one that matters most among them */
        int64_t at = (s * 7919 + 13) % n;
        for (int64_t i = 0; s == 0 && i < n; i++)
            if (fabsf(grad.data[i]) >= (float)greatest) at = i;
        if (!isfinite(x.data[at])) continue;
        Tensor donor = tensor_clone(g->arena, x);
        /* A state that is patched at all positions no longer depends on the one before. */
        int axis = x.rank - 2, position = -1;
        if (g->model->config.family == FAMILY_RECURRENT)
            position = (int)(at / x.stride[axis] % x.shape[axis]);
        donor.data[at] = (float)(x.data[at] + step);
        double width = donor.data[at], up = patched_value(g, o, edits, site, donor, position);
        donor.data[at] = (float)(x.data[at] - step);
        width -= donor.data[at];
        double want = (up - patched_value(g, o, edits, site, donor, position)) / width;
        double slack = 0.02 * greatest + 4e-6 / step;
        if (!(fabs(want - grad.data[at]) < slack))
            fail_msg("%s, %s, item %lld of %s: gradient %g, differences %g (greatest %g)",
                     g->model->path, o->grad, (long long)at, site, grad.data[at], want, greatest);
    }
}

static void check_gradients(const Golden *g, const Objective *o, const Edits *edits) {
    Trace *trace =
        golden_trace(g, &(TraceOptions){.sites = all_sites, .edits = edits, .grad = o->grad});
    int n_sites = 0;
    for (int i = 0; i < trace_n_tensors(trace); i++) {
        const char *name = trace_tensor_name(trace, i);
        if (strncmp(name, "grad.", 5) == 0) continue;
        Tensor grad = trace_tensor_of(trace, arena_printf(g->arena, "grad.%s", name));
        check_site(g, o, edits, name, *trace_tensor(trace, i), grad);
        n_sites++;
    }
    assert_true(n_sites > (g->model->config.family == FAMILY_RECURRENT ? 7 : 60));
    trace_release(trace);
}

static Golden open_with_next(const char *name, Objective *loss) {
    Golden g = golden_open(name);
    int n = g.input.target.n;
    int32_t *next = arena_alloc(g.arena, (size_t)n * sizeof *next);
    for (int i = 0; i < n; i++)
        next[i] = 5 + 3 * i;
    g.input.next = next;
    *loss = (Objective){.grad = "loss", .position = -1, .next = next, .n = n};
    return g;
}

static void gradients_equal_differences(void **state) {
    (void)state;
    static const char *const cases[] = {"marian", "vaswani-post", "vaswani-pre"};
    for (int c = 0; c < 3; c++) {
        Objective loss;
        Golden g = open_with_next(cases[c], &loss);
        if (c > 0) check_gradients(&g, &loss, NULL);
        if (c == 0)
            check_gradients(&g, &(Objective){.grad = "logit:17@2", .position = 2, .id = 17}, NULL);
        golden_close(&g);
    }
}

/* Through time and the bridge, in plain, GRU and LSTM cells and both attentions. */
static void gradients_of_recurrent_models(void **state) {
    (void)state;
    static const char *const cases[] = {"rnn-gru-bi-bahdanau", "rnn-rnn-bi-luong",
                                        "rnn-lstm-bi-luong"};
    for (int c = 0; c < 3; c++) {
        Objective loss;
        Golden g = open_with_next(cases[c], &loss);
        check_gradients(&g, &loss, NULL);
        check_gradients(&g, &(Objective){.grad = "logit:17@2", .position = 2, .id = 17}, NULL);
        Edits edits = {0};
        edit_add(&edits, EDIT_SCALE, "encoder.0.hook_h=0.5", g.model, g.arena);
        edit_add(&edits, EDIT_SET, "decoder.attn.hook_pattern:q3:k2=0.6", g.model, g.arena);
        check_gradients(&g, &loss, &edits);
        golden_close(&g);
    }
}

static void gradients_through_edits(void **state) {
    (void)state;
    Objective loss;
    Golden g = open_with_next("vaswani-pre", &loss);
    Edits edits = {0};
    edit_add(&edits, EDIT_ABLATE, "decoder.0.attn:H1", g.model, g.arena);
    edit_add(&edits, EDIT_SCALE, "decoder.1.cross_attn:H0=0.4", g.model, g.arena);
    edit_add(&edits, EDIT_SCALE, "encoder.1.mlp=1.7", g.model, g.arena);
    edit_add(&edits, EDIT_SET, "decoder.1.cross_attn:H1:q4:k2=0.6", g.model, g.arena);
    edit_add(&edits, EDIT_SET, "decoder.0.attn:q5:k1=0.3", g.model, g.arena);
    Edit *patch = &edits.items[edits.n++];
    *patch = (Edit){.kind = EDIT_PATCH,
                    .at = {.site = SITE_RESID_PRE, .stack = STACK_ENCODER, .layer = 1},
                    .position = 3,
                    .donor = random_new(g.arena, 1, 1, 2, g.input.source.n, 32),
                    .text = "encoder.1.hook_resid_pre@3"};
    check_gradients(&g, &loss, &edits);
    golden_close(&g);
}

/* The gradient by what enters a set: y_key is the weight, the others are (1 - w) x / sum of x. The
 * scores stand before it. Two sets in one row, and a scale between them. */
static void gradient_before_a_set_is_exact(void **state) {
    (void)state;
    Objective loss;
    Golden g = open_with_next("marian", &loss);
    Edits edits = {0};
    edit_add(&edits, EDIT_SET, "decoder.1.cross_attn:q2:k4=0.35", g.model, g.arena);
    edit_add(&edits, EDIT_SCALE, "decoder.1.cross_attn.hook_pattern:H2=0.5", g.model, g.arena);
    edit_add(&edits, EDIT_SET, "decoder.1.cross_attn:H0,H2:q2:k1=0.5", g.model, g.arena);
    static const char *const site = "decoder.1.cross_attn.hook_attn_scores";
    Trace *trace =
        golden_trace(&g, &(TraceOptions){.sites = all_sites, .edits = &edits, .grad = "loss"});
    Tensor x = trace_tensor_of(trace, site);
    Tensor grad = trace_tensor_of(trace, arena_printf(g.arena, "grad.%s", site));
    double greatest = 0;
    for (int64_t i = 0; i < tensor_count(grad); i++)
        greatest = fmax(greatest, fabs(grad.data[i]));
    for (int h = 0; h < 4; h++)
        for (int k = 0; k < x.shape[2]; k++) {
            Tensor donor = tensor_clone(g.arena, x);
            *tensor_at(donor, h, 2, k, 0) += 0.01f;
            double up = patched_value(&g, &loss, &edits, site, donor, -1);
            *tensor_at(donor, h, 2, k, 0) -= 0.02f;
            double want = (up - patched_value(&g, &loss, &edits, site, donor, -1)) / 0.02;
            if (!(fabs(want - *tensor_at(grad, h, 2, k, 0)) < 0.01 * greatest + 1e-3))
                fail_msg("head %d key %d: %g, differences %g", h, k, *tensor_at(grad, h, 2, k, 0),
                         want);
        }
    trace_release(trace);
    golden_close(&g);
}

static void gradients_that_cannot_be(void **state) {
    (void)state;
    static const struct {
        const char *grad, *message;
    } wrong[] = {{"logits", "'loss' or 'logit:TOKEN@POSITION' expected"},
                 {"logit:5", "'loss' or 'logit:TOKEN@POSITION' expected"},
                 {"logit:5@99", "the positions are 0 to"},
                 {"logit:5@-99", "the positions are 0 to"},
                 {"logit:99999@0", "no such token"},
                 {"logit:@0", "no such token"},
                 {"logit:5@x", "expected"}};
    Golden g = golden_open("marian");
    Error error = {0};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_null(trace_run(g.model, &g.input, &(TraceOptions){.grad = wrong[i].grad}, &error));
        expect_error(&error, wrong[i].message);
    }
    /* A target the output has no logit for. */
    int32_t next[5] = {1, 2, 100000, 3, 4};
    g.input.next = next;
    assert_null(trace_run(g.model, &g.input, &(TraceOptions){.grad = "loss"}, &error));
    expect_error(&error, "100000");
    golden_close(&g);
}

/* Steps that read padding or would write it have no part in the loss, on either end. */
static void loss_leaves_padding_out(void **state) {
    (void)state;
    static const char *const cases[] = {"marian", "gpt-neo"};
    static const char *const keeps[] = {"11100", "00111"};
    for (int c = 0; c < 2; c++) {
        Golden g = golden_open(cases[c]);
        uint8_t keep[5];
        for (int i = 0; i < 5; i++)
            keep[i] = keeps[c][i] == '1';
        Tokens *read = c == 0 ? &g.input.target : &g.input.source;
        assert_true(read->n >= 5);
        read->n = 5;
        g.input.next = NULL;
        *(c == 0 ? &g.input.target_keep : &g.input.source_keep) = keep;
        Trace *trace = golden_trace(&g, &(TraceOptions){.grad = "loss"});
        Tensor d = trace_tensor_of(trace, "grad.logits");
        for (int row = 0; row < 5; row++) {
            float most = 0;
            for (int64_t v = 0; v < d.shape[1]; v++)
                most = fmaxf(most, fabsf(*tensor_at(d, row, v, 0, 0)));
            assert_int_equal(most > 0, row < 4 && keep[row] && keep[row + 1]);
        }
        trace_release(trace);
        golden_close(&g);
    }
}

/* ---- patterns without storing them ---- */

static void recomputed_patterns_equal_stored_ones(void **state) {
    (void)state;
    static const char *const cases[] = {"marian", "vaswani-post", "vaswani-pre"};
    static const char *const attentions[] = {"encoder", "decoder", "cross"};
    for (int c = 0; c < 3; c++) {
        Golden g = golden_open(cases[c]);
        uint8_t keep[32];
        for (int i = 0; i < g.input.source.n; i++)
            keep[i] = i != 2;
        if (c == 1) g.input.source_keep = keep;
        Trace *stored = golden_trace(&g, NULL);
        Trace *lazy = golden_trace(&g, &(TraceOptions){.lazy_patterns = true});
        for (int a = 0; a < 6; a++) {
            StackId stack = a / 2 == 0 ? STACK_ENCODER : STACK_DECODER;
            Pattern p, q;
            assert_true(trace_pattern(stored, stack, a % 2, a / 2 == 2, &p));
            assert_true(trace_pattern(lazy, stack, a % 2, a / 2 == 2, &q));
            if (q.stored.data) fail_msg("%s: %s is stored", cases[c], attentions[a / 2]);
            assert_int_equal(p.n_heads, q.n_heads);
            assert_int_equal(p.n_queries, q.n_queries);
            assert_int_equal(p.n_keys, q.n_keys);
            for (int64_t from = 0; from < p.n_queries; from += 3) /* tiles, and a whole */
                for (int64_t key = 0; key < p.n_keys; key += 4) {
                    int64_t q_end = from + 3 < p.n_queries ? from + 3 : p.n_queries;
                    int64_t k_end = key + 4 < p.n_keys ? key + 4 : p.n_keys;
                    float x[12], y[12];
                    int head = (int)((from + key) % p.n_heads);
                    pattern_tile(&p, head, from, q_end, key, k_end, x);
                    pattern_tile(&q, head, from, q_end, key, k_end, y);
                    for (int64_t i = 0; i < (q_end - from) * (k_end - key); i++) {
                        assert_true(fabsf(x[i] - y[i]) < 4e-6f); /* sums in another order */
                        assert_true((x[i] == 0) == (y[i] == 0));
                    }
                }
            for (int64_t i = 0; i < p.n_queries; i++)
                for (int64_t k = 0; k < p.n_keys; k++)
                    assert_true(pattern_visible(&p, i, k) == pattern_visible(&q, i, k));
        }
        assert_int_equal(trace_n_layers(lazy, STACK_DECODER, true), 2);
        assert_int_equal(trace_n_heads(lazy, STACK_DECODER, true),
                         trace_n_heads(stored, STACK_DECODER, true));
        trace_release(stored);
        trace_release(lazy);
        golden_close(&g);
    }
}

/* What an edit changes is stored; the others stay recomputed. */
static void edited_patterns_are_stored(void **state) {
    (void)state;
    Golden g = golden_open("marian");
    Edits edits = {0};
    edit_add(&edits, EDIT_SET, "decoder.1.cross_attn:H0:q2:k3=1", g.model, g.arena);
    Trace *trace = golden_trace(&g, &(TraceOptions){.lazy_patterns = true, .edits = &edits});
    Pattern p;
    assert_true(trace_pattern(trace, STACK_DECODER, 1, true, &p));
    assert_non_null(p.stored.data);
    assert_true(*tensor_at(p.stored, 0, 2, 3, 0) == 1);
    assert_true(trace_pattern(trace, STACK_DECODER, 0, true, &p));
    assert_null(p.stored.data);
    assert_false(trace_pattern(trace, STACK_BLOCKS, 0, false, &p));
    assert_false(trace_pattern(trace, STACK_ENCODER, 0, true, &p));
    trace_release(trace);
    golden_close(&g);
}

/* ---- the file ---- */

static void expect_tokens(Tokens a, Tokens b) {
    assert_int_equal(a.n, b.n);
    assert_true(str_eq(a.text, b.text));
    for (int i = 0; i < a.n; i++) {
        assert_int_equal(a.items[i].id, b.items[i].id);
        assert_true(str_eq(a.items[i].label, b.items[i].label));
        assert_int_equal(a.items[i].begin, b.items[i].begin);
        assert_int_equal(a.items[i].end, b.items[i].end);
        assert_int_equal(a.items[i].special, b.items[i].special);
    }
}

static void saved_and_opened_again(void **state) {
    (void)state;
    for (int lazy = 0; lazy < 2; lazy++) {
        Objective loss;
        Golden g = open_with_next("marian", &loss);
        Tokens *source = &g.input.source, *target = &g.input.target;
        source->text = str("p\xc3\xa4iv\xc3\xa4\xc3\xa4, \"maailma\"");
        for (int i = 0; i < source->n; i++)
            source->items[i].begin = i, source->items[i].end = i + 1;
        source->items[1].label = str("\xe2\x96\x81p\xc3\xa4i\"\\");
        source->items[2].label = (Str){"a\0b", 3};
        source->items[source->n - 1].special = true;
        Token *written = arena_calloc(g.arena, (size_t)target->n, sizeof *written);
        for (int i = 0; i < target->n; i++)
            written[i] = (Token){.id = loss.next[i], .label = str("w"), .special = i == 3};
        g.input.next_tokens = written;
        uint8_t keep[32];
        for (int i = 0; i < source->n; i++)
            keep[i] = i != 4;
        g.input.source_keep = keep;
        Trace *trace = golden_trace(&g, &(TraceOptions){.lazy_patterns = lazy});
        char *path = temporary_path(g.arena, "trace.safetensors");
        Error error = {0};
        trace_save(trace, path, &error);
        expect_ok(&error);
        Trace *back = trace_open(path, &error);
        expect_ok(&error);
        unlink(path);
        expect_tokens(trace_source(trace), trace_source(back));
        expect_tokens(trace_target(trace), trace_target(back));
        for (int i = 0; i < target->n; i++) {
            assert_int_equal(trace_next(back)[i], loss.next[i]);
            assert_int_equal(trace_next_tokens(back)[i].id, loss.next[i]);
            assert_true(str_is(trace_next_tokens(back)[i].label, "w"));
            assert_int_equal(trace_next_tokens(back)[i].special, i == 3);
        }
        assert_string_equal(trace_model_name(back), trace_model_name(trace));
        for (int a = 0; a < 3; a++) {
            Pattern p, q;
            StackId stack = a == 0 ? STACK_ENCODER : STACK_DECODER;
            assert_true(trace_pattern(trace, stack, 1, a == 2, &p));
            assert_true(trace_pattern(back, stack, 1, a == 2, &q));
            for (int64_t i = 0; i < p.n_queries; i++)
                for (int64_t k = 0; k < p.n_keys; k++) {
                    float x, y;
                    pattern_tile(&p, 1, i, i + 1, k, k + 1, &x);
                    pattern_tile(&q, 1, i, i + 1, k, k + 1, &y);
                    assert_true(fabsf(x - y) < 4e-6f); /* sums in another order */
                    assert_int_equal(pattern_visible(&p, i, k), pattern_visible(&q, i, k));
                }
        }
        for (int i = 0; i < trace_n_tensors(trace); i++)
            assert_true(tensor_distance(*trace_tensor(trace, i),
                                        trace_tensor_of(back, trace_tensor_name(trace, i))) == 0);
        trace_release(back);
        trace_release(trace);
        golden_close(&g);
    }
}

/* A file that is a safetensors and no trace, or a trace that does not fit together. */
static void files_that_are_no_traces(void **state) {
    (void)state;
    static const float zeros[64];
    static const int32_t ids[4] = {1, 2, 3, 4};
    static const struct {
        const char *name;
        int rank;
        int64_t shape[4];
        const char *message;
    } wrong[] = {{"weights", 2, {2, 3}, "no tensor has the name of a hook"},
                 {"blocks.0.attn.hook_pattern", 2, {4, 4}, "[head, query, key] expected"},
                 {"blocks.0.attn.hook_pattern", 4, {2, 2, 4, 4}, "[head, query, key] expected"},
                 {"blocks.0.attn.hook_pattern", 3, {2, 4, 5}, "4 tokens"}};
    Arena *arena = arena_new();
    Error error = {0};
    char *path = temporary_path(arena, "wrong.safetensors");
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        SafetensorsWriter *w = safetensors_create(path, &error);
        safetensors_add(w, wrong[i].name, DTYPE_F32, wrong[i].rank, wrong[i].shape, zeros);
        safetensors_add(w, "tokens", DTYPE_I32, 1, (const int64_t[]){4}, ids);
        assert_true(safetensors_commit(w, &error));
        Trace *trace = trace_open(path, &error);
        if (trace) fail_msg("%s was taken", wrong[i].name);
        expect_error(&error, wrong[i].message);
    }
    unlink(path);
    assert_null(trace_open(path, &error));
    expect_error(&error, path);
    arena_free(arena);
}

/* ---- input that cannot be read ---- */

static void inputs_that_cannot_be(void **state) {
    (void)state;
    Golden g = golden_open("marian");
    Error error = {0};
    Input input = g.input;
    input.source.n = 0;
    assert_null(trace_run(g.model, &input, NULL, &error));
    expect_error(&error, "nothing to read");
    input = g.input;
    input.target.n = 0;
    assert_null(trace_run(g.model, &input, NULL, &error));
    expect_error(&error, "a target is needed");
    static int32_t many[33];
    input = g.input;
    input.source = tokens_of(g.arena, many, 33);
    assert_null(trace_run(g.model, &input, NULL, &error));
    expect_error(&error, "33 tokens, but this model reads at most 32");
    input = g.input;
    input.source = tokens_of(g.arena, (const int32_t[]){3, -1}, 2);
    assert_null(trace_run(g.model, &input, NULL, &error));
    expect_error(&error, "token 1 has id -1");
    input.source = tokens_of(g.arena, (const int32_t[]){107}, 1);
    assert_null(trace_run(g.model, &input, NULL, &error));
    expect_error(&error, "the ids are 0 to 106");
    atomic_bool cancel = true;
    assert_null(
        trace_run(g.model, &g.input, &(TraceOptions){.progress = {.cancel = &cancel}}, &error));
    assert_int_equal(error.kind, ERROR_CANCELLED);
    golden_close(&g);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(gradients_equal_differences),
                                       cmocka_unit_test(gradients_of_recurrent_models),
                                       cmocka_unit_test(gradients_through_edits),
                                       cmocka_unit_test(gradient_before_a_set_is_exact),
                                       cmocka_unit_test(gradients_that_cannot_be),
                                       cmocka_unit_test(loss_leaves_padding_out),
                                       cmocka_unit_test(recomputed_patterns_equal_stored_ones),
                                       cmocka_unit_test(edited_patterns_are_stored),
                                       cmocka_unit_test(saved_and_opened_again),
                                       cmocka_unit_test(files_that_are_no_traces),
                                       cmocka_unit_test(inputs_that_cannot_be)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
