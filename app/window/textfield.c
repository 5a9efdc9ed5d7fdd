/* See textfield.h. The text is cut into lines where pango wraps it; a line keeps its trailing
 * blanks, so that the caret can stand behind them. What an input method is composing is laid out as
 * part of the text, at the caret, and underlined. */
#include "app/window/textfield.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/base/arena.h"
#include "render/text_caret.h"

enum { BLINK_MS = 530, MAX_RANGES = 16 };
static const double PAD_X = 12, PAD_Y = 10;

void textfield_free(TextField *field) {
    textedit_free(&field->edit);
    free(field->starts);
    *field = (TextField){0};
}

/* Everything one draw needs to know; x and y in pixels. */
typedef struct Layout {
    Ui *ui;
    TextField *field;
    Text *fonts;
    TextStyle style;
    StrBuf shown;       /* text with the composition in it */
    double pitch;       /* pixels from line to line */
    double x, y;        /* pixels: top left of the text */
    double width;       /* pixels */
    double top, bottom; /* pixels: of the field; lines that are cut there are not drawn */
    bool single;
} Layout;

static double line_pitch(double size) {
    return ceil(size * 1.5);
}

static void wrap(Layout *l, double width) {
    TextField *f = l->field;
    if (f->starts && f->laid_revision == f->edit.revision && f->laid_width == width &&
        f->laid_size == l->style.size && f->laid_preedit == f->edit.preedit.n &&
        f->edit.preedit.n == 0)
        return;
    Arena *arena = arena_new();
    Str text = strbuf_str(&l->shown), *lines = NULL;
    int n =
        l->single || text.n == 0 ? 1 : text_wrap(l->fonts, arena, text, l->style, width, &lines);
    if (n < 1) n = 1;
    f->starts = realloc(f->starts, (size_t)(n + 1) * sizeof *f->starts);
    if (!f->starts) abort();
    for (int i = 0; i < n; i++)
        f->starts[i] = lines ? (size_t)(lines[i].data - text.data) : 0;
    f->starts[0] = 0;
    f->starts[n] = text.n;
    f->n_lines = n;
    f->laid_revision = f->edit.revision;
    f->laid_width = width;
    f->laid_size = l->style.size;
    f->laid_preedit = f->edit.preedit.n;
    arena_free(arena);
}

static Layout layout_begin(Ui *ui, TextField *field, double width, double size, bool single) {
    Layout l = {.ui = ui, .field = field, .fonts = canvas_text(ui->canvas), .single = single};
    l.style = (TextStyle){.size = size * ui->paint.scale};
    l.pitch = line_pitch(l.style.size);
    Str text = textedit_text(&field->edit);
    strbuf_add(&l.shown, text.data, field->edit.caret);
    strbuf_add(&l.shown, field->edit.preedit.data, field->edit.preedit.n);
    strbuf_add(&l.shown, text.data + field->edit.caret, text.n - field->edit.caret);
    l.width = (width - 2 * PAD_X) * ui->paint.scale;
    wrap(&l, l.width);
    return l;
}

static Str line_text(const Layout *l, int line) {
    return str_sub(strbuf_str(&l->shown), l->field->starts[line], l->field->starts[line + 1]);
}

/* Where a line begins: at the left, or, in a text that runs from right to left, so that it ends at
 * the right edge. */
static double line_x(const Layout *l, int line) {
    if (!text_is_rtl(strbuf_str(&l->shown))) return l->x;
    return l->x + fmax(0, l->width - text_width(l->fonts, line_text(l, line), l->style));
}

double textfield_height(Ui *ui, TextField *field, double width, int max_lines) {
    Layout l = layout_begin(ui, field, width, 15, false);
    int n = field->n_lines < max_lines ? field->n_lines : max_lines;
    strbuf_free(&l.shown);
    return 2 * PAD_Y + n * l.pitch / ui->paint.scale - (l.pitch / ui->paint.scale - 20);
}

static size_t shown_caret(const TextField *field) {
    return field->edit.caret + (field->edit.preedit.n ? field->edit.preedit_caret : 0);
}

static int line_of(const TextField *field, size_t byte) {
    int line = 0;
    while (line + 1 < field->n_lines && field->starts[line + 1] <= byte)
        line++;
    return line;
}

