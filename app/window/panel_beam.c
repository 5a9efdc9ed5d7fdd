/* The beam as a tree: a column a step, a node a hypothesis; what survived is joined in accent. A
 * click forces that hypothesis and shows its attention. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "app/window/input.h"
#include "app/window/panel.h"
#include "app/window/parts.h"

typedef struct Tree {
    const Generation *g;
    int n_steps;
    int *slot;   // [node] row in its column
    bool *final; // [node] on the way to what was written
} Tree;

static Tree tree_of(const Generation *g, Arena *arena) {
    Tree t = {.g = g};
    t.slot = arena_calloc(arena, (size_t)g->n_nodes + 1, sizeof *t.slot);
    t.final = arena_calloc(arena, (size_t)g->n_nodes + 1, sizeof *t.final);
    for (int i = 0; i < g->n_nodes; i++)
        if (g->nodes[i].step + 1 > t.n_steps) t.n_steps = g->nodes[i].step + 1;
    int *count = arena_calloc(arena, (size_t)t.n_steps + 1, sizeof *count);
    for (int i = 0; i < g->n_nodes; i++)
        t.slot[i] = count[g->nodes[i].step]++;
    /* Follow the chosen ids from the root. */
    int parent = -1;
    for (int at = g->n_prompt; at < g->n; at++)
        for (int i = 0; i < g->n_nodes; i++) {
            const BeamNode *node = &g->nodes[i];
            bool follows =
                node->parent == parent || (parent < 0 && (node->parent < 0 || node->step == 0));
            if (!follows || node->id != g->ids[at] || node->step != at - g->n_prompt) continue;
            t.final[i] = true;
            parent = i;
            break;
        }
    return t;
}

/* Forces the words from the root to this node. */
static void force(Window *w, const Generation *g, int node) {
    Arena *arena = arena_new();
    int n = 0;
    for (int i = node; i >= 0; i = g->nodes[i].parent)
        n++;
    int32_t *ids = arena_alloc(arena, (size_t)n * sizeof *ids);
    int at = n;
    for (int i = node; i >= 0; i = g->nodes[i].parent)
        ids[--at] = g->nodes[i].id;
    Str text = subject_decode(w->loaded->subject, ids, n, arena);
    w->target_own = false;
    textedit_replace(&w->target.edit, text);
    input_from_fields(w);
    arena_free(arena);
}

static void draw_node(Window *w, const Tree *t, int i, Box box) {
    Ui *ui = &w->ui;
    const BeamNode *node = &t->g->nodes[i];
    UiId id = ui_id("beam", i);
    UiState state = ui_widget(ui, id, box, true);
    const Theme *th = ui->theme;
    Color ground = t->final[i] ? th->accent
                   : state.hot ? th->accent_soft
                               : color_mix(th->panel, th->ink, 0.05);
    paint_round(&ui->paint, box, 6, ground);
    Str label = tokenizer_label(w->loaded->subject->tokenizer, node->id, true);
    char number[24];
    if (!label.data) {
        snprintf(number, sizeof number, "%d", (int)node->id);
        label = str(number);
    }
    Arena *arena = arena_new();
    label = token_pretty(label, w->pass->style, arena);
    Color ink = t->final[i] ? theme_on(th, th->accent) : th->ink;
    ui_token(ui, label, box_inset(box, 6, 0), t->final[i], ink);
    arena_free(arena);
    char tip[128];
    snprintf(tip, sizeof tip, "probability %.3f, log-probability so far %.2f%s",
             exp((double)node->log_prob), (double)node->score, node->finished ? ", finished" : "");
    ui_tip(ui, id, box, tip);
    ui_ring(ui, id, box, 6);
    if (state.clicked) {
        force(w, t->g, i);
        panel_close(w);
    }
}

static void draw_tree(Window *w, Box box, const Tree *t) {
    enum { CELL_W = 104, CELL_H = 28, GAP_X = 28, GAP_Y = 8 };
    Ui *ui = &w->ui;
    double total_w = t->n_steps * (CELL_W + GAP_X), total_h = 0;
    for (int i = 0; i < t->g->n_nodes; i++)
        total_h = fmax(total_h, (t->slot[i] + 1) * (CELL_H + GAP_Y));
    double over = fmax(0, total_w - box.w);
    if (ui_pointer_in(ui, box) && over > 0) {
        w->strip_scroll.offset -= (ui->in.wheel_y + ui->in.wheel_x) * 80;
        ui->in.wheel_y = ui->in.wheel_x = 0;
    }
    w->strip_scroll.offset = fmax(0, fmin(over, w->strip_scroll.offset));
    double x0 = box.x - w->strip_scroll.offset, y0 = box.y + fmax(0, (box.h - total_h) / 4);
    for (int pass = 0; pass < 2; pass++)
        for (int i = 0; i < t->g->n_nodes; i++) {
            const BeamNode *node = &t->g->nodes[i];
            double x = x0 + node->step * (CELL_W + GAP_X), y = y0 + t->slot[i] * (CELL_H + GAP_Y);
            if (pass == 1) {
                draw_node(w, t, i, (Box){x, y, CELL_W, CELL_H});
                continue;
            }
            int p = node->parent;
            if (p < 0 || t->g->nodes[p].step >= node->step) continue;
            double py = y0 + t->slot[p] * (CELL_H + GAP_Y) + CELL_H / 2.0;
            bool joined = t->final[i] && t->final[p];
            paint_stroke(&ui->paint, x - GAP_X, py, x, y + CELL_H / 2.0, joined ? 2.5 : 1,
                         joined ? ui->theme->accent : ui->theme->faint);
        }
}

void panel_beam(Window *w, Box box) {
    Ui *ui = &w->ui;
    Box head = box_cut_top(&box, 28);
    static const char *const sizes[] = {"as the model says", "greedy",  "2 beams",
                                        "4 beams",           "6 beams", "8 beams"};
    static const int beams[] = {0, 1, 2, 4, 6, 8};
    int at = 0;
    for (int i = 0; i < 6; i++)
        if (beams[i] == w->state.beam) at = i;
    if (ui_choice(ui, ui_id("beam-size", 0), box_cut_right(&head, 170), "", sizes, 6, &at,
                  "How many hypotheses are kept at each step"))
        w->state.beam = beams[at];
    ui_text(ui,
            "A column a step, best first. Click a node to force its words and see its attention.",
            head, 12, 400, UI_SOFT, LABEL_LEFT);
    box_cut_top(&box, 12);
    if (!w->pass || w->pass->search.n_nodes == 0 || !w->loaded || !w->loaded->subject->tokenizer) {
        ui_text(ui, "Choose two beams or more: the search is kept and drawn here.",
                (Box){box.x, box.y, box.w, 30}, 13, 400, UI_SOFT, LABEL_LEFT);
        return;
    }
    Arena *arena = arena_new();
    Tree tree = tree_of(&w->pass->search, arena);
    draw_tree(w, box, &tree);
    arena_free(arena);
}
