/* Weights below the sound that they are about: its spectrogram, and the heads one below the other.
 */
#include <math.h>

#include "render/axis.h"
#include "render/overlay.h"

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

/* How the panels of a sound share the page. */
typedef struct SoundLayout {
    int across, down;
    double left, mel_h, name_h, rows_h, gap, column_w; /* left: the room of the labels */
} SoundLayout;

/* What all columns of one figure have in common. */
typedef struct Sounds {
    Figure *figure;
    const OverlaySound *sound;
    const ChartOptions *options;
    ChartLabels tokens;
    ChartRange range;
    SoundLayout layout;
} Sounds;

static void draw_rows(const Sounds *s, int series, FigureBox box) {
    Figure *figure = s->figure;
    const OverlaySound *sound = s->sound;
    const ChartLabels *tokens = &s->tokens;
    const Theme *theme = figure_theme(figure);
    const ChartMatrix *panel = &sound->panels[series];
    Arena *scratch = arena_new();
    ChartLabels keys = moments(scratch, (int)panel->weights.shape[1]);
    bool has_masked;
    uint8_t *cells = chart_cells(scratch, panel, tokens, &keys, &s->range, false, &has_masked);
    Color palette[256];
    chart_palette(s->options->colormap, theme, has_masked, palette);
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
static double draw_column(const Sounds *s, int first, int end, double x, double y) {
    Figure *figure = s->figure;
    const OverlaySound *sound = s->sound;
    const SoundLayout *l = &s->layout;
    FigureBox box = {x + l->left, y, fmax(l->column_w - l->left, 20), l->mel_h};
    double seconds = sound->seconds > 0 ? sound->seconds : 1;
    draw_mel(figure, sound, box);
    for (int i = first; i < end; i++) {
        box.y += box.h + l->gap + l->name_h;
        box.h = l->rows_h;
        AxisScale down = {.high = seconds, .from = box.y, .to = box.y + box.h};
        if (sound->moments_down) axis_left(figure, box, &down, "seconds");
        draw_rows(s, i, box);
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
    Sounds s = {.figure = figure,
                .sound = sound,
                .options = options,
                .tokens = chart_labels(figure, &sound->tokens, options),
                .range = chart_range(sound->panels, n, options)};
    ChartArea area = chart_begin(
        figure, options,
        chart_subtitle(figure_arena(figure), options,
                       arena_printf(figure_arena(figure), "%s (rows)",
                                    sound->tokens.title ? sound->tokens.title : "query: token"),
                       "key: moment of the sound (columns)",
                       chart_range_text(figure_arena(figure), &s.range)),
        (n > 6 ? 1080 : 860) * unit);
    s.layout = lay_out(figure, sound, &s.tokens, &area);
    const SoundLayout *l = &s.layout;
    double bottom = area.y;
    for (int column = 0; column < l->across; column++) {
        int first = column * l->down, end = first + l->down < n ? first + l->down : n;
        if (first >= end) break;
        double x = area.x + column * (l->column_w + 20 * unit);
        bottom = fmax(bottom, draw_column(&s, first, end, x, area.y));
    }
    bottom += theme->type_small * 3.6;
    double at = area.x + l->left + chart_legend_unit(figure, area.x + l->left, bottom, "weight");
    bottom +=
        chart_legend(figure, at, bottom, fmin(160 * unit, area.x + area.w - at), options, &s.range);
    chart_end(figure, options, &area, bottom);
    return true;
}
