/* Buttons, toggles, sliders, segments, icons, scrolling columns and what opens a menu: see
 * ui.h. */
#include <math.h>
#include <string.h>

#include "app/window/ui.h"

static UiTone button_tone(const UiButton *button, bool hot) {
    if (button->disabled) return UI_FAINT;
    if (button->selected) return UI_ACCENT;
    return button->look == UI_ROW && !hot ? UI_SOFT : UI_INK;
}

static void button_ground(Ui *ui, Box box, UiButton button, UiState state, double radius) {
    const Theme *t = ui->theme;
    bool hot = state.hot && !button.disabled;
    Color ground = COLOR_NONE;
    if (button.look == UI_PRIMARY)
        ground = state.held ? color_mix(t->accent, t->ink, 0.2) : t->accent;
    else if (button.selected)
        ground = t->accent_soft;
    else if (hot)
        ground = color_mix(t->panel, t->ink, state.held ? 0.10 : 0.05);
    else if (button.look == UI_PILL)
        ground = t->panel;
    if (ground != COLOR_NONE) paint_round(&ui->paint, box, radius, ground);
    if (button.look == UI_PILL)
        paint_frame(&ui->paint, box, radius, 1, button.selected ? t->accent : t->line);
    if (t->outlines && button.selected) paint_frame(&ui->paint, box, radius, 2, t->accent);
}

bool ui_button(Ui *ui, UiId id, Box box, const char *label, UiButton button) {
    if (!paint_sees(&ui->paint, box)) {
        ui_widget(ui, id, box, !button.disabled);
        return false;
    }
    UiState state = ui_widget(ui, id, box, !button.disabled);
    bool pill = button.look == UI_PILL || button.look == UI_PRIMARY;
    double radius = pill ? box.h / 2 : 6;
    button_ground(ui, box, button, state, radius);
    bool row = button.look == UI_ROW;
    Box inner = box_inset(box, row ? 12 : 8, 0);
    if (button.hint) {
        double w = label_width(ui->labels, button.hint, (LabelStyle){.size = 11});
        ui_text(ui, button.hint, box_cut_right(&inner, w), 11, 400,
                button.selected ? UI_ACCENT : UI_FAINT, LABEL_RIGHT);
        inner.w -= 8;
    }
    if (button.look == UI_PRIMARY) {
        LabelStyle style = {13, 600, false, LABEL_CENTER};
        label_in(ui->labels, &ui->paint, label, inner, style,
                 theme_on(ui->theme, ui->theme->accent));
    } else {
        ui_text(ui, label, inner, row ? 13 : 12, button.selected ? 600 : 400,
                button_tone(&button, state.hot), row ? LABEL_LEFT : LABEL_CENTER);
    }
    ui_ring(ui, id, box, radius);
    ui_tip(ui, id, box, button.tip);
    return state.clicked && !button.disabled;
}

bool ui_toggle(Ui *ui, UiId id, Box box, const char *label, bool *value, const char *tip) {
    UiState state = ui_widget(ui, id, box, true);
    const Theme *t = ui->theme;
    Box inner = box;
    Box knob = box_cut_right(&inner, 28);
    knob = (Box){knob.x, knob.y + knob.h / 2 - 8, 28, 16};
    ui_text(ui, label, inner, 13, 400, state.hot ? UI_INK : UI_SOFT, LABEL_LEFT);
    paint_round(&ui->paint, knob, 8, *value ? t->accent : color_mix(t->panel, t->ink, 0.18));
    double x = *value ? knob.x + 14 : knob.x + 2;
    paint_round(&ui->paint, (Box){x, knob.y + 2, 12, 12}, 6,
                *value ? theme_on(t, t->accent) : t->panel);
    ui_ring(ui, id, box, 6);
    ui_tip(ui, id, box, tip);
    if (state.clicked) *value = !*value;
    return state.clicked;
}

bool ui_slider(Ui *ui, UiId id, Box box, double *value, double low, double high, double step) {
    UiState state = ui_widget(ui, id, box, true);
    double before = *value;
    Box track = {box.x, box.y + box.h / 2 - 2, box.w, 4};
    if (state.held) {
        double t = (ui->in.x - track.x) / track.w;
        *value = low + (high - low) * fmin(1, fmax(0, t));
        *value = round(*value / step) * step;
    }
    if (state.focused) {
        if (ui_key(ui, SDLK_LEFT, false, false)) *value = fmax(low, *value - step);
        if (ui_key(ui, SDLK_RIGHT, false, false)) *value = fmin(high, *value + step);
        if (ui_key(ui, SDLK_HOME, false, false)) *value = low;
        if (ui_key(ui, SDLK_END, false, false)) *value = high;
    }
    const Theme *t = ui->theme;
    double part = (fmin(high, fmax(low, *value)) - low) / (high - low);
    paint_round(&ui->paint, track, 2, color_mix(t->panel, t->ink, 0.10));
    paint_round(&ui->paint, (Box){track.x, track.y, track.w * part, track.h}, 2, t->accent);
    if (state.hot || state.held || state.focused) {
        double x = track.x + track.w * part;
        paint_round(&ui->paint, (Box){x - 6, track.y - 4, 12, 12}, 6, t->accent);
    }
    ui_ring(ui, id, box, 4);
    if (state.hot || state.held) ui->cursor = SDL_SYSTEM_CURSOR_SIZEWE;
    return *value != before;
}

