/* Where the caret stands in a line of text, and which byte lies under a pointer: any script, both
 * directions. Offsets are bytes of the line, x is from its left end in the style's units.
 *
 *     double x = text_caret_x(text, line, style, 12);
 *     size_t at = text_caret_at(text, line, style, 80.5);
 *     int n = text_ranges(text, line, style, 4, 9, ranges, 8);     a selection may be in pieces
 */
#ifndef RENDER_TEXT_CARET_H
#define RENDER_TEXT_CARET_H

#include "render/text.h"

double text_caret_x(Text *text, Str line, TextStyle style, size_t byte);
size_t text_caret_at(Text *text, Str line, TextStyle style, double x);
/* One step on the screen to the left or right; SIZE_MAX: out of the line on the left, line.n + 1:
 * on the right. */
size_t text_caret_step(Text *text, Str line, TextStyle style, size_t byte, int direction);

typedef struct TextRange {
    double x0, x1;
} TextRange;
int text_ranges(Text *text, Str line, TextStyle style, size_t begin, size_t end, TextRange *out,
                int max);

#endif
