#include "model/trace.h"

#include <stdlib.h>
#include <string.h>

#include "model/trace_inside.h"

/* ---- a set of tensors by name ---- */

static Tokens copy_tokens(Arena *arena, Tokens from) {
    Tokens to = {.n = from.n, .text = from.text.data ? arena_str(arena, from.text) : from.text};
    to.items = arena_alloc(arena, (size_t)from.n * sizeof *to.items);
    for (int i = 0; i < from.n; i++) {
        to.items[i] = from.items[i];
        to.items[i].label = arena_str(arena, from.items[i].label);
    }
    return to;
}

Trace *trace_new(Arena *arena, Tokens source, Tokens target, const int32_t *next) {
    Trace *trace = arena_calloc(arena, 1, sizeof *trace);
    trace->arena = arena;
    atomic_init(&trace->n_owners, 1);
    trace->source = copy_tokens(arena, source);
    trace->target = copy_tokens(arena, target);
    trace->model_name = "";
    if (next) {
        int32_t *ids = arena_alloc(arena, (size_t)target.n * sizeof *ids);
        trace->next = memcpy(ids, next, (size_t)target.n * sizeof *ids);
    }
    return trace;
}

Tokens trace_copy_tokens(Trace *trace, Tokens from) {
    return copy_tokens(trace->arena, from);
}

Trace *trace_retain(Trace *trace) {
    atomic_fetch_add(&trace->n_owners, 1);
    return trace;
}

void trace_release(Trace *trace) {
    if (!trace || atomic_fetch_sub(&trace->n_owners, 1) > 1) return;
    free(trace->entries);
    free(trace->recipes);
    arena_free(trace->arena); /* the trace itself lies in it */
}

Arena *trace_arena(Trace *trace) {
    return trace->arena;
}

/* Index of a name, or where it would go. */
static int place_of(const Trace *trace, const char *name, bool *found) {
    int low = 0, high = trace->n_entries;
    while (low < high) {
        int middle = (low + high) / 2, order = strcmp(trace->entries[middle].name, name);
        if (order == 0) {
            *found = true;
            return middle;
        }
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    *found = false;
    return low;
}

static void *grown(void *items, int n, int *capacity, size_t item_bytes) {
    if (n < *capacity) return items;
    *capacity = *capacity ? 2 * *capacity : 64;
    items = realloc(items, (size_t)*capacity * item_bytes);
    if (!items) abort();
    return items;
}

void trace_put(Trace *trace, const char *name, Tensor x) {
    bool found;
    int at = place_of(trace, name, &found);
    if (!found) {
        trace->entries =
            grown(trace->entries, trace->n_entries, &trace->capacity, sizeof *trace->entries);
        memmove(trace->entries + at + 1, trace->entries + at,
                (size_t)(trace->n_entries - at) * sizeof *trace->entries);
        trace->n_entries++;
        trace->entries[at] = (TraceEntry){.name = arena_strdup(trace->arena, name)};
    }
    x.grad = NULL;
    trace->entries[at].x = x;
}

void trace_live(Trace *trace, const char *name, Tensor x) {
    bool found;
    int at = place_of(trace, name, &found);
    if (found) trace->entries[at].live = x;
}

void trace_add_recipe(Trace *trace, const PatternRecipe *recipe) {
    int capacity = trace->n_recipes; /* a handful: one for each attention */
    trace->recipes = realloc(trace->recipes, (size_t)(capacity + 1) * sizeof *trace->recipes);
    if (!trace->recipes) abort();
    trace->recipes[trace->n_recipes++] = *recipe;
}

const PatternRecipe *trace_recipe(const Trace *trace, StackId stack, int layer, bool cross) {
    for (int i = 0; i < trace->n_recipes; i++) {
        const HookPoint *at = &trace->recipes[i].at;
        if (at->stack == stack && at->layer == layer && at->cross == cross)
            return &trace->recipes[i];
    }
    return NULL;
}

const Tensor *trace_find(const Trace *trace, const char *name) {
    bool found;
    int at = place_of(trace, name, &found);
    return found ? &trace->entries[at].x : NULL;
}

int trace_n_tensors(const Trace *trace) {
    return trace->n_entries;
}

const char *trace_tensor_name(const Trace *trace, int index) {
    return trace->entries[index].name;
}

const Tensor *trace_tensor(const Trace *trace, int index) {
    return &trace->entries[index].x;
}

/* ---- what it is a trace of ---- */

Tokens trace_source(const Trace *trace) {
    return trace->source;
}

Tokens trace_target(const Trace *trace) {
    return trace->target;
}

const int32_t *trace_next(const Trace *trace) {
    return trace->next;
}

void trace_put_next(Trace *trace, const Token *next_tokens) {
    Tokens next = {.n = trace->target.n, .items = (Token *)(uintptr_t)next_tokens};
    trace->next_tokens = copy_tokens(trace->arena, next).items;
}

const Token *trace_next_tokens(const Trace *trace) {
    return trace->next_tokens;
}

const char *trace_model_name(const Trace *trace) {
    return trace->model_name;
}

static bool has_layer(const Trace *trace, StackId stack, int layer, bool cross, int *n_heads) {
    const PatternRecipe *recipe = trace_recipe(trace, stack, layer, cross);
    char name[HOOK_NAME_MAX];
    HookPoint at = {.site = SITE_PATTERN, .stack = stack, .layer = layer, .cross = cross};
    const Tensor *x = trace_find(trace, hook_name(&at, name));
    if (!x && cross && layer == 0) { /* the one attention of a recurrent decoder */
        at.layer = -1;
        x = trace_find(trace, hook_name(&at, name));
    }
    if (x && x->rank == 3)
        *n_heads = (int)x->shape[0];
    else if (recipe && recipe->q.data)
        *n_heads = recipe->n_heads;
    else
        return false;
    return true;
}

bool trace_has(const Trace *trace, StackId stack, bool cross) {
    return trace_n_layers(trace, stack, cross) > 0;
}

/* Layers up to the last one that is there: with --sites some below may be missing. */
int trace_n_layers(const Trace *trace, StackId stack, bool cross) {
    int n = 0, heads;
    for (int l = 0; l < 1024; l++)
        if (has_layer(trace, stack, l, cross, &heads)) n = l + 1;
    return n;
}

int trace_n_heads(const Trace *trace, StackId stack, bool cross) {
    int n = 0;
    for (int l = trace_n_layers(trace, stack, cross) - 1; l >= 0 && n == 0; l--)
        has_layer(trace, stack, l, cross, &n);
    return n;
}
