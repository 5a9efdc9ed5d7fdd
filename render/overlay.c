#include "render/overlay.h"

#include <math.h>

#include "render/axis.h"

typedef struct Veil {
    Color palette[256];
} Veil;

/* Over a picture: paper where nothing attends, so that what is attended to shows through; or
 * another map laid on as a tint. */
static Veil veil_of(Colormap map, const Theme *theme) {
    Veil veil;
    colormap_fill(map, theme, veil.palette);
    for (int i = 0; i < 256; i++) {
        double t = i / 255.0;
        veil.palette[i] = map == COLORMAP_PAPER ? color_alpha(theme->paper, 0.88 * (1 - sqrt(t)))
                                                : color_alpha(veil.palette[i], 0.15 + 0.65 * t);
    }
    return veil;
}

/* What the veil makes of a grey picture, for the legend. */
static void legend_of(const Veil *veil, const Theme *theme, Color out[256]) {
    Color grey = color_mix(theme->paper, theme->ink, 0.62);
    for (int i = 0; i < 256; i++)
        out[i] = color_over(veil->palette[i], grey);
}

static uint8_t *cells_of(Arena *arena, const ChartMatrix *matrix, const ChartRange *range) {
    int64_t rows = matrix->weights.shape[0], columns = matrix->weights.shape[1];
    uint8_t *cells = arena_alloc(arena, (size_t)(rows * columns) + 1);
    double each = range->kind == CHART_SCALE_EACH ? chart_max(matrix) : 1;
    for (int64_t r = 0; r < rows; r++)
        for (int64_t c = 0; c < columns; c++) {
            double place = chart_place(
                range, chart_weight(matrix, (int)r, (int)c),
                range->kind == CHART_SCALE_EACH ? each : chart_reference(range, matrix, (int)r));
            cells[r * columns + c] = isnan(place) ? 0 : (uint8_t)lround(place * 255);
        }
    return cells;
}

static void draw_picture(Figure *figure, const OverlayPicture *picture, int series, FigureBox box,
                         const ChartRange *range, const Veil *veil) {
    const Theme *theme = figure_theme(figure);
    const ChartMatrix *panel = &picture->panels[series];
    int rows = (int)panel->weights.shape[0], columns = (int)panel->weights.shape[1];
    FigureImage photo = {.rows = picture->height,
                         .columns = picture->width,
                         .rgba = picture->rgba,
                         .smooth = true,
                         .first = FIGURE_PICK_NONE};
    figure_image(figure, box, &photo, NULL);
    Arena *scratch = arena_new();
    /* A patch is one key, not a row and a column of them. */
    uint8_t *cells = cells_of(scratch, panel, range);
    FigureImage patches = {.rows = rows,
                           .columns = columns,
                           .cells = cells,
                           .palette = veil->palette,
                           .first = FIGURE_PICK_NONE};
    FigureMark of_image = {.pick = FIGURE_PICK_NONE,
                           .role = FIGURE_STATIC,
                           .id = chart_id(scratch, panel, -1, -1),
                           .title = panel->name};
    figure_image(figure, box, &patches, &of_image);
    double w = box.w / columns, h = box.h / rows;
    for (int r = 0; r < rows && rows * columns <= 4000; r++)
        for (int c = 0; c < columns; c++) {
            int key = r * columns + c + picture->first_key;
            double weight = chart_weight(panel, r, c);
            char number[32];
            FigureMark mark = {.pick = {series, picture->query, key},
                               .role = FIGURE_CELL,
                               .weight = weight,
                               .has_weight = !isnan(weight),
                               .id = chart_id(scratch, panel, picture->query, key),
                               .title = arena_printf(scratch, "patch %d,%d: %s", r, c,
                                                     number_text(weight, 4, number))};
            /* Clear, but there to be pointed at; framed where it is strong, for a bright patch of
             * the picture looks like a covered one. */
            double place = cells[(int64_t)r * columns + c] / 255.0;
            FigurePaint paint = {.fill = color_alpha(theme->paper, 0.001)};
            paint.stroke = color_alpha(place >= 0.1 ? theme->ink : theme->line, place >= 0.1 ? place
                                                                                : w >= 6     ? 0.35
                                                                                             : 0);
            paint.width = theme->line_thin * (place >= 0.1 ? 1 : 0.5);
            figure_rect(figure, (FigureBox){box.x + c * w, box.y + r * h, w, h}, 0, paint, &mark);
        }
    int chosen = picture->query - picture->first_key;
    if (chosen >= 0 && chosen < rows * columns)
        figure_rect(
            figure, (FigureBox){box.x + chosen % columns * w, box.y + chosen / columns * h, w, h},
            0, (FigurePaint){.stroke = theme->accent, .width = 2.5 * theme->line_thin}, NULL);
    figure_rect(figure, box, 0, (FigurePaint){.stroke = theme->line, .width = theme->line_thin},
                NULL);
    if (panel->name)
        figure_text(figure, box.x, box.y - theme->type_small * 0.7, str(panel->name),
                    (FigureTextStyle){.font = {.size = theme->type_small, .weight = 600},
                                      .color = theme->ink,
                                      .max_width = box.w},
                    &(FigureMark){.pick = {series, -1, -1}, .role = FIGURE_LABEL});
    arena_free(scratch);
}

