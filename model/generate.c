/* Greedy search, what a continuation begins with, and scores of a given target. */
#include "model/generate.h"

#include <math.h>
#include <string.h>

#include "model/begin.h"
#include "model/ops.h"
#include "model/search.h"

/* ---- greedy ---- */

typedef struct Greedy {
    Search search;
    Arena *arena;    /* of the answer */
    Generation *out; // [n_inputs]
    int n_live;
    int32_t *input_of; // [n_live] which input a row writes for
    int n_top;
} Greedy;

static void begin_generation(Greedy *g, int i, const int32_t *prompt, int n_prompt) {
    size_t most = (size_t)g->search.rules.max_length + 1;
    Generation *out = &g->out[i];
    *out = (Generation){.n = n_prompt, .n_prompt = n_prompt, .n_top = g->n_top};
    out->ids = arena_alloc(g->arena, (most + (size_t)n_prompt) * sizeof *out->ids);
    out->log_probs = arena_calloc(g->arena, most + (size_t)n_prompt, sizeof *out->log_probs);
    if (g->n_top) out->top = arena_alloc(g->arena, most * (size_t)g->n_top * sizeof *out->top);
    memcpy(out->ids, prompt, (size_t)n_prompt * sizeof *prompt);
}

/* Writes the best id of a row; true when the row goes on. */
static bool extend(Greedy *g, int row, float *logits) {
    Search *s = &g->search;
    Generation *out = &g->out[g->input_of[row]];
    float *scores = arena_alloc(s->run.arena, (size_t)s->n_vocab * sizeof *scores);
    memcpy(scores, logits, (size_t)s->n_vocab * sizeof *scores);
    logits_process(&s->rules, out->ids, out->n, scores, s->n_vocab);
    int best = 0;
    for (int v = 1; v < s->n_vocab; v++)
        if (scores[v] > scores[best]) best = v;
    int at = out->n++;
    out->ids[at] = best;
    search_note(s, logits, best, &out->log_probs[at], g->n_top,
                g->n_top ? out->top + (at - out->n_prompt) * g->n_top : NULL);
    out->score += out->log_probs[at];
    return !logits_is_end(&s->rules, best) && out->n < s->rules.max_length;
}

static bool greedy_steps(Greedy *g, const int32_t *prompt, int n_prompt,
                         const GenerateOptions *options, Error *error) {
    Search *s = &g->search;
    Arena *arena = s->run.arena;
    int n_rows = g->n_live, n_new = n_prompt;
    int32_t *ids = arena_alloc(arena, (size_t)(n_rows * n_prompt) * sizeof *ids);
    int32_t *keep = arena_alloc(arena, (size_t)n_rows * sizeof *keep);
    for (int r = 0; r < n_rows; r++)
        memcpy(ids + r * n_prompt, prompt, (size_t)n_prompt * sizeof *ids);
    s->memory.row_of = g->input_of;
    ArenaMark mark = arena_mark(arena);
    for (int length = n_prompt; g->n_live > 0 && length < s->rules.max_length; length++) {
        Tensor logits;
        if (!search_step(s, ids, g->n_live, n_new, &logits, error)) return false;
        int live = 0;
        for (int r = 0; r < g->n_live; r++)
            if (extend(g, r, logits.data + (int64_t)r * s->n_vocab)) keep[live++] = r;
        cache_reorder(s->cache, keep, live);
        for (int r = 0; r < live; r++) {
            g->input_of[r] = g->input_of[keep[r]];
            const Generation *out = &g->out[g->input_of[r]];
            ids[r] = out->ids[out->n - 1];
        }
        g->n_live = live;
        n_new = 1;
        arena_reset(arena, mark);
        if (options->progress.report)
            options->progress.report(options->progress.context,
                                     (double)length / s->rules.max_length);
    }
    return true;
}

