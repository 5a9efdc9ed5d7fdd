/* The picture under the attention of its patches: what the class token, or one patch, looks at in
 * each head (Dosovitskiy et al. 2021, figure 6 shows the same of a mean). */
#include <math.h>

#include "app/views/common.h"
#include "model/front.h"
#include "model/image.h"
#include "render/overlay.h"

static bool read_picture(const ViewInput *input, Arena *arena, OverlayPicture *out, Error *error) {
    Tensor pixels = *trace_find(input->trace, "pixel_values");
    if (pixels.rank == 4 && pixels.shape[0] == 1) pixels = tensor_index(pixels, 0, 0);
    Image image;
    if (!image_restore(input->model, pixels, arena, &image, error)) return false;
    size_t n = (size_t)image.width * (size_t)image.height;
    uint8_t *rgba = arena_alloc(arena, 4 * n + 1);
    for (size_t i = 0; i < n; i++) {
        memcpy(rgba + 4 * i, image.rgb + 3 * i, 3);
        rgba[4 * i + 3] = 255;
    }
    *out = (OverlayPicture){.rgba = rgba, .width = image.width, .height = image.height};
    return true;
}

/* The row of the query as a little picture of each head; returns the share of the weight that lies
 * on the tokens before the patches. */
static double cut_panels(const Matrices *m, int row, int n_leading, int grid, ChartMatrix *panels) {
    double outside = 0;
    for (int i = 0; i < m->n; i++) {
        float *weights = tensor_at(m->items[i].weights, row, 0, 0, 0);
        for (int k = 0; k < n_leading; k++)
            outside += isnan(weights[k]) ? 0 : (double)weights[k] / m->n;
        panels[i] = m->items[i];
        panels[i].weights = tensor_view(weights + n_leading, 2, grid, grid);
        panels[i].mask = panels[i].cut = (Tensor){0};
    }
    return outside;
}

/* "7,9" is the patch in that row and column, not tokens 7 and 9. */
static int query_of(const ViewInput *input, const Matrices *m, Error *error) {
    const State *state = input->state;
    for (int row = 0; row < m->queries.axis.n && state->token; row++)
        if (str_is(m->queries.axis.tokens[row].text, state->token)) return row;
    bool chosen = state->token || state->selection.query >= 0;
    return chosen ? attention_query(input, &m->attention, &m->queries, error) : 0;
}

static bool draw(Figure *figure, const ViewInput *input, Matrices *m, Arena *arena, Error *error) {
    int n_leading = input->model->config.front.n_leading, grid = front_grid(input->model);
    if (m->keys.axis.n != n_leading + grid * grid)
        return error_set(error, ERROR_INPUT, "%d patches and %d other tokens expected, %d found",
                         grid * grid, n_leading, m->keys.axis.n);
    const State *state = input->state;
    int row = query_of(input, m, error);
    OverlayPicture picture;
    if (row < 0 || !read_picture(input, arena, &picture, error)) return false;
    ChartMatrix *panels = arena_alloc(arena, (size_t)m->n * sizeof *panels);
    double outside = cut_panels(m, row, n_leading, grid, panels);
    Str label = m->queries.axis.tokens[row].text;
    picture.panels = panels;
    picture.n_panels = m->n;
    picture.query = row;
    picture.first_key = n_leading;
    picture.query_title = row < n_leading
                              ? arena_printf(arena, "query: %.*s", (int)label.n, label.data)
                              : arena_printf(arena, "query: patch %.*s, outlined (row, column)",
                                             (int)label.n, label.data);
    const char *notes =
        n_leading < 1 ? m->notes
                      : view_joined(arena, m->notes,
                                    arena_printf(arena, "%.1f %% of the weight on %s, not drawn",
                                                 100 * outside,
                                                 n_leading > 1 ? "[CLS] and [DIST]" : "[CLS]"));
    ChartOptions options = view_options(input, m->title, notes);
    options.scale = state->range ? view_scale(input, m) : CHART_SCALE_MAX;
    view_focus(&options, input, m);
    options.focus.query = -1; /* one query is drawn: its patches alone are pointed at */
    options.has_focus = options.has_focus && options.focus.key >= n_leading;
    if (!overlay_picture(figure, &picture, &options, error)) return false;
    view_tell_matrices(figure, input, m, "The clearer a patch shows, the more it is attended to");
    return true;
}

bool view_patches(Figure *figure, const ViewInput *input, Error *error) {
    Arena *arena = arena_new();
    /* Late layers are those that look at things: unlike in texts, the last is shown first. */
    State state = *input->state; /* borrowed for the build, never freed */
    ViewInput shown = *input;
    shown.state = &state;
    Place preset = view_default_place(input, NULL);
    int n_layers = trace_n_layers(input->trace, preset.stack, false);
    if (!state.layer && !state.heads) state.layer = arena_printf(arena, "%d", n_layers - 1);
    state.units = "tokens";
    state.hide_special = state.hide_punctuation = false;
    state.hide.n = 0;
    Matrices m;
    MatricesWish wish = {.all_heads = true, .self_only = true};
    bool ok =
        matrices_read(&shown, &wish, arena, &m, error) && draw(figure, &shown, &m, arena, error);
    arena_free(arena);
    return ok;
}
