#include "render/svg.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/base/utf8.h"
#include "render/image.h"
#include "render/pngfile.h"

typedef struct Writer {
    const Figure *figure;
    const Theme *theme;
    const SvgOptions *options;
    StrBuf *out;
    bool marks; /* few enough to name each */
    int n_clips;
    bool run;              /* a <g> of paths with one paint is open */
    FigurePaint run_paint; /* which */
} Writer;

/* ---- values ---- */

static void put(Writer *w, const char *s) {
    strbuf_puts(w->out, s);
}

/* Two decimals at most, no locale, no exponent. */
static void put_number(Writer *w, double x) {
    if (!isfinite(x)) x = 0;
    long long hundredths = llround(x * 100);
    if (hundredths < 0) {
        strbuf_putc(w->out, '-');
        hundredths = -hundredths;
    }
    strbuf_printf(w->out, "%lld", hundredths / 100);
    int rest = (int)(hundredths % 100);
    if (rest % 10)
        strbuf_printf(w->out, ".%02d", rest);
    else if (rest)
        strbuf_printf(w->out, ".%d", rest / 10);
}

static void put_attribute(Writer *w, const char *name, double x) {
    strbuf_printf(w->out, " %s=\"", name);
    put_number(w, x);
    strbuf_putc(w->out, '"');
}

static void put_box(Writer *w, FigureBox box) {
    put_attribute(w, "x", box.x);
    put_attribute(w, "y", box.y);
    put_attribute(w, "width", fmax(box.w, 0));
    put_attribute(w, "height", fmax(box.h, 0));
}

void svg_escape(Str s, StrBuf *out) {
    for (size_t at = 0; at < s.n;) {
        size_t n_bytes;
        uint32_t c = utf8_decode(s, at, &n_bytes);
        char bytes[4];
        bool allowed = c == '\t' || c == '\n' || (c >= 0x20 && c < 0xfffe) || c > 0xffff;
        if (c == 0xd || !allowed) c = 0xfffd;
        switch (c) {
        case '&':
            strbuf_puts(out, "&amp;");
            break;
        case '<':
            strbuf_puts(out, "&lt;");
            break;
        case '>':
            strbuf_puts(out, "&gt;");
            break;
        case '"':
            strbuf_puts(out, "&quot;");
            break;
        default:
            strbuf_add(out, bytes, utf8_encode(c, bytes));
        }
        at += n_bytes;
    }
}

static void put_color(Writer *w, const char *name, Color c) {
    strbuf_printf(w->out, " %s=\"#%02x%02x%02x\"", name, color_r(c), color_g(c), color_b(c));
    if (color_a(c) == 255) return;
    char opacity[32];
    snprintf(opacity, sizeof opacity, "%s-opacity", name);
    put_attribute(w, opacity, color_a(c) / 255.0);
}

static void hatch_id(const FigurePaint *paint, char id[32]) {
    snprintf(id, 32, "hatch-%08x", paint->fill);
}

static const char *prefix(const Writer *w) {
    return w->options->prefix ? w->options->prefix : "";
}

static void put_paint(Writer *w, const FigurePaint *paint) {
    if (paint->fill && paint->hatch) {
        char id[32];
        hatch_id(paint, id);
        strbuf_printf(w->out, " fill=\"url(#%s%s)\"", prefix(w), id);
    } else if (paint->fill) {
        put_color(w, "fill", paint->fill);
    } else {
        put(w, " fill=\"none\"");
    }
    if (!paint->stroke) return;
    put_color(w, "stroke", paint->stroke);
    put_attribute(w, "stroke-width", paint->width);
    if (paint->cap == FIGURE_CAP_ROUND) put(w, " stroke-linecap=\"round\"");
    if (paint->dash > 0) {
        put(w, " stroke-dasharray=\"");
        put_number(w, paint->dash);
        strbuf_putc(w->out, ' ');
        put_number(w, paint->gap);
        strbuf_putc(w->out, '"');
    }
}

/* ---- marks ---- */

