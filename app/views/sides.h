/* The tokens of one side of an attention, as an axis: token by token, or joined into the words of
 * the text; what is special, hidden or picked among them.
 *
 *     Side keys;
 *     side_read(&keys, &tokens, state, true, arena);
 *     heatmap.keys = keys.axis;
 */
#ifndef APP_VIEWS_SIDES_H
#define APP_VIEWS_SIDES_H

#include "app/state.h"
#include "model/tokens.h"
#include "render/chart.h"

typedef struct Side {
    ChartAxis axis; /* n rows, with their texts; title NULL */
    int n_tokens;
    int n_seen;               /* tokens that are there by the step that is shown; n_tokens: all */
    const int *row_of;        // [n_tokens] which row of the axis a token is in
    const int *first;         // [n rows] its first token
    const int *count;         // [n rows] how many tokens it joins
    const bool *special;      // [n_tokens]
    bool words;               /* rows are words */
    int n_hidden;             /* rows not drawn */
    const char *hidden_names; /* "</s>, ." what they are called; "" if none */
    const char *unread_names; /* of the text, what the vocabulary does not know; "" if none */
} Side;

/* The tokens' texts must outlive the arena's use. words: join what makes a word. */
void side_read(Side *side, const Tokens *tokens, const State *state, bool words, Arena *arena);
/* Only the first tokens are there yet: the rows of later ones keep their place, and are absent. */
void side_until(Side *side, const Tokens *tokens, int n_seen, const State *state, Arena *arena);
static inline bool side_seen(const Side *side, int row) {
    return side->first[row] < side->n_seen;
}
/* Counts for labels: "0", "1", ... */
void side_count(Side *side, int n, int first, Arena *arena);
/* Rows that `picked` names: "4", "4,7-9" or a label. picked [n rows]; returns how many; 0 with an
 * error if there are none. */
int side_pick(const Side *side, const char *token, bool *picked, Error *error);

/* Is a row of it called so, as it is drawn or as the vocabulary has it? */
bool side_has(const Side *side, const Tokens *tokens, Str name);

/* How much of a row of weights lies on keys that are not drawn. row: [n rows of the side], not a
 * number where masked. */
double side_hidden_weight(const Side *keys, const float *row);
/* "12.5 % of the weight on </s>, . hidden" */
const char *side_hidden_note(const Side *keys, double percent, Arena *arena);

/* Nothing but punctuation. */
bool label_is_punctuation(Str label);

#endif
