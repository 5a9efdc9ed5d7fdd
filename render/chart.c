#include "render/chart.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/base/utf8.h"

/* ---- page ---- */

#define NO_BREAK "\xc2\xa0"

/* A blank that a line must not end with: "1.4 %" and "layer 2" stay whole, "\u00b7" ends a line. */
static bool binds(Str s, size_t at) {
    static const char *const BEFORE[] = {"layer", "head"}, *const UNITS[] = {"%", "s", "ms"};
    Str left = str_sub(s, 0, at), right = str_sub(s, at + 1, s.n);
    if (str_starts(right, "\xc2\xb7")) return true;
    if (str_starts(right, "\xc3\x97 ") || str_ends(left, "\xc3\x97")) return true; /* 3 × 8 */
    bool number = right.n && right.data[0] >= '0' && right.data[0] <= '9';
    for (size_t i = 0; i < sizeof BEFORE / sizeof *BEFORE && number; i++)
        if (str_ends(left, BEFORE[i])) return true;
    number = left.n && left.data[left.n - 1] >= '0' && left.data[left.n - 1] <= '9';
    for (size_t i = 0; i < sizeof UNITS / sizeof *UNITS && number; i++) {
        size_t n = strlen(UNITS[i]);
        bool ends = right.n == n || (right.n > n && right.data[n] == ' ');
        if (str_starts(right, UNITS[i]) && ends) return true;
    }
    return false;
}

/* The same with no-break spaces there, or with blanks again: what is drawn can be searched for. */
static Str bound(Arena *arena, Str s, bool bind) {
    StrBuf out = {0};
    for (size_t i = 0; i < s.n; i++) {
        bool tied = !bind && str_starts(str_sub(s, i, s.n), NO_BREAK);
        if (tied)
            strbuf_puts(&out, " ");
        else if (bind && s.data[i] == ' ' && binds(s, i))
            strbuf_puts(&out, NO_BREAK);
        else
            strbuf_putc(&out, s.data[i]);
        if (tied) i++;
    }
    Str kept = arena_str(arena, strbuf_str(&out));
    strbuf_free(&out);
    return kept;
}

static double heading_line(Figure *figure, double x, double y, double w, Str s, TextStyle font,
                           Color color, double pitch) {
    Str *lines;
    Arena *arena = figure_arena(figure);
    int n = text_wrap(figure_fonts(figure), arena, bound(arena, s, true), font, w, &lines);
    for (int i = 0; i < n; i++) {
        figure_text(figure, x, y + font.size, bound(arena, lines[i], false),
                    (FigureTextStyle){.font = font, .color = color}, NULL);
        y += pitch;
    }
    return y;
}

ChartArea chart_begin(Figure *figure, const ChartOptions *options, const char *subtitle,
                      double natural_width) {
    const Theme *theme = figure_theme(figure);
    bool print = theme->kind == THEME_PRINT;
    double margin = print ? 4 : options->width > 0 ? fmin(24, options->width * 0.05) : 24;
    ChartArea area = {.margin = margin};
    double width = options->width > 0 ? options->width : natural_width + 2 * margin;
    double least = print ? 200 : 360;
    if (options->width <= 0) {
        /* A small matrix under a long line: the page is widened until that line takes two. */
        TextStyle quiet = {.size = print ? theme->type_small : theme->type_body};
        double line = text_width(figure_fonts(figure), str(subtitle ? subtitle : ""), quiet);
        if (!options->bare) least = fmax(least, fmin(line * 0.54, quiet.size * 46) + 2 * margin);
        width = fmax(width, least);
    }
    area.x = margin;
    area.w = fmax(width - 2 * margin, 8);
    area.y = margin;
    figure_describe(figure, str(options->title ? options->title : ""), str(subtitle));
    if (!options->bare) {
        TextStyle title = {.size = print ? theme->type_title : theme->type_large, .weight = 600};
        bool narrow = print || area.w < theme->type_body * 24;
        TextStyle quiet = {.size = narrow ? theme->type_small : theme->type_body};
        if (options->title && *options->title)
            area.y = heading_line(figure, area.x, area.y, area.w, str(options->title), title,
                                  theme->ink, title.size * 1.4) +
                     title.size * 0.1;
        if (subtitle && *subtitle)
            area.y = heading_line(figure, area.x, area.y, area.w, str(subtitle), quiet, theme->soft,
                                  quiet.size * 1.45);
        area.y += print ? 6 : 20;
    }
    if (options->height > 0) area.h = fmax(options->height - area.y - margin, 8);
    figure_page(figure, width, options->height);
    return area;
}

