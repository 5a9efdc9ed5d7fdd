/* Above the picture: what it is, the quiet line in the field's words, which attention, and the few
 * controls of this view. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "app/window/actions.h"
#include "app/window/panel.h"
#include "app/window/parts.h"
#include "app/window/picture.h"

enum { LINE = 18, MOST_LINES = 3 };

/* The quiet line, broken where it is too long; broken again only when it changes. */
static int quiet_lines(Window *w, double width, const Str **lines) {
    const Shown *s = w->shown;
    Remembered *kept = &w->kept;
    bool ready = s && s->figure && s->report.subtitle.n;
    Str line = ready ? strbuf_str(&s->report.subtitle) : str(window_view(w)->meaning);
    double scale = w->ui.paint.scale;
    if (!str_eq(line, strbuf_str(&kept->quiet)) || kept->quiet_width != width * scale) {
        strbuf_free(&kept->quiet);
        strbuf_add(&kept->quiet, line.data, line.n);
        Arena *arena = arena_new();
        Str *broken;
        TextStyle style = {.size = 12 * scale};
        int n = text_wrap(canvas_text(w->ui.canvas), arena, strbuf_str(&kept->quiet), style,
                          width * scale, &broken);
        kept->n_quiet = n < 1 ? 1 : n > MOST_LINES ? MOST_LINES : n;
        for (int i = 0; i < kept->n_quiet; i++)
            kept->quiet_lines[i] = i < n ? broken[i] : (Str){"", 0};
        kept->quiet_width = width * scale;
        arena_free(arena);
    }
    *lines = kept->quiet_lines;
    return kept->n_quiet;
}

double header_height(Window *w, double width) {
    const Str *lines;
    return 70 + quiet_lines(w, width, &lines) * LINE;
}

/* Is the field among those that this view reads? */
static bool has_field(const View *view, const char *name) {
    size_t n = strlen(name);
    for (const char *at = view->fields; at && *at; at += strspn(at, " ")) {
        size_t len = strcspn(at, " ");
        if (len == n && memcmp(at, name, n) == 0) return true;
        at += len;
    }
    return false;
}

static void draw_title(Window *w, Box *box) {
    Ui *ui = &w->ui;
    const Shown *s = w->shown;
    bool ready = s && s->figure;
    const char *title = ready && s->report.title.n ? s->report.title.data : window_view(w)->title;
    ui_user_text(ui, str(title), box_cut_top(box, 24), 17, 600, ui->theme->ink, LABEL_LEFT);
    const Str *lines;
    int n = quiet_lines(w, box->w, &lines);
    for (int i = 0; i < n; i++)
        ui_user_text(ui, lines[i], box_cut_top(box, LINE), 12, 400, ui->theme->soft, LABEL_LEFT);
}

/* ---- controls ---- */

static bool attention_there(const Window *w, StackId stack, bool cross) {
    Place p = place_attention(stack, cross);
    return pass_summary(w->pass, &p) != NULL;
}

static double draw_attention(Window *w, Box box) {
    const Model *model = window_model(w);
    bool one = model && model_has_stack(model, STACK_BLOCKS);
    if (!has_field(window_view(w), "attention") || one || !w->pass) return 0;
    static const char *const items[] = {"Encoder", "Decoder", "Cross"};
    bool enabled[] = {attention_there(w, STACK_ENCODER, false),
                      attention_there(w, STACK_DECODER, false),
                      attention_there(w, STACK_DECODER, true)};
    Place p = window_head(w);
    int at = p.cross ? 2 : p.stack == STACK_ENCODER ? 0 : p.stack == STACK_DECODER ? 1 : -1;
    bool changed = false;
    double used = ui_segments(&w->ui, ui_id("attention", 0), box, items, enabled, 3, &at, &changed);
    static const char *const names[] = {"attention.encoder", "attention.decoder",
                                        "attention.cross"};
    if (changed) action_run(w, names[at]);
    return used + 12;
}

