/* Colour maps. viridis, magma (Smith, van der Walt 2015) and cividis (Nuñez, Anderton, Renslow
 * 2018) at 17 points each, between which OKLab interpolates; the rest come from the theme. */
#include <assert.h>

#include "render/theme.h"

static const char *const NAMES[] = {
    [COLORMAP_PAPER] = "paper", [COLORMAP_VIRIDIS] = "viridis", [COLORMAP_CIVIDIS] = "cividis",
    [COLORMAP_MAGMA] = "magma", [COLORMAP_GREY] = "grey",       [COLORMAP_DIVERGING] = "diverging",
};
static_assert(sizeof NAMES / sizeof *NAMES == N_COLORMAPS, "a name for each map");

enum { N_STOPS = 17 };
static const Color VIRIDIS[N_STOPS] = {0x440154ff, 0x48186aff, 0x472d7bff, 0x424086ff, 0x3b528bff,
                                       0x33638dff, 0x2c728eff, 0x26828eff, 0x21918cff, 0x1f9f88ff,
                                       0x27ad81ff, 0x3dbc74ff, 0x5cc863ff, 0x81d34dff, 0xaadc32ff,
                                       0xd5e21aff, 0xfde725ff};
static const Color CIVIDIS[N_STOPS] = {0x00224eff, 0x002e6aff, 0x1a386fff, 0x32436dff, 0x434e6cff,
                                       0x535a6dff, 0x61656fff, 0x6f7073ff, 0x7d7c78ff, 0x8b8778ff,
                                       0x9a9376ff, 0xaaa073ff, 0xbbad6dff, 0xccba64ff, 0xddc858ff,
                                       0xefd748ff, 0xfee838ff};
static const Color MAGMA[N_STOPS] = {0x000004ff, 0x0a0822ff, 0x1d1147ff, 0x36106bff, 0x51127cff,
                                     0x6a1c81ff, 0x832681ff, 0x9c2e7fff, 0xb73779ff, 0xcf4070ff,
                                     0xe55064ff, 0xf4695cff, 0xfb8761ff, 0xfea571ff, 0xfec287ff,
                                     0xfde0a1ff, 0xfcfdbfff};

const char *colormap_name(Colormap map) {
    return NAMES[map];
}

const char *colormap_names(void) {
    return "paper, viridis, cividis, magma, grey, diverging";
}

bool colormap_find(Str name, Colormap *out) {
    for (int i = 0; i < N_COLORMAPS; i++) {
        if (!str_is(name, NAMES[i])) continue;
        *out = (Colormap)i;
        return true;
    }
    return false;
}

static void fill_stops(const Color *stops, int n, Color out[256]) {
    for (int i = 0; i < 256; i++) {
        double at = i / 255.0 * (n - 1);
        int left = (int)at < n - 2 ? (int)at : n - 2;
        out[i] = color_mix(stops[left], stops[left + 1], at - left);
    }
}

/* Straight in lightness from paper to ink; the hue is fullest at the accent on the way. */
static void fill_paper(const Theme *theme, Color out[256]) {
    Color end = 0;
    switch (theme->kind) {
    case THEME_LIGHT:
        end = 0x121f5cff;
        break;
    case THEME_DARK:
        end = 0xf1f4ffff;
        break;
    case THEME_PRINT:
        end = 0x000000ff;
        break;
    case THEME_PROJECTOR:
        end = 0x050c3aff;
        break;
    }
    Color middle = theme->kind == THEME_PRINT ? 0x6e6e6eff : theme->accent;
    double a = color_lightness(theme->paper), b = color_lightness(middle), c = color_lightness(end);
    double bend = (b - a) / (c - a);
    for (int i = 0; i < 256; i++) {
        double t = i / 255.0;
        out[i] = t < bend ? color_mix(theme->paper, middle, t / bend)
                          : color_mix(middle, end, (t - bend) / (1 - bend));
    }
}

static void fill_diverging(const Theme *theme, Color out[256]) {
    for (int i = 0; i < 256; i++) {
        double t = (i - 128) / 127.0;
        out[i] = t < 0 ? color_mix(theme->paper, theme->negative, -t)
                       : color_mix(theme->paper, theme->positive, t);
    }
}

void colormap_fill(Colormap map, const Theme *theme, Color out[256]) {
    switch (map) {
    case COLORMAP_PAPER:
        fill_paper(theme, out);
        return;
    case COLORMAP_VIRIDIS:
        fill_stops(VIRIDIS, N_STOPS, out);
        return;
    case COLORMAP_CIVIDIS:
        fill_stops(CIVIDIS, N_STOPS, out);
        return;
    case COLORMAP_MAGMA:
        fill_stops(MAGMA, N_STOPS, out);
        return;
    case COLORMAP_GREY: {
        Color ends[2] = {theme->paper, theme->kind == THEME_DARK ? COLOR_WHITE : COLOR_BLACK};
        fill_stops(ends, 2, out);
        return;
    }
    case COLORMAP_DIVERGING:
        fill_diverging(theme, out);
        return;
    }
}
