/* score: how likely a model finds a given target: log-probability of each token and in all. */
#include <stdlib.h>

#include "app/commands.h"
#include "app/lines.h"
#include "app/output.h"
#include "app/parallel.h"
#include "app/subject_options.h"

static const Option options[] = {
    {.name = "source", .kind = OPTION_FILE, .argument = "FILE", .help = "lines that are read"},
    {.name = "target",
     .kind = OPTION_FILE,
     .argument = "FILE",
     .help = "as many lines that the decoder is made to write"},
    {.name = "text",
     .kind = OPTION_TEXT,
     .argument = "TEXT",
     .help = "one sentence in place of --source"},
    {.name = "target-text",
     .kind = OPTION_TEXT,
     .argument = "TEXT",
     .help = "one sentence in place of --target"},
    {0}};

enum { MOST_LINES = 256 };

typedef struct Pair {
    Str source, target;
    Arena *arena;
    int n;              /* tokens scored */
    const Token *items; // [n] what each step wrote
    float *log_probs;   // [n]
    Error failure;
} Pair;

typedef struct Work {
    const Subject *subject;
    SubjectText what;
    const Edits *edits;
    bool json;
    Pair pairs[MOST_LINES];
} Work;

static void score_pair(void *context, int index) {
    Work *work = context;
    Pair *pair = &work->pairs[index];
    Input input;
    if (subject_is_blank(pair->source) && subject_is_blank(pair->target)) return;
    pair->arena = arena_new();
    if (!subject_read_line(work->subject, pair->source, pair->target, &work->what, "text",
                           pair->arena, &input, &pair->failure))
        return;
    int n = input.target.n;
    int32_t *ids = arena_alloc(pair->arena, ((size_t)n + 1) * sizeof *ids);
    ids[0] = input.target.items[0].id;
    for (int i = 0; i < n; i++)
        ids[i + 1] = input.next[i];
    pair->log_probs = arena_alloc(pair->arena, (size_t)n * sizeof *pair->log_probs);
    pair->items = subject_tokens(work->subject, ids + 1, n, true, pair->arena).items;
    if (score_target(work->subject->model, &input, ids, n + 1, work->edits, pair->log_probs,
                     &pair->failure))
        pair->n = n;
}

static double sum_of(const Pair *pair) {
    double sum = 0;
    for (int i = 0; i < pair->n; i++)
        sum += (double)pair->log_probs[i];
    return sum;
}

static void write_json(Output *out, const Pair *pair) {
    json_t *root = json_object(), *tokens = json_array();
    for (int i = 0; i < pair->n; i++) {
        json_t *token = json_object();
        json_object_set_new(token, "id", json_integer(pair->items[i].id));
        json_object_set_new(token, "text", output_text(pair->items[i].label));
        json_object_set_new(token, "log_prob", output_number((double)pair->log_probs[i]));
        json_array_append_new(tokens, token);
    }
    json_object_set_new(root, "log_prob", output_number(sum_of(pair)));
    json_object_set_new(root, "tokens", tokens);
    output_json(out, root, false);
}

static void write_text(Output *out, const Pair *pair) {
    char number[32];
    output_puts(out, number_text(sum_of(pair), 6, number));
    for (int i = 0; i < pair->n; i++) {
        output_puts(out, "\t");
        output_str(out, pair->items[i].label);
        output_printf(out, " %s", number_text((double)pair->log_probs[i], 5, number));
    }
    output_puts(out, "\n");
}

/* Returns how many failed. */
static int score_pairs(Work *work, int n, int first, Output *out) {
    int n_failed = 0;
    parallel_for(n, score_pair, work);
    for (int i = 0; i < n; i++) {
        Pair *pair = &work->pairs[i];
        if (pair->n > 0 && work->json)
            write_json(out, pair);
        else if (pair->n > 0)
            write_text(out, pair);
        else
            output_puts(out, "\n");
        if (pair->failure.kind != ERROR_NONE) {
            output_note("line %d: %s", first + i, pair->failure.message);
            n_failed++;
        }
        arena_free(pair->arena);
    }
    output_flush(out);
    return n_failed;
}

