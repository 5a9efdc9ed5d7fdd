/* Traces as safetensors: tensors under their hook names, token ids as I32 with their labels, texts
 * and byte spans beside them, so that a figure drawn from the file is the figure drawn live. */
#include "model/trace.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/base/json.h"
#include "model/pattern.h"
#include "model/safetensors.h"
#include "model/trace_inside.h"

/* ---- writing ---- */

static void add_labels(SafetensorsWriter *w, const char *name, const Token *items, int n) {
    json_t *labels = json_array(), *special = json_array();
    for (int i = 0; i < n; i++) {
        json_t *label = json_stringn(items[i].label.data, items[i].label.n);
        if (!label) label = json_sprintf("%d", items[i].id); /* bytes that are no UTF-8 */
        json_array_append_new(labels, label);
        if (items[i].special) json_array_append_new(special, json_integer(i));
    }
    char key[64];
    char *text = json_dumps(labels, JSON_COMPACT), *list = json_dumps(special, JSON_COMPACT);
    snprintf(key, sizeof key, "%s.labels", name);
    safetensors_metadata(w, key, text);
    snprintf(key, sizeof key, "%s.special", name);
    safetensors_metadata(w, key, list);
    free(text);
    free(list);
    json_decref(labels);
    json_decref(special);
}

static void add_tokens(SafetensorsWriter *w, Arena *arena, const char *name, const Token *items,
                       int n) {
    int32_t *ids = arena_alloc(arena, (size_t)n * sizeof *ids);
    for (int i = 0; i < n; i++)
        ids[i] = items[i].id;
    safetensors_add(w, name, DTYPE_I32, 1, (const int64_t[]){n}, ids);
    add_labels(w, name, items, n);
}

/* Text and byte spans of the tokens, where there is a text. */
static void add_text(SafetensorsWriter *w, Arena *arena, const char *name, Tokens tokens) {
    if (!tokens.text.data || memchr(tokens.text.data, 0, tokens.text.n)) return;
    char key[64];
    snprintf(key, sizeof key, "%s.text", name);
    safetensors_metadata(w, key, arena_str(arena, tokens.text).data);
    int32_t *spans = arena_alloc(arena, (size_t)tokens.n * 2 * sizeof *spans);
    for (int i = 0; i < tokens.n; i++) {
        spans[2 * i] = (int32_t)tokens.items[i].begin;
        spans[2 * i + 1] = (int32_t)tokens.items[i].end;
    }
    snprintf(key, sizeof key, "%s.offsets", name);
    safetensors_add(w, key, DTYPE_I32, 2, (const int64_t[]){tokens.n, 2}, spans);
}

/* Patterns that are kept as recipes are written out like all others. */
static void add_recipes(SafetensorsWriter *w, Arena *arena, const Trace *trace) {
    for (int i = 0; i < trace->n_recipes; i++) {
        const PatternRecipe *r = &trace->recipes[i];
        Pattern p;
        if (!r->q.data || !trace_pattern(trace, r->at.stack, r->at.layer, r->at.cross, &p))
            continue;
        float *all = arena_alloc(arena, (size_t)(p.n_heads * p.n_queries * p.n_keys) * sizeof *all);
        for (int h = 0; h < p.n_heads; h++)
            pattern_tile(&p, h, 0, p.n_queries, 0, p.n_keys, all + h * p.n_queries * p.n_keys);
        char name[HOOK_NAME_MAX];
        safetensors_add(w, hook_name(&r->at, name), DTYPE_F32, 3,
                        (const int64_t[]){p.n_heads, p.n_queries, p.n_keys}, all);
    }
}

/* Which keys each attention may see, for those that see not all:
 * {"decoder.0.attn": {"causal": true, "window": 0, "hidden": [3]}}. */
static void add_masks(SafetensorsWriter *w, const Trace *trace) {
    json_t *masks = json_object();
    for (int i = 0; i < trace->n_recipes; i++) {
        const PatternRecipe *r = &trace->recipes[i];
        char key[64];
        snprintf(key, sizeof key, "%s%d.%s", stack_prefix(r->at.stack), r->at.layer,
                 r->at.cross ? "cross_attn" : "attn");
        json_t *hidden = json_array();
        for (int64_t k = 0; r->mask.keep && k < r->n_keys; k++)
            if (!r->mask.keep[k]) json_array_append_new(hidden, json_integer(k));
        if (r->mask.causal || r->mask.window || json_array_size(hidden))
            json_object_set_new(masks, key,
                                json_pack("{s:b, s:i, s:O}", "causal", r->mask.causal, "window",
                                          r->mask.window, "hidden", hidden));
        json_decref(hidden);
    }
    char *text = json_dumps(masks, JSON_COMPACT | JSON_SORT_KEYS);
    safetensors_metadata(w, "masks", text);
    free(text);
    json_decref(masks);
}

