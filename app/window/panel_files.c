/* Opening (recent models, models found, a path with completion) and writing files. */
#include <stdlib.h>
#include <string.h>

#include "app/window/complete.h"
#include "app/window/jobs.h"
#include "app/window/panel.h"
#include "app/window/parts.h"
#include "model/base/file.h"

enum { MOST_FOUND = 200 };

static const char *typed(const Window *w) {
    return w->query.edit.text && w->query.edit.n ? w->query.edit.text : "";
}

static void forget_found(Window *w) {
    for (int i = 0; i < w->n_found; i++)
        free(w->found[i]);
    w->n_found = 0;
}

static void find(Window *w) {
    if (!w->found) w->found = calloc(MOST_FOUND, sizeof *w->found);
    if (!w->found) abort();
    forget_found(w);
    bool path = strchr(typed(w), '/') || typed(w)[0] == '~' || typed(w)[0] == '.';
    if (path) w->n_found = complete_path(typed(w), w->found, MOST_FOUND);
}

/* Tab and Right complete: to the row chosen, or to what all rows share. */
static void complete(Window *w) {
    if (w->n_found == 0) return;
    size_t n = complete_shared(w->found, w->n_found);
    bool further = n > strlen(typed(w));
    const char *to = further ? w->found[0] : w->found[w->chosen < w->n_found ? w->chosen : 0];
    textedit_replace(&w->query.edit, (Str){to, further ? n : strlen(to)});
    find(w);
    w->chosen = 0;
}

typedef struct OpenRow {
    const char *name, *note;
    bool is_path;
} OpenRow;

static bool known(const OpenRow *rows, int n, const char *name) {
    for (int i = 0; i < n; i++)
        if (strcmp(rows[i].name, name) == 0) return true;
    return false;
}

static int rows_of(Window *w, OpenRow *rows, int most) {
    int n = 0;
    for (int i = 0; i < w->n_found && n < most; i++)
        rows[n++] = (OpenRow){w->found[i], "", true};
    if (w->n_found || strchr(typed(w), '/')) return n;
    for (int i = 0; i < SETTINGS_RECENT && w->settings.models[i] && n < most; i++)
        if (strstr(w->settings.models[i], typed(w)) && !known(rows, n, w->settings.models[i]))
            rows[n++] = (OpenRow){w->settings.models[i], "recent", false};
    for (int i = 0; i < w->n_models && n < most; i++)
        if (strstr(w->models[i].name, typed(w)) && !known(rows, n, w->models[i].name))
            rows[n++] = (OpenRow){w->models[i].name,
                                  w->models[i].model_type ? w->models[i].model_type : "", false};
    return n;
}

static void open_named(Window *w, const char *name) {
    char *full = complete_expand(name);
    size_t n = strlen(full);
    if (n > 1 && full[n - 1] == '/') full[n - 1] = 0;
    panel_close(w);
    if (*full) window_open_path(w, full);
    free(full);
}

static void draw_open_row(Window *w, Box row, const void *rows, int i, bool chosen) {
    Ui *ui = &w->ui;
    const OpenRow *r = (const OpenRow *)rows + i;
    if (chosen) paint_round(&ui->paint, row, 6, ui->theme->accent_soft);
    Box inner = box_inset(row, 12, 0);
    Box right = box_cut_right(&inner, 120);
    ui_user_text(ui, str(r->name), inner, 13, chosen ? 600 : 400, ui->theme->ink, LABEL_LEFT);
    ui_text(ui, r->note, right, 12, 400, UI_SOFT, LABEL_RIGHT);
}

/* Draws a list below the field; returns the row that was clicked, or -1. */
static int draw_list(Window *w, Box box, const OpenRow *rows, int n) {
    PanelList list = {"files", n, 30, draw_open_row, rows};
    return panel_list(w, box, &list);
}

