/* The program's own words and numbers, drawn with SDL2_ttf. What a user wrote goes through pango
 * (textfield.h, canvas_line): SDL2_ttf knows one font at a time and no right-to-left.
 *
 *     Labels *labels = labels_new(2.0);                     pixels a unit
 *     label_draw(labels, &paint, "layer", (LabelAt){16, 24}, (LabelStyle){.size = 13}, ink);
 *     labels_free(labels);
 *
 * Each word is shaped once and kept as a mask, so one mask serves every colour. Without any font on
 * the machine a small built-in one of ASCII is used, and labels_note() says so.
 */
#ifndef APP_WINDOW_LABEL_H
#define APP_WINDOW_LABEL_H

#include "app/window/paint.h"

typedef struct Labels Labels;

typedef enum LabelAlign { LABEL_LEFT, LABEL_CENTER, LABEL_RIGHT } LabelAlign;

typedef struct LabelStyle {
    double size;  /* units */
    int weight;   /* 400 when 0; 500, 600 */
    bool tabular; /* figures of one width, so that numbers do not dance */
    LabelAlign align;
} LabelStyle;

typedef struct LabelAt {
    double x, y; /* units; of the baseline */
} LabelAt;

Labels *labels_new(double scale);
void labels_free(Labels *labels); /* NULL is fine */
/* Another scale: masks are made anew. */
void labels_scale(Labels *labels, double scale);
/* One line when no font was found, else NULL. */
const char *labels_note(const Labels *labels);

/* Width in units. */
double label_width(Labels *labels, const char *text, LabelStyle style);
double label_draw(Labels *labels, Paint *paint, const char *text, LabelAt at, LabelStyle style,
                  Color color);
/* In the middle of a box's height, aligned by the style, shortened with an ellipsis to fit. */
double label_in(Labels *labels, Paint *paint, const char *text, Box box, LabelStyle style,
                Color color);
/* Several lines, broken at blanks; returns the height used. draw false: only measures. */
double label_wrapped(Labels *labels, Paint *paint, const char *text, Box box, LabelStyle style,
                     Color color, bool draw);

#endif
