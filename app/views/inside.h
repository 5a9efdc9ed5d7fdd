/* The inside of one head for one sentence: queries, keys, values and what comes of them, read from
 * the hooks of a trace.
 *
 *     Inside in;
 *     if (!inside_read(input, &in, arena, error)) ...      the trace must hold hook_q ... (views.c)
 */
#ifndef APP_VIEWS_INSIDE_H
#define APP_VIEWS_INSIDE_H

#include "app/views/common.h"

typedef struct Inside {
    Place head; /* attention, layer and head: all said */
    int n_heads, kv_head, n_kv_heads;
    Side queries, keys;
    bool writes;
    Tensor q;        // [query, d_head] as the scores use them: rotated in rotary models
    Tensor k;        // [key, d_head]
    Tensor v;        // [key, d_head]; data NULL: not kept
    Tensor z;        // [query, head, d_head]; data NULL: not kept
    Tensor out;      // [query, d_model]; data NULL: not kept
    Tensor scores;   // [query, key] of this head, scaled, biased; masked cells NaN
    Tensor weights;  // [query, key], masked cells NaN
    bool has_scores; /* as the model had them; else computed from q and k */
    double scale;
    bool rotated;
} Inside;

bool inside_read(const ViewInput *input, Inside *out, Arena *arena, Error *error);
/* "key/value head 1 of 2 serves heads 4 to 7"; NULL where each head has its own. */
const char *inside_kv_note(const Inside *in, const State *state, Arena *arena);

#endif
