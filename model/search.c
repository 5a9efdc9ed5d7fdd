#include "model/search.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/base/str.h"
#include "model/effort.h"
#include "model/front.h"
#include "model/ops.h"

/* Places that are given: an encoder reads them; a text that goes on counts its own, so that what
 * is written stands behind it. */
static bool check_positions(const StackConfig *c, const Input *input, bool goes_on, Error *error) {
    int next = 0;
    for (int i = 0; input->positions && i < input->source.n; i++) {
        int32_t position = input->positions[i];
        if (!goes_on && c->n_positions && (position < 0 || position >= c->n_positions))
            return error_set(error, ERROR_INPUT, "position id %d, but the positions are 0 to %d",
                             position, c->n_positions - 1);
        if (!goes_on || (input->source_keep && !input->source_keep[i])) continue;
        if (position != next)
            return error_set(error, ERROR_UNSUPPORTED,
                             "position id %d of token %d: a text that is gone on with has its "
                             "positions counted from 0; leave position_ids out",
                             position, i);
        next++;
    }
    return true;
}

static bool check_source(const Model *model, const Input *input, Error *error) {
    StackId stack = model_first_stack(model);
    const StackConfig *c = &model->config.stack[stack];
    int64_t n_vocab = model->stack[stack].embed.rows;
    if (input->features.data) return front_check(model, input->features, error);
    if (n_vocab == 0)
        return error_set(error, ERROR_INPUT, "this model (%s) reads no text",
                         model->config.model_type);
    if (input->source.n == 0)
        return error_set(error, ERROR_INPUT, "there is nothing to read: the text is empty");
    if (c->n_positions && input->source.n > c->n_positions)
        return error_set(error, ERROR_INPUT,
                         "%d tokens, but this model reads at most %d; shorten "
                         "the text",
                         input->source.n, c->n_positions);
    for (int i = 0; i < input->source.n; i++)
        if (input->source.items[i].id < 0 || input->source.items[i].id >= n_vocab)
            return error_set(error, ERROR_INPUT, "token %d has id %d, but the ids are 0 to %lld", i,
                             input->source.items[i].id, (long long)n_vocab - 1);
    return check_positions(c, input, stack != STACK_ENCODER, error);
}

/* All sources one behind the other. */
static TokenRows pack_sources(Arena *arena, const Input *inputs, int n) {
    int32_t *begin = arena_alloc(arena, ((size_t)n + 1) * sizeof *begin), at = 0;
    bool masked = false, placed = false;
    for (int i = 0; i < n; i++) {
        begin[i] = at;
        at += inputs[i].source.n;
        masked = masked || inputs[i].source_keep;
        placed = placed || inputs[i].positions;
    }
    begin[n] = at;
    int32_t *ids = arena_alloc(arena, (size_t)at * sizeof *ids);
    uint8_t *keep = masked ? arena_alloc(arena, (size_t)at) : NULL;
    int32_t *positions = placed ? arena_alloc(arena, (size_t)at * sizeof *positions) : NULL;
    for (int i = 0; i < n; i++)
        for (int t = 0; t < inputs[i].source.n; t++) {
            ids[begin[i] + t] = inputs[i].source.items[t].id;
            if (keep) keep[begin[i] + t] = inputs[i].source_keep ? inputs[i].source_keep[t] : 1;
            if (positions)
                positions[begin[i] + t] = inputs[i].positions ? inputs[i].positions[t] : t;
        }
    return (TokenRows){
        .n_rows = n, .begin = begin, .ids = ids, .keep = keep, .positions = positions};
}

/* The same for pictures or sound. */
static TokenRows pack_features(Run *run, const Input *inputs, int n) {
    int n_tokens = front_n_tokens(run->model);
    int32_t *begin = arena_alloc(run->arena, ((size_t)n + 1) * sizeof *begin);
    Tensor all = tensor_new(run->arena, 2, (int64_t)n * n_tokens, run->model->config.d_model);
    for (int i = 0; i <= n; i++)
        begin[i] = i * n_tokens;
    for (int i = 0; i < n; i++)
        tensor_copy(tensor_slice(all, 0, begin[i], begin[i + 1]),
                    front_embed(run, inputs[i].features));
    return (TokenRows){.n_rows = n, .begin = begin, .embedded = all};
}

/* Of a model without a limit of its own. */
enum { MOST_TOKENS = 1 << 20 };

