/* Changes to the forward pass from the window: a head switched off or scaled, a weight set. They
 * are the texts of the command line, kept in the state. */
#include "app/window/edits.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "app/window/cells.h"

/* "decoder.2.cross_attn" */
static void attention_name(const Place *head, char out[64]) {
    const char *name = head->cross ? "cross_attn" : "attn";
    snprintf(out, 64, "%s%d.%s", stack_prefix(head->stack), head->layer, name);
}

static void head_name(const Place *head, char out[96]) {
    char attention[64];
    attention_name(head, attention);
    snprintf(out, 96, "%s:H%d", attention, head->head);
}

/* Index of the edit of this head, or -1. */
static int find(const Window *w, const Place *head, double *factor) {
    char name[96];
    head_name(head, name);
    size_t n = strlen(name);
    for (int i = 0; i < w->state.edits.n; i++) {
        const char *edit = w->state.edits.items[i];
        double f = 0;
        if (strncmp(edit, "ablate ", 7) == 0 && strcmp(edit + 7, name) == 0) {
            *factor = 0;
            return i;
        }
        if (strncmp(edit, "scale ", 6) == 0 && strncmp(edit + 6, name, n) == 0 &&
            edit[6 + n] == '=' && number_parse(str(edit + 7 + n), &f)) {
            *factor = f;
            return i;
        }
    }
    return -1;
}

bool edit_head_factor(const Window *w, Place head, double *factor) {
    *factor = 1;
    return head.layer >= 0 && head.head >= 0 && find(w, &head, factor) >= 0;
}

static void take_away(StateList *list, int index) {
    free(list->items[index]);
    memmove(list->items + index, list->items + index + 1,
            (size_t)(list->n - index - 1) * sizeof *list->items);
    list->n--;
}

static bool room(Window *w) {
    if (w->state.edits.n < PASS_MAX_EDITS) return true;
    window_notice(w, true, "%d changes at most at one time; take some away first", PASS_MAX_EDITS);
    return false;
}

void edit_set_factor(Window *w, Place head, double factor) {
    if (head.layer < 0 || head.head < 0 || !window_model(w)) return;
    double before;
    int at = find(w, &head, &before);
    if (at >= 0) take_away(&w->state.edits, at);
    w->ui.again = true;
    if (factor == 1 || !room(w)) return;
    char name[96], text[160], digits[32];
    head_name(&head, name);
    if (factor == 0)
        snprintf(text, sizeof text, "ablate %s", name);
    else
        snprintf(text, sizeof text, "scale %s=%s", name, number_text(factor, 4, digits));
    state_list_add(&w->state.edits, text);
}

/* Every piece of the query's word, onto the first of the key's. What was set for them before gives
 * way. */
static void set_rows(Window *w, const Cells *cells, double weight) {
    char name[96], text[200], digits[32];
    head_name(&cells->place, name);
    number_text(weight, 4, digits);
    int begin = cells->first_query, end = begin + cells->n_query_tokens,
        key = cells->first[cells->key];
    for (int q = begin; q < end; q++) {
        int n = snprintf(text, sizeof text, "set %s:q%d:", name, q);
        for (int i = w->state.edits.n - 1; i >= 0; i--)
            if (strncmp(w->state.edits.items[i], text, (size_t)n) == 0)
                take_away(&w->state.edits, i);
        if (!room(w)) return;
        snprintf(text + n, sizeof text - (size_t)n, "k%d=%s", key, digits);
        state_list_add(&w->state.edits, text);
    }
    Str query = cells->query, to = cells->labels[cells->key];
    window_notice(w, false,
                  "%.*s now attends to %.*s with %s; the row is scaled so that it sums to 1",
                  (int)query.n, query.data, (int)to.n, to.data, digits);
    w->ui.again = true;
}

void edit_set_weight(Window *w, Place cell, double weight) {
    if (cell.layer < 0 || cell.head < 0 || cell.query < 0 || cell.key < 0 || !window_model(w)) {
        window_notice(w, false, "A weight is set in the picture of one head: choose one first");
        return;
    }
    Arena *arena = arena_new();
    Cells cells;
    if (cells_read(w, &cell, arena, &cells) && cells.key >= 0) set_rows(w, &cells, weight);
    arena_free(arena);
}

void edit_clear(Window *w) {
    state_list_clear(&w->state.edits);
    w->ui.again = true;
}
