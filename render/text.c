/* Shaping by pango, with a cache of shaped lines: measuring and drawing ask for the same line many
 * times, and a window that redraws asks for all of them in every frame. */
#include "render/text.h"

#include <math.h>
#include <pango/pangocairo.h>
#include <utf8proc.h>

#include "model/base/utf8.h"

enum { MAX_LINES = 8192 };

struct Text {
    PangoFontMap *fonts;
    PangoContext *context;
    GHashTable *lines; /* LineKey -> Line */
    char *families, *mono_families;
    char *unknown;          /* the first text with letters that no font has; NULL: none */
    cairo_surface_t *paper; /* a cairo context to trace outlines on */
    cairo_t *cr;
};

typedef struct LineKey {
    Str s;
    TextStyle style;
} LineKey;

typedef struct Line {
    LineKey key; /* s.data is this struct's */
    PangoLayout *layout;
    TextSize size;
} Line;

static guint key_hash(gconstpointer p) {
    const LineKey *key = p;
    uint64_t h = 1469598103934665603u;
    for (size_t i = 0; i < key->s.n; i++)
        h = (h ^ (unsigned char)key->s.data[i]) * 1099511628211u;
    h ^= (uint64_t)lround(key->style.size * 64) << 20 ^ (uint64_t)key->style.weight << 8;
    h ^= (uint64_t)(key->style.italic * 4 + key->style.mono * 2 + key->style.tabular);
    return (guint)(h ^ h >> 29);
}

static gboolean key_equal(gconstpointer p, gconstpointer q) {
    const LineKey *a = p, *b = q;
    return str_eq(a->s, b->s) && a->style.size == b->style.size &&
           a->style.weight == b->style.weight && a->style.italic == b->style.italic &&
           a->style.mono == b->style.mono && a->style.tabular == b->style.tabular;
}

static void line_free(gpointer p) {
    Line *line = p;
    g_object_unref(line->layout);
    g_free((char *)line->key.s.data);
    g_free(line);
}

Text *text_new(const char *family) {
    Text *text = g_new0(Text, 1);
    const char *ask = family && *family ? family : "Inter";
    text->families = g_strdup_printf("%s, Inter, DejaVu Sans, Noto Sans, sans-serif", ask);
    if (!strcmp(ask, "Inter")) {
        g_free(text->families);
        text->families = g_strdup("Inter, DejaVu Sans, Noto Sans, sans-serif");
    }
    text->mono_families = g_strdup("DejaVu Sans Mono, Noto Sans Mono, monospace");
    text->fonts = pango_cairo_font_map_new();
    pango_cairo_font_map_set_resolution(PANGO_CAIRO_FONT_MAP(text->fonts), 72);
    text->context = pango_font_map_create_context(text->fonts);
    pango_context_set_round_glyph_positions(text->context, FALSE);
    /* The user's locale must not choose other glyphs. */
    pango_context_set_language(text->context, pango_language_from_string("en"));
    cairo_font_options_t *options = cairo_font_options_create();
    cairo_font_options_set_hint_metrics(options, CAIRO_HINT_METRICS_OFF);
    cairo_font_options_set_hint_style(options, CAIRO_HINT_STYLE_NONE);
    cairo_font_options_set_antialias(options, CAIRO_ANTIALIAS_GRAY);
    pango_cairo_context_set_font_options(text->context, options);
    cairo_font_options_destroy(options);
    text->lines = g_hash_table_new_full(key_hash, key_equal, NULL, line_free);
    text->paper = cairo_image_surface_create(CAIRO_FORMAT_A8, 1, 1);
    text->cr = cairo_create(text->paper);
    return text;
}

void text_free(Text *text) {
    if (!text) return;
    g_hash_table_destroy(text->lines);
    g_object_unref(text->context);
    g_object_unref(text->fonts);
    cairo_destroy(text->cr);
    cairo_surface_destroy(text->paper);
    g_free(text->families);
    g_free(text->mono_families);
    g_free(text->unknown);
    g_free(text);
}

const char *text_families(const Text *text, bool mono) {
    return mono ? text->mono_families : text->families;
}

const char *text_unknown(const Text *text) {
    return text->unknown;
}

bool text_has_family(Text *text, const char *family) {
    PangoFontFamily **families;
    int n;
    pango_font_map_list_families(text->fonts, &families, &n);
    bool found = false;
    for (int i = 0; i < n && !found; i++)
        found = !g_ascii_strcasecmp(pango_font_family_get_name(families[i]), family);
    g_free(families);
    return found;
}

/* ---- lines ---- */

static PangoFontDescription *describe(const Text *text, TextStyle style) {
    PangoFontDescription *font = pango_font_description_new();
    pango_font_description_set_family_static(font, text_families(text, style.mono));
    pango_font_description_set_absolute_size(font, style.size * PANGO_SCALE);
    pango_font_description_set_weight(font, (PangoWeight)(style.weight ? style.weight : 400));
    if (style.italic) pango_font_description_set_style(font, PANGO_STYLE_ITALIC);
    return font;
}

