/* Themes and colour maps: contrasts by WCAG, hues that differ, maps that colour-blind readers can
 * read. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "render/theme.h"

static void text_is_readable(void **unused) {
    (void)unused;
    for (int i = 0; i < N_THEMES; i++) {
        const Theme *theme = theme_of((ThemeKind)i);
        assert_true(color_contrast(theme->ink, theme->paper) >= 7);
        assert_true(color_contrast(theme->soft, theme->paper) >= 4.5);
        assert_true(color_contrast(theme->ink, theme->panel) >= 7);
        assert_true(color_contrast(theme->accent, theme->paper) >= 4.5);
        assert_true(color_contrast(theme->positive, theme->paper) >= 4.5);
        assert_true(color_contrast(theme->negative, theme->paper) >= 4.5);
        assert_ptr_equal(theme_find(str(theme->name)), theme);
    }
    assert_null(theme_find(str("sepia")));
}

static void contrast_is_wcags(void **unused) {
    (void)unused;
    assert_true(fabs(color_contrast(COLOR_BLACK, COLOR_WHITE) - 21) < 1e-9);
    assert_true(fabs(color_contrast(0x767676ff, COLOR_WHITE) - 4.54) < 0.01);
}

static void text_on_any_cell_is_readable(void **unused) {
    (void)unused;
    for (int i = 0; i < N_THEMES; i++)
        for (int m = 0; m < N_COLORMAPS; m++) {
            const Theme *theme = theme_of((ThemeKind)i);
            Color map[256];
            colormap_fill((Colormap)m, theme, map);
            for (int k = 0; k < 256; k++)
                assert_true(color_contrast(theme_on(theme, map[k]), map[k]) >= 4.5);
        }
}

static void head_hues_differ(void **unused) {
    (void)unused;
    for (int i = 0; i < N_THEMES; i++) {
        const Theme *theme = theme_of((ThemeKind)i);
        for (int a = 0; a < 16; a++) {
            Color hue = theme_hue(theme, a, 16);
            assert_true(color_contrast(hue, theme->paper) >= 3);
            assert_true(fabs(color_lightness(hue) - theme->hue_lightness) < 0.01);
            for (int b = 0; b < a; b++)
                assert_true(color_distance(hue, theme_hue(theme, b, 16)) > 0.025);
            if (a > 0) assert_true(color_distance(hue, theme_hue(theme, a - 1, 16)) > 0.1);
        }
    }
}

static void lines_stand_out(void **unused) {
    (void)unused;
    for (int i = 0; i < N_THEMES; i++) {
        const Theme *theme = theme_of((ThemeKind)i);
        for (int head = 0; head < 16; head++)
            for (double weight = 0.2; weight <= 1.001; weight += 0.1) {
                Color hue = theme_hue(theme, head, 16);
                double opacity = theme_line_opacity(theme, hue, weight);
                Color seen = color_over(color_alpha(hue, opacity), theme->paper);
                assert_true(color_contrast(seen, theme->paper) >= 3);
                assert_true(theme_line_width(theme, weight) >= theme->line_thin);
            }
        assert_true(theme_line_width(theme, 0.9) > theme_line_width(theme, 0.5));
        assert_true(theme_line_width(theme, 0.01) >= theme->line_min);
    }
}

static Color seen_by(Color c, int vision) {
    return vision < 3 ? color_simulate(c, (ColorVision)vision) : c;
}

/* Lightness tells the order to everyone. */
static void sequential_maps_stay_in_order(void **unused) {
    (void)unused;
    static const Colormap MAPS[] = {COLORMAP_PAPER, COLORMAP_VIRIDIS, COLORMAP_CIVIDIS,
                                    COLORMAP_MAGMA, COLORMAP_GREY};
    for (int t = 0; t < N_THEMES; t++)
        for (int m = 0; m < 5; m++)
            for (int vision = 0; vision < 4; vision++) {
                Color map[256];
                colormap_fill(MAPS[m], theme_of((ThemeKind)t), map);
                double first = color_lightness(seen_by(map[0], vision));
                double last = color_lightness(seen_by(map[255], vision));
                double direction = last > first ? 1 : -1;
                assert_true(fabs(last - first) > 0.45);
                for (int i = 16; i < 256; i += 16) {
                    double step = color_lightness(seen_by(map[i], vision)) -
                                  color_lightness(seen_by(map[i - 16], vision));
                    assert_true(step * direction > 0);
                }
            }
}

static void diverging_ends_differ(void **unused) {
    (void)unused;
    for (int t = 0; t < N_THEMES; t++)
        for (int vision = 0; vision < 4; vision++) {
            Color map[256];
            colormap_fill(COLORMAP_DIVERGING, theme_of((ThemeKind)t), map);
            Color low = seen_by(map[0], vision), high = seen_by(map[255], vision);
            assert_true(color_distance(low, high) > 0.12);
            assert_true(color_distance(seen_by(map[64], vision), seen_by(map[192], vision)) > 0.05);
            assert_int_equal(map[128] >> 8, theme_of((ThemeKind)t)->paper >> 8);
        }
}

static void paper_is_zero(void **unused) {
    (void)unused;
    for (int t = 0; t < N_THEMES; t++) {
        Color map[256];
        colormap_fill(COLORMAP_PAPER, theme_of((ThemeKind)t), map);
        assert_int_equal(map[0], theme_of((ThemeKind)t)->paper);
    }
}

static void names_are_found(void **unused) {
    (void)unused;
    for (int m = 0; m < N_COLORMAPS; m++) {
        Colormap found;
        assert_true(colormap_find(str(colormap_name((Colormap)m)), &found));
        assert_int_equal(found, m);
    }
    Colormap found;
    assert_false(colormap_find(str("jet"), &found));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_is_readable),
        cmocka_unit_test(contrast_is_wcags),
        cmocka_unit_test(text_on_any_cell_is_readable),
        cmocka_unit_test(head_hues_differ),
        cmocka_unit_test(lines_stand_out),
        cmocka_unit_test(sequential_maps_stay_in_order),
        cmocka_unit_test(diverging_ends_differ),
        cmocka_unit_test(paper_is_zero),
        cmocka_unit_test(names_are_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
