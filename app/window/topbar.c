/* The sentence bar: what is read, what is written, in which language, by which model. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "app/window/input.h"
#include "app/window/panel.h"
#include "app/window/parts.h"
#include "app/window/picture.h"
#include "model/base/file.h"

enum { MOST_LINES = 5 };

/* Which fields this model has. */
typedef struct Fields {
    bool source, pair, target;
    const char *source_hint, *pair_hint, *target_hint;
} Fields;

static Fields fields_of(const Window *w) {
    const Model *model = window_model(w);
    Fields f = {true, false, false, "A sentence", "Second sentence (may stay empty)", "Target"};
    if (!model) return f;
    switch (model->config.family) {
    case FAMILY_ENCODER_DECODER:
    case FAMILY_RECURRENT:
        f.target = true;
        f.source_hint = "Sentence to translate";
        f.target_hint = "The model's own words appear here; type to force others";
        break;
    case FAMILY_ENCODER:
        f.pair = true;
        break;
    case FAMILY_DECODER:
        f.target = true;
        f.source_hint = "Prompt";
        f.target_hint = "Continuation: type one, or Ctrl+G lets the model go on";
        break;
    }
    if (input_hint(w)) f.source_hint = input_hint(w);
    if (w->state.from) {
        f.source_hint = "Drawn from a file; type, and the model runs";
        f.target_hint = "";
    }
    if (input_kind(w) == INPUT_PICTURE) f.pair = false;
    return f;
}

typedef struct Columns {
    double x, first, second; /* left end of the fields, their widths */
    double right;            /* room at the right of them */
} Columns;

static Columns columns(const Window *w, double width, const Fields *f) {
    Columns c = {.x = window_narrow(w) ? 64 : 196, .right = window_narrow(w) ? 236 : 350};
    double room = width - c.x - c.right - 16;
    bool two = f->pair || f->target;
    c.first = two ? floor((room - 40) / 2) : room;
    c.second = two ? c.first : 0;
    return c;
}

double topbar_height(Window *w, double width) {
    Fields f = fields_of(w);
    Columns c = columns(w, width, &f);
    double h = textfield_height(&w->ui, &w->source, c.first, MOST_LINES);
    if (f.pair) h = fmax(h, textfield_height(&w->ui, &w->pair, c.second, MOST_LINES));
    if (f.target) h = fmax(h, textfield_height(&w->ui, &w->target, c.second, MOST_LINES));
    return fmax(64, h + 26);
}

static void draw_logo(Window *w, Box box) {
    Ui *ui = &w->ui;
    if (window_narrow(w)) {
        if (ui_icon_button(ui, ui_id("drawer", 0), (Box){8, box.y + 16, 32, 32}, ICON_MENU,
                           w->panel == PANEL_VIEWS, "Views"))
            panel_open(w, PANEL_VIEWS);
        return;
    }
    double width = ui_text(ui, "attn", (Box){16, box.y + 16, 80, 32}, 15, 600, UI_INK, LABEL_LEFT);
    ui_text(ui, "scope", (Box){16 + width, box.y + 16, 80, 32}, 15, 600, UI_ACCENT, LABEL_LEFT);
}

static void leave(Window *w) {
    ui_focus(&w->ui, picture_id());
}

static void after(Window *w, TextFieldEvent e) {
    if (e.truncated)
        window_notice(w, true,
                      "What was pasted is longer than a field holds (%d kB): the rest was "
                      "left out",
                      TEXTEDIT_MAX_BYTES / 1024);
    if (e.left || e.submitted) leave(w);
}

static bool has_tab(const Ui *ui) {
    for (int i = 0; i < ui->in.n_events; i++) {
        const UiEvent *e = &ui->in.events[i];
        if (!e->used && e->kind == UI_KEY && e->key == SDLK_TAB && !e->ctrl && !e->shift)
            return true;
    }
    return false;
}

static void draw_source(Window *w, Box box, const Fields *f) {
    TextFieldLook look = {.hint = f->source_hint, .tip = "The text that is read (Ctrl+L)"};
    UiId id = ui_id("source", 0);
    uint64_t before = w->source.edit.revision;
    if (w->ui.focus == id && has_tab(&w->ui) && input_complete(w))
        ui_key(&w->ui, SDLK_TAB, false, false);
    TextFieldEvent e = textfield_draw(&w->ui, id, box, &w->source, &look);
    if (e.changed || w->source.edit.revision != before) {
        /* A typed text takes the place of a file's. */
        state_put_text(&w->state.inputs, NULL);
        state_put_text(&w->state.from, NULL);
        w->hover = place_none();
        if (w->state.max_new_tokens) w->state.max_new_tokens = 0;
        input_from_fields(w);
    }
    after(w, e);
}

