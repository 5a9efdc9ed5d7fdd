/* The display list: picks, focus, shortening, ownership, and the canvas that plays it. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <pango/pangocairo.h>

#include "render/canvas.h"
#include "render/heatmap.h"
#include "render/image.h"
#include "render/lines.h"
#include "tests/render/sample.h"

static Figure *new_figure(Sample *sample) {
    Figure *figure = figure_new(theme_of(THEME_LIGHT), sample->text);
    figure_page(figure, 200, 100);
    return figure;
}

static bool same(FigurePick a, int series, int query, int key) {
    return a.series == series && a.query == query && a.key == key;
}

static void topmost_item_is_picked(void **unused) {
    (void)unused;
    Sample *sample = sample_new();
    Figure *figure = new_figure(sample);
    FigureMark below = {.pick = {0, 1, 2}}, above = {.pick = {3, 4, 5}, .id = "above"};
    FigurePaint paint = {.fill = COLOR_BLACK}, line = {.stroke = COLOR_BLACK, .width = 1};
    figure_rect(figure, (FigureBox){10, 10, 100, 80}, 0, paint, &below);
    figure_rect(figure, (FigureBox){10, 10, 100, 80}, 0, paint, NULL); /* no pick: looked through */
    figure_path_move(figure, 10, 50);
    figure_path_curve(figure, 60, 50, 60, 20, 110, 20);
    figure_path_end(figure, line, &above);
    figure_seal(figure);
    const FigureMark *mark;
    assert_true(
        same(figure_pick(figure, 60, 36, &mark), 3, 4, 5)); /* the middle of the curve, and a bit */
    assert_string_equal(mark->id, "above");
    assert_true(same(figure_pick(figure, 60, 80, NULL), 0, 1, 2));
    assert_true(figure_pick_is_none(figure_pick(figure, 150, 50, NULL)));
    FigureBox box;
    assert_true(figure_find(figure, (FigurePick){0, 1, 2}, &box));
    assert_true(box.x == 10 && box.w == 100);
    figure_free(figure);
    sample_free(sample);
}

static void image_cells_are_picked(void **unused) {
    (void)unused;
    Sample *sample = sample_new();
    Figure *figure = new_figure(sample);
    uint8_t cells[12] = {0};
    Color palette[256] = {0};
    int queries[3] = {0, 5, 7}; /* tokens between them are hidden */
    FigureImage image = {.rows = 3,
                         .columns = 4,
                         .cells = cells,
                         .palette = palette,
                         .first = {2, 0, 10},
                         .queries = queries};
    figure_image(figure, (FigureBox){0, 0, 40, 30}, &image, NULL);
    cells[0] = 9; /* the figure has its own copy */
    figure_seal(figure);
    int n;
    assert_int_equal(figure_items(figure, &n)[0].image->cells[0], 0);
    assert_true(same(figure_pick(figure, 35, 15, NULL), 2, 5, 13));
    FigureBox box;
    assert_true(figure_find(figure, (FigurePick){2, 7, 10}, &box));
    assert_true(box.x == 0 && box.y == 20 && box.w == 10 && box.h == 10);
    assert_false(figure_find(figure, (FigurePick){2, 6, 10}, &box));
    figure_focus(figure, (FigurePick){2, 5, -1});
    assert_int_equal(figure_outlines(figure, &box, 1), 1);
    assert_true(box.y == 10 && box.w == 40 && box.h == 10);
    figure_free(figure);
    sample_free(sample);
}

static FigureState state_of(Figure *figure, FigureRole role, FigurePick pick) {
    FigureMark mark = {.pick = pick, .role = role};
    FigureItem item = {.kind = FIGURE_PATH, .mark = &mark};
    return figure_state(figure, &item);
}