static void put_mark(Writer *w, const FigureItem *item) {
    const FigureMark *mark = item->mark;
    if (figure_state(w->figure, item) == FIGURE_FADED) put(w, " opacity=\"0.25\"");
    if (!mark) return;
    if (mark->has_weight && !w->marks) return;
    if (mark->id) {
        put(w, " id=\"");
        put(w, prefix(w));
        svg_escape(str(mark->id), w->out);
        strbuf_putc(w->out, '"');
    }
    if (mark->has_weight) {
        char number[32];
        strbuf_printf(w->out, " data-weight=\"%s\"", number_text(mark->weight, 5, number));
    }
    if (w->options->fragment && !figure_pick_is_none(mark->pick)) {
        static const char ROLES[] = {'d', 'l', 'c', 's'};
        strbuf_printf(w->out, " data-pick=\"%d %d %d\" data-role=\"%c\"", mark->pick.series,
                      mark->pick.query, mark->pick.key, ROLES[mark->role]);
    }
}

static bool has_inside(const Writer *w, const FigureMark *mark) {
    return mark && (mark->title || mark->desc) && (w->marks || !mark->has_weight);
}

static void put_inside(Writer *w, const FigureMark *mark) {
    if (mark->title) {
        put(w, "<title>");
        svg_escape(str(mark->title), w->out);
        put(w, "</title>");
    }
    if (!mark->desc) return;
    put(w, "<desc>");
    svg_escape(str(mark->desc), w->out);
    put(w, "</desc>");
}

static void put_end(Writer *w, const char *tag, const FigureMark *mark) {
    if (!has_inside(w, mark)) {
        put(w, "/>\n");
        return;
    }
    strbuf_putc(w->out, '>');
    put_inside(w, mark);
    strbuf_printf(w->out, "</%s>\n", tag);
}

/* ---- items ---- */

static void put_rect(Writer *w, const FigureItem *item) {
    put(w, "<rect");
    put_box(w, item->box);
    if (item->radius > 0) put_attribute(w, "rx", item->radius);
    put_paint(w, &item->paint);
    put_mark(w, item);
    put_end(w, "rect", item->mark);
}

static void put_path_data(Writer *w, const FigurePath *path) {
    const float *p = path->points;
    for (int i = 0; i < path->n_ops; i++) {
        strbuf_putc(w->out, path->ops[i]);
        for (int k = path->ops[i] == 'C' ? 6 : path->ops[i] == 'Z' ? 0 : 2; k > 0; k--, p++) {
            put_number(w, *p);
            if (k > 1) strbuf_putc(w->out, ' ');
        }
    }
}

static bool same_paint(const FigurePaint *a, const FigurePaint *b) {
    return a->fill == b->fill && a->stroke == b->stroke &&
           lround(a->width * 100) == lround(b->width * 100) && a->cap == b->cap &&
           a->dash == b->dash && a->hatch == b->hatch;
}

static void end_run(Writer *w) {
    if (w->run) put(w, "</g>\n");
    w->run = false;
}

/* Thousands of unnamed lines: those of one paint share it. */
static void put_run(Writer *w, const FigureItem *item) {
    if (!w->run || !same_paint(&w->run_paint, &item->paint)) {
        end_run(w);
        put(w, "<g");
        put_paint(w, &item->paint);
        put(w, ">\n");
        w->run = true;
        w->run_paint = item->paint;
    }
    put(w, "<path d=\"");
    put_path_data(w, &item->path);
    put(w, "\"/>\n");
}

static void put_path(Writer *w, const FigureItem *item) {
    put(w, "<path d=\"");
    put_path_data(w, &item->path);
    strbuf_putc(w->out, '"');
    put_paint(w, &item->paint);
    put_mark(w, item);
    put_end(w, "path", item->mark);
}

static void path_sink(void *user, char op, const double *xy) {
    Writer *w = user;
    strbuf_putc(w->out, op);
    for (int k = 0; k < (op == 'C' ? 6 : op == 'Z' ? 0 : 2); k++) {
        if (k) strbuf_putc(w->out, ' ');
        put_number(w, xy[k]);
    }
}

