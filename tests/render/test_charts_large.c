/* Charts where there is much of something and little room: long lists and sentences, large grids,
 * titles wider than their axis. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "render/arcs.h"
#include "render/grid.h"
#include "render/heatmap.h"
#include "render/lines.h"
#include "tests/render/sample.h"

static bool read_head(void *user, int row, int column, Tensor out, Error *error) {
    (void)user;
    (void)error;
    tensor_fill(out, 0);
    *tensor_at(out, (row * 31) % out.shape[0], (column * 17) % out.shape[1], 0, 0) = 1;
    return true;
}

/* One strong cell in each thumbnail of a large model is seen in each. */
static void thumbnails_keep_strong_cells(void **unused) {
    (void)unused;
    Sample *sample = sample_new();
    Grid grid = {.n_rows = 3, .n_columns = 4, .read = read_head, .n_queries = 256, .n_keys = 256};
    Figure *figure = figure_new(theme_of(THEME_LIGHT), sample->text);
    Error error = {0};
    assert_true(grid_draw(figure, &grid, &(ChartOptions){.title = "Grid", .width = 400}, &error));
    sample_check_inside("grid", figure);
    int n, n_images = 0;
    const FigureItem *items = figure_items(figure, &n);
    for (int i = 0; i < n; i++) {
        if (items[i].kind != FIGURE_IMAGE || items[i].image->rows == 1) continue;
        const FigureImage *image = items[i].image;
        int strong = 0;
        for (int c = 0; c < image->rows * image->columns; c++)
            strong += image->cells[c] == 255;
        assert_true(strong >= 1 && strong <= 4);
        n_images++;
    }
    assert_int_equal(n_images, 12);
    assert_non_null(strstr(figure_description(figure).data, "strongest cell"));
    figure_free(figure);
    sample_free(sample);
}

/* A long list with the lines of one token stands in columns. */
static void long_lists_wrap(void **unused) {
    (void)unused;
    Sample *sample = sample_new();
    enum { N = 130 };
    ChartAxis axis = sample_axis(sample, SAMPLE_ENGLISH, N);
    ChartMatrix head = sample_matrix(sample, N, N, "L0H0");
    int only = 100;
    Lines lines = {.n_heads = 1, .heads = &head, .queries = axis, .keys = axis, .top = 10};
    lines.only = &only, lines.n_only = 1;
    ChartOptions options = {.title = "Long", .least = 0.0001};
    Figure *figure = figure_new(theme_of(THEME_LIGHT), sample->text);
    Error error = {0};
    assert_true(lines_draw(figure, &lines, &options, &error));
    int n, n_labels = 0;
    const FigureItem *items = figure_items(figure, &n);
    for (int i = 0; i < n; i++)
        n_labels += items[i].mark && items[i].mark->role == FIGURE_LABEL;
    assert_int_equal(n_labels, 2 * N);
    assert_true(figure_bounds(figure).h < N * 9); /* one column would need more */
    figure_free(figure);
    sample_free(sample);
}

/* Beyond 60 tokens the queries stand in blocks: each once, no label left out, none twice under one
 * id, and the weight that is not drawn is the one that is said. */
static void long_sentences_stand_in_blocks(void **unused) {
    (void)unused;
    Sample *sample = sample_new();
    for (int turn = 0; turn < 2; turn++) {
        ChartOptions options = {.title = "Long",
                                .orientation = turn ? CHART_HORIZONTAL : CHART_VERTICAL};
        ChartAxis axis = sample_axis(sample, SAMPLE_ENGLISH, 150);
        ChartMatrix head = sample_matrix(sample, axis.n, axis.n, "L0H0");
        Lines lines = {.n_heads = 1, .heads = &head, .queries = axis, .keys = axis};
        Figure *figure = figure_new(theme_of(THEME_LIGHT), sample->text);
        Error error = {0};
        if (!lines_draw(figure, &lines, &options, &error)) fail_msg("%s", error.message);
        int n, queries[150] = {0};
        const FigureItem *items = figure_items(figure, &n);
        double drawn = 0;
        for (int i = 0; i < n; i++) {
            const FigureMark *mark = items[i].mark;
            if (!mark) continue;
            if (mark->has_weight) drawn += mark->weight;
            if (mark->role == FIGURE_LABEL && mark->pick.query >= 0) queries[mark->pick.query]++;
            for (int j = 0; j < i && mark->role == FIGURE_LABEL; j++)
                if (items[j].mark && items[j].mark->role == FIGURE_LABEL)
                    assert_string_not_equal(items[j].mark->id, mark->id);
        }
        for (int q = 0; q < 150; q++)
            assert_int_equal(queries[q], 1);
        char said[64];
        snprintf(said, sizeof said, "in all %.1f %% of the weight not drawn",
                 100 * (1 - drawn / 150));
        Str subtitle = figure_description(figure);
        if (!strstr(subtitle.data, said)) fail_msg("'%s' is not in '%s'", said, subtitle.data);
        figure_free(figure);
    }
    sample_free(sample);
}

