#include "app/views/inside.h"

#include <math.h>

#include "app/views/select.h"

static const Tensor *site(const Trace *trace, const Place *at, Site which) {
    char name[HOOK_NAME_MAX];
    HookPoint point = {.site = which, .stack = at->stack, .layer = at->layer, .cross = at->cross};
    return trace_find(trace, hook_name(&point, name));
}

/* One layer and one head, where the state says them; else the default head, or the first. */
static bool choose_head(const ViewInput *input, Place *out, Error *error) {
    const State *state = input->state;
    MatricesWish wish = {0};
    const char *why;
    if (!attention_choose(input, &wish, out, &why, error)) return false;
    int n_layers = trace_n_layers(input->trace, out->stack, out->cross);
    int n_heads = trace_n_heads(input->trace, out->stack, out->cross);
    Place said;
    Str rest = state->heads ? str(state->heads) : (Str){0}, part;
    if (select_part(&rest, ',', &part)) {
        if (!place_parse(part, &said, error)) return false;
        out->layer = said.layer;
        out->head = select_part(&rest, ',', &part) ? -2 : said.head;
    }
    long long number;
    if (state->layer && !state->heads)
        out->layer = integer_parse(str(state->layer), &number) ? (int)number : -2;
    if (state->head && !state->heads)
        out->head = integer_parse(str(state->head), &number) ? (int)number : -2;
    if (out->layer == -1) out->layer = n_layers - 1;
    if (out->head == -1) out->head = 0;
    if (out->layer < 0 || out->layer >= n_layers || out->head < 0 || out->head >= n_heads)
        return error_set(error, ERROR_INPUT,
                         "this view shows one head: layer 0 to %d, head 0 to %d", n_layers - 1,
                         n_heads - 1);
    return true;
}

/* [pos, d_head] of one head of a [pos, head, d_head] hook. */
static Tensor of_head(const Tensor *x, int head) {
    return x && x->rank == 3 && head < x->shape[1] ? tensor_index(*x, 1, head) : (Tensor){0};
}

static void read_weights(Inside *in, const Pattern *p, Arena *arena) {
    in->weights = tensor_new(arena, 2, p->n_queries, p->n_keys);
    Sight sight = sight_of(p);
    pattern_tile(p, in->head.head, 0, p->n_queries, 0, p->n_keys, in->weights.data);
    for (int64_t q = 0; q < p->n_queries; q++)
        for (int64_t k = 0; k < p->n_keys; k++)
            if (!sight_sees(&sight, q, k)) *tensor_at(in->weights, q, k, 0, 0) = NAN;
}

static void read_scores(Inside *in, const Tensor *kept, Arena *arena) {
    int64_t n_q = in->weights.shape[0], n_k = in->weights.shape[1], d = in->q.shape[1];
    in->scores = tensor_new(arena, 2, n_q, n_k);
    in->has_scores = kept && kept->rank == 3;
    for (int64_t q = 0; q < n_q; q++)
        for (int64_t k = 0; k < n_k; k++) {
            float *to = tensor_at(in->scores, q, k, 0, 0);
            if (isnan(*tensor_at(in->weights, q, k, 0, 0))) {
                *to = NAN;
                continue;
            }
            if (in->has_scores) {
                *to = *tensor_at(*kept, in->head.head, q, k, 0);
                if (!isfinite(*to)) *to = NAN;
                continue;
            }
            double sum = 0;
            for (int64_t i = 0; i < d; i++)
                sum +=
                    (double)*tensor_at(in->q, q, i, 0, 0) * (double)*tensor_at(in->k, k, i, 0, 0);
            *to = (float)(sum * in->scale);
        }
}

static double scale_of(const ViewInput *input, const Place *at, int64_t d_head) {
    if (!input->model) return 1 / sqrt((double)d_head);
    const StackConfig *c = &input->model->config.stack[at->stack];
    double scale = (double)c->attention_scale;
    return c->scale_by_layer ? scale / (at->layer + 1) : scale;
}

bool inside_read(const ViewInput *input, Inside *in, Arena *arena, Error *error) {
    *in = (Inside){0};
    if (!choose_head(input, &in->head, error)) return false;
    const Trace *t = input->trace;
    const Tensor *q = site(t, &in->head, SITE_ROT_Q), *k = site(t, &in->head, SITE_ROT_K);
    in->rotated = q && k;
    if (!q) q = site(t, &in->head, SITE_Q);
    if (!k) k = site(t, &in->head, SITE_K);
    Pattern p;
    if (input->model && input->model->config.family == FAMILY_RECURRENT)
        return error_set(error, ERROR_UNSUPPORTED,
                         "this model is recurrent: its attention scores states, it has no queries "
                         "and keys of heads");
    if (!q || !k || q->rank != 3 || k->rank != 3 ||
        !trace_pattern(t, in->head.stack, in->head.layer, in->head.cross, &p))
        return error_set(error, ERROR_UNSUPPORTED,
                         "the queries and keys (hook_q, hook_k) of this layer are not here; draw "
                         "from a model, or from a trace kept with --sites '*'");
    in->n_heads = (int)q->shape[1];
    in->n_kv_heads = (int)k->shape[1];
    in->kv_head = in->head.head * in->n_kv_heads / (in->n_heads > 0 ? in->n_heads : 1);
    in->q = of_head(q, in->head.head);
    in->k = of_head(k, in->kv_head);
    if (!in->q.data || !in->k.data || in->q.shape[1] != in->k.shape[1] ||
        in->q.shape[0] != p.n_queries || in->k.shape[0] != p.n_keys)
        return error_set(error, ERROR_INPUT, "hook_q and hook_k do not fit the pattern");
    in->v = of_head(site(t, &in->head, SITE_V), in->kv_head);
    const Tensor *z = site(t, &in->head, SITE_Z), *o = site(t, &in->head, SITE_ATTN_OUT);
    if (z && z->rank == 3 && z->shape[0] == p.n_queries) in->z = *z;
    if (o && o->rank == 2 && o->shape[0] == p.n_queries) in->out = *o;
    in->scale = scale_of(input, &in->head, in->q.shape[1]);
    Place attention = place_attention(in->head.stack, in->head.cross);
    if (!attention_sides(input, &attention, false, false, arena, &in->queries, &in->keys,
                         &in->writes) ||
        in->queries.n_tokens != p.n_queries || in->keys.n_tokens != p.n_keys)
        return error_set(error, ERROR_INPUT, "the trace's tokens do not fit its patterns");
    read_weights(in, &p, arena);
    read_scores(in, site(t, &in->head, SITE_SCORES), arena);
    return true;
}

const char *inside_kv_note(const Inside *in, const State *state, Arena *arena) {
    if (in->n_kv_heads == in->n_heads || in->n_kv_heads < 1) return NULL;
    int served = in->n_heads / in->n_kv_heads, base = state->base;
    return arena_printf(arena, "key/value head %d of %d, which serves heads %d to %d",
                        in->kv_head + base, in->n_kv_heads, in->kv_head * served + base,
                        (in->kv_head + 1) * served - 1 + base);
}
