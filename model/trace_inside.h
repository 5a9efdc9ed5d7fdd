/* The inside of a trace, for those who fill it: trace*.c, capture.c, pattern.c. */
#ifndef MODEL_TRACE_INSIDE_H
#define MODEL_TRACE_INSIDE_H

#include "model/attention.h"
#include "model/position.h"
#include "model/trace.h"

/* What is known of one attention beside its weights, and in place of them where q is there. */
typedef struct PatternRecipe {
    HookPoint at;
    int n_heads;
    int64_t n_queries, n_keys;
    MaskRule mask;
    float scale;
    Tensor q, k; // [query, head, d_head], [key, kv_head, d_head]; no data: the weights are stored
    Tensor lse;  // [head, query]
    bool has_bias;
    PositionBias bias; /* borrows the model: a lazy trace must not outlive it */
} PatternRecipe;

typedef struct TraceEntry {
    const char *name;
    Tensor x;
    Tensor live; /* while a tape is open: the tensor whose gradient is this site's */
} TraceEntry;

struct Trace {
    Arena *arena;
    atomic_int n_owners;
    Tokens source, target;
    const int32_t *next; // [target.n] or NULL
    Token *next_tokens;  // [target.n] or NULL
    const char *model_name;
    int n_entries, capacity;
    TraceEntry *entries; /* in name order */
    int n_recipes;
    PatternRecipe *recipes;
};

Arena *trace_arena(Trace *trace);
Tokens trace_copy_tokens(Trace *trace, Tokens from); /* into the trace's arena */
void trace_live(Trace *trace, const char *name, Tensor x);
void trace_add_recipe(Trace *trace, const PatternRecipe *recipe);
/* NULL if there is none. */
const PatternRecipe *trace_recipe(const Trace *trace, StackId stack, int layer, bool cross);

#endif