static size_t byte_at(const Layout *l, double px_x, double px_y) {
    TextField *f = l->field;
    int line = (int)floor((px_y - l->y) / l->pitch);
    line = line < 0 ? 0 : line >= f->n_lines ? f->n_lines - 1 : line;
    Str text = line_text(l, line);
    size_t at = f->starts[line] + text_caret_at(l->fonts, text, l->style, px_x - line_x(l, line));
    /* The end of a wrapped line is the start of the next: stay on this one. */
    if (line + 1 < f->n_lines && at == f->starts[line + 1] && text.n)
        at = f->starts[line] + grapheme_before(text, text.n);
    return at;
}

/* ---- keys ---- */

static void move_sideways(Layout *l, int direction, bool word, bool select) {
    TextEdit *e = &l->field->edit;
    int line = line_of(l->field, e->caret);
    Str text = line_text(l, line);
    size_t in_line = e->caret - l->field->starts[line];
    bool rtl = text_is_rtl(text);
    bool plain = !word && (select || !textedit_has_selection(e));
    size_t to = plain ? text_caret_step(l->fonts, text, l->style, in_line, direction) : SIZE_MAX;
    if (plain && to <= text.n && to != in_line) {
        textedit_place(e, l->field->starts[line] + to, select);
        return;
    }
    bool forward = (direction > 0) != rtl;
    textedit_move(e,
                  word ? (forward ? TEXTEDIT_WORD_RIGHT : TEXTEDIT_WORD_LEFT)
                       : (forward ? TEXTEDIT_RIGHT : TEXTEDIT_LEFT),
                  select);
}

static void move_lines(Layout *l, int by, bool select) {
    TextField *f = l->field;
    int line = line_of(f, f->edit.caret);
    double x =
        line_x(l, line) - l->x +
        text_caret_x(l->fonts, line_text(l, line), l->style, f->edit.caret - f->starts[line]);
    if (f->goal_x < 0) f->goal_x = x;
    int to = line + by;
    if (to < 0 || to >= f->n_lines) {
        textedit_move(&f->edit, to < 0 ? TEXTEDIT_HOME : TEXTEDIT_END, select);
        return;
    }
    double goal = f->goal_x;
    textedit_place(&f->edit, byte_at(l, l->x + goal, l->y + (to + 0.5) * l->pitch), select);
    f->goal_x = goal;
}

static void line_end(Layout *l, bool end, bool select) {
    TextField *f = l->field;
    int line = line_of(f, f->edit.caret);
    size_t to = f->starts[line];
    if (end) {
        to = f->starts[line + 1];
        if (line + 1 < f->n_lines && to > f->starts[line]) to--;
    }
    textedit_place(&f->edit, to, select);
}

static void copy(const TextEdit *edit) {
    Str s = textedit_selected(edit);
    if (s.n == 0) return;
    char *text = malloc(s.n + 1);
    if (!text) abort();
    memcpy(text, s.data, s.n);
    text[s.n] = 0;
    SDL_SetClipboardText(text);
    free(text);
}

static void paste(TextEdit *edit) {
    char *text = SDL_GetClipboardText();
    if (text) textedit_insert(edit, str(text));
    SDL_free(text);
}

static bool edit_key_ctrl(Layout *l, const UiEvent *k) {
    TextEdit *e = &l->field->edit;
    switch (k->key) {
    case SDLK_a:
        textedit_select_all(e);
        return true;
    case SDLK_c:
    case SDLK_INSERT:
        if (k->shift) return false;
        copy(e);
        return true;
    case SDLK_x:
        copy(e);
        if (textedit_has_selection(e)) textedit_delete(e, TEXTEDIT_LEFT);
        return true;
    case SDLK_v:
        paste(e);
        return true;
    case SDLK_z:
        if (k->shift)
            textedit_redo(e);
        else
            textedit_undo(e);
        return true;
    case SDLK_y:
        textedit_redo(e);
        return true;
    case SDLK_LEFT:
    case SDLK_RIGHT:
        move_sideways(l, k->key == SDLK_LEFT ? -1 : 1, true, k->shift);
        return true;
    case SDLK_HOME:
    case SDLK_END:
        textedit_move(e, k->key == SDLK_HOME ? TEXTEDIT_HOME : TEXTEDIT_END, k->shift);
        return true;
    case SDLK_BACKSPACE:
        textedit_delete(e, TEXTEDIT_WORD_LEFT);
        return true;
    case SDLK_DELETE:
        textedit_delete(e, TEXTEDIT_WORD_RIGHT);
        return true;
    default:
        return false;
    }
}

