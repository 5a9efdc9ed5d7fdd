/* See text_caret.h: pango's cursor positions in the layout that text_layout() shapes. */
#include "render/text_caret.h"

#include <pango/pango.h>
#include <stdint.h>

double text_caret_x(Text *text, Str line, TextStyle style, size_t byte) {
    PangoLayout *layout = text_layout(text, line, style);
    PangoRectangle strong;
    pango_layout_get_cursor_pos(layout, (int)byte, &strong, NULL);
    return (double)strong.x / PANGO_SCALE;
}

size_t text_caret_at(Text *text, Str line, TextStyle style, double x) {
    PangoLayout *layout = text_layout(text, line, style);
    int index = 0, trailing = 0;
    pango_layout_xy_to_index(layout, (int)(x * PANGO_SCALE), 0, &index, &trailing);
    const char *s = pango_layout_get_text(layout);
    const char *at = s + index;
    while (trailing-- > 0 && *at)
        at = g_utf8_next_char(at);
    size_t byte = (size_t)(at - s);
    return byte < line.n ? byte : line.n;
}

size_t text_caret_step(Text *text, Str line, TextStyle style, size_t byte, int direction) {
    PangoLayout *layout = text_layout(text, line, style);
    int index = 0, trailing = 0;
    pango_layout_move_cursor_visually(layout, TRUE, (int)byte, 0, direction, &index, &trailing);
    if (index < 0) return SIZE_MAX;
    if (index == G_MAXINT) return line.n + 1;
    const char *s = pango_layout_get_text(layout);
    const char *at = s + index;
    while (trailing-- > 0 && *at)
        at = g_utf8_next_char(at);
    return (size_t)(at - s);
}

int text_ranges(Text *text, Str line, TextStyle style, size_t begin, size_t end, TextRange *out,
                int max) {
    PangoLayout *layout = text_layout(text, line, style);
    PangoLayoutLine *first = pango_layout_get_line_readonly(layout, 0);
    if (!first || begin >= end) return 0;
    int *x = NULL, n = 0;
    pango_layout_line_get_x_ranges(first, (int)begin, (int)end, &x, &n);
    if (n > max) n = max;
    for (int i = 0; i < n; i++)
        out[i] = (TextRange){(double)x[2 * i] / PANGO_SCALE, (double)x[2 * i + 1] / PANGO_SCALE};
    g_free(x);
    return n;
}
