#include "render/export.h"

#include <assert.h>
#include <cairo-pdf.h>
#include <cairo.h>
#include <math.h>
#include <stdlib.h>

#include "model/base/file.h"
#include "model/base/utf8.h"
#include "render/html.h"
#include "render/pngfile.h"
#include "render/svg.h"

static const char PDF_MARK[] = "attnscope-spec ";

/* ---- PNG ---- */

static bool write_png(const Figure *figure, const ExportOptions *options, Canvas *canvas,
                      StrBuf *out, Error *error) {
    double dpi = options->dpi > 0 ? options->dpi : 144, scale = dpi / 72;
    FigureBox page = figure_bounds(figure);
    double width = ceil(page.w * scale - 1e-6), height = ceil(page.h * scale - 1e-6);
    if (width < 1) width = 1;
    if (height < 1) height = 1;
    if (width > PNGFILE_MAX_SIDE || height > PNGFILE_MAX_SIDE)
        return error_set(error, ERROR_INPUT,
                         "PNG of %.0f x %.0f pixels: at most %d a side; try a lower --dpi, fewer "
                         "tokens, or SVG",
                         width, height, PNGFILE_MAX_SIDE);
    CanvasPixels pixels = {.width = (int)width, .height = (int)height, .stride = (int)width * 4};
    pixels.data = malloc((size_t)pixels.stride * (size_t)pixels.height);
    if (!pixels.data)
        return error_set(error, ERROR_MEMORY, "PNG of %.0f x %.0f pixels: out of memory", width,
                         height);
    /* Paper without a background is white in a file of pixels. */
    uint32_t paper = 0xff000000u | figure_theme(figure)->paper >> 8;
    for (size_t i = 0; i < (size_t)pixels.width * (size_t)pixels.height; i++)
        pixels.data[i] = paper;
    canvas_play(canvas, figure, &(CanvasView){.scale = scale, .once = true}, &pixels);
    bool done = pngfile_page(&pixels, dpi, options->spec, figure_title(figure), out, error);
    free(pixels.data);
    return done;
}

/* ---- SVG and HTML ---- */

static bool write_svg(const Figure *figure, const ExportOptions *options, Canvas *canvas,
                      StrBuf *out, Error *error) {
    (void)error;
    SvgOptions svg = {.spec = options->spec,
                      .text = canvas_text(canvas),
                      .text_as_paths = options->text_as_paths};
    svg_write(figure, &svg, out);
    return true;
}

static bool write_html(const Figure *figure, const ExportOptions *options, Canvas *canvas,
                       StrBuf *out, Error *error) {
    (void)error;
    SvgOptions svg = {.spec = options->spec,
                      .text = canvas_text(canvas),
                      .text_as_paths = options->text_as_paths};
    const char *name = "";
    html_write(&figure, &name, 1, &svg, out);
    return true;
}

bool export_html(const Figure *const *figures, const char *const *names, int n,
                 const ExportOptions *options, StrBuf *out, Error *error) {
    if (n < 1) return error_set(error, ERROR_INPUT, "no figure to write");
    SvgOptions svg = {.spec = options->spec,
                      .text = options->canvas ? canvas_text(options->canvas) : NULL,
                      .text_as_paths = options->text_as_paths && options->canvas};
    html_write(figures, names, n, &svg, out);
    return true;
}

/* ---- PDF ---- */

static cairo_status_t take_bytes(void *user, const unsigned char *data, unsigned n) {
    strbuf_add(user, data, n);
    return CAIRO_STATUS_SUCCESS;
}

/* JSON in ASCII, so that the document keeps it as a plain string. */
static void add_ascii(Str s, StrBuf *out) {
    for (size_t at = 0; at < s.n;) {
        size_t n_bytes;
        uint32_t c = utf8_decode(s, at, &n_bytes);
        at += n_bytes;
        if (c >= 0x20 && c < 0x7f) {
            strbuf_putc(out, (char)c);
        } else if (c < 0x20) {
            strbuf_putc(out, ' '); /* between values; inside strings JSON has none */
        } else if (c < 0x10000) {
            strbuf_printf(out, "\\u%04x", c);
        } else {
            strbuf_printf(out, "\\u%04x\\u%04x", 0xd800 + ((c - 0x10000) >> 10),
                          0xdc00 + ((c - 0x10000) & 0x3ff));
        }
    }
}

