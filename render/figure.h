/* A figure: a display list in points, y downwards. Everything drawn is one of these first; canvas
 * plays it on pixels and PDF pages, svg writes it as text. It owns its strings and matrices and
 * never points outside.
 *
 *     Figure *figure = figure_new(theme, text);          text is borrowed until figure_seal()
 *     figure_page(figure, 320, 200);
 *     FigureMark mark = {.pick = {head, query, key}, .weight = 0.71, .id = "L5H3-q4-k7"};
 *     figure_rect(figure, (FigureBox){10, 10, 40, 20}, 3, (FigurePaint){.fill = theme->accent},
 * &mark); FigurePick hit = figure_pick(figure, x, y, NULL);
 *
 * Picks: every item may say what it stands for, as three numbers that only the caller understands:
 * which of the matrices it handed in (a head), which row, which column; -1 where that does not
 * apply. figure_focus() makes one pick the focus: both players then dim the rest. That changes no
 * item, so a hover costs no rebuild.
 */
#ifndef RENDER_FIGURE_H
#define RENDER_FIGURE_H

#include <stdbool.h>
#include <stdint.h>

#include "model/base/arena.h"
#include "model/base/str.h"
#include "render/color.h"
#include "render/text.h"
#include "render/theme.h"

typedef struct Figure Figure;

typedef struct FigureBox {
    double x, y, w, h;
} FigureBox;

typedef struct FigurePick {
    int series, query, key;
} FigurePick;
#define FIGURE_PICK_NONE ((FigurePick){-1, -1, -1})
static inline bool figure_pick_is_none(FigurePick p) {
    return p.series < 0 && p.query < 0 && p.key < 0;
}

/* What happens to an item while something is in focus. */
typedef enum FigureRole {
    FIGURE_DIMS,   /* fades to a quarter unless it belongs to the focus: lines, ribbons */
    FIGURE_LABEL,  /* never fades; turns accent-coloured and bold when it belongs: tokens */
    FIGURE_CELL,   /* never fades; gets an outline when it is the focus: cells, thumbnails */
    FIGURE_STATIC, /* does not take part, but can be picked */
} FigureRole;

typedef struct FigureMark {
    FigurePick pick;
    FigureRole role;
    double weight; /* written as data-weight when has_weight */
    bool has_weight;
    const char *id;    /* stable: "L5H3-q4-k7"; NULL: none. Copied, like title and desc */
    const char *title; /* what a pointer held over it shows; NULL: none */
    const char *desc;
} FigureMark;

typedef enum FigureCap { FIGURE_CAP_BUTT, FIGURE_CAP_ROUND } FigureCap;

typedef struct FigurePaint {
    Color fill;   /* COLOR_NONE: not filled */
    Color stroke; /* COLOR_NONE: not stroked */
    double width;
    FigureCap cap;
    double dash, gap; /* 0: solid */
    bool hatch;       /* filled with thin slanted lines in the colour `fill`: absent, masked */
} FigurePaint;

typedef enum FigureAnchor {
    FIGURE_START,
    FIGURE_MIDDLE,
    FIGURE_END
} FigureAnchor; /* left, centre, right */

typedef struct FigureTextStyle {
    TextStyle font;
    Color color;
    FigureAnchor anchor;
    double angle;     /* degrees, anticlockwise, about x, y */
    double max_width; /* 0: any; else shortened with an ellipsis, the whole text as its title */
} FigureTextStyle;

/* A matrix to be shown as an image: one byte a cell, nearest neighbour, palette of 256. When there
 * are more cells than pixels the players reduce it; they never skip cells. */
typedef enum FigureReduce {
    FIGURE_REDUCE_MAX,    /* the strongest cell of those under a pixel */
    FIGURE_REDUCE_MEAN,   /* their mean */
    FIGURE_REDUCE_EXTREME /* the one farthest from 128: diverging maps */
} FigureReduce;

typedef struct FigureImage {
    int rows, columns;
    const uint8_t *cells; // [row, column]; with has_masked, 0 is a masked cell: not painted
    const Color *palette; // [256]
    const uint8_t *rgba;  // [row, column, 4], instead of cells and palette: a picture
    bool has_masked;
    bool smooth; /* interpolate when larger (pictures); else sharp cells */
    FigureReduce reduce;
    FigurePick first; /* pick of cell 0,0: further cells count query and key up */
    const int *queries,
        *keys;       /* or: which query, which key each row and column is; NULL: counted */
    bool transposed; /* rows count keys, columns queries */
    bool blends;     /* the palette lets what lies below show through; figure_image() finds out */
    uint64_t hash;   /* of the contents; figure_image() fills it in */
} FigureImage;

