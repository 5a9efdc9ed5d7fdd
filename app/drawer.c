#include "app/drawer.h"

#include <stdlib.h>
#include <string.h>

#include "app/dataexport.h"
#include "app/figure_options.h"
#include "app/version.h"
#include "model/base/file.h"
#include "render/export.h"

enum { HTML_MOST_HEADS = 64 };

bool drawer_open(Drawer *drawer, const State *state, Error *error) {
    *drawer = (Drawer){.theme = theme_find(str(state->theme ? state->theme : "light"))};
    if (!drawer->theme)
        return error_set(error, ERROR_USAGE, "--theme %s: expected %s", state->theme,
                         theme_names());
    drawer->text = text_new(state->font);
    if (state->font && !text_has_family(drawer->text, state->font)) {
        drawer_close(drawer);
        return error_set(error, ERROR_NOT_FOUND,
                         "--font '%.60s' is not installed; fc-list : family lists what is",
                         state->font);
    }
    drawer->canvas = canvas_new(drawer->text);
    return true;
}

void drawer_close(Drawer *drawer) {
    canvas_free(drawer->canvas);
    text_free(drawer->text);
    *drawer = (Drawer){0};
}

Figure *drawer_draw(const Drawer *drawer, const View *view, const ViewInput *input, Error *error) {
    ViewInput sized = *input;
    const State *state = input->state;
    if (state->size && sized.width_pt <= 0 &&
        !figure_size_of(state->size, state->dpi, &sized.width_pt, &sized.height_pt, error))
        return NULL;
    Theme theme = theme_narrowed(drawer->theme, sized.width_pt);
    Figure *figure = figure_new(&theme, drawer->text);
    if (view_build(view, figure, &sized, error)) return figure;
    figure_free(figure);
    return NULL;
}

char *drawer_spec(const ViewInput *input, bool indented) {
    json_t *root = state_json(input->state);
    json_object_set_new(root, "version", json_string(ATTNSCOPE_VERSION));
    char *text =
        json_dumps(root, JSON_REAL_PRECISION(10) | (indented ? JSON_INDENT(1) : JSON_COMPACT));
    json_decref(root);
    return text;
}

/* The view as one figure with only this head in it; of the model view the head as a heatmap. */
static Figure *draw_head(const Drawer *drawer, const View *view, const ViewInput *input,
                         const Place *place, const char *name, Error *error) {
    State one;
    state_init(&one);
    state_copy(&one, input->state);
    state_put_text(&one.attention, place_attention_name(place));
    state_put_text(&one.heads, name);
    ViewInput alone = *input;
    alone.state = &one;
    alone.report = NULL;
    const View *single = strcmp(view->name, "model") == 0 ? view_find("heatmap") : view;
    Figure *figure = drawer_draw(drawer, single, &alone, error);
    state_free(&one);
    return figure;
}

/* A page with a button for the figure as it is, and one for each head. */
static bool write_switcher(const Drawer *drawer, const View *view, const ViewInput *input,
                           const Figure *figure, const char *path, const ExportOptions *options,
                           Error *error) {
    const ViewReport *report = input->report;
    Figure *drawn[HTML_MOST_HEADS] = {0};
    const Figure *pages[HTML_MOST_HEADS + 1] = {figure};
    char names[HTML_MOST_HEADS][PLACE_TEXT_MAX];
    const char *name_of[HTML_MOST_HEADS + 1] = {"all"};
    int n = 0;
    bool ok = true;
    while (n < report->n_series && ok) {
        place_text(&report->series[n], names[n]);
        drawn[n] = draw_head(drawer, view, input, &report->series[n], names[n], error);
        ok = drawn[n] != NULL;
        if (!ok) break;
        n++;
        pages[n] = drawn[n - 1];
        name_of[n] = names[n - 1];
    }
    StrBuf out = {0};
    ok = ok && export_html(pages, name_of, n + 1, options, &out, error) &&
         file_save(path, out.data, out.n, error);
    strbuf_free(&out);
    while (n > 0)
        figure_free(drawn[--n]);
    return ok;
}

/* Lines, and names of their heads: its page has buttons of its own then. */
static bool names_heads(const Figure *figure) {
    int n, n_names = 0, n_lines = 0;
    const FigureItem *items = figure_items(figure, &n);
    for (int i = 0; i < n; i++) {
        const FigureMark *mark = items[i].mark;
        n_lines += mark && mark->role == FIGURE_DIMS;
        n_names += items[i].kind == FIGURE_TEXT && mark && mark->role == FIGURE_LABEL &&
                   mark->pick.series >= 0 && mark->pick.query < 0 && mark->pick.key < 0;
    }
    return n_names > 1 && n_lines > 0;
}

/* Heads one by one, each at a layer: what a switcher can show. */
static bool has_heads(const ViewReport *report) {
    bool heads = report && report->n_series > 1 && report->n_series <= HTML_MOST_HEADS;
    for (int i = 0; heads && i < report->n_series; i++)
        heads = report->series[i].layer >= 0 && report->series[i].head >= 0;
    return heads;
}

bool drawer_knows(const char *path, Error *error) {
    ExportFormat format;
    if (dataexport_is(path) || export_format(path, &format, NULL)) return true;
    return error_set(error, ERROR_USAGE, "-o %s: expected %s, or .csv, .json, .npz, .safetensors",
                     path, export_extensions());
}

bool drawer_write(const Drawer *drawer, const View *view, const ViewInput *input,
                  const Figure *figure, const char *path, Error *error) {
    if (dataexport_is(path)) return dataexport(path, input, error);
    ExportFormat format;
    if (!export_format(path, &format, error)) return false;
    char *spec = drawer_spec(input, false);
    ExportOptions options = {.dpi = input->state->dpi,
                             .spec = str(spec),
                             .text_as_paths = input->state->text_as_paths,
                             .canvas = drawer->canvas};
    bool ok = format == EXPORT_HTML && has_heads(input->report) && !names_heads(figure)
                  ? write_switcher(drawer, view, input, figure, path, &options, error)
                  : export_figure(figure, path, &options, error);
    free(spec);
    return ok;
}
