/* Ticks: enough of them to read a scale, also under a narrow box, and never one over another. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "render/axis.h"
#include "tests/render/sample.h"

static void narrow_boxes_have_ticks(void **unused) {
    (void)unused;
    static const struct {
        double low, high, width;
        int least;
    } cases[] = {{0, 99, 110, 4}, {0, 99, 150, 4}, {-99, 99, 130, 3}, {0, 511, 150, 4},
                 {0, 99, 600, 8}, {0, 3, 150, 4},  {0, 99999, 150, 2}};
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        Sample *sample = sample_new();
        Figure *figure = figure_new(theme_of(THEME_LIGHT), sample->text);
        AxisScale scale = {.low = cases[c].low,
                           .high = cases[c].high,
                           .from = 20,
                           .to = 20 + cases[c].width,
                           .whole = true};
        axis_bottom(figure, (FigureBox){20, 20, cases[c].width, 50}, &scale, NULL);
        figure_page(figure, cases[c].width + 40, 120);
        figure_seal(figure);
        int n, n_ticks = 0;
        double end = -1e9;
        const FigureItem *items = figure_items(figure, &n);
        for (int i = 0; i < n; i++) {
            if (items[i].kind != FIGURE_TEXT) continue;
            n_ticks++;
            if (items[i].box.x < end) fail_msg("case %zu: tick %d lies over another", c, n_ticks);
            end = items[i].box.x + items[i].box.w;
        }
        if (n_ticks < cases[c].least) fail_msg("case %zu: %d ticks", c, n_ticks);
        figure_free(figure);
        sample_free(sample);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(narrow_boxes_have_ticks)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