static bool greedy(const SearchTask *task, Arena *arena, Generation *out, Error *error) {
    int n_inputs = task->n_inputs;
    Greedy g = {.arena = arena, .out = out, .n_live = n_inputs, .n_top = task->options->n_top};
    if (!search_open(&g.search, task, n_inputs, error)) return false;
    g.n_top = g.n_top < g.search.n_vocab ? g.n_top : g.search.n_vocab;
    g.input_of = arena_alloc(g.search.run.arena, (size_t)n_inputs * sizeof *g.input_of);
    for (int i = 0; i < n_inputs; i++) {
        g.input_of[i] = i;
        begin_generation(&g, i, task->prompt, task->n_prompt);
    }
    bool ok = greedy_steps(&g, task->prompt, task->n_prompt, task->options, error);
    search_close(&g.search);
    return ok;
}

/* ---- what a continuation begins with ---- */

static bool prompt_of(const Model *model, const Input *input, const GenerateOptions *options,
                      Arena *arena, const int32_t **ids, int *n, Error *error) {
    if (model_has_stack(model, STACK_DECODER)) {
        *ids = options->prompt;
        *n = options->n_prompt;
        if (*n > 0) return true;
        *ids = input->begin;
        *n = input->n_begin;
        if (*n > 0) return true;
        if (!begin_ids(model, input, options->edits, arena, ids, n, error)) return false;
        if (*n > 0) return true;
        *ids = &model->config.generation.start_id;
        *n = 1;
        if (**ids >= 0) return true;
        return error_set(error, ERROR_INPUT, "%s: config.json has no decoder_start_token_id",
                         model->path);
    }
    int32_t *own = arena_alloc(arena, ((size_t)input->source.n + 1) * sizeof *own);
    *n = 0;
    for (int i = 0; i < input->source.n; i++) /* padding in front is no part of the text */
        if (!input->source_keep || input->source_keep[i]) own[(*n)++] = input->source.items[i].id;
    *ids = own;
    return *n > 0 || error_set(error, ERROR_INPUT, "there is nothing to read: the text is empty");
}

static StackId writer_of(const Model *model) {
    return model_has_stack(model, STACK_DECODER) ? STACK_DECODER : STACK_BLOCKS;
}

static bool check_prompt(const Model *model, const int32_t *ids, int n, Error *error) {
    const Weight *embed = &model->stack[writer_of(model)].embed;
    for (int i = 0; embed->data && i < n; i++)
        if (ids[i] < 0 || ids[i] >= embed->rows)
            return error_set(error, ERROR_INPUT, "prompt id %d: the ids are 0 to %lld", ids[i],
                             (long long)embed->rows - 1);
    return true;
}

/* What stands before the first written token; false where this model cannot go on from there. */
static bool prepare(const Model *model, const Input *input, const GenerateOptions *options,
                    Arena *arena, const int32_t **prompt, int *n, Error *error) {
    const StackConfig *c = &model->config.stack[writer_of(model)];
    if (!search_writes(model, error)) return false;
    if (model->config.generation.not_computed)
        return error_set(error, ERROR_UNSUPPORTED,
                         "%s: generation_config.json sets %s, a way to search that is not "
                         "computed here",
                         model->path, model->config.generation.not_computed);
    if (model->config.generation.n_forced && model->config.front.kind != FRONT_SOUND)
        return error_set(error, ERROR_UNSUPPORTED,
                         "%s: forced_decoder_ids are computed for Whisper alone", model->path);
    if (!prompt_of(model, input, options, arena, prompt, n, error) ||
        !check_prompt(model, *prompt, *n, error))
        return false;
    if (c->n_positions == 0 || *n < c->n_positions) return true;
    return error_set(error, ERROR_INPUT,
                     "%d tokens to begin with, but this model has %d positions: there is no room "
                     "for more",
                     *n, c->n_positions);
}

int generate_n_beams(const Model *model, const GenerateOptions *options) {
    int n = options->n_beams > 0 ? options->n_beams : model->config.generation.n_beams;
    return n > 1 ? n : 1;
}

