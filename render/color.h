/* Colours as 0xRRGGBBAA, and the arithmetic that a theme needs: mixing and equal-lightness hues in
 * OKLab (Ottosson 2020), contrast as WCAG 2.1 defines it.
 *
 *     Color half = color_mix(COLOR_WHITE, accent, 0.5);
 *     if (color_contrast(text, background) < 4.5) ...
 *     Color seen = color_over(color_alpha(accent, 0.3), background);
 */
#ifndef RENDER_COLOR_H
#define RENDER_COLOR_H

#include <stdint.h>

typedef uint32_t Color;

#define COLOR_NONE ((Color)0x00000000u)
#define COLOR_BLACK ((Color)0x000000ffu)
#define COLOR_WHITE ((Color)0xffffffffu)

static inline int color_r(Color c) {
    return (int)(c >> 24);
}
static inline int color_g(Color c) {
    return (int)(c >> 16 & 0xff);
}
static inline int color_b(Color c) {
    return (int)(c >> 8 & 0xff);
}
static inline int color_a(Color c) {
    return (int)(c & 0xff);
}

/* Components 0..1, clamped. */
Color color_rgb(double r, double g, double b);
/* The same colour with this opacity, 0..1. */
Color color_alpha(Color c, double alpha);
/* t = 0: a, t = 1: b; straight in OKLab, opacity straight too. */
Color color_mix(Color a, Color b, double t);
/* What is seen of c on an opaque ground. */
Color color_over(Color c, Color ground);
/* Lightness 0..1, chroma 0..0.4, hue in degrees; chroma is lowered until sRGB can show it. */
Color color_oklch(double lightness, double chroma, double hue);
double color_lightness(Color c); /* OKLab L, 0..1 */
/* Distance in OKLab; 0.02 is just noticeable side by side. */
double color_distance(Color a, Color b);

double color_luminance(Color c);         /* WCAG relative luminance, 0..1 */
double color_contrast(Color a, Color b); /* WCAG, 1..21, both taken as opaque */

typedef enum ColorVision { VISION_PROTAN, VISION_DEUTAN, VISION_TRITAN } ColorVision;
/* How someone without that cone sees c (Viénot, Brettel, Mollon 1999; Brettel 1997 for tritan). */
Color color_simulate(Color c, ColorVision vision);

#endif
