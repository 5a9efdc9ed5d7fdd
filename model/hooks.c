/* The table of sites, their names, and the one function that reads and changes activations. */
#include "model/hooks.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/capture.h"
#include "model/kernels.h"
#include "model/ops.h"

const HookSite hook_sites[SITE_COUNT] = {
    [SITE_EMBED] = {"hook_embed", NULL, SCOPE_STACK, "[pos, d_model]",
                    "token embedding, scaled if the model scales it"},
    [SITE_POS_EMBED] = {"hook_pos_embed", NULL, SCOPE_STACK, "[pos, d_model]",
                        "what is added for the position"},
    [SITE_RESID_PRE] = {"hook_resid_pre", NULL, SCOPE_LAYER, "[pos, d_model]",
                        "residual stream that enters the block"},
    [SITE_LN1_SCALE] = {"ln1.hook_scale", "ln_cross.hook_scale", SCOPE_LAYER, "[pos, 1]",
                        "what the norm of the attention divides by"},
    [SITE_LN1_NORMALIZED] = {"ln1.hook_normalized", "ln_cross.hook_normalized", SCOPE_LAYER,
                             "[pos, d_model]", "output of that norm"},
    [SITE_Q] = {"hook_q", NULL, SCOPE_ATTENTION, "[pos, head, d_head]", "queries"},
    [SITE_K] = {"hook_k", NULL, SCOPE_ATTENTION, "[pos, kv_head, d_head]", "keys"},
    [SITE_V] = {"hook_v", NULL, SCOPE_ATTENTION, "[pos, kv_head, d_head]", "values"},
    [SITE_ROT_Q] = {"hook_rot_q", NULL, SCOPE_ATTENTION, "[pos, head, d_head]",
                    "queries after rotation (rotary models)"},
    [SITE_ROT_K] = {"hook_rot_k", NULL, SCOPE_ATTENTION, "[pos, kv_head, d_head]",
                    "keys after rotation (rotary models)"},
    [SITE_SCORES] = {"hook_attn_scores", NULL, SCOPE_ATTENTION, "[head, query, key]",
                     "scaled q.k plus bias, masked cells minus infinity"},
    [SITE_PATTERN] = {"hook_pattern", NULL, SCOPE_ATTENTION, "[head, query, key]",
                      "attention weights: softmax of the scores over the keys"},
    [SITE_Z] = {"hook_z", NULL, SCOPE_ATTENTION, "[pos, head, d_head]",
                "values mixed by the weights, before W_O"},
    [SITE_ATTN_OUT] = {"hook_attn_out", "hook_cross_attn_out", SCOPE_LAYER, "[pos, d_model]",
                       "what the attention adds to the residual stream"},
    [SITE_RESID_MID] = {"hook_resid_mid", "hook_resid_mid_cross", SCOPE_LAYER, "[pos, d_model]",
                        "residual stream behind the attention"},
    [SITE_NORMALIZED_RESID_MID] = {"hook_normalized_resid_mid", "hook_normalized_resid_mid_cross",
                                   SCOPE_LAYER, "[pos, d_model]",
                                   "the same behind its norm (post-norm models)"},
    [SITE_LN2_SCALE] = {"ln2.hook_scale", NULL, SCOPE_LAYER, "[pos, 1]",
                        "what the norm of the feed-forward part divides by"},
    [SITE_LN2_NORMALIZED] = {"ln2.hook_normalized", NULL, SCOPE_LAYER, "[pos, d_model]",
                             "output of that norm"},
    [SITE_MLP_PRE] = {"mlp.hook_pre", NULL, SCOPE_LAYER, "[pos, d_ff]",
                      "feed-forward part before its activation (gated: the gate)"},
    [SITE_MLP_LINEAR] = {"mlp.hook_pre_linear", NULL, SCOPE_LAYER, "[pos, d_ff]",
                         "what the gate multiplies (gated feed-forward parts)"},
    [SITE_MLP_POST] = {"mlp.hook_post", NULL, SCOPE_LAYER, "[pos, d_ff]", "after the activation"},
    [SITE_MLP_OUT] = {"hook_mlp_out", NULL, SCOPE_LAYER, "[pos, d_model]",
                      "what the feed-forward part adds to the residual stream"},
    [SITE_RESID_POST] = {"hook_resid_post", NULL, SCOPE_LAYER, "[pos, d_model]",
                         "residual stream that leaves the block (post-norm: before the norm)"},
    [SITE_NORMALIZED_RESID_POST] = {"hook_normalized_resid_post", NULL, SCOPE_LAYER,
                                    "[pos, d_model]",
                                    "the same behind its norm (post-norm models)"},
    [SITE_FINAL_SCALE] = {"ln_final.hook_scale", NULL, SCOPE_STACK, "[pos, 1]",
                          "what the norm behind the last layer divides by"},
    [SITE_FINAL_NORMALIZED] = {"ln_final.hook_normalized", NULL, SCOPE_STACK, "[pos, d_model]",
                               "output of the norm behind the last layer"},
    [SITE_LOGITS] = {"logits", NULL, SCOPE_MODEL, "[pos, vocab]", "what the output head says"},
    [SITE_RNN_H] = {"hook_h", NULL, SCOPE_LAYER, "[pos, d]", "recurrent state"},
    [SITE_RNN_H_BACKWARD] = {"hook_h_backward", NULL, SCOPE_LAYER, "[pos, d]",
                             "recurrent state of the reading from right to left"},
    [SITE_RNN_C] = {"hook_c", NULL, SCOPE_LAYER, "[pos, d]", "cell of an LSTM"},
    [SITE_RNN_I] = {"hook_i", NULL, SCOPE_LAYER, "[pos, d]", "input gate (LSTM)"},
    [SITE_RNN_F] = {"hook_f", NULL, SCOPE_LAYER, "[pos, d]", "forget gate (LSTM)"},
    [SITE_RNN_G] = {"hook_g", NULL, SCOPE_LAYER, "[pos, d]", "candidate (LSTM)"},
    [SITE_RNN_O] = {"hook_o", NULL, SCOPE_LAYER, "[pos, d]", "output gate (LSTM)"},
    [SITE_RNN_R] = {"hook_r", NULL, SCOPE_LAYER, "[pos, d]", "reset gate (GRU)"},
    [SITE_RNN_Z] = {"hook_z_gate", NULL, SCOPE_LAYER, "[pos, d]", "update gate (GRU)"},
    [SITE_RNN_N] = {"hook_n", NULL, SCOPE_LAYER, "[pos, d]", "candidate (GRU)"},
    [SITE_RNN_CONTEXT] = {"hook_context", NULL, SCOPE_STACK, "[pos, d]",
                          "values mixed by the attention of a recurrent decoder"},
};