static void focus_dims_the_rest(void **unused) {
    (void)unused;
    Sample *sample = sample_new();
    Figure *figure = new_figure(sample);
    FigurePick line = {1, 4, 7}, other = {1, 5, 7}, token = {-1, 4, -1}, head = {1, -1, -1};
    assert_int_equal(state_of(figure, FIGURE_DIMS, line), FIGURE_PLAIN);
    figure_focus(figure, token);
    assert_int_equal(state_of(figure, FIGURE_DIMS, line), FIGURE_PLAIN);
    assert_int_equal(state_of(figure, FIGURE_DIMS, other), FIGURE_FADED);
    assert_int_equal(state_of(figure, FIGURE_LABEL, token), FIGURE_RAISED);
    assert_int_equal(state_of(figure, FIGURE_LABEL, head), FIGURE_PLAIN);
    figure_focus(figure, line);
    assert_int_equal(state_of(figure, FIGURE_LABEL, head), FIGURE_RAISED);
    figure_focus(figure, FIGURE_PICK_NONE);
    assert_int_equal(state_of(figure, FIGURE_DIMS, other), FIGURE_PLAIN);
    figure_free(figure);
    sample_free(sample);
}

static void long_text_is_shortened_and_whole_in_the_title(void **unused) {
    (void)unused;
    Sample *sample = sample_new();
    Figure *figure = new_figure(sample);
    Str whole = str("Donaudampfschifffahrtsgesellschaft");
    FigureTextStyle style = {.font = {.size = 13}, .color = COLOR_BLACK, .max_width = 60};
    assert_true(figure_text(figure, 0, 20, whole, style, NULL) <= 60);
    int n;
    const FigureItem *item = &figure_items(figure, &n)[0];
    assert_true(str_eq(item->text->whole, whole));
    assert_true(str_ends(item->text->s, "\xe2\x80\xa6"));
    assert_string_equal(item->mark->title, whole.data);
    figure_seal(figure);
    figure_free(figure);
    sample_free(sample);
}

/* ---- text ---- */

static void text_is_cut_between_characters(void **unused) {
    (void)unused;
    Sample *sample = sample_new();
    TextStyle style = {.size = 13};
    Str towers = str("e\xcc\x81\xcc\x82"
                     "e\xcc\x81\xcc\x82"
                     "e\xcc\x81\xcc\x82"
                     "e\xcc\x81\xcc\x82"
                     "e\xcc\x81\xcc\x82");
    Str cut = text_shorten(sample->text, sample->arena, towers, style, 28);
    assert_true(cut.n > 3 && cut.n < towers.n);
    assert_int_equal((cut.n - 3) % 5, 0); /* whole letters with their marks, and the ellipsis */
    assert_true(text_is_rtl(str("[CLS] \xd7\xa9")) == false);
    assert_true(text_is_rtl(str("1. \xd7\xa9\xd7\x9c")));
    assert_true(text_is_rtl(str("\xd8\xa3\xd8\xad\xd8\xa8")));
    assert_false(text_is_rtl(str("...")));
    Str dirty = text_clean(sample->arena, (Str){"a\0b\xff", 4});
    assert_true(str_is(dirty, "a\xe2\x90\x80"
                              "b\xef\xbf\xbd"));
    Str *lines;
    assert_int_equal(
        text_wrap(sample->text, sample->arena, str("one two three"), style, 1e4, &lines), 1);
    int n = text_wrap(sample->text, sample->arena, str("one two three"), style, 40, &lines);
    assert_true(n == 3 && str_is(lines[1], "two"));
    sample_free(sample);
}

/* ---- matrices in pixels ---- */

static void reducing_keeps_strong_cells(void **unused) {
    (void)unused;
    enum { N = 517 };
    uint8_t *cells = calloc(N * N, 1);
    Color palette[256] = {0};
    for (int at = 0; at < N; at += 37)
        cells[at * N + (at * 5) % N] = 200;
    FigureImage image = {.rows = N, .columns = N, .cells = cells, .palette = palette};
    for (int size = 7; size < N; size += 61) {
        uint8_t *small = image_reduce(&image, size, size);
        for (int at = 0; at < N; at += 37) {
            int r = at * size / N, c = (at * 5) % N * size / N;
            assert_int_equal(small[r * size + c], 200);
        }
        free(small);
    }
    image.reduce = FIGURE_REDUCE_MEAN;
    memset(cells, 100, N * N);
    uint8_t *mean = image_reduce(&image, 10, 20);
    assert_int_equal(mean[57], 100);
    free(mean);
    image.reduce = FIGURE_REDUCE_EXTREME;
    memset(cells, 128, N * N);
    cells[3] = 5;
    cells[4] = 200;
    uint8_t *extreme = image_reduce(&image, 4, 4);
    assert_int_equal(extreme[0], 5);
    free(extreme);
    free(cells);
}

