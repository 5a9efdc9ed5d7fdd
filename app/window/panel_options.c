/* All options of the view, made from the state's own table: flags, choices, texts and numbers. */
#include <stdlib.h>
#include <string.h>

#include "app/window/panel.h"
#include "app/window/parts.h"

static void title_of(const char *name, char out[64]) {
    snprintf(out, 64, "%s", name);
    for (char *p = out; *p; p++)
        if (*p == '_') *p = ' ';
}

static void *at(State *state, const StateField *f) {
    return (char *)state + f->offset;
}

static void read_text(Window *w, const StateField *f, char out[256]) {
    out[0] = 0;
    char number[32];
    switch (f->kind) {
    case FIELD_TEXT:
    case FIELD_CHOICE: {
        const char *s = *(char **)at(&w->state, f);
        snprintf(out, 256, "%.250s", s ? s : "");
        break;
    }
    case FIELD_INTEGER:
        if (state_is_set(&w->state, f->name)) snprintf(out, 256, "%d", *(int *)at(&w->state, f));
        break;
    case FIELD_NUMBER:
        if (state_is_set(&w->state, f->name))
            snprintf(out, 256, "%s", number_text(*(double *)at(&w->state, f), 6, number));
        break;
    case FIELD_LIST: {
        const StateList *list = at(&w->state, f);
        size_t n = 0;
        for (int i = 0; i < list->n && n < 200; i++)
            n += (size_t)snprintf(out + n, 256 - n, "%s%.40s", i ? "," : "", list->items[i]);
        break;
    }
    case FIELD_FLAG:
    case FIELD_PLACE:
        break;
    }
}

static void write_text(Window *w, const StateField *f, Str text) {
    Error error = {0};
    if (f->kind == FIELD_LIST) {
        state_list_clear(at(&w->state, f));
        char item[128];
        for (size_t i = 0; i < text.n;) {
            size_t n = 0;
            while (i + n < text.n && text.data[i + n] != ',')
                n++;
            snprintf(item, sizeof item, "%.*s", (int)n, text.data + i);
            if (n) state_list_add(at(&w->state, f), item);
            i += n + 1;
        }
        return;
    }
    Str value = text.n ? text : (Str){NULL, 0};
    if (!state_set(&w->state, f->name, value, &error)) window_notice(w, true, "%s", error.message);
}

static void draw_choice(Window *w, Box box, const StateField *f, int index) {
    enum { MOST = 12 };
    char words[256];
    const char *items[MOST] = {"as the view has it"};
    int n = 1, now = 0;
    snprintf(words, sizeof words, "%s", f->choices ? f->choices : "");
    const char *value = *(char **)at(&w->state, f);
    for (char *word = strtok(words, "|"); word && n < MOST; word = strtok(NULL, "|")) {
        if (value && strcmp(word, value) == 0) now = n;
        items[n++] = word;
    }
    if (ui_choice(&w->ui, ui_id("option", index), box, "", items, n, &now, NULL))
        state_put_text(at(&w->state, f), now ? items[now] : NULL);
}

static void draw_field(Window *w, Box row, const StateField *f, int index) {
    char name[64];
    title_of(f->name, name);
    if (f->kind == FIELD_FLAG) {
        ui_toggle(&w->ui, ui_id("option", index), row, name, at(&w->state, f), NULL);
        return;
    }
    Box left = box_cut_left(&row, 160);
    ui_text(&w->ui, name, left, 13, 400, UI_SOFT, LABEL_LEFT);
    if (f->kind == FIELD_CHOICE) {
        draw_choice(w, box_inset(row, 0, 3), f, index);
        return;
    }
    TextField *field = &w->fields[index];
    if (w->fields_fresh) {
        char text[256];
        read_text(w, f, text);
        textedit_set(&field->edit, str(text));
    }
    TextFieldLook look = {.single = true, .size = 13, .hint = "as the view has it"};
    TextFieldEvent e =
        textfield_draw(&w->ui, ui_id("option", index), box_inset(row, 0, 2), field, &look);
    if (e.changed) write_text(w, f, textedit_text(&field->edit));
    if (e.left) panel_close(w);
}

/* What every view reads. */
static const char common_fields[] = "theme colormap size title font";

static double draw_fields(Window *w, Box box, const char *names, int *index) {
    double y = box.y;
    for (const char *p = names; p && *p && *index < MAX_FIELDS; p += strspn(p, " ")) {
        char name[64];
        size_t n = strcspn(p, " ");
        snprintf(name, sizeof name, "%.*s", (int)n, p);
        p += n;
        const StateField *f = state_field(name);
        if (!f || f->kind == FIELD_PLACE) continue;
        draw_field(w, (Box){box.x, y, box.w, 34}, f, (*index)++);
        y += 38;
    }
    return y;
}

void panel_options(Window *w, Box box) {
    PaintClip outer;
    Ui *ui = &w->ui;
    const View *view = window_view(w);
    Box content = ui_scroll_begin(ui, ui_id("options", 0), box, &w->panel_scroll, &outer);
    Box inner = {content.x + 2, content.y, content.w - 16, 0};
    int index = 0;
    ui_text(ui, view->title, (Box){inner.x, inner.y, inner.w, 24}, 13, 600, UI_INK, LABEL_LEFT);
    inner.y += 28;
    inner.y = draw_fields(w, inner, view->fields, &index) + 12;
    ui_heading(ui, "All views", (Box){inner.x, inner.y, inner.w, 20});
    inner.y += 24;
    inner.y = draw_fields(w, inner, common_fields, &index);
    w->fields_fresh = false;
    ui_scroll_end(ui, ui_id("options", 1), box, &w->panel_scroll, inner.y - content.y + 8, outer);
}
