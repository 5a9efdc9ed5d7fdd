/* Every chart with every script, one token, none, hundreds; in small and large areas: nothing lies
 * outside the page, nothing is lost. Golden dumps of charts stand in goldens/. What one chart alone
 * must do is test_charts_large.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "render/arcs.h"
#include "render/blocks.h"
#include "render/cross.h"
#include "render/curves.h"
#include "render/difference.h"
#include "render/heatmap.h"
#include "render/lines.h"
#include "render/neuron.h"
#include "render/overlay.h"
#include "render/sentence.h"
#include "render/steps.h"
#include "tests/render/golden.h"
#include "tests/render/sample.h"

typedef bool Draw(Figure *figure, Sample *sample, ChartAxis axis, const ChartOptions *options,
                  Error *error);

static bool draw_heatmap(Figure *figure, Sample *sample, ChartAxis axis,
                         const ChartOptions *options, Error *error) {
    ChartMatrix panels[2] = {sample_matrix(sample, axis.n, axis.n, "L0H0"),
                             sample_causal(sample, axis.n, "L0H1")};
    Heatmap heatmap = {
        .n_panels = 2, .panels = panels, .queries = axis, .keys = axis, .numbers = true};
    return heatmap_draw(figure, &heatmap, options, error);
}

static bool draw_lines(Figure *figure, Sample *sample, ChartAxis axis, const ChartOptions *options,
                       Error *error) {
    ChartMatrix heads[3];
    for (int i = 0; i < 3; i++)
        heads[i] = sample_matrix(sample, axis.n, axis.n, "L0H0");
    Lines lines = {.n_heads = 3, .heads = heads, .queries = axis, .keys = axis, .top = 5};
    return lines_draw(figure, &lines, options, error);
}

static bool draw_arcs(Figure *figure, Sample *sample, ChartAxis axis, const ChartOptions *options,
                      Error *error) {
    ChartMatrix head = sample_matrix(sample, axis.n, axis.n, "L0H0");
    Arcs arcs = {.n_heads = 1, .heads = &head, .tokens = axis, .top = 5};
    return arcs_draw(figure, &arcs, options, error);
}

static bool draw_cross(Figure *figure, Sample *sample, ChartAxis axis, const ChartOptions *options,
                       Error *error) {
    ChartAxis keys = sample_axis(sample, SAMPLE_HEBREW, 0);
    ChartMatrix head = sample_matrix(sample, axis.n, keys.n, "L0H0");
    CrossLink links[2] = {{0, 0}, {2, 3}};
    Cross cross = {.n_heads = 1,
                   .heads = &head,
                   .queries = axis,
                   .keys = keys,
                   .ribbons = true,
                   .links = links,
                   .n_links = 2};
    return cross_draw(figure, &cross, options, error);
}

static bool draw_sentence(Figure *figure, Sample *sample, ChartAxis axis,
                          const ChartOptions *options, Error *error) {
    Sentence sentence = {.matrix = sample_matrix(sample, axis.n, axis.n, "L0H0"),
                         .queries = axis,
                         .keys = axis,
                         .numbers = true};
    return sentence_draw(figure, &sentence, options, error);
}

static bool draw_neuron(Figure *figure, Sample *sample, ChartAxis axis, const ChartOptions *options,
                        Error *error) {
    Tensor keys = sample_matrix(sample, axis.n, 16, NULL).weights;
    Tensor query = tensor_index(sample_matrix(sample, 1, 16, NULL).weights, 0, 0);
    Tensor weights = tensor_index(sample_matrix(sample, 1, axis.n, NULL).weights, 0, 0);
    Neuron neuron = {.query = query,
                     .keys = keys,
                     .weights = weights,
                     .scale = 0.25,
                     .tokens = axis,
                     .query_token = axis.n ? axis.tokens[0].text : str("q")};
    return neuron_draw(figure, &neuron, options, error);
}

static bool draw_difference(Figure *figure, Sample *sample, ChartAxis axis,
                            const ChartOptions *options, Error *error) {
    Difference difference = {.before = sample_matrix(sample, axis.n, axis.n, "plain"),
                             .after = sample_matrix(sample, axis.n, axis.n, "edited"),
                             .queries = axis,
                             .keys = axis};
    if (axis.n > 1) *tensor_at(difference.after.weights, 1, 0, 0, 0) += 0.25f;
    return difference_draw(figure, &difference, options, error);
}

static bool draw_sound(Figure *figure, Sample *sample, ChartAxis axis, const ChartOptions *options,
                       Error *error) {
    ChartMatrix panels[] = {sample_matrix(sample, axis.n, 50, "L0H0"),
                            sample_matrix(sample, axis.n, 50, "L0H1")};
    OverlaySound sound = {.mel = sample_matrix(sample, 20, 100, NULL).weights,
                          .n_panels = 2,
                          .panels = panels,
                          .tokens = axis,
                          .seconds = 2.5};
    return overlay_sound(figure, &sound, options, error);
}

static const struct {
    const char *name;
    Draw *draw;
} CHARTS[] = {{"heatmap", draw_heatmap},       {"lines", draw_lines},       {"arcs", draw_arcs},
              {"cross", draw_cross},           {"sentence", draw_sentence}, {"neuron", draw_neuron},
              {"difference", draw_difference}, {"sound", draw_sound}};
enum { N_CHARTS = sizeof CHARTS / sizeof *CHARTS };

static Figure *draw(Sample *sample, int chart, ChartAxis axis, ThemeKind theme,
                    const ChartOptions *options) {
    Figure *figure = figure_new(theme_of(theme), sample->text);
    Error error = {0};
    if (!CHARTS[chart].draw(figure, sample, axis, options, &error))
        fail_msg("%s: %s", CHARTS[chart].name, error.message);
    return figure;
}

static void nothing_is_clipped_in_any_script(void **unused) {
    (void)unused;
    Sample *sample = sample_new();
    for (int chart = 0; chart < N_CHARTS; chart++)
        for (int script = 0; script < N_SAMPLE_SCRIPTS; script++)
            for (int horizontal = 0; horizontal < 2; horizontal++) {
                ChartOptions options = {.title =
                                            "A title long enough to be wrapped on a narrow page",
                                        .orientation = horizontal ? CHART_HORIZONTAL : CHART_AUTO};
                if (script % 2) options.width = 300;
                ChartAxis axis = sample_axis(sample, (SampleScript)script, 0);
                Figure *figure =
                    draw(sample, chart, axis, (ThemeKind)(script % N_THEMES), &options);
                char what[64];
                snprintf(what, sizeof what, "%s, script %d", CHARTS[chart].name, script);
                sample_check_inside(what, figure);
                figure_free(figure);
            }
    sample_free(sample);
}

static void any_number_of_tokens(void **unused) {
    (void)unused;
    static const int SIZES[] = {1, 2, 61, 300};
    Sample *sample = sample_new();
    for (int chart = 0; chart < N_CHARTS; chart++) {
        for (int i = 0; i < 4; i++) {
            ChartOptions options = {.title = "Sizes", .least = 0.02};
            if (i == 3) options.width = 900, options.height = 640;
            ChartAxis axis = sample_axis(sample, SAMPLE_ENGLISH, SIZES[i]);
            Figure *figure = draw(sample, chart, axis, THEME_LIGHT, &options);
            sample_check_inside(CHARTS[chart].name, figure);
            if (i == 3) assert_true(figure_bounds(figure).h <= 4000);
            figure_free(figure);
        }
        ChartAxis none = {0};
        Figure *figure = draw(sample, chart, none, THEME_DARK, &(ChartOptions){.title = "None"});
        sample_check_inside(CHARTS[chart].name, figure);
        figure_free(figure);
    }
    sample_free(sample);
}

/* A window's area is filled, not left or burst. */
static void areas_are_kept_to(void **unused) {
    (void)unused;
    static const double AREAS[][2] = {{1030, 740}, {620, 520}, {1800, 1000}};
    Sample *sample = sample_new();
    ChartAxis axis = sample_axis(sample, SAMPLE_ENGLISH, 9);
    for (int chart = 0; chart < N_CHARTS; chart++)
        for (int i = 0; i < 3; i++) {
            ChartOptions options = {
                .title = "Area", .width = AREAS[i][0], .height = AREAS[i][1], .bare = i == 1};
            Figure *figure = draw(sample, chart, axis, THEME_LIGHT, &options);
            sample_check_inside(CHARTS[chart].name, figure);
            assert_true(figure_bounds(figure).w == AREAS[i][0]);
            if (chart != 0 && chart != 6) /* two panels, and a list, may need more */
                assert_true(figure_bounds(figure).h <= AREAS[i][1] + 40);
            figure_free(figure);
        }
    sample_free(sample);
}