static const char *query_said(const OverlayPicture *picture) {
    if (picture->query_title) return picture->query_title;
    return picture->query < picture->first_key ? "query: the class token"
                                               : "query: the outlined patch";
}

bool overlay_picture(Figure *figure, const OverlayPicture *picture, const ChartOptions *options,
                     Error *error) {
    if (!picture->rgba || picture->width < 1 || picture->height < 1)
        return error_set(error, ERROR_INPUT, "no picture to lay weights over");
    if (picture->n_panels < 1) return error_set(error, ERROR_INPUT, "no head to draw");
    for (int i = 0; i < picture->n_panels; i++)
        if (!picture->panels[i].weights.data || picture->panels[i].weights.rank != 2)
            return error_set(error, ERROR_INPUT, "%s: weights [patch row, patch column] expected",
                             picture->panels[i].name ? picture->panels[i].name : "panel");
    const Theme *theme = figure_theme(figure);
    double unit = theme->type_body / 13, gap = 20 * unit,
           shape = (double)picture->height / picture->width;
    int n = picture->n_panels;
    ChartRange range = chart_range(picture->panels, n, options);
    double most = n == 1 ? 420 * unit : 220 * unit;
    int across = n < 4 ? n : (int)ceil(sqrt(n));
    ChartArea area = chart_begin(figure, options,
                                 chart_subtitle(figure_arena(figure), options, query_said(picture),
                                                "key: patches of the picture",
                                                chart_range_text(figure_arena(figure), &range)),
                                 across * most + (across - 1) * gap);
    int down = (n + across - 1) / across;
    double name_h = theme->type_small * 1.8, foot = 3 * theme->type_small;
    double w = (area.w - (across - 1) * gap) / across;
    if (options->width <= 0) w = fmin(w, most);
    if (area.h > 0) w = fmin(w, ((area.h - foot - (down - 1) * gap) / down - name_h) / shape);
    w = fmax(w, 16);
    double used = across * w + (across - 1) * gap;
    double shift = area.h > 0 ? fmax(0, (area.w - used) / 2) : 0; /* to the middle of a window */
    area.x += shift;
    area.w -= shift;
    Veil veil = veil_of(options->colormap, theme);
    double bottom = area.y;
    for (int i = 0; i < n; i++) {
        FigureBox box = {area.x + i % across * (w + gap),
                         area.y + name_h + i / across * (w * shape + gap + name_h), w, w * shape};
        draw_picture(figure, picture, i, box, &range, &veil);
        bottom = box.y + box.h;
    }
    bottom += theme->type_small;
    Color palette[256];
    legend_of(&veil, theme, palette);
    double named = chart_legend_unit(figure, area.x, bottom, "weight");
    bottom += chart_legend_palette(figure, area.x + named, bottom, fmin(160 * unit, area.w - named),
                                   palette, &range);
    chart_end(figure, options, &area, bottom);
    return true;
}

/* ---- sound ---- */