void chart_end(Figure *figure, const ChartOptions *options, const ChartArea *area, double bottom) {
    FigureBox page = figure_bounds(figure);
    double height = ceil(bottom + area->margin);
    if (options->height > height) height = options->height;
    figure_page(figure, options->width > 0 ? page.w : ceil(page.w), height);
    if (options->has_focus) figure_focus(figure, options->focus);
    figure_seal(figure);
}

const char *chart_subtitle(Arena *arena, const ChartOptions *options, const char *queries,
                           const char *keys, const char *scale) {
    if (options->subtitle) return options->subtitle;
    const char *parts[4] = {queries, keys, scale, options->notes};
    StrBuf out = {0};
    for (int i = 0; i < 4; i++) {
        if (!parts[i] || !*parts[i]) continue;
        if (out.n) strbuf_puts(&out, " \xc2\xb7 ");
        strbuf_puts(&out, parts[i]);
    }
    const char *kept = arena_str(arena, strbuf_str(&out)).data;
    strbuf_free(&out);
    return kept;
}

/* ---- tokens ---- */

/* Scripts whose letters join their neighbours: a piece cut out of a word keeps the shape it has
 * there when a joiner stands where it was cut. */
static bool joins(uint32_t c) {
    return (c >= 0x600 && c <= 0x8ff) || (c >= 0x1800 && c <= 0x18af) ||
           (c >= 0xfb50 && c <= 0xfdff) || (c >= 0xfe70 && c <= 0xfeff);
}

static uint32_t last_character(Str s) {
    size_t at = s.n;
    while (at > 0 && ((unsigned char)s.data[at - 1] & 0xc0) == 0x80)
        at--;
    size_t n_bytes;
    return at > 0 ? utf8_decode(s, at - 1, &n_bytes) : 0xfffd;
}

static Str joined(Arena *arena, Str s, bool before, bool after) {
    size_t n_bytes;
    before = before && s.n && joins(utf8_decode(s, 0, &n_bytes));
    after = after && s.n && joins(last_character(s));
    if (!before && !after) return s;
    const char *joiner = "\xe2\x80\x8d";
    char *out = arena_printf(arena, "%s%.*s%s", before ? joiner : "", (int)s.n, s.data,
                             after ? joiner : "");
    return str(out);
}

/* A token of nothing but blanks would not be seen. */
static Str readable(Arena *arena, Str s) {
    if (s.n == 0) return str("\xe2\x88\x85"); /* the empty set */
    for (size_t i = 0; i < s.n; i++)
        if (s.data[i] != ' ') return s;
    StrBuf out = {0};
    for (size_t i = 0; i < s.n; i++)
        strbuf_puts(&out, "\xe2\x90\xa3"); /* open boxes */
    s = arena_str(arena, strbuf_str(&out));
    strbuf_free(&out);
    return s;
}

/* How many earlier tokens of the axis read the same. */
typedef struct Named {
    Str s;
    int index;
} Named;

static int by_name(const void *p, const void *q) {
    const Named *a = p, *b = q;
    size_t n = a->s.n < b->s.n ? a->s.n : b->s.n;
    int order = n ? memcmp(a->s.data, b->s.data, n) : 0;
    if (order) return order;
    if (a->s.n != b->s.n) return a->s.n < b->s.n ? -1 : 1;
    return (a->index > b->index) - (a->index < b->index);
}

static void number_duplicates(Arena *arena, Str *text, int n) {
    Named *names = arena_alloc(arena, (size_t)n * sizeof *names);
    for (int i = 0; i < n; i++)
        names[i] = (Named){text[i], i};
    qsort(names, (size_t)n, sizeof *names, by_name);
    for (int begin = 0, end; begin < n; begin = end) {
        for (end = begin + 1; end < n && str_eq(names[end].s, names[begin].s);)
            end++;
        for (int i = begin; i < end && end - begin > 1; i++) {
            Str s = names[i].s;
            text[names[i].index] = str(
                arena_printf(arena, "%.*s (%d)", (int)s.n, s.data ? s.data : "", i - begin + 1));
        }
    }
}

/* A bracket alone among words that run from right to left opens to the left, as it does there: it
 * is put between marks of that direction. */
