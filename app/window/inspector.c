/* The column at the right: what is selected, what its query attends to, the head's numbers,
 * changes to the head, and all heads as a little grid. Groups fold. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "app/window/cells.h"
#include "app/window/edits.h"
#include "app/window/heads.h"
#include "app/window/parts.h"
#include "app/window/picture.h"

enum { ROW = 24, TOP_KEYS = 5 };

typedef struct Column {
    Window *w;
    Box at; /* what is left below */
} Column;

static Box row(Column *c, double height) {
    return box_cut_top(&c->at, height);
}

static bool group(Column *c, const char *title, int index) {
    Ui *ui = &c->w->ui;
    row(c, 16);
    Box head = row(c, 22);
    UiId id = ui_id("group", index);
    UiState state = ui_widget(ui, id, head, true);
    bool *folded = &c->w->folded[index];
    ui_heading(ui, title, head);
    if (state.hot || *folded)
        ui_icon(ui, *folded ? ICON_DOWN : ICON_UP, (Box){head.x + head.w - 10, head.y + 7, 8, 8},
                ui->theme->faint);
    ui_ring(ui, id, head, 4);
    if (state.clicked) {
        *folded = !*folded;
        ui->again = true;
    }
    row(c, 4);
    return !*folded;
}

static void pair(Column *c, const char *name, const char *value) {
    Box box = row(c, ROW);
    Box left = box_cut_left(&box, box.w * 0.6);
    ui_text(&c->w->ui, name, left, 13, 400, UI_SOFT, LABEL_LEFT);
    ui_number(&c->w->ui, value, box, 13, UI_INK, LABEL_RIGHT);
}

static void pair_user(Column *c, const char *name, Str value) {
    Box box = row(c, ROW);
    Box left = box_cut_left(&box, 64);
    ui_text(&c->w->ui, name, left, 13, 400, UI_SOFT, LABEL_LEFT);
    ui_user_text(&c->w->ui, value, box, 13, 500, c->w->ui.theme->ink, LABEL_RIGHT);
}

static void pair_number(Column *c, const char *name, double x, int decimals, const char *unit) {
    char text[48];
    if (isfinite(x)) {
        snprintf(text, sizeof text, "%.*f%s", decimals, x, unit);
    } else {
        snprintf(text, sizeof text, "–");
    }
    pair(c, name, text);
}

/* ---- the groups ---- */

static double score_of(const Window *w, const Place *p) {
    char name[HOOK_NAME_MAX];
    HookPoint at = {.site = SITE_SCORES, .stack = p->stack, .layer = p->layer, .cross = p->cross};
    const Tensor *scores = trace_find(w->pass->trace, hook_name(&at, name));
    if (!scores || scores->rank != 3 || p->head < 0 || p->head >= scores->shape[0] ||
        p->query >= scores->shape[1] || p->key >= scores->shape[2])
        return NAN;
    return (double)*tensor_at(*scores, p->head, p->query, p->key, 0);
}

static void draw_selection(Column *c, const Place *p, const Cells *cells, Arena *arena) {
    Window *w = c->w;
    if (!group(c, w->state.locked && place_is_open(&w->hover) ? "Selection, locked" : "Selection",
               0))
        return;
    if (!w->pass || p->query < 0) {
        Box box = row(c, 40);
        label_wrapped(w->ui.labels, &w->ui.paint,
                      "Point at a word or a cell; a click locks it, another releases it.", box,
                      (LabelStyle){.size = 12}, ui_color(&w->ui, UI_SOFT), true);
        return;
    }
    pair_user(c, "query", cells->n ? cells->query : cells_query_label(w, p, arena));
    if (cells->key < 0) return;
    float weight = cells->weights[cells->key];
    pair_user(c, "key", cells->labels[cells->key]);
    pair_number(c, "weight", (double)weight, 3, "");
    /* Words of several pieces have as many scores. */
    bool joined = cells->n_query_tokens > 1 || cells->n_key_tokens > 1;
    char text[48];
    if (joined) {
        snprintf(text, sizeof text, "%d × %d", cells->n_query_tokens, cells->n_key_tokens);
        pair(c, "pieces joined", text);
    } else {
        pair_number(c, "score before softmax", score_of(w, p), 3, "");
    }
    int rank = 1;
    for (int k = 0; k < cells->n; k++)
        rank += cells->weights[k] > weight;
    snprintf(text, sizeof text, "%d of %d", rank, cells->n);
    pair(c, "rank", text);
}

