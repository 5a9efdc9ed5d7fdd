/* What changed: this run minus the other one, over the same tokens. */
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

bool view_difference(Figure *figure, const ViewInput *input, Error *error) {
    Arena *arena = arena_new();
    Matrices after, before;
    MatricesWish wish = {.one = true, .pick_rows = true, .cut_to_zero = true};
    ViewInput other = *input;
    other.trace = input->baseline;
    bool ok = matrices_read(input, &wish, arena, &after, error);
    if (ok) {
        /* The same place on the other side, whatever would be its own default. */
        State same;
        state_init(&same);
        state_copy(&same, input->state);
        char number[16];
        Place place = after.places[0];
        state_put_text(&same.attention, place_attention_name(&place));
        snprintf(number, sizeof number, "%d", place.layer);
        if (place.layer >= 0) state_put_text(&same.layer, number);
        snprintf(number, sizeof number, "%d", place.head);
        if (place.head >= 0) state_put_text(&same.head, number);
        other.state = &same;
        ok = matrices_read(&other, &wish, arena, &before, error);
        state_free(&same);
    }
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
        ChartOptions options = view_options(input, title, after.notes);
        if (!input->state->colormap) options.colormap = COLORMAP_DIVERGING;
        options.scale = CHART_SCALE_MAX;
        view_focus(&options, input, &after);
        ok = difference_draw(figure, &difference, &options, error);
        if (ok) view_tell_matrices(figure, input, &after, "Rows are queries and columns keys");
    }
    arena_free(arena);
    return ok;
}