static void describe_pdf(cairo_surface_t *surface, const Figure *figure, Str spec) {
    cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_CREATE_DATE, "2000-01-01T00:00:00Z");
    cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_MOD_DATE, "2000-01-01T00:00:00Z");
    cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_CREATOR, "attnscope");
    Str title = figure_title(figure), description = figure_description(figure);
    if (title.n) cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_TITLE, title.data);
    if (description.n)
        cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_SUBJECT, description.data);
    if (spec.n == 0) return;
    StrBuf keywords = {0};
    strbuf_puts(&keywords, PDF_MARK);
    add_ascii(spec, &keywords);
    cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_KEYWORDS, keywords.data);
    strbuf_free(&keywords);
}

static bool write_pdf(const Figure *figure, const ExportOptions *options, Canvas *canvas,
                      StrBuf *out, Error *error) {
    FigureBox page = figure_bounds(figure);
    cairo_surface_t *surface =
        cairo_pdf_surface_create_for_stream(take_bytes, out, fmax(page.w, 1), fmax(page.h, 1));
    describe_pdf(surface, figure, options->spec);
    cairo_t *cr = cairo_create(surface);
    canvas_play_cairo(canvas, figure, cr, options->text_as_paths);
    cairo_show_page(cr);
    cairo_status_t status = cairo_status(cr);
    cairo_destroy(cr);
    cairo_surface_finish(surface);
    if (status == CAIRO_STATUS_SUCCESS) status = cairo_surface_status(surface);
    cairo_surface_destroy(surface);
    if (status != CAIRO_STATUS_SUCCESS)
        return error_set(error, ERROR_IO, "PDF: %s", cairo_status_to_string(status));
    return true;
}

/* ---- the table ---- */

static const ExportKind KINDS[] = {
    [EXPORT_PNG] = {EXPORT_PNG, ".png", "pixels, with resolution", write_png},
    [EXPORT_SVG] = {EXPORT_SVG, ".svg", "vector drawing with real text", write_svg},
    [EXPORT_PDF] = {EXPORT_PDF, ".pdf", "vector page with selectable text", write_pdf},
    [EXPORT_HTML] = {EXPORT_HTML, ".html", "the SVG with hover, in one file", write_html},
};
static_assert(sizeof KINDS / sizeof *KINDS == N_EXPORT_FORMATS, "a row for each format");

const ExportKind *export_kind(ExportFormat format) {
    return &KINDS[format];
}

const char *export_extensions(void) {
    return ".png, .svg, .pdf, .html";
}

bool export_format(const char *path, ExportFormat *out, Error *error) {
    Str extension = str(path_extension(path));
    for (int i = 0; i < N_EXPORT_FORMATS; i++) {
        if (!str_is(extension, KINDS[i].extension)) continue;
        *out = KINDS[i].format;
        return true;
    }
    return error_set(error, ERROR_INPUT, "%s: what kind of figure? The name must end in one of %s",
                     path, export_extensions());
}

bool export_bytes(const Figure *figure, ExportFormat format, const ExportOptions *options,
                  StrBuf *out, Error *error) {
    Canvas *own = options->canvas ? NULL : canvas_new(NULL);
    bool done = KINDS[format].write(figure, options, own ? own : options->canvas, out, error);
    canvas_free(own);
    return done;
}

bool export_figure(const Figure *figure, const char *path, const ExportOptions *options,
                   Error *error) {
    ExportFormat format;
    if (!export_format(path, &format, error)) return false;
    StrBuf bytes = {0};
    bool done = export_bytes(figure, format, options, &bytes, error);
    if (!done) error_prefix(error, "%s", path);
    done = done && file_save(path, bytes.data, bytes.n, error);
    strbuf_free(&bytes);
    return done;
}

/* ---- reading the spec back ---- */

static bool read_xml_spec(Str bytes, Arena *arena, Str *out) {
    const char *at = memmem(bytes.data, bytes.n, "<attnscope:spec", 15);
    if (!at) return false;
    size_t begin = (size_t)(at - bytes.data);
    const char *start = memchr(at, '>', bytes.n - begin);
    if (!start) return false;
    begin = (size_t)(start + 1 - bytes.data);
    const char *end = memmem(bytes.data + begin, bytes.n - begin, "</attnscope:spec>", 17);
    if (!end) return false;
    static const struct {
        const char *name;
        char c;
    } ENTITIES[] = {
        {"&amp;", '&'}, {"&lt;", '<'}, {"&gt;", '>'}, {"&quot;", '"'}, {"&apos;", '\''}};
    Str s = str_sub(bytes, begin, (size_t)(end - bytes.data));
    char *text = arena_alloc(arena, s.n + 1);
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++) {
        char c = s.data[i];
        for (size_t k = 0; c == '&' && k < sizeof ENTITIES / sizeof *ENTITIES; k++) {
            if (!str_starts(str_sub(s, i, s.n), ENTITIES[k].name)) continue;
            c = ENTITIES[k].c;
            i += strlen(ENTITIES[k].name) - 1;
            break;
        }
        text[n++] = c;
    }
    text[n] = '\0';
    *out = (Str){text, n};
    return true;
}