static int marks_of(const Window *w, TextMark marks[], int most) {
    const Pass *pass = w->pass;
    int n = 0;
    Str text = textedit_text(&w->target.edit);
    if (!pass || !str_eq(text, pass->output)) return 0;
    for (int i = 0; i < pass->n_steps && n < most; i++) {
        const PassStep *s = &pass->steps[i];
        if (s->end <= s->begin || s->end > (int64_t)text.n) continue;
        bool parts = pass->typed && i == pass->parts_at;
        marks[n++] = (TextMark){(size_t)s->begin, (size_t)s->end, s->prob, parts};
    }
    return n;
}

static void draw_target(Window *w, Box box, const Fields *f) {
    enum { MOST = 2048 };
    TextMark marks[MOST];
    int n = marks_of(w, marks, MOST);
    char tip[512];
    const Pass *pass = w->pass;
    if (w->target_own || !pass || !pass->typed)
        snprintf(tip, sizeof tip,
                 "The model's own words; type to force others. Bars: probability of each word");
    else if (pass->parts_at >= 0 && pass->parts_at < pass->n_steps)
        snprintf(tip, sizeof tip,
                 "Your words: log-probability %.2f; the model's own: %.2f. They part at %.*s. "
                 "Ctrl+Shift+R goes back to the model's own",
                 pass->score, pass->score_own, (int)pass->steps[pass->parts_at].pretty.n,
                 pass->steps[pass->parts_at].pretty.data);
    else
        snprintf(tip, sizeof tip, "Your words, which are the model's own: log-probability %.2f",
                 pass->score);
    TextFieldLook look = {
        .hint = f->target_hint, .marks = marks, .n_marks = n, .tip = tip, .dimmed = w->target_own};
    TextFieldEvent e = textfield_draw(&w->ui, ui_id("target", 0), box, &w->target, &look);
    if (e.changed) {
        /* An emptied field is the model's own again. */
        w->target_own = w->target.edit.n == 0;
        input_from_fields(w);
    }
    after(w, e);
    /* The mark that says whose words these are. */
    Box mark = {box.x + box.w - 64, box.y - 8, 56, 16};
    bool own = w->target_own;
    if (w->target.edit.n == 0) return;
    paint_round(&w->ui.paint, mark, 8, w->ui.theme->panel);
    UiId id = ui_id("whose", 0);
    UiState state = ui_widget(&w->ui, id, mark, !own);
    ui_text(&w->ui, own ? "model" : "yours ×", mark, 11, 500, own ? UI_FAINT : UI_ACCENT,
            LABEL_CENTER);
    ui_ring(&w->ui, id, mark, 8);
    ui_tip(&w->ui, id, mark,
           own ? "The model's own words" : "Your words; click for the model's own (Ctrl+Shift+R)");
    if (state.clicked && !own) {
        w->target_own = true;
        input_from_fields(w);
        if (pass) textedit_set(&w->target.edit, pass->own);
    }
}

static void draw_pair(Window *w, Box box, const Fields *f) {
    TextFieldLook look = {.hint = f->pair_hint, .tip = "Second sentence of a pair"};
    TextFieldEvent e = textfield_draw(&w->ui, ui_id("pair", 0), box, &w->pair, &look);
    if (e.changed) input_from_fields(w);
    after(w, e);
}

static const char *language_name(const char *code) {
    static const char *const names[][2] = {
        {"fra", "French"},  {"fin", "Finnish"}, {"eng", "English"}, {"deu", "German"},
        {"spa", "Spanish"}, {"swe", "Swedish"}, {"rus", "Russian"}, {"ita", "Italian"},
        {"ara", "Arabic"},  {"zho", "Chinese"}, {"jpn", "Japanese"}};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(names[i][0], code) == 0) return names[i][1];
    return code;
}

