/* Weights over the picture that they are about; those of a sound are overlay_sound.c. */
#include "render/overlay.h"

#include <math.h>

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

/* The patches of one panel. */
typedef struct Patches {
    const OverlayPicture *picture;
    const ChartMatrix *panel;
    int series, rows, columns;
    const uint8_t *cells; // [rows, columns] places in the palette
    FigureBox box;
} Patches;

static FigureBox patch_box(const Patches *p, int index) {
    double w = p->box.w / p->columns, h = p->box.h / p->rows;
    return (FigureBox){p->box.x + index % p->columns * w, p->box.y + index / p->columns * h, w, h};
}

/* Clear, but there to be pointed at; framed where it is strong, for a bright patch of the picture
 * looks like a covered one. */
static void draw_patch(Figure *figure, const Patches *p, int index, Arena *scratch) {
    const Theme *theme = figure_theme(figure);
    FigureBox box = patch_box(p, index);
    int query = p->picture->query, key = index + p->picture->first_key;
    int r = index / p->columns, c = index % p->columns;
    double weight = chart_weight(p->panel, r, c);
    char number[32];
    FigureMark mark = {
        .pick = {p->series, query, key},
        .role = FIGURE_CELL,
        .weight = weight,
        .has_weight = !isnan(weight),
        .id = chart_id(scratch, p->panel, query, key),
        .title = arena_printf(scratch, "patch %d,%d: %s", r, c, number_text(weight, 4, number))};
    double place = p->cells[index] / 255.0;
    bool strong = place >= 0.1;
    FigurePaint paint = {.fill = color_alpha(theme->paper, 0.001),
                         .width = theme->line_thin * (strong ? 1 : 0.5)};
    paint.stroke =
        strong ? color_alpha(theme->ink, place) : color_alpha(theme->line, box.w >= 6 ? 0.35 : 0);
    figure_rect(figure, box, 0, paint, &mark);
}

static void draw_picture(Figure *figure, const OverlayPicture *picture, int series, FigureBox box,
                         const ChartRange *range, const Veil *veil) {
    const Theme *theme = figure_theme(figure);
    const ChartMatrix *panel = &picture->panels[series];
    FigureImage photo = {.rows = picture->height,
                         .columns = picture->width,
                         .rgba = picture->rgba,
                         .smooth = true,
                         .first = FIGURE_PICK_NONE};
    figure_image(figure, box, &photo, NULL);
    Arena *scratch = arena_new();
    Patches p = {.picture = picture,
                 .panel = panel,
                 .series = series,
                 .rows = (int)panel->weights.shape[0],
                 .columns = (int)panel->weights.shape[1],
                 .cells = cells_of(scratch, panel, range),
                 .box = box};
    /* A patch is one key, not a row and a column of them. */
    FigureImage patches = {.rows = p.rows,
                           .columns = p.columns,
                           .cells = p.cells,
                           .palette = veil->palette,
                           .first = FIGURE_PICK_NONE};
    FigureMark of_image = {.pick = FIGURE_PICK_NONE,
                           .role = FIGURE_STATIC,
                           .id = chart_id(scratch, panel, -1, -1),
                           .title = panel->name};
    figure_image(figure, box, &patches, &of_image);
    int n = p.rows * p.columns, chosen = picture->query - picture->first_key;
    for (int i = 0; i < n && n <= 4000; i++)
        draw_patch(figure, &p, i, scratch);
    if (chosen >= 0 && chosen < n)
        figure_rect(figure, patch_box(&p, chosen), 0,
                    (FigurePaint){.stroke = theme->accent, .width = 2.5 * theme->line_thin}, NULL);
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
