/* JSON with bertviz's keys: nested lists of numbers, lists of texts. What generate() returns may be
 * there as it is, [step][layer][1][head][query][key], with more keys in every step. */
#include <math.h>

#include "app/import.h"
#include "model/base/json.h"

/* Axes of nested lists, by their first entries. */
static int depth_of(const json_t *value) {
    int depth = 0;
    while (json_is_array(value) && depth <= IMPORT_MAX_RANK) {
        depth++;
        value = json_array_get(value, 0);
    }
    return depth;
}

static bool fill(const json_t *value, int axis, const ImportArray *a, float **to, Error *error) {
    if (axis == a->rank) {
        if (!json_is_number(value) && !json_is_null(value))
            return error_set(error, ERROR_INPUT, "something that is no number");
        *(*to)++ = json_is_null(value) ? NAN : (float)json_number_value(value);
        return true;
    }
    if (!json_is_array(value) || (int64_t)json_array_size(value) != a->shape[axis])
        return error_set(error, ERROR_INPUT, "a list of %lld at depth %d, expected %lld",
                         json_is_array(value) ? (long long)json_array_size(value) : 0LL, axis,
                         (long long)a->shape[axis]);
    for (size_t i = 0; i < json_array_size(value); i++)
        if (!fill(json_array_get(value, i), axis + 1, a, to, error)) return false;
    return true;
}

static bool add_array(ImportBundle *b, const char *name, const json_t *value, Error *error) {
    int rank = depth_of(value);
    if (rank > IMPORT_MAX_RANK)
        return error_set(error, ERROR_INPUT, "%s: %s: lists nested deeper than %d", b->path, name,
                         IMPORT_MAX_RANK);
    ImportArray *a = import_add_array(b, name);
    a->rank = rank;
    int64_t count = 1;
    const json_t *at = value;
    for (int i = 0; i < rank; i++, at = json_array_get(at, 0)) {
        a->shape[i] = (int64_t)json_array_size(at);
        if (__builtin_mul_overflow(count, a->shape[i], &count) || count > (int64_t)1 << 30)
            return error_set(error, ERROR_MEMORY, "%s: %s is too large", b->path, name);
    }
    a->data = arena_alloc(b->arena, (size_t)count * sizeof(float));
    float *to = a->data;
    Error failure = {0};
    return fill(value, 0, a, &to, &failure) ||
           error_set(error, failure.kind, "%s: %s: %s", b->path, name, failure.message);
}

/* Six axes are generate()'s: every step an array of its own, for its keys are one more each time.
 */
static bool add_attention(ImportBundle *b, const char *name, const json_t *value, Error *error) {
    if (depth_of(value) != 6) return add_array(b, name, value, error);
    for (size_t s = 0; s < json_array_size(value); s++) {
        const char *step = arena_printf(b->arena, "%s.%zu", name, s);
        if (!add_array(b, step, json_array_get(value, s), error)) return false;
    }
    return true;
}

static bool add_tokens(ImportBundle *b, const char *name, const json_t *value, Error *error) {
    if (json_array_size(value) == 1 && json_is_array(json_array_get(value, 0)))
        value = json_array_get(value, 0); /* a batch of one */
    if (!json_is_array(value))
        return error_set(error, ERROR_INPUT, "%s: %s: expected a list of texts", b->path, name);
    ImportLabels *labels = import_add_labels(b, name);
    labels->n = (int)json_array_size(value);
    labels->items = arena_alloc(b->arena, ((size_t)labels->n + 1) * sizeof *labels->items);
    for (int i = 0; i < labels->n; i++) {
        const json_t *item = json_array_get(value, (size_t)i);
        if (json_is_string(item))
            labels->items[i] =
                arena_str(b->arena, (Str){json_string_value(item), json_string_length(item)});
        else if (json_is_integer(item))
            labels->items[i] =
                str(arena_printf(b->arena, "%lld", (long long)json_integer_value(item)));
        else
            return error_set(error, ERROR_INPUT, "%s: %s[%d]: expected a text", b->path, name, i);
    }
    return true;
}

Trace *import_json(const char *path, const ImportHints *hints, Error *error) {
    (void)hints;
    json_t *root = json_read_object(path, 0, error);
    if (!root) return NULL;
    ImportBundle b = {.arena = arena_new(), .path = path};
    bool ok = true;
    const char *key;
    json_t *value;
    json_object_foreach(root, key, value) {
        if (!ok || json_is_null(value)) continue; /* bertviz writes null for what is not there */
        if (import_is_attention(key))
            ok = add_attention(&b, key, value, error);
        else if (import_is_tokens(key))
            ok = add_tokens(&b, key, value, error);
        else
            import_add_other(&b, key);
    }
    json_decref(root);
    if (ok) return import_bundle(&b, error);
    arena_free(b.arena);
    return NULL;
}
