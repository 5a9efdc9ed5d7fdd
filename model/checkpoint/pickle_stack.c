/* Values of the pickle machine: the stack, its marks, lists that grow, and the budget of memory. */
#include <string.h>

#include "model/checkpoint/pickle_inside.h"

bool pickle_fail(const PickleReader *r, Error *error, const char *what) {
    return error_set(error, ERROR_INPUT, "%s: broken pickle at byte %zu: %s", r->path, r->at, what);
}

void *pickle_alloc(PickleReader *r, size_t n_bytes, Error *error) {
    size_t taken = (n_bytes + 63) / 64 * 64;
    if (n_bytes > SIZE_MAX / 2 || taken > r->budget) {
        pickle_fail(r, error, "it unfolds to more than twice its size and 64 MB");
        return NULL;
    }
    r->budget -= taken;
    return arena_alloc(r->arena, n_bytes);
}

bool pickle_items_reserve(PickleReader *r, PickleItems *items, size_t n, Error *error) {
    if (n <= items->capacity) return true;
    size_t capacity = items->capacity ? items->capacity : 4;
    while (capacity < n)
        capacity *= 2;
    PickleValue *at = pickle_alloc(r, capacity * sizeof *at, error);
    if (!at) return false;
    if (items->n) memcpy(at, items->at, items->n * sizeof *at);
    items->at = at;
    items->capacity = capacity;
    return true;
}

bool pickle_push(PickleReader *r, PickleValue value, Error *error) {
    if (!pickle_items_reserve(r, &r->stack, r->stack.n + 1, error)) return false;
    r->stack.at[r->stack.n++] = value;
    return true;
}

size_t pickle_floor(const PickleReader *r) {
    return r->marks.n ? r->marks.at[r->marks.n - 1] : 0;
}

bool pickle_pop(PickleReader *r, PickleValue *out, Error *error) {
    if (r->stack.n <= pickle_floor(r)) return pickle_fail(r, error, "the stack is empty");
    *out = r->stack.at[--r->stack.n];
    return true;
}

bool pickle_top(PickleReader *r, PickleKind kind, PickleValue **out, Error *error) {
    if (r->stack.n <= pickle_floor(r)) return pickle_fail(r, error, "the stack is empty");
    *out = &r->stack.at[r->stack.n - 1];
    return (*out)->kind == kind || pickle_fail(r, error, "a value of another kind is expected");
}

bool pickle_mark(PickleReader *r, Error *error) {
    if (r->marks.n == r->marks.capacity) {
        size_t capacity = r->marks.capacity ? 2 * r->marks.capacity : 64;
        size_t *at = pickle_alloc(r, capacity * sizeof *at, error);
        if (!at) return false;
        if (r->marks.n) memcpy(at, r->marks.at, r->marks.n * sizeof *at);
        r->marks.at = at;
        r->marks.capacity = capacity;
    }
    r->marks.at[r->marks.n++] = r->stack.n;
    return true;
}

bool pickle_pop_mark(PickleReader *r, const PickleValue **begin, size_t *n, Error *error) {
    if (!r->marks.n) return pickle_fail(r, error, "no mark");
    size_t from = r->marks.at[--r->marks.n];
    *begin = r->stack.at ? r->stack.at + from : NULL;
    *n = r->stack.n - from;
    r->stack.n = from;
    return true;
}

bool pickle_items_add(PickleReader *r, PickleItems *items, const PickleValue *from, size_t n,
                      Error *error) {
    if (!pickle_items_reserve(r, items, items->n + n, error)) return false;
    if (n) memcpy(items->at + items->n, from, n * sizeof *from);
    items->n += n;
    return true;
}

bool pickle_push_items(PickleReader *r, PickleKind kind, const PickleValue *from, size_t n,
                       Error *error) {
    PickleItems *items = pickle_alloc(r, sizeof *items, error);
    if (!items) return false;
    *items = (PickleItems){0};
    return pickle_items_add(r, items, from, n, error) &&
           pickle_push(r, (PickleValue){.kind = kind, .items = items}, error);
}

bool pickle_new_dict(PickleReader *r, PickleValue *out, Error *error) {
    PickleItems *items = pickle_alloc(r, sizeof *items, error);
    if (!items) return false;
    *items = (PickleItems){0};
    *out = (PickleValue){.kind = PICKLE_DICT, .items = items};
    return true;
}

bool pickle_tuple_of_top(PickleReader *r, size_t n, Error *error) {
    if (r->stack.n - pickle_floor(r) < n) return pickle_fail(r, error, "the stack is empty");
    r->stack.n -= n;
    return pickle_push_items(r, PICKLE_TUPLE, r->stack.at + r->stack.n, n, error);
}
