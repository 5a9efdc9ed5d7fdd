#include "app/window/pass_steps.h"

#include <math.h>
#include <string.h>

#include "model/words.h"

static double log_sum_exp(const float *x, int64_t n) {
    double max = -INFINITY, sum = 0;
    for (int64_t i = 0; i < n; i++)
        max = x[i] > max ? (double)x[i] : max;
    if (!isfinite(max)) return max;
    for (int64_t i = 0; i < n; i++)
        sum += exp((double)x[i] - max);
    return max + log(sum);
}

static Str label_of(const Subject *subject, int32_t id, bool target, Arena *arena) {
    Str label = subject->tokenizer ? tokenizer_label(subject->tokenizer, id, target) : (Str){0};
    return label.data ? label : str(arena_printf(arena, "%d", (int)id));
}

static void fill_top(PassStep *step, const float *row, int64_t n, double lse,
                     const Subject *subject, bool target, Arena *arena) {
    step->n_top = 0;
    for (int64_t id = 0; id < n; id++) {
        double p = exp((double)row[id] - lse);
        int at = step->n_top;
        if (at == PASS_TOP && p <= step->top[at - 1].prob) continue;
        if (at < PASS_TOP) step->n_top++;
        at = step->n_top - 1;
        while (at > 0 && step->top[at - 1].prob < p) {
            step->top[at] = step->top[at - 1];
            at--;
        }
        step->top[at].id = (int32_t)id;
        step->top[at].prob = p;
    }
    for (int i = 0; i < step->n_top; i++)
        step->top[i].label = label_of(subject, step->top[i].id, target, arena);
}

/* Row `row` of [pos, vocab] logits: the step's probability and its alternatives. */
static void read_row(Pass *pass, PassStep *step, const Tensor *logits, int row,
                     const Subject *subject, bool target) {
    if (!logits || logits->rank != 2 || row >= logits->shape[0] || logits->stride[1] != 1) return;
    const float *x = logits->data + row * logits->stride[0];
    int64_t n = logits->shape[1];
    double lse = log_sum_exp(x, n);
    step->prob = step->id >= 0 && step->id < n ? exp((double)x[step->id] - lse) : 0;
    fill_top(step, x, n, lse, subject, target, pass->arena);
}

/* Which bytes of the text each token is: by what decoding one more of them adds. */
static void spans_by_decoding(Pass *pass, const Subject *subject) {
    enum { MOST = 1024 };
    if (!subject->tokenizer || pass->n_steps > MOST) return;
    int32_t ids[MOST];
    size_t before = 0;
    for (int i = 0; i < pass->n_steps; i++) {
        ids[i] = pass->steps[i].id;
        size_t n = subject_decode(subject, ids, i + 1, pass->arena).n;
        if (n < before || n > pass->output.n) continue;
        size_t begin = before;
        while (begin < n && pass->output.data[begin] == ' ')
            begin++;
        pass->steps[i].begin = (int64_t)begin;
        pass->steps[i].end = (int64_t)n;
        before = n;
    }
}

static void spans_by_encoding(Pass *pass, const Subject *subject, Str typed, const char *to) {
    Tokens tokens;
    EncodeOptions options = {.special = true, .target = true, .target_language = to};
    if (!subject->tokenizer ||
        !tokenizer_encode(subject->tokenizer, typed, &options, pass->arena, &tokens, NULL))
        return;
    for (int i = 0; i < pass->n_steps && i < tokens.n; i++) {
        if (tokens.items[i].id != pass->steps[i].id) return;
        pass->steps[i].begin = tokens.items[i].begin;
        pass->steps[i].end = tokens.items[i].end;
    }
}

static void steps_of_decoder(Pass *pass, const Subject *subject, Str typed, const char *to) {
    const int32_t *next = trace_next(pass->trace);
    int n = trace_target(pass->trace).n;
    if (!next || n < 1) return;
    const Tensor *logits = trace_find(pass->trace, "logits");
    pass->steps = arena_calloc(pass->arena, (size_t)n, sizeof *pass->steps);
    pass->n_steps = n;
    for (int i = 0; i < n; i++) {
        PassStep *step = &pass->steps[i];
        step->id = next[i];
        step->label = label_of(subject, next[i], true, pass->arena);
        step->special = subject->tokenizer && tokenizer_is_special(subject->tokenizer, step->id);
        read_row(pass, step, logits, i, subject, true);
        pass->score += step->prob > 0 ? log(step->prob) : 0;
        /* The search's ids begin with the start token, or a prompt of ours. */
        bool same = i + 1 < pass->search.n && pass->search.ids[i + 1] == next[i];
        if (pass->typed && !same && pass->parts_at < 0) pass->parts_at = i;
    }
    pass->output = pass->typed && typed.data ? arena_str(pass->arena, typed)
                                             : subject_decode(subject, next, n, pass->arena);
    if (pass->typed && typed.data)
        spans_by_encoding(pass, subject, typed, to);
    else
        spans_by_decoding(pass, subject);
}

