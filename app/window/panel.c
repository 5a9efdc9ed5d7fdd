/* What lies over the window for a moment: palette, lists, forms. One at a time; Escape or a click
 * beside it closes it. */
#include <math.h>
#include <string.h>

#include "app/window/jobs.h"
#include "app/window/window.h"

typedef struct PanelRow {
    Panel panel;
    const char *title;
    double width, height; /* units; 0: as tall as the window allows */
    bool drawer_left, drawer_right, has_query;
    void (*draw)(Window *window, Box box);
} PanelRow;

static void draw_inspector(Window *w, Box box) {
    inspector_draw(w, box);
}

static const PanelRow rows[] = {
    {PANEL_PALETTE, "Commands", 520, 460, false, false, true, panel_palette},
    {PANEL_HELP, "Keys", 1240, 720, false, false, false, panel_help},
    {PANEL_OPEN, "Open", 640, 520, false, false, true, panel_open_model},
    {PANEL_EXPORT, "Export", 620, 250, false, false, true, panel_export},
    {PANEL_HEADS, "Heads", 680, 0, false, false, false, panel_heads},
    {PANEL_BEAM, "Beam", 1240, 480, false, false, false, panel_beam},
    {PANEL_LINES, "Sentences", 820, 0, false, false, false, panel_lines},
    {PANEL_OPTIONS, "Options", 480, 0, false, false, false, panel_options},
    {PANEL_VALUES, "Values", 1100, 0, false, false, false, panel_values},
    {PANEL_VIEWS, "", 200, 0, true, false, false, sidebar_list},
    {PANEL_INSPECTOR, "", 276, 0, false, true, false, draw_inspector},
};

static const PanelRow *row_of(Panel panel) {
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (rows[i].panel == panel) return &rows[i];
    return NULL;
}

void panel_open(Window *w, Panel panel) {
    if (w->panel == panel) {
        panel_close(w);
        return;
    }
    w->panel = panel;
    w->ui.menu.owner = 0;
    w->chosen = 0;
    w->panel_scroll = (UiScroll){0};
    w->fields_fresh = true;
    textedit_set(&w->query.edit, (Str){"", 0});
    const PanelRow *row = row_of(panel);
    if (row && row->has_query)
        ui_focus(&w->ui, ui_id("query", 0));
    else
        ui_focus(&w->ui, ui_id("panel", 0));
    w->ui.focus_visible = false;
    if (panel == PANEL_OPEN) job_scan(w);
    w->ui.again = true;
}

void panel_close(Window *w) {
    w->panel = PANEL_NONE;
    w->ui.menu.owner = 0;
    ui_focus(&w->ui, picture_id());
    w->ui.focus_visible = false;
    w->ui.again = true;
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

/* The wheel and the pointer leave the list where it is; the arrows bring the chosen row in sight.
 */
static void follow_chosen(Window *w, Box box, double pitch) {
    if (w->ui.in.moved || w->ui.in.wheel_y != 0) return;
    double top = w->chosen * pitch;
    w->panel_scroll.offset = fmin(top, fmax(w->panel_scroll.offset, top + pitch - box.h));
}

int panel_list(Window *w, Box box, const PanelList *list) {
    Ui *ui = &w->ui;
    int clicked = -1, n = list->n;
    if (ui_key(ui, SDLK_DOWN, false, false)) w->chosen++;
    if (ui_key(ui, SDLK_UP, false, false)) w->chosen--;
    w->chosen = w->chosen >= n ? n - 1 : w->chosen;
    if (w->chosen < 0) w->chosen = 0;
    follow_chosen(w, box, list->pitch);
    PaintClip outer;
    Box at = ui_scroll_begin(ui, ui_id(list->name, 0), box, &w->panel_scroll, &outer);
    for (int i = 0; i < n; i++) {
        Box row = {at.x, at.y + i * list->pitch, at.w - 8, list->pitch};
        if (!paint_sees(&ui->paint, row)) continue;
        UiState state = ui_widget(ui, ui_id(list->name, i + 2), row, false);
        if (state.hot && ui->in.moved) w->chosen = i;
        list->draw_row(w, row, list->rows, i, i == w->chosen);
        if (state.clicked) clicked = i;
    }
    ui_scroll_end(ui, ui_id(list->name, 1), box, &w->panel_scroll, n * list->pitch, outer);
    return clicked;
}

bool panel_entered(Window *w) {
    return ui_key(&w->ui, SDLK_RETURN, false, false) || ui_key(&w->ui, SDLK_KP_ENTER, false, false);
}

void panel_values(Window *w, Box box) {
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