static void cells_land_on_their_pixels(void **unused) {
    (void)unused;
    Sample *sample = sample_new();
    Figure *figure = figure_new(theme_of(THEME_PRINT), sample->text);
    figure_page(figure, 8, 4);
    uint8_t cells[8] = {1, 2, 3, 4, 5, 6, 7, 0};
    Color palette[256];
    for (int i = 0; i < 256; i++)
        palette[i] = (Color)i << 24 | 0xff;
    FigureImage image = {
        .rows = 2, .columns = 4, .cells = cells, .palette = palette, .has_masked = true};
    figure_image(figure, (FigureBox){0, 0, 8, 4}, &image, NULL);
    figure_seal(figure);
    uint32_t pixels[16 * 8];
    for (int i = 0; i < 16 * 8; i++)
        pixels[i] = 0xffabcdef;
    Canvas *canvas = canvas_new(sample->text);
    canvas_play(canvas, figure, &(CanvasView){.scale = 2},
                &(CanvasPixels){pixels, 16, 8, 16 * sizeof(uint32_t)});
    for (int y = 0; y < 8; y++)
        for (int x = 0; x < 16; x++) {
            unsigned cell = cells[y / 4 * 4 + x / 4];
            assert_int_equal(pixels[y * 16 + x], cell ? 0xff000000u | cell << 16 : 0xffabcdefu);
        }
    canvas_free(canvas);
    figure_free(figure);
    sample_free(sample);
}

/* A shape without a colour leaves nothing behind, nor does the next one fill it. */
static void unpainted_shapes_stay_unpainted(void **unused) {
    (void)unused;
    Sample *sample = sample_new();
    Figure *figure = figure_new(theme_of(THEME_LIGHT), sample->text);
    FigureBox left = {1, 1, 3, 3}, right = {6, 1, 1, 1};
    figure_rect(figure, left, 0, (FigurePaint){0}, NULL);
    figure_rect(figure, right, 0, (FigurePaint){.fill = color_rgb(0, 0, 0)}, NULL);
    figure_seal(figure);
    uint32_t pixels[8 * 8] = {0};
    Canvas *canvas = canvas_new(sample->text);
    canvas_play(canvas, figure, &(CanvasView){.scale = 1}, &(CanvasPixels){pixels, 8, 8, 32});
    int n_black = 0;
    for (int i = 0; i < 64; i++)
        n_black += pixels[i] == 0xff000000u;
    assert_int_equal(n_black, 1);
    canvas_free(canvas);
    figure_free(figure);
    sample_free(sample);
}

