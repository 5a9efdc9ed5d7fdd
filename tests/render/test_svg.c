/* SVG: well-formed whatever the tokens are, weights and widths that agree, ids and titles up to the
 * limit; and the four formats: same bytes twice, specs that come back. */
#include <ctype.h>
#include <math.h>
#include <png.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "model/base/file.h"
#include "model/base/utf8.h"
#include "render/cross.h"
#include "render/export.h"
#include "render/heatmap.h"
#include "render/sentence.h"
#include "render/svg.h"
#include "tests/render/sample.h"

/* ---- a strict little reader: tags nest, attributes are quoted, entities are known ---- */

static size_t name_end(const char *s, size_t i) {
    while (isalnum((unsigned char)s[i]) || s[i] == ':' || s[i] == '-' || s[i] == '_')
        i++;
    return i;
}

static void check_text(const char *s, size_t begin, size_t end) {
    for (size_t i = begin; i < end; i++) {
        unsigned char c = (unsigned char)s[i];
        if (c == '<' || c == '>') fail_msg("bare %c at %zu", c, i);
        if (c < 0x20 && c != '\n' && c != '\t') fail_msg("control character at %zu", i);
        if (c != '&') continue;
        static const char *const KNOWN[] = {"&amp;", "&lt;", "&gt;", "&quot;"};
        bool known = false;
        for (int k = 0; k < 4; k++)
            known = known || !strncmp(s + i, KNOWN[k], strlen(KNOWN[k]));
        if (!known) fail_msg("unknown entity at %zu: %.10s", i, s + i);
    }
}

static void check_xml(Str xml) {
    const char *s = xml.data;
    const char *open[32];
    size_t open_n[32];
    int depth = 0, n_roots = 0;
    assert_int_equal(utf8_invalid_at(xml), xml.n);
    size_t i = 0;
    if (str_starts(xml, "<?xml")) i = (size_t)(strstr(s, "?>") - s) + 2;
    while (i < xml.n) {
        size_t text = i;
        while (i < xml.n && s[i] != '<')
            i++;
        check_text(s, text, i);
        if (i == xml.n) break;
        bool closing = s[i + 1] == '/';
        size_t name = i + 1 + closing, end = name_end(s, name);
        assert_true(end > name);
        i = end;
        if (closing) {
            assert_true(depth > 0);
            depth--;
            assert_true(open_n[depth] == end - name && !memcmp(open[depth], s + name, end - name));
            assert_true(s[i] == '>');
            i++;
            continue;
        }
        while (s[i] == ' ') {
            size_t attribute = name_end(s, i + 1);
            assert_true(attribute > i + 1 && s[attribute] == '=' && s[attribute + 1] == '"');
            size_t value = attribute + 2;
            i = value;
            while (s[i] && s[i] != '"')
                i++;
            check_text(s, value, i);
            i++;
        }
        bool empty = s[i] == '/';
        i += empty;
        if (s[i] != '>') fail_msg("at %zu: '%.30s'", i, s + i);
        i++;
        if (depth == 0) n_roots++;
        if (empty) continue;
        assert_true(depth < 32);
        open[depth] = s + name;
        open_n[depth++] = end - name;
    }
    assert_int_equal(depth, 0);
    assert_int_equal(n_roots, 1);
}

static int count(Str xml, const char *what) {
    int n = 0;
    for (const char *at = xml.data; (at = strstr(at, what)); at++)
        n++;
    return n;
}

static Figure *heatmap_of(Sample *sample, SampleScript script, int n) {
    ChartAxis axis = sample_axis(sample, script, n);
    ChartMatrix head = sample_matrix(sample, axis.n, axis.n, "L5H3");
    Heatmap heatmap = {.n_panels = 1, .panels = &head, .queries = axis, .keys = axis};
    ChartOptions options = {.title = "Heads & <tails>"};
    Figure *figure = figure_new(theme_of(THEME_LIGHT), sample->text);
    Error error = {0};
    if (!heatmap_draw(figure, &heatmap, &options, &error)) fail_msg("%s", error.message);
    return figure;
}

