/* Labels above a heatmap: Chinese, Japanese, Korean and pictures stand upright where they fit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "render/heatmap.h"
#include "tests/render/sample.h"

static void letters_that_stand(void **unused) {
    (void)unused;
    static const char *const upright[] = {"猫", "。", "ひらがな", "한", "😀", "👨‍👩‍👧"};
    static const char *const turned[] = {"", "a", ".", "Ä", "猫s", "[SEP]", "שלום"};
    for (int i = 0; i < 6; i++)
        assert_true(text_stands(str(upright[i])));
    for (int i = 0; i < 7; i++)
        assert_false(text_stands(str(turned[i])));
}

static double angle_of(const Figure *figure, const char *id) {
    int n;
    const FigureItem *items = figure_items(figure, &n);
    for (int i = 0; i < n; i++)
        if (items[i].kind == FIGURE_TEXT && items[i].mark && items[i].mark->id &&
            strcmp(items[i].mark->id, id) == 0)
            return items[i].text->style.angle;
    fail_msg("no label %s", id);
    return 0;
}

static void only_what_must_be_is_turned(void **unused) {
    (void)unused;
    Sample *sample = sample_new();
    ChartToken tokens[] = {{.text = str("我")},
                           {.text = str("猫")},
                           {.text = str("[SEPARATOR]"), .special = true},
                           {.text = str("一个很长很长的词")}};
    ChartMatrix m = sample_matrix(sample, 4, 4, "L0H0");
    Heatmap heatmap = {.n_panels = 1,
                       .panels = &m,
                       .queries = {.n = 4, .tokens = tokens},
                       .keys = {.n = 4, .tokens = tokens}};
    Figure *figure = figure_new(theme_of(THEME_LIGHT), sample->text);
    Error error = {0};
    assert_true(heatmap_draw(figure, &heatmap, &(ChartOptions){.title = "Labels"}, &error));
    assert_true(angle_of(figure, "k0") == 0 && angle_of(figure, "k1") == 0);
    assert_true(angle_of(figure, "k2") == 90 && angle_of(figure, "k3") == 90);
    figure_free(figure);
    sample_free(sample);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(letters_that_stand),
        cmocka_unit_test(only_what_must_be_is_turned),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