bool trace_save(const Trace *trace, const char *path, Error *error) {
    SafetensorsWriter *w = safetensors_create(path, error);
    if (!w) return false;
    Arena *arena = arena_new();
    bool two = trace->target.n > 0;
    const char *source = two ? "source.tokens" : "tokens";
    safetensors_metadata(w, "format", "attnscope-trace-1");
    safetensors_metadata(w, "model", trace->model_name);
    safetensors_metadata(w, "seed", "0");
    if (trace->source.n) add_tokens(w, arena, source, trace->source.items, trace->source.n);
    add_text(w, arena, source, trace->source);
    if (two) add_tokens(w, arena, "target.tokens", trace->target.items, trace->target.n);
    if (two) add_text(w, arena, "target.tokens", trace->target);
    if (two && trace->next_tokens)
        add_tokens(w, arena, "target.next", trace->next_tokens, trace->target.n);
    for (int i = 0; i < trace->n_entries; i++) {
        Tensor x = trace->entries[i].x;
        safetensors_add(w, trace->entries[i].name, DTYPE_F32, x.rank, x.shape, x.data);
    }
    add_recipes(w, arena, trace);
    add_masks(w, trace);
    bool ok = safetensors_commit(w, error);
    arena_free(arena);
    return ok;
}

/* ---- reading ---- */

static const char *metadata(const Safetensors *file, const char *name, const char *part) {
    char key[96];
    snprintf(key, sizeof key, "%s.%s", name, part);
    return safetensors_metadata_value(file, key);
}

static void read_labels(const Safetensors *file, const char *name, Arena *arena, Tokens *out) {
    const char *text = metadata(file, name, "labels"), *list = metadata(file, name, "special");
    json_t *labels = text ? json_parse(str(text), name, 0, 0, NULL) : NULL;
    json_t *special = list ? json_parse(str(list), name, 0, 0, NULL) : NULL;
    for (int i = 0; i < out->n; i++) {
        const json_t *label = json_array_get(labels, (size_t)i);
        Token *t = &out->items[i];
        if (json_is_string(label))
            t->label = arena_str(arena, (Str){json_string_value(label), json_string_length(label)});
        else
            t->label = str(arena_printf(arena, "%d", t->id));
    }
    for (size_t i = 0; i < json_array_size(special); i++) {
        json_int_t at = json_integer_value(json_array_get(special, i));
        if (at >= 0 && at < out->n) out->items[at].special = true;
    }
    json_decref(labels);
    json_decref(special);
}

static void read_text(const Safetensors *file, const char *name, Arena *arena, Tokens *out) {
    char key[96];
    snprintf(key, sizeof key, "%s.offsets", name);
    const RawTensor *spans = safetensors_find(file, key);
    const char *text = metadata(file, name, "text");
    if (!text || !spans || spans->dtype != DTYPE_I32 || spans->rank != 2 ||
        spans->shape[0] != out->n || spans->shape[1] != 2)
        return;
    out->text = arena_str(arena, str(text));
    const int32_t *at = spans->data;
    for (int i = 0; i < out->n; i++) {
        int64_t begin = at[2 * i], end = at[2 * i + 1];
        if (begin < 0 || end < begin || end > (int64_t)out->text.n) continue;
        out->items[i].begin = begin;
        out->items[i].end = end;
    }
}

/* A token tensor: I32 or I64, one row. Without it n is 0. */
static bool read_tokens(const Safetensors *file, const char *path, const char *name, Arena *arena,
                        Tokens *out, Error *error) {
    *out = (Tokens){0};
    const RawTensor *t = safetensors_find(file, name);
    if (!t) return true;
    int64_t n = t->rank > 0 ? t->shape[t->rank - 1] : 0;
    bool fits = (t->dtype == DTYPE_I32 || t->dtype == DTYPE_I64) &&
                (t->rank == 1 || (t->rank == 2 && t->shape[0] == 1)) && n < (1 << 24);
    if (!fits)
        return error_set(error, ERROR_INPUT, "%s: tensor %s must be one row of I32 ids", path,
                         name);
    out->n = (int)n;
    out->items = arena_calloc(arena, (size_t)n, sizeof *out->items);
    for (int i = 0; i < out->n; i++)
        out->items[i].id = t->dtype == DTYPE_I32 ? ((const int32_t *)t->data)[i]
                                                 : (int32_t)((const int64_t *)t->data)[i];
    read_labels(file, name, arena, out);
    read_text(file, name, arena, out);
    return true;
}

static bool is_number_tensor(const RawTensor *t) {
    return t->dtype == DTYPE_F32 || t->dtype == DTYPE_F16 || t->dtype == DTYPE_BF16 ||
           t->dtype == DTYPE_F64;
}

/* Have its queries and keys as many tokens as the file names? */
static bool pattern_fits(const Trace *trace, const HookPoint *at, Tensor x, const char *path,
                         const char *name, Error *error) {
    int n_queries = at->stack == STACK_DECODER ? trace->target.n : trace->source.n;
    int n_keys = at->cross ? trace->source.n : n_queries;
    if ((!n_queries || x.shape[1] == n_queries) && (!n_keys || x.shape[2] == n_keys)) return true;
    return error_set(error, ERROR_INPUT,
                     "%s: tensor %s has %lld queries and %lld keys, but the file names %d and %d "
                     "tokens",
                     path, name, (long long)x.shape[1], (long long)x.shape[2], n_queries, n_keys);
}

