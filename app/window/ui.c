/* See ui.h. The idea of an immediate-mode interface is Casey Muratori's (2005). */
#include "app/window/ui.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { TIP_DELAY_MS = 500 };

UiId ui_id(const char *name, int index) {
    uint64_t h = 1469598103934665603u;
    for (; *name; name++)
        h = (h ^ (unsigned char)*name) * 1099511628211u;
    h = (h ^ (unsigned)index) * 1099511628211u;
    return h ? h : 1;
}

void ui_begin(Ui *ui, double now_ms) {
    ui->now_ms = now_ms;
    ui->hot = 0;
    ui->n_focusable = 0;
    memcpy(ui->floats_before, ui->floats, sizeof ui->floats);
    ui->n_floats_before = ui->n_floats;
    ui->n_floats = 0;
    ui->level = 0;
    ui->again = false;
    ui->wake_ms = 0;
    ui->text_had = ui->text_wanted;
    ui->text_wanted = false;
    ui->tip_of = 0;
    ui->cursor = SDL_SYSTEM_CURSOR_ARROW;
    if (!ui->in.down && !ui->in.released) ui->active = 0;
    paint_begin(&ui->paint);
}

void ui_float_begin(Ui *ui, Box box) {
    if (ui->n_floats < UI_MAX_FLOATS) ui->floats[ui->n_floats++] = box;
    ui->level++;
}

void ui_float_end(Ui *ui) {
    ui->level--;
}

bool ui_pointer_in(const Ui *ui, Box box) {
    double x = ui->in.x, y = ui->in.y;
    if (!box_has(box, x, y)) return false;
    PaintClip c = ui->paint.clip;
    double px = x * ui->paint.scale, py = y * ui->paint.scale;
    if (px < c.x0 || py < c.y0 || px >= c.x1 || py >= c.y1) return false;
    for (int i = ui->level; i < ui->n_floats_before; i++)
        if (box_has(ui->floats_before[i], x, y)) return false;
    return true;
}

void ui_focus(Ui *ui, UiId id) {
    if (ui->focus != id) ui->again = true;
    ui->focus = id;
}

bool ui_key(Ui *ui, SDL_Keycode key, bool ctrl, bool shift) {
    for (int i = 0; i < ui->in.n_events; i++) {
        UiEvent *e = &ui->in.events[i];
        if (e->used || e->kind != UI_KEY || e->key != key || e->ctrl != ctrl || e->shift != shift ||
            e->alt)
            continue;
        e->used = true;
        ui->again = true;
        return true;
    }
    return false;
}

static UiState widget(Ui *ui, UiId id, Box box, bool focusable) {
    UiState state = {0};
    state.hot = ui_pointer_in(ui, box) && (ui->active == 0 || ui->active == id);
    if (state.hot) ui->hot = id;
    if (state.hot && ui->in.pressed) {
        ui->active = id;
        if (focusable) {
            ui_focus(ui, id);
            ui->focus_visible = false;
        }
        ui->again = true;
    }
    state.held = ui->active == id && ui->in.down;
    if (ui->active == id && ui->in.released) {
        state.clicked = state.hot;
        state.double_clicked = state.hot && ui->in.clicks >= 2;
        ui->active = 0;
        ui->again = true;
    }
    bool reachable = focusable && (!ui->modal || ui->level > 0);
    if (reachable && ui->n_focusable < UI_MAX_FOCUS) ui->focusable[ui->n_focusable++] = id;
    state.focused = ui->focus == id && reachable && !ui->menu.owner;
    return state;
}

UiState ui_widget_typed(Ui *ui, UiId id, Box box) {
    return widget(ui, id, box, true);
}

UiState ui_widget(Ui *ui, UiId id, Box box, bool focusable) {
    UiState state = widget(ui, id, box, focusable);
    if (state.focused &&
        (ui_key(ui, SDLK_RETURN, false, false) || ui_key(ui, SDLK_SPACE, false, false) ||
         ui_key(ui, SDLK_KP_ENTER, false, false)))
        state.entered = state.clicked = true;
    return state;
}

