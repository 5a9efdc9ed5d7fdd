/* All heads by their numbers; the sentences of a file. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "app/window/edits.h"
#include "app/window/heads.h"
#include "app/window/lines.h"
#include "app/window/parts.h"

/* ---- heads ---- */

static double value_of(const HeadSummary *h, HeadOrder order) {
    switch (order) {
    case ORDER_ENTROPY:
        return h->entropy;
    case ORDER_DISTANCE:
        return h->distance;
    case ORDER_DIAGONAL:
        return h->diagonal;
    case ORDER_SPECIAL:
        return h->special;
    case ORDER_PLACE:
    case N_HEAD_ORDERS:
        break;
    }
    return 0;
}

typedef struct HeadRow {
    Place place;
    const HeadSummary *numbers;
    double key;
    int index;
} HeadRow;

static int compare_heads(const void *a, const void *b) {
    const HeadRow *x = a, *y = b;
    if (x->key < y->key) return -1;
    if (x->key > y->key) return 1;
    return x->index - y->index;
}

static HeadRow *collect(const Window *w, Arena *arena, int *n) {
    int most = 0;
    for (int i = 0; w->pass && i < w->pass->n_summaries; i++)
        most += w->pass->summaries[i].n_layers * w->pass->summaries[i].n_heads;
    HeadRow *rows = arena_calloc(arena, (size_t)most + 1, sizeof *rows);
    *n = 0;
    for (int i = 0; w->pass && i < w->pass->n_summaries; i++) {
        const Summary *s = &w->pass->summaries[i];
        for (int l = 0; l < s->n_layers; l++)
            for (int h = 0; h < s->n_heads; h++) {
                HeadRow *r = &rows[*n];
                r->place = place_of_head(s->attention, l, h);
                r->numbers = summary_head(s, l, h);
                double v = value_of(r->numbers, w->order);
                r->key = w->order_down ? -v : v;
                r->index = (*n)++;
            }
    }
    qsort(rows, (size_t)*n, sizeof *rows, compare_heads);
    return rows;
}

static const char *const head_columns[] = {"head", "entropy, bit", "distance", "diagonal",
                                           "special"};

static void head_heading(Window *w, Box row, double first, double pitch) {
    for (int i = 0; i < N_HEAD_ORDERS; i++) {
        Box cell = i == 0 ? (Box){row.x, row.y, first, row.h}
                          : (Box){row.x + first + (i - 1) * pitch, row.y, pitch, row.h};
        char label[48];
        bool on = (int)w->order == i;
        snprintf(label, sizeof label, "%s%s", head_columns[i],
                 !on             ? ""
                 : w->order_down ? " ↓"
                                 : " ↑");
        if (ui_button(&w->ui, ui_id("head-order", i), box_inset(cell, 2, 0), label,
                      (UiButton){.look = UI_QUIET, .selected = on, .tip = "Sort by this"})) {
            w->order_down = on ? !w->order_down : i != 0;
            w->order = (HeadOrder)i;
        }
    }
}

static void head_numbers(Window *w, Box row, const HeadRow *r, double first, double pitch) {
    double values[] = {r->numbers->entropy, r->numbers->distance, r->numbers->diagonal * 100,
                       r->numbers->special * 100};
    for (int i = 0; i < 4; i++) {
        char text[32];
        snprintf(text, sizeof text, i < 2 ? "%.2f" : "%.1f %%", values[i]);
        Box cell = {row.x + first + i * pitch, row.y, pitch - 20, row.h};
        ui_number(&w->ui, text, cell, 13, UI_INK, LABEL_RIGHT);
    }
}

static void head_row(Window *w, Box row, const HeadRow *r, double first, double pitch) {
    Ui *ui = &w->ui;
    UiId id = ui_id("head-row", r->index);
    UiState state = ui_widget(ui, id, row, true);
    bool shown = heads_shown(w, r->place);
    if (state.hot || shown)
        paint_round(&ui->paint, row, 6,
                    shown ? ui->theme->accent_soft
                          : color_mix(ui->theme->panel, ui->theme->ink, 0.05));
    char name[64];
    double factor;
    bool edited = edit_head_factor(w, r->place, &factor);
    snprintf(name, sizeof name, "%s L%dH%d%s", place_attention_name(&r->place), r->place.layer,
             r->place.head,
             !edited       ? ""
             : factor == 0 ? "  off"
                           : "  scaled");
    ui_text(ui, name, (Box){row.x + 12, row.y, first - 12, row.h}, 13, shown ? 600 : 400,
            edited ? UI_WARN : UI_INK, LABEL_LEFT);
    head_numbers(w, row, r, first, pitch);
    /* Mute: add or take it from the set that is drawn. */
    Box set = {row.x + row.w - 132, row.y + 3, 60, row.h - 6}, off = {set.x + 66, set.y, 60, set.h};
    if (ui_button(ui, ui_id("head-set", r->index), set, shown ? "hide" : "add",
                  (UiButton){.look = UI_PILL,
                             .selected = shown,
                             .tip = "Draw it together with others, or leave it out"}))
        heads_toggle(w, r->place, false);
    else if (ui_button(ui, ui_id("head-off", r->index), off, factor == 0 ? "on" : "ablate",
                       (UiButton){.look = UI_PILL,
                                  .selected = factor == 0,
                                  .tip = "Take it out of the pass"}))
        edit_set_factor(w, r->place, factor == 0 ? 1 : 0);
    else if (state.clicked && ui->in.x < set.x)
        heads_toggle(w, r->place, !ui->in.ctrl);
    else if (state.entered)
        heads_toggle(w, r->place, true);
    ui_ring(ui, id, row, 6);
}

