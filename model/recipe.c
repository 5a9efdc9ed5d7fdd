#include "model/recipe.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

#include "model/base/file.h"
#include "model/base/json.h"

typedef struct Field {
    const char *name;
    size_t offset;
    bool whole;
    double fallback, least, most;
} Field;

#define WHOLE(name, fallback, least, most)                                                         \
    { #name, offsetof(Recipe, name), true, fallback, least, most }
#define NUMBER(name, fallback, least, most)                                                        \
    { #name, offsetof(Recipe, name), false, fallback, least, most }

static const Field fields[] = {
    WHOLE(threads, 2, 1, 256),
    WHOLE(steps, 20000, 1, 1e9),
    WHOLE(batch_tokens, 2600, 16, 1e6),
    WHOLE(micro_tokens, 650, 16, 1e6),
    WHOLE(pool_batches, 32, 1, 1e5),
    NUMBER(learning_rate, 1e-3, 0, 10),
    WHOLE(warmup_steps, 1000, 0, 1e9),
    WHOLE(cooldown_steps, 0, 0, 1e9),
    NUMBER(beta1, 0.9, 0, 0.999999),
    NUMBER(beta2, 0.98, 0, 0.999999),
    NUMBER(epsilon, 1e-9, 0, 1),
    NUMBER(clip_norm, 1, 0, 1e9),
    NUMBER(label_smoothing, 0.1, 0, 0.99),
    NUMBER(dropout, -1, -1, 0.99),
    NUMBER(average, 0, 0, 0.999999),
    NUMBER(join_share, 0, 0, 1),
    WHOLE(join_least, 2, 1, 100),
    WHOLE(join_most, 5, 1, 100),
    WHOLE(join_from_pass, 0, 0, 1e6),
    WHOLE(long_source, 0, 0, 1e5),
    WHOLE(long_repeat, 1, 1, 1000),
    NUMBER(output_gain, 1, 0, 10),
    WHOLE(max_tokens, 200, 2, 1e5),
    WHOLE(log_steps, 50, 1, 1e9),
    WHOLE(dev_steps, 1000, 1, 1e9),
    NUMBER(checkpoint_minutes, 5, 0, 1e6),
};
enum { N_FIELDS = sizeof fields / sizeof *fields };

static bool set_field(Recipe *out, const Field *f, const json_t *value, const char *path,
                      Error *error) {
    double x = value ? json_number_value(value) : f->fallback;
    if (value &&
        (!json_is_number(value) || !(x >= f->least && x <= f->most) || (f->whole && x != floor(x))))
        return error_set(error, ERROR_INPUT, "%s: %s must be a %s from %g to %g", path, f->name,
                         f->whole ? "whole number" : "number", f->least, f->most);
    if (f->whole)
        *(int *)(void *)((char *)out + f->offset) = (int)x;
    else
        *(double *)(void *)((char *)out + f->offset) = x;
    return true;
}

static bool known(const char *name) {
    static const char *const others[] = {"about", "model", "seed", "repeat", "extra"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (strcmp(others[i], name) == 0) return true;
    for (int i = 0; i < N_FIELDS; i++)
        if (strcmp(fields[i].name, name) == 0) return true;
    return false;
}

static const char *beside(const char *path, const char *name, Arena *arena) {
    if (name[0] == '/') return arena_strdup(arena, name);
    size_t n = (size_t)(path_name(path) - path);
    return arena_printf(arena, "%.*s%s", (int)n, path, name);
}

/* {"NAME": times, ...} as two lists. */
static bool read_times(const json_t *map, const char *what, const char *path, int most,
                       const char **names, int *times, int *n, Error *error) {
    *n = 0;
    const char *key;
    json_t *value;
    if (map && !json_is_object(map))
        return error_set(error, ERROR_INPUT, "%s: %s must be {\"name\": times, ...}", path, what);
    json_object_foreach((json_t *)(uintptr_t)map, key, value) {
        json_int_t x = json_integer_value(value);
        if (!json_is_integer(value) || x < 0 || x > 1000 || *n == most)
            return error_set(error, ERROR_INPUT, "%s: %s: at most %d entries of 0 to 1000", path,
                             what, most);
        names[*n] = key;
        times[(*n)++] = (int)x;
    }
    return true;
}

static bool read_root(const json_t *root, const char *path, Recipe *out, Arena *arena,
                      Error *error) {
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)root, key, value) if (!known(key)) return error_set(
        error, ERROR_INPUT, "%s: unknown field \"%.60s\"", path, key);
    *out = (Recipe){0};
    for (int i = 0; i < N_FIELDS; i++)
        if (!set_field(out, &fields[i], json_object_get(root, fields[i].name), path, error))
            return false;
    const json_t *seed = json_object_get(root, "seed"), *model = json_object_get(root, "model");
    if (seed && (!json_is_integer(seed) || json_integer_value(seed) < 0))
        return error_set(error, ERROR_INPUT, "%s: seed must be a whole number from 0", path);
    if (model && !json_is_string(model))
        return error_set(error, ERROR_INPUT, "%s: model must be the name of a folder", path);
    out->seed = (uint64_t)json_integer_value(seed);
    out->model = beside(path, model ? json_string_value(model) : ".", arena);
    const char *names[RECIPE_LANGUAGES];
    int times[RECIPE_LANGUAGES];
    if (!read_times(json_object_get(root, "repeat"), "repeat", path, RECIPE_LANGUAGES, names, times,
                    &out->n_repeat, error))
        return false;
    for (int i = 0; i < out->n_repeat; i++)
        out->repeat[i] = (RecipeRepeat){arena_strdup(arena, names[i]), times[i]};
    if (!read_times(json_object_get(root, "extra"), "extra", path, RECIPE_EXTRA, names, times,
                    &out->n_extra, error))
        return false;
    for (int i = 0; i < out->n_extra; i++)
        out->extra[i] = (RecipeExtra){beside(path, names[i], arena), times[i]};
    if (out->join_most < out->join_least)
        return error_set(error, ERROR_INPUT, "%s: join_most is less than join_least", path);
    return true;
}

bool recipe_read(const char *path, Recipe *out, Arena *arena, Error *error) {
    json_t *root = json_read_object(path, 1 << 20, error);
    if (!root) return false;
    bool ok = read_root(root, path, out, arena, error);
    json_decref(root);
    return ok;
}
