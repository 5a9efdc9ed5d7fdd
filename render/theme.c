#include "render/theme.h"

#include <assert.h>
#include <math.h>

/* On a screen at arm's length, light or dark. */
#define SCREEN_SIZES                                                                               \
    .type_small = 11, .type_body = 13, .type_large = 15, .type_title = 17, .type_display = 22,     \
    .type_token_min = 9, .line_thin = 1, .line_min = 0.6, .line_max = 8

static const Theme THEMES[] = {
    [THEME_LIGHT] = {.kind = THEME_LIGHT,
                     .name = "light",
                     .background = 0xfbfaf8ff,
                     .paper = 0xfbfaf8ff,
                     .panel = 0xffffffff,
                     .line = 0xe6e3ddff,
                     .ink = 0x22252aff,
                     .soft = 0x6f747cff,
                     .faint = 0xa6aab0ff,
                     .accent = 0x3457d5ff,
                     .accent_soft = 0xe8edfcff,
                     .positive = 0x2a4fc9ff,
                     .negative = 0xb8480fff,
                     SCREEN_SIZES,
                     .hue_lightness = 0.56,
                     .hue_chroma = 0.15},
    [THEME_DARK] = {.kind = THEME_DARK,
                    .name = "dark",
                    .background = 0x15171bff,
                    .paper = 0x15171bff,
                    .panel = 0x1c1f24ff,
                    .line = 0x2c3037ff,
                    .ink = 0xe9eaecff,
                    .soft = 0x9aa0a9ff,
                    .faint = 0x646a73ff,
                    .accent = 0x7c9bffff,
                    .accent_soft = 0x25304fff,
                    .positive = 0x86a4ffff,
                    .negative = 0xff9a5aff,
                    SCREEN_SIZES,
                    .hue_lightness = 0.74,
                    .hue_chroma = 0.14},
    [THEME_PRINT] = {.kind = THEME_PRINT,
                     .name = "print",
                     .background = COLOR_NONE,
                     .paper = 0xffffffff,
                     .panel = 0xffffffff,
                     .line = 0xc4c4c4ff,
                     .ink = 0x000000ff,
                     .soft = 0x4a4a4aff,
                     .faint = 0x767676ff,
                     .accent = 0x000000ff,
                     .accent_soft = 0xe4e4e4ff,
                     .positive = 0x1f3fa8ff,
                     .negative = 0xa8400cff,
                     .type_small = 7,
                     .type_body = 8,
                     .type_large = 9,
                     .type_title = 10,
                     .type_display = 13,
                     .type_token_min = 6,
                     .line_thin = 0.5,
                     .line_min = 0.5,
                     .line_max = 5,
                     .hue_lightness = 0.5,
                     .hue_chroma = 0.15},
    [THEME_PROJECTOR] = {.kind = THEME_PROJECTOR,
                         .name = "projector",
                         .background = 0xffffffff,
                         .paper = 0xffffffff,
                         .panel = 0xffffffff,
                         .line = 0x8a8a8aff,
                         .ink = 0x000000ff,
                         .soft = 0x2b2b2bff,
                         .faint = 0x4a4a4aff,
                         .accent = 0x1a38b5ff,
                         .accent_soft = 0xdbe3ffff,
                         .positive = 0x1a38b5ff,
                         .negative = 0xa33a00ff,
                         .type_small = 16.5,
                         .type_body = 19.5,
                         .type_large = 22.5,
                         .type_title = 25.5,
                         .type_display = 33,
                         .type_token_min = 13.5,
                         .line_thin = 2,
                         .line_min = 2,
                         .line_max = 12,
                         .outlines = true,
                         .hue_lightness = 0.5,
                         .hue_chroma = 0.16},
};
static_assert(sizeof THEMES / sizeof *THEMES == N_THEMES, "a row for each theme");

const Theme *theme_of(ThemeKind kind) {
    return &THEMES[kind];
}

const Theme *theme_find(Str name) {
    for (int i = 0; i < N_THEMES; i++)
        if (str_is(name, THEMES[i].name)) return &THEMES[i];
    return NULL;
}

const char *theme_names(void) {
    return "light, dark, print, projector";
}

Theme theme_narrowed(const Theme *theme, double width_pt) {
    enum { LEAST_EMS = 18 }; /* of body text in a line */
    Theme out = *theme;
    if (width_pt <= 0 || width_pt >= LEAST_EMS * theme->type_body) return out;
    double factor = width_pt / (LEAST_EMS * theme->type_body);
    double least = fmin(theme->type_token_min, theme_of(THEME_LIGHT)->type_token_min);
    double *sizes[] = {&out.type_small, &out.type_body,    &out.type_large,
                       &out.type_title, &out.type_display, &out.type_token_min};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        *sizes[i] = fmax(*sizes[i] * factor, least);
    return out;
}

Color theme_hue(const Theme *theme, int index, int n) {
    if (n <= 1) return theme->accent;
    int n_hues = n <= 16 ? 16 : n;
    /* Steps of about the golden section keep neighbours far apart; the step must not share a factor
     * with the count, or some hues would come twice and others never. */
    int step = (int)(n_hues * 0.618);
    for (;; step++) {
        int a = n_hues, b = step;
        while (b) {
            int rest = a % b;
            a = b, b = rest;
        }
        if (a == 1) break;
    }
    int turn = (int)(index * (long long)step % n_hues);
    double hue = 265 + 360.0 * turn / n_hues;
    return color_oklch(theme->hue_lightness, theme->hue_chroma, fmod(hue, 360));
}

double theme_line_width(const Theme *theme, double weight) {
    weight = weight < 0 ? 0 : weight > 1 ? 1 : weight;
    double width = weight * theme->line_max;
    /* From 0.2 on a line is thick enough for its colour to be seen, not just its anti-aliasing. */
    if (weight >= 0.2 && width < 1.2 * theme->line_thin) width = 1.2 * theme->line_thin;
    return width > theme->line_min ? width : theme->line_min;
}

double theme_line_opacity(const Theme *theme, Color hue, double weight) {
    weight = weight < 0 ? 0 : weight > 1 ? 1 : weight;
    if (theme->outlines) return weight >= 0.2 ? 1 : 0.25 + 0.75 * weight / 0.2;
    double low = 0, high = 1;
    for (int i = 0; i < 12; i++) {
        double middle = (low + high) / 2;
        Color seen = color_over(color_alpha(hue, middle), theme->paper);
        if (color_contrast(seen, theme->paper) < 3.1)
            low = middle;
        else
            high = middle;
    }
    if (weight >= 0.2) return high + (0.95 - high) * (weight - 0.2) / 0.8;
    return 0.10 + (high - 0.10) * weight / 0.2;
}

Color theme_hatch(const Theme *theme) {
    return color_mix(theme->paper, theme->soft, theme->kind == THEME_DARK ? 0.34 : 0.27);
}

Color theme_on(const Theme *theme, Color ground) {
    Color other = theme->kind == THEME_DARK ? theme->paper : COLOR_WHITE;
    Color best =
        color_contrast(theme->ink, ground) >= color_contrast(other, ground) ? theme->ink : other;
    if (color_contrast(best, ground) >= 4.5) return best;
    /* One of the two always has 4.58. */
    return color_contrast(COLOR_BLACK, ground) >= color_contrast(COLOR_WHITE, ground) ? COLOR_BLACK
                                                                                      : COLOR_WHITE;
}