/* A figure of many lines is played from a kept layer: it must look as if it were drawn afresh. */
static void layers_look_like_fresh_drawing(void **unused) {
    (void)unused;
    Sample *sample = sample_new();
    ChartAxis axis = sample_axis(sample, SAMPLE_ENGLISH, 40);
    ChartMatrix head = sample_matrix(sample, 40, 40, "L0H0");
    Lines lines = {.n_heads = 1, .heads = &head, .queries = axis, .keys = axis};
    ChartOptions options = {.title = "Forty", .width = 500, .height = 700, .least = 0.001};
    Figure *figure = figure_new(theme_of(THEME_DARK), sample->text);
    Error error = {0};
    assert_true(lines_draw(figure, &lines, &options, &error));
    enum { W = 500, H = 700 };
    uint32_t *kept = calloc(W * H, 4), *fresh = calloc(W * H, 4);
    CanvasPixels to_kept = {kept, W, H, W * 4}, to_fresh = {fresh, W, H, W * 4};
    Canvas *canvas = canvas_new(sample->text);
    for (int step = 0; step < 4; step++) {
        figure_focus(figure, step < 2   ? (FigurePick){-1, 3 + step, -1}
                             : step < 3 ? FIGURE_PICK_NONE
                                        : (FigurePick){0, 7, 7});
        canvas_play(canvas, figure, &(CanvasView){.scale = 1}, &to_kept);
        canvas_play(canvas, figure, &(CanvasView){.scale = 1, .once = true}, &to_fresh);
        int64_t far = 0;
        for (int i = 0; i < W * H; i++) {
            int d = abs((int)(kept[i] >> 8 & 0xff) - (int)(fresh[i] >> 8 & 0xff));
            far += d > 48; /* a focused line lies over its own faded self */
        }
        assert_true(far < W * H / 500);
    }
    canvas_free(canvas);
    free(kept);
    free(fresh);
    figure_free(figure);
    sample_free(sample);
}

/* Cells as blocks: each as it was, none larger than a pixel asked for, up to a limit. */
static void cells_become_blocks(void **unused) {
    (void)unused;
    const uint8_t cells[6] = {1, 2, 3, 4, 5, 6};
    int rows = 2, columns = 3;
    uint8_t *large = image_enlarge(cells, 30, 5, 1, &rows, &columns);
    assert_non_null(large);
    assert_true(rows == 6 && columns == 30);
    for (int r = 0; r < rows; r++)
        for (int c = 0; c < columns; c++)
            assert_int_equal(large[r * columns + c], cells[r / 3 * 3 + c / 10]);
    free(large);
    rows = 1, columns = 6; /* a strip is not made higher, and nothing without end */
    large = image_enlarge(cells, 6000, 100, 1, &rows, &columns);
    assert_true(large && rows == 1 && columns == 96);
    free(large);
    rows = 2, columns = 3;
    assert_null(image_enlarge(cells, 3, 2, 1, &rows, &columns));
    assert_true(rows == 2 && columns == 3);
}

/* "+0.5 A -> B (0.1 to 0.6)" keeps its order where A and B run from right to left. */
static void words_from_right_to_left_do_not_turn_a_line(void **state) {
    (void)state;
    Sample *sample = sample_new();
    Str latin = str("word"), hebrew = str("\xd7\xa9\xd7\x9c\xd7\x95\xd7\x9d");
    assert_true(text_isolated(sample->arena, latin).data == latin.data);
    Str word = text_isolated(sample->arena, hebrew);
    Str line = str(arena_printf(sample->arena, "+0.5 %.*s > %.*s (0.1)", (int)word.n, word.data,
                                (int)word.n, word.data));
    TextStyle style = {.size = 13};
    assert_false(text_is_rtl(line));
    PangoLayout *layout = text_layout(sample->text, line, style);
    static const char *const order[] = {"+0.5", ">", "(0.1"};
    int before = -1;
    for (int i = 0; i < 3; i++) {
        PangoRectangle at;
        pango_layout_index_to_pos(layout, (int)(strstr(line.data, order[i]) - line.data), &at);
        assert_true(at.x > before);
        before = at.x;
    }
    sample_free(sample);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cells_become_blocks),
        cmocka_unit_test(topmost_item_is_picked),
        cmocka_unit_test(image_cells_are_picked),
        cmocka_unit_test(focus_dims_the_rest),
        cmocka_unit_test(long_text_is_shortened_and_whole_in_the_title),
        cmocka_unit_test(text_is_cut_between_characters),
        cmocka_unit_test(words_from_right_to_left_do_not_turn_a_line),
        cmocka_unit_test(reducing_keeps_strong_cells),
        cmocka_unit_test(cells_land_on_their_pixels),
        cmocka_unit_test(unpainted_shapes_stay_unpainted),
        cmocka_unit_test(layers_look_like_fresh_drawing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
