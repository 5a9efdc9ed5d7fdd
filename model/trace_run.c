/* One pass with everything that is asked for: capture, edits, gradients. */
#include "model/trace.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/capture.h"
#include "model/effort.h"
#include "model/forward.h"
#include "model/front.h"
#include "model/ops.h"
#include "model/trace_inside.h"

/* Patterns larger than this all together are kept as recipes without being asked for. */
static const int64_t most_stored_bytes = (int64_t)1 << 30;

/* ---- checks ---- */

static bool check_tokens(const Model *model, StackId stack, Tokens tokens, const int32_t *positions,
                         const int32_t *types, Error *error) {
    const StackConfig *c = &model->config.stack[stack];
    int64_t n_vocab = model->stack[stack].embed.rows, n_types = model->stack[stack].types.rows;
    if (n_vocab == 0)
        return error_set(error, ERROR_INPUT, "this model (%s) reads no text",
                         model->config.model_type);
    if (tokens.n == 0)
        return error_set(error, ERROR_INPUT, "there is nothing to read: the text is empty");
    if (c->n_positions && tokens.n > c->n_positions && !positions)
        return error_set(error, ERROR_INPUT,
                         "%d tokens, but this model reads at most %d; shorten "
                         "the text",
                         tokens.n, c->n_positions);
    /* rows of the table where padding has one of its own */
    int n_rows = c->n_positions + (c->pad_positions_id >= 0 ? c->position_offset : 0);
    for (int i = 0; i < tokens.n; i++) {
        int32_t id = tokens.items[i].id;
        if (id < 0 || id >= n_vocab)
            return error_set(error, ERROR_INPUT, "token %d has id %d, but the ids are 0 to %lld", i,
                             id, (long long)n_vocab - 1);
        if (types && n_types && (types[i] < 0 || types[i] >= n_types))
            return error_set(error, ERROR_INPUT, "token type %d, but the types are 0 to %lld",
                             types[i], (long long)n_types - 1);
        if (positions && c->n_positions && (positions[i] < 0 || positions[i] >= n_rows))
            return error_set(error, ERROR_INPUT, "position id %d, but the positions are 0 to %d",
                             positions[i], n_rows - 1);
    }
    return true;
}

/* Tokens up to the last end of sentence; 0: there is none. */
static int n_to_last_end(const Model *model, Tokens tokens) {
    const GenerationConfig *c = &model->config.generation;
    for (int n = tokens.n; n > 0; n--)
        for (int i = 0; i < c->n_eos; i++)
            if (tokens.items[n - 1].id == c->eos_ids[i]) return n;
    return 0;
}

/* The source one place to the right behind the start token (shift_tokens_right). */
static Tokens shifted(const Model *model, Tokens source, Arena *arena) {
    int32_t start = model->config.generation.start_id;
    Token *items = arena_calloc(arena, (size_t)source.n + 1, sizeof *items);
    for (int i = 1; i < source.n; i++) {
        items[i] = source.items[i - 1];
        items[i].begin = items[i].end = -1; /* of the source's text, not of the target's */
    }
    const char *label = arena_printf(arena, "%d", (int)start);
    items[0] = (Token){.id = start, .label = str(label), .begin = -1, .end = -1, .special = true};
    for (int i = 0; i < source.n; i++) /* as the vocabulary calls it, where the text has it */
        if (source.items[i].id == start) items[0].label = source.items[i].label;
    return (Tokens){.n = source.n, .items = items, .text = {"", 0}};
}

static bool check_input(const Model *model, const Input *input, Error *error) {
    bool two = model_has_stack(model, STACK_ENCODER);
    if (input->features.data ? !front_check(model, input->features, error)
                             : !check_tokens(model, model_first_stack(model), input->source,
                                             input->positions, input->types, error))
        return false;
    if (!two) return true;
    if (input->target.n == 0)
        return error_set(error, ERROR_INPUT, "the decoder has nothing to read: a target is needed");
    if (model->config.head.pick == PICK_LAST_END && n_to_last_end(model, input->source) == 0)
        return error_set(error, ERROR_INPUT,
                         "this classifier reads its answer at the end of the sentence (id %d), and "
                         "the input has none",
                         model->config.generation.eos_ids[0]);
    if (model->config.head.pick == PICK_LAST_END &&
        n_to_last_end(model, input->source) > input->target.n)
        return error_set(error, ERROR_INPUT,
                         "the decoder of a classifier reads what the encoder reads: %d tokens, not "
                         "%d",
                         input->source.n, input->target.n);
    return check_tokens(model, STACK_DECODER, input->target, NULL, NULL, error);
}

