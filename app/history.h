/* Undo and redo of the application's state, as the JSON text of each step.
 *
 *     History *history = history_new(100);
 *     history_push(history, text);                       after each change; the same again is none
 *     const char *before = history_undo(history);        NULL: nothing left; borrowed
 *     history_free(history);
 */
#ifndef APP_HISTORY_H
#define APP_HISTORY_H

#include <stdbool.h>

typedef struct History History;

History *history_new(int most);      /* steps kept */
void history_free(History *history); /* NULL is fine */
/* The state as it is now; what was undone is forgotten. Copies. */
void history_push(History *history, const char *text);
/* The state as it is now, without making a step: what undo will come back to. */
void history_touch(History *history, const char *text);
const char *history_undo(History *history);
const char *history_redo(History *history);
bool history_can_undo(const History *history);
bool history_can_redo(const History *history);

#endif