/* All tensors of floats; a leading batch of one is dropped where it leaves too many axes. */
static bool read_tensors(const Safetensors *file, const char *path, Trace *trace, Error *error) {
    int n_hooks = 0;
    for (int i = 0; i < safetensors_n_tensors(file); i++) {
        const RawTensor *t = safetensors_tensor(file, i);
        HookPoint at;
        const char *base = strncmp(t->name, "grad.", 5) == 0 ? t->name + 5 : t->name;
        bool known = hook_parse(base, &at);
        int skip = 0, wanted = known && at.site == SITE_PATTERN ? 3 : TENSOR_MAX_RANK;
        while (t->rank - skip > wanted && t->shape[skip] == 1)
            skip++;
        if (!is_number_tensor(t) || t->rank - skip > TENSOR_MAX_RANK) continue;
        if (known && at.site == SITE_PATTERN && t->rank - skip != 3)
            return error_set(error, ERROR_INPUT,
                             "%s: tensor %s has %d axes, [head, query, key] "
                             "expected",
                             path, t->name, t->rank);
        Tensor x = tensor_new_shape(trace->arena, t->rank - skip, t->shape + skip);
        dtype_to_f32(t->dtype, t->data, 0, tensor_count(x), x.data);
        if (known && at.site == SITE_PATTERN && !pattern_fits(trace, &at, x, path, t->name, error))
            return false;
        trace_put(trace, t->name, x);
        n_hooks += known;
    }
    if (n_hooks) return true;
    return error_set(error, ERROR_INPUT,
                     "%s: no tensor has the name of a hook, such as "
                     "blocks.0.attn.hook_pattern; attnscope hooks lists them",
                     path);
}

/* Keys that no query may see; [key] as in MaskRule. */
static const uint8_t *read_hidden(const Trace *trace, const HookPoint *at, const json_t *list) {
    bool target = at->stack == STACK_DECODER && !at->cross;
    int n = target ? trace->target.n : trace->source.n;
    if (json_array_size(list) == 0 || n == 0) return NULL;
    uint8_t *keep = arena_alloc(trace->arena, (size_t)n);
    memset(keep, 1, (size_t)n);
    for (size_t i = 0; i < json_array_size(list); i++) {
        json_int_t key = json_integer_value(json_array_get(list, i));
        if (key >= 0 && key < n) keep[key] = 0;
    }
    return keep;
}

/* Masks come back as recipes without q and k. */
static void read_masks(const Safetensors *file, Trace *trace) {
    const char *text = safetensors_metadata_value(file, "masks");
    json_t *masks = text ? json_parse(str(text), "masks", 0, 0, NULL) : NULL;
    const char *key;
    json_t *value;
    json_object_foreach(masks, key, value) {
        char name[HOOK_NAME_MAX];
        PatternRecipe recipe = {0};
        snprintf(name, sizeof name, "%.60s.hook_pattern", key);
        if (!hook_parse(name, &recipe.at)) continue;
        recipe.mask.causal = json_is_true(json_object_get(value, "causal"));
        recipe.mask.window = (int)json_integer_value(json_object_get(value, "window"));
        if (recipe.mask.window < 0) recipe.mask.window = 0;
        recipe.mask.keep = read_hidden(trace, &recipe.at, json_object_get(value, "hidden"));
        trace_add_recipe(trace, &recipe);
    }
    json_decref(masks);
}

static Trace *read_trace(const Safetensors *file, const char *path, Error *error) {
    Arena *arena = arena_new();
    Tokens source, target, next;
    bool ok = read_tokens(file, path, "tokens", arena, &source, error);
    if (ok && source.n == 0) ok = read_tokens(file, path, "source.tokens", arena, &source, error);
    ok = ok && read_tokens(file, path, "target.tokens", arena, &target, error) &&
         read_tokens(file, path, "target.next", arena, &next, error);
    if (ok && next.n && next.n != target.n)
        ok = error_set(error, ERROR_INPUT, "%s: target.next has %d tokens, target.tokens %d", path,
                       next.n, target.n);
    if (!ok) {
        arena_free(arena);
        return NULL;
    }
    int32_t *ids = next.n ? arena_alloc(arena, (size_t)next.n * sizeof *ids) : NULL;
    for (int i = 0; i < next.n; i++)
        ids[i] = next.items[i].id;
    Trace *trace = trace_new(arena, source, target, ids);
    if (next.n) trace->next_tokens = next.items;
    const char *model = safetensors_metadata_value(file, "model");
    trace->model_name = arena_strdup(arena, model ? model : "");
    read_masks(file, trace);
    if (read_tensors(file, path, trace, error)) return trace;
    trace_release(trace);
    return NULL;
}

Trace *trace_open(const char *path, Error *error) {
    Safetensors *file = safetensors_open(path, error);
    if (!file) return NULL;
    Trace *trace = read_trace(file, path, error);
    safetensors_close(file);
    return trace;
}