static int hex_digit(char c) {
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
                                  : -1;
}

/* One UTF-16 unit of a hexadecimal string; -1 at its end. */
static int32_t hex_unit(Str s, size_t at) {
    int32_t unit = 0;
    for (size_t i = at; i < at + 4; i++) {
        int digit = i < s.n ? hex_digit(s.data[i]) : -1;
        if (digit < 0) return -1;
        unit = unit << 4 | digit;
    }
    return unit;
}

/* How cairo writes what is not plain ASCII, or has a bracket or backslash: UTF-16 in hexadecimal,
 * the byte order mark first. */
static bool read_pdf_hex(Str bytes, Arena *arena, Str *out) {
    static const char BEGIN[] = "/Keywords <FEFF";
    const char *at = memmem(bytes.data, bytes.n, BEGIN, sizeof BEGIN - 1);
    if (!at) return false;
    Str hex = str_sub(bytes, (size_t)(at - bytes.data) + sizeof BEGIN - 1, bytes.n);
    StrBuf text = {0};
    size_t i = 0;
    for (int32_t unit; (unit = hex_unit(hex, i)) >= 0; i += 4) {
        uint32_t c = (uint32_t)unit;
        int32_t low = c >= 0xd800 && c < 0xdc00 ? hex_unit(hex, i + 4) : -1;
        if (low >= 0xdc00 && low < 0xe000) {
            c = 0x10000 + ((c - 0xd800) << 10) + (uint32_t)(low - 0xdc00);
            i += 4;
        }
        char utf8[4];
        strbuf_add(&text, utf8, utf8_encode(c >= 0xd800 && c < 0xe000 ? 0xfffd : c, utf8));
    }
    Str whole = arena_str(arena, strbuf_str(&text));
    strbuf_free(&text);
    if (i >= hex.n || hex.data[i] != '>' || !str_starts(whole, PDF_MARK)) return false;
    *out = str_sub(whole, sizeof PDF_MARK - 1, whole.n);
    return true;
}

/* A literal string of PDF: backslash escapes, balanced by cairo. */
static bool read_pdf_spec(Str bytes, Arena *arena, Str *out) {
    if (read_pdf_hex(bytes, arena, out)) return true;
    const char *at = memmem(bytes.data, bytes.n, "/Keywords (attnscope-spec ", 26);
    if (!at) return false;
    size_t i = (size_t)(at - bytes.data) + 26, n = 0;
    char *text = arena_alloc(arena, bytes.n - i + 1);
    for (; i < bytes.n && bytes.data[i] != ')'; i++) {
        if (bytes.data[i] != '\\' || i + 1 == bytes.n) {
            text[n++] = bytes.data[i];
            continue;
        }
        char c = bytes.data[++i];
        if (c < '0' || c > '7') {
            text[n++] = c;
            continue;
        }
        int value = 0;
        for (int digits = 0;
             digits < 3 && i < bytes.n && bytes.data[i] >= '0' && bytes.data[i] <= '7'; digits++)
            value = value * 8 + (bytes.data[i++] - '0');
        i--;
        text[n++] = (char)value;
    }
    text[n] = '\0';
    *out = (Str){text, n};
    return i < bytes.n;
}

bool export_read_spec(const char *path, Arena *arena, Str *out, Error *error) {
    Str bytes;
    if (!file_read(path, 0, arena, &bytes, error)) return false;
    if (str_starts(bytes, "\x89PNG\r\n\x1a\n")) {
        if (pngfile_find_text(bytes, PNGFILE_SPEC_KEY, arena, out)) return true;
    } else if (str_starts(bytes, "%PDF-")) {
        if (read_pdf_spec(bytes, arena, out)) return true;
    } else if (read_xml_spec(bytes, arena, out)) {
        return true;
    }
    return error_set(error, ERROR_INPUT,
                     "%s: carries no figure spec; a PNG, SVG, PDF or HTML written by this program "
                     "expected",
                     path);
}
