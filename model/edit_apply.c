/* What edits make of an activation where it is computed, and the gradient through that. */
#include "model/edit_apply.h"

#include <math.h>

#include "model/kernels.h"

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
 * y[key] = v, y[k] = (1 - v) x[k] / rest, rest the sum of all x but x[key]. False where the key had
 * all the weight of a row and is not to keep it: there is nothing to scale. */
static bool set_weight(const Edit *edit, const HookPoint *at, Tensor x) {
    bool done = true;
    for (int64_t h = 0, q; h < x.shape[0]; h++) {
        if (!set_row(edit, at, x, h, &q)) continue;
        float *row = tensor_at(x, h, q, 0, 0), rest = sum_but(row, x.shape[2], edit->key);
        if (rest == 0 && edit->value != 1) done = false;
        for (int64_t k = 0; k < x.shape[2]; k++) /* divided first: rest may be as small as 1e-45 */
            if (k != edit->key) row[k] = rest != 0 ? row[k] / rest * (1 - edit->value) : 0;
        row[edit->key] = edit->value;
    }
    return done;
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

/* The query axis of a pattern is its second; its donor may have more keys than this step knows, or
 * fewer: a query that it has sees none of those behind. */
static void patch_one(const Edit *edit, int axis, Tensor x, int64_t i, int64_t position) {
    if (edit->position >= 0 && position != edit->position) return;
    if (position >= edit->donor.shape[axis]) return;
    Tensor to = tensor_index(x, axis, i), from = tensor_index(edit->donor, axis, position);
    if (axis == 1) {
        int64_t n_keys = from.shape[1] < to.shape[1] ? from.shape[1] : to.shape[1];
        from = tensor_slice(from, 1, 0, n_keys);
        to = tensor_slice(to, 1, 0, n_keys);
    }
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

static bool apply(const Edit *edit, const HookPoint *at, Tensor x) {
    switch (edit->kind) {
    case EDIT_ABLATE:
    case EDIT_SCALE:
        scale_heads(edit, at->site, x);
        return true;
    case EDIT_PATCH:
        patch(edit, at, x);
        return true;
    case EDIT_SET:
        return set_weight(edit, at, x);
    case EDIT_KIND_COUNT:
        break;
    }
    return true;
}

typedef struct Edited {
    Tensor x, y;
    const Edits *edits;
    HookPoint at;
} Edited;

/* What the first n edits make of x; one that cannot be done is left in *undone (may be NULL). */
static Tensor after_edits(const Edited *s, int n, Arena *arena, const Edit **undone) {
    Tensor x = tensor_clone(arena, s->x);
    for (int e = 0; e < n; e++) {
        const Edit *edit = &s->edits->items[e];
        if (same_place(&edit->at, &s->at) && !apply(edit, &s->at, x) && undone) *undone = edit;
    }
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
            set_weight_backward(&edit, &s->at, after_edits(s, e, arena, NULL), d);
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

bool edits_touch(const Edits *edits, const HookPoint *at) {
    for (int e = 0; edits && e < edits->n; e++)
        if (same_place(&edits->items[e].at, at)) return true;
    return false;
}

Tensor edits_apply(const Edits *edits, const HookPoint *at, Tensor x, Arena *arena, Tape *tape,
                   const Edit **undone) {
    if (!edits_touch(edits, at)) return x;
    Edited s = {.x = x, .edits = edits, .at = *at};
    s.y = after_edits(&s, edits->n, arena, undone);
    if (tape) {
        s.y.grad = arena_calloc(arena, (size_t)tensor_count(s.y), sizeof *s.y.grad);
        *(Edited *)tape_append(tape, edited_backward, sizeof(Edited)) = s;
    }
    return s.y;
}
