#include "app/views/common.h"

#include <math.h>
#include <stdlib.h>

#include "model/base/file.h"

ChartOptions view_options(const ViewInput *input, const char *title, const char *notes) {
    const State *state = input->state;
    ChartOptions options = {
        .title = state->title ? state->title : title,
        .notes = notes && *notes ? notes : NULL,
        .width = input->width_pt,
        .height = input->height_pt,
        .colormap = COLORMAP_PAPER,
        .transpose = state->transpose,
        .number_duplicates = state->number_duplicates,
        .base = state->base,
        .bare = input->live,
    };
    if (state->colormap) colormap_find(str(state->colormap), &options.colormap);
    if (state->orientation)
        options.orientation =
            strcmp(state->orientation, "vertical") == 0 ? CHART_VERTICAL : CHART_HORIZONTAL;
    return options;
}

ChartScale view_scale(const ViewInput *input, const Matrices *m) {
    const char *range = input->state->range;
    bool fits = m->largest >= 0.5f && m->largest <= 1.001f;
    if (!range) return fits ? CHART_SCALE_UNIT : CHART_SCALE_MAX;
    if (strcmp(range, "row") == 0) return CHART_SCALE_ROW;
    return strcmp(range, "max") == 0 ? CHART_SCALE_MAX : CHART_SCALE_UNIT;
}

ChartOptions view_line_options(const ViewInput *input, const Matrices *m, const char *notes) {
    ChartOptions options = view_options(input, m->title, notes);
    options.colormap = COLORMAP_PAPER;
    bool beyond = m->largest > 1.001f; /* no softmax: imported */
    options.scale = input->state->range || beyond ? view_scale(input, m) : CHART_SCALE_UNIT;
    return options;
}

const char *view_faint_note(const Matrices *m, const ChartOptions *options, Arena *arena) {
    double all = 0, faint = 0, share = options->least > 0 ? options->least : 0.01;
    for (int i = 0; i < m->n; i++)
        for (int q = 0; q < m->queries.axis.n; q++) {
            if (m->queries.axis.tokens[q].hidden) continue;
            double high = options->scale == CHART_SCALE_MAX ? (double)m->largest : 1;
            for (int k = 0; k < m->keys.axis.n && options->scale == CHART_SCALE_ROW; k++) {
                float w = *tensor_at(m->items[i].weights, q, k, 0, 0);
                if (k == 0 || (double)w > high) high = isnan(w) ? 0 : (double)w;
            }
            for (int k = 0; k < m->keys.axis.n; k++) {
                float w = *tensor_at(m->items[i].weights, q, k, 0, 0);
                if (isnan(w) || m->keys.axis.tokens[k].hidden) continue;
                all += (double)w;
                if ((double)w < share * high) faint += (double)w;
            }
        }
    if (all <= 0 || faint / all < 0.0005) return "";
    return arena_printf(arena, "lines under %.0f %% left out: %.1f %% of the weight", share * 100,
                        100 * faint / all);
}

void view_focus(ChartOptions *options, const ViewInput *input, const Matrices *m) {
    const Place *at = &input->state->selection;
    if (place_is_open(at) || (!input->state->locked && !input->live)) return;
    FigurePick pick = FIGURE_PICK_NONE;
    if (at->query >= 0 && at->query < m->queries.n_tokens)
        pick.query = m->queries.row_of[at->query];
    if (at->key >= 0 && at->key < m->keys.n_tokens) pick.key = m->keys.row_of[at->key];
    if (!place_same_attention(at, &m->attention)) return;
    for (int i = 0; i < m->n && m->n > 1; i++)
        if (m->places[i].layer == at->layer && m->places[i].head == at->head) pick.series = i;
    options->focus = pick;
    options->has_focus = !figure_pick_is_none(pick);
}

const char *view_model_name(const ViewInput *input) {
    if (input->model) {
        const char *name = path_name(input->model->path);
        return *name ? name : input->model->path;
    }
    const char *name = input->trace ? trace_model_name(input->trace) : NULL;
    return name && *name ? path_name(name) : "an unnamed model";
}

const char *view_joined(Arena *arena, const char *a, const char *b) {
    if (!a || !*a) return b ? b : "";
    if (!b || !*b) return a;
    return arena_printf(arena, "%s · %s", a, b);
}

static void put_str(StrBuf *out, Str s) {
    out->n = 0;
    strbuf_add(out, s.data ? s.data : "", s.n);
}

