/* Which head differs the most between two runs: what the difference shows when nobody said. */
#include "app/views/common.h"

#include <math.h>

/* Below this a change is not worth a picture of its own. */
static const float least_change = 0.0005f;

static float greatest_change(const Pattern *a, const Pattern *b, int head, Arena *arena) {
    if (a->n_queries != b->n_queries || a->n_keys != b->n_keys) return 0;
    ArenaMark mark = arena_mark(arena);
    int64_t n = a->n_queries * a->n_keys;
    float *x = arena_alloc(arena, (size_t)n * sizeof *x);
    float *y = arena_alloc(arena, (size_t)n * sizeof *y), most = 0;
    pattern_tile(a, head, 0, a->n_queries, 0, a->n_keys, x);
    pattern_tile(b, head, 0, b->n_queries, 0, b->n_keys, y);
    for (int64_t i = 0; i < n; i++)
        most = fmaxf(most, fabsf(x[i] - y[i]));
    arena_reset(arena, mark);
    return most;
}

Place view_most_changed(const Trace *after, const Trace *before) {
    static const Place kinds[] = {{STACK_DECODER, true, -1, -1, -1, -1},
                                  {STACK_BLOCKS, false, -1, -1, -1, -1},
                                  {STACK_DECODER, false, -1, -1, -1, -1},
                                  {STACK_ENCODER, false, -1, -1, -1, -1}};
    Place best = place_none();
    float most = least_change;
    Arena *arena = arena_new();
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        for (int l = 0; l < trace_n_layers(after, kinds[i].stack, kinds[i].cross); l++) {
            Pattern a, b;
            if (!trace_pattern(after, kinds[i].stack, l, kinds[i].cross, &a) ||
                !trace_pattern(before, kinds[i].stack, l, kinds[i].cross, &b))
                continue;
            for (int h = 0; h < a.n_heads && h < b.n_heads; h++) {
                float change = greatest_change(&a, &b, h, arena);
                if (change <= most) continue;
                most = change;
                best = place_of_head(kinds[i], l, h);
            }
        }
    arena_free(arena);
    return best;
}