static const char *const prefixes[STACK_COUNT] = {
    [STACK_ENCODER] = "encoder.", [STACK_DECODER] = "decoder.", [STACK_BLOCKS] = "blocks."};

const char *stack_prefix(StackId stack) {
    return prefixes[stack];
}

const char *hook_name(const HookPoint *at, char buffer[HOOK_NAME_MAX]) {
    const HookSite *site = &hook_sites[at->site];
    const char *name = at->cross && site->cross_name ? site->cross_name : site->name;
    const char *stack = at->stack == STACK_BLOCKS ? "" : prefixes[at->stack];
    switch (site->scope) {
    case SCOPE_MODEL:
        snprintf(buffer, HOOK_NAME_MAX, "%s", name);
        break;
    case SCOPE_STACK:
        snprintf(buffer, HOOK_NAME_MAX, "%s%s", stack, name);
        break;
    case SCOPE_LAYER:
        snprintf(buffer, HOOK_NAME_MAX, "%s%d.%s", prefixes[at->stack], at->layer, name);
        break;
    case SCOPE_ATTENTION:
        if (at->layer < 0) {
            snprintf(buffer, HOOK_NAME_MAX, "%sattn.%s", prefixes[at->stack], name);
            break;
        }
        snprintf(buffer, HOOK_NAME_MAX, "%s%d.%s.%s", prefixes[at->stack], at->layer,
                 at->cross ? "cross_attn" : "attn", name);
        break;
    }
    return buffer;
}