/* One causal stack: position i writes token i + 1; the last position writes what is not there. */
static void steps_of_prompt(Pass *pass, const Subject *subject) {
    Tokens tokens = trace_source(pass->trace);
    const Tensor *logits = trace_find(pass->trace, "logits");
    if (tokens.n < 1) return;
    pass->steps = arena_calloc(pass->arena, (size_t)tokens.n, sizeof *pass->steps);
    pass->n_steps = tokens.n;
    for (int i = 0; i < tokens.n; i++) {
        PassStep *step = &pass->steps[i];
        bool known = i + 1 < tokens.n;
        step->id = known ? tokens.items[i + 1].id : -1;
        step->label = known ? tokens.items[i + 1].label : str("?");
        step->special = known && tokens.items[i + 1].special;
        read_row(pass, step, logits, i, subject, false);
        if (known && i + 1 >= pass->n_prompt) pass->score += step->prob > 0 ? log(step->prob) : 0;
    }
    pass->output = pass->own;
}

static double answer_plain(const Pass *pass, int row, int32_t id) {
    const Tensor *logits = pass->plain ? trace_find(pass->plain, "logits") : NULL;
    if (!logits || logits->rank != 2 || row >= logits->shape[0] || logits->stride[1] != 1)
        return -1;
    const float *x = logits->data + row * logits->stride[0];
    return exp((double)x[id] - log_sum_exp(x, logits->shape[1]));
}

/* An encoder's head: the names of a classifier, or the words for a masked token. */
static void answers_of_encoder(Pass *pass, const Subject *subject) {
    const Tensor *logits = trace_find(pass->trace, "logits");
    if (!logits || logits->rank != 2) return;
    Tokens tokens = trace_source(pass->trace);
    bool words = subject->tokenizer && logits->shape[1] > 1000;
    int row = 0;
    for (int i = 0; words && i < tokens.n; i++)
        if (strstr(arena_printf(pass->arena, "%.*s", (int)tokens.items[i].label.n,
                                tokens.items[i].label.data),
                   "mask"))
            row = i;
    if (words && row == 0) return;
    const json_t *config = checkpoint_config(subject->model->checkpoint);
    const json_t *names = json_object_get(config, "id2label");
    PassStep step = {.id = -1};
    read_row(pass, &step, logits, row, subject, false);
    for (int i = 0; i < step.n_top && i < 5; i++) {
        char key[16];
        snprintf(key, sizeof key, "%d", (int)step.top[i].id);
        const char *name = words ? NULL : json_string_value(json_object_get(names, key));
        PassAnswer *a = &pass->answers[pass->n_answers++];
        a->label = name ? arena_str(pass->arena, str(name)) : step.top[i].label;
        a->prob = step.top[i].prob;
        a->prob_plain = answer_plain(pass, row, step.top[i].id);
    }
}

static void make_readable(Pass *pass) {
    Token *tokens = arena_calloc(pass->arena, (size_t)pass->n_steps + 1, sizeof *tokens);
    for (int i = 0; i < pass->n_steps; i++)
        tokens[i].label = pass->steps[i].label;
    TokenStyle style = pass->style = token_style(tokens, pass->n_steps);
    for (int i = 0; i < pass->n_steps; i++) {
        PassStep *step = &pass->steps[i];
        step->pretty = token_pretty(step->label, style, pass->arena);
        for (int k = 0; k < step->n_top; k++)
            step->top[k].label = token_pretty(step->top[k].label, style, pass->arena);
    }
}

void pass_steps_make(Pass *pass, const Subject *subject, Str typed, const char *to) {
    switch (subject->model->config.family) {
    case FAMILY_ENCODER_DECODER:
    case FAMILY_RECURRENT:
        steps_of_decoder(pass, subject, typed, to);
        break;
    case FAMILY_DECODER:
        steps_of_prompt(pass, subject);
        break;
    case FAMILY_ENCODER:
        answers_of_encoder(pass, subject);
        break;
    }
    make_readable(pass);
}