static bool edit_key(Layout *l, const UiEvent *k, const TextFieldLook *look) {
    TextEdit *e = &l->field->edit;
    if (k->alt) return false;
    if (k->ctrl) return edit_key_ctrl(l, k);
    switch (k->key) {
    case SDLK_LEFT:
    case SDLK_RIGHT:
        move_sideways(l, k->key == SDLK_LEFT ? -1 : 1, false, k->shift);
        return true;
    case SDLK_UP:
    case SDLK_DOWN:
        if (look->borrow_ends || l->single) return false;
        move_lines(l, k->key == SDLK_UP ? -1 : 1, k->shift);
        return true;
    case SDLK_HOME:
    case SDLK_END:
        line_end(l, k->key == SDLK_END, k->shift);
        return true;
    case SDLK_BACKSPACE:
        textedit_delete(e, TEXTEDIT_LEFT);
        return true;
    case SDLK_DELETE:
        textedit_delete(e, TEXTEDIT_RIGHT);
        return true;
    case SDLK_INSERT:
        if (k->shift) paste(e);
        return k->shift;
    default:
        return false;
    }
}

static void take_events(Layout *l, const TextFieldLook *look, TextFieldEvent *out) {
    UiInput *in = &l->ui->in;
    TextField *f = l->field;
    for (int i = 0; i < in->n_events; i++) {
        UiEvent *e = &in->events[i];
        if (e->used) continue;
        bool vertical = e->kind == UI_KEY && (e->key == SDLK_UP || e->key == SDLK_DOWN);
        if (!vertical) f->goal_x = -1;
        if (e->kind == UI_TEXT) {
            textedit_type(&f->edit, str(e->text));
            e->used = true;
        } else if (e->kind == UI_COMPOSE) {
            size_t caret = 0, n;
            Str s = str(e->text);
            for (int c = 0; c < e->caret && caret < s.n; c++, caret += n)
                n = grapheme_next(s, caret) - caret;
            textedit_compose(&f->edit, s, caret);
            e->used = true;
        } else if (f->edit.preedit.n) {
            e->used = true; /* the input method has it */
        } else if ((e->key == SDLK_RETURN || e->key == SDLK_KP_ENTER) && !e->ctrl && !e->alt &&
                   !look->borrow_ends) {
            out->submitted = e->used = true;
        } else if (e->key == SDLK_ESCAPE && !look->borrow_ends) {
            out->left = e->used = true;
        } else {
            e->used = edit_key(l, e, look);
        }
        if (e->used) {
            l->ui->again = true;
            f->blink_at_ms = l->ui->now_ms;
            /* Later keys of the frame move in the text as it is now. */
            bool single = l->single;
            double x = l->x, y = l->y;
            StrBuf old = l->shown;
            Layout next = layout_begin(l->ui, f, l->width / l->ui->paint.scale + 2 * PAD_X,
                                       l->style.size / l->ui->paint.scale, single);
            strbuf_free(&old);
            *l = next;
            l->x = x;
            l->y = y;
        }
    }
    out->truncated = f->edit.truncated;
    f->edit.truncated = false;
}

/* ---- pointer ---- */

static void take_pointer(Layout *l, UiState state) {
    Ui *ui = l->ui;
    TextEdit *e = &l->field->edit;
    double s = ui->paint.scale, x = ui->in.x * s, y = ui->in.y * s;
    if (state.hot) ui->cursor = SDL_SYSTEM_CURSOR_IBEAM;
    if (!state.held) return;
    size_t at = byte_at(l, x, y);
    if (at > e->n) at = e->n;
    if (ui->in.pressed && ui->in.clicks >= 3)
        textedit_select_all(e);
    else if (ui->in.pressed && ui->in.clicks == 2)
        textedit_select_word(e, at);
    else if (ui->in.pressed)
        textedit_place(e, at, ui->in.shift);
    else if (ui->in.moved)
        textedit_place(e, at, true);
    l->field->blink_at_ms = ui->now_ms;
}

/* ---- drawing ---- */