/* Strips a prefix; NULL if it is not there. */
static const char *after(const char *s, const char *prefix) {
    size_t n = strlen(prefix);
    return strncmp(s, prefix, n) == 0 ? s + n : NULL;
}

static bool match_site(const char *name, SiteScope scope, HookPoint *out) {
    for (int s = 0; s < SITE_COUNT; s++) {
        if (hook_sites[s].scope != scope) continue;
        bool cross = hook_sites[s].cross_name && strcmp(name, hook_sites[s].cross_name) == 0;
        if (!cross && strcmp(name, hook_sites[s].name) != 0) continue;
        out->site = (Site)s;
        if (scope == SCOPE_LAYER) out->cross = cross;
        return true;
    }
    return false;
}

bool hook_parse(const char *name, HookPoint *out) {
    *out = (HookPoint){.stack = STACK_BLOCKS};
    if (match_site(name, SCOPE_MODEL, out)) return true;
    const char *rest = name;
    for (int s = 0; s < STACK_COUNT; s++) {
        const char *r = after(name, prefixes[s]);
        if (!r) continue;
        out->stack = (StackId)s;
        rest = r;
    }
    char *end = (char *)(uintptr_t)rest;
    long layer = *rest >= '0' && *rest <= '9' ? strtol(rest, &end, 10) : -1; /* no blank, no sign */
    if (end == rest && out->stack == STACK_DECODER && after(rest, "attn.")) {
        out->layer = -1;
        out->cross = true;
        return match_site(after(rest, "attn."), SCOPE_ATTENTION, out);
    }
    if (end == rest) /* one-stack models write stack sites without a prefix */
        return (rest == name || out->stack != STACK_BLOCKS) && match_site(rest, SCOPE_STACK, out);
    if (rest == name || *end != '.' || layer < 0 || layer > 9999) return false;
    out->layer = (int)layer;
    rest = end + 1;
    if (match_site(rest, SCOPE_LAYER, out)) return true;
    const char *self = after(rest, "attn."), *cross = after(rest, "cross_attn.");
    out->cross = cross != NULL;
    return (self || cross) && match_site(self ? self : cross, SCOPE_ATTENTION, out);
}

/* ---- reading and changing ---- */

/* The one attention of a recurrent decoder is its layer 0 as well. */
static bool same_layer(const HookPoint *a, const HookPoint *b) {
    int x = a->cross && a->layer < 0 ? 0 : a->layer, y = b->cross && b->layer < 0 ? 0 : b->layer;
    return x == y;
}

static bool same_place(const HookPoint *a, const HookPoint *b) {
    SiteScope scope = hook_sites[a->site].scope;
    return a->site == b->site && (scope == SCOPE_MODEL || a->stack == b->stack) &&
           (scope < SCOPE_LAYER || same_layer(a, b)) && a->cross == b->cross;
}

static bool is_pattern_like(Site site) {
    return site == SITE_PATTERN || site == SITE_SCORES;
}

/* Where the head axis is: [head, query, key], [pos, head, d_head], or none (-1). */
static int head_axis(Site site, Tensor x) {
    if (is_pattern_like(site)) return 0;
    return x.rank == 3 ? 1 : -1;
}

/* A contiguous copy of x that edits may write to. */
static Tensor writable(Run *run, Tensor x) {
    Tensor y = tensor_new_shape(run->arena, x.rank, x.shape);
    tensor_copy(y, x);
    return y;
}