static double draw_language(Window *w, Box box) {
    const Subject *subject = w->loaded ? w->loaded->subject : NULL;
    const char *const *codes =
        subject && subject->tokenizer ? tokenizer_languages(subject->tokenizer) : NULL;
    if (!codes || !codes[0]) return 0;
    const char *items[UI_MAX_MENU];
    int n = 0, at = 0;
    for (; codes[n] && n < UI_MAX_MENU; n++) {
        items[n] = language_name(codes[n]);
        if (w->state.to && strcmp(w->state.to, codes[n]) == 0) at = n;
    }
    if (!w->state.to) state_put_text(&w->state.to, codes[at]);
    if (ui_choice(&w->ui, ui_id("language", 0), box, "", items, n, &at, "Target language"))
        state_put_text(&w->state.to, codes[at]);
    return box.w + 8;
}

static void model_label(const Window *w, char out[160]) {
    const Model *model = window_model(w);
    if (!model) {
        snprintf(out, 160, "%s", worker_busy(w->worker, SLOT_LOAD) ? "opening…" : "no model");
        return;
    }
    const ModelConfig *c = &model->config;
    const char *name = path_name(model->path);
    bool two = c->stack[STACK_ENCODER].n_layers > 0 && c->stack[STACK_DECODER].n_layers > 0;
    int heads = 0;
    for (int s = 0; s < STACK_COUNT; s++)
        if (c->stack[s].n_heads > heads) heads = c->stack[s].n_heads;
    if (two)
        snprintf(out, 160, "%s · %d+%d · %d heads", name, c->stack[STACK_ENCODER].n_layers,
                 c->stack[STACK_DECODER].n_layers, heads);
    else
        snprintf(out, 160, "%s · %d layers · %d heads", name,
                 c->stack[STACK_BLOCKS].n_layers + c->stack[STACK_ENCODER].n_layers +
                     c->stack[STACK_DECODER].n_layers,
                 heads);
}

static void draw_model(Window *w, Box box) {
    char label[160];
    model_label(w, label);
    UiId id = ui_id("model", 0);
    const char *tip = window_model(w) ? window_model(w)->path : "Open a model (Ctrl+O)";
    Ui *ui = &w->ui;
    UiState state = ui_widget(ui, id, box, true);
    paint_round(&ui->paint, box, box.h / 2, state.hot ? ui->theme->accent_soft : ui->theme->panel);
    paint_frame(&ui->paint, box, box.h / 2, 1, ui->theme->line);
    Box inner = box_inset(box, 12, 0);
    Box arrow = box_cut_right(&inner, 12);
    ui_user_text(ui, str(label), inner, 12, 400, ui_color(ui, UI_SOFT), LABEL_LEFT);
    ui_icon(ui, ICON_DOWN, box_inset(arrow, 2, arrow.h / 2 - 4), ui->theme->soft);
    ui_ring(ui, id, box, box.h / 2);
    ui_tip(ui, id, box, tip);
    if (state.clicked) panel_open(w, PANEL_OPEN);
}

static void draw_time(Window *w, Box box) {
    if (!w->pass) return;
    char text[32];
    double ms = w->pass->elapsed_ms;
    if (ms < 10000)
        snprintf(text, sizeof text, "%.0f ms", ms);
    else
        snprintf(text, sizeof text, "%.1f s", ms / 1000);
    ui_number(&w->ui, text, box, 12, UI_SOFT, LABEL_RIGHT);
}

void topbar_draw(Window *w, Box box) {
    Fields f = fields_of(w);
    Columns c = columns(w, box.w, &f);
    draw_logo(w, box);
    double h1 = textfield_height(&w->ui, &w->source, c.first, MOST_LINES);
    draw_source(w, (Box){c.x, 13, c.first, fmax(38, h1)}, &f);
    double x2 = c.x + c.first + 40;
    if (f.target || f.pair) {
        TextField *other = f.pair ? &w->pair : &w->target;
        double h2 = fmax(38, textfield_height(&w->ui, other, c.second, MOST_LINES));
        Box arrow = {c.x + c.first + 12, 24, 16, 16};
        if (f.target) ui_icon(&w->ui, ICON_ARROW, box_inset(arrow, 2, 2), w->ui.theme->faint);
        if (f.pair)
            draw_pair(w, (Box){x2, 13, c.second, h2}, &f);
        else
            draw_target(w, (Box){x2, 13, c.second, h2}, &f);
    }
    double at = box.w - c.right, end = box.w - 16;
    double time = window_narrow(w) ? 0 : 56;
    double language = draw_language(w, (Box){at, 18, window_narrow(w) ? 88 : 96, 28});
    at += language;
    draw_model(w, (Box){at, 18, end - time - at, 28});
    if (time > 0) draw_time(w, (Box){end - time, 18, time, 28});
}