/* ---- the pass ---- */

static TokenRows one_row(Arena *arena, Tokens tokens, const uint8_t *keep) {
    int32_t *ids = arena_alloc(arena, (size_t)tokens.n * sizeof *ids);
    int32_t *begin = arena_calloc(arena, 2, sizeof *begin);
    for (int i = 0; i < tokens.n; i++)
        ids[i] = tokens.items[i].id;
    begin[1] = tokens.n;
    return (TokenRows){.n_rows = 1, .begin = begin, .ids = ids, .keep = keep};
}

/* Tokens up to the last that is no padding, by the mask or by the pad's id. */
static int n_before_padding(const Model *model, const Input *input) {
    int n = input->source.n, pad = model->config.generation.pad_id;
    const uint8_t *keep = input->source_keep;
    while (n > 1 && (keep ? !keep[n - 1] : input->source.items[n - 1].id == pad))
        n--;
    return n;
}

static bool pass(Run *run, const Input *input, Tensor *logits, Error *error) {
    const Model *model = run->model;
    TokenRows source = one_row(run->arena, input->source, input->source_keep);
    source.positions = input->positions;
    source.types = input->types;
    if (input->features.data) {
        source.embedded = front_embed(run, input->features);
        source.ids = NULL;
    }
    Tensor hidden;
    StackId last = model_first_stack(model);
    if (!forward_stack(run, last, &source, NULL, NULL, &hidden, error)) return false;
    if (last == STACK_ENCODER) {
        TokenRows target = one_row(run->arena, input->target, input->target_keep);
        Memory memory = {.hidden = hidden, .rows = &source};
        last = STACK_DECODER;
        if (!forward_stack(run, last, &target, &memory, NULL, &hidden, error)) return false;
    }
    if (model->config.head.pick == PICK_LAST)
        hidden = tensor_slice(hidden, 0, 0, n_before_padding(model, input));
    if (model->config.head.pick == PICK_LAST_END)
        hidden = tensor_slice(hidden, 0, 0, n_to_last_end(model, input->source));
    *logits = forward_logits(run, last, hidden);
    return true;
}

static int64_t pattern_bytes(const Model *model, const Input *input) {
    int64_t total = 0, n = input->source.n, m = input->target.n;
    const StackConfig *first = &model->config.stack[model_first_stack(model)];
    const StackConfig *decoder = &model->config.stack[STACK_DECODER];
    total += 4 * n * n * first->n_heads * first->n_layers;
    if (model_has_stack(model, STACK_ENCODER))
        total += 4 * m * (m + n) * decoder->n_heads * decoder->n_layers;
    return total;
}

/* What the pass will hold at its widest, roughly: what is kept of each layer, the scratch of one,
 * logits twice; with a tape everything, and its gradient. */
static int64_t pass_bytes(const Model *model, const Input *input, const TraceOptions *options) {
    const StackId stacks[] = {model_first_stack(model), STACK_DECODER};
    int64_t n_tokens[] = {input->source.n, input->target.n}, total = 0;
    int64_t patterns = pattern_bytes(model, input), d = model->config.d_model;
    bool all = options->sites || options->grad;
    for (int i = 0; i < 2; i++) {
        const StackConfig *c = &model->config.stack[stacks[i]];
        int64_t kept = all ? 16 * d + 3 * (int64_t)c->d_ff : d, scratch = 16 * d + 3 * c->d_ff;
        total += 4 * n_tokens[i] * (kept * c->n_layers + scratch);
    }
    int64_t n_last = n_tokens[model_has_stack(model, STACK_DECODER) ? 1 : 0];
    total += 8 * n_last * (model->output.weight.data ? model->output.weight.rows : 0);
    bool stored = options->grad || (!options->lazy_patterns && patterns <= most_stored_bytes);
    if (stored) total += all ? 2 * patterns : patterns;
    return options->grad ? 2 * total + 3 * patterns : total;
}