static void head_title(const Place *p, char out[64]) {
    if (p->layer >= 0 && p->head >= 0)
        snprintf(out, 64, "L%dH%d", p->layer, p->head);
    else if (p->layer >= 0)
        snprintf(out, 64, "the mean of layer %d", p->layer);
    else
        snprintf(out, 64, "this");
}

/* The heaviest keys, best first. */
static int best_keys(const Cells *cells, int best[TOP_KEYS]) {
    int n = 0;
    for (int k = 0; k < cells->n; k++) {
        if (n == TOP_KEYS && cells->weights[best[n - 1]] >= cells->weights[k]) continue;
        int at = n < TOP_KEYS ? n++ : TOP_KEYS - 1;
        while (at > 0 && cells->weights[best[at - 1]] < cells->weights[k]) {
            best[at] = best[at - 1];
            at--;
        }
        best[at] = k;
    }
    return n;
}

static void draw_key(Column *c, const Cells *cells, int key, int index) {
    Ui *ui = &c->w->ui;
    Box box = row(c, 22), whole = box;
    Box left = box_cut_left(&box, box.w * 0.34);
    double weight = (double)cells->weights[key];
    bool chosen = key == cells->key;
    UiId id = ui_id("top-key", index);
    UiState state = ui_widget(ui, id, whole, true);
    ui_user_text(ui, cells->labels[key], left, 12, chosen ? 600 : 400,
                 chosen || state.hot ? ui->theme->accent : ui->theme->soft, LABEL_RIGHT);
    double room = box.w - 56;
    Box bar = {box.x + 8, box.y + 7, fmax(2, room * weight), 8};
    paint_round(&ui->paint, bar, 2, ui->theme->accent);
    char text[16];
    snprintf(text, sizeof text, "%.2f", weight);
    ui_number(ui, text, (Box){bar.x + bar.w + 8, box.y, 40, box.h}, 12, UI_INK, LABEL_LEFT);
    ui_ring(ui, id, whole, 4);
    if (!state.clicked) return;
    state_select(&c->w->state, cells_place(cells, key));
    c->w->hover = place_none();
    picture_refocus(c->w);
}

static void draw_top(Column *c, const Place *p, const Cells *cells) {
    char head[64], title[96];
    head_title(p, head);
    snprintf(title, sizeof title, "What %s attends to here", head);
    if (!group(c, title, 1)) return;
    int best[TOP_KEYS], n = best_keys(cells, best);
    for (int i = 0; i < n; i++)
        draw_key(c, cells, best[i], i);
}

static void draw_head(Column *c, const Place *p) {
    const Summary *s = pass_summary(c->w->pass, p);
    const HeadSummary *h = s ? summary_head(s, p->layer, p->head) : NULL;
    if (!h) return;
    char title[96];
    snprintf(title, sizeof title, "Head L%dH%d", p->layer, p->head);
    if (!group(c, title, 2)) return;
    pair_number(c, "entropy", h->entropy, 2, " bit");
    pair_number(c, "mean distance", h->distance, 1, " tokens");
    pair_number(c, "on the diagonal", h->diagonal * 100, 1, " %");
    pair_number(c, "on special tokens", h->special * 100, 1, " %");
}