static Str faced(Arena *arena, Str s) {
    static const char *const MIRRORED[] = {"(", ")", "[", "]",        "{",
                                           "}", "<", ">", "\xc2\xab", "\xc2\xbb"};
    bool any = false;
    for (size_t i = 0; i < sizeof MIRRORED / sizeof *MIRRORED && !any; i++)
        any = memmem(s.data, s.n, MIRRORED[i], strlen(MIRRORED[i])) != NULL;
    for (size_t i = 0; i < s.n && any; i++) {
        unsigned char c = (unsigned char)s.data[i];
        bool letter = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
        any = !letter && c < 0xc3;
    }
    if (!any) return s;
    const char *mark = "\xe2\x80\x8f";
    return str(arena_printf(arena, "%s%.*s%s", mark, (int)s.n, s.data, mark));
}

ChartLabels chart_labels(Figure *figure, const ChartAxis *axis, const ChartOptions *options) {
    Arena *arena = figure_arena(figure);
    size_t room = (size_t)(axis->n > 0 ? axis->n : 1);
    int *index = arena_alloc(arena, room * sizeof *index);
    Str *text = arena_alloc(arena, room * sizeof *text), *whole = text;
    bool *special = arena_alloc(arena, room * sizeof *special), any_absent = false;
    int n = 0, n_rtl = 0, n_ltr = 0;
    for (int i = 0; i < axis->n; i++) {
        const ChartToken *token = &axis->tokens[i];
        if (token->hidden) continue;
        any_absent = any_absent || token->absent;
        Str s = readable(arena, text_clean(arena, token->text));
        bool after = i + 1 < axis->n && axis->tokens[i + 1].continues;
        index[n] = i;
        special[n] = token->special;
        if (!token->special && text_is_rtl(s)) n_rtl++;
        if (!token->special && !text_is_rtl(s) && s.n > 1) n_ltr++;
        text[n++] = joined(arena, s, token->continues, after);
    }
    bool rtl = n_rtl > n_ltr;
    for (int i = 0; i < n && rtl; i++)
        text[i] = faced(arena, text[i]);
    if (options->number_duplicates && n > 0) number_duplicates(arena, text, n);
    if (any_absent) {
        text = arena_alloc(arena, room * sizeof *text);
        for (int i = 0; i < n; i++)
            text[i] = axis->tokens[index[i]].absent ? (Str){"", 0} : whole[i];
    }
    return (ChartLabels){n, index, text, whole, special, rtl};
}

ChartLabels chart_labels_part(const ChartLabels *labels, int from, int end) {
    return (ChartLabels){end - from,           labels->index + from,   labels->text + from,
                         labels->whole + from, labels->special + from, labels->rtl};
}

int chart_block_size(int n, int most) {
    int n_blocks = (n + most - 1) / most;
    return n_blocks > 0 ? (n + n_blocks - 1) / n_blocks : most;
}

double chart_labels_width(Figure *figure, const ChartLabels *labels, TextStyle style) {
    double widest = 0;
    for (int i = 0; i < labels->n; i++)
        widest = fmax(widest, text_width(figure_fonts(figure), labels->whole[i], style));
    return widest;
}

/* ---- scale ---- */

double chart_weight(const ChartMatrix *matrix, int query, int key) {
    if (matrix->mask.data && *tensor_at(matrix->mask, query, key, 0, 0) == 0) return NAN;
    return *tensor_at(matrix->weights, query, key, 0, 0);
}

bool chart_is_cut(const ChartMatrix *matrix, int query, int key) {
    return matrix->cut.data && *tensor_at(matrix->cut, query, key, 0, 0) != 0;
}

double chart_row_max(const ChartMatrix *matrix, int query) {
    double max = 0;
    for (int key = 0; key < matrix->weights.shape[1]; key++) {
        double weight = chart_weight(matrix, query, key);
        if (weight > max) max = weight;
    }
    return max;
}

double chart_max(const ChartMatrix *matrix) {
    double max = 0;
    for (int query = 0; query < matrix->weights.shape[0]; query++)
        max = fmax(max, chart_row_max(matrix, query));
    return max;
}

double chart_reference(const ChartRange *range, const ChartMatrix *matrix, int query) {
    return range->kind == CHART_SCALE_ROW    ? chart_row_max(matrix, query)
           : range->kind == CHART_SCALE_EACH ? chart_max(matrix)
                                             : 1;
}

static void extent(const ChartMatrix *matrix, double *low, double *high) {
    for (int64_t q = 0; q < matrix->weights.shape[0]; q++) {
        const float *row = tensor_at(matrix->weights, q, 0, 0, 0);
        int64_t stride = matrix->weights.stride[1];
        for (int64_t k = 0; k < matrix->weights.shape[1]; k++) {
            float x = row[k * stride];
            if (matrix->mask.data && *tensor_at(matrix->mask, q, k, 0, 0) == 0) continue;
            if (!isfinite(x)) continue;
            if (x < *low) *low = x;
            if (x > *high) *high = x;
        }
    }
}