typedef enum FigureKind {
    FIGURE_RECT,
    FIGURE_PATH,
    FIGURE_TEXT,
    FIGURE_IMAGE,
    FIGURE_CLIP_BEGIN, /* box */
    FIGURE_CLIP_END,
    FIGURE_GROUP_BEGIN, /* mark: id, title */
    FIGURE_GROUP_END,
} FigureKind;

typedef struct FigureText {
    Str s;     /* as drawn */
    Str whole; /* before shortening; the same when nothing was cut */
    FigureTextStyle style;
    double x, y; /* of the anchor, on the baseline */
    TextSize size;
} FigureText;

typedef struct FigurePath {
    const char *ops;     /* "MLLCZ": points taken 1, 1, 3, 0 */
    const float *points; // [n][2]
    int n_ops, n_points;
} FigurePath;

/* Read-only to everyone but figure.c. */
typedef struct FigureItem {
    FigureKind kind;
    FigureBox box; /* RECT, IMAGE, CLIP: the box; PATH, TEXT: what encloses it, strokes included */
    double radius;
    FigurePaint paint;
    const FigureMark *mark; /* NULL: none */
    union {
        FigurePath path;
        const FigureText *text;
        const FigureImage *image;
    };
} FigureItem;

Figure *figure_new(const Theme *theme, Text *text); /* the theme is copied */
void figure_free(Figure *figure);
void figure_seal(Figure *figure); /* the last item is in; lets go of text */

void figure_page(Figure *figure, double width, double height);
FigureBox figure_bounds(const Figure *figure); /* the page */
const Theme *figure_theme(const Figure *figure);
Text *figure_fonts(const Figure *figure); /* NULL once sealed */
Arena *figure_arena(Figure *figure);
/* What the figure as a whole is: <title> and <desc> of the SVG, the document's title in a PDF. */
void figure_describe(Figure *figure, Str title, Str description);
Str figure_title(const Figure *figure);
Str figure_description(const Figure *figure);
/* A chart that had to shorten or leave out labels says at which width all would fit; 0: all do. */
void figure_wants_width(Figure *figure, double width);
double figure_wanted_width(const Figure *figure);

void figure_rect(Figure *figure, FigureBox box, double radius, FigurePaint paint,
                 const FigureMark *mark);
void figure_line(Figure *figure, double x0, double y0, double x1, double y1, FigurePaint paint,
                 const FigureMark *mark);
/* A path is begun, drawn and ended; nothing else is added in between. */
void figure_path_move(Figure *figure, double x, double y);
void figure_path_line(Figure *figure, double x, double y);
void figure_path_curve(Figure *figure, double x1, double y1, double x2, double y2, double x,
                       double y);
void figure_path_close(Figure *figure);
void figure_path_end(Figure *figure, FigurePaint paint, const FigureMark *mark);
/* Returns the width drawn. */
double figure_text(Figure *figure, double x, double y, Str s, FigureTextStyle style,
                   const FigureMark *mark);
/* Copies cells and palette (or rgba). */
void figure_image(Figure *figure, FigureBox box, const FigureImage *image, const FigureMark *mark);
void figure_clip_begin(Figure *figure, FigureBox box);
void figure_clip_end(Figure *figure);
void figure_group_begin(Figure *figure, const char *id, const char *title);
void figure_group_end(Figure *figure);

const FigureItem *figure_items(const Figure *figure, int *n);

/* What lies under the point: the topmost item with a pick, lines with a few points of grace. mark
 * (may be NULL) gets the item's mark, NULL if none; for a cell of an image the mark is the image's,
 * and the pick the cell's. */
FigurePick figure_pick(const Figure *figure, double x, double y, const FigureMark **mark);
/* The same for keyboard steps and screen readers: where the first item of that pick lies. */
bool figure_find(const Figure *figure, FigurePick pick, FigureBox *box);

void figure_focus(Figure *figure, FigurePick pick); /* FIGURE_PICK_NONE: nothing in focus */
FigurePick figure_focused(const Figure *figure);
/* Whether an item with this pick belongs to the focus: fields that are -1 on either side agree. */
bool figure_pick_matches(FigurePick item, FigurePick focus);

/* A number made of all that is drawn: the same for the same drawing, so that pixels can be kept. */
uint64_t figure_stamp(const Figure *figure);
/* How an item takes part in the focus: both players ask here. */
typedef enum FigureState { FIGURE_PLAIN, FIGURE_FADED, FIGURE_RAISED } FigureState;
FigureState figure_state(const Figure *figure, const FigureItem *item);
/* Boxes to be outlined in the accent colour (cells, rows, columns, thumbnails); at most max. */
int figure_outlines(const Figure *figure, FigureBox *boxes, int max);

/* One line an item, coordinates to 0.1: what tests compare and a newcomer reads. */
void figure_dump(const Figure *figure, StrBuf *out);

#endif
