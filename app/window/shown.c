#include "app/window/shown.h"

#include <stdlib.h>
#include <string.h>

void shown_free(Shown *shown) {
    if (!shown) return;
    figure_free(shown->figure);
    view_report_free(&shown->report);
    free(shown);
}

int shown_index(const char *text) {
    return text && text[0] >= '0' && text[0] <= '9' && !strpbrk(text, ",-") ? atoi(text) : -1;
}

/* What the picture is about: of its series what they have in common, else the state's choice, else
 * the view's default. */
static Place head_of(const Shown *shown, const ViewInput *input) {
    const ViewReport *r = &shown->report;
    const State *s = input->state;
    Place p;
    if (r->n_series > 0) {
        p = r->series[0];
        for (int i = 1; i < r->n_series; i++) {
            if (r->series[i].layer != p.layer) p.layer = -1;
            if (r->series[i].head != p.head) p.head = -1;
        }
    } else {
        p = view_default_place(input, NULL);
        Place wanted = p;
        if (s->attention && strcmp(s->attention, "self") != 0) {
            wanted.cross = strcmp(s->attention, "cross") == 0;
            wanted.stack = strcmp(s->attention, "encoder") == 0 ? STACK_ENCODER : STACK_DECODER;
        }
        if (!place_same_attention(&p, &wanted)) p = place_of_head(wanted, 0, 0);
        if (shown_index(s->layer) >= 0) p.layer = shown_index(s->layer);
        if (shown_index(s->head) >= 0) p.head = shown_index(s->head);
    }
    p.query = p.key = -1;
    return p;
}

ViewInput shown_input(const Loaded *loaded, const Pass *pass, const State *state) {
    return (ViewInput){.model = loaded ? loaded->subject->model : NULL,
                       .tokenizer = loaded ? loaded->subject->tokenizer : NULL,
                       .trace = pass ? pass->trace : NULL,
                       .baseline = pass ? pass->plain : NULL,
                       .baseline_name = state->against,
                       .state = state};
}

const Theme *shown_theme(const State *state) {
    const Theme *theme = state->theme ? theme_find(str(state->theme)) : NULL;
    return theme ? theme : theme_of(THEME_LIGHT);
}

Shown *shown_make(const Loaded *loaded, const Pass *pass, const State *state, double width,
                  double height, Text *fonts) {
    Shown *shown = calloc(1, sizeof *shown);
    if (!shown) abort();
    shown->view = view_find(state->view);
    shown->width = width;
    shown->height = height;
    shown->head = place_none();
    ViewInput input = shown_input(loaded, pass, state);
    input.width_pt = width;
    input.height_pt = height;
    input.live = true;
    input.report = &shown->report;
    Figure *figure = figure_new(shown_theme(state), fonts);
    Error error = {0};
    if (view_fits(shown->view, &input, &error) && view_build(shown->view, figure, &input, &error)) {
        figure_seal(figure);
        shown->figure = figure;
        if (pass) shown->head = head_of(shown, &input);
    } else {
        figure_free(figure);
        shown->kind = error.kind;
        memcpy(shown->error, error.message, sizeof shown->error);
    }
    return shown;
}
