/* What decides a colour, a type size or a line width; nothing else does.
 *
 *     const Theme *theme = theme_find(str("dark"));        NULL: no such theme, see theme_names()
 *     Color third = theme_hue(theme, 3, n_heads);
 *     Color map[256];
 *     colormap_fill(COLORMAP_PAPER, theme, map);           map[0] is zero: the paper itself
 *
 * Sizes are in points of the figure (one unit on a screen at 100 %).
 */
#ifndef RENDER_THEME_H
#define RENDER_THEME_H

#include <stdbool.h>

#include "model/base/str.h"
#include "render/color.h"

typedef enum ThemeKind { THEME_LIGHT, THEME_DARK, THEME_PRINT, THEME_PROJECTOR } ThemeKind;
enum { N_THEMES = 4 };

typedef struct Theme {
    ThemeKind kind;
    const char *name;
    Color background; /* of the page; COLOR_NONE: none is painted, and the paper is white */
    Color paper;      /* the opaque ground to reckon contrast against */
    Color panel, line, ink, soft, faint, accent, accent_soft;
    Color positive,
        negative; /* ends of diverging scales: up and down, excitation and its opposite */
    double type_small, type_body, type_large, type_title, type_display; /* 11 13 15 17 22 at 1.0 */
    double type_token_min;                                              /* no token under this */
    double line_thin;                                                   /* frames, ticks */
    double line_min;                  /* no drawn weight is thinner */
    double line_max;                  /* a weight of 1 */
    bool outlines;                    /* fills become outlines (projector) */
    double hue_lightness, hue_chroma; /* of the head colours */
} Theme;

const Theme *theme_of(ThemeKind kind);
const Theme *theme_find(Str name);
const char *theme_names(void); /* "light, dark, print, projector" */
/* The same with smaller type where a page so wide would hold only a few words a line: a narrow
 * picture is enlarged when it is shown. Never under what can be read; width 0: the theme itself. */
Theme theme_narrowed(const Theme *theme, double width_pt);

/* One of n colours of equal lightness, neighbours far apart; n <= 16 gives 16 hues, more makes
 * more. Each has a contrast of 3 at least against the paper. */
Color theme_hue(const Theme *theme, int index, int n);
/* How a weight (0..1 of the scale) is drawn as a line of one hue: width first, opacity second. From
 * 0.2 on the line stands out from the paper by 3:1. */
double theme_line_width(const Theme *theme, double weight);
double theme_line_opacity(const Theme *theme, Color hue, double weight);
/* The lines of hatching that mean "absent". */
Color theme_hatch(const Theme *theme);
/* Ink or paper, whichever is read better on the ground. */
Color theme_on(const Theme *theme, Color ground);

typedef enum Colormap {
    COLORMAP_PAPER, /* from the paper to ink in the accent's hue */
    COLORMAP_VIRIDIS,
    COLORMAP_CIVIDIS,
    COLORMAP_MAGMA,
    COLORMAP_GREY,
    COLORMAP_DIVERGING, /* negative, paper, positive: 128 is zero */
} Colormap;
enum { N_COLORMAPS = 6 };

const char *colormap_name(Colormap map);
const char *colormap_names(void);
bool colormap_find(Str name, Colormap *out);
/* 256 opaque colours from the low end of the scale to the high. */
void colormap_fill(Colormap map, const Theme *theme, Color out[256]);

#endif