static void any_token_gives_valid_xml(void **unused) {
    (void)unused;
    Sample *sample = sample_new();
    for (int script = 0; script < N_SAMPLE_SCRIPTS; script++)
        for (int paths = 0; paths < 2; paths++) {
            Figure *figure = heatmap_of(sample, (SampleScript)script, 0);
            StrBuf out = {0};
            svg_write(figure,
                      &(SvgOptions){.spec = str("{\"text\": \"<&>\"}"),
                                    .text = sample->text,
                                    .text_as_paths = paths},
                      &out);
            check_xml(strbuf_str(&out));
            assert_int_equal(count(strbuf_str(&out), "<text") > 0, !paths);
            strbuf_free(&out);
            figure_free(figure);
        }
    sample_free(sample);
}

static void cells_are_named_up_to_the_limit(void **unused) {
    (void)unused;
    Sample *sample = sample_new();
    Figure *few = heatmap_of(sample, SAMPLE_ENGLISH, 63),
           *many = heatmap_of(sample, SAMPLE_ENGLISH, 64);
    StrBuf a = {0}, b = {0};
    svg_write(few, &(SvgOptions){0}, &a);
    svg_write(many, &(SvgOptions){0}, &b);
    assert_int_equal(count(strbuf_str(&a), "data-weight="), 63 * 63);
    assert_non_null(strstr(a.data, "id=\"L5H3-q4-k7\""));
    assert_int_equal(count(strbuf_str(&b), "data-weight="), 0);
    assert_int_equal(count(strbuf_str(&b), "<image"), 2); /* the matrix and the legend */
    assert_int_equal(count(strbuf_str(&b), "xlink:href=\"data:image/png;base64,"), 2);
    check_xml(strbuf_str(&b));
    strbuf_free(&a);
    strbuf_free(&b);
    figure_free(few);
    figure_free(many);
    sample_free(sample);
}

static double number_after(const char *at, const char *name, const char *end) {
    const char *found = strstr(at, name);
    if (!found || found > end) fail_msg("no %s in %.80s", name, at);
    double x;
    const char *from = found + strlen(name);
    assert_true(number_parse((Str){from, strcspn(from, "\"")}, &x));
    return x;
}

/* A line is as wide as its weight, and the weight is the matrix's. */
static void widths_follow_weights(void **unused) {
    (void)unused;
    Sample *sample = sample_new();
    ChartAxis queries = sample_axis(sample, SAMPLE_ENGLISH, 5),
              keys = sample_axis(sample, SAMPLE_CHINESE, 7);
    ChartMatrix head = sample_matrix(sample, 5, 7, "L2H3");
    head.id = "cross-L2H3";
    Cross cross = {.n_heads = 1, .heads = &head, .queries = queries, .keys = keys};
    const Theme *theme = theme_of(THEME_LIGHT);
    Figure *figure = figure_new(theme, sample->text);
    Error error = {0};
    assert_true(cross_draw(figure, &cross, &(ChartOptions){.title = "x", .least = 0.03}, &error));
    StrBuf out = {0};
    svg_write(figure, &(SvgOptions){0}, &out);
    int n = 0;
    for (int q = 0; q < 5; q++)
        for (int k = 0; k < 7; k++) {
            double weight = *tensor_at(head.weights, q, k, 0, 0);
            char *id = arena_printf(sample->arena, "id=\"cross-L2H3-q%d-k%d\"", q, k);
            const char *at = strstr(out.data, id);
            assert_int_equal(at != NULL, weight >= 0.03);
            if (!at) continue;
            const char *line = at, *end = strchr(at, '\n');
            while (line > out.data && line[-1] != '\n')
                line--;
            assert_true(fabs(number_after(line, "data-weight=\"", end) - weight) < 1e-5);
            double width = number_after(line, "stroke-width=\"", end);
            assert_true(fabs(width - theme_line_width(theme, weight)) < 0.011);
            n++;
        }
    assert_true(n > 8);
    assert_int_equal(count(strbuf_str(&out), "data-weight="), n);
    strbuf_free(&out);
    figure_free(figure);
    sample_free(sample);
}