/* Prompt and continuation together. */
static int length_limit(const Search *s, const SearchTask *task) {
    const GenerationConfig *g = &s->model->config.generation;
    const StackConfig *c = &s->model->config.stack[s->stack];
    int longest = 0, n_prompt = task->n_prompt;
    for (int i = 0; i < task->n_inputs; i++)
        longest = task->inputs[i].source.n > longest ? task->inputs[i].source.n : longest;
    int64_t limit = n_prompt + 3 * (int64_t)longest + 50;
    if (g->max_length > n_prompt) limit = g->max_length;
    if (g->max_new_tokens > 0) limit = (int64_t)n_prompt + g->max_new_tokens;
    if (s->options->max_new_tokens > 0) limit = (int64_t)n_prompt + s->options->max_new_tokens;
    if (c->n_positions && limit > c->n_positions) limit = c->n_positions;
    return limit < MOST_TOKENS ? (int)limit : MOST_TOKENS;
}

static int n_read(const Model *model, const Input *input) {
    return input->features.data ? front_n_tokens(model) : input->source.n;
}

/* What the search will hold at its longest, roughly: keys and values of all tokens in both kinds of
 * attention, and the scratch of the widest pass: over the sources, or over the prompts. */
static int64_t search_bytes(const Search *s, const SearchTask *task, int n_rows) {
    const ModelConfig *model = &s->model->config;
    const StackConfig *c = &model->stack[s->stack];
    int64_t n_source = 0, n_prompts = (int64_t)n_rows * task->n_prompt;
    for (int i = 0; s->stack == STACK_DECODER && i < task->n_inputs; i++)
        n_source += n_read(s->model, &task->inputs[i]);
    int64_t kept = (int64_t)n_rows * s->rules.max_length + (c->has_cross ? n_source : 0);
    int64_t cache = 4 * 2 * kept * c->n_kv_heads * c->d_head * c->n_layers;
    int64_t scratch = 4 * (16 * (int64_t)model->d_model + 3 * c->d_ff);
    return cache + scratch * (n_source > n_prompts ? n_source : n_prompts) +
           4 * 2 * (int64_t)n_rows * s->n_vocab;
}

/* A translation ends by itself, about as long as its source. */
static int expected_steps(const Search *s, int n_source, int n_prompt) {
    int most = s->rules.max_length - n_prompt, usual = n_source + n_source / 2 + 10;
    return s->stack == STACK_DECODER && usual < most ? usual : most;
}

static bool check_effort(const Search *s, const SearchTask *task, int n_rows, Error *error) {
    char what[128], time[32];
    int n_source = n_read(s->model, &task->inputs[0]);
    int n_steps = expected_steps(s, n_source, task->n_prompt);
    int64_t n_bytes = search_bytes(s, task, n_rows);
    bool asked = effort_asked(n_bytes, &s->options->progress);
    double step = asked ? effort_step(s->model, n_rows, n_source + n_steps / 2) : 0;
    snprintf(what, sizeof what, "generation of up to %d tokens (%d at once%s%s)",
             s->rules.max_length, n_rows, step > 0 ? ", each about " : "",
             step > 0 ? effort_text(step, time) : "");
    Effort effort = {.what = what,
                     .n_bytes = n_bytes,
                     .advice =
                         "a shorter text, fewer beams or a smaller --max-new-tokens take less"};
    if (asked) effort.seconds = effort_pass(s->model, n_source, 0, false) + n_steps * step;
    return effort_allowed(&effort, &s->options->progress, error);
}

bool search_writes(const Model *model, Error *error) {
    StackId stack = model_has_stack(model, STACK_DECODER) ? STACK_DECODER : STACK_BLOCKS;
    return (model->config.head.kind == HEAD_LANGUAGE && model->output.weight.data &&
            model->config.stack[stack].causal) ||
           error_set(error, ERROR_UNSUPPORTED, "%s: this model (%s) does not write text",
                     model->path, model->config.model_type);
}

static bool edits_serve(const SearchTask *task, StackId stack, Error *error) {
    const Input *only = &task->inputs[0];
    bool two = stack == STACK_DECODER && task->n_inputs == 1 && !only->features.data;
    EditInput seen = {.model = task->model,
                      .n_source = two ? only->source.n : -1,
                      .n_target = -1,
                      .source_keep = two ? only->source_keep : NULL};
    return edits_fit(task->options->edits, &seen, error);
}

static bool read_sources(Search *s, const SearchTask *task, Error *error) {
    s->source = task->inputs[0].features.data
                    ? pack_features(&s->run, task->inputs, task->n_inputs)
                    : pack_sources(s->run.arena, task->inputs, task->n_inputs);
    s->memory.rows = &s->source;
    return forward_stack(&s->run, STACK_ENCODER, &s->source, NULL, NULL, &s->memory.hidden, error);
}