static Line *line_new(Text *text, Str s, TextStyle style) {
    Line *line = g_new0(Line, 1);
    char *copy = g_malloc(s.n + 1);
    if (s.n) memcpy(copy, s.data, s.n);
    copy[s.n] = '\0';
    line->key = (LineKey){{copy, s.n}, style};
    line->layout = pango_layout_new(text->context);
    pango_layout_set_single_paragraph_mode(line->layout, TRUE);
    PangoFontDescription *font = describe(text, style);
    pango_layout_set_font_description(line->layout, font);
    pango_font_description_free(font);
    if (style.tabular) {
        PangoAttrList *attributes = pango_attr_list_new();
        pango_attr_list_insert(attributes, pango_attr_font_features_new("tnum"));
        pango_layout_set_attributes(line->layout, attributes);
        pango_attr_list_unref(attributes);
    }
    pango_layout_set_text(line->layout, copy, (int)s.n);
    PangoRectangle ink, logical;
    pango_layout_get_extents(line->layout, &ink, &logical);
    double baseline = pango_layout_get_baseline(line->layout);
    if (!text->unknown && pango_layout_get_unknown_glyphs_count(line->layout) > 0)
        text->unknown = g_strdup(copy);
    const double u = PANGO_SCALE;
    line->size = (TextSize){.width = logical.width / u,
                            .ascent = (baseline - logical.y) / u,
                            .descent = (logical.y + logical.height - baseline) / u,
                            .ink_x0 = ink.x / u,
                            .ink_y0 = (ink.y - baseline) / u,
                            .ink_x1 = (ink.x + ink.width) / u,
                            .ink_y1 = (ink.y + ink.height - baseline) / u,
                            .rtl = text_is_rtl(s)};
    return line;
}

static Line *line_of(Text *text, Str s, TextStyle style) {
    LineKey key = {s, style};
    Line *line = g_hash_table_lookup(text->lines, &key);
    if (line) return line;
    if (g_hash_table_size(text->lines) >= MAX_LINES) g_hash_table_remove_all(text->lines);
    line = line_new(text, s, style);
    g_hash_table_insert(text->lines, &line->key, line);
    return line;
}

PangoLayout *text_layout(Text *text, Str s, TextStyle style) {
    return line_of(text, s, style)->layout;
}

TextSize text_measure(Text *text, Str s, TextStyle style) {
    return line_of(text, s, style)->size;
}

double text_width(Text *text, Str s, TextStyle style) {
    return line_of(text, s, style)->size.width;
}

/* ---- cutting ---- */

/* Byte offsets at which a reader would let the text be cut, the ends included; returns how many. */
static int cuts_of(Text *text, Str s, Arena *arena, size_t **out) {
    PangoLayout *layout = pango_layout_new(text->context);
    pango_layout_set_single_paragraph_mode(layout, TRUE);
    pango_layout_set_text(layout, s.data, (int)s.n);
    int n_attributes;
    const PangoLogAttr *attributes = pango_layout_get_log_attrs_readonly(layout, &n_attributes);
    size_t *cuts = arena_alloc(arena, (size_t)(n_attributes + 1) * sizeof *cuts);
    int n = 0;
    size_t at = 0;
    for (int i = 0; i < n_attributes; i++) {
        if (attributes[i].is_cursor_position) cuts[n++] = at;
        if (at >= s.n) break;
        size_t n_bytes;
        utf8_decode(s, at, &n_bytes);
        at += n_bytes;
    }
    g_object_unref(layout);
    *out = cuts;
    return n;
}

static Str with_ellipsis(Arena *arena, Str s) {
    while (s.n && s.data[s.n - 1] == ' ')
        s.n--;
    char *out = arena_alloc(arena, s.n + 4);
    memcpy(out, s.data, s.n);
    memcpy(out + s.n, "\xe2\x80\xa6", 4);
    return (Str){out, s.n + 3};
}

/* A layout of its own: half the tries would push useful lines out of the cache. */
static double width_once(Text *text, Str s, TextStyle style) {
    Line *line = line_new(text, s, style);
    double width = line->size.width;
    line_free(line);
    return width;
}

Str text_shorten(Text *text, Arena *arena, Str s, TextStyle style, double max_width) {
    if (text_width(text, s, style) <= max_width) return s;
    /* No reader wants more of it, and a token of a megabyte must not be shaped twenty times. */
    Str head = s.n > 2048 ? str_sub(s, 0, 2048) : s;
    size_t bad = utf8_invalid_at(head);
    if (head.n < s.n && bad < head.n) head.n = bad;
    size_t *cuts;
    int n = cuts_of(text, head, arena, &cuts);
    int low = 0, high = n; /* cuts[low] fits or is 0 */
    while (high - low > 1) {
        int middle = (low + high) / 2;
        Str tried = with_ellipsis(arena, str_sub(head, 0, cuts[middle]));
        if (width_once(text, tried, style) <= max_width)
            low = middle;
        else
            high = middle;
    }
    return with_ellipsis(arena, str_sub(head, 0, n ? cuts[low] : 0));
}

