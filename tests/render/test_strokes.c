/* What stands below a drawing of lines: the key shows the widths that the drawing has, and a page
 * that has no room for every label says so. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "render/cross.h"
#include "render/sentence.h"
#include "render/strokes.h"
#include "tests/render/sample.h"

/* A row holds each of the key's places once. */
static ChartMatrix key_matrix(Sample *sample, int n) {
    ChartMatrix m = {.weights = tensor_new(sample->arena, 2, n, n), .name = "L0H0"};
    tensor_fill(m.weights, 0);
    for (int q = 0; q < n; q++)
        for (int i = 0; i < STROKES_KEY; i++)
            *tensor_at(m.weights, q, (q + i) % n, 0, 0) = (float)strokes_key_places[i];
    return m;
}

static Figure *drawn(Sample *sample, const ChartMatrix *m, int n, ChartOptions options) {
    Cross cross = {.n_heads = 1,
                   .heads = m,
                   .queries = sample_axis(sample, SAMPLE_ENGLISH, n),
                   .keys = sample_axis(sample, SAMPLE_ENGLISH, n)};
    Figure *figure = figure_new(theme_of(THEME_LIGHT), sample->text);
    Error error = {0};
    options.title = "Lines";
    assert_true(cross_draw(figure, &cross, &options, &error));
    return figure;
}

static const FigureItem *text_item(const Figure *figure, const char *text) {
    int n;
    const FigureItem *items = figure_items(figure, &n);
    for (int i = 0; i < n; i++)
        if (items[i].kind == FIGURE_TEXT && str_is(items[i].text->s, text)) return &items[i];
    return NULL;
}

static void widths_are_told(void **unused) {
    (void)unused;
    Sample *sample = sample_new();
    ChartMatrix m = key_matrix(sample, 6);
    Figure *figure = drawn(sample, &m, 6, (ChartOptions){0});
    int n;
    const FigureItem *items = figure_items(figure, &n);
    const char *const numbers[] = {"0.1", "0.25", "0.5", "1"};
    for (int i = 0; i < STROKES_KEY; i++) {
        const FigureItem *number = text_item(figure, numbers[i]);
        assert_non_null(number);
        const FigureItem *sample_line = number - 1; /* drawn before its number */
        assert_int_equal(sample_line->kind, FIGURE_PATH);
        int n_seen = 0;
        for (const FigureItem *item = items; item < items + n; item++) {
            bool weighs = item->kind == FIGURE_PATH && item->mark && item->mark->has_weight &&
                          fabs(item->mark->weight - strokes_key_places[i]) < 1e-6;
            if (!weighs) continue;
            n_seen++;
            assert_true(fabs(item->paint.width - sample_line->paint.width) < 1e-6);
        }
        assert_int_equal(n_seen, 6);
    }
    figure_free(figure);
    sample_free(sample);
}

static void scales_of_rows_are_shares(void **unused) {
    (void)unused;
    Sample *sample = sample_new();
    ChartMatrix m = key_matrix(sample, 6);
    Figure *figure = drawn(sample, &m, 6, (ChartOptions){.scale = CHART_SCALE_ROW});
    assert_non_null(text_item(figure, "of the row's largest"));
    assert_non_null(text_item(figure, "25 %"));
    figure_free(figure);
    figure = drawn(sample, &m, 6, (ChartOptions){.bare = true}); /* a window has its own */
    assert_null(text_item(figure, "weight"));
    figure_free(figure);
    sample_free(sample);
}

/* In a low area the labels go before the lines do, and both the page and the caller hear of it. */
static void labels_left_out_are_told(void **unused) {
    (void)unused;
    Sample *sample = sample_new();
    ChartMatrix m = key_matrix(sample, 40);
    Figure *figure = drawn(sample, &m, 40, (ChartOptions){.width = 400, .height = 260});
    int n, n_notes = 0;
    const FigureItem *items = figure_items(figure, &n);
    for (int i = 0; i < n; i++)
        n_notes += items[i].kind == FIGURE_TEXT && str_starts(items[i].text->s, "one label in ");
    assert_int_equal(n_notes, 1);
    assert_true(figure_wanted_width(figure) > 0);
    assert_true(figure_bounds(figure).h < 261);
    figure_free(figure);
    sample_free(sample);
}

/* The side with few tokens is written no larger than the one with many. */
static void sides_are_written_alike(void **unused) {
    (void)unused;
    Sample *sample = sample_new();
    ChartMatrix m = sample_matrix(sample, 4, 30, "L0H0");
    Cross cross = {.n_heads = 1,
                   .heads = &m,
                   .queries = sample_axis(sample, SAMPLE_ENGLISH, 4),
                   .keys = sample_axis(sample, SAMPLE_ENGLISH, 30)};
    Figure *figure = figure_new(theme_of(THEME_LIGHT), sample->text);
    Error error = {0};
    assert_true(cross_draw(figure, &cross, &(ChartOptions){.title = "Two sides"}, &error));
    int n;
    const FigureItem *items = figure_items(figure, &n);
    double size = 0;
    for (int i = 0; i < n; i++) {
        bool token = items[i].kind == FIGURE_TEXT && items[i].mark && items[i].mark->id;
        if (!token) continue;
        if (size > 0) assert_true(fabs(items[i].text->style.font.size - size) < 1e-6);
        size = items[i].text->style.font.size;
    }
    assert_true(size > 0);
    figure_free(figure);
    sample_free(sample);
}

/* Where outlines stand for fills, the legend is of outlines too. */
static void outlines_have_their_own_key(void **unused) {
    (void)unused;
    Sample *sample = sample_new();
    ChartMatrix m = key_matrix(sample, 6);
    ChartAxis axis = sample_axis(sample, SAMPLE_ENGLISH, 6);
    Sentence sentence = {.matrix = m, .queries = axis, .keys = axis, .same_text = true};
    for (int kind = 0; kind < 2; kind++) {
        const Theme *theme = theme_of(kind ? THEME_PROJECTOR : THEME_LIGHT);
        Figure *figure = figure_new(theme, sample->text);
        Error error = {0};
        assert_true(sentence_draw(figure, &sentence, &(ChartOptions){.title = "Text"}, &error));
        int n, n_bars = 0;
        const FigureItem *items = figure_items(figure, &n);
        for (int i = 0; i < n; i++)
            n_bars += items[i].kind == FIGURE_IMAGE;
        assert_int_equal(n_bars, kind ? 0 : 1);
        assert_true((text_item(figure, "0.5") != NULL) == (kind == 1));
        assert_non_null(text_item(figure, "weight"));
        figure_free(figure);
    }
    sample_free(sample);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(widths_are_told),
        cmocka_unit_test(scales_of_rows_are_shares),
        cmocka_unit_test(labels_left_out_are_told),
        cmocka_unit_test(sides_are_written_alike),
        cmocka_unit_test(outlines_have_their_own_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