double ui_segments(Ui *ui, UiId id, Box box, const char *const *items, const bool *enabled, int n,
                   int *value, bool *changed) {
    const Theme *t = ui->theme;
    double x = box.x + 2;
    LabelStyle style = {.size = 12, .weight = 500};
    double total = 4;
    for (int i = 0; i < n; i++)
        total += label_width(ui->labels, items[i], style) + 20;
    paint_round(&ui->paint, (Box){box.x, box.y, total, box.h}, 8,
                color_mix(t->background, t->ink, 0.06));
    for (int i = 0; i < n; i++) {
        double w = label_width(ui->labels, items[i], style) + 20;
        Box cell = {x, box.y + 2, w, box.h - 4};
        bool on = i == *value, can = !enabled || enabled[i];
        UiId part = id + (UiId)i * 7919u + 1;
        UiState state = ui_widget(ui, part, cell, can);
        if (on) paint_round(&ui->paint, cell, 6, t->panel);
        if (on)
            paint_frame(&ui->paint, cell, 6, t->outlines ? 2 : 1, t->outlines ? t->ink : t->line);
        ui_text(ui, items[i], cell, 12, on ? 600 : 400,
                !can        ? UI_FAINT
                : on        ? UI_INK
                : state.hot ? UI_INK
                            : UI_SOFT,
                LABEL_CENTER);
        ui_ring(ui, part, cell, 6);
        if (!can) ui_tip(ui, part, cell, "This model has no such attention");
        if (state.clicked && can && !on) {
            *value = i;
            *changed = true;
        }
        x += w;
    }
    return total;
}

static void shape(Ui *ui, Box b, const double *xy, int n, Color color) {
    double p[32];
    for (int i = 0; i < n; i++) {
        p[2 * i] = b.x + xy[2 * i] * b.w;
        p[2 * i + 1] = b.y + xy[2 * i + 1] * b.h;
    }
    paint_polygon(&ui->paint, p, n, color);
}

/* Strokes of an icon, in percent of its square; all 0 ends them. */
typedef struct Stroke {
    signed char x0, y0, x1, y1;
} Stroke;
enum { MOST_STROKES = 9 };

static const Stroke strokes[N_ICONS][MOST_STROKES] = {
    [ICON_BACK] = {{70, 10, 28, 50}, {28, 50, 70, 90}},
    [ICON_FORWARD] = {{30, 10, 72, 50}, {72, 50, 30, 90}},
    [ICON_FIRST] = {{15, 10, 15, 90}, {85, 10, 40, 50}, {40, 50, 85, 90}},
    [ICON_LAST] = {{85, 10, 85, 90}, {15, 10, 60, 50}, {60, 50, 15, 90}},
    [ICON_DOWN] = {{10, 30, 50, 70}, {50, 70, 90, 30}},
    [ICON_UP] = {{10, 70, 50, 30}, {50, 30, 90, 70}},
    [ICON_CLOSE] = {{10, 10, 90, 90}, {90, 10, 10, 90}},
    [ICON_MENU] = {{0, 20, 100, 20}, {0, 50, 100, 50}, {0, 80, 100, 80}},
    [ICON_FIT] = {{0, 0, 35, 0},
                  {0, 0, 0, 35},
                  {100, 0, 65, 0},
                  {100, 0, 100, 35},
                  {0, 100, 35, 100},
                  {0, 100, 0, 65},
                  {100, 100, 65, 100},
                  {100, 100, 100, 65}},
    [ICON_ARROW] = {{0, 50, 100, 50}, {65, 20, 100, 50}, {65, 80, 100, 50}},
};

static bool is_stroke(const Stroke *s) {
    return s->x0 || s->y0 || s->x1 || s->y1;
}

void ui_icon(Ui *ui, UiIcon icon, Box box, Color c) {
    double side = fmin(box.w, box.h);
    Box b = {box.x + (box.w - side) / 2, box.y + (box.h - side) / 2, side, side};
    Paint *paint = &ui->paint;
    if (icon == ICON_PLAY) {
        shape(ui, b, (const double[]){0.18, 0.05, 0.95, 0.5, 0.18, 0.95}, 3, c);
    } else if (icon == ICON_PAUSE) {
        paint_fill(paint, (Box){b.x + side * 0.15, b.y, side * 0.25, side}, c);
        paint_fill(paint, (Box){b.x + side * 0.6, b.y, side * 0.25, side}, c);
    } else if (icon == ICON_PANEL) {
        paint_frame(paint, box_inset(b, 0, side * 0.1), 2, 1.4, c);
        paint_fill(paint, (Box){b.x + side * 0.62, b.y + side * 0.1, 1.4, side * 0.8}, c);
    }
    for (const Stroke *s = strokes[icon]; s < strokes[icon] + MOST_STROKES && is_stroke(s); s++)
        paint_stroke(paint, b.x + s->x0 * side / 100, b.y + s->y0 * side / 100,
                     b.x + s->x1 * side / 100, b.y + s->y1 * side / 100, 1.6, c);
}

