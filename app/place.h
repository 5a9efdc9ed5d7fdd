/* One place in the attention of a model: (stack, self or cross, layer, head, query, key), any of
 * which may be left open. Pick id, id in an SVG, selection and command-line argument are this one
 * thing, with one parse and one print.
 *
 *     Place place;
 *     if (!place_parse(str("cross-L2H3-q4-k7"), &place, &error)) ...
 *     char id[PLACE_TEXT_MAX];
 *     place_text(&place, id);                                "cross-L2H3-q4-k7"
 *
 * Printed form: [encoder-|decoder-|cross-][L<layer>][H<head>][-q<query>][-k<key>], in one-stack
 * models without the first word. What is left open is left out: "cross-L2-q4-k7" is a cell of a
 * mean over heads, "q4" a query, "" nothing at all. Counts from 0.
 * Parsed too: the hook's way, "decoder.2.cross_attn:H3:q4:k7", "blocks.5.attn:H0".
 */
#ifndef APP_PLACE_H
#define APP_PLACE_H

#include <stdbool.h>

#include "model/base/error.h"
#include "model/base/str.h"
#include "model/config.h"

typedef struct Place {
    StackId stack; /* STACK_BLOCKS where none was said */
    bool cross;    /* cross-attention; stack is STACK_DECODER then */
    int layer, head;
    int query, key; /* token indexes; -1, as for the others: left open */
} Place;

enum { PLACE_TEXT_MAX = 64 };

static inline Place place_none(void) {
    return (Place){STACK_BLOCKS, false, -1, -1, -1, -1};
}
/* The whole of one attention: stack, self or cross. */
static inline Place place_attention(StackId stack, bool cross) {
    return (Place){stack, cross, -1, -1, -1, -1};
}
static inline Place place_of_head(Place attention, int layer, int head) {
    return (Place){attention.stack, attention.cross, layer, head, -1, -1};
}
static inline Place place_cell(Place head, int query, int key) {
    head.query = query;
    head.key = key;
    return head;
}
static inline bool place_same_attention(const Place *a, const Place *b) {
    return a->stack == b->stack && a->cross == b->cross;
}
bool place_equal(const Place *a, const Place *b);
/* Neither layer, head, query nor key is said. */
bool place_is_open(const Place *place);
/* Is b inside a: the same attention, and equal in all that a says? */
bool place_contains(const Place *a, const Place *b);

/* Returns buffer. */
const char *place_text(const Place *place, char buffer[PLACE_TEXT_MAX]);
/* False, with an error that shows both forms, if the text is no place. "" is place_none(). */
bool place_parse(Str text, Place *out, Error *error);

/* "encoder", "decoder", "cross" or, in a one-stack model, "self". */
const char *place_attention_name(const Place *place);

#endif
