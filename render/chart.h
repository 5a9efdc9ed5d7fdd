/* What all charts share: tokens on an axis, matrices of weights, the options, and the furniture of
 * the page (title, the quiet line below it, legends). A chart takes plain matrices and labels.
 *
 *     ChartToken words[] = {{.text = str("Tourists")}, {.text = str("</s>"), .special = true}};
 *     ChartMatrix head = {.weights = pattern, .name = "L2H3", .id = "cross-L2H3"};
 *     Cross cross = {.n_heads = 1, .heads = &head, .queries = {.tokens = ...}, .keys = ...};
 *     ChartOptions options = {.title = "Cross-attention, layer 2, head 3"};
 *     Figure *figure = figure_new(theme, text);
 *     if (!cross_draw(figure, &cross, &options, &error)) ...
 *
 * Picks: series = index of the matrix, query and key = its row and column, -1 where it does not
 * apply. Ids: "<matrix id>-q4-k7"; tokens "q4" and "k7". Indices always count all tokens, hidden
 * ones included; `base` changes only what is printed.
 */
#ifndef RENDER_CHART_H
#define RENDER_CHART_H

#include <stdbool.h>

#include "model/base/error.h"
#include "model/base/tensor.h"
#include "render/figure.h"

typedef struct ChartToken {
    Str text;       /* as it is to be read: "revontulia"; with --raw-tokens "▁revont" */
    bool special;   /* </s>, [CLS]: drawn softly */
    bool hidden;    /* not drawn at all, nor its row or column */
    bool absent;    /* not there yet: its place is kept, and nothing written */
    bool continues; /* goes on with the word of the token before: joined scripts keep their shape */
} ChartToken;

typedef struct ChartAxis {
    int n;
    const ChartToken *tokens; // [n]
    const char *title;        /* "query: decoder token"; NULL: "query" or "key" */
} ChartAxis;

/* One head, or a mean of heads. A cell that is not a number is absent (masked), never zero. */
typedef struct ChartMatrix {
    Tensor weights;   // [query, key]
    Tensor mask;      // [query, key], 0: absent; no data: nothing masked
    Tensor cut;       // [query, key], 1: absent by choice, left blank where a masked one is hatched
    const char *name; /* "L5H3", "mean of layer 5": legends and panel titles */
    const char *id;   /* prefix of the ids: "L5H3", "cross-L2H3"; NULL: the name */
} ChartMatrix;

typedef enum ChartScale {
    CHART_SCALE_UNIT,  /* 0..1 */
    CHART_SCALE_MAX,   /* 0..largest weight of all matrices shown */
    CHART_SCALE_ROW,   /* each row by its own maximum */
    CHART_SCALE_EACH,  /* 0..largest weight of each matrix: for comparing shapes, not strengths */
    CHART_SCALE_RANGE, /* low..high */
} ChartScale;

typedef enum ChartOrientation {
    CHART_AUTO,       /* each chart's own habit */
    CHART_HORIZONTAL, /* sentences run along lines */
    CHART_VERTICAL,   /* tokens stand in columns */
} ChartOrientation;

typedef struct ChartOptions {
    const char *title;
    const char *subtitle; /* NULL: made of axes, scale and notes */
    const char *notes; /* added to the subtitle: "4 % on </s> hidden", "words", "mean of 8 heads" */
    double width, height; /* points; 0: as the content wants. With both, the chart fills the area */
    Colormap colormap;
    ChartScale scale;
    double low, high; /* CHART_SCALE_RANGE */
    ChartOrientation orientation;
    bool transpose;
    bool number_duplicates; /* "the (2)" */
    int base;               /* 0 or 1: where printed indices start */
    bool bare;              /* no title and subtitle: the window has its own */
    double least;           /* lines under this share of the scale are not drawn; 0: 0.01 */
    FigurePick focus;       /* locked selection; all zero means none when has_focus is false */
    bool has_focus;
} ChartOptions;

/* ---- for the charts themselves ---- */

/* Where on the page the chart proper may go; the page's height may still grow. */
typedef struct ChartArea {
    double x, y, w; /* right below the heading */
    double h;       /* 0: free */
    double margin;
} ChartArea;