static bool check_effort(const Model *model, const Input *input, const TraceOptions *options,
                         Error *error) {
    char what[64];
    snprintf(what, sizeof what, "a pass over %d tokens", input->source.n + input->target.n);
    Effort effort = {.what = what,
                     .n_bytes = pass_bytes(model, input, options),
                     .advice = "a shorter text or fewer --sites take less"};
    if (effort_asked(effort.n_bytes, &options->progress))
        effort.seconds = effort_pass(model, input->source.n, input->target.n, options->grad);
    return effort_allowed(&effort, &options->progress, error);
}

/* ---- gradients ---- */

/* What each position should have written, -1 for none: the decoder's next tokens, or the text
 * shifted by one without its padding. */
static int32_t *targets_of(Arena *arena, const Model *model, const Input *input, int64_t n) {
    int32_t *targets = arena_alloc(arena, (size_t)n * sizeof *targets);
    bool two = model_has_stack(model, STACK_ENCODER);
    Tokens text = two ? input->target : input->source;
    const uint8_t *keep = two ? input->target_keep : input->source_keep;
    for (int64_t i = 0; i < n; i++) {
        targets[i] = -1;
        if (two && input->next)
            targets[i] = input->next[i];
        else if (i + 1 < text.n && (!keep || (keep[i] && keep[i + 1])))
            targets[i] = text.items[i + 1].id;
    }
    return targets;
}

/* The id that TOKEN means: a number, or the label of a token that is there. */
static int64_t token_of(const Input *input, Str name) {
    long long id;
    if (integer_parse(name, &id)) return id;
    const Tokens *sides[] = {&input->target, &input->source};
    for (int s = 0; s < 2; s++)
        for (int i = 0; i < sides[s]->n; i++)
            if (str_eq(sides[s]->items[i].label, name)) return sides[s]->items[i].id;
    return -1;
}

/* Seeds the gradient: of the loss, or of one logit ("logit:TOKEN@POS"). */
static bool seed_gradient(Run *run, const Input *input, const char *grad, Tensor logits,
                          Error *error) {
    if (!logits.data)
        return error_set(error, ERROR_UNSUPPORTED, "--grad: this model has no output head");
    int64_t n_classes = logits.shape[logits.rank - 1],
            n_rows = logits.rank > 1 ? logits.shape[0] : 1;
    bool writes = run->model->config.head.kind == HEAD_LANGUAGE;
    if (strcmp(grad, "loss") == 0 && !writes)
        return error_set(error, ERROR_UNSUPPORTED,
                         "--grad loss: this model does not say a next token; logit:CLASS@0 goes");
    if (strcmp(grad, "loss") == 0) {
        int32_t *targets = targets_of(run->arena, run->model, input, logits.shape[0]);
        for (int64_t i = 0; i < logits.shape[0]; i++)
            if (targets[i] >= logits.shape[1])
                return error_set(error, ERROR_INPUT,
                                 "--grad loss: position %lld is to write id %d, but the logits are "
                                 "those of 0 to %lld",
                                 (long long)i, targets[i], (long long)logits.shape[1] - 1);
        Tensor loss = op_cross_entropy(run, logits, targets, 0, NULL);
        loss.grad[0] = 1;
        return true;
    }
    const char *at = strrchr(grad, '@');
    long long position;
    if (strncmp(grad, "logit:", 6) != 0 || !at || !integer_parse(str(at + 1), &position))
        return error_set(error, ERROR_INPUT,
                         "--grad %.60s: 'loss' or 'logit:TOKEN@POSITION' "
                         "expected",
                         grad);
    int64_t id = token_of(input, (Str){grad + 6, (size_t)(at - grad) - 6});
    if (id < 0 || id >= n_classes)
        return error_set(error, ERROR_INPUT,
                         "--grad %.60s: no such token; give a label of this "
                         "input or an id below %lld",
                         grad, (long long)n_classes);
    if (position < 0) position += n_rows;
    if (position < 0 || position >= n_rows)
        return error_set(error, ERROR_INPUT, "--grad %.60s: the positions are 0 to %lld", grad,
                         (long long)n_rows - 1);
    logits.grad[position * n_classes + id] = 1;
    return true;
}