/* Masked scores stay masked: 0 times minus infinity is no number. */
static void scale_heads(const Edit *edit, Site site, Tensor x) {
    int axis = head_axis(site, x);
    if (axis < 0) {
        kernel_scale(x.data, edit->value, tensor_count(x));
        return;
    }
    for (int64_t h = 0; h < x.shape[axis]; h++) {
        if (!edit_has_head(edit, (int)h)) continue;
        Tensor one = tensor_slice(x, axis, h, h + 1);
        for (int64_t i = 0; i < one.shape[0]; i++)
            for (int64_t j = 0; j < one.shape[1]; j++)
                for (int64_t k = 0; k < one.shape[2]; k++) {
                    float *cell = tensor_at(one, i, j, k, 0);
                    if (*cell != -INFINITY) *cell *= edit->value;
                }
    }
}

/* The rows of x, one a head, that a set changes; none if its query is not among these. */
static bool set_row(const Edit *edit, const HookPoint *at, Tensor x, int64_t head, int64_t *query) {
    *query = edit->query - at->query_begin;
    return *query >= 0 && *query < x.shape[1] && edit->key < x.shape[2] &&
           edit_has_head(edit, (int)head);
}

static float sum_but(const float *row, int64_t n, int64_t key) {
    float sum = 0;
    for (int64_t k = 0; k < n; k++)
        sum += k == key ? 0 : row[k];
    return sum;
}

/* Sets one weight and scales the others of the row so that it sums to 1 again:
 * y[key] = v, y[k] = (1 - v) x[k] / rest, rest the sum of all x but x[key]. */
static void set_weight(const Edit *edit, const HookPoint *at, Tensor x) {
    for (int64_t h = 0, q; h < x.shape[0]; h++) {
        if (!set_row(edit, at, x, h, &q)) continue;
        float *row = tensor_at(x, h, q, 0, 0), rest = sum_but(row, x.shape[2], edit->key);
        float factor = rest > 0 ? (1 - edit->value) / rest : 0;
        for (int64_t k = 0; k < x.shape[2]; k++)
            row[k] = k == edit->key ? edit->value : row[k] * factor;
    }
}

/* d is the gradient by y and becomes that by x, x what the set was given:
 * dx[k] = (1 - v) / rest (dy[k] - sum_j dy[j] x[j] / rest), dx[key] = 0. */
static void set_weight_backward(const Edit *edit, const HookPoint *at, Tensor x, Tensor d) {
    for (int64_t h = 0, q; h < x.shape[0]; h++) {
        if (!set_row(edit, at, x, h, &q)) continue;
        const float *row = tensor_at(x, h, q, 0, 0);
        float *dy = tensor_at(d, h, q, 0, 0), rest = sum_but(row, x.shape[2], edit->key), mean = 0;
        dy[edit->key] = 0;
        for (int64_t k = 0; k < x.shape[2]; k++)
            mean += rest > 0 ? dy[k] * row[k] / rest : 0;
        for (int64_t k = 0; k < x.shape[2]; k++)
            dy[k] = k == edit->key || !(rest > 0) ? 0 : (1 - edit->value) / rest * (dy[k] - mean);
    }
}

/* The query axis of a pattern is its second; its donor may have more keys than this step knows. */
static void patch_one(const Edit *edit, int axis, Tensor x, int64_t i, int64_t position) {
    if (edit->position >= 0 && position != edit->position) return;
    if (position >= edit->donor.shape[axis]) return;
    Tensor to = tensor_index(x, axis, i), from = tensor_index(edit->donor, axis, position);
    if (axis == 1 && from.shape[1] > to.shape[1]) from = tensor_slice(from, 1, 0, to.shape[1]);
    if (tensor_same_shape(to, from)) tensor_copy(to, from);
}