static void put_rotation(Writer *w, const FigureText *text) {
    if (text->style.angle == 0) return;
    put(w, " transform=\"rotate(");
    put_number(w, -text->style.angle);
    strbuf_putc(w->out, ' ');
    put_number(w, text->x);
    strbuf_putc(w->out, ' ');
    put_number(w, text->y);
    put(w, ")\"");
}

static void put_text_path(Writer *w, const FigureItem *item, TextStyle font, Color color) {
    const FigureText *text = item->text;
    double width = text_width(w->options->text, text->s, font);
    double shift = text->style.anchor == FIGURE_START    ? 0
                   : text->style.anchor == FIGURE_MIDDLE ? -width / 2
                                                         : -width;
    put(w, "<path d=\"");
    text_path(w->options->text, text->s, font, text->x + shift, text->y, path_sink, w);
    strbuf_putc(w->out, '"');
    put_color(w, "fill", color);
    put_rotation(w, text);
    put_mark(w, item);
    strbuf_putc(w->out, '>');
    if (has_inside(w, item->mark) && item->mark->title) {
        put_inside(w, item->mark);
    } else {
        put(w, "<title>");
        svg_escape(text->whole, w->out);
        put(w, "</title>");
    }
    put(w, "</path>\n");
}

static bool needs_preserve(Str s) {
    for (size_t i = 0; i < s.n; i++)
        if (s.data[i] == ' ' && (i == 0 || i + 1 == s.n || s.data[i + 1] == ' ')) return true;
    return false;
}

static const char *families_of(const Writer *w) {
    return w->options->text ? text_families(w->options->text, false)
                            : "Inter, DejaVu Sans, Noto Sans, sans-serif";
}

/* As in the other formats: a picture's own colours, not the outline that a text font has of it. */
static void put_emoji_family(Writer *w) {
    const char *families = families_of(w), *rest = strchr(families, ',');
    int n = rest ? (int)(rest - families) : (int)strlen(families);
    strbuf_printf(w->out,
                  " font-family=\"%.*s, Noto Color Emoji, Apple Color Emoji, Segoe UI Emoji%s\"", n,
                  families, rest ? rest : "");
}

static void put_text(Writer *w, const FigureItem *item) {
    const FigureText *text = item->text;
    TextStyle font = text->style.font;
    Color color = text->style.color;
    bool raised = figure_state(w->figure, item) == FIGURE_RAISED;
    if (raised) font.weight = 600, color = w->theme->accent;
    if (w->options->text_as_paths && w->options->text) {
        put_text_path(w, item, font, color);
        return;
    }
    put(w, "<text");
    put_attribute(w, "x", text->x);
    put_attribute(w, "y", text->y);
    put_attribute(w, "font-size", font.size);
    if (font.weight && font.weight != 400)
        strbuf_printf(w->out, " font-weight=\"%d\"", font.weight);
    if (font.italic) put(w, " font-style=\"italic\"");
    if (font.mono) put(w, " font-family=\"DejaVu Sans Mono, Noto Sans Mono, monospace\"");
    if (!font.mono && text_has_emoji(text->s)) put_emoji_family(w);
    if (font.tabular) put(w, " style=\"font-variant-numeric:tabular-nums\"");
    put_color(w, "fill", color);
    /* In a line that runs from right to left, "start" is its right end. */
    static const char *const ANCHORS[] = {NULL, "middle", "end"};
    static const char *const RTL_ANCHORS[] = {"end", "middle", NULL};
    const char *anchor = (text->size.rtl ? RTL_ANCHORS : ANCHORS)[text->style.anchor];
    if (anchor) strbuf_printf(w->out, " text-anchor=\"%s\"", anchor);
    if (text->size.rtl) put(w, " direction=\"rtl\"");
    if (text->size.width > 0 && !raised) {
        put_attribute(w, "textLength", text->size.width);
        put(w, " lengthAdjust=\"spacingAndGlyphs\"");
    }
    if (needs_preserve(text->s)) put(w, " xml:space=\"preserve\"");
    put_rotation(w, text);
    put_mark(w, item);
    strbuf_putc(w->out, '>');
    svg_escape(text->s, w->out);
    if (has_inside(w, item->mark)) put_inside(w, item->mark);
    put(w, "</text>\n");
}

