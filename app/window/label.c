/* See label.h. A mask is the alpha of SDL2_ttf's blended white text, kept by (text, pixel size,
 * weight, tabular). */
#include "app/window/label.h"

#include <SDL.h>
#include <SDL_ttf.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "app/window/label_dots.h"
#include "model/base/utf8.h"
#include "render/font.h"

enum { MAX_FONTS = 48, N_SLOTS = 4096, MAX_MASKS = 3000, N_WEIGHTS = 3, MAX_TEXT = 512 };

typedef struct Mask {
    char *key; /* NULL: free slot */
    uint8_t *cover;
    int w, h, baseline; /* pixels; baseline: rows above it */
    int advance;
} Mask;

typedef struct Font {
    int px, weight;
    TTF_Font *ttf;
} Font;

struct Labels {
    double scale;
    FontFile faces[N_WEIGHTS]; /* 400, 500, 600 */
    Font fonts[MAX_FONTS];
    int n_fonts;
    Mask masks[N_SLOTS];
    int n_masks;
    bool ttf;
};

static const int face_weights[N_WEIGHTS] = {400, 500, 600};

static int weight_row(int weight) {
    return weight >= 600 ? 2 : weight >= 500 ? 1 : 0;
}

Labels *labels_new(double scale) {
    Labels *labels = calloc(1, sizeof *labels);
    if (!labels) abort();
    labels->scale = scale;
    labels->ttf = TTF_Init() == 0;
    for (int i = 0; i < N_WEIGHTS && labels->ttf; i++)
        font_file(face_weights[i], &labels->faces[i]);
    return labels;
}

static void forget_masks(Labels *labels) {
    for (int i = 0; i < N_SLOTS; i++) {
        free(labels->masks[i].key);
        free(labels->masks[i].cover);
        labels->masks[i] = (Mask){0};
    }
    labels->n_masks = 0;
}

static void forget_fonts(Labels *labels) {
    for (int i = 0; i < labels->n_fonts; i++)
        if (labels->fonts[i].ttf) TTF_CloseFont(labels->fonts[i].ttf);
    labels->n_fonts = 0;
}

void labels_free(Labels *labels) {
    if (!labels) return;
    forget_masks(labels);
    forget_fonts(labels);
    for (int i = 0; i < N_WEIGHTS; i++)
        font_file_free(&labels->faces[i]);
    if (labels->ttf) TTF_Quit();
    free(labels);
}

void labels_scale(Labels *labels, double scale) {
    if (scale == labels->scale) return;
    labels->scale = scale;
    forget_masks(labels);
    forget_fonts(labels);
}

static TTF_Font *font_at(Labels *labels, int px, int weight) {
    for (int i = 0; i < labels->n_fonts; i++)
        if (labels->fonts[i].px == px && labels->fonts[i].weight == weight)
            return labels->fonts[i].ttf;
    if (labels->n_fonts == MAX_FONTS) forget_fonts(labels);
    FontFile face = labels->faces[weight_row(weight)];
    TTF_Font *ttf = face.path ? TTF_OpenFontIndex(face.path, px, face.index) : NULL;
    if (ttf) {
        TTF_SetFontHinting(ttf, TTF_HINTING_LIGHT_SUBPIXEL);
        TTF_SetFontKerning(ttf, 1);
    }
    labels->fonts[labels->n_fonts++] = (Font){px, weight, ttf};
    return ttf;
}

const char *labels_note(const Labels *labels) {
    for (int i = 0; i < N_WEIGHTS; i++)
        if (labels->faces[i].path) return NULL;
    return "No font was found on this machine: install fonts-inter or fonts-dejavu-core (or any "
           "sans-serif font that fontconfig knows) and open the window again";
}

static void mask_from_dots(Mask *mask, const char *text, int px) {
    int dot = px / 9 > 0 ? px / 9 : 1;
    size_t n = strlen(text);
    mask->w = mask->advance = (int)(n * 6) * dot;
    mask->h = 8 * dot;
    mask->baseline = 7 * dot;
    mask->cover = calloc((size_t)mask->w * mask->h + 1, 1);
    if (!mask->cover) abort();
    for (int i = 0; i < (int)n; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c < ' ' || c > '~') c = (c & 0xc0) == 0x80 ? ' ' : '-';
        for (int y = 0; y < 8 * dot; y++)
            for (int x = 0; x < 5 * dot; x++)
                if (label_dots[c - ' '][x / dot] >> (y / dot) & 1)
                    mask->cover[y * mask->w + i * 6 * dot + x] = 255;
    }
}