/* ---- the four formats ---- */

static const char SPEC[] = "{\"kind\":\"heatmap\",\"text\":\"Pöllö (ei \\\") \\\\ <b> 🙂\"}";

static void the_same_bytes_and_the_spec_back(void **unused) {
    (void)unused;
    Sample *sample = sample_new();
    Arena *arena = sample->arena;
    char folder[] = "/tmp/attnscope-svg-XXXXXX";
    assert_non_null(mkdtemp(folder));
    for (int format = 0; format < N_EXPORT_FORMATS; format++) {
        const char *extension = export_kind((ExportFormat)format)->extension;
        const char *path = path_join(arena, folder, arena_printf(arena, "figure%s", extension));
        ExportOptions options = {.spec = str(SPEC), .dpi = 100};
        Str first = {0};
        for (int round = 0; round < 2; round++) {
            Figure *figure = heatmap_of(sample, (SampleScript)(format % 3), 0);
            Error error = {0};
            if (!export_figure(figure, path, &options, &error)) fail_msg("%s", error.message);
            Str bytes;
            assert_true(file_read(path, 0, arena, &bytes, &error));
            if (round == 0) first = bytes;
            assert_true(str_eq(first, bytes));
            figure_free(figure);
        }
        Str spec;
        Error error = {0};
        if (!export_read_spec(path, arena, &spec, &error)) fail_msg("%s", error.message);
        bool ascii = format == EXPORT_PDF; /* JSON's own escapes stand for what is not ASCII */
        assert_true(
            ascii ? str_starts(spec, "{\"kind\":\"heatmap\",\"text\":\"P\\u00f6ll\\u00f6 (ei ")
                  : str_is(spec, SPEC));
        unlink(path);
    }
    rmdir(folder);
    sample_free(sample);
}

static void other_files_have_no_spec(void **unused) {
    (void)unused;
    Arena *arena = arena_new();
    char path[] = "/tmp/attnscope-nospec-XXXXXX";
    int file = mkstemp(path);
    static const char *const BODIES[] = {"",
                                         "<svg/>",
                                         "%PDF-1.5\n/Keywords (attnscope-spec {",
                                         "\x89PNG\r\n\x1a\n\xff\xff\xff\xffiTXt",
                                         "<attnscope:spec",
                                         "<attnscope:spec>{"};
    for (size_t i = 0; i < sizeof BODIES / sizeof *BODIES; i++) {
        assert_int_equal(ftruncate(file, 0), 0);
        assert_true(pwrite(file, BODIES[i], strlen(BODIES[i]), 0) >= 0);
        Str spec;
        Error error = {0};
        assert_false(export_read_spec(path, arena, &spec, &error));
        assert_true(strlen(error.message) > 10);
    }
    close(file);
    unlink(path);
    ExportFormat format;
    Error error = {0};
    assert_false(export_format("figure.gif", &format, &error));
    assert_non_null(strstr(error.message, ".svg"));
    arena_free(arena);
}

static void html_holds_all_figures(void **unused) {
    (void)unused;
    Sample *sample = sample_new();
    const Figure *figures[2] = {heatmap_of(sample, SAMPLE_HINDI, 0),
                                heatmap_of(sample, SAMPLE_THAI, 0)};
    const char *names[2] = {"one & two", "three"};
    StrBuf out = {0};
    Error error = {0};
    assert_true(export_html(figures, names, 2, &(ExportOptions){.spec = str(SPEC)}, &out, &error));
    Str html = strbuf_str(&out);
    assert_int_equal(count(html, "<svg "), 2);
    assert_non_null(strstr(out.data, "data-name=\"one &amp; two\""));
    assert_non_null(strstr(out.data, "id=\"f1-L5H3-q0-k0\""));
    assert_int_equal(count(html, "https://"), 0); /* nothing is fetched */
    assert_int_equal(count(html, "<metadata>"), 1);
    strbuf_free(&out);
    figure_free((Figure *)figures[0]);
    figure_free((Figure *)figures[1]);
    sample_free(sample);
}

/* ---- pixels, with a tolerance for fonts and rasterisers ---- */