static void put_base64(Writer *w, const unsigned char *data, size_t n) {
    static const char DIGITS[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < n; i += 3) {
        uint32_t b = (uint32_t)data[i] << 16;
        if (i + 1 < n) b |= (uint32_t)data[i + 1] << 8;
        if (i + 2 < n) b |= data[i + 2];
        char four[4] = {DIGITS[b >> 18], DIGITS[b >> 12 & 63],
                        i + 1 < n ? DIGITS[b >> 6 & 63] : '=', i + 2 < n ? DIGITS[b & 63] : '='};
        strbuf_add(w->out, four, 4);
    }
}

static void put_image(Writer *w, const FigureItem *item) {
    const FigureImage *image = item->image;
    int rows = image->rows, columns = image->columns;
    if (rows == 0 || columns == 0) return;
    uint8_t *reduced = NULL;
    if (!image->rgba) {
        image_fit(image, item->box.w * 3, item->box.h * 3, &rows, &columns);
        if (rows != image->rows || columns != image->columns)
            reduced = image_reduce(image, rows, columns);
        if (!reduced) rows = image->rows, columns = image->columns;
    }
    const uint8_t *cells = image->rgba ? NULL : reduced ? reduced : image->cells;
    uint8_t *large = NULL; /* librsvg knows no image-rendering */
    if (cells && !image->smooth)
        large = image_enlarge(cells, item->box.w, item->box.h, 0.9, &rows, &columns);
    if (large) cells = large;
    StrBuf png = {0};
    if (pngfile_cells(image, cells, rows, columns, &png)) {
        put(w, "<image");
        put_box(w, item->box);
        put(w, " preserveAspectRatio=\"none\"");
        if (!image->smooth)
            put(w, " style=\"image-rendering:optimizeSpeed;image-rendering:pixelated\"");
        put_mark(w, item);
        put(w, " xlink:href=\"data:image/png;base64,");
        put_base64(w, (const unsigned char *)png.data, png.n);
        strbuf_putc(w->out, '"');
        put_end(w, "image", item->mark);
    }
    strbuf_free(&png);
    free(reduced);
    free(large);
}

static void put_clip(Writer *w, const FigureItem *item) {
    strbuf_printf(w->out, "<clipPath id=\"%sclip%d\"><rect", prefix(w), ++w->n_clips);
    put_box(w, item->box);
    strbuf_printf(w->out, "/></clipPath>\n<g clip-path=\"url(#%sclip%d)\">\n", prefix(w),
                  w->n_clips);
}

static void put_group(Writer *w, const FigureItem *item) {
    put(w, "<g");
    put_mark(w, item);
    put(w, ">\n");
    if (has_inside(w, item->mark)) put_inside(w, item->mark);
}

static void put_item(Writer *w, const FigureItem *item) {
    bool weighed = item->mark && item->mark->has_weight;
    if (item->kind == FIGURE_PATH && weighed && !w->marks &&
        figure_state(w->figure, item) == FIGURE_PLAIN) {
        put_run(w, item);
        return;
    }
    end_run(w);
    switch (item->kind) {
    case FIGURE_RECT:
        put_rect(w, item);
        break;
    case FIGURE_PATH:
        put_path(w, item);
        break;
    case FIGURE_TEXT:
        put_text(w, item);
        break;
    case FIGURE_IMAGE:
        put_image(w, item);
        break;
    case FIGURE_CLIP_BEGIN:
        put_clip(w, item);
        break;
    case FIGURE_GROUP_BEGIN:
        put_group(w, item);
        break;
    case FIGURE_CLIP_END:
    case FIGURE_GROUP_END:
        put(w, "</g>\n");
        break;
    }
}