/* With a cache or a block only some positions are here; a batch has each of them several times. */
static void patch(const Edit *edit, const HookPoint *at, Tensor x) {
    if (is_pattern_like(at->site)) {
        for (int64_t i = 0; i < x.shape[1]; i++)
            patch_one(edit, 1, x, i, at->query_begin + i);
        return;
    }
    const int32_t whole[] = {0, (int32_t)x.shape[0]};
    const int32_t *begin = at->n_rows ? at->row_begin : whole;
    for (int r = 0; r < (at->n_rows ? at->n_rows : 1); r++)
        for (int64_t i = begin[r]; i < begin[r + 1]; i++)
            patch_one(edit, 0, x, i, at->query_begin + i - begin[r]);
}

static void apply(const Edit *edit, const HookPoint *at, Tensor x) {
    switch (edit->kind) {
    case EDIT_ABLATE:
    case EDIT_SCALE:
        scale_heads(edit, at->site, x);
        return;
    case EDIT_PATCH:
        patch(edit, at, x);
        return;
    case EDIT_SET:
        set_weight(edit, at, x);
        return;
    case EDIT_KIND_COUNT:
        return;
    }
}

typedef struct Edited {
    Tensor x, y;
    const Edits *edits;
    HookPoint at;
} Edited;

/* What the first n edits make of x. */
static Tensor after_edits(const Edited *s, int n, Arena *arena) {
    Tensor x = tensor_clone(arena, s->x);
    for (int e = 0; e < n; e++)
        if (same_place(&s->edits->items[e].at, &s->at)) apply(&s->edits->items[e], &s->at, x);
    return x;
}

/* The last edit first: a factor is a factor of the gradient too, a patched cell does not depend on
 * x, a set is not linear and needs what it was given. */
static void edited_backward(const void *saved, Tape *tape) {
    const Edited *s = saved;
    if (!s->x.grad) return;
    Arena *arena = tape_scratch(tape);
    Tensor d = tensor_clone(arena, tensor_view_shape(s->y.grad, s->y.rank, s->y.shape));
    for (int e = s->edits->n - 1; e >= 0; e--) {
        Edit edit = s->edits->items[e];
        if (!same_place(&edit.at, &s->at)) continue;
        if (edit.kind == EDIT_SET) {
            set_weight_backward(&edit, &s->at, after_edits(s, e, arena), d);
            continue;
        }
        if (edit.kind == EDIT_PATCH) {
            edit.donor = tensor_new_shape(arena, edit.donor.rank, edit.donor.shape);
            tensor_fill(edit.donor, 0);
        }
        apply(&edit, &s->at, d);
    }
    Tensor dx = s->x;
    dx.data = s->x.grad;
    dx.grad = NULL;
    Tensor sum = tensor_clone(arena, dx);
    kernel_add(sum.data, d.data, tensor_count(d));
    tensor_copy(dx, sum);
}

Tensor hook_edited(Run *run, const HookPoint *at, Tensor x) {
    const Edits *edits = run->edits;
    bool any = false;
    for (int e = 0; edits && e < edits->n; e++)
        any = any || same_place(&edits->items[e].at, at);
    if (!any) return x;
    Tensor y = writable(run, x);
    for (int e = 0; e < edits->n; e++)
        if (same_place(&edits->items[e].at, at)) apply(&edits->items[e], at, y);
    if (run->tape) {
        y.grad = arena_calloc(run->arena, (size_t)tensor_count(y), sizeof *y.grad);
        *(Edited *)tape_append(run->tape, edited_backward, sizeof(Edited)) =
            (Edited){x, y, edits, *at};
    }
    return y;
}

Tensor hook(Run *run, const HookPoint *at, Tensor x) {
    if (!run->edits && !run->capture) return x;
    x = hook_edited(run, at, x);
    hook_record(run, at, x);
    return x;
}

void hook_record(Run *run, const HookPoint *at, Tensor x) {
    if (run->capture && capture_wants(run, at)) capture_put(run, at, x);
}

bool hook_wanted(const Run *run, const HookPoint *at) {
    for (int e = 0; run->edits && e < run->edits->n; e++)
        if (same_place(&run->edits->items[e].at, at)) return true;
    return run->capture && capture_wants(run, at);
}