static void fill_px(Layout *l, double x0, double y0, double x1, double y1, Color color) {
    double s = l->ui->paint.scale;
    paint_fill(&l->ui->paint, (Box){x0 / s, y0 / s, (x1 - x0) / s, (y1 - y0) / s}, color);
}

/* Boxes over bytes begin..end of what is shown, whatever lines and directions they are in. */
static bool in_sight(const Layout *l, int line) {
    double y = l->y + line * l->pitch;
    return l->single || (y >= l->top && y + 0.8 * l->pitch <= l->bottom);
}

static void draw_ranges(Layout *l, size_t begin, size_t end, double from, double to, Color color) {
    TextField *f = l->field;
    for (int line = 0; line < f->n_lines; line++) {
        size_t a = f->starts[line], b = f->starts[line + 1];
        if (end <= a || begin >= b || !in_sight(l, line)) continue;
        TextRange ranges[MAX_RANGES];
        int n = text_ranges(l->fonts, line_text(l, line), l->style, begin > a ? begin - a : 0,
                            (end < b ? end : b) - a, ranges, MAX_RANGES);
        double x = line_x(l, line);
        for (int i = 0; i < n; i++)
            fill_px(l, x + ranges[i].x0, l->y + (line + from) * l->pitch, x + ranges[i].x1,
                    l->y + (line + to) * l->pitch, color);
    }
}

static void draw_marks(Layout *l, const TextFieldLook *look) {
    const Theme *t = l->ui->theme;
    double thick = 2.0 * l->ui->paint.scale / l->pitch;
    for (int i = 0; i < look->n_marks; i++) {
        TextMark m = look->marks[i];
        if (m.end > l->shown.n) continue;
        Color c = m.warn ? t->negative : t->accent;
        for (int line = 0; line < l->field->n_lines; line++) {
            size_t a = l->field->starts[line], b = l->field->starts[line + 1];
            if (m.end <= a || m.begin >= b || !in_sight(l, line)) continue;
            TextRange r[MAX_RANGES];
            int n =
                text_ranges(l->fonts, line_text(l, line), l->style, m.begin > a ? m.begin - a : 0,
                            (m.end < b ? m.end : b) - a, r, MAX_RANGES);
            double x = line_x(l, line);
            for (int k = 0; k < n; k++) {
                double y = l->y + (line + 0.94) * l->pitch, y1 = y + thick * l->pitch;
                double middle = r[k].x0 + (r[k].x1 - r[k].x0) * m.value;
                fill_px(l, x + r[k].x0, y, x + r[k].x1, y1, color_mix(t->panel, t->ink, 0.10));
                fill_px(l, x + r[k].x0, y, x + middle, y1, c);
            }
        }
    }
}

static void draw_caret(Layout *l, bool shown) {
    TextField *f = l->field;
    Ui *ui = l->ui;
    size_t caret = shown_caret(f);
    int line = line_of(f, caret);
    double x = line_x(l, line) +
               text_caret_x(l->fonts, line_text(l, line), l->style, caret - f->starts[line]);
    double y = l->y + line * l->pitch, s = ui->paint.scale;
    double wide = fmax(1, round(1.2 * s));
    x = round(x);
    if (shown) fill_px(l, x, y + l->pitch * 0.12, x + wide, y + l->pitch * 0.92, ui->theme->accent);
    ui->text_wanted = true;
    ui->text_box = (Box){x / s, y / s, 2, l->pitch / s};
}

static void keep_caret_in_sight(Layout *l, Box box) {
    TextField *f = l->field;
    double s = l->ui->paint.scale;
    size_t caret = shown_caret(f);
    bool moved = caret != f->caret_seen || f->seen != f->edit.revision;
    f->caret_seen = caret;
    f->seen = f->edit.revision;
    int line = line_of(f, caret);
    if (l->single) {
        double x = text_caret_x(l->fonts, line_text(l, 0), l->style, caret) / s;
        double room = box.w - 2 * PAD_X;
        double over = fmax(0, text_width(l->fonts, line_text(l, 0), l->style) / s - room + 2);
        if (moved) f->scroll = fmin(fmax(f->scroll, x - room + 2), x);
        f->scroll = fmax(0, fmin(f->scroll, over));
        return;
    }
    double pitch = l->pitch / s, room = box.h - 2 * PAD_Y + 8;
    double over = fmax(0, f->n_lines * pitch - room);
    if (moved) f->scroll = fmin(fmax(f->scroll, (line + 1) * pitch - room), line * pitch);
    if (ui_pointer_in(l->ui, box) && over > 0 && l->ui->in.wheel_y != 0) {
        f->scroll -= l->ui->in.wheel_y * pitch;
        l->ui->in.wheel_y = 0;
    }
    f->scroll = fmax(0, fmin(f->scroll, over));
}

