#include "app/place.h"

#include <stdio.h>

#include "model/hooks.h"

enum { PLACE_NUMBER_DIGITS = 9 }; /* what an int holds whatever the digits are */

bool place_equal(const Place *a, const Place *b) {
    return place_same_attention(a, b) && a->layer == b->layer && a->head == b->head &&
           a->query == b->query && a->key == b->key;
}

bool place_is_open(const Place *place) {
    return place->layer < 0 && place->head < 0 && place->query < 0 && place->key < 0;
}

static bool agrees(int said, int other) {
    return said < 0 || said == other;
}

bool place_contains(const Place *a, const Place *b) {
    return place_same_attention(a, b) && agrees(a->layer, b->layer) && agrees(a->head, b->head) &&
           agrees(a->query, b->query) && agrees(a->key, b->key);
}

const char *place_attention_name(const Place *place) {
    if (place->cross) return "cross";
    switch (place->stack) {
    case STACK_ENCODER:
        return "encoder";
    case STACK_DECODER:
        return "decoder";
    case STACK_BLOCKS:
    case STACK_COUNT:
        break;
    }
    return "self";
}

/* Adds "-" first where it parts two halves of the id and something stands before it. */
static size_t add(char *buffer, size_t n, const char *part, char letter, int value) {
    if (value < 0) return n;
    int written =
        snprintf(buffer + n, PLACE_TEXT_MAX - n, "%s%c%d", n > 0 ? part : "", letter, value);
    return n + (size_t)written;
}

const char *place_text(const Place *place, char buffer[PLACE_TEXT_MAX]) {
    size_t n = 0;
    buffer[0] = 0;
    bool two_stacks = place->cross || place->stack != STACK_BLOCKS;
    if (two_stacks) n = (size_t)snprintf(buffer, PLACE_TEXT_MAX, "%s", place_attention_name(place));
    n = add(buffer, n, "-", 'L', place->layer);
    n = add(buffer, n, place->layer >= 0 ? "" : "-", 'H', place->head);
    n = add(buffer, n, "-", 'q', place->query);
    add(buffer, n, "-", 'k', place->key);
    return buffer;
}

/* "L12" at the front of s: takes it away. False where s goes on differently. */
static bool take(Str *s, char letter, int *value) {
    if (s->n < 2 || s->data[0] != letter) return false;
    size_t n = 1;
    int x = 0;
    while (n < s->n && n <= PLACE_NUMBER_DIGITS && s->data[n] >= '0' && s->data[n] <= '9')
        x = x * 10 + (s->data[n++] - '0');
    if (n == 1 || (n < s->n && s->data[n] >= '0' && s->data[n] <= '9')) return false;
    *value = x;
    *s = str_sub(*s, n, s->n);
    return true;
}

static bool take_char(Str *s, char c) {
    if (s->n == 0 || s->data[0] != c) return false;
    *s = str_sub(*s, 1, s->n);
    return true;
}

static bool parse_short(Str s, Place *out) {
    static const struct {
        const char *word;
        StackId stack;
        bool cross;
    } attentions[] = {{"encoder", STACK_ENCODER, false},
                      {"decoder", STACK_DECODER, false},
                      {"cross", STACK_DECODER, true},
                      {"self", STACK_BLOCKS, false}};
    *out = place_none();
    bool begun = false;
    for (size_t i = 0; i < sizeof attentions / sizeof *attentions && !begun; i++)
        if (str_starts(s, attentions[i].word)) {
            out->stack = attentions[i].stack;
            out->cross = attentions[i].cross;
            s = str_sub(s, strlen(attentions[i].word), s.n);
            begun = true;
        }
    struct {
        char letter;
        int *value;
        bool parted;
    } parts[] = {{'L', &out->layer, true},
                 {'H', &out->head, true},
                 {'q', &out->query, true},
                 {'k', &out->key, true}};
    for (int i = 0; i < 4; i++) {
        Str rest = s;
        bool joined = i == 1 && out->layer >= 0; /* L5H3 */
        if (begun && !joined && !take_char(&rest, '-')) continue;
        if (!take(&rest, parts[i].letter, parts[i].value)) continue;
        s = rest;
        begun = true;
    }
    return s.n == 0;
}

/* "decoder.2.cross_attn:H3:q4:k7" */
static bool parse_hook(Str s, Place *out) {
    char name[HOOK_NAME_MAX];
    size_t n = 0;
    while (n < s.n && s.data[n] != ':')
        n++;
    if (n + sizeof ".hook_pattern" > sizeof name) return false;
    bool bare = str_ends(str_sub(s, 0, n), "attn");
    snprintf(name, sizeof name, "%.*s%s", (int)n, s.data, bare ? ".hook_pattern" : "");
    HookPoint at;
    if (!hook_parse(name, &at)) return false;
    *out = place_none();
    out->stack = at.stack;
    out->cross = at.cross;
    out->layer = at.layer;
    s = str_sub(s, n, s.n);
    const char letters[] = "Hqk";
    int *values[] = {&out->head, &out->query, &out->key};
    for (int i = 0; i < 3; i++) {
        Str rest = s;
        if (take_char(&rest, ':') && take(&rest, letters[i], values[i])) s = rest;
    }
    return s.n == 0;
}

bool place_parse(Str text, Place *out, Error *error) {
    Place place;
    if (!parse_short(text, &place) && !parse_hook(text, &place))
        return error_set(error, ERROR_INPUT,
                         "'%.*s' is no place; expected L5H3 or L5H3-q4-k7, in models of two stacks "
                         "cross-L2H3-q4-k7 or decoder.2.cross_attn:H3",
                         text.n > 80 ? 80 : (int)text.n, text.n ? text.data : "");
    *out = place;
    return true;
}
