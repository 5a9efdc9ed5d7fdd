/* The fields of the sentence bar and what the state has of them. What the first one holds goes by
 * what the model reads: a text, the ids of tokens where there is no tokenizer, the path of a
 * picture or of a sound.
 *
 *     input_adapt(window);                      a model has been opened
 *     input_from_fields(window);                the user has typed
 *     input_to_fields(window);                  the state has other texts
 */
#ifndef APP_WINDOW_INPUT_H
#define APP_WINDOW_INPUT_H

#include "app/window/window.h"

typedef enum InputKind { INPUT_TEXT, INPUT_IDS, INPUT_PICTURE, INPUT_SOUND } InputKind;

InputKind input_kind(const Window *window);
/* Is there anything to read? */
bool input_there(const Window *window);
/* Gives a model that has just been opened something of its kind to read. */
void input_adapt(Window *window);
/* From the view of another kind of model, or the first one, to that made for this kind. */
void input_choose_view(Window *window);
void input_to_fields(Window *window);
void input_from_fields(Window *window);
/* Another text to read, and nothing of the one before; target NULL: the model's own words. */
void input_set_text(Window *window, const char *text, const char *target);
/* The path typed so far is completed as far as it is clear; false: it is no path, or clear already.
 */
bool input_complete(Window *window);
/* In the empty field; in the empty picture. */
const char *input_hint(const Window *window);
const char *input_ask(const Window *window);

#endif
