#include "app/history.h"

#include <stdlib.h>
#include <string.h>

struct History {
    int most, n, at; /* steps[at] is now; steps[at + 1 .. n) were undone */
    char **steps;
};

History *history_new(int most) {
    History *history = calloc(1, sizeof *history);
    if (!history) abort();
    history->most = most < 2 ? 2 : most;
    history->at = -1;
    history->steps = calloc((size_t)history->most, sizeof *history->steps);
    if (!history->steps) abort();
    return history;
}

static void forget(History *history, int from) {
    for (int i = from; i < history->n; i++)
        free(history->steps[i]);
    history->n = from;
}

void history_free(History *history) {
    if (!history) return;
    forget(history, 0);
    free(history->steps);
    free(history);
}

static char *copy(const char *text) {
    char *s = strdup(text);
    if (!s) abort();
    return s;
}

void history_push(History *history, const char *text) {
    if (history->at >= 0 && strcmp(history->steps[history->at], text) == 0) return;
    forget(history, history->at + 1);
    if (history->n == history->most) {
        free(history->steps[0]);
        memmove(history->steps, history->steps + 1,
                (size_t)(history->most - 1) * sizeof *history->steps);
        history->n--;
    }
    history->steps[history->n++] = copy(text);
    history->at = history->n - 1;
}

void history_touch(History *history, const char *text) {
    if (history->at < 0) {
        history_push(history, text);
        return;
    }
    if (strcmp(history->steps[history->at], text) == 0) return;
    free(history->steps[history->at]);
    history->steps[history->at] = copy(text);
}

bool history_can_undo(const History *history) {
    return history->at > 0;
}

bool history_can_redo(const History *history) {
    return history->at + 1 < history->n;
}

const char *history_undo(History *history) {
    return history_can_undo(history) ? history->steps[--history->at] : NULL;
}

const char *history_redo(History *history) {
    return history_can_redo(history) ? history->steps[++history->at] : NULL;
}