/* "all", "mean", "max", 0 .. n-1 */
static double draw_index(Window *w, Box box, const char *name, char **field, int n, int now) {
    char labels[UI_MAX_MENU][12];
    const char *items[UI_MAX_MENU];
    static const char *const words[] = {"all", "mean", "max"};
    int count = 0, at = -1;
    for (; count < 3; count++)
        items[count] = words[count];
    for (int i = 0; i < n && count < UI_MAX_MENU; i++, count++) {
        snprintf(labels[count], sizeof labels[count], "%d", i);
        items[count] = labels[count];
        if (i == now) at = count;
    }
    for (int i = 0; i < 3; i++)
        if (*field && strcmp(*field, words[i]) == 0) at = i;
    char prefix[24];
    bool several = at < 0 && *field;
    snprintf(prefix, sizeof prefix, "%s %s", name, several ? *field : "");
    box.w = 92;
    if (ui_choice(&w->ui, ui_id(name, 0), box, prefix, items, count, &at,
                  strcmp(name, "layer") == 0 ? "Layer (up and down in the picture)"
                                             : "Head (left and right in the picture)")) {
        state_put_text(&w->state.heads, NULL);
        state_put_text(field, items[at]);
        w->ui.again = true;
    }
    return box.w + 8;
}

static double draw_heads(Window *w, Box box) {
    Place p = window_head(w);
    const Summary *s = pass_summary(w->pass, &p);
    if (!s || !has_field(window_view(w), "layer")) return 0;
    double used =
        draw_index(w, box, "layer", &w->state.layer, s->n_layers, w->state.layer ? -1 : p.layer);
    if (has_field(window_view(w), "head")) {
        Box next = box;
        next.x += used;
        used += draw_index(w, next, "head", &w->state.head, s->n_heads, p.head);
    }
    return used;
}

static double draw_chip(Window *w, Box box, const char *action, const char *label, bool on) {
    const Action *a = action_find(action);
    char keys[48], tip[160];
    double width = label_width(w->ui.labels, label, (LabelStyle){.size = 12}) + 24;
    snprintf(tip, sizeof tip, "%s (%s)", a->title, action_keys(a, keys));
    box.w = width;
    if (ui_button(&w->ui, ui_id(action, 0), box, label,
                  (UiButton){.look = UI_PILL, .selected = on, .tip = tip}))
        action_run(w, action);
    return width + 8;
}

static void draw_controls(Window *w, Box box) {
    const View *view = window_view(w);
    Place head = window_head(w);
    box = (Box){box.x, box.y, box.w, 28};
    double right = box.x + box.w;
    Box fit = {right - 28, box.y, 28, 28};
    if (ui_icon_button(&w->ui, ui_id("fit", 0), fit, ICON_FIT, false, "Fit (F in the picture)"))
        picture_fit(w);
    Box more = {right - 28 - 8 - 92, box.y, 92, 28};
    if (ui_button(&w->ui, ui_id("options", 0), more, "Options",
                  (UiButton){.look = UI_PILL, .tip = "All options of this view (Ctrl+,)"}))
        panel_open(w, PANEL_OPTIONS);
    double limit = more.x - 8;
    Box at = box;
    at.x += draw_attention(w, at);
    at.x += draw_heads(w, at);
    struct {
        const char *field, *action, *label;
        bool on;
    } chips[] = {
        {"units", "units", window_words(w) ? "words" : "pieces", window_words(w)},
        {"hide_special", "hide.special", "hide special", w->state.hide_special},
        {"ribbons", "ribbons", "ribbons", w->state.ribbons},
        {"numbers", "numbers", "numbers", w->state.numbers},
        {"transpose", "transpose", "transpose", w->state.transpose},
        {"rows", "rows",
         w->state.rows && strcmp(w->state.rows, "reads") == 0 ? "rows: read" : "rows: written",
         false}};
    for (size_t i = 0; i < sizeof chips / sizeof *chips; i++) {
        if (!has_field(view, chips[i].field)) continue;
        /* Only a decoder reads one token and writes another. */
        bool rows = strcmp(chips[i].field, "rows") == 0;
        if (rows && !head.cross && head.stack != STACK_DECODER) continue;
        double width = label_width(w->ui.labels, chips[i].label, (LabelStyle){.size = 12}) + 24;
        if (at.x + width > limit) break;
        at.x += draw_chip(w, at, chips[i].action, chips[i].label, chips[i].on);
    }
}

void header_draw(Window *w, Box box) {
    draw_title(w, &box);
    draw_controls(w, (Box){box.x, box.y + 10, box.w, 28});
}
