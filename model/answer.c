#include "model/answer.h"

#include <math.h>
#include <string.h>

#include "model/kernels.h"

typedef struct Asking {
    const Model *model;
    const Tokenizer *tokenizer;
    Tokens tokens;
    Tensor logits;
    int n_top;
    Arena *arena;
} Asking;

static bool names_words(HeadKind kind) {
    return kind == HEAD_MASKED || kind == HEAD_LANGUAGE;
}

/* id2label, or what the vocabulary calls it; else the number. */
static Str name_of(const Asking *a, int id) {
    char key[16];
    snprintf(key, sizeof key, "%d", id);
    HeadKind kind = a->model->config.head.kind;
    if (names_words(kind)) {
        Str label = a->tokenizer ? tokenizer_label(a->tokenizer, id, true) : (Str){0};
        return label.data ? label : arena_str(a->arena, str(key));
    }
    if (kind == HEAD_REPLACED) return str(id ? "replaced" : "original");
    const json_t *config = a->model->checkpoint ? checkpoint_config(a->model->checkpoint) : NULL;
    const json_t *name = json_object_get(json_object_get(config, "id2label"), key);
    if (json_is_string(name)) return (Str){json_string_value(name), json_string_length(name)};
    return str(arena_printf(a->arena, "LABEL_%d", id));
}

/* Several labels may hold at once. */
static bool each_alone(const Model *m) {
    const json_t *config = m->checkpoint ? checkpoint_config(m->checkpoint) : NULL;
    const char *kind = json_string_value(json_object_get(config, "problem_type"));
    return m->config.head.kind == HEAD_REPLACED ||
           (kind && strcmp(kind, "multi_label_classification") == 0);
}

static void best(const Asking *a, const float *logits, int n, AnswerItem *item) {
    ArenaMark mark;
    int most = a->n_top < n ? a->n_top : n;
    item->choices = arena_alloc(a->arena, ((size_t)most + 1) * sizeof *item->choices);
    mark = arena_mark(a->arena);
    float *scratch = arena_alloc(a->arena, (size_t)n * sizeof *scratch);
    double lse = (double)kernel_softmax(logits, scratch, n);
    arena_reset(a->arena, mark);
    for (int id = 0; id < n; id++) {
        int at = item->n;
        if (at == most && !(logits[id] > item->choices[at - 1].logit)) continue;
        if (at == most) at--;
        while (at > 0 && logits[id] > item->choices[at - 1].logit) {
            item->choices[at] = item->choices[at - 1];
            at--;
        }
        item->choices[at] = (Choice){.id = id, .logit = logits[id]};
        if (item->n < most) item->n++;
    }
    bool alone = each_alone(a->model);
    for (int i = 0; i < item->n; i++) {
        Choice *c = &item->choices[i];
        c->name = name_of(a, c->id);
        c->probability = alone ? 1 / (1 + exp(-(double)c->logit)) : exp((double)c->logit - lse);
    }
}

static AnswerItem *add_item(const Asking *a, Answer *out, int position, const float *logits,
                            int n) {
    AnswerItem *item = &out->items[out->n_items++];
    *item = (AnswerItem){.position = position};
    best(a, logits, n, item);
    return item;
}

static bool is_mask(const Token *t) {
    return str_is(t->label, "[MASK]") || str_is(t->label, "<mask>");
}

static void answer_tokens(const Asking *a, Answer *out) {
    int n_classes = (int)a->logits.shape[1], n_masks = 0;
    bool masked = out->kind == HEAD_MASKED;
    for (int i = 0; i < a->tokens.n; i++)
        n_masks += is_mask(&a->tokens.items[i]);
    for (int i = 0; i < a->logits.shape[0]; i++) {
        const Token *t = i < a->tokens.n ? &a->tokens.items[i] : NULL;
        bool skip = masked ? n_masks > 0 && t && !is_mask(t) : t && t->special;
        if (!skip) add_item(a, out, i, a->logits.data + (int64_t)i * n_classes, n_classes);
    }
}