void ui_tip(Ui *ui, UiId id, Box box, const char *text) {
    if (!text || !*text || ui->hot != id) return;
    ui->tip_of = id;
    ui->tip_box = box;
    snprintf(ui->tip, sizeof ui->tip, "%s", text);
}

void ui_ring(Ui *ui, UiId id, Box box, double radius) {
    if (ui->focus != id || !ui->focus_visible) return;
    paint_frame(&ui->paint, box_inset(box, -2, -2), radius + 2, 2, ui->theme->accent);
}

Color ui_color(const Ui *ui, UiTone tone) {
    switch (tone) {
    case UI_INK:
        return ui->theme->ink;
    case UI_SOFT:
        return ui->theme->soft;
    case UI_FAINT:
        return ui->theme->faint;
    case UI_ACCENT:
        return ui->theme->accent;
    case UI_WARN:
        return ui->theme->negative;
    }
    return ui->theme->ink;
}

double ui_text(Ui *ui, const char *text, Box box, double size, int weight, UiTone tone,
               LabelAlign align) {
    LabelStyle style = {size, weight, false, align};
    return label_in(ui->labels, &ui->paint, text, box, style, ui_color(ui, tone));
}

double ui_number(Ui *ui, const char *text, Box box, double size, UiTone tone, LabelAlign align) {
    LabelStyle style = {size, 500, true, align};
    return label_in(ui->labels, &ui->paint, text, box, style, ui_color(ui, tone));
}

void ui_line(Ui *ui, double x, double y, Str text, TextStyle style, Color color) {
    PaintClip c = ui->paint.clip;
    if (c.x1 <= c.x0 || c.y1 <= c.y0) return;
    /* The canvas clips at the edge of the pixels that it is given. */
    CanvasPixels part = ui->paint.pixels;
    part.data = (uint32_t *)(void *)((uint8_t *)part.data + (size_t)c.y0 * part.stride) + c.x0;
    part.width = c.x1 - c.x0;
    part.height = c.y1 - c.y0;
    canvas_line(ui->canvas, &part, x - c.x0, y - c.y0, text, style, color);
}

double ui_user_text(Ui *ui, Str text, Box box, double size, int weight, Color color,
                    LabelAlign align) {
    if (!paint_sees(&ui->paint, box) || text.n == 0) return 0;
    double s = ui->paint.scale;
    TextStyle style = {.size = size * s, .weight = weight};
    Text *fonts = canvas_text(ui->canvas);
    Arena *arena = arena_new();
    if (text.n > 400) text.n = 400;
    Str shown = text_shorten(fonts, arena, text, style, box.w * s);
    TextSize measured = text_measure(fonts, shown, style);
    double x = box.x * s;
    if (align == LABEL_CENTER) x += (box.w * s - measured.width) / 2;
    if (align == LABEL_RIGHT) x += box.w * s - measured.width;
    double y = (box.y + box.h / 2) * s + style.size * 0.365;
    ui_line(ui, x, y, shown, style, color);
    arena_free(arena);
    return measured.width / s;
}

static bool is_blank_mark(Str text) {
    static const char mark[] = "\xe2\x90\xa3"; /* ␣ */
    size_t n = strlen(mark), at = 0;
    while (at + n <= text.n && memcmp(text.data + at, mark, n) == 0)
        at += n;
    return text.n > 0 && at == text.n;
}

void ui_token(Ui *ui, Str text, Box box, bool strong, Color ink) {
    bool blank = is_blank_mark(text);
    if (blank) box.y -= 4; /* the mark hangs below its line */
    if (blank && !strong) ink = ui->theme->soft;
    ui_user_text(ui, text, box, blank ? 17 : 12, strong ? 600 : 400, ink, LABEL_CENTER);
}

/* The next line of a text up to a line end; false behind the last. */
static bool next_line(Str *rest, Str *line) {
    if (!rest->data || rest->n == 0) return false;
    const char *end = memchr(rest->data, '\n', rest->n);
    size_t n = end ? (size_t)(end - rest->data) : rest->n;
    *line = str_sub(*rest, 0, n);
    *rest = str_sub(*rest, end ? n + 1 : n, rest->n);
    return true;
}

