/* The views of pictures and sounds, on the tiny DeiT and Whisper of the golden set: the numbers
 * drawn are the trace's, and what is not drawn is said. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "app/drawer.h"
#include "app/figure_scene.h"
#include "model/front.h"
#include "model/image.h"
#include "model/pattern.h"

typedef struct Drawn {
    State state;
    Subject *subject;
    Arena *arena;
    Trace *trace;
    ViewInput input;
    ViewReport report;
    Figure *figure;
    Error error;
} Drawn;

/* A made-up picture or sound, a few tokens for the decoder to read. */
static bool draw(Drawn *d, const char *kind, const char *folder, const char *fields) {
    *d = (Drawn){.arena = arena_new()};
    state_init(&d->state);
    char copy[256];
    snprintf(copy, sizeof copy, "%s", fields);
    for (char *at = strtok(copy, ";"); at; at = strtok(NULL, ";")) {
        char *value = strchr(at, '=');
        *value = 0;
        assert_true(state_set(&d->state, at, str(value + 1), &d->error));
    }
    d->subject = subject_open(folder, &d->error);
    if (!d->subject) fail_msg("%s", d->error.message);
    const ModelConfig *c = &d->subject->model->config;
    bool looks = c->front.kind == FRONT_PATCHES;
    int size = c->front.image_size, frames = 2 * c->stack[STACK_ENCODER].n_positions;
    Input input = {.features = looks ? tensor_new(d->arena, 3, 3, size, size)
                                     : tensor_new(d->arena, 2, c->front.n_mels, frames)};
    for (int64_t i = 0; i < tensor_count(input.features); i++)
        input.features.data[i] = sinf((float)i * 0.37f);
    if (!looks) /* silence in the second half */
        for (int b = 0; b < c->front.n_mels; b++)
            for (int t = frames / 2; t < frames; t++)
                *tensor_at(input.features, b, t, 0, 0) = -1;
    static const int32_t ids[] = {3, 5, 7, 9};
    if (!looks) input.target = subject_tokens(d->subject, ids, 4, true, d->arena);
    d->trace = trace_run(d->subject->model, &input, NULL, &d->error);
    if (!d->trace) fail_msg("%s", d->error.message);
    d->input = (ViewInput){
        .model = d->subject->model, .trace = d->trace, .state = &d->state, .report = &d->report};
    Drawer drawer;
    assert_true(drawer_open(&drawer, &d->state, &d->error));
    d->figure = drawer_draw(&drawer, view_find(kind), &d->input, &d->error);
    drawer_close(&drawer);
    return d->figure != NULL;
}

static void done(Drawn *d) {
    figure_free(d->figure);
    view_report_free(&d->report);
    trace_release(d->trace);
    subject_close(d->subject);
    state_free(&d->state);
    arena_free(d->arena);
}

static void says(const Drawn *d, const char *part) {
    if (!strstr(d->report.subtitle.data, part))
        fail_msg("'%s' is not in '%s'", part, d->report.subtitle.data);
}

/* Every patch of every head is there once, with the trace's weight. */
static void patches_of_the_trace(void **unused) {
    (void)unused;
    Drawn d;
    if (!draw(&d, "patches", "tests/data/golden/deit", "")) fail_msg("%s", d.error.message);
    const ModelConfig *c = &d.subject->model->config;
    int lead = c->front.n_leading, grid = front_grid(d.subject->model), n, seen = 0;
    assert_int_equal(lead, 2);
    Place shown = d.report.series[0];
    Pattern p;
    int n_layers = trace_n_layers(d.trace, shown.stack, false);
    assert_int_equal(shown.layer, n_layers - 1);
    assert_true(trace_pattern(d.trace, shown.stack, shown.layer, false, &p));
    assert_int_equal(d.report.n_series, p.n_heads);
    const FigureItem *items = figure_items(d.figure, &n);
    double outside = 0;
    for (int i = 0; i < n; i++) {
        const FigureMark *mark = items[i].mark;
        if (!mark || mark->role != FIGURE_CELL || !mark->has_weight) continue;
        float weight;
        pattern_tile(&p, mark->pick.series, 0, 1, mark->pick.key, mark->pick.key + 1, &weight);
        assert_int_equal(mark->pick.query, 0);
        assert_float_equal(mark->weight, (double)weight, 1e-6);
        outside += 1.0 / grid / grid - mark->weight;
        seen++;
    }
    assert_int_equal(seen, grid * grid * p.n_heads);
    char note[64];
    snprintf(note, sizeof note, "%.1f %% of the weight on [CLS] and [DIST], not drawn",
             100 * outside / p.n_heads);
    says(&d, note);
    says(&d, "query: [CLS]");
    done(&d);
}

