/* The column of views at the left, and the tools below it. Narrow: numbers alone, the list is a
 * drawer. */
#include <math.h>
#include <string.h>

#include "app/window/actions.h"
#include "app/window/panel.h"
#include "app/window/parts.h"
#include "app/window/steps.h"
#include "app/window/view_icon.h"

static void go_view(Window *w, const View *view) {
    state_put_text(&w->state.view, view->name);
    w->playing = w->playing && steps_n(w) > 1;
    if (w->panel == PANEL_VIEWS) panel_close(w);
}

static void view_row(Window *w, Box row, const View *view, int index, bool bare) {
    char key[16] = "", tip[512], reason[256];
    if (index < 9) snprintf(key, sizeof key, "%d", index + 1);
    bool fits = window_view_fits(w, view, reason);
    if (fits)
        snprintf(tip, sizeof tip, "%s%s%s%s", bare ? view->title : view->meaning,
                 index < 9 ? " (Alt+" : "", key, index < 9 ? ")" : "");
    else
        snprintf(tip, sizeof tip, "%s", reason);
    bool selected = window_view(w) == view;
    UiButton look = {bare ? UI_QUIET : UI_ROW, selected, false, bare ? NULL : key, tip};
    UiId id = ui_id("view", index);
    if (!fits && !selected) {
        /* Grey, with the reason; it can still be opened and says what to do. */
        UiState state = ui_widget(&w->ui, id, row, true);
        if (state.hot)
            paint_round(&w->ui.paint, row, 6,
                        color_mix(w->ui.theme->panel, w->ui.theme->ink, 0.04));
        if (bare)
            view_icon(&w->ui, view->name, row, w->ui.theme->faint);
        else
            ui_text(&w->ui, view->title, box_inset(row, 12, 0), 13, 400, UI_FAINT, LABEL_LEFT);
        ui_ring(&w->ui, id, row, 6);
        ui_tip(&w->ui, id, row, tip);
        if (state.clicked) go_view(w, view);
        return;
    }
    if (ui_button(&w->ui, id, row, bare ? "" : view->title, look)) go_view(w, view);
    if (bare)
        view_icon(&w->ui, view->name, row, selected ? w->ui.theme->accent : w->ui.theme->soft);
}

/* Tools that are lists or trees of their own. */
static const char *const tools[] = {"heads", "beam", "lines", "export.svg", "palette", "help"};
static const char *const tool_titles[] = {"Heads",  "Beam",     "Sentences",
                                          "Export", "Commands", "Keys"};

static void tool_row(Window *w, Box row, int index) {
    const Action *action = action_find(tools[index]);
    char keys[48], tip[128];
    action_keys(action, keys);
    bool can = action_enabled(w, action);
    snprintf(tip, sizeof tip, "%s (%s)%s", action->title, keys,
             can                                  ? ""
             : strcmp(tools[index], "beam") == 0  ? ": this model writes no words"
             : strcmp(tools[index], "lines") == 0 ? ": drop a text file on the window"
                                                  : "");
    UiButton look = {UI_ROW, false, !can, NULL, tip};
    UiId id = ui_id("tool", index);
    if (ui_button(&w->ui, id, row, tool_titles[index], look)) {
        if (w->panel == PANEL_VIEWS) panel_close(w);
        action_run(w, tools[index]);
    }
    if (!can && w->ui.hot == id) ui_tip(&w->ui, id, row, tip);
}

enum { N_TOOLS = sizeof tools / sizeof *tools, GAPS = 62 }; /* around the heading of the tools */

/* Rows move together a little before the column has to scroll. */
static double row_pitch(double height, int n_rows) {
    double fit = floor((height - GAPS) / n_rows);
    return fit < 28 ? 33 : fmin(fit, 33);
}

void sidebar_list(Window *w, Box box) {
    int n = 0;
    while (views[n].name)
        n++;
    double pitch = row_pitch(box.h, n + N_TOOLS), row = pitch - 2;
    PaintClip outer;
    Box at = ui_scroll_begin(&w->ui, ui_id("side", 0), box, &w->side_scroll, &outer);
    at.y += 12;
    for (int i = 0; i < n; i++)
        view_row(w, (Box){at.x + 8, at.y + i * pitch, at.w - 16, row}, &views[i], i, false);
    at.y += n * pitch + 16;
    ui_heading(&w->ui, "Tools", (Box){at.x + 20, at.y, at.w - 28, 20});
    at.y += 26;
    for (int i = 0; i < N_TOOLS; i++)
        tool_row(w, (Box){at.x + 8, at.y + i * pitch, at.w - 16, row}, i);
    ui_scroll_end(&w->ui, ui_id("side", 1), box, &w->side_scroll, (n + N_TOOLS) * pitch + GAPS,
                  outer);
}

void sidebar_draw(Window *w, Box box, bool narrow) {
    if (!narrow) {
        sidebar_list(w, box);
        return;
    }
    PaintClip outer;
    Box at = ui_scroll_begin(&w->ui, ui_id("side", 0), box, &w->side_scroll, &outer);
    int n = 0;
    for (; views[n].name; n++)
        view_row(w, (Box){at.x + 8, at.y + 12 + n * 36, 32, 32}, &views[n], n, true);
    ui_scroll_end(&w->ui, ui_id("side", 1), box, &w->side_scroll, 16 + n * 36, outer);
}