static void draw_mel(Figure *figure, const OverlaySound *sound, FigureBox box) {
    int bands = (int)sound->mel.shape[0], frames = (int)sound->mel.shape[1];
    const Theme *theme = figure_theme(figure);
    double low = HUGE_VAL, high = -HUGE_VAL;
    for (int b = 0; b < bands; b++)
        for (int t = 0; t < frames; t++) {
            double x = *tensor_at(sound->mel, b, t, 0, 0);
            if (!isfinite(x)) continue;
            low = fmin(low, x);
            high = fmax(high, x);
        }
    Arena *scratch = arena_new();
    uint8_t *cells = arena_calloc(scratch, (size_t)bands * (size_t)frames + 1, 1);
    for (int b = 0; b < bands; b++) /* high pitches on top */
        for (int t = 0; t < frames; t++) {
            double x = *tensor_at(sound->mel, bands - 1 - b, t, 0, 0);
            double place = high > low && isfinite(x) ? (x - low) / (high - low) : 0;
            cells[(size_t)b * (size_t)frames + (size_t)t] = (uint8_t)lround(255 * place);
        }
    Color palette[256];
    colormap_fill(COLORMAP_GREY, theme, palette);
    FigureImage image = {.rows = bands,
                         .columns = frames,
                         .cells = cells,
                         .palette = palette,
                         .reduce = FIGURE_REDUCE_MEAN,
                         .first = FIGURE_PICK_NONE};
    figure_image(figure, box, &image, NULL);
    figure_rect(figure, box, 0, (FigurePaint){.stroke = theme->line, .width = theme->line_thin},
                NULL);
    arena_free(scratch);
}

static ChartLabels moments(Arena *arena, int n) {
    int *index = arena_alloc(arena, ((size_t)n + 1) * sizeof *index);
    for (int i = 0; i < n; i++)
        index[i] = i;
    return (ChartLabels){.n = n, .index = index};
}

static void draw_rows(Figure *figure, const OverlaySound *sound, int series,
                      const ChartOptions *options, const ChartLabels *tokens,
                      const ChartRange *range, FigureBox box) {
    const Theme *theme = figure_theme(figure);
    const ChartMatrix *panel = &sound->panels[series];
    Arena *scratch = arena_new();
    ChartLabels keys = moments(scratch, (int)panel->weights.shape[1]);
    bool has_masked;
    uint8_t *cells = chart_cells(scratch, panel, tokens, &keys, range, false, &has_masked);
    Color palette[256];
    chart_palette(options->colormap, theme, has_masked, palette);
    FigureImage image = {.rows = tokens->n,
                         .columns = keys.n,
                         .cells = cells,
                         .palette = palette,
                         .has_masked = has_masked,
                         .first = {series, 0, 0},
                         .queries = tokens->index};
    FigureMark mark = {.pick = {series, -1, -1},
                       .role = FIGURE_STATIC,
                       .id = chart_id(scratch, panel, -1, -1),
                       .title = panel->name};
    if (tokens->n > 0 && keys.n > 0) figure_image(figure, box, &image, &mark);
    figure_rect(figure, box, 0, (FigurePaint){.stroke = theme->line, .width = theme->line_thin},
                NULL);
    if (sound->n_panels > 1 && panel->name)
        figure_text(figure, box.x, box.y - theme->type_small * 0.5, str(panel->name),
                    (FigureTextStyle){.font = {.size = theme->type_small, .weight = 600},
                                      .color = theme->ink,
                                      .max_width = box.w},
                    &(FigureMark){.pick = {series, -1, -1}, .role = FIGURE_LABEL});
    double pitch = tokens->n ? box.h / tokens->n : box.h;
    double size = fmin(fmax(pitch * 0.66, theme->type_token_min), theme->type_body);
    int step = (int)ceil(size * 1.12 / pitch);
    for (int i = 0; i < tokens->n && !sound->moments_down; i += step)
        figure_text(figure, box.x - 8, box.y + (i + 0.5) * pitch + size * 0.36, tokens->text[i],
                    (FigureTextStyle){.font = {.size = size},
                                      .color = tokens->special[i] ? theme->soft : theme->ink,
                                      .anchor = FIGURE_END,
                                      .max_width = box.x - 16},
                    &(FigureMark){.pick = {-1, tokens->index[i], -1}, .role = FIGURE_LABEL});
    arena_free(scratch);
}

/* How the panels of a sound share the page. */
typedef struct SoundLayout {
    int across, down;
    double left, mel_h, name_h, rows_h, gap, column_w; /* left: the room of the labels */
} SoundLayout;