static void mask_add(Mask *mask, const SDL_Surface *from, int x) {
    for (int row = 0; row < from->h && row < mask->h; row++) {
        const uint32_t *src = (const uint32_t *)(const void *)((const uint8_t *)from->pixels +
                                                               (size_t)row * from->pitch);
        for (int col = 0; col < from->w; col++) {
            int at = x + col;
            if (at < 0 || at >= mask->w) continue;
            uint8_t cover = (uint8_t)(src[col] >> 24), *to = &mask->cover[row * mask->w + at];
            if (cover > *to) *to = cover;
        }
    }
}

static void mask_make(Mask *mask, int w, int h, TTF_Font *ttf) {
    mask->w = w;
    mask->h = h;
    mask->baseline = TTF_FontAscent(ttf);
    mask->cover = calloc((size_t)w * h + 1, 1);
    if (!mask->cover) abort();
}

static const SDL_Color white = {255, 255, 255, 255};

static void mask_from_line(Mask *mask, const char *text, TTF_Font *ttf) {
    SDL_Surface *line = TTF_RenderUTF8_Blended(ttf, text, white);
    if (!line) return;
    mask_make(mask, line->w, line->h, ttf);
    mask_add(mask, line, 0);
    int w, h;
    mask->advance = TTF_SizeUTF8(ttf, text, &w, &h) == 0 ? w : line->w;
    SDL_FreeSurface(line);
}

/* Each digit in the middle of a cell as wide as the widest digit. */
static void mask_from_figures(Mask *mask, const char *text, TTF_Font *ttf) {
    int widest = 0, advance = 0;
    for (Uint32 c = '0'; c <= '9'; c++)
        if (TTF_GlyphMetrics32(ttf, c, NULL, NULL, NULL, NULL, &advance) == 0 && advance > widest)
            widest = advance;
    Str s = str(text);
    for (int pass = 0; pass < 2; pass++) {
        int x = 0;
        for (size_t at = 0, n = 1; at < s.n; at += n) {
            uint32_t c = utf8_decode(s, at, &n);
            if (TTF_GlyphMetrics32(ttf, c, NULL, NULL, NULL, NULL, &advance) != 0) continue;
            bool digit = c >= '0' && c <= '9';
            SDL_Surface *glyph = pass && c != ' ' ? TTF_RenderGlyph32_Blended(ttf, c, white) : NULL;
            if (glyph) mask_add(mask, glyph, x + (digit ? (widest - advance) / 2 : 0));
            SDL_FreeSurface(glyph);
            x += digit ? widest : advance;
        }
        if (pass == 0) mask_make(mask, x + 1, TTF_FontHeight(ttf), ttf);
        mask->advance = x;
    }
}

static size_t hash_of(const char *key) {
    size_t h = 1469598103934665603u;
    for (; *key; key++)
        h = (h ^ (unsigned char)*key) * 1099511628211u;
    return h;
}

static const Mask *mask_of(Labels *labels, const char *text, LabelStyle style) {
    int px = (int)lround(style.size * labels->scale);
    if (px < 5) px = 5;
    char key[MAX_TEXT + 32];
    snprintf(key, sizeof key, "%d/%d/%d/%.*s", px, weight_row(style.weight), style.tabular,
             MAX_TEXT, text);
    size_t slot = hash_of(key) % N_SLOTS;
    for (; labels->masks[slot].key; slot = (slot + 1) % N_SLOTS)
        if (strcmp(labels->masks[slot].key, key) == 0) return &labels->masks[slot];
    if (labels->n_masks >= MAX_MASKS) {
        forget_masks(labels);
        slot = hash_of(key) % N_SLOTS;
    }
    Mask *mask = &labels->masks[slot];
    labels->n_masks++;
    mask->key = strdup(key);
    if (!mask->key) abort();
    TTF_Font *ttf = font_at(labels, px, style.weight);
    if (!ttf)
        mask_from_dots(mask, text, px);
    else if (style.tabular)
        mask_from_figures(mask, text, ttf);
    else if (*text)
        mask_from_line(mask, text, ttf);
    return mask;
}