bool generate_batch(const Model *model, const Input *inputs, int n_inputs,
                    const GenerateOptions *options, Arena *arena, Generation *out, Error *error) {
    SearchTask task = {.model = model, .inputs = inputs, .n_inputs = n_inputs, .options = options};
    if (n_inputs == 0) return true;
    if (!prepare(model, &inputs[0], options, arena, &task.prompt, &task.n_prompt, error))
        return false;
    int n_beams = generate_n_beams(model, options);
    return n_beams > 1 ? beam_search(&task, n_beams, arena, out, error)
                       : greedy(&task, arena, out, error);
}

bool generate(const Model *model, const Input *input, const GenerateOptions *options, Arena *arena,
              Generation *out, Error *error) {
    return generate_batch(model, input, 1, options, arena, out, error);
}

/* ---- given targets ---- */

static Token token_of(const Tokenizer *tokenizer, int32_t id, Arena *arena) {
    Str label = {0};
    if (tokenizer) label = tokenizer_label(tokenizer, id, true);
    if (!label.data) label = str(arena_printf(arena, "%d", id));
    return (Token){
        .id = id, .label = label, .special = tokenizer && tokenizer_is_special(tokenizer, id)};
}

static int64_t common_prefix(Str a, Str b) {
    size_t n = a.n < b.n ? a.n : b.n, i = 0;
    while (i < n && a.data[i] == b.data[i])
        i++;
    return (int64_t)i;
}

/* Which bytes of the text each token stands for: what the text gains by it. A token that ends in
 * the middle of a character gains none; the character is the next one's. */
static Str place_tokens(Token *tokens, const int32_t *ids, int n, const Tokenizer *tokenizer,
                        Arena *arena) {
    const DecodeOptions options = {.skip_special = true, .target = true};
    Str text = tokenizer_decode(tokenizer, ids, n, &options, arena);
    int64_t begin = 0;
    for (int i = 0; i < n; i++) {
        ArenaMark mark = arena_mark(arena);
        int64_t end = common_prefix(tokenizer_decode(tokenizer, ids, i + 1, &options, arena), text);
        arena_reset(arena, mark);
        if (end <= begin) continue;
        tokens[i].begin = begin;
        tokens[i].end = begin = end;
    }
    return text;
}

Input generation_input(const Input *input, const int32_t *ids, int n, const Tokenizer *tokenizer,
                       Arena *arena) {
    Input out = *input;
    Token *tokens = arena_alloc(arena, (size_t)n * sizeof *tokens);
    int32_t *next = arena_alloc(arena, (size_t)n * sizeof *next);
    for (int i = 0; i < n; i++)
        tokens[i] = token_of(tokenizer, ids[i], arena);
    if (n > 1) memcpy(next, ids + 1, (size_t)(n - 1) * sizeof *next);
    out.target = (Tokens){.n = n - 1, .items = tokens};
    if (tokenizer) out.target.text = place_tokens(tokens, ids, n, tokenizer, arena);
    out.next = next;
    out.next_tokens = tokens + 1;
    return out;
}

bool score_target(const Model *model, const Input *input, const int32_t *ids, int n,
                  const Edits *edits, float *out, Error *error) {
    Search search;
    GenerateOptions options = {.edits = edits, .max_new_tokens = n};
    const StackConfig *c = &model->config.stack[writer_of(model)];
    if (n < 2) return true;
    if (!check_prompt(model, ids, n, error)) return false;
    if (c->n_positions && n - 1 > c->n_positions)
        return error_set(error, ERROR_INPUT, "%d target tokens, but this model writes at most %d",
                         n - 1, c->n_positions);
    SearchTask task = {
        .model = model, .inputs = input, .n_inputs = 1, .n_prompt = 1, .options = &options};
    if (!search_open(&search, &task, 1, error)) return false;
    Arena *arena = arena_new();
    Generation g = {.n = n, .ids = (int32_t *)(uintptr_t)ids, .n_prompt = 1};
    bool ok = search_score(&search, 0, 0, arena, &g, error);
    if (ok) memcpy(out, g.log_probs + 1, (size_t)(n - 1) * sizeof *out);
    arena_free(arena);
    search_close(&search);
    return ok;
}