bool search_open(Search *s, const SearchTask *task, int n_rows, Error *error) {
    const Model *model = task->model;
    const GenerateOptions *options = task->options;
    *s = (Search){.model = model,
                  .options = options,
                  .stack = model_has_stack(model, STACK_DECODER) ? STACK_DECODER : STACK_BLOCKS,
                  .n_vocab = model->config.n_vocab};
    if (!search_writes(model, error)) return false;
    for (int i = 0; i < task->n_inputs; i++)
        if (!check_source(model, &task->inputs[i], error)) return false;
    if (!edits_serve(task, s->stack, error)) return false;
    s->run = (Run){.model = model,
                   .arena = arena_new(),
                   .edits = options->edits && options->edits->n ? options->edits : NULL,
                   .progress = {.cancel = options->progress.cancel},
                   .team = ops_team()};
    s->rules = (StepRules){.config = &model->config.generation,
                           .ignore_eos = options->ignore_eos,
                           .n_prompt = task->n_prompt};
    s->rules.max_length = length_limit(s, task);
    if (!check_effort(s, task, n_rows, error) ||
        (s->stack == STACK_DECODER && !read_sources(s, task, error))) {
        team_free(s->run.team);
        arena_free(s->run.arena);
        return false;
    }
    s->cache = cache_new(model, s->stack, n_rows);
    return true;
}

void search_close(Search *s) {
    cache_free(s->cache);
    team_free(s->run.team);
    arena_free(s->run.arena);
}

static TokenRows equal_rows(Arena *arena, const int32_t *ids, int n_rows, int n_new) {
    int32_t *begin = arena_alloc(arena, ((size_t)n_rows + 1) * sizeof *begin);
    for (int r = 0; r <= n_rows; r++)
        begin[r] = r * n_new;
    return (TokenRows){.n_rows = n_rows, .begin = begin, .ids = ids};
}

bool search_step(Search *s, const int32_t *ids, int n_rows, int n_new, Tensor *logits,
                 Error *error) {
    TokenRows rows = equal_rows(s->run.arena, ids, n_rows, n_new);
    Tensor hidden;
    if (!forward_stack(&s->run, s->stack, &rows, s->stack == STACK_DECODER ? &s->memory : NULL,
                       s->cache, &hidden, error))
        return false;
    Tensor last = tensor_new(s->run.arena, 2, n_rows, hidden.shape[1]);
    TokenRows one_each = equal_rows(s->run.arena, NULL, n_rows, 1);
    HookPoint at = {
        .query_begin = s->cache->length - 1, .row_begin = one_each.begin, .n_rows = n_rows};
    for (int r = 0; r < n_rows; r++)
        tensor_copy(tensor_slice(last, 0, r, r + 1),
                    tensor_slice(hidden, 0, (r + 1) * n_new - 1, (r + 1) * n_new));
    s->run.logits_at = &at;
    *logits = forward_logits(&s->run, s->stack, last);
    s->run.logits_at = NULL;
    return true;
}

void search_note(const Search *s, const float *logits, int32_t id, float *log_prob, int n_top,
                 Alternative *top) {
    float *scores = malloc((size_t)s->n_vocab * sizeof *scores);
    if (!scores) abort();
    logits_log_softmax(logits, s->n_vocab, scores);
    *log_prob = scores[id];
    for (int i = 0; i < n_top; i++) {
        int best = 0;
        for (int v = 1; v < s->n_vocab; v++)
            if (scores[v] > scores[best]) best = v;
        top[i] = (Alternative){best, scores[best]};
        scores[best] = -INFINITY;
    }
    free(scores);
}

bool search_score(Search *s, int input, int n_top, Arena *arena, Generation *out, Error *error) {
    int n = out->n - 1; /* the last id is written, not read */
    TokenRows rows = equal_rows(s->run.arena, out->ids, 1, n);
    Memory memory = s->memory;
    int32_t row_of[1] = {input};
    memory.row_of = row_of;
    Tensor hidden;
    if (!forward_stack(&s->run, s->stack, &rows, s->stack == STACK_DECODER ? &memory : NULL, NULL,
                       &hidden, error))
        return false;
    Tensor logits = forward_logits(&s->run, s->stack, hidden);
    int n_steps = out->n - out->n_prompt;
    n_top = n_top < s->n_vocab ? n_top : s->n_vocab;
    out->log_probs = arena_calloc(arena, (size_t)out->n, sizeof *out->log_probs);
    out->n_top = n_top;
    out->top = n_top ? arena_alloc(arena, (size_t)(n_steps * n_top) * sizeof *out->top) : NULL;
    for (int i = 0; i < n_steps; i++)
        search_note(s, logits.data + (int64_t)(out->n_prompt + i - 1) * s->n_vocab,
                    out->ids[out->n_prompt + i], &out->log_probs[out->n_prompt + i], n_top,
                    n_top ? out->top + i * n_top : NULL);
    return true;
}