int text_wrap(Text *text, Arena *arena, Str s, TextStyle style, double max_width, Str **lines) {
    PangoLayout *layout = pango_layout_new(text->context);
    PangoFontDescription *font = describe(text, style);
    pango_layout_set_font_description(layout, font);
    pango_font_description_free(font);
    pango_layout_set_text(layout, s.data, (int)s.n);
    pango_layout_set_width(layout, (int)fmin(max_width * PANGO_SCALE, 1e9));
    pango_layout_set_wrap(layout, PANGO_WRAP_WORD_CHAR);
    int n = pango_layout_get_line_count(layout);
    *lines = arena_alloc(arena, (size_t)n * sizeof **lines);
    for (int i = 0; i < n; i++) {
        PangoLayoutLine *line = pango_layout_get_line_readonly(layout, i);
        size_t begin = (size_t)line->start_index, end = begin + (size_t)line->length;
        while (end > begin && s.data[end - 1] == ' ')
            end--;
        (*lines)[i] = str_sub(s, begin, end);
    }
    g_object_unref(layout);
    return n;
}

bool text_is_rtl(Str s) {
    for (size_t at = 0; at < s.n;) {
        size_t n_bytes;
        uint32_t c = utf8_decode(s, at, &n_bytes);
        at += n_bytes;
        int bidi = utf8proc_get_property((utf8proc_int32_t)c)->bidi_class;
        if (bidi == UTF8PROC_BIDI_CLASS_L) return false;
        if (bidi == UTF8PROC_BIDI_CLASS_R || bidi == UTF8PROC_BIDI_CLASS_AL) return true;
    }
    return false;
}

bool text_has_emoji(Str s) {
    size_t n;
    for (size_t at = 0; at < s.n; at += n) {
        uint32_t c = utf8_decode(s, at, &n);
        if ((c >= 0x1f000 && c < 0x20000) || c == 0xfe0f) return true;
    }
    return false;
}

bool text_stands(Str s) {
    size_t n;
    for (size_t at = 0; at < s.n; at += n) {
        uint32_t c = utf8_decode(s, at, &n);
        bool joins = c == 0x200d || (c >= 0xfe00 && c <= 0xfe0f); /* one picture of several */
        if (c < 0x2e80 && !joins) return false;
    }
    return s.n > 0;
}

Str text_isolated(Arena *arena, Str s) {
    /* Left-to-right mark, first strong isolate ... pop (Unicode Standard Annex 9). */
    if (!text_is_rtl(s)) return s;
    return str(arena_printf(arena, "\u200e\u2068%.*s\u2069", (int)s.n, s.data));
}

Str text_clean(Arena *arena, Str s) {
    bool clean = utf8_invalid_at(s) == s.n;
    for (size_t i = 0; i < s.n && clean; i++)
        clean = (unsigned char)s.data[i] >= 0x20 && s.data[i] != 0x7f;
    if (clean) return s;
    char *out = arena_alloc(arena, 3 * s.n + 1);
    size_t n = 0;
    for (size_t at = 0; at < s.n;) {
        size_t n_bytes;
        uint32_t c = utf8_decode(s, at, &n_bytes);
        at += n_bytes;
        if (c == '\n') c = 0x21b5;
        if (c == '\t') c = 0x21e5;
        if (c < 0x20) c += 0x2400; /* the block of control pictures */
        if (c == 0x7f) c = 0x2421;
        n += utf8_encode(c, out + n);
    }
    out[n] = '\0';
    return (Str){out, n};
}

void text_path(Text *text, Str s, TextStyle style, double x, double y, TextPathSink *sink,
               void *user) {
    cairo_new_path(text->cr);
    cairo_move_to(text->cr, x, y);
    PangoLayoutLine *line = pango_layout_get_line_readonly(text_layout(text, s, style), 0);
    pango_cairo_layout_line_path(text->cr, line);
    cairo_path_t *path = cairo_copy_path(text->cr);
    for (int i = 0; i < path->num_data; i += path->data[i].header.length) {
        const cairo_path_data_t *at = &path->data[i];
        double xy[6] = {0};
        for (int k = 1; k < at->header.length && k <= 3; k++)
            xy[2 * k - 2] = at[k].point.x, xy[2 * k - 1] = at[k].point.y;
        switch (at->header.type) {
        case CAIRO_PATH_MOVE_TO:
            sink(user, 'M', xy);
            break;
        case CAIRO_PATH_LINE_TO:
            sink(user, 'L', xy);
            break;
        case CAIRO_PATH_CURVE_TO:
            sink(user, 'C', xy);
            break;
        case CAIRO_PATH_CLOSE_PATH:
            sink(user, 'Z', xy);
            break;
        }
    }
    cairo_path_destroy(path);
}
