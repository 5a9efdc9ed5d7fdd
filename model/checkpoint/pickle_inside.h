/* The machine of pickle.c and its stack, pickle_stack.c. Nobody else includes this. */
#ifndef MODEL_CHECKPOINT_PICKLE_INSIDE_H
#define MODEL_CHECKPOINT_PICKLE_INSIDE_H

#include "model/checkpoint/pickle.h"

struct PickleReader {
    Arena *arena;
    Str bytes;
    size_t at;
    const char *path;
    PickleRules rules;
    size_t budget; /* bytes that may still be allocated */
    PickleItems stack, memo;
    struct {
        size_t *at, n, capacity;
    } marks; /* stack heights */
};

bool pickle_fail(const PickleReader *r, Error *error, const char *what);

bool pickle_items_reserve(PickleReader *r, PickleItems *items, size_t n, Error *error);
bool pickle_items_add(PickleReader *r, PickleItems *items, const PickleValue *from, size_t n,
                      Error *error);

/* Values above the last mark can be taken; without a mark the whole stack. */
size_t pickle_floor(const PickleReader *r);
bool pickle_push(PickleReader *r, PickleValue value, Error *error);
bool pickle_pop(PickleReader *r, PickleValue *out, Error *error);
/* The last value, which stays and must be of that kind. */
bool pickle_top(PickleReader *r, PickleKind kind, PickleValue **out, Error *error);
bool pickle_mark(PickleReader *r, Error *error);
/* Takes the values above the last mark off the stack: they lie at *begin until the next push. */
bool pickle_pop_mark(PickleReader *r, const PickleValue **begin, size_t *n, Error *error);
/* A new tuple, list or dictionary of n values. */
bool pickle_push_items(PickleReader *r, PickleKind kind, const PickleValue *from, size_t n,
                       Error *error);
/* The last n of the stack as a tuple. */
bool pickle_tuple_of_top(PickleReader *r, size_t n, Error *error);

#endif
