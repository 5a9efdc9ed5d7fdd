/* The ground that all panels stand on: opening and closing one, and its list. Which there are and
 * what draws them is panel_draw.c. */
#include "app/window/panel.h"

#include <math.h>

#include "app/window/picture.h"

/* A field that takes the letters at once. */
static bool has_query(Panel panel) {
    return panel == PANEL_PALETTE || panel == PANEL_OPEN || panel == PANEL_EXPORT;
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
    ui_focus(&w->ui, ui_id(has_query(panel) ? "query" : "panel", 0));
    w->ui.focus_visible = false;
    w->ui.again = true;
}

void panel_close(Window *w) {
    w->panel = PANEL_NONE;
    w->ui.menu.owner = 0;
    ui_focus(&w->ui, picture_id());
    w->ui.focus_visible = false;
    w->ui.again = true;
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