/* As many lines of both files as one step takes; 0 at the end of both. */
static int next_pairs(Work *work, LineReader *source, LineReader *target, int n_done,
                      Error *error) {
    Str sources[MOST_LINES], targets[MOST_LINES];
    int n = lines_next(source, MOST_LINES, sources, error);
    int m = error_ok(error) ? lines_next(target, n > 0 ? n : 1, targets, error) : 0;
    if (!error_ok(error)) return 0;
    if (m != n) {
        error_set(error, ERROR_INPUT,
                  "the %s ends after %d lines, the other goes on: as many lines "
                  "in both are expected",
                  m < n ? "target" : "source", n_done + (m < n ? m : n));
        return 0;
    }
    for (int i = 0; i < n; i++)
        work->pairs[i] = (Pair){.source = sources[i], .target = targets[i]};
    return n;
}

static bool run_files(Work *work, const Options *given, Output *out, Error *error) {
    LineReader *source = lines_open(options_text(given, "source", NULL), error);
    LineReader *target = source ? lines_open(options_text(given, "target", NULL), error) : NULL;
    int n_done = 0, n_failed = 0;
    if (target) lines_wait(target);
    for (int n; target && !output_failed(out) &&
                (n = next_pairs(work, source, target, n_done, error)) > 0;) {
        n_failed += score_pairs(work, n, n_done + 1, out);
        n_done += n;
        output_progress("%d lines scored", n_done);
    }
    output_progress_end();
    lines_close(source);
    lines_close(target);
    return error_ok(error) &&
           (n_failed == 0 ||
            error_set(error, ERROR_INPUT, "%d of %d lines failed", n_failed, n_done));
}

static bool run_texts(Work *work, const Options *given, Output *out, Error *error) {
    Pair *pair = &work->pairs[0];
    *pair = (Pair){.source = str(options_text(given, "text", "")),
                   .target = str(options_text(given, "target-text", ""))};
    if (pair->source.n == 0 || pair->target.n == 0)
        return error_set(error, ERROR_INPUT, "%s: is empty, a sentence is expected",
                         pair->source.n == 0 ? "--text" : "--target-text");
    score_pair(work, 0);
    bool ok = pair->n > 0 || error_set(error, pair->failure.kind, "%s", pair->failure.message);
    if (ok && work->json)
        write_json(out, pair);
    else if (ok)
        write_text(out, pair);
    arena_free(pair->arena);
    return ok;
}

static bool run_subject(const SubjectJob *job, Error *error) {
    const Subject *subject = job->subject;
    const Options *given = job->given;
    Family family = subject->model->config.family;
    if (family != FAMILY_ENCODER_DECODER && family != FAMILY_RECURRENT)
        return error_set(error, ERROR_INPUT,
                         "%s: a model of kind %s has no target side; score wants a translator",
                         subject->path, subject->model->config.model_type);
    Output *out = output_open(options_text(given, "output", NULL), error);
    if (!out) return false;
    Work *work = calloc(1, sizeof *work);
    work->subject = subject;
    work->what = subject_languages_of(job);
    work->edits = job->edits;
    work->json = options_given(given, "json");
    bool ok = options_given(given, "text") ? run_texts(work, given, out, error)
                                           : run_files(work, given, out, error);
    ok = output_close(out, error) && ok;
    free(work);
    return ok;
}

static bool run(const Options *given, Error *error) {
    bool texts = options_given(given, "text") && options_given(given, "target-text");
    bool files = options_given(given, "source") && options_given(given, "target");
    if (texts == files)
        return error_set(error, ERROR_USAGE,
                         "what is scored? --source FILE --target FILE, or --text TEXT "
                         "--target-text TEXT. See attnscope score --help");
    return subject_job(given, run_subject, error);
}

const Command command_score = {
    .name = "score",
    .title = "log-probability of given translations",
    .about = "One line a pair: the sum, then each token that is written with its log-probability, "
             "tabs between; with --json {\"log_prob\": ..., \"tokens\": [...]}.",
    .examples =
        "attnscope score --source english.txt --target french.txt --to fra\n"
        "attnscope score --text 'She loves cats.' --target-text 'Elle aime les chats.' --to fra\n",
    .options = {.groups = {options_model, options, options_language, options_json, options_edits,
                           options_output}},
    .run = run,
};
