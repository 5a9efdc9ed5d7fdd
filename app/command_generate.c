/* generate: what a model writes, step by step. */
#include <string.h>

#include "app/commands.h"
#include "app/output.h"
#include "app/subject_options.h"

static const Option options[] = {
    {.name = "ignore-eos", .kind = OPTION_FLAG, .help = "go on behind the end-of-sentence token"},
    {.name = "prompt-ids",
     .kind = OPTION_TEXT,
     .argument = "N,N",
     .help = "ids that the decoder begins with (default: its start token)"},
    {.name = "top-k",
     .kind = OPTION_INTEGER,
     .argument = "N",
     .help = "also the N likeliest tokens of each step",
     .min = 1,
     .max = 1000},
    {.name = "output",
     .letter = 'o',
     .kind = OPTION_FILE,
     .argument = "TRACE",
     .help = "keep the trace of the forced pass over what was written"},
    {0}};

/* One token as readable text: what it adds to the sentence, else its name. */
static Str token_text(const Subject *subject, int32_t id, Arena *arena) {
    return subject_tokens(subject, &id, 1, true, arena).items[0].label;
}

static json_t *token_json(const Subject *subject, int32_t id, float log_prob, Arena *arena) {
    json_t *token = json_object();
    json_object_set_new(token, "id", json_integer(id));
    json_object_set_new(token, "text", output_text(token_text(subject, id, arena)));
    json_object_set_new(token, "log_prob", output_number((double)log_prob));
    return token;
}

static json_t *steps_json(const Subject *subject, const Generation *g, Arena *arena) {
    json_t *steps = json_array();
    for (int i = g->n_prompt; i < g->n; i++) {
        json_t *step = token_json(subject, g->ids[i], g->log_probs[i], arena);
        json_t *alternatives = json_array();
        const Alternative *top = g->top + (size_t)(i - g->n_prompt) * (size_t)g->n_top;
        for (int k = 0; k < g->n_top; k++)
            json_array_append_new(alternatives,
                                  token_json(subject, top[k].id, top[k].log_prob, arena));
        json_object_set_new(step, "alternatives", alternatives);
        json_array_append_new(steps, step);
    }
    return steps;
}

static void write_json(Output *out, const Subject *subject, const Generation *g, Arena *arena) {
    json_t *root = json_object(), *ids = json_array();
    for (int i = 0; i < g->n; i++)
        json_array_append_new(ids, json_integer(g->ids[i]));
    json_object_set_new(root, "ids", ids);
    json_object_set_new(root, "text", output_text(subject_decode(subject, g->ids, g->n, arena)));
    json_object_set_new(root, "score", output_number(g->score));
    if (g->n_top > 0) json_object_set_new(root, "steps", steps_json(subject, g, arena));
    output_json(out, root, false);
}

static void write_text(Output *out, const Subject *subject, const Generation *g, Arena *arena) {
    output_str(out, subject_decode(subject, g->ids, g->n, arena));
    output_puts(out, "\n");
    char number[32];
    for (int i = g->n_prompt; i < g->n && g->n_top > 0; i++) {
        output_str(out, token_text(subject, g->ids[i], arena));
        output_printf(out, "\t%s", number_text((double)g->log_probs[i], 5, number));
        const Alternative *top = g->top + (size_t)(i - g->n_prompt) * (size_t)g->n_top;
        for (int k = 0; k < g->n_top; k++) {
            output_puts(out, "\t");
            output_str(out, token_text(subject, top[k].id, arena));
            output_printf(out, " %s", number_text((double)top[k].log_prob, 5, number));
        }
        output_puts(out, "\n");
    }
}

/* The forced pass over what was written, with the same edits. */
static bool save_trace(const Subject *subject, const Input *input, const Generation *g,
                       const Edits *edits, const char *path, Arena *arena, Error *error) {
    Input forced;
    Family family = subject->model->config.family;
    if (family == FAMILY_DECODER) {
        forced = *input;
        forced.source = subject_tokens(subject, g->ids, g->n, true, arena);
        forced.source_keep = NULL;
        forced.positions = NULL;
    } else {
        forced = generation_input(input, g->ids, g->n, subject->tokenizer, arena);
    }
    Trace *trace = trace_run(
        subject->model, &forced,
        &(TraceOptions){.edits = edits, .searched = true, .progress = subject_progress()}, error);
    bool ok = trace && trace_save(trace, path, error);
    trace_release(trace);
    return ok;
}

static bool run_subject(const SubjectJob *job, Error *error) {
    const Subject *subject = job->subject;
    const Options *given = job->given;
    Arena *arena = job->arena;
    SubjectText what = subject_text_of(job);
    Input input;
    Generation g;
    GenerateOptions wanted = subject_search_of(job);
    wanted.ignore_eos = options_given(given, "ignore-eos");
    wanted.n_top = options_int(given, "top-k", 0);
    const char *prompt = options_text(given, "prompt-ids", NULL);
    if (prompt && !model_has_stack(subject->model, STACK_DECODER))
        return error_set(error, ERROR_USAGE,
                         "--prompt-ids: this model has no decoder of its own: it goes on with the "
                         "text");
    if (prompt) {
        wanted.prompt = subject_ids_of(prompt, "prompt-ids", subject->model->config.n_vocab, arena,
                                       &wanted.n_prompt, error);
        if (!wanted.prompt) return false;
    }
    if (!subject_read(subject, &what, arena, &input, error)) return false;
    if (!generate(subject->model, &input, &wanted, arena, &g, error)) return false;
    subject_note_late(job, &input, g.n - 1);
    if (subject->model->config.generation.samples)
        output_note("generation_config.json: do_sample: the likeliest continuation is written, "
                    "not a sample");
    const char *path = options_text(given, "output", NULL);
    if (path && !save_trace(subject, &input, &g, wanted.edits, path, arena, error)) return false;
    Output *out = output_open(NULL, error);
    if (options_given(given, "json"))
        write_json(out, subject, &g, arena);
    else
        write_text(out, subject, &g, arena);
    return output_close(out, error);
}

static bool run(const Options *given, Error *error) {
    if (options_given(given, "target-text"))
        return error_set(error, ERROR_USAGE,
                         "generate writes a target itself; a given one is looked at with "
                         "attnscope trace --target-text");
    return subject_check_given(given, error) && subject_job(given, run_subject, error);
}

const Command command_generate = {
    .name = "generate",
    .title = "let a model write: greedy or beam search",
    .about = "Encoder-decoders translate, decoder-only models go on with the text. --json prints "
             "{\"ids\": [...], \"text\": ..., \"score\": ...}, with --top-k also the steps with "
             "their alternatives. The score is the sum of the log-probabilities; that of a beam is "
             "divided by its length to the power of the model's length_penalty.",
    .examples =
        "attnscope generate --text 'She loves cats.' --to fra --top-k 5\n"
        "attnscope generate --text 'She loves cats.' --to fin --beam 4 --json\n"
        "attnscope generate --model gpt2 --text 'The cat' --max-new-tokens 20 -o cat.safetensors\n",
    .options = {.groups = {options_model, options_input, options_search, options, options_json,
                           options_edits}},
    .run = run,
};
