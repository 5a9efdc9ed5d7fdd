/* The views on a tiny random translator: dumps against golden text, weights drawn against the
 * trace, what the quiet line must say. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "app/figure_scene.h"
#include "model/base/file.h"
#include "model/pattern.h"
#include "render/export.h"
#include "tests/app/ground.h"

static int open_all(void **unused) {
    (void)unused;
    return ground_open("tests/data/tiny");
}

/* A view of "the cat sat" with these fields set: "layer=1 head=2". */
typedef struct Drawn {
    State state;
    Scene scene;
    ViewInput input;
    ViewReport report;
    Figure *figure;
    Error error;
} Drawn;

static bool draw_any(Drawn *d, const char *kind, const char *fields) {
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

static Drawn draw(const char *kind, const char *fields) {
    Drawn d;
    if (!draw_any(&d, kind, fields)) fail_msg("%s %s: %s", kind, fields, d.error.message);
    return d;
}

static void done(Drawn *d) {
    figure_free(d->figure);
    view_report_free(&d->report);
    scene_close(&d->scene);
    state_free(&d->state);
}

static void says(const Drawn *d, const char *part) {
    if (!strstr(d->report.subtitle.data, part))
        fail_msg("'%s' is not in '%s'", part, d->report.subtitle.data);
}

static void refuses(const char *kind, const char *fields, const char *part) {
    Drawn d;
    if (draw_any(&d, kind, fields)) fail_msg("%s %s: drawn", kind, fields);
    if (!strstr(d.error.message, part)) fail_msg("'%s' is not in '%s'", part, d.error.message);
    done(&d);
}

/* ---- golden dumps: words must agree, numbers to a few points (fonts differ a little) ---- */

static bool same_line(const char *a, const char *b) {
    while (*a && *b && *a != '\n' && *b != '\n') {
        char *end_a, *end_b;
        if (*a == '#') { /* a colour is itself or another */
            size_t n = strcspn(a, " \n");
            if (n != strcspn(b, " \n") || memcmp(a, b, n) != 0) return false;
            a += n;
            b += n;
            continue;
        }
        bool number = (*a >= '0' && *a <= '9') || (*a == '-' && a[1] >= '0' && a[1] <= '9');
        if (number) {
            double x = strtod(a, &end_a), y = strtod(b, &end_b);
            if (end_b == b || fabs(x - y) > 6) return false;
            a = end_a;
            b = end_b;
        } else if (*a++ != *b++) {
            return false;
        }
    }
    return (!*a || *a == '\n') && (!*b || *b == '\n');
}

static void compare_golden(const char *name, const Figure *figure) {
    char path[256];
    snprintf(path, sizeof path, "tests/data/figures/%s.txt", name);
    StrBuf dump = {0};
    figure_dump(figure, &dump);
    const char *mode = getenv("GOLDEN");
    if (mode && strcmp(mode, "write") == 0) {
        assert_true(folder_make("tests/data/figures", NULL));
        assert_true(file_save(path, dump.data, dump.n, NULL));
    }
    Arena *arena = arena_new();
    Str golden;
    Error error = {0};
    if (!file_read(path, 0, arena, &golden, &error)) fail_msg("%s", error.message);
    const char *a = dump.data, *b = golden.data;
    for (int line = 1; a && b && (*a || *b); line++) {
        if (!same_line(a, b))
            fail_msg("%s:%d: '%.*s', golden '%.*s'", path, line, (int)strcspn(a, "\n"), a,
                     (int)strcspn(b, "\n"), b);
        a = strchr(a, '\n') ? strchr(a, '\n') + 1 : NULL;
        b = strchr(b, '\n') ? strchr(b, '\n') + 1 : NULL;
    }
    arena_free(arena);
    strbuf_free(&dump);
}

static const struct {
    const char *name, *kind, *fields;
} goldens[] = {
    {"heatmap", "heatmap", "attention=cross;layer=1;head=2"},
    {"heatmap-dark-numbers", "heatmap", "attention=decoder;layer=0;head=0;numbers=true"},
    {"cross", "cross", "layer=1;head=mean"},
    {"model", "model", "attention=encoder;statistic=entropy"},
    {"head", "head", "attention=encoder;layer=0;head=0,1"},
    {"arcs", "arcs", "attention=encoder;layer=0;head=1"},
    {"sentence", "sentence", "layer=1;head=0;token=2"},
    {"neuron", "neuron", "attention=encoder;layer=0;head=1;token=2"},
    {"steps", "steps", "attention=decoder;layer=1;head=3"},
    {"mask", "mask", "theme=light"},
    {"blocks", "blocks", "box=decoder.1.cross_attn"},
    {"difference", "difference", "edits=ablate decoder.0.attn:H1;layer=1;head=0"},
    {"positions", "positions", "n_positions=60"},
};

static void dumps_are_golden(void **unused) {
    (void)unused;
    for (size_t i = 0; i < sizeof goldens / sizeof *goldens; i++) {
        Drawn d = draw(goldens[i].kind, goldens[i].fields);
        compare_golden(goldens[i].name, d.figure);
        done(&d);
    }
}

static int by_text(const void *p, const void *q) {
    return strcmp(*(const char *const *)p, *(const char *const *)q);
}

/* Each id of a document is there once. */
static void check_ids(const char *what, const Figure *figure) {
    int n, n_ids = 0;
    const FigureItem *items = figure_items(figure, &n);
    const char **ids = malloc(((size_t)n + 1) * sizeof *ids);
    assert_non_null(ids);
    for (int i = 0; i < n; i++)
        if (items[i].mark && items[i].mark->id) ids[n_ids++] = items[i].mark->id;
    qsort(ids, (size_t)n_ids, sizeof *ids, by_text);
    for (int i = 1; i < n_ids; i++)
        if (!strcmp(ids[i], ids[i - 1])) fail_msg("%s: the id %s is there twice", what, ids[i]);
    free(ids);
}

static void ids_are_unique(void **unused) {
    (void)unused;
    static const char *const whats[][2] = {{"heatmap", "attention=cross;layer=all;head=all"},
                                           {"sentence", "attention=cross"},
                                           {"cross", "attention=cross;head=all;hard=true"},
                                           {"arcs", "attention=encoder;head=all"},
                                           {"head", "attention=encoder;head=all"},
                                           {"mask", "theme=light"}};
    for (size_t i = 0; i < sizeof whats / sizeof *whats; i++) {
        Drawn d = draw(whats[i][0], whats[i][1]);
        check_ids(whats[i][0], d.figure);
        done(&d);
    }
}

static void every_view_draws(void **unused) {
    (void)unused;
    for (const View *v = views; v->name; v++) {
        if (v->needs & (VIEW_NEEDS_PICTURE | VIEW_NEEDS_SOUND)) continue; /* test_views_senses */
        Drawn d = draw(v->name, v->needs & VIEW_NEEDS_BASELINE ? "edits=scale encoder.0.mlp=0.5"
                                                               : "theme=light");
        assert_true(d.report.title.n > 0);
        assert_true(d.report.caption.n > 0);
        StrBuf svg = {0};
        assert_true(export_bytes(d.figure, EXPORT_SVG, &(ExportOptions){0}, &svg, NULL));
        assert_true(svg.n > 500);
        check_ids(v->name, d.figure);
        strbuf_free(&svg);
        done(&d);
    }
}

/* ---- what is drawn is what the model computed ---- */

static double attribute(const char *tag, const char *name) {
    const char *end = strchr(tag, '>'), *at = strstr(tag, name);
    if (!at || at > end) return NAN;
    double x;
    const char *value = at + strlen(name);
    assert_true(number_parse((Str){value, strcspn(value, "\"")}, &x));
    return x;
}

static void weights_in_svg(const char *kind, const char *fields, bool all) {
    Drawn d = draw(kind, fields);
    StrBuf svg = {0};
    assert_true(export_bytes(d.figure, EXPORT_SVG, &(ExportOptions){0}, &svg, NULL));
    Pattern p;
    Place place = d.report.series[0];
    assert_true(trace_pattern(d.scene.trace, place.stack, place.layer, place.cross, &p));
    int found = 0, visible = 0;
    for (int q = 0; q < p.n_queries; q++)
        for (int k = 0; k < p.n_keys; k++) {
            Place cell = place_cell(place, q, k);
            char id[PLACE_TEXT_MAX], needle[PLACE_TEXT_MAX + 8];
            snprintf(needle, sizeof needle, "id=\"%s\"", place_text(&cell, id));
            visible += pattern_visible(&p, q, k);
            const char *at = strstr(svg.data, needle);
            if (!at) continue;
            while (*at != '<')
                at--;
            float weight;
            pattern_tile(&p, place.head, q, q + 1, k, k + 1, &weight);
            double drawn = attribute(at, "data-weight=\"");
            assert_false(isnan(drawn));
            if (fabs(drawn - (double)weight) > 1e-5)
                fail_msg("%s: %f, %f", id, drawn, (double)weight);
            assert_true(pattern_visible(&p, q, k)); /* masked cells are absent, not zero */
            found++;
        }
    if (all) assert_int_equal(found, visible);
    assert_true(found > 5);
    strbuf_free(&svg);
    done(&d);
}

static void weights_are_the_traces(void **unused) {
    (void)unused;
    weights_in_svg("heatmap", "attention=cross;layer=1;head=2", true);
    weights_in_svg("heatmap", "attention=decoder;layer=0;head=3", true);
    weights_in_svg("heatmap", "attention=encoder;layer=1;head=0;transpose=true", true);
    weights_in_svg("cross", "layer=0;head=1;units=tokens", false);
    weights_in_svg("head", "attention=encoder;layer=0;head=1", false);
}

/* A cross line is the wider the more it weighs. */
static void widths_follow_weights(void **unused) {
    (void)unused;
    Drawn d = draw("cross", "layer=0;head=1;units=tokens");
    StrBuf svg = {0};
    assert_true(export_bytes(d.figure, EXPORT_SVG, &(ExportOptions){0}, &svg, NULL));
    double last_weight = -1, last_width = 0;
    int n = 0;
    for (const char *at = svg.data; (at = strstr(at, "<path")); at++) {
        double weight = attribute(at, "data-weight=\""), width = attribute(at, "stroke-width=\"");
        if (isnan(weight) || isnan(width)) continue;
        if (n++ && weight > last_weight + 0.05) assert_true(width >= last_width);
        last_weight = weight;
        last_width = width;
    }
    assert_true(n > 5);
    strbuf_free(&svg);
    done(&d);
}

static void same_bytes_twice(void **unused) {
    (void)unused;
    for (int format = 0; format < N_EXPORT_FORMATS; format++) {
        StrBuf a = {0}, b = {0};
        Drawn x = draw("cross", "layer=1"), y = draw("cross", "layer=1");
        ExportOptions options = {.spec = str("{}")};
        assert_true(export_bytes(x.figure, (ExportFormat)format, &options, &a, NULL));
        assert_true(export_bytes(y.figure, (ExportFormat)format, &options, &b, NULL));
        assert_true(str_eq(strbuf_str(&a), strbuf_str(&b)));
        strbuf_free(&a);
        strbuf_free(&b);
        done(&x);
        done(&y);
    }
}

/* ---- nothing is silent ---- */

static void the_quiet_line_says_what_was_done(void **unused) {
    (void)unused;
    Drawn d = draw("cross", "layer=0;head=0");
    says(&d, "query: decoder step, named by the word it writes");
    says(&d, "key: encoder word");
    done(&d);
    d = draw("heatmap", "attention=cross;layer=0;head=0;rows=reads");
    says(&d, "named by the token it reads");
    done(&d);
    d = draw("heatmap", "attention=cross;layer=0;head=0;hide_special=true");
    says(&d, "% of the weight on >>fin<<, </s> hidden");
    done(&d);
    static const char *const kinds[] = {"heatmap", "cross", "model", "neuron", "steps", "head"};
    for (int i = 0; i < 6; i++) {
        d = draw(kinds[i], "attention=cross;layer=0;head=0;edits=set decoder.0.attn:q2:k1=1");
        says(&d, "edited: set decoder.0.attn:q2:k1=1 (the rest of the row scaled");
        done(&d);
    }
    d = draw("heatmap", "attention=cross;layer=0;head=0;top_k=2");
    says(&d, "top 2 of each query");
    says(&d, "% of the weight left out");
    done(&d);
    d = draw("heatmap", "attention=cross;layer=0;head=0;hide=.;renormalise=true");
    says(&d, "renormalised");
    done(&d);
    d = draw("heatmap", "base=1;attention=cross;layer=0;head=0");
    says(&d, "counted from 1");
    assert_string_equal(d.report.title.data, "Cross-attention, layer 1, head 1");
    done(&d);
    d = draw("heatmap", "attention=encoder;layer=max;head=mean");
    assert_non_null(strstr(d.report.title.data, "largest of 2 layers, of the mean of 4 heads"));
    done(&d);
    d = draw("cross", "theme=light");
    says(&d, "lowest entropy off the special tokens");
    done(&d);
}

static int count_cells(const Figure *figure) {
    int n, n_cells = 0;
    const FigureItem *items = figure_items(figure, &n);
    for (int i = 0; i < n; i++)
        n_cells += items[i].mark && items[i].mark->role == FIGURE_CELL && items[i].mark->has_weight;
    return n_cells;
}

/* What is cut is not there: neither a cell of weight 0 nor a masked one. */
static void cells_left_out_are_absent(void **unused) {
    (void)unused;
    Drawn d = draw("heatmap", "attention=cross;layer=0;head=0;top_k=2");
    int n_queries = trace_target(d.scene.trace).n;
    assert_int_equal(count_cells(d.figure), 2 * n_queries);
    done(&d);
    d = draw("sentence", "attention=cross;layer=0;head=0;token=1;top_k=1");
    assert_int_equal(count_cells(d.figure), 1);
    done(&d);
    d = draw("model", "attention=cross;top_k=2");
    says(&d, "top 2 of each query");
    done(&d);
    d = draw("model", "attention=cross;units=words;hide_special=true;renormalise=true");
    says(&d, "sub-words joined");
    says(&d, "renormalised");
    done(&d);
}

/* Hidden mass, computed by hand. */
static void hidden_mass_is_right(void **unused) {
    (void)unused;
    Drawn d = draw("heatmap", "attention=encoder;layer=0;head=0;hide_special=true");
    Pattern p;
    assert_true(trace_pattern(d.scene.trace, STACK_ENCODER, 0, false, &p));
    Tokens source = trace_source(d.scene.trace);
    double mass = 0;
    int rows = 0;
    for (int q = 0; q < source.n; q++) {
        if (source.items[q].special) continue;
        rows++;
        for (int k = 0; k < source.n; k++) {
            float w;
            pattern_tile(&p, 0, q, q + 1, k, k + 1, &w);
            if (source.items[k].special) mass += (double)w;
        }
    }
    char expected[64];
    snprintf(expected, sizeof expected, "%.1f %% of the weight on", 100 * mass / rows);
    says(&d, expected);
    done(&d);
}

/* A largest of several heads sums to more than 1, and one picked row of many is all there is: the
 * shares are of what is drawn. */
static void losses_are_shares_of_what_is_drawn(void **unused) {
    (void)unused;
    Drawn d = draw("heatmap", "attention=encoder;layer=max;head=max;hide=the,is,on,mat,.");
    const char *percent = strstr(d.report.subtitle.data, " % of the weight on");
    assert_non_null(percent);
    while (percent[-1] != ' ')
        percent--;
    double hidden = strtod(percent, NULL);
    assert_true(hidden > 0 && hidden < 100);
    done(&d);
    d = draw("heatmap", "attention=encoder;layer=0;head=0;top_k=1;token=3");
    Pattern p;
    assert_true(trace_pattern(d.scene.trace, STACK_ENCODER, 0, false, &p));
    float row[512], most = 0;
    pattern_tile(&p, 0, 3, 4, 0, (int)p.n_keys, row);
    for (int k = 0; k < (int)p.n_keys; k++)
        most = row[k] > most ? row[k] : most;
    char expected[64];
    snprintf(expected, sizeof expected, "%.1f %% of the weight left out", 100 * (1 - (double)most));
    says(&d, expected);
    says(&d, "only of \xe2\x80\x9c");
    done(&d);
    d = draw("sentence", "attention=encoder;layer=0;head=0;top_k=1;token=3;units=tokens");
    says(&d, expected);
    done(&d);
    d = draw("neuron", "attention=encoder;layer=0;head=0;hide_special=true;base=1");
    says(&d, "hidden");
    says(&d, "counted from 1");
    done(&d);
}

/* Each name once, and marks so that they are not read as the list's own. */
static void hidden_names_are_a_list(void **unused) {
    (void)unused;
    Drawn d = draw("heatmap", "attention=encoder;layer=0;head=0;hide_punctuation=true;"
                              "units=words;text=the cat, the mat, the cat.");
    says(&d, "on \xe2\x80\x9c,\xe2\x80\x9d, \xe2\x80\x9c.\xe2\x80\x9d hidden");
    done(&d);
}

/* Where no token sees a later one, no arc goes below, and none is spoken of. */
static void causal_arcs_go_back_only(void **unused) {
    (void)unused;
    Drawn d = draw("arcs", "attention=decoder;layer=0;head=0");
    says(&d, "above to earlier");
    assert_null(strstr(d.report.subtitle.data, "below"));
    done(&d);
    d = draw("arcs", "attention=encoder;layer=0;head=0;top_k=1");
    says(&d, "below to later");
    done(&d);
}

/* Hidden tokens have neither a row nor a column, and the labels stay beside theirs. */
static void masks_hide_rows_and_columns(void **unused) {
    (void)unused;
    Drawn d = draw("mask", "attention=encoder;hide_special=true");
    says(&d, "hidden");
    Tokens source = trace_source(d.scene.trace);
    int n_shown = 0;
    for (int i = 0; i < source.n; i++)
        n_shown += !source.items[i].special;
    int n, n_cells = 0;
    const FigureItem *items = figure_items(d.figure, &n);
    for (int i = 0; i < n; i++)
        n_cells += items[i].mark && items[i].mark->role == FIGURE_CELL;
    assert_int_equal(n_cells, n_shown * n_shown);
    done(&d);
}

/* Rows of words still sum to 1: weights to a word summed, from a word averaged. */
static void words_keep_the_mass(void **unused) {
    (void)unused;
    Drawn d =
        draw("heatmap", "attention=encoder;layer=0;head=0;units=words;text=kissanomistaja katsoi");
    assert_true(d.report.n_queries < trace_source(d.scene.trace).n);
    says(&d, "sub-words joined");
    StrBuf svg = {0};
    assert_true(export_bytes(d.figure, EXPORT_SVG, &(ExportOptions){0}, &svg, NULL));
    for (int q = 0; q < d.report.n_queries; q++) {
        double sum = 0;
        for (int k = 0; k < d.report.n_keys; k++) {
            char needle[64];
            snprintf(needle, sizeof needle, "id=\"encoder-L0H0-q%d-k%d\"", q, k);
            const char *at = strstr(svg.data, needle);
            assert_non_null(at);
            while (*at != '<')
                at--;
            sum += attribute(at, "data-weight=\"");
        }
        assert_true(fabs(sum - 1) < 1e-4);
    }
    strbuf_free(&svg);
    done(&d);
}

/* What an SVG of the figure has of query q: its heaviest weight, and its label. */
static double heaviest(const char *svg, int q, int n_keys) {
    double most = 0;
    for (int k = 0; k < n_keys; k++) {
        char needle[64];
        snprintf(needle, sizeof needle, "id=\"cross-L0H0-q%d-k%d\"", q, k);
        const char *at = strstr(svg, needle);
        if (!at) continue;
        while (*at != '<')
            at--;
        most = fmax(most, attribute(at, "data-weight=\""));
    }
    return most;
}

/* At a step of a generation only what is written by then is there, each row where it will stay. */
static void later_steps_are_not_there_yet(void **unused) {
    (void)unused;
    Drawn all = draw("heatmap", "attention=cross;layer=0;head=0");
    FigureBox first, still;
    FigurePick cell = {0, 0, 0};
    assert_true(figure_find(all.figure, cell, &first));
    int n = all.report.n_queries;
    for (int step = 0; step < n; step++) {
        char fields[96], said[48];
        snprintf(fields, sizeof fields, "attention=cross;layer=0;head=0;step=%d", step);
        Drawn d = draw("heatmap", fields);
        snprintf(said, sizeof said, "step %d of %d", step + 1, n);
        if (step < n - 1) says(&d, said);
        assert_int_equal(d.report.n_queries, n);
        assert_true(figure_find(d.figure, cell, &still));
        assert_true(fabs(first.x - still.x) < 0.01 && fabs(first.w - still.w) < 0.01);
        StrBuf svg = {0};
        assert_true(export_bytes(d.figure, EXPORT_SVG, &(ExportOptions){0}, &svg, NULL));
        for (int q = 0; q < n; q++)
            assert_true((heaviest(svg.data, q, d.report.n_keys) > 0) == (q <= step));
        assert_null(strstr(svg.data, "\xe2\x88\x85"));
        strbuf_free(&svg);
        done(&d);
    }
    done(&all);
    /* The source is there from the start. */
    Drawn d = draw("heatmap", "attention=encoder;layer=0;head=0;step=1");
    assert_null(strstr(d.report.subtitle.data, "step 2 of"));
    done(&d);
    /* Of a word that is being written, its pieces so far. */
    d = draw("cross", "layer=0;head=0;target_text=kissanomistaja katsoi;step=1");
    assert_true(d.report.n_queries > 2);
    StrBuf svg = {0};
    assert_true(export_bytes(d.figure, EXPORT_SVG, &(ExportOptions){0}, &svg, NULL));
    assert_null(strstr(svg.data, ">kissanomistaja<"));
    assert_null(strstr(svg.data, ">katsoi<"));
    strbuf_free(&svg);
    done(&d);
    static const char *const kinds[] = {"head", "model", "arcs", "sentence", "neuron", "steps"};
    for (int i = 0; i < 6; i++) {
        d = draw(kinds[i], "attention=decoder;step=1");
        done(&d);
    }
}

static void picks_are_places(void **unused) {
    (void)unused;
    Drawn d = draw("heatmap", "attention=cross;heads=L1H2,L0H3");
    Place place = view_place(&d.report, (FigurePick){1, 2, 3});
    char text[PLACE_TEXT_MAX];
    assert_string_equal(place_text(&place, text), "cross-L0H3-q2-k3");
    FigurePick back = view_pick(&d.report, &place);
    assert_int_equal(back.series, 1);
    assert_int_equal(back.query, 2);
    assert_int_equal(back.key, 3);
    done(&d);
    /* Where words are drawn a pick's query is a word; the place is its first token. */
    d = draw("heatmap", "attention=encoder;layer=0;head=0;units=words;text=kissanomistaja katsoi");
    place = view_place(&d.report, (FigurePick){0, 2, 2});
    assert_int_equal(place.query, d.report.query_tokens[2]);
    assert_true(place.query > 2);
    back = view_pick(&d.report, &place);
    assert_int_equal(back.query, 2);
    done(&d);
}

/* --heads leaves only those of the model view's thumbnails, each where it belongs. */
static void model_of_some_heads(void **unused) {
    (void)unused;
    static const char *const whats[] = {"attention=cross;heads=L1H2,L0H3",
                                        "attention=cross;heads=L1H2,L0H3;units=words"};
    for (int w = 0; w < 2; w++) {
        Drawn d = draw("model", whats[w]);
        int n, n_found = 0;
        double x[2] = {0}, y[2] = {0};
        const FigureItem *items = figure_items(d.figure, &n);
        for (int i = 0; i < n; i++) {
            if (!items[i].mark || !items[i].mark->id) continue;
            bool first = !strcmp(items[i].mark->id, "cross-L0H3");
            assert_true(first || !strcmp(items[i].mark->id, "cross-L1H2"));
            n_found++;
            x[first] = items[i].box.x;
            y[first] = items[i].box.y;
        }
        assert_int_equal(n_found, 2);
        assert_true(x[1] > x[0] && y[1] < y[0]);
        done(&d);
    }
}

static void wrong_wishes_are_named(void **unused) {
    (void)unused;
    refuses("heatmap", "layer=9", "expected 0 to 1");
    refuses("heatmap", "layer=1-0", "a range (0-1)");
    refuses("heatmap", "head=banana", "--head 'banana'");
    refuses("heatmap", "heads=L0H9", "L0H0 to L1H3");
    refuses("heatmap", "heads=decoder-L0H0,cross-L1H1", "another attention");
    refuses("heatmap", "attention=self", "there is encoder, decoder, cross");
    refuses("arcs", "attention=cross", "one sentence");
    refuses("sentence", "token=nowhere", "is no query here");
    refuses("heatmap", "token=1,nowhere", "'nowhere' is no query");
    refuses("positions", "pair=400", "--pair 400");
    refuses("positions", "dims=0-99", "--dims");
    refuses("blocks", "box=encoder.0.soul", "no such box");
    refuses("difference", "layer=0", "nothing to compare");
    refuses("difference", "edits=ablate decoder.7.attn:H1", "decoder.7");
    refuses("model", "head=mean", "one by one");
    refuses("model", "range=row", "--range unit or max");
    refuses("model", "heads=L0H9", "L0H0 to L1H3");
    refuses("neuron", "heads=L0H0,L1H1", "one head");
    refuses("steps", "heads=L0H0,L1H1", "one head");
    refuses("heatmap", "hide_special=true;hide_punctuation=true;hide=the,cat,is,on,mat", "hidden");
}

/* What finds nothing in this text is said. */
static void idle_wishes_are_remarked(void **unused) {
    (void)unused;
    Drawn d = draw("heatmap", "attention=cross;hide=nowhere,</s>;rows=reads");
    assert_string_equal(d.report.remarks.data, "--hide nowhere: no token is called so here\n");
    done(&d);
    d = draw("model", "attention=encoder;rows=reads");
    assert_non_null(strstr(d.report.remarks.data, "--rows changes nothing here"));
    done(&d);
    d = draw("cross", "hide_special=true");
    assert_int_equal(d.report.remarks.n, 0);
    done(&d);
}

static void aliases(void **unused) {
    (void)unused;
    assert_string_equal(view_find("model_view")->name, "model");
    assert_string_equal(view_find("head_view")->name, "head");
    assert_string_equal(view_find("neuron_view")->name, "neuron");
    assert_string_equal(view_find("position_map")->name, "position-map");
    assert_null(view_find("head_"));
    assert_null(view_find(""));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dumps_are_golden),
        cmocka_unit_test(every_view_draws),
        cmocka_unit_test(ids_are_unique),
        cmocka_unit_test(weights_are_the_traces),
        cmocka_unit_test(widths_follow_weights),
        cmocka_unit_test(same_bytes_twice),
        cmocka_unit_test(the_quiet_line_says_what_was_done),
        cmocka_unit_test(hidden_mass_is_right),
        cmocka_unit_test(losses_are_shares_of_what_is_drawn),
        cmocka_unit_test(masks_hide_rows_and_columns),
        cmocka_unit_test(causal_arcs_go_back_only),
        cmocka_unit_test(hidden_names_are_a_list),
        cmocka_unit_test(cells_left_out_are_absent),
        cmocka_unit_test(words_keep_the_mass),
        cmocka_unit_test(later_steps_are_not_there_yet),
        cmocka_unit_test(picks_are_places),
        cmocka_unit_test(model_of_some_heads),
        cmocka_unit_test(wrong_wishes_are_named),
        cmocka_unit_test(idle_wishes_are_remarked),
        cmocka_unit_test(aliases),
    };
    return cmocka_run_group_tests(tests, open_all, ground_close);
}