double ui_user_width(Ui *ui, Str text, double size) {
    double s = ui->paint.scale, widest = 0;
    Str line;
    while (next_line(&text, &line))
        widest =
            fmax(widest, text_width(canvas_text(ui->canvas), line, (TextStyle){.size = size * s}));
    return ceil(widest / s);
}

double ui_user_wrapped(Ui *ui, Str text, Box box, double size, Color color, bool draw) {
    double s = ui->paint.scale, pitch = ceil(size * 1.45), y = box.y;
    TextStyle style = {.size = size * s};
    Arena *arena = arena_new();
    Str part, *lines;
    while (next_line(&text, &part)) {
        int n = text_wrap(canvas_text(ui->canvas), arena, part, style, box.w * s, &lines);
        for (int i = 0; i < n; i++, y += pitch)
            if (draw)
                ui_line(ui, box.x * s, (y + pitch / 2) * s + style.size * 0.365, lines[i], style,
                        color);
    }
    arena_free(arena);
    return y - box.y;
}

void ui_heading(Ui *ui, const char *text, Box box) {
    char upper[96];
    size_t n = 0;
    for (; text[n] && n < sizeof upper - 1; n++)
        upper[n] = (char)(text[n] >= 'a' && text[n] <= 'z' ? text[n] - 32 : text[n]);
    upper[n] = 0;
    bool projector = ui->theme->outlines;
    ui_text(ui, upper, box, 11, 600, projector ? UI_SOFT : UI_FAINT, LABEL_LEFT);
}

static void menu_pick(Ui *ui, int index) {
    ui->menu_done = ui->menu.owner;
    ui->menu_value = index;
    ui->menu.owner = 0;
    ui->again = true;
}

static void menu_keys(Ui *ui) {
    UiMenu *menu = &ui->menu;
    if (ui_key(ui, SDLK_ESCAPE, false, false)) {
        menu->owner = 0;
        return;
    }
    if (ui_key(ui, SDLK_DOWN, false, false) && menu->hover < menu->n - 1) menu->hover++;
    if (ui_key(ui, SDLK_UP, false, false) && menu->hover > 0) menu->hover--;
    if ((ui_key(ui, SDLK_RETURN, false, false) || ui_key(ui, SDLK_SPACE, false, false)) &&
        menu->hover >= 0)
        menu_pick(ui, menu->hover);
}

static Box menu_box(Ui *ui, double row) {
    UiMenu *menu = &ui->menu;
    double width = menu->anchor.w;
    for (int i = 0; i < menu->n; i++) {
        double w = label_width(ui->labels, menu->items[i], (LabelStyle){.size = 13}) + 32;
        if (w > width) width = w;
    }
    double screen_w = ui->paint.pixels.width / ui->paint.scale;
    double screen_h = ui->paint.pixels.height / ui->paint.scale;
    double height = menu->n * row + 8;
    double below = screen_h - (menu->anchor.y + menu->anchor.h) - 12;
    double above = menu->anchor.y - 12;
    bool up = height > below && above > below;
    double room = up ? above : below;
    if (height > room) height = fmax(row + 8, floor((room - 8) / row) * row + 8);
    double x = fmin(menu->anchor.x, screen_w - width - 8);
    double y = up ? menu->anchor.y - height - 4 : menu->anchor.y + menu->anchor.h + 4;
    return (Box){fmax(8, x), y, width, height};
}

