#include "model/capture.h"

#include <fnmatch.h>
#include <math.h>
#include <string.h>

#include "model/edit_apply.h"
#include "model/trace_inside.h"

static bool is_default(const Run *run, const HookPoint *at) {
    const StackConfig *c = &run->model->config.stack[at->stack];
    bool last = at->layer == c->n_layers - 1;
    switch (at->site) {
    case SITE_PATTERN:
    case SITE_RESID_PRE:
    case SITE_FINAL_NORMALIZED:
    case SITE_LOGITS:
    case SITE_RNN_H:
        return true;
    case SITE_RESID_POST: /* where no norm follows, this is what leaves the stack */
        return last && !c->final_norm && c->norm_place == NORM_PRE;
    case SITE_NORMALIZED_RESID_POST:
        return last && !c->final_norm;
    default:
        return false;
    }
}

bool capture_wants(const Run *run, const HookPoint *at) {
    const Capture *capture = run->capture;
    if (at->row != 0) return false;
    if (!capture->sites) return is_default(run, at);
    char name[HOOK_NAME_MAX];
    hook_name(at, name);
    for (const char *const *glob = capture->sites; *glob; glob++)
        if (fnmatch(*glob, name, 0) == 0) return true;
    return false;
}

static bool edited_at(const Run *run, HookPoint at, Site site) {
    at.site = site;
    return edits_touch(run->edits, &at);
}

/* May this attention be kept as q, k and log-sum-exp? Not if its weights are changed behind them.
 */
static bool is_lazy(const Run *run, const HookPoint *at) {
    return run->capture->lazy && !run->tape && !edited_at(run, *at, SITE_PATTERN) &&
           !edited_at(run, *at, SITE_SCORES);
}

Arena *capture_place(const Run *run, const HookPoint *at) {
    bool kept = run->capture && !run->tape && capture_wants(run, at);
    return kept ? trace_arena(run->capture->trace) : NULL;
}

/* Some queries of a pattern or its scores, and where they go. */
typedef struct PutRows {
    Tensor x, place; // [head, query, key], x perhaps with fewer keys
    float behind;    /* what stands behind the last key that these queries may see */
} PutRows;

static void put_head(void *context, int64_t head) {
    const PutRows *s = context;
    Tensor x = tensor_slice(s->x, 0, head, head + 1),
           to = tensor_slice(s->place, 0, head, head + 1);
    int64_t n_seen = x.shape[2], n_keys = to.shape[2];
    tensor_copy(tensor_slice(to, 2, 0, n_seen), x);
    if (n_seen < n_keys) tensor_fill(tensor_slice(to, 2, n_seen, n_keys), s->behind);
}

void capture_put(const Run *run, const HookPoint *at, Tensor x) {
    Trace *trace = run->capture->trace;
    char name[HOOK_NAME_MAX];
    hook_name(at, name);
    bool whole_row = at->layer < 0; /* a recurrent decoder's comes in one piece */
    if (!whole_row && (at->site == SITE_SCORES || at->site == SITE_PATTERN)) {
        if (at->site == SITE_PATTERN && is_lazy(run, at)) return;
        const Tensor *whole = trace_find(trace, name);
        PutRows rows = {.x = x,
                        .place =
                            tensor_slice(*whole, 1, at->query_begin, at->query_begin + x.shape[1]),
                        .behind = at->site == SITE_PATTERN ? 0 : -INFINITY};
        bool small = tensor_count(rows.place) < 1 << 16; /* less than a round costs */
        team_run(small || run->tape ? NULL : run->team, x.shape[0], put_head, &rows);
    } else {
        bool placed = x.data && x.data == run->capture->placed;
        trace_put(trace, name, placed ? x : tensor_clone(trace_arena(trace), x));
    }
    if (run->tape) trace_live(trace, name, x);
}

Tensor capture_row_begin(const Run *run, const HookPoint *at, const AttentionRow *row) {
    if (!run->capture || at->row != 0) return (Tensor){0};
    Trace *trace = run->capture->trace;
    Arena *arena = trace_arena(trace);
    int64_t n_heads = row->q.shape[1], nq = row->q.shape[0], nk = row->k.shape[0];
    char name[HOOK_NAME_MAX];
    HookPoint here = *at;
    here.row_begin = NULL; /* the run's, which the trace outlives */
    here.n_rows = 0;
    for (Site site = SITE_SCORES; site <= SITE_PATTERN; site++) {
        here.site = site;
        if (!capture_wants(run, &here) || (site == SITE_PATTERN && is_lazy(run, at))) continue;
        trace_put(trace, hook_name(&here, name), tensor_new(arena, 3, n_heads, nq, nk));
    }
    here.site = SITE_PATTERN;
    PatternRecipe recipe = {.at = here,
                            .n_heads = (int)n_heads,
                            .n_queries = nq,
                            .n_keys = nk,
                            .mask = row->mask,
                            .scale = row->scale};
    if (row->mask.keep) {
        uint8_t *keep = arena_alloc(arena, (size_t)nk);
        recipe.mask.keep = memcpy(keep, row->mask.keep, (size_t)nk);
    }
    if (capture_wants(run, &here) && is_lazy(run, at)) {
        recipe.q = tensor_clone(arena, row->q);
        recipe.k = tensor_clone(arena, row->k);
        recipe.lse = tensor_new(arena, 2, n_heads, nq);
        if (row->bias) {
            recipe.bias = *row->bias;
            recipe.bias.keep = recipe.mask.keep;
            recipe.has_bias = true;
        }
    }
    trace_add_recipe(trace, &recipe);
    return recipe.lse;
}
