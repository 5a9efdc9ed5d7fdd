#include "render/color.h"

#include <math.h>

static double clamp01(double x) {
    return x < 0 ? 0 : x > 1 ? 1 : x;
}

static uint32_t byte_of(double x) {
    return (uint32_t)lround(clamp01(x) * 255);
}

Color color_rgb(double r, double g, double b) {
    return byte_of(r) << 24 | byte_of(g) << 16 | byte_of(b) << 8 | 0xff;
}

Color color_alpha(Color c, double alpha) {
    return (c & 0xffffff00u) | byte_of(alpha);
}

static double to_linear(double x) {
    return x <= 0.04045 ? x / 12.92 : pow((x + 0.055) / 1.055, 2.4);
}

static double from_linear(double x) {
    return x <= 0.0031308 ? 12.92 * x : 1.055 * pow(x, 1 / 2.4) - 0.055;
}

typedef struct Lab {
    double l, a, b;
} Lab;

typedef struct Linear {
    double r, g, b;
} Linear;

static Linear linear_of(Color c) {
    return (Linear){to_linear(color_r(c) / 255.0), to_linear(color_g(c) / 255.0),
                    to_linear(color_b(c) / 255.0)};
}

static Lab lab_of(Color c) {
    Linear x = linear_of(c);
    double l = cbrt(0.4122214708 * x.r + 0.5363325363 * x.g + 0.0514459929 * x.b);
    double m = cbrt(0.2119034982 * x.r + 0.6806995451 * x.g + 0.1073969566 * x.b);
    double s = cbrt(0.0883024619 * x.r + 0.2817188376 * x.g + 0.6299787005 * x.b);
    return (Lab){0.2104542553 * l + 0.7936177850 * m - 0.0040720468 * s,
                 1.9779984951 * l - 2.4285922050 * m + 0.4505937099 * s,
                 0.0259040371 * l + 0.7827717662 * m - 0.8086757660 * s};
}

static Linear linear_of_lab(Lab x) {
    double l = x.l + 0.3963377774 * x.a + 0.2158037573 * x.b;
    double m = x.l - 0.1055613458 * x.a - 0.0638541728 * x.b;
    double s = x.l - 0.0894841775 * x.a - 1.2914855480 * x.b;
    l = l * l * l, m = m * m * m, s = s * s * s;
    return (Linear){4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s,
                    -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
                    -0.0041960863 * l - 0.7034186147 * m + 1.7076147010 * s};
}

static Color color_of_linear(Linear x) {
    return color_rgb(from_linear(clamp01(x.r)), from_linear(clamp01(x.g)),
                     from_linear(clamp01(x.b)));
}

static int shows(Linear x) {
    const double e = 1e-4;
    return x.r >= -e && x.g >= -e && x.b >= -e && x.r <= 1 + e && x.g <= 1 + e && x.b <= 1 + e;
}

Color color_mix(Color a, Color b, double t) {
    t = clamp01(t);
    Lab x = lab_of(a), y = lab_of(b);
    Lab mix = {x.l + (y.l - x.l) * t, x.a + (y.a - x.a) * t, x.b + (y.b - x.b) * t};
    double alpha = (color_a(a) + (color_a(b) - color_a(a)) * t) / 255.0;
    return color_alpha(color_of_linear(linear_of_lab(mix)), alpha);
}

Color color_over(Color c, Color ground) {
    double a = color_a(c) / 255.0;
    return color_rgb((color_r(c) * a + color_r(ground) * (1 - a)) / 255,
                     (color_g(c) * a + color_g(ground) * (1 - a)) / 255,
                     (color_b(c) * a + color_b(ground) * (1 - a)) / 255);
}

Color color_oklch(double lightness, double chroma, double hue) {
    const double pi = 3.14159265358979323846;
    double radians = hue * pi / 180;
    for (int step = 0; step < 64; step++) {
        Linear x = linear_of_lab((Lab){lightness, chroma * cos(radians), chroma * sin(radians)});
        if (shows(x)) return color_of_linear(x);
        chroma *= 0.96;
    }
    return color_of_linear(linear_of_lab((Lab){lightness, 0, 0}));
}

double color_lightness(Color c) {
    return lab_of(c).l;
}

double color_distance(Color a, Color b) {
    Lab x = lab_of(a), y = lab_of(b);
    double l = x.l - y.l, u = x.a - y.a, v = x.b - y.b;
    return sqrt(l * l + u * u + v * v);
}

double color_luminance(Color c) {
    Linear x = linear_of(c);
    return 0.2126 * x.r + 0.7152 * x.g + 0.0722 * x.b;
}

double color_contrast(Color a, Color b) {
    double x = color_luminance(a), y = color_luminance(b);
    return x > y ? (x + 0.05) / (y + 0.05) : (y + 0.05) / (x + 0.05);
}

/* Brettel, Viénot and Mollon's projections in linear sRGB, with the matrices that Machado's and
 * Viénot's models both reduce to for a display (daltonlens.org gives the derivation). */
Color color_simulate(Color c, ColorVision vision) {
    Linear x = linear_of(c);
    switch (vision) {
    case VISION_PROTAN:
        return color_of_linear((Linear){0.11238 * x.r + 0.88762 * x.g,
                                        0.11238 * x.r + 0.88762 * x.g,
                                        0.00401 * x.r - 0.00401 * x.g + x.b});
    case VISION_DEUTAN:
        return color_of_linear((Linear){0.29275 * x.r + 0.70725 * x.g,
                                        0.29275 * x.r + 0.70725 * x.g,
                                        -0.02234 * x.r + 0.02234 * x.g + x.b});
    case VISION_TRITAN:
        /* Two half planes, told apart by which side of the neutral axis the colour is on. */
        if (0.03901 * x.r - 0.02788 * x.g - 0.01113 * x.b >= 0)
            return color_of_linear((Linear){1.01277 * x.r + 0.13548 * x.g - 0.14826 * x.b,
                                            -0.01243 * x.r + 0.86812 * x.g + 0.14431 * x.b,
                                            0.07589 * x.r + 0.80500 * x.g + 0.11911 * x.b});
        return color_of_linear((Linear){0.93678 * x.r + 0.18979 * x.g - 0.12657 * x.b,
                                        0.06154 * x.r + 0.81526 * x.g + 0.12320 * x.b,
                                        -0.37562 * x.r + 1.12767 * x.g + 0.24796 * x.b});
    }
    return c;
}
