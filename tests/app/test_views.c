/* The views on a tiny random translator: dumps against golden text, and weights, rows and steps
 * drawn against the trace. What they say of it is test_views_said.c. */
#include <math.h>
#include <stdlib.h>

#include "model/pattern.h"
#include "render/export.h"
#include "tests/app/views_ground.h"
#include "tests/render/golden.h"

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
        char path[256];
        snprintf(path, sizeof path, "tests/data/figures/%s.txt", goldens[i].name);
        golden_compare(path, d.figure);
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
        cmocka_unit_test(words_keep_the_mass),
        cmocka_unit_test(later_steps_are_not_there_yet),
        cmocka_unit_test(picks_are_places),
        cmocka_unit_test(model_of_some_heads),
        cmocka_unit_test(aliases),
    };
    return cmocka_run_group_tests(tests, open_all, ground_close);
}
