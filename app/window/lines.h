/* Sentences, or pairs, of a file: stepped through, and scored when they are to be ordered by that.
 *
 *     if (lines_load(window, path, &error)) lines_go(window, 3);
 *     lines_sort(window, 1);
 *     lines_score_on(window);
 */
#ifndef APP_WINDOW_LINES_H
#define APP_WINDOW_LINES_H

#include "app/window/window.h"

bool lines_load(Window *window, const char *path, Error *error);
void lines_free(Window *window);
void lines_go(Window *window, int row);
void lines_sort(Window *window, int order);
void lines_note_score(Window *window); /* the run that has just come may be of the line in sight */

/* In an order by scores all lines are run, one after the other, while nothing else is. */
void lines_score_on(Window *window);
int lines_n_scored(const Window *window);
void lines_forget_scores(Window *window);

#endif