static void draw_changes(Column *c, const Place *p) {
    Window *w = c->w;
    if (!window_model(w) || !w->pass || !w->pass->loaded) return;
    if (!group(c, "Change it", 3)) return;
    if (p->layer >= 0 && p->head >= 0) {
        double factor;
        edit_head_factor(w, *p, &factor);
        bool off = factor == 0;
        if (ui_toggle(&w->ui, ui_id("ablate", 0), row(c, ROW), "ablate head", &off,
                      "Take this head out of the pass (A in the picture)"))
            edit_set_factor(w, *p, off ? 0 : 1);
        pair_number(c, "scale", factor, 2, "");
        if (ui_slider(&w->ui, ui_id("factor", 0), row(c, 20), &factor, 0, 2, 0.05))
            edit_set_factor(w, *p, factor);
    } else {
        Box box = row(c, 20);
        ui_text(&w->ui, "choose one head to change it", box, 12, 400, UI_SOFT, LABEL_LEFT);
    }
    if (w->state.edits.n == 0) return;
    char text[64];
    snprintf(text, sizeof text, "%d change%s in force", w->state.edits.n,
             w->state.edits.n == 1 ? "" : "s");
    Box line = row(c, 28);
    Box button = box_cut_right(&line, 72);
    ui_text(&w->ui, text, line, 12, 500, UI_ACCENT, LABEL_LEFT);
    if (ui_button(&w->ui, ui_id("clear-edits", 0), box_inset(button, 0, 2), "Undo all",
                  (UiButton){.look = UI_PILL, .tip = "Take all changes back (X in the picture)"}))
        edit_clear(w);
    if (w->pass->own_plain.n && !str_eq(w->pass->own_plain, w->pass->own)) {
        ui_text(&w->ui, "without them the model writes", row(c, 20), 12, 400, UI_SOFT, LABEL_LEFT);
        ui_user_text(&w->ui, w->pass->own_plain, row(c, 20), 12, 400, w->ui.theme->ink, LABEL_LEFT);
    }
}

static void draw_answers(Column *c) {
    const Pass *pass = c->w->pass;
    if (!pass || pass->n_answers == 0 || !group(c, "Answer", 5)) return;
    for (int i = 0; i < pass->n_answers; i++) {
        const PassAnswer *a = &pass->answers[i];
        char text[48];
        if (a->prob_plain >= 0)
            snprintf(text, sizeof text, "%.3f → %.3f", a->prob_plain, a->prob);
        else
            snprintf(text, sizeof text, "%.3f", a->prob);
        Box box = row(c, ROW);
        Box left = box_cut_left(&box, box.w * 0.5);
        ui_user_text(&c->w->ui, a->label, left, 13, i == 0 ? 600 : 400, c->w->ui.theme->ink,
                     LABEL_LEFT);
        ui_number(&c->w->ui, text, box, 13, UI_INK, LABEL_RIGHT);
    }
}

/* ---- the little grid ---- */

static void draw_thumb(Window *w, const Summary *s, const HeadSummary *h, Box box) {
    Ui *ui = &w->ui;
    if (w->kept.map_theme != ui->theme) {
        colormap_fill(COLORMAP_PAPER, ui->theme, w->kept.map);
        w->kept.map_theme = ui->theme;
    }
    const Color *map = w->kept.map;
    double scale = ui->paint.scale;
    int x0 = (int)lround(box.x * scale), y0 = (int)lround(box.y * scale);
    int n = (int)lround(box.w * scale), m = (int)lround(box.h * scale);
    PaintClip c = ui->paint.clip;
    for (int y = 0; y < m; y++) {
        int py = y0 + y;
        if (py < c.y0 || py >= c.y1) continue;
        uint32_t *line = (uint32_t *)(void *)((uint8_t *)ui->paint.pixels.data +
                                              (size_t)py * ui->paint.pixels.stride);
        int r0 = y * s->rows / m, r1 = ((y + 1) * s->rows + m - 1) / m;
        for (int x = 0; x < n; x++) {
            int px = x0 + x;
            if (px < c.x0 || px >= c.x1) continue;
            int c0 = x * s->columns / n, c1 = ((x + 1) * s->columns + n - 1) / n;
            uint8_t level = 0;
            for (int r = r0; r < r1; r++)
                for (int k = c0; k < c1; k++)
                    if (h->thumb[r * s->columns + k] > level) level = h->thumb[r * s->columns + k];
            line[px] = 0xff000000u | map[level] >> 8;
        }
    }
}