/* The page is made options->width wide, or natural_width (of the chart proper, without margins). */
ChartArea chart_begin(Figure *figure, const ChartOptions *options, const char *subtitle,
                      double natural_width);
/* bottom: the lowest point used. Sets the page's size and the focus, and seals the figure. */
void chart_end(Figure *figure, const ChartOptions *options, const ChartArea *area, double bottom);

/* "query: decoder token (left) · key: encoder token (right) · scale 0..1 · notes" in the arena. */
const char *chart_subtitle(Arena *arena, const ChartOptions *options, const char *queries,
                           const char *keys, const char *scale);

/* The tokens of an axis that are drawn: their texts cleaned, numbered and joined as asked. */
typedef struct ChartLabels {
    int n;
    const int *index;    // [n] which token
    const Str *text;     // [n]; empty: absent
    const Str *whole;    // [n] the same with those that are absent: the room that is kept
    const bool *special; // [n]
    bool rtl;            /* most of the text runs from right to left */
} ChartLabels;
ChartLabels chart_labels(Figure *figure, const ChartAxis *axis, const ChartOptions *options);
/* The labels from..end of them, borrowed. */
ChartLabels chart_labels_part(const ChartLabels *labels, int from, int end);
/* A long list is shared out evenly over blocks of at most so many: how many in each. */
int chart_block_size(int n, int most);
double chart_labels_width(Figure *figure, const ChartLabels *labels, TextStyle style); /* widest */

/* The scale in use, and a weight's place on it. */
typedef struct ChartRange {
    ChartScale kind;
    double low, high;
    bool diverging;
} ChartRange;
ChartRange chart_range(const ChartMatrix *matrices, int n, const ChartOptions *options);
const char *chart_range_text(Arena *arena, const ChartRange *range);
/* 0..1; NaN where the cell is absent. reference: what the scales relative to a row or a matrix are
 * relative to. */
double chart_place(const ChartRange *range, double weight, double reference);
double chart_reference(const ChartRange *range, const ChartMatrix *matrix, int query);
double chart_max(const ChartMatrix *matrix);
double chart_weight(const ChartMatrix *matrix, int query, int key); /* NaN: absent */
bool chart_is_cut(const ChartMatrix *matrix, int query, int key);
double chart_row_max(const ChartMatrix *matrix, int query);
/* A thin bar of the colour map with its ends written; returns its height. */
double chart_legend(Figure *figure, double x, double y, double width, const ChartOptions *options,
                    const ChartRange *range);
/* The matrix as bytes of a palette, rows and columns as drawn (hidden ones left out): 0 is absent
 * when *has_masked, the scale starts at 1 then. palette gets 256 colours to go with it. */
uint8_t *chart_cells(Arena *arena, const ChartMatrix *matrix, const ChartLabels *queries,
                     const ChartLabels *keys, const ChartRange *range, bool transpose,
                     bool *has_masked);
void chart_palette(Colormap map, const Theme *theme, bool has_masked, Color out[256]);
/* What the numbers of a legend are, before it; returns how much of the width that takes. */
double chart_legend_unit(Figure *figure, double x, double y, const char *unit);
/* The same for a palette of the chart's own. */
double chart_legend_palette(Figure *figure, double x, double y, double width,
                            const Color palette[256], const ChartRange *range);
/* What stands where there is nothing to draw; returns the lowest point used. */
double chart_empty(Figure *figure, double x, double y, bool all_hidden);
/* "0.70", "\u22121.25": fixed decimals, a real minus, no locale. Absurdly large numbers in short.
 */
const char *chart_decimal(double x, int decimals, char buffer[32]);
/* At most `digits` significant ones, with a real minus: for reading, where number_text() is for
 * programs. */
const char *chart_number(double x, int digits, char buffer[32]);
const char *chart_id(Arena *arena, const ChartMatrix *matrix, int query, int key);
bool chart_check(const ChartMatrix *matrices, int n, const ChartAxis *queries,
                 const ChartAxis *keys, Error *error);

#endif