void panel_heads(Window *w, Box box) {
    Ui *ui = &w->ui;
    Arena *arena = arena_new();
    int n;
    HeadRow *rows = collect(w, arena, &n);
    ui_text(ui, "For this sentence. Click a head to see it, Ctrl+click to see several.",
            box_cut_top(&box, 22), 12, 400, UI_SOFT, LABEL_LEFT);
    box_cut_top(&box, 6);
    double first = 140, pitch = fmax(72, (box.w - first - 148) / 4), height = 30;
    head_heading(w, box_cut_top(&box, 28), first, pitch);
    PaintClip outer;
    Box at = ui_scroll_begin(ui, ui_id("heads", 0), box, &w->panel_scroll, &outer);
    for (int i = 0; i < n; i++) {
        Box row = {at.x, at.y + i * height, at.w - 10, height};
        if (paint_sees(&ui->paint, row)) head_row(w, row, &rows[i], first, pitch);
    }
    if (n == 0)
        ui_text(ui, "No heads yet: the model has not read anything", (Box){at.x, at.y, at.w, 30},
                13, 400, UI_SOFT, LABEL_LEFT);
    ui_scroll_end(ui, ui_id("heads", 1), box, &w->panel_scroll, n * height, outer);
    arena_free(arena);
}

/* ---- sentences ---- */

static void number_or_dash(double x, char out[32]) {
    if (isfinite(x))
        snprintf(out, 32, "%.2f", x);
    else
        snprintf(out, 32, "–");
}

static void line_row(Window *w, Box row, int index, int at) {
    Ui *ui = &w->ui;
    const Line *line = &w->lines[index];
    UiId id = ui_id("line", index);
    UiState state = ui_widget(ui, id, row, true);
    bool now = at == w->at_line;
    if (now || state.hot)
        paint_round(&ui->paint, row, 6,
                    now ? ui->theme->accent_soft
                        : color_mix(ui->theme->panel, ui->theme->ink, 0.05));
    Box inner = box_inset(row, 12, 0);
    char number[16], score[32], worst[32];
    snprintf(number, sizeof number, "%d", index + 1);
    ui_number(ui, number, box_cut_left(&inner, 48), 12, UI_FAINT, LABEL_LEFT);
    number_or_dash(line->score, score);
    number_or_dash(line->worst, worst);
    ui_number(ui, worst, box_cut_right(&inner, 88), 12, UI_INK, LABEL_RIGHT);
    ui_number(ui, score, box_cut_right(&inner, 88), 12, UI_INK, LABEL_RIGHT);
    Box text = line->target ? box_cut_left(&inner, inner.w / 2) : inner;
    text.w -= 8;
    ui_user_text(ui, str(line->text), text, 13, now ? 600 : 400, ui->theme->ink, LABEL_LEFT);
    if (line->target)
        ui_user_text(ui, str(line->target), inner, 13, 400, ui->theme->soft, LABEL_LEFT);
    ui_ring(ui, id, row, 6);
    if (state.clicked) lines_go(w, at);
}

void panel_lines(Window *w, Box box) {
    Ui *ui = &w->ui;
    Box head = box_cut_top(&box, 28);
    static const char *const orders[] = {"in the file's order", "by score", "by the worst word"};
    int order = w->line_order;
    if (ui_choice(ui, ui_id("line-order", 0), box_cut_right(&head, 190), "", orders, 3, &order,
                  "Sort; all sentences are run for that, one after the other")) {
        lines_sort(w, order);
        lines_score_on(w);
    }
    char text[400], scored[48] = "";
    int n_scored = lines_n_scored(w);
    if (w->line_order && n_scored < w->n_lines)
        snprintf(scored, sizeof scored, ", %d scored so far", n_scored);
    snprintf(text, sizeof text, "%s: %d lines%s · log-probability of all words, and of the worst",
             w->lines_name, w->n_lines, scored);
    ui_user_text(ui, str(text), head, 12, 400, ui->theme->soft, LABEL_LEFT);
    box_cut_top(&box, 8);
    PaintClip outer;
    Box at = ui_scroll_begin(ui, ui_id("lines", 0), box, &w->panel_scroll, &outer);
    double height = 30;
    for (int i = 0; i < w->n_lines; i++) {
        Box row = {at.x, at.y + i * height, at.w - 10, height};
        if (paint_sees(&ui->paint, row)) line_row(w, row, w->line_rows[i], i);
    }
    ui_scroll_end(ui, ui_id("lines", 1), box, &w->panel_scroll, w->n_lines * height, outer);
}
