/* What changed: this run minus the other one, over the same tokens. */
#include <stdio.h>

#include "render/difference.h"

#include "app/views/common.h"

static const char *edits_text(const State *state, Arena *arena) {
    StrBuf out = {0};
    for (int i = 0; i < state->edits.n; i++)
        strbuf_printf(&out, "%s%s", i ? ", " : "", state->edits.items[i]);
    const char *text = out.n ? arena_printf(arena, "edited (%s)", out.data) : "this run";
    strbuf_free(&out);
    return text;
}

/* The state looking at one place of one attention. */
static void look_at(State *state, const Place *place) {
    char number[16];
    state_put_text(&state->attention, place_attention_name(place));
    snprintf(number, sizeof number, "%d", place->layer);
    if (place->layer >= 0) state_put_text(&state->layer, number);
    snprintf(number, sizeof number, "%d", place->head);
    if (place->head >= 0) state_put_text(&state->head, number);
}

/* Where nobody said what to look at: the head that changed most, if any did. */
static bool look_at_change(State *state, const ViewInput *input) {
    if (state->attention || state->layer || state->head || state->heads || !input->baseline ||
        !input->trace)
        return false;
    Place place = view_most_changed(input->trace, input->baseline);
    if (place.layer < 0) return false;
    look_at(state, &place);
    return true;
}

/* The same place on both sides, whatever would be the other's own default. */
static bool read_both(const ViewInput *input, State *state, Arena *arena, Matrices *after,
                      Matrices *before, Error *error) {
    MatricesWish wish = {.one = true, .pick_rows = true};
    ViewInput one = *input, other = *input;
    one.state = other.state = state;
    other.trace = input->baseline;
    if (!matrices_read(&one, &wish, arena, after, error)) return false;
    look_at(state, &after->places[0]);
    return matrices_read(&other, &wish, arena, before, error);
}

bool view_difference(Figure *figure, const ViewInput *input, Error *error) {
    Arena *arena = arena_new();
    Matrices after, before;
    State state;
    state_init(&state);
    state_copy(&state, input->state);
    bool chosen = look_at_change(&state, input);
    bool ok = read_both(input, &state, arena, &after, &before, error);
    if (ok &&
        (after.queries.axis.n != before.queries.axis.n || after.keys.axis.n != before.keys.axis.n))
        ok = error_set(error, ERROR_INPUT,
                       "%d queries and %d keys here, %d and %d there: a difference needs the same "
                       "tokens",
                       after.queries.axis.n, after.keys.axis.n, before.queries.axis.n,
                       before.keys.axis.n);
    if (ok) {
        before.items[0].name = input->baseline_name ? input->baseline_name : "plain";
        after.items[0].name = edits_text(input->state, arena);
        Difference difference = {.before = before.items[0],
                                 .after = after.items[0],
                                 .queries = after.queries.axis,
                                 .keys = after.keys.axis,
                                 .numbers = input->state->numbers};
        const char *title = arena_printf(arena, "Difference: %s", after.title);
        const char *notes = after.notes;
        if (chosen) notes = view_joined(arena, "the head that changed most", notes);
        ChartOptions options = view_options(input, title, notes);
        if (!input->state->colormap) options.colormap = COLORMAP_DIVERGING;
        options.scale = CHART_SCALE_MAX;
        view_focus(&options, input, &after);
        ok = difference_draw(figure, &difference, &options, error);
        if (ok) view_tell_matrices(figure, input, &after, "Rows are queries and columns keys");
    }
    state_free(&state);
    arena_free(arena);
    return ok;
}
