/* Measuring, shortening and wrapping text of any script, by pango. Fonts: the family asked for,
 * then Inter, DejaVu Sans, Noto; whatever is missing there comes from the system's fallback.
 *
 *     Text *text = text_new(NULL);                              one per thread
 *     TextStyle style = {.size = 13, .weight = 500};
 *     TextSize size = text_measure(text, str("revontulia"), style);
 *     Str shown = text_shorten(text, arena, label, style, 80);  "Donaudampf…"
 *     text_free(text);
 *
 * Metrics are unhinted: a line is as wide on paper as on a screen. Bytes that are not UTF-8 are
 * shown as U+FFFD, control characters as pictures of themselves.
 */
#ifndef RENDER_TEXT_H
#define RENDER_TEXT_H

#include <stdbool.h>

#include "model/base/arena.h"
#include "model/base/str.h"

typedef struct Text Text;

typedef struct TextStyle {
    double size; /* points */
    int weight;  /* 400 when 0; 500, 600, 700 */
    bool italic, mono;
    bool tabular; /* figures of equal width */
} TextStyle;

typedef struct TextSize {
    double width;           /* advance */
    double ascent, descent; /* of the line, both positive */
    /* what is inked, relative to the start of the baseline; y downwards */
    double ink_x0, ink_y0, ink_x1, ink_y1;
    bool rtl; /* the text runs from right to left */
} TextSize;

/* family NULL: the default. */
Text *text_new(const char *family);
void text_free(Text *text);
/* "Inter, DejaVu Sans, Noto Sans, sans-serif", with the asked-for family first. */
const char *text_families(const Text *text, bool mono);
/* Whether a family of that name is installed. */
bool text_has_family(Text *text, const char *family);
/* The first text measured so far with letters that no font of this machine has (they show as
 * boxes); NULL: none. */
const char *text_unknown(const Text *text);

TextSize text_measure(Text *text, Str s, TextStyle style);
double text_width(Text *text, Str s, TextStyle style);
/* s, or as much of it as fits with an ellipsis behind; cut between what a reader calls characters.
 */
Str text_shorten(Text *text, Arena *arena, Str s, TextStyle style, double max_width);
/* Breaks running text into lines no wider than max_width; lines are slices of s, blanks at their
 * ends dropped. Returns how many. A word wider than the line is cut. */
int text_wrap(Text *text, Arena *arena, Str s, TextStyle style, double max_width, Str **lines);
/* Direction of the first strong character; false when there is none. */
bool text_is_rtl(Str s);
/* Han, kana, Hangul, emoji: letters that are not laid on their side where they fit as they are. */
bool text_stands(Str s);
/* Pictures among its letters, which want a font of their own before others draw them in outline. */
bool text_has_emoji(Str s);
/* s for the middle of a line that runs from left to right and has numbers around it: as it is, or
 * with marks around it that keep a text from right to left from turning its neighbours. */
Str text_isolated(Arena *arena, Str s);
/* s without control characters and broken bytes; s itself when it is clean. */
Str text_clean(Arena *arena, Str s);

/* Outlines of a line of text whose baseline starts at x, y. op: 'M' 'L' 'C' 'Z'. */
typedef void TextPathSink(void *user, char op, const double *xy);
void text_path(Text *text, Str s, TextStyle style, double x, double y, TextPathSink *sink,
               void *user);

/* The shaped line, for render/canvas: borrowed until the next call. */
struct _PangoLayout;
struct _PangoLayout *text_layout(Text *text, Str s, TextStyle style);

#endif