static void a_patch_may_look(void **unused) {
    (void)unused;
    Drawn d;
    if (!draw(&d, "patches", "tests/data/golden/deit", "token=1,2;layer=0;head=mean"))
        fail_msg("%s", d.error.message);
    says(&d, "query: patch 1,2, outlined");
    done(&d);
    if (!draw(&d, "patches", "tests/data/golden/deit", "token=3;layer=0;head=1"))
        fail_msg("%s", d.error.message);
    says(&d, "query: patch 0,1, outlined");
    assert_int_equal(d.report.n_series, 1);
    assert_int_equal(d.report.series[0].head, 1);
    done(&d);
}

static void the_picture_comes_back(void **unused) {
    (void)unused;
    Drawn d;
    draw(&d, "patches", "tests/data/golden/deit", "");
    Image image = {24, 24, arena_alloc(d.arena, 24 * 24 * 3)}, back, seen;
    for (int i = 0; i < 24 * 24 * 3; i++)
        image.rgb[i] = (uint8_t)(i * 7);
    Tensor pixels;
    assert_true(image_preprocess(d.subject->model, &image, d.arena, &pixels, &seen, &d.error));
    assert_true(image_restore(d.subject->model, pixels, d.arena, &back, &d.error));
    assert_int_equal(back.width, seen.width);
    assert_memory_equal(back.rgb, seen.rgb, (size_t)seen.width * (size_t)seen.height * 3);
    done(&d);
}

static void sound_by_the_second(void **unused) {
    (void)unused;
    Drawn d;
    if (!draw(&d, "audio", "tests/data/golden/whisper", "layer=1;head=0"))
        fail_msg("%s", d.error.message);
    says(&d, "key: moment of the sound (columns)");
    /* 20 moments of 20 ms, the second half silence but for the convolutions' reach. */
    says(&d, "silence from 0.2 s on not drawn: ");
    done(&d);
    if (!draw(&d, "audio", "tests/data/golden/whisper", "attention=encoder;layer=0;head=mean"))
        fail_msg("%s", d.error.message);
    says(&d, "query: moment of the sound (rows)");
    done(&d);
}

/* Several heads stand one below the other under one spectrogram, each with the trace's weights. */
static void heads_that_listen(void **unused) {
    (void)unused;
    static const struct {
        const char *fields;
        int n;
    } cases[] = {{"layer=1;head=all", 2}, {"layer=all;head=all", 4},
                 {"layer=1;head=max", 1}, {"layer=mean;head=mean", 1},
                 {"heads=L0H1,L1H0", 2},  {"attention=encoder;layer=0;head=0,1", 2}};
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        Drawn d;
        if (!draw(&d, "audio", "tests/data/golden/whisper", cases[c].fields))
            fail_msg("%s: %s", cases[c].fields, d.error.message);
        assert_int_equal(d.report.n_series, cases[c].n);
        int n, n_seen = 0;
        const FigureItem *items = figure_items(d.figure, &n);
        for (int i = 0; i < n; i++) {
            const FigureMark *mark = items[i].mark;
            n_seen += items[i].kind == FIGURE_IMAGE && mark && mark->pick.series == n_seen;
        }
        assert_int_equal(n_seen, cases[c].n);
        done(&d);
    }
}

static void the_wrong_sense_is_named(void **unused) {
    (void)unused;
    static const struct {
        const char *kind, *folder, *fields, *message;
    } cases[] = {
        {"audio", "tests/data/golden/deit", "", "needs a model that listens"},
        {"patches", "tests/data/golden/whisper", "", "needs a model that looks at pictures"},
        {"audio", "tests/data/golden/whisper", "attention=decoder", "does not listen"},
        {"patches", "tests/data/golden/deit", "layer=9", "layer"},
        {"patches", "tests/data/golden/deit", "token=nobody", "nobody"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Drawn d;
        if (draw(&d, cases[i].kind, cases[i].folder, cases[i].fields))
            fail_msg("%s %s: drawn", cases[i].kind, cases[i].fields);
        if (!strstr(d.error.message, cases[i].message))
            fail_msg("'%s' is not in '%s'", cases[i].message, d.error.message);
        done(&d);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(patches_of_the_trace),   cmocka_unit_test(a_patch_may_look),
        cmocka_unit_test(the_picture_comes_back), cmocka_unit_test(sound_by_the_second),
        cmocka_unit_test(heads_that_listen),      cmocka_unit_test(the_wrong_sense_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