/* Names of heads and files may come in anything: a label is UTF-8 of a bounded length. */
static const char *bounded(const char *text, char buffer[MAX_TEXT]) {
    size_t n = strlen(text);
    if (n < MAX_TEXT && utf8_invalid_at((Str){text, n}) == n) return text;
    size_t out = 0;
    for (size_t at = 0, used = 1; at < n && out + 8 < MAX_TEXT; at += used)
        out += utf8_encode(utf8_decode((Str){text, n}, at, &used), buffer + out);
    buffer[out] = 0;
    return buffer;
}

double label_width(Labels *labels, const char *text, LabelStyle style) {
    char buffer[MAX_TEXT];
    return mask_of(labels, bounded(text, buffer), style)->advance / labels->scale;
}

double label_draw(Labels *labels, Paint *paint, const char *text, LabelAt at, LabelStyle style,
                  Color color) {
    char buffer[MAX_TEXT];
    const Mask *mask = mask_of(labels, bounded(text, buffer), style);
    if (!mask->cover) return 0;
    double width = mask->advance;
    double x = at.x * paint->scale;
    if (style.align == LABEL_CENTER) x -= width / 2;
    if (style.align == LABEL_RIGHT) x -= width;
    paint_mask(paint, mask->cover, mask->w, mask->h, mask->w, (int)lround(x),
               (int)lround(at.y * paint->scale) - mask->baseline, color);
    return width / paint->scale;
}

/* The longest beginning that fits with an ellipsis behind it. */
static const char *shortened(Labels *labels, const char *text, LabelStyle style, double width,
                             char out[MAX_TEXT]) {
    size_t low = 0, high = strlen(text);
    if (high > MAX_TEXT - 8) high = MAX_TEXT - 8;
    while (low < high) {
        size_t middle = (low + high + 1) / 2, cut = middle;
        while (cut > 0 && ((unsigned char)text[cut] & 0xc0) == 0x80)
            cut--;
        snprintf(out, MAX_TEXT, "%.*s…", (int)cut, text);
        if (label_width(labels, out, style) <= width)
            low = middle;
        else
            high = middle - 1;
    }
    while (low > 0 && ((unsigned char)text[low] & 0xc0) == 0x80)
        low--;
    snprintf(out, MAX_TEXT, "%.*s…", (int)low, text);
    return out;
}

double label_in(Labels *labels, Paint *paint, const char *text, Box box, LabelStyle style,
                Color color) {
    char buffer[MAX_TEXT];
    if (box.w <= 0) return 0;
    if (label_width(labels, text, style) > box.w + 0.5) {
        text = shortened(labels, text, style, box.w, buffer);
        if (label_width(labels, text, style) > box.w + 0.5) return 0;
    }
    double x = style.align == LABEL_LEFT     ? box.x
               : style.align == LABEL_CENTER ? box.x + box.w / 2
                                             : box.x + box.w;
    /* Capitals are about 0.73 of the size: their middle is the box's. */
    LabelAt at = {x, box.y + box.h / 2 + style.size * 0.365};
    return label_draw(labels, paint, text, at, style, color);
}

double label_wrapped(Labels *labels, Paint *paint, const char *text, Box box, LabelStyle style,
                     Color color, bool draw) {
    double pitch = ceil(style.size * 1.5), y = box.y;
    while (*text) {
        char line[MAX_TEXT];
        size_t n = 0, fits = 0;
        while (text[n] && text[n] != '\n' && n < MAX_TEXT - 1) {
            size_t end = n;
            while (text[end] == ' ')
                end++;
            while (text[end] && text[end] != ' ' && text[end] != '\n' && end < MAX_TEXT - 1)
                end++;
            snprintf(line, sizeof line, "%.*s", (int)end, text);
            if (fits && label_width(labels, line, style) > box.w) break;
            n = fits = end;
        }
        snprintf(line, sizeof line, "%.*s", (int)fits, text);
        if (draw) label_in(labels, paint, line, (Box){box.x, y, box.w, pitch}, style, color);
        y += pitch;
        text += fits;
        if (*text == '\n') text++;
        while (*text == ' ')
            text++;
    }
    return y - box.y;
}