static void draw_text(Layout *l, const TextFieldLook *look, bool focused) {
    Ui *ui = l->ui;
    TextField *f = l->field;
    const Theme *t = ui->theme;
    Color ink = look->dimmed ? t->soft : t->ink;
    if (focused && textedit_has_selection(&f->edit)) {
        size_t a = f->edit.anchor, b = f->edit.caret;
        draw_ranges(l, a < b ? a : b, a < b ? b : a, 0.06, 0.96,
                    color_mix(t->panel, t->accent, 0.28));
    }
    double base = 0.5 * l->pitch + 0.365 * l->style.size;
    for (int line = 0; line < f->n_lines; line++) {
        if (!in_sight(l, line)) continue;
        ui_line(ui, line_x(l, line), l->y + line * l->pitch + base, line_text(l, line), l->style,
                ink);
    }
}

static void draw_composition(Layout *l) {
    TextField *f = l->field;
    if (f->edit.preedit.n == 0) return;
    draw_ranges(l, f->edit.caret, f->edit.caret + f->edit.preedit.n, 0.90, 0.96,
                l->ui->theme->accent);
}

static bool caret_shines(Ui *ui, TextField *f) {
    double since = ui->now_ms - f->blink_at_ms;
    /* After ten seconds without a key it stands still: an idle window draws no frames. */
    if (since > 10000) return true;
    double next = f->blink_at_ms + (floor(since / BLINK_MS) + 1) * BLINK_MS;
    if (ui->wake_ms == 0 || next < ui->wake_ms) ui->wake_ms = next;
    return (int)(since / BLINK_MS) % 2 == 0;
}

TextFieldEvent textfield_draw(Ui *ui, UiId id, Box box, TextField *field,
                              const TextFieldLook *look) {
    TextFieldEvent event = {0};
    const Theme *t = ui->theme;
    UiState state = ui_widget_typed(ui, id, box);
    bool focused = ui->focus == id;
    uint64_t before = field->edit.revision;
    double size = look->size > 0 ? look->size : 15;
    Layout l = layout_begin(ui, field, box.w, size, look->single);
    double s = ui->paint.scale, pitch = l.pitch / s;
    Box inner = box_inset(box, PAD_X, 0);
    l.top = box.y * s;
    l.bottom = (box.y + box.h) * s;
    double room = field->n_lines * pitch;
    double top = room <= box.h - 8 ? box.y + (box.h - room) / 2 : box.y + 4 - field->scroll;
    l.x = (inner.x - (look->single ? field->scroll : 0)) * s;
    l.y = round(top * s);
    take_pointer(&l, state);
    if (state.focused) take_events(&l, look, &event);
    keep_caret_in_sight(&l, box);
    /* The text may have grown: place it again. */
    room = field->n_lines * pitch;
    top = room <= box.h - 8 ? box.y + (box.h - room) / 2 : box.y + 4 - field->scroll;
    l.x = (inner.x - (look->single ? field->scroll : 0)) * s;
    l.y = round(top * s);

    paint_round(&ui->paint, box, 8, t->background);
    paint_frame(&ui->paint, box, 8, focused ? 1.5 : 1, focused ? t->accent : t->line);
    PaintClip outer = paint_clip(&ui->paint, box_inset(box, look->single ? PAD_X - 2 : 2, 2));
    if (l.shown.n == 0 && look->hint)
        ui_text(ui, look->hint, inner, size - 1, 400, UI_FAINT, LABEL_LEFT);
    draw_marks(&l, look);
    draw_text(&l, look, focused);
    draw_composition(&l);
    if (focused) draw_caret(&l, caret_shines(ui, field));
    paint_unclip(&ui->paint, outer);
    ui_tip(ui, id, box, look->tip);
    strbuf_free(&l.shown);
    event.changed = field->edit.revision != before;
    return event;
}