/* grad.SITE for every site that was kept. */
static void keep_gradients(Trace *trace) {
    int n = trace->n_entries;
    Tensor *lives = malloc(((size_t)n + 1) * sizeof *lives);
    const char **names = malloc(((size_t)n + 1) * sizeof *names);
    if (!lives || !names) abort();
    for (int i = 0; i < n; i++) { /* trace_put moves the entries */
        lives[i] = trace->entries[i].live;
        names[i] = trace->entries[i].name;
    }
    for (int i = 0; i < n; i++) {
        if (!lives[i].grad) continue;
        Tensor g = lives[i];
        g.data = g.grad;
        g.grad = NULL;
        trace_put(trace, arena_printf(trace->arena, "grad.%s", names[i]),
                  tensor_clone(trace->arena, g));
    }
    free(lives);
    free(names);
}

/* ---- all together ---- */

static Trace *trace_of(const Model *model, const Input *input) {
    Trace *trace = trace_new(arena_new(), input->source, input->target, input->next);
    trace->model_name = arena_strdup(trace->arena, model->path);
    if (input->next_tokens)
        trace->next_tokens =
            trace_copy_tokens(trace, (Tokens){.n = input->target.n,
                                              .items = (Token *)(uintptr_t)input->next_tokens})
                .items;
    /* What was looked at or heard, under Hugging Face's names, so that it can be drawn again. */
    if (input->features.data)
        trace_put(trace, input->features.rank == 3 ? "pixel_values" : "input_features",
                  tensor_clone(trace->arena, input->features));
    return trace;
}

static bool check(const Model *model, const Input *input, const TraceOptions *options,
                  Error *error) {
    if (!check_input(model, input, error)) return false;
    int n_source = input->features.data ? front_n_tokens(model) : input->source.n;
    EditInput seen = {.model = model,
                      .n_source = n_source,
                      .n_target = input->target.n,
                      .source_keep = input->source_keep,
                      .target_keep = input->target_keep};
    return options->searched || edits_fit(options->edits, &seen, error);
}

/* What is read, complete: the decoder of a classifier reads the source, pictures and sound have
 * tokens. */
static bool complete(const Model *model, Input *input, const TraceOptions *options, Arena *arena,
                     Error *error) {
    if (model_reads_source_twice(model) && input->target.n == 0)
        input->target = shifted(model, input->source, arena);
    if (!check(model, input, options, error)) return false;
    if (input->features.data) input->source = front_tokens(model, arena);
    return check_effort(model, input, options, error);
}

Trace *trace_run(const Model *model, const Input *input, const TraceOptions *options,
                 Error *error) {
    static const TraceOptions nothing;
    if (!options) options = &nothing;
    Arena *labels = arena_new();
    Input seen = *input;
    input = &seen;
    if (!complete(model, &seen, options, labels, error)) {
        arena_free(labels);
        return NULL;
    }
    Trace *trace = trace_of(model, input);
    arena_free(labels);
    seen.source.items = trace_source(trace).items;
    seen.target.items = trace_target(trace).items;
    Capture capture = {.sites = options->sites,
                       .lazy = options->lazy_patterns ||
                               pattern_bytes(model, input) > most_stored_bytes,
                       .trace = trace};
    Run run = {.model = model,
               .arena = arena_new(),
               .capture = &capture,
               .edits = options->edits && options->edits->n ? options->edits : NULL,
               .progress = options->progress,
               .team = options->grad ? NULL : ops_team()};
    if (options->grad) run.tape = tape_new(run.arena);
    Tensor logits;
    bool ok = pass(&run, input, &logits, error);
    if (ok && options->grad) {
        ok = seed_gradient(&run, input, options->grad, logits, error);
        if (ok) tape_backward(run.tape);
        if (ok) keep_gradients(trace);
    }
    team_free(run.team);
    arena_free(run.arena);
    if (ok) return trace;
    trace_release(trace);
    return NULL;
}