static const char GOLDEN_PNG[] = "tests/render/goldens/cross.png";

static void pixels_are_golden(void **unused) {
    (void)unused;
    Sample *sample = sample_new();
    ChartAxis queries = sample_axis(sample, SAMPLE_ENGLISH, 6),
              keys = sample_axis(sample, SAMPLE_ENGLISH, 8);
    ChartMatrix head = sample_matrix(sample, 6, 8, "L2H3");
    Cross cross = {.n_heads = 1, .heads = &head, .queries = queries, .keys = keys};
    Figure *figure = figure_new(theme_of(THEME_LIGHT), sample->text);
    Error error = {0};
    assert_true(cross_draw(figure, &cross, &(ChartOptions){.title = "Golden"}, &error));
    ExportOptions options = {.dpi = 36};
    StrBuf out = {0};
    assert_true(export_bytes(figure, EXPORT_PNG, &options, &out, &error));
    const char *mode = getenv("GOLDEN");
    if (mode && !strcmp(mode, "write")) assert_true(file_save(GOLDEN_PNG, out.data, out.n, &error));
    png_image drawn = {.version = PNG_IMAGE_VERSION}, golden = {.version = PNG_IMAGE_VERSION};
    assert_true(png_image_begin_read_from_memory(&drawn, out.data, out.n));
    assert_true(png_image_begin_read_from_file(&golden, GOLDEN_PNG));
    assert_int_equal(drawn.width, golden.width);
    assert_true(abs((int)drawn.height - (int)golden.height) <= 1);
    drawn.format = golden.format = PNG_FORMAT_GRAY;
    uint8_t *a = malloc(PNG_IMAGE_SIZE(drawn)), *b = malloc(PNG_IMAGE_SIZE(golden));
    assert_true(png_image_finish_read(&drawn, NULL, a, 0, NULL));
    assert_true(png_image_finish_read(&golden, NULL, b, 0, NULL));
    size_t n = drawn.width * (size_t)(drawn.height < golden.height ? drawn.height : golden.height);
    double sum = 0, ink = 0;
    for (size_t i = 0; i < n; i++) {
        sum += abs(a[i] - b[i]);
        ink += 250 - (a[i] < 250 ? a[i] : 250);
    }
    assert_true(ink > 2.0 * (double)n); /* there is something on it */
    assert_true(sum < 1.5 * (double)n); /* grey levels a pixel */
    free(a);
    free(b);
    strbuf_free(&out);
    figure_free(figure);
    sample_free(sample);
}

/* Viewers take the first font that has a letter, and text fonts have outlines of pictures. */
static void pictures_ask_for_their_font(void **unused) {
    (void)unused;
    Sample *sample = sample_new();
    Figure *figure = figure_new(theme_of(THEME_LIGHT), sample->text);
    figure_text(figure, 10, 20, str("plain 7"), (FigureTextStyle){.font = {.size = 12}}, NULL);
    figure_text(figure, 10, 40, str("a 😀"), (FigureTextStyle){.font = {.size = 12}}, NULL);
    figure_page(figure, 100, 50);
    figure_seal(figure);
    StrBuf out = {0};
    svg_write(figure, &(SvgOptions){0}, &out);
    const char *plain = strstr(out.data, "plain 7"), *asked = strstr(out.data, "Noto Color Emoji");
    assert_true(asked && plain && asked > plain); /* in its own element alone */
    assert_null(strstr(asked + 1, "Noto Color Emoji"));
    assert_true(strstr(asked, "sans-serif") < strstr(asked, ">a 😀<"));
    strbuf_free(&out);
    figure_free(figure);
    sample_free(sample);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_token_gives_valid_xml),
        cmocka_unit_test(cells_are_named_up_to_the_limit),
        cmocka_unit_test(widths_follow_weights),
        cmocka_unit_test(the_same_bytes_and_the_spec_back),
        cmocka_unit_test(other_files_have_no_spec),
        cmocka_unit_test(html_holds_all_figures),
        cmocka_unit_test(pictures_ask_for_their_font),
        cmocka_unit_test(pixels_are_golden),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