static void menu_draw(Ui *ui) {
    UiMenu *menu = &ui->menu;
    double row = 28;
    menu->box = menu_box(ui, row);
    Box box = menu->box;
    ui_float_begin(ui, box);
    paint_shadow(&ui->paint, box, 8, 12, color_alpha(COLOR_BLACK, 0.10));
    paint_round(&ui->paint, box, 8, ui->theme->panel);
    paint_frame(&ui->paint, box, 8, 1, ui->theme->line);
    PaintClip outer = paint_clip(&ui->paint, box_inset(box, 4, 4));
    double content = menu->n * row;
    if (box_has(box, ui->in.x, ui->in.y)) menu->scroll -= ui->in.wheel_y * row;
    if (menu->fresh || !ui->in.moved) {
        double top = menu->hover * row;
        if (menu->hover >= 0 && ui->in.wheel_y == 0)
            menu->scroll = fmin(top, fmax(menu->scroll, top + row - (box.h - 8)));
    }
    menu->scroll = fmax(0, fmin(menu->scroll, content - (box.h - 8)));
    for (int i = 0; i < menu->n; i++) {
        Box item = {box.x + 4, box.y + 4 + i * row - menu->scroll, box.w - 8, row};
        if (ui->in.moved && ui_pointer_in(ui, item)) menu->hover = i;
        if (i == menu->hover) paint_round(&ui->paint, item, 6, ui->theme->accent_soft);
        /* May be the user's words, of any script. */
        ui_user_text(ui, str(menu->items[i]), box_inset(item, 10, 0), 13,
                     i == menu->current ? 600 : 400,
                     ui_color(ui, i == menu->current ? UI_ACCENT : UI_INK), LABEL_LEFT);
        if (ui->in.pressed && !menu->fresh && ui_pointer_in(ui, item)) menu_pick(ui, i);
    }
    paint_unclip(&ui->paint, outer);
    ui_float_end(ui);
    if (ui->in.pressed && !menu->fresh && !box_has(box, ui->in.x, ui->in.y) &&
        !box_has(menu->anchor, ui->in.x, ui->in.y)) {
        menu->owner = 0;
        ui->again = true;
    }
    menu->fresh = false;
}

static void tip_draw(Ui *ui) {
    if (ui->tip_of != ui->tip_id) {
        ui->tip_id = ui->tip_of;
        ui->tip_since_ms = ui->now_ms;
        ui->tip_shown = false;
    }
    if (!ui->tip_id || ui->in.down || ui->menu.owner) return;
    double due = ui->tip_since_ms + TIP_DELAY_MS;
    if (ui->now_ms < due) {
        ui->wake_ms = due;
        return;
    }
    Str tip = str(ui->tip); /* may hold the user's words */
    double width = fmin(ui_user_width(ui, tip, 12), 320) + 1;
    double screen_w = ui->paint.pixels.width / ui->paint.scale;
    double screen_h = ui->paint.pixels.height / ui->paint.scale;
    double height = ui_user_wrapped(ui, tip, (Box){0, 0, width, 0}, 12, ui->theme->ink, false);
    Box box = {ui->tip_box.x, ui->tip_box.y + ui->tip_box.h + 6, width + 16, height + 8};
    if (box.y + box.h > screen_h - 4) box.y = ui->tip_box.y - box.h - 6;
    box.x = fmax(4, fmin(box.x, screen_w - box.w - 4));
    paint_shadow(&ui->paint, box, 6, 8, color_alpha(COLOR_BLACK, 0.12));
    paint_round(&ui->paint, box, 6, ui->theme->ink);
    ui_user_wrapped(ui, tip, (Box){box.x + 8, box.y + 4, width, height}, 12, ui->theme->panel,
                    true);
    ui->tip_shown = true;
}

static void walk_focus(Ui *ui) {
    bool back = ui_key(ui, SDLK_TAB, false, true);
    bool forward = !back && ui_key(ui, SDLK_TAB, false, false);
    if ((!back && !forward) || ui->n_focusable == 0) return;
    int at = -1;
    for (int i = 0; i < ui->n_focusable; i++)
        if (ui->focusable[i] == ui->focus) at = i;
    int n = ui->n_focusable;
    int to = at < 0 ? (back ? n - 1 : 0) : (at + (back ? n - 1 : 1)) % n;
    ui_focus(ui, ui->focusable[to]);
    ui->focus_visible = true;
}

void ui_end(Ui *ui) {
    paint_begin(&ui->paint);
    if (ui->menu.owner) {
        menu_draw(ui);
        menu_keys(ui);
    }
    walk_focus(ui);
    tip_draw(ui);
    /* The press was on nothing that holds it. */
    if (ui->in.released) ui->active = 0;
    UiInput *in = &ui->in;
    in->pressed = in->released = in->right_pressed = in->moved = false;
    in->wheel_x = in->wheel_y = 0;
    in->clicks = 0;
    in->n_events = 0;
}