static void draw_cell(Window *w, const Summary *s, Box box, int layer, int head) {
    Ui *ui = &w->ui;
    Place p = place_of_head(s->attention, layer, head);
    UiId id = ui_id("grid", layer * 1000 + head);
    UiState state = ui_widget(ui, id, box, true);
    const HeadSummary *h = summary_head(s, layer, head);
    if (paint_sees(&ui->paint, box)) {
        draw_thumb(w, s, h, box);
        Place now = window_head(w);
        bool selected = now.layer == layer && now.head == head;
        double factor;
        bool edited = edit_head_factor(w, p, &factor);
        if (edited)
            paint_stroke(&ui->paint, box.x, box.y + box.h, box.x + box.w, box.y, 1.5,
                         ui->theme->negative);
        if (selected)
            paint_frame(&ui->paint, box_inset(box, -2, -2), 4, 2, ui->theme->accent);
        else if (w->shown && w->shown->report.n_series < s->n_layers * s->n_heads &&
                 heads_shown(w, p))
            paint_frame(&ui->paint, box_inset(box, -1, -1), 3, 1, ui->theme->accent);
        else if (state.hot)
            paint_frame(&ui->paint, box_inset(box, -1, -1), 3, 1, ui->theme->soft);
    }
    char tip[160];
    snprintf(tip, sizeof tip, "L%dH%d · entropy %.2f bit · %.0f %% on special tokens%s", layer,
             head, h->entropy, h->special * 100, "; Ctrl+click adds it to the picture");
    ui_tip(ui, id, box, tip);
    ui_ring(ui, id, box, 3);
    if (!state.clicked) return;
    heads_toggle(w, p, !ui->in.ctrl);
    if (state.double_clicked) state_put_text(&w->state.view, p.cross ? "cross" : "head");
}

static void draw_grid(Column *c, const Place *p) {
    Window *w = c->w;
    const Summary *s = pass_summary_near(w->pass, p);
    if (!s || !group(c, "Layers × heads", 4)) return;
    double room = c->at.w - 20;
    /* Squares of at least 16 units; more heads than that scroll sideways by Shift and the wheel. */
    double pitch = fmax(18, fmin(48, floor(room / s->n_heads)));
    double tall = fmin(pitch, 40);
    double over = fmax(0, pitch * s->n_heads - room);
    Box area = {c->at.x + 20, c->at.y - 4, room + 4, tall * s->n_layers + 8};
    if (over > 0 && ui_pointer_in(&w->ui, area) && (w->ui.in.shift || w->ui.in.wheel_x != 0)) {
        w->grid_scroll.offset -= (w->ui.in.wheel_y + w->ui.in.wheel_x) * pitch;
        w->ui.in.wheel_y = w->ui.in.wheel_x = 0;
    }
    w->grid_scroll.offset = fmax(0, fmin(over, w->grid_scroll.offset));
    for (int layer = 0; layer < s->n_layers; layer++) {
        Box line = row(c, tall);
        char text[16];
        snprintf(text, sizeof text, "%d", layer);
        ui_text(&w->ui, text, (Box){line.x, line.y, 18, line.h - 4}, 11, 400, UI_FAINT, LABEL_LEFT);
        PaintClip outer = paint_clip(&w->ui.paint, (Box){area.x - 2, line.y - 3, area.w, tall + 2});
        for (int head = 0; head < s->n_heads; head++) {
            Box cell = {area.x + head * pitch - w->grid_scroll.offset, line.y, pitch - 4, tall - 4};
            draw_cell(w, s, cell, layer, head);
        }
        paint_unclip(&w->ui.paint, outer);
    }
}

void inspector_draw(Window *w, Box box) {
    PaintClip outer;
    Box inner = box_inset(box, 16, 0);
    UiId id = ui_id("inspector", 0);
    Box content = ui_scroll_begin(&w->ui, id, box, &w->inspector_scroll, &outer);
    Column c = {w, {inner.x, content.y, inner.w, 1e6}};
    double top = content.y;
    Arena *arena = arena_new();
    Place head = window_head(w), p = window_selected(w);
    if (p.layer < 0) {
        int query = p.query, key = p.key;
        p = head;
        p.query = query;
        p.key = key;
    }
    Cells cells;
    bool there = cells_read(w, &p, arena, &cells);
    draw_answers(&c);
    draw_selection(&c, &p, &cells, arena);
    if (there) draw_top(&c, &p, &cells);
    draw_head(&c, p.layer >= 0 && p.head >= 0 ? &p : &head);
    draw_changes(&c, &head);
    draw_grid(&c, &head);
    arena_free(arena);
    row(&c, 16);
    ui_scroll_end(&w->ui, ui_id("inspector", 1), box, &w->inspector_scroll, c.at.y - top, outer);
}