ChartRange chart_range(const ChartMatrix *matrices, int n, const ChartOptions *options) {
    ChartRange range = {options->scale, 0, 1, options->colormap == COLORMAP_DIVERGING};
    if (options->scale == CHART_SCALE_RANGE) {
        range.low = options->low;
        range.high = options->high;
    } else if (options->scale == CHART_SCALE_MAX || range.diverging) {
        double low = 0, high = 0;
        for (int i = 0; i < n; i++)
            extent(&matrices[i], &low, &high);
        range.low = range.diverging ? -fmax(-low, high) : low;
        range.high = range.diverging ? fmax(-low, high) : high;
        if (range.diverging) range.kind = CHART_SCALE_RANGE;
    }
    if (!(range.high > range.low)) { /* all the same: zero keeps its place */
        range.high = range.low + 1;
        if (range.diverging && options->scale != CHART_SCALE_RANGE) range.low = -range.high;
    }
    return range;
}

const char *chart_number(double x, int digits, char buffer[32]) {
    char plain[32];
    number_text(x, digits, plain);
    if (plain[0] != '-') return strcpy(buffer, plain);
    snprintf(buffer, 32, "\xe2\x88\x92%.28s", plain + 1);
    return buffer;
}

const char *chart_range_text(Arena *arena, const ChartRange *range) {
    char low[32], high[32];
    switch (range->kind) {
    case CHART_SCALE_EACH:
        return "scale: each by its maximum";
    case CHART_SCALE_ROW:
        return "scale: each row by its maximum";
    case CHART_SCALE_UNIT:
        return "scale 0..1";
    case CHART_SCALE_MAX:
        return arena_printf(arena, "scale %s..%s (largest)", chart_number(range->low, 3, low),
                            chart_number(range->high, 3, high));
    case CHART_SCALE_RANGE:
        return arena_printf(arena, "scale %s..%s", chart_number(range->low, 3, low),
                            chart_number(range->high, 3, high));
    }
    return "";
}

double chart_place(const ChartRange *range, double weight, double row_max) {
    if (isnan(weight)) return NAN;
    bool relative = range->kind == CHART_SCALE_ROW || range->kind == CHART_SCALE_EACH;
    double place = relative ? (row_max > 0 ? weight / row_max : 0)
                            : (weight - range->low) / (range->high - range->low);
    return place < 0 ? 0 : place > 1 ? 1 : place;
}

static const char *range_end(Arena *arena, const ChartRange *range, bool high) {
    char number[32];
    if (range->kind == CHART_SCALE_ROW) return high ? "row max" : "0";
    if (range->kind == CHART_SCALE_EACH) return high ? "max" : "0";
    return arena_printf(arena, "%s", chart_number(high ? range->high : range->low, 3, number));
}

double chart_legend(Figure *figure, double x, double y, double width, const ChartOptions *options,
                    const ChartRange *range) {
    Color palette[256];
    colormap_fill(options->colormap, figure_theme(figure), palette);
    return chart_legend_palette(figure, x, y, width, palette, range);
}

double chart_legend_unit(Figure *figure, double x, double y, const char *unit) {
    double small = figure_theme(figure)->type_small;
    FigureTextStyle style = {.font = {.size = small}, .color = figure_theme(figure)->soft};
    return figure_text(figure, x, y + small * 0.75, str(unit), style, NULL) + small;
}