static int n_texts(const Figure *figure, const char *s) {
    int n, found = 0;
    const FigureItem *items = figure_items(figure, &n);
    for (int i = 0; i < n; i++)
        found += items[i].kind == FIGURE_TEXT && str_is(items[i].text->s, s);
    return found;
}

static void hidden_tokens_are_not_drawn(void **unused) {
    (void)unused;
    Sample *sample = sample_new();
    ChartAxis axis = sample_axis(sample, SAMPLE_ENGLISH, 0);
    ChartToken *tokens = arena_alloc(sample->arena, (size_t)axis.n * sizeof *tokens);
    memcpy(tokens, axis.tokens, (size_t)axis.n * sizeof *tokens);
    tokens[2].hidden = true; /* "cat" */
    axis.tokens = tokens;
    for (int chart = 0; chart < N_CHARTS; chart++) {
        Figure *figure = draw(sample, chart, axis, THEME_LIGHT, &(ChartOptions){.title = "Hidden"});
        assert_int_equal(n_texts(figure, "cat"), 0);
        assert_true(n_texts(figure, "sat") > 0);
        int n;
        const FigureItem *items = figure_items(figure, &n);
        for (int i = 0; i < n; i++) {
            FigurePick pick = items[i].mark ? items[i].mark->pick : FIGURE_PICK_NONE;
            /* Keys of cross-attention are another sentence. */
            assert_true(pick.query != 2 || chart == 5);
            assert_true(pick.key != 2 || chart == 3 || chart == 7);
        }
        figure_free(figure);
    }
    sample_free(sample);
}