bool ui_icon_button(Ui *ui, UiId id, Box box, UiIcon icon, bool selected, const char *tip) {
    UiState state = ui_widget(ui, id, box, true);
    button_ground(ui, box, (UiButton){.look = UI_QUIET, .selected = selected}, state, 6);
    Box inner = box_inset(box, box.w / 2 - 6, box.h / 2 - 6);
    ui_icon(ui, icon, inner, selected ? ui->theme->accent : ui->theme->soft);
    ui_ring(ui, id, box, 6);
    ui_tip(ui, id, box, tip);
    return state.clicked;
}

Box ui_scroll_begin(Ui *ui, UiId id, Box box, UiScroll *scroll, PaintClip *outer) {
    (void)id;
    *outer = paint_clip(&ui->paint, box);
    double over = fmax(0, scroll->content - box.h);
    if (over > 0 && ui->in.wheel_y != 0 && ui_pointer_in(ui, box)) {
        scroll->offset -= ui->in.wheel_y * 48;
        ui->in.wheel_y = 0;
        ui->again = true;
    }
    scroll->offset = fmax(0, fmin(scroll->offset, over));
    return (Box){box.x, box.y - scroll->offset, box.w, scroll->content};
}

void ui_scroll_end(Ui *ui, UiId id, Box box, UiScroll *scroll, double content, PaintClip outer) {
    if (content != scroll->content) ui->again = true;
    scroll->content = content;
    double over = content - box.h;
    if (over > 0) {
        double h = fmax(24, box.h * box.h / content);
        Box thumb = {box.x + box.w - 6, box.y + (box.h - h) * scroll->offset / over, 4, h};
        UiState state = ui_widget(ui, id, (Box){thumb.x - 4, box.y, 10, box.h}, false);
        if (state.held)
            scroll->offset = fmax(0, fmin(over, (ui->in.y - box.y - h / 2) / (box.h - h) * over));
        Color c = color_mix(ui->theme->panel, ui->theme->ink, state.hot ? 0.4 : 0.18);
        paint_round(&ui->paint, thumb, 2, c);
    }
    paint_unclip(&ui->paint, outer);
}

static void menu_open(Ui *ui, UiId id, Box anchor, const char *const *items, int n, int current) {
    UiMenu *menu = &ui->menu;
    *menu = (UiMenu){.owner = id, .anchor = anchor, .current = current, .hover = current};
    menu->n = n < UI_MAX_MENU ? n : UI_MAX_MENU;
    menu->fresh = true;
    for (int i = 0; i < menu->n; i++)
        snprintf(menu->items[i], sizeof menu->items[i], "%s", items[i]);
    ui->again = true;
}

bool ui_menu_button(Ui *ui, UiId id, Box box, const char *label, const char *const *items, int n,
                    int *value, const char *tip) {
    UiState state = ui_widget(ui, id, box, true);
    bool open = ui->menu.owner == id;
    paint_round(&ui->paint, box, box.h / 2,
                state.hot || open ? ui->theme->accent_soft : ui->theme->panel);
    paint_frame(&ui->paint, box, box.h / 2, 1, open ? ui->theme->accent : ui->theme->line);
    Box inner = box_inset(box, 12, 0);
    Box arrow = box_cut_right(&inner, 12);
    ui_text(ui, label, inner, 12, 400, open ? UI_INK : UI_SOFT, LABEL_LEFT);
    ui_icon(ui, ICON_DOWN, box_inset(arrow, 2, arrow.h / 2 - 4), ui->theme->soft);
    ui_ring(ui, id, box, box.h / 2);
    ui_tip(ui, id, box, tip);
    if (state.focused && ui_key(ui, SDLK_DOWN, false, false)) state.clicked = true;
    if (state.clicked && open)
        ui->menu.owner = 0;
    else if (state.clicked && n > 0)
        menu_open(ui, id, box, items, n, *value);
    if (ui->menu_done != id) return false;
    ui->menu_done = 0;
    if (ui->menu_value >= n || ui->menu_value == *value) return false;
    *value = ui->menu_value;
    return true;
}

bool ui_choice(Ui *ui, UiId id, Box box, const char *prefix, const char *const *items, int n,
               int *value, const char *tip) {
    char label[160];
    bool known = *value >= 0 && *value < n;
    snprintf(label, sizeof label, "%s%s", prefix, known ? items[*value] : "");
    return ui_menu_button(ui, id, box, label, items, n, value, tip);
}
