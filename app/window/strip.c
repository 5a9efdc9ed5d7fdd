/* The strip at the bottom: what was written, token by token; play, step, choose another. */
#include <math.h>
#include <string.h>

#include "app/window/parts.h"
#include "app/window/steps.h"

bool strip_wanted(const Window *w) {
    return steps_n(w) > 0;
}

static void draw_play(Window *w, Box box) {
    Ui *ui = &w->ui;
    UiId id = ui_id("play", 0);
    UiState state = ui_widget(ui, id, box, true);
    const Theme *t = ui->theme;
    paint_round(&ui->paint, box, box.h / 2,
                state.held ? color_mix(t->accent, t->ink, 0.2) : t->accent);
    ui_icon(ui, w->playing ? ICON_PAUSE : ICON_PLAY, box_inset(box, 10, 10),
            theme_on(t, t->accent));
    ui_ring(ui, id, box, box.h / 2);
    ui_tip(ui, id, box, w->playing ? "Pause (Space)" : "Play the steps (Space)");
    if (state.clicked) steps_play(w, !w->playing);
}

static void draw_chip(Window *w, Box box, int step, bool now) {
    Ui *ui = &w->ui;
    const Theme *t = ui->theme;
    const PassStep *s = &w->pass->steps[step];
    UiId id = ui_id("step", step);
    UiState state = ui_widget(ui, id, box, true);
    bool past = w->state.step < 0 || step < w->state.step; /* it is in the picture */
    Color ground = now ? t->accent : past ? t->accent_soft : color_mix(t->panel, t->ink, 0.05);
    if (state.hot && !now) ground = color_mix(ground, t->accent, 0.15);
    paint_round(&ui->paint, box, 6, ground);
    Color ink = now ? theme_on(t, t->accent) : past || state.hot ? t->ink : t->soft;
    ui_token(ui, s->pretty, box_inset(box, 6, 0), now, ink);
    Box bar = {box.x + 4, box.y + box.h - 3, (box.w - 8) * s->prob, 2};
    if (!now && s->prob > 0) paint_round(&ui->paint, bar, 1, t->accent);
    ui_ring(ui, id, box, 6);
    char tip[160];
    snprintf(tip, sizeof tip, "step %d of %d: %.*s, probability %.3f", step + 1, steps_n(w),
             (int)s->pretty.n, s->pretty.data, s->prob);
    ui_tip(ui, id, box, tip);
    if (state.clicked) steps_go(w, step);
}

/* Chips share the room; where they would be under 40 units the strip scrolls with the step. */
static void draw_chips(Window *w, Box box) {
    int n = steps_n(w), at = steps_at(w);
    double pitch = fmax(48, fmin(210, box.w / n));
    double total = pitch * n, over = fmax(0, total - box.w);
    if (over > 0 && ui_pointer_in(&w->ui, box) &&
        (w->ui.in.wheel_y != 0 || w->ui.in.wheel_x != 0)) {
        w->strip_scroll.offset -= (w->ui.in.wheel_y + w->ui.in.wheel_x) * 64;
        w->ui.in.wheel_y = w->ui.in.wheel_x = 0;
    } else if (w->strip_scroll.content != at) {
        double x = at * pitch;
        w->strip_scroll.offset =
            fmin(fmax(w->strip_scroll.offset, x + pitch * 2 - box.w), fmax(0, x - pitch));
    }
    w->strip_scroll.content = at;
    w->strip_scroll.offset = fmax(0, fmin(over, w->strip_scroll.offset));
    PaintClip outer = paint_clip(&w->ui.paint, (Box){box.x - 3, box.y - 3, box.w + 6, box.h + 6});
    for (int i = 0; i < n; i++) {
        Box chip = {box.x + i * pitch - w->strip_scroll.offset, box.y, pitch - 3, box.h};
        if (chip.x + chip.w < box.x || chip.x > box.x + box.w) continue;
        draw_chip(w, chip, i, i == at);
    }
    paint_unclip(&w->ui.paint, outer);
}

static int step_label(const Window *w, int step, char out[48]) {
    return snprintf(out, 48, "step %d of %d", step + 1, steps_n(w));
}

/* As wide as the last step's label, so that it stands still while steps are gone through. */
static double candidates_width(Window *w) {
    char label[48];
    int n = step_label(w, steps_n(w) - 1, label);
    return fmax(116, 42 + ui_user_width(&w->ui, (Str){label, (size_t)n}, 12));
}

/* The candidates of this step; another one makes the model go on from there. */
static void draw_candidates(Window *w, Box box) {
    const PassStep *s = &w->pass->steps[steps_at(w)];
    char labels[PASS_TOP][96];
    const char *items[PASS_TOP];
    int at = -1;
    for (int i = 0; i < s->n_top; i++) {
        snprintf(labels[i], sizeof labels[i], "%.3f   %.*s", s->top[i].prob,
                 (int)(s->top[i].label.n < 60 ? s->top[i].label.n : 60), s->top[i].label.data);
        items[i] = labels[i];
        if (s->top[i].id == s->id) at = i;
    }
    int chosen = at;
    /* The pill shows the step; its list the candidates. */
    char label[48];
    step_label(w, steps_at(w), label);
    if (ui_menu_button(&w->ui, ui_id("candidates", 0), box, label, items, s->n_top, &chosen,
                       "Candidates of this step with their probabilities; choose one and the "
                       "model goes on from there") &&
        chosen != at)
        steps_choose(w, steps_at(w), s->top[chosen].id);
}

void strip_draw(Window *w, Box box) {
    double y = box.y + box.h / 2;
    draw_play(w, (Box){16, y - 16, 32, 32});
    if (ui_icon_button(&w->ui, ui_id("step-back", 0), (Box){54, y - 14, 28, 28}, ICON_BACK, false,
                       "Step back (,)"))
        steps_go(w, steps_at(w) - 1);
    if (ui_icon_button(&w->ui, ui_id("step-next", 0), (Box){82, y - 14, 28, 28}, ICON_FORWARD,
                       false, "Next step (.)"))
        steps_go(w, steps_at(w) + 1);
    double right = candidates_width(w) + 16;
    draw_chips(w, (Box){120, y - 14, w->width - 120 - right - 16, 28});
    draw_candidates(w, (Box){w->width - right, y - 14, right - 16, 28});
}