/* A long sentence goes on in further lines; what leads from one to another is counted, drawn as
 * stubs, and with what is drawn whole makes up all of the weight. */
static void long_arcs_go_on_in_lines(void **unused) {
    (void)unused;
    Sample *sample = sample_new();
    enum { N = 130 };
    ChartAxis axis = sample_axis(sample, SAMPLE_ENGLISH, N);
    ChartMatrix head = sample_matrix(sample, N, N, "L0H0");
    static const double WIDTHS[] = {0, 240};
    for (int i = 0; i < 2; i++) {
        Figure *figure = figure_new(theme_of(THEME_LIGHT), sample->text);
        Error error = {0};
        Arcs arcs = {.n_heads = 1, .heads = &head, .tokens = axis};
        ChartOptions options = {.title = "Long", .width = WIDTHS[i], .least = 1e-9};
        assert_true(arcs_draw(figure, &arcs, &options, &error));
        sample_check_inside("long arcs", figure);
        int n, labels[N] = {0};
        const FigureItem *items = figure_items(figure, &n);
        double whole = 0, away = 0, widest = 0;
        for (int k = 0; k < n; k++) {
            const FigureMark *mark = items[k].mark;
            if (!mark) continue;
            if (mark->role == FIGURE_LABEL) labels[mark->pick.query]++;
            if (!mark->has_weight) continue;
            *(mark->pick.key < 0 ? &away : &whole) += mark->weight;
            widest = fmax(widest, items[k].box.w);
        }
        for (int q = 0; q < N; q++)
            assert_int_equal(labels[q], 1);
        if (fabs(whole + away - N) > 1e-3 || away < 1 || whole < 1)
            fail_msg("%g in the lines and %g between them, of %d", whole, away, N);
        assert_true(widest < figure_bounds(figure).w);
        char said[64];
        snprintf(said, sizeof said, "stubs lead to other lines: %.1f %% of", 100 * away / N);
        Str subtitle = figure_description(figure);
        if (!strstr(subtitle.data, said)) fail_msg("'%s' is not in '%s'", said, subtitle.data);
        figure_free(figure);
    }
    sample_free(sample);
}

/* Titles of the axes of a small matrix are whole, up to their comma at least, and so is its scale.
 */
static void axis_titles_fit(void **unused) {
    (void)unused;
    Sample *sample = sample_new();
    ChartAxis axis = sample_axis(sample, SAMPLE_ENGLISH, 3);
    ChartMatrix head = sample_matrix(sample, 3, 3, "L0H0");
    Heatmap heatmap = {.n_panels = 1, .panels = &head, .queries = axis, .keys = axis};
    heatmap.queries.title = "query: decoder step, named by the token it writes";
    heatmap.keys.title = "key: encoder token";
    for (int turn = 0; turn < 2; turn++)
        for (int width = 140; width < 500; width += 10) {
            ChartOptions options = {.width = width, .transpose = turn, .bare = true};
            Figure *figure = figure_new(theme_of(THEME_LIGHT), sample->text);
            Error error = {0};
            assert_true(heatmap_draw(figure, &heatmap, &options, &error));
            sample_check_inside("narrow heatmap", figure);
            int n, found = 0;
            const FigureItem *items = figure_items(figure, &n);
            for (int i = 0; i < n; i++)
                if (items[i].kind == FIGURE_TEXT && !items[i].mark)
                    found += str_eq(items[i].text->s, str("query: decoder step")) ||
                             str_eq(items[i].text->s, str(heatmap.queries.title)) ||
                             str_eq(items[i].text->s, str(heatmap.keys.title));
            assert_int_equal(found, 2);
            figure_free(figure);
        }
    sample_free(sample);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(axis_titles_fit),
        cmocka_unit_test(long_arcs_go_on_in_lines),
        cmocka_unit_test(long_lists_wrap),
        cmocka_unit_test(thumbnails_keep_strong_cells),
        cmocka_unit_test(long_sentences_stand_in_blocks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