/* What the decoder wrote: as it was given, or as the tokenizer puts it together. */
static Str written_text(const ViewInput *input, Arena *arena) {
    Tokens target = trace_target(input->trace);
    const int32_t *next = trace_next(input->trace);
    if (target.text.n > 0 || !next || !input->tokenizer) return target.text;
    DecodeOptions options = {.skip_special = true, .target = true};
    return tokenizer_decode(input->tokenizer, next, target.n, &options, arena);
}

static void add_text(StrBuf *out, const ViewInput *input) {
    if (!input->trace) return;
    Arena *arena = arena_new();
    Str source = trace_source(input->trace).text, target = written_text(input, arena);
    if (source.n) strbuf_printf(out, ", reading “%.*s”", (int)source.n, source.data);
    if (target.n) strbuf_printf(out, " and writing “%.*s”", (int)target.n, target.data);
    arena_free(arena);
}

/* "... writing “Elle dort.”" wants no full stop of its own. */
static bool ends_quoted_sentence(const StrBuf *out) {
    Str text = strbuf_str(out);
    return str_ends(text, ".\xe2\x80\x9d") || str_ends(text, "!\xe2\x80\x9d") ||
           str_ends(text, "?\xe2\x80\x9d");
}

void view_tell(Figure *figure, const ViewInput *input, const char *how) {
    ViewReport *report = input->report;
    if (!report) return;
    put_str(&report->title, figure_title(figure));
    put_str(&report->subtitle, figure_description(figure));
    StrBuf *out = &report->caption;
    out->n = 0;
    strbuf_add(out, report->title.data, report->title.n);
    strbuf_printf(out, ", of %s", view_model_name(input));
    add_text(out, input);
    if (!ends_quoted_sentence(out)) strbuf_puts(out, ".");
    if (how && *how) strbuf_printf(out, " %s.", how);
    if (report->subtitle.n) {
        strbuf_puts(out, " ");
        size_t first = out->n;
        for (size_t i = 0; i < report->subtitle.n;) /* " · " reads as "; " in a sentence */
            if (i + 4 <= report->subtitle.n &&
                memcmp(report->subtitle.data + i, " \xc2\xb7 ", 4) == 0) {
                strbuf_puts(out, "; ");
                i += 4;
            } else {
                strbuf_putc(out, report->subtitle.data[i++]);
            }
        char *initial = &out->data[first]; /* whatever the locale is */
        if (*initial >= 'a' && *initial <= 'z') *initial = (char)(*initial - 'a' + 'A');
        strbuf_puts(out, ".");
    }
}

static int *copy_ints(const int *from, int n) {
    int *to = malloc(((size_t)n + 1) * sizeof *to);
    if (!to) abort();
    if (n) memcpy(to, from, (size_t)n * sizeof *to);
    return to;
}

enum { MANY_LINES = 60 * 60 }; /* of a head */

bool view_one_query(const ViewInput *input, const Matrices *m, int *row, const char **notes,
                    Arena *arena) {
    const State *state = input->state;
    int n_queries = m->queries.axis.n, n_keys = m->keys.axis.n;
    if (!input->live || state->token || state->top_k || state->threshold > 0 ||
        (int64_t)n_queries * n_keys <= MANY_LINES)
        return false;
    *row = attention_query(input, &m->attention, &m->queries, NULL);
    Str label = m->queries.axis.tokens[*row].text;
    *notes =
        view_joined(arena, *notes,
                    arena_printf(arena,
                                 "only %.*s and its %d largest weights, of %d by %d lines; "
                                 "a click picks another",
                                 (int)label.n, label.data, VIEW_TOP_OF_MANY, n_queries, n_keys));
    return true;
}

void view_tell_matrices(Figure *figure, const ViewInput *input, const Matrices *m,
                        const char *how) {
    ViewReport *report = input->report;
    if (!report) return;
    view_tell(figure, input, how);
    free(report->series);
    free(report->query_tokens);
    free(report->key_tokens);
    report->n_series = m->n;
    report->series = malloc(((size_t)m->n + 1) * sizeof *report->series);
    if (!report->series) abort();
    for (int i = 0; i < m->n; i++)
        report->series[i] = m->places[i];
    report->n_queries = m->queries.axis.n;
    report->n_keys = m->keys.axis.n;
    report->query_tokens = copy_ints(m->queries.first, m->queries.axis.n);
    report->key_tokens = copy_ints(m->keys.first, m->keys.axis.n);
}
