/* What lies over the window for a moment: palette, lists, forms. One at a time; Escape or a click
 * beside it closes it. */
#include <math.h>

#include "app/window/panel.h"
#include "app/window/parts.h"

/* Of a hook. */
static void draw_values(Window *w, Box box) {
    Ui *ui = &w->ui;
    Shown *s = w->values;
    if (!s || !s->figure) return;
    ui_user_text(ui, str(w->values_title), box_cut_top(&box, 20), 13, 600, ui->theme->ink,
                 LABEL_LEFT);
    ui_user_text(ui, strbuf_str(&s->report.subtitle), box_cut_top(&box, 24), 12, 400,
                 ui->theme->soft, LABEL_LEFT);
    FigureBox page = figure_bounds(s->figure);
    double scale = ui->paint.scale;
    double zoom = fmin(1, fmin(box.w / page.w, box.h / page.h));
    PaintClip c = ui->paint.clip;
    CanvasView view = {.scale = scale * zoom,
                       .x = round(box.x * scale),
                       .y = round(box.y * scale),
                       .clip_x = c.x0,
                       .clip_y = c.y0,
                       .clip_w = c.x1 - c.x0,
                       .clip_h = c.y1 - c.y0,
                       .bare = true};
    canvas_play(ui->canvas, s->figure, &view, &ui->paint.pixels);
}

typedef struct PanelRow {
    Panel panel;
    const char *title;
    double width, height; /* units; 0: as tall as the window allows */
    bool drawer_left, drawer_right;
    void (*draw)(Window *window, Box box);
} PanelRow;

static const PanelRow rows[] = {
    {PANEL_PALETTE, "Commands", 520, 460, false, false, panel_palette},
    {PANEL_HELP, "Keys", 1240, 720, false, false, panel_help},
    {PANEL_OPEN, "Open", 640, 520, false, false, panel_open_model},
    {PANEL_EXPORT, "Export", 620, 250, false, false, panel_export},
    {PANEL_HEADS, "Heads", 680, 0, false, false, panel_heads},
    {PANEL_BEAM, "Beam", 1240, 480, false, false, panel_beam},
    {PANEL_LINES, "Sentences", 820, 0, false, false, panel_lines},
    {PANEL_OPTIONS, "Options", 480, 0, false, false, panel_options},
    {PANEL_VALUES, "Values", 1100, 0, false, false, draw_values},
    {PANEL_VIEWS, "", 200, 0, true, false, sidebar_list},
    {PANEL_INSPECTOR, "", 276, 0, false, true, inspector_draw},
};

static const PanelRow *row_of(Panel panel) {
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (rows[i].panel == panel) return &rows[i];
    return NULL;
}

static Box place_panel(Window *w, const PanelRow *row) {
    double top = topbar_height(w, w->width), bottom = strip_wanted(w) ? 60 : 0;
    if (row->drawer_left) return (Box){0, top, row->width, w->height - top - bottom};
    if (row->drawer_right)
        return (Box){w->width - row->width, top, row->width, w->height - top - bottom};
    double width = fmin(row->width, w->width - 32);
    double room = w->height - 64;
    double height = row->height > 0 ? fmin(row->height, room) : room;
    double y = row->height > 0 ? fmin(96, (w->height - height) / 2) : 32;
    return (Box){floor((w->width - width) / 2), y, width, height};
}

void panel_draw(Window *w) {
    const PanelRow *row = row_of(w->panel);
    if (!row) return;
    Ui *ui = &w->ui;
    Box all = {0, 0, w->width, w->height}, box = place_panel(w, row);
    bool drawer = row->drawer_left || row->drawer_right;
    ui_float_begin(ui, all);
    paint_veil(&ui->paint, all, color_alpha(COLOR_BLACK, drawer ? 0.10 : 0.24));
    if (!drawer) paint_shadow(&ui->paint, box, 12, 24, color_alpha(COLOR_BLACK, 0.16));
    paint_round(&ui->paint, box, drawer ? 0 : 12, ui->theme->panel);
    paint_frame(&ui->paint, box, drawer ? 0 : 12, 1, ui->theme->line);
    bool beside = ui->in.pressed && !box_has(box, ui->in.x, ui->in.y) && !ui->menu.owner;
    Panel before = w->panel;
    Box inner = drawer ? box : box_inset(box, 20, 16);
    if (!drawer) {
        Box head = box_cut_top(&inner, 32);
        Box close = box_cut_right(&head, 28);
        ui_text(ui, row->title, head, 17, 600, UI_INK, LABEL_LEFT);
        if (ui_icon_button(ui, ui_id("panel-close", 0), (Box){close.x, close.y + 2, 28, 28},
                           ICON_CLOSE, false, "Close (Esc)"))
            panel_close(w);
        box_cut_top(&inner, 8);
    }
    PaintClip outer = paint_clip(&ui->paint, drawer ? inner : box_inset(inner, -6, -6));
    row->draw(w, inner);
    paint_unclip(&ui->paint, outer);
    ui_float_end(ui);
    bool escape = !ui->menu.owner && ui_key(ui, SDLK_ESCAPE, false, false);
    if ((beside || escape) && w->panel == before) panel_close(w);
}