static SoundLayout lay_out(Figure *figure, const OverlaySound *sound, const ChartLabels *tokens,
                           const ChartArea *area) {
    const Theme *theme = figure_theme(figure);
    double unit = theme->type_body / 13, foot = theme->type_small * 6.5;
    int n = sound->n_panels;
    SoundLayout l = {.across = n <= 6 ? 1 : n <= 16 ? 2 : 3, .gap = 8 * unit, .mel_h = 110 * unit};
    l.down = (n + l.across - 1) / l.across;
    l.column_w = (area->w - (l.across - 1) * 20 * unit) / l.across;
    l.name_h = n > 1 ? theme->type_small * 1.8 : 0;
    l.left = fmin(chart_labels_width(figure, tokens, (TextStyle){.size = theme->type_body}) + 10,
                  l.column_w * 0.25);
    if (sound->moments_down) l.left = theme->type_small * 6;
    double least = n > 1 ? 6 : 10, all = 460 / (n > 1 ? 2 : 1);
    l.rows_h = fmin(26, fmax(least, all / fmax(tokens->n, 1))) * unit * tokens->n;
    if (sound->moments_down) l.rows_h = all * unit;
    if (area->h > 0) {
        l.mel_h = fmin(l.mel_h, area->h * (n > 1 ? 0.2 : 0.3));
        l.rows_h = fmax((area->h - l.mel_h - foot) / l.down - l.gap - l.name_h, 20);
    }
    return l;
}

/* One column: the spectrogram, panels first to end - 1 below it, the seconds; returns its lowest
 * point. */
static double draw_column(Figure *figure, const OverlaySound *sound, const ChartOptions *options,
                          const ChartLabels *tokens, const ChartRange *range, const SoundLayout *l,
                          int first, int end, double x, double y) {
    FigureBox box = {x + l->left, y, fmax(l->column_w - l->left, 20), l->mel_h};
    double seconds = sound->seconds > 0 ? sound->seconds : 1;
    draw_mel(figure, sound, box);
    for (int i = first; i < end; i++) {
        box.y += box.h + l->gap + l->name_h;
        box.h = l->rows_h;
        AxisScale down = {.high = seconds, .from = box.y, .to = box.y + box.h};
        if (sound->moments_down) axis_left(figure, box, &down, "seconds");
        draw_rows(figure, sound, i, options, tokens, range, box);
    }
    AxisScale time = {.low = 0, .high = seconds, .from = box.x, .to = box.x + box.w};
    axis_bottom(figure, box, &time, "seconds");
    return box.y + box.h;
}

static bool check_sound(const OverlaySound *sound, Error *error) {
    if (!sound->mel.data || sound->mel.rank != 2)
        return error_set(error, ERROR_INPUT, "no spectrogram [band, frame] to draw");
    if (sound->n_panels < 1) return error_set(error, ERROR_INPUT, "no head to draw");
    for (int i = 0; i < sound->n_panels; i++) {
        Tensor w = sound->panels[i].weights;
        if (!w.data || w.rank != 2 || w.shape[0] != sound->tokens.n)
            return error_set(error, ERROR_INPUT, "weights [%d tokens, moment] expected",
                             sound->tokens.n);
    }
    return true;
}

bool overlay_sound(Figure *figure, const OverlaySound *sound, const ChartOptions *options,
                   Error *error) {
    if (!check_sound(sound, error)) return false;
    const Theme *theme = figure_theme(figure);
    double unit = theme->type_body / 13;
    int n = sound->n_panels;
    ChartLabels tokens = chart_labels(figure, &sound->tokens, options);
    ChartRange range = chart_range(sound->panels, n, options);
    ChartArea area = chart_begin(
        figure, options,
        chart_subtitle(figure_arena(figure), options,
                       arena_printf(figure_arena(figure), "%s (rows)",
                                    sound->tokens.title ? sound->tokens.title : "query: token"),
                       "key: moment of the sound (columns)",
                       chart_range_text(figure_arena(figure), &range)),
        (n > 6 ? 1080 : 860) * unit);
    SoundLayout l = lay_out(figure, sound, &tokens, &area);
    double bottom = area.y;
    for (int column = 0; column < l.across; column++) {
        int first = column * l.down, end = first + l.down < n ? first + l.down : n;
        if (first >= end) break;
        double x = area.x + column * (l.column_w + 20 * unit);
        bottom = fmax(bottom, draw_column(figure, sound, options, &tokens, &range, &l, first, end,
                                          x, area.y));
    }
    bottom += theme->type_small * 3.6;
    double at = area.x + l.left + chart_legend_unit(figure, area.x + l.left, bottom, "weight");
    bottom +=
        chart_legend(figure, at, bottom, fmin(160 * unit, area.x + area.w - at), options, &range);
    chart_end(figure, options, &area, bottom);
    return true;
}