/* ---- the whole ---- */

static void put_hatches(Writer *w, const FigureItem *items, int n) {
    Color seen[8];
    int n_seen = 0;
    for (int i = 0; i < n; i++) {
        const FigurePaint *paint = &items[i].paint;
        if (!paint->hatch || !paint->fill) continue;
        int k = 0;
        while (k < n_seen && seen[k] != paint->fill)
            k++;
        if (k < n_seen || n_seen == 8) continue;
        seen[n_seen++] = paint->fill;
        char id[32];
        hatch_id(paint, id);
        double width = paint->width > 0 ? paint->width : 0.6, pitch = 8 * width * M_SQRT1_2;
        strbuf_printf(w->out, "<defs><pattern id=\"%s%s\" patternUnits=\"userSpaceOnUse\"",
                      prefix(w), id);
        put_attribute(w, "width", pitch);
        put_attribute(w, "height", pitch);
        put(w, " patternTransform=\"rotate(45)\"><rect");
        put_attribute(w, "width", width);
        put_attribute(w, "height", pitch);
        put_color(w, "fill", paint->fill);
        put(w, "/></pattern></defs>\n");
    }
}

static void put_head(Writer *w) {
    FigureBox page = figure_bounds(w->figure);
    if (!w->options->fragment) put(w, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    put(w, "<svg xmlns=\"http://www.w3.org/2000/svg\" xmlns:xlink=\"http://www.w3.org/1999/xlink\""
           " version=\"1.1\" role=\"img\" width=\"");
    put_number(w, page.w);
    put(w, "pt\" height=\"");
    put_number(w, page.h);
    put(w, "pt\" viewBox=\"0 0 ");
    put_number(w, page.w);
    strbuf_putc(w->out, ' ');
    put_number(w, page.h);
    strbuf_printf(w->out, "\" font-family=\"%s\">\n", families_of(w));
    put(w, "<title>");
    svg_escape(figure_title(w->figure), w->out);
    put(w, "</title>\n<desc>");
    svg_escape(figure_description(w->figure), w->out);
    put(w, "</desc>\n");
    if (w->options->spec.n) {
        put(w, "<metadata><attnscope:spec xmlns:attnscope=\"urn:attnscope:spec-1\">");
        svg_escape(w->options->spec, w->out);
        put(w, "</attnscope:spec></metadata>\n");
    }
    if (!color_a(w->theme->background)) return;
    put(w, "<rect");
    put_attribute(w, "width", page.w);
    put_attribute(w, "height", page.h);
    put_color(w, "fill", w->theme->background);
    put(w, "/>\n");
}

static void put_outlines(Writer *w) {
    FigureBox boxes[64];
    int n = figure_outlines(w->figure, boxes, 64);
    double width = 2 * w->theme->line_thin;
    for (int i = 0; i < n; i++) {
        FigureItem item = {.kind = FIGURE_RECT,
                           .box = {boxes[i].x - width / 2, boxes[i].y - width / 2,
                                   boxes[i].w + width, boxes[i].h + width},
                           .paint = {.stroke = w->theme->accent, .width = width}};
        put_rect(w, &item);
    }
}

void svg_write(const Figure *figure, const SvgOptions *options, StrBuf *out) {
    Writer w = {.figure = figure, .theme = figure_theme(figure), .options = options, .out = out};
    int n, n_weighed = 0;
    const FigureItem *items = figure_items(figure, &n);
    for (int i = 0; i < n; i++)
        n_weighed += items[i].mark && items[i].mark->has_weight;
    w.marks = n_weighed <= SVG_MARKS_MAX;
    put_head(&w);
    put_hatches(&w, items, n);
    for (int i = 0; i < n; i++)
        put_item(&w, &items[i]);
    end_run(&w);
    put_outlines(&w);
    put(&w, "</svg>\n");
}
