/* What the tests of views stand on: a view of one sentence pair, drawn by the tiny random
 * translator.
 *
 *     Drawn d = draw("heatmap", "attention=cross;layer=1");
 *     says(&d, "key: encoder word");            in its quiet line
 *     done(&d);
 *     refuses("heatmap", "layer=9", "expected 0 to 1");
 */
#ifndef TESTS_APP_VIEWS_GROUND_H
#define TESTS_APP_VIEWS_GROUND_H

#include "app/figure_scene.h"
#include "tests/app/ground.h"

static inline int open_all(void **unused) {
    (void)unused;
    return ground_open("tests/data/tiny");
}

/* A view of "the cat is on the mat." and its translation, with these fields set. */
typedef struct Drawn {
    State state;
    Scene scene;
    ViewInput input;
    ViewReport report;
    Figure *figure;
    Error error;
} Drawn;

static inline bool draw_any(Drawn *d, const char *kind, const char *fields) {
    *d = (Drawn){0};
    state_init(&d->state);
    state_put_text(&d->state.text, "the cat is on the mat.");
    state_put_text(&d->state.target_text, "kissa on matolla.");
    state_put_text(&d->state.view, kind);
    ground_set(&d->state, fields);
    const View *view = view_find(kind);
    assert_non_null(view);
    if (!scene_open(&d->scene, &d->state, view, subject, &d->error)) return false;
    d->input = scene_input(&d->scene, &d->state);
    d->input.report = &d->report;
    d->figure = drawer_draw(&drawer, view, &d->input, &d->error);
    return d->figure != NULL;
}

static inline Drawn draw(const char *kind, const char *fields) {
    Drawn d;
    if (!draw_any(&d, kind, fields)) fail_msg("%s %s: %s", kind, fields, d.error.message);
    return d;
}

static inline void done(Drawn *d) {
    figure_free(d->figure);
    view_report_free(&d->report);
    scene_close(&d->scene);
    state_free(&d->state);
}

static inline void says(const Drawn *d, const char *part) {
    if (!strstr(d->report.subtitle.data, part))
        fail_msg("'%s' is not in '%s'", part, d->report.subtitle.data);
}

static inline void refuses(const char *kind, const char *fields, const char *part) {
    Drawn d;
    if (draw_any(&d, kind, fields)) fail_msg("%s %s: drawn", kind, fields);
    if (!strstr(d.error.message, part)) fail_msg("'%s' is not in '%s'", part, d.error.message);
    done(&d);
}

#endif
