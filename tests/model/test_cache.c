/* The cache by itself: what is appended is there, also beyond the first room, and rows change
 * places as a search asks. */
#include "tests/model/engine.h"

#include <stdlib.h>

#include "model/cache.h"

enum { N_LAYERS = 2, N_HEADS = 3, D = 4 };

static Model made(void) {
    Model model = {0};
    model.config.stack[STACK_DECODER] =
        (StackConfig){.n_layers = N_LAYERS, .n_heads = N_HEADS, .n_kv_heads = N_HEADS, .d_head = D};
    return model;
}

/* What token `at` of a sequence named `name` has as key in a layer. */
static float number(int name, int layer, int64_t at) {
    return (float)(name * 100000 + layer * 10000 + at);
}

static void append(Cache *cache, const int *names, int n_rows, int n_new) {
    Arena *arena = arena_new();
    Tensor k = tensor_new(arena, 3, n_rows * n_new, N_HEADS, D),
           v = tensor_new_shape(arena, 3, k.shape);
    for (int l = 0; l < N_LAYERS; l++) {
        for (int r = 0; r < n_rows; r++)
            for (int i = 0; i < n_new; i++) {
                tensor_fill(tensor_index(k, 0, r * n_new + i),
                            number(names[r], l, cache->length + i));
                tensor_fill(tensor_index(v, 0, r * n_new + i),
                            -number(names[r], l, cache->length + i));
            }
        cache_append(cache, l, k, v, n_new);
    }
    cache->length += n_new;
    arena_free(arena);
}

static void expect(const Cache *cache, const int *names, int n_rows) {
    for (int l = 0; l < N_LAYERS; l++)
        for (int r = 0; r < n_rows; r++)
            for (int64_t t = 0; t < cache->length; t++) {
                float want = number(names[r], l, t);
                if (*tensor_at(cache->layers[l].k, r, t, 2, 3) != want ||
                    *tensor_at(cache->layers[l].v, r, t, 0, 0) != -want)
                    fail_msg("layer %d row %d token %lld", l, r, (long long)t);
            }
}

static void grows_and_reorders(void **state) {
    (void)state;
    Model model = made();
    Cache *cache = cache_new(&model, STACK_DECODER, 3);
    int names[] = {1, 2, 3};
    append(cache, names, 3, 5);
    for (int i = 0; i < 200; i++) /* more than the first room, and twice that */
        append(cache, names, 3, 1);
    append(cache, names, 3, 90);
    assert_int_equal(cache->length, 295);
    expect(cache, names, 3);
    cache_reorder(cache, (const int32_t[]){0, 1, 2}, 3);
    expect(cache, names, 3);
    cache_reorder(cache, (const int32_t[]){2, 2, 0}, 3); /* from a place that is written over */
    expect(cache, (const int[]){3, 3, 1}, 3);
    cache_reorder(cache, (const int32_t[]){1, 2}, 2); /* fewer go on */
    expect(cache, (const int[]){3, 1}, 2);
    append(cache, (const int[]){3, 1}, 2, 1);
    expect(cache, (const int[]){3, 1}, 2);
    cache_free(cache);
    cache_free(NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(grows_and_reorders)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