double chart_legend_palette(Figure *figure, double x, double y, double width,
                            const Color palette[256], const ChartRange *range) {
    const Theme *theme = figure_theme(figure);
    Arena *arena = figure_arena(figure);
    uint8_t cells[256];
    for (int i = 0; i < 256; i++)
        cells[i] = (uint8_t)i;
    double bar = theme->type_small * 0.6;
    FigureImage image = {
        .rows = 1, .columns = 256, .cells = cells, .palette = palette, .first = FIGURE_PICK_NONE};
    FigureTextStyle style = {.font = {.size = theme->type_small, .tabular = true},
                             .color = theme->soft};
    FigureBox box = {x, y, width, bar};
    figure_image(figure, box, &image, NULL);
    figure_rect(figure, box, 0, (FigurePaint){.stroke = theme->line, .width = theme->line_thin},
                NULL);
    double baseline = y + bar + theme->type_small * 1.25, gap = theme->type_small * 0.4;
    double low = figure_text(figure, x, baseline, str(range_end(arena, range, false)), style, NULL);
    Str high = str(range_end(arena, range, true));
    double end = text_width(figure_fonts(figure), high, style.font);
    if (range->diverging && fmax(low, end) + gap * 2 < width / 2) {
        style.anchor = FIGURE_MIDDLE;
        figure_text(figure, x + width / 2, baseline, str("0"), style, NULL);
    }
    bool fits = low + gap + end <= width; /* under a short bar its ends stand in two lines */
    double line = fits ? 0 : theme->type_small * 1.3;
    style.anchor = FIGURE_END;
    figure_text(figure, x + fmax(width, end), baseline + line, high, style, NULL);
    return bar + theme->type_small * 1.6 + line;
}

double chart_empty(Figure *figure, double x, double y, bool all_hidden) {
    const Theme *theme = figure_theme(figure);
    figure_text(figure, x, y + theme->type_body * 1.5,
                str(all_hidden ? "All tokens are hidden" : "No tokens to draw"),
                (FigureTextStyle){.font = {.size = theme->type_body}, .color = theme->soft}, NULL);
    return y + theme->type_body * 3;
}

const char *chart_decimal(double x, int decimals, char buffer[32]) {
    if (!isfinite(x) || fabs(x) >= 1e6) return chart_number(x, 3, buffer);
    static const long POWERS[] = {1, 10, 100, 1000, 10000};
    if (decimals < 0) decimals = 0;
    if (decimals > 4) decimals = 4;
    long power = POWERS[decimals];
    long value = lround(fabs(x) * (double)power);
    const char *sign = x < 0 && value > 0 ? "\xe2\x88\x92" : "";
    char digits[32];
    snprintf(digits, sizeof digits, "%ld", power + value % power); /* 1 and the decimals */
    snprintf(buffer, 32, "%s%ld%s%.4s", sign, value / power, decimals ? "." : "", digits + 1);
    return buffer;
}

/* A name as an id: XML allows no blanks or slashes in one. */
static const char *id_of(Arena *arena, const ChartMatrix *matrix) {
    if (matrix->id) return matrix->id;
    if (!matrix->name || !*matrix->name) return "matrix";
    char *id = arena_printf(arena, "m-%s", matrix->name);
    for (char *p = id; *p; p++) {
        bool fine = (*p >= '0' && *p <= '9') || (*p >= 'a' && *p <= 'z') ||
                    (*p >= 'A' && *p <= 'Z') || (unsigned char)*p >= 0x80;
        if (!fine) *p = '-';
    }
    bool plain = matrix->name[0] >= 'A' && matrix->name[0] <= 'z';
    return plain ? id + 2 : id;
}

const char *chart_id(Arena *arena, const ChartMatrix *matrix, int query, int key) {
    const char *id = id_of(arena, matrix);
    if (query < 0 && key < 0) return id;
    if (key < 0) return arena_printf(arena, "%s-q%d", id, query);
    if (query < 0) return arena_printf(arena, "%s-k%d", id, key);
    return arena_printf(arena, "%s-q%d-k%d", id, query, key);
}

static bool check_one(const ChartMatrix *matrix, int n_queries, int n_keys, Error *error) {
    const char *name = matrix->name ? matrix->name : "matrix";
    Tensor w = matrix->weights;
    if (!w.data && (n_queries == 0 || n_keys == 0)) return true;
    if (!w.data || w.rank != 2)
        return error_set(error, ERROR_INPUT, "%s: a [query, key] matrix expected", name);
    if (w.shape[0] != n_queries || w.shape[1] != n_keys)
        return error_set(error, ERROR_INPUT,
                         "%s: %lld x %lld weights, but %d query and %d key tokens", name,
                         (long long)w.shape[0], (long long)w.shape[1], n_queries, n_keys);
    if (matrix->mask.data && !tensor_same_shape(matrix->mask, w))
        return error_set(error, ERROR_INPUT, "%s: the mask has not the shape of the weights", name);
    return true;
}

bool chart_check(const ChartMatrix *matrices, int n, const ChartAxis *queries,
                 const ChartAxis *keys, Error *error) {
    if (n < 1) return error_set(error, ERROR_INPUT, "no head to draw: at least one expected");
    for (int i = 0; i < n; i++)
        if (!check_one(&matrices[i], queries->n, keys->n, error)) return false;
    return true;
}