void panel_open_model(Window *w, Box box) {
    Ui *ui = &w->ui;
    TextFieldLook look = {.hint =
                              "A model's folder or name, a trace, a file of sentences, a session",
                          .single = true,
                          .borrow_ends = true};
    if (ui->focus == ui_id("query", 0) && ui_key(ui, SDLK_TAB, false, false)) complete(w);
    TextFieldEvent e =
        textfield_draw(ui, ui_id("query", 0), box_cut_top(&box, 38), &w->query, &look);
    if (e.changed || w->fields_fresh) {
        if (w->fields_fresh) job_scan(w);
        w->fields_fresh = false;
        w->chosen = 0;
        find(w);
    }
    box_cut_top(&box, 8);
    Box foot = box_cut_bottom(&box, 24);
    ui_text(ui, "Tab completes a path · nothing is fetched from the network", foot, 12, 400,
            UI_SOFT, LABEL_LEFT);
    OpenRow rows[MOST_FOUND] = {{0}};
    int n = rows_of(w, rows, MOST_FOUND);
    int clicked = draw_list(w, box, rows, n);
    if (n == 0)
        ui_text(ui,
                *typed(w) ? "Nothing of that name; Return tries it as it stands"
                          : "No model was opened lately, and none was found",
                (Box){box.x, box.y, box.w, 30}, 13, 400, UI_SOFT, LABEL_LEFT);
    if (clicked >= 0 && rows[clicked].is_path &&
        rows[clicked].name[strlen(rows[clicked].name) - 1] == '/') {
        char *folder = complete_expand(rows[clicked].name);
        char config[4200];
        snprintf(config, sizeof config, "%sconfig.json", folder);
        bool model = file_exists(config);
        free(folder);
        if (!model) {
            textedit_replace(&w->query.edit, str(rows[clicked].name));
            find(w);
            return;
        }
    }
    if (clicked >= 0) {
        open_named(w, rows[clicked].name);
    } else if (panel_entered(w)) {
        bool exact = n == 0 || (strchr(typed(w), '/') && w->query.edit.n > 0);
        if (exact)
            open_named(w, typed(w));
        else
            open_named(w, rows[w->chosen].name);
    }
}

/* ---- writing ---- */

static const char *const save_titles[] = {
    "The picture as PNG, PDF, SVG or HTML: the ending decides", "The picture as SVG",
    "The whole window as PNG", "The session as JSON; attnscope figure --session draws it"};
static const char *const save_names[] = {"attnscope-%s.png", "attnscope-%s.svg",
                                         "attnscope-window.png", "attnscope-session.json"};

static void suggest(Window *w) {
    char name[128], path[1400];
    /* Only the names of pictures have a place for the view. */
    if (w->save == SAVE_PNG || w->save == SAVE_SVG)
        snprintf(name, sizeof name, "attnscope-%s%s", window_view(w)->name,
                 w->save == SAVE_PNG ? ".png" : ".svg");
    else
        snprintf(name, sizeof name, "%s", save_names[w->save]);
    const char *home = getenv("HOME");
    const char *folder = *w->settings.folder ? w->settings.folder : home ? "~" : ".";
    snprintf(path, sizeof path, "%s/%s", folder, name);
    textedit_set(&w->query.edit, str(path));
}

static void save_session(Window *w, const char *path) {
    Error error = {0};
    if (state_save(&w->state, path, &error))
        window_notice(w, false, "Written: %s", path);
    else
        window_notice(w, true, "%s", error.message);
}

static void save(Window *w) {
    char *path = complete_expand(typed(w));
    SaveKind kind = w->save;
    panel_close(w);
    if (kind == SAVE_SESSION) {
        save_session(w, path);
    } else if (kind == SAVE_WINDOW) {
        free(w->screenshot);
        w->screenshot = strdup(path);
        w->ui.again = true;
    } else {
        job_export(w, path);
    }
    free(path);
}

void panel_export(Window *w, Box box) {
    Ui *ui = &w->ui;
    if (w->fields_fresh) {
        w->fields_fresh = false;
        suggest(w);
        forget_found(w);
    }
    ui_text(ui, save_titles[w->save], box_cut_top(&box, 24), 13, 400, UI_SOFT, LABEL_LEFT);
    box_cut_top(&box, 8);
    TextFieldLook look = {.hint = "Path of the file", .single = true, .borrow_ends = true};
    if (ui->focus == ui_id("query", 0) && ui_key(ui, SDLK_TAB, false, false)) {
        find(w);
        complete(w);
    }
    TextFieldEvent e =
        textfield_draw(ui, ui_id("query", 0), box_cut_top(&box, 38), &w->query, &look);
    if (e.changed) find(w);
    box_cut_top(&box, 8);
    Box foot = box_cut_bottom(&box, 32);
    Box button = box_cut_right(&foot, 96);
    ui_text(ui, "Tab completes a path; an existing file is written anew", foot, 12, 400, UI_SOFT,
            LABEL_LEFT);
    OpenRow rows[MOST_FOUND] = {{0}};
    int n = 0;
    for (; n < w->n_found; n++)
        rows[n] = (OpenRow){w->found[n], "", true};
    int clicked = n ? draw_list(w, box, rows, n) : -1;
    if (clicked >= 0) {
        textedit_replace(&w->query.edit, str(rows[clicked].name));
        find(w);
    }
    bool go = ui_button(ui, ui_id("save", 0), button, "Write", (UiButton){.look = UI_PRIMARY});
    if ((go || panel_entered(w)) && *typed(w)) save(w);
}