static void answer_replaced(const Asking *a, Answer *out) {
    for (int i = 0; i < a->logits.shape[0]; i++) {
        if (i < a->tokens.n && a->tokens.items[i].special) continue;
        AnswerItem *item = &out->items[out->n_items++];
        double p = 1 / (1 + exp(-(double)a->logits.data[i]));
        *item = (AnswerItem){.position = i, .n = 1};
        item->choices = arena_calloc(a->arena, 1, sizeof *item->choices);
        bool replaced = a->logits.data[i] > 0;
        item->choices[0] = (Choice){.id = replaced,
                                    .name = name_of(a, replaced),
                                    .logit = a->logits.data[i],
                                    .probability = replaced ? p : 1 - p};
    }
}

static double log_sum(const float *logits, int64_t n, int column) {
    double most = -INFINITY, sum = 0;
    for (int64_t i = 0; i < n; i++)
        most = fmax(most, (double)logits[2 * i + column]);
    for (int64_t i = 0; i < n; i++)
        sum += exp((double)logits[2 * i + column] - most);
    return most + log(sum);
}

/* The begin and end that go together best; in the second text where there are two. */
static void answer_span(const Asking *a, Answer *out) {
    int64_t n = a->logits.shape[0];
    const float *x = a->logits.data;
    bool pair = false;
    for (int i = 0; i < a->tokens.n; i++)
        pair = pair || a->tokens.items[i].second;
    double found = -INFINITY;
    for (int b = 0; b < n && b < a->tokens.n; b++)
        for (int e = b; e < n && e < a->tokens.n && e < b + 64; e++) {
            const Token *first = &a->tokens.items[b], *last = &a->tokens.items[e];
            if (first->special || last->special || first->second != pair || last->second != pair)
                continue;
            double score = (double)x[2 * b] + (double)x[2 * e + 1];
            if (!(score > found)) continue;
            found = score;
            out->span_begin = b;
            out->span_end = e;
        }
    out->span_probability = exp(found - log_sum(x, n, 0) - log_sum(x, n, 1));
    Str text = pair ? a->tokens.pair : a->tokens.text;
    if (!isfinite(found) || !text.data) return;
    int64_t begin = a->tokens.items[out->span_begin].begin;
    int64_t end = a->tokens.items[out->span_end].end;
    if (begin >= 0 && begin <= end && (size_t)end <= text.n)
        out->span_text = str_sub(text, (size_t)begin, (size_t)end);
}

bool answer_of(const Model *model, const Tokenizer *tokenizer, const Trace *trace, int n_top,
               Arena *arena, Answer *out, Error *error) {
    const Tensor *logits = trace_find(trace, "logits");
    bool two = trace_target(trace).n > 0;
    *out = (Answer){.kind = model->config.head.kind};
    if (!logits || out->kind == HEAD_NONE)
        return error_set(error, ERROR_UNSUPPORTED,
                         "%s: this model has no head that answers; its activations are there",
                         model->path);
    two = two && !model_reads_source_twice(model); /* its classes are of the source */
    Asking a = {model,   tokenizer, two ? trace_target(trace) : trace_source(trace),
                *logits, n_top,     arena};
    int64_t n_rows = logits->rank > 1 ? logits->shape[0] : logits->shape[0] + 1;
    out->items = arena_calloc(arena, (size_t)n_rows + 1, sizeof *out->items);
    switch (out->kind) {
    case HEAD_SEQUENCE:
        add_item(&a, out, -1, logits->data, (int)logits->shape[0]);
        return true;
    case HEAD_LANGUAGE: {
        int64_t last = logits->shape[0] - 1, n = logits->shape[1];
        add_item(&a, out, (int)last, logits->data + last * n, (int)n);
        return true;
    }
    case HEAD_MASKED:
    case HEAD_TOKENS:
        answer_tokens(&a, out);
        return true;
    case HEAD_REPLACED:
        answer_replaced(&a, out);
        return true;
    case HEAD_SPAN:
        answer_span(&a, out);
        return true;
    case HEAD_NONE:
        break;
    }
    return true;
}