static double x_of_label(const Figure *figure, int query) {
    FigureBox box;
    assert_true(figure_find(figure, (FigurePick){-1, query, -1}, &box));
    return box.x;
}

/* A bracket among right-to-left words is mirrored, one among others and one in [CLS] is not. */
static void brackets_face_their_words(void **unused) {
    (void)unused;
    ChartToken tokens[] = {{.text = str("\xd7\xa9\xd7\x9c\xd7\x95")},
                           {.text = str("(")},
                           {.text = str("\xd7\x90\xd7\x91")},
                           {.text = str("[CLS]"), .special = true}};
    Text *text = text_new(NULL);
    Figure *figure = figure_new(theme_of(THEME_LIGHT), text);
    ChartOptions options = {0};
    ChartLabels labels = chart_labels(figure, &(ChartAxis){.n = 4, .tokens = tokens}, &options);
    assert_true(str_is(labels.text[1], "\xe2\x80\x8f(\xe2\x80\x8f"));
    assert_true(str_is(labels.text[3], "[CLS]"));
    labels = chart_labels(figure, &(ChartAxis){.n = 1, .tokens = tokens + 1}, &options);
    assert_true(str_is(labels.text[0], "("));
    figure_free(figure);
    text_free(text);
}

static void right_to_left_text_runs_so(void **unused) {
    (void)unused;
    Sample *sample = sample_new();
    ChartAxis hebrew = sample_axis(sample, SAMPLE_HEBREW, 0),
              english = sample_axis(sample, SAMPLE_ENGLISH, 0);
    static const int RUNS[] = {1, 2, 3}; /* lines, arcs, cross */
    for (int i = 0; i < 3; i++) {
        ChartOptions options = {.title = "Direction", .orientation = CHART_HORIZONTAL};
        Figure *rtl = draw(sample, RUNS[i], hebrew, THEME_LIGHT, &options);
        Figure *ltr = draw(sample, RUNS[i], english, THEME_LIGHT, &options);
        assert_true(x_of_label(rtl, 0) > x_of_label(rtl, 3));
        assert_true(x_of_label(ltr, 0) < x_of_label(ltr, 3));
        figure_free(rtl);
        figure_free(ltr);
    }
    Figure *matrix = draw(sample, 0, hebrew, THEME_LIGHT, &(ChartOptions){.title = "Matrix"});
    assert_non_null(strstr(figure_description(matrix).data, "token 0 first"));
    figure_free(matrix);
    sample_free(sample);
}

