/* The palette of all commands (Ctrl+K) and the page of keys (F1). */
#include <math.h>
#include <string.h>

#include "app/window/actions.h"
#include "app/window/panel.h"
#include "app/window/parts.h"

/* Every word of the query must begin a word of the title; case does not matter. */
static bool begins_word(const char *title, const char *word, size_t n) {
    for (const char *at = title; *at; at++) {
        bool start = at == title || at[-1] == ' ' || at[-1] == '-';
        if (start && SDL_strncasecmp(at, word, n) == 0) return true;
    }
    return false;
}

static bool matches(const char *title, const char *query) {
    while (*query) {
        size_t n = strcspn(query, " ");
        if (n && !begins_word(title, query, n)) return false;
        query += n + strspn(query + n, " ");
    }
    return true;
}

/* One row: an action, a view, or a layer and head. */
typedef struct Entry {
    const Action *action;
    const View *view;
} Entry;

enum { MOST = 256 };

static int collect(const char *query, Entry out[MOST]) {
    int n = 0;
    for (int i = 0; views[i].name && n < MOST; i++)
        if (matches(views[i].title, query) || matches("view", query))
            out[n++] = (Entry){NULL, &views[i]};
    for (const Action *a = actions; a->name && n < MOST; a++)
        if (strcmp(a->name, "palette") != 0 &&
            (matches(a->title, query) || matches(a->name, query)))
            out[n++] = (Entry){a, NULL};
    return n;
}

static void run(Window *w, const Entry *e) {
    panel_close(w);
    if (e->view)
        state_put_text(&w->state.view, e->view->name);
    else if (action_enabled(w, e->action))
        e->action->run(w, e->action->argument);
    w->ui.again = true;
}

static bool possible(Window *w, const Entry *e) {
    char reason[256];
    return e->view ? window_view_fits(w, e->view, reason) : action_enabled(w, e->action);
}

static void draw_row(Window *w, Box row, const void *entries, int i, bool chosen) {
    Ui *ui = &w->ui;
    const Entry *e = (const Entry *)entries + i;
    char keys[48] = "";
    bool can = possible(w, e);
    if (e->action) action_keys(e->action, keys);
    if (e->view && e->view - views < 9)
        snprintf(keys, sizeof keys, "Alt+%d", (int)(e->view - views) + 1);
    if (chosen) paint_round(&ui->paint, row, 6, ui->theme->accent_soft);
    Box inner = box_inset(row, 12, 0);
    Box right = box_cut_right(&inner, 140);
    const char *group = e->view ? "View" : e->action->group;
    double wide = ui_text(ui, e->view ? e->view->title : e->action->title, inner, 13,
                          chosen ? 600 : 400, can ? UI_INK : UI_FAINT, LABEL_LEFT);
    ui_text(ui, group, (Box){inner.x + wide + 12, inner.y, inner.w - wide - 12, inner.h}, 11, 400,
            UI_FAINT, LABEL_LEFT);
    ui_text(ui, keys, right, 12, 400, UI_SOFT, LABEL_RIGHT);
}

void panel_palette(Window *w, Box box) {
    Ui *ui = &w->ui;
    TextFieldLook look = {.hint = "Type a command", .single = true, .borrow_ends = true};
    TextFieldEvent e =
        textfield_draw(ui, ui_id("query", 0), box_cut_top(&box, 38), &w->query, &look);
    box_cut_top(&box, 12);
    Entry entries[MOST];
    int n = collect(w->query.edit.text ? w->query.edit.text : "", entries);
    /* Of those that a query finds, the first that can be done. */
    if (e.changed) w->chosen = 0;
    while (e.changed && w->chosen + 1 < n && !possible(w, &entries[w->chosen]))
        w->chosen++;
    if (e.changed && n > 0 && !possible(w, &entries[w->chosen])) w->chosen = 0;
    PanelList list = {"palette", n, 32, draw_row, entries};
    int clicked = panel_list(w, box, &list);
    if (n == 0)
        ui_text(ui, "No command of that name", (Box){box.x, box.y, box.w, 32}, 13, 400, UI_SOFT,
                LABEL_LEFT);
    if (clicked < 0 && n > 0 && panel_entered(w)) clicked = w->chosen;
    if (clicked >= 0) run(w, &entries[clicked]);
}

/* ---- keys ---- */

typedef struct HelpLine {
    const char *keys, *what;
} HelpLine;

static const HelpLine more[] = {
    {"1 … 9", "view, with the picture in focus; Alt+digit anywhere"},
    {"Tab, Shift+Tab", "next and previous control"},
    {"Esc", "from a field to the picture; closes what lies over it"},
    {"Wheel, pinch", "zoom; Shift+wheel pans; drag pans"},
    {"Click", "lock the selection, or release it"},
    {"Double click", "on a thumbnail: go to that head; on a patch: what it looks at"},
    {"Ctrl+click", "on the little grid: add the head to the picture"},
    {"Shift+drag", "from a weight to another key: set it there"},
};

static double help_line(Window *w, Box at, const char *keys, const char *what) {
    Ui *ui = &w->ui;
    ui_text(ui, keys, (Box){at.x, at.y, 108, 22}, 12, 600, UI_INK, LABEL_LEFT);
    /* A description that is too wide goes on below: nothing else tells the end of it. */
    LabelStyle style = {.size = 12, .weight = 400};
    Box box = {at.x + 112, at.y + 3, at.w - 112, 0};
    double height =
        label_wrapped(ui->labels, &ui->paint, what, box, style, ui_color(ui, UI_SOFT), true);
    return fmax(22, height + 6);
}

static double help_group(Window *w, Box at, const char *group) {
    double y = at.y;
    ui_heading(&w->ui, group, (Box){at.x, y, at.w, 24});
    y += 28;
    for (const Action *a = actions; a->name; a++) {
        char keys[48];
        if (strcmp(a->group, group) != 0 || !a->key) continue;
        y += help_line(w, (Box){at.x, y, at.w, 22}, action_keys(a, keys), a->title);
    }
    return y + 14;
}

static double help_pointer(Window *w, Box at) {
    ui_heading(&w->ui, "Pointer and focus", (Box){at.x, at.y, at.w, 24});
    at.y += 28;
    for (size_t i = 0; i < sizeof more / sizeof *more; i++)
        at.y += help_line(w, at, more[i].keys, more[i].what);
    return at.y + 14;
}

void panel_help(Window *w, Box box) {
    /* Columns of about the same height; NULL ends one. */
    static const char *const groups[] = {"Files", "Window", NULL,    "Picture", NULL,
                                         "Text",  "Heads",  "Steps", NULL};
    PaintClip outer;
    Box at = ui_scroll_begin(&w->ui, ui_id("help", 0), box, &w->panel_scroll, &outer);
    int n = at.w > 1000 ? 3 : 1;
    double width = (at.w - 16 - 32 * (n - 1)) / n, x = at.x, y = at.y, lowest = y;
    for (int i = 0; i < 9; i++) {
        if (groups[i]) {
            y = help_group(w, (Box){x, y, width, 0}, groups[i]);
            continue;
        }
        if (i == 8) y = help_pointer(w, (Box){x, y, width, 22});
        lowest = fmax(lowest, y);
        if (n == 1) continue;
        x += width + 32;
        y = at.y;
    }
    ui_scroll_end(&w->ui, ui_id("help", 1), box, &w->panel_scroll, lowest - at.y + 8, outer);
}