static void wrong_shapes_are_named(void **unused) {
    (void)unused;
    Sample *sample = sample_new();
    ChartAxis axis = sample_axis(sample, SAMPLE_ENGLISH, 4);
    ChartMatrix head = sample_matrix(sample, 4, 5, "L1H1");
    Heatmap heatmap = {.n_panels = 1, .panels = &head, .queries = axis, .keys = axis};
    Figure *figure = figure_new(theme_of(THEME_LIGHT), sample->text);
    Error error = {0};
    assert_false(heatmap_draw(figure, &heatmap, &(ChartOptions){0}, &error));
    assert_string_equal(error.message, "L1H1: 4 x 5 weights, but 4 query and 4 key tokens");
    figure_free(figure);
    sample_free(sample);
}

/* Those that no test of views covers. */
static void dumps_are_golden(void **unused) {
    (void)unused;
    static const struct {
        const char *name;
        int chart;
        SampleScript script;
        ThemeKind theme;
        ChartOrientation orientation;
    } CASES[] = {{"ribbons", 3, SAMPLE_ENGLISH, THEME_PROJECTOR, CHART_HORIZONTAL},
                 {"lines-arabic", 1, SAMPLE_ARABIC, THEME_DARK, CHART_HORIZONTAL},
                 {"arcs-chinese", 2, SAMPLE_CHINESE, THEME_PRINT, CHART_AUTO},
                 {"sound", 7, SAMPLE_ENGLISH, THEME_LIGHT, CHART_AUTO},
                 {"heatmap-panels", 0, SAMPLE_HEBREW, THEME_LIGHT, CHART_AUTO}};
    Sample *sample = sample_new();
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        ChartOptions options = {.title = "Golden", .orientation = CASES[i].orientation};
        ChartAxis axis = sample_axis(sample, CASES[i].script, 0);
        Figure *figure = draw(sample, CASES[i].chart, axis, CASES[i].theme, &options);
        golden_compare(arena_printf(sample->arena, "tests/render/goldens/%s.txt", CASES[i].name),
                       figure);
        figure_free(figure);
    }
    sample_free(sample);
}

/* "1.4 %" and "layer 2" are not torn apart, and no line of the heading begins with a dot. */
static void headings_break_at_good_places(void **unused) {
    (void)unused;
    Sample *sample = sample_new();
    ChartAxis axis = sample_axis(sample, SAMPLE_ENGLISH, 3);
    ChartOptions options = {
        .title = "Cross-attention, layer 12, head 3",
        .notes = "lines under 1 % left out: 12.5 % of the weight \xc2\xb7 silence from 12 s on"};
    static const char *const BAD[] = {"%", "\xc2\xb7", "s on", "12,", "3"};
    for (options.width = 150; options.width < 700; options.width += 4) {
        Figure *figure = draw(sample, 2, axis, THEME_LIGHT, &options);
        int n;
        const FigureItem *items = figure_items(figure, &n);
        for (int i = 0; i < n; i++)
            for (size_t k = 0; k < sizeof BAD / sizeof *BAD && items[i].kind == FIGURE_TEXT; k++)
                if (str_starts(items[i].text->s, BAD[k]))
                    fail_msg("at %g points: '%s'", options.width, items[i].text->s.data);
        figure_free(figure);
    }
    sample_free(sample);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(headings_break_at_good_places),
        cmocka_unit_test(nothing_is_clipped_in_any_script),
        cmocka_unit_test(any_number_of_tokens),
        cmocka_unit_test(areas_are_kept_to),
        cmocka_unit_test(hidden_tokens_are_not_drawn),
        cmocka_unit_test(brackets_face_their_words),
        cmocka_unit_test(right_to_left_text_runs_so),
        cmocka_unit_test(wrong_shapes_are_named),
        cmocka_unit_test(dumps_are_golden),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
