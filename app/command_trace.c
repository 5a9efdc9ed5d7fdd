/* trace: one forward pass, its activations in a file. */
#include <fnmatch.h>
#include <string.h>

#include "app/commands.h"
#include "app/output.h"
#include "app/subject_options.h"

static const Option options[] = {
    {.name = "sites",
     .kind = OPTION_TEXT,
     .argument = "GLOB",
     .help = "keep these hooks: '*' for all, 'decoder.*.hook_q'; default: patterns, "
             "hook_resid_pre, final norms, logits",
     .repeatable = true},
    {.name = "grad",
     .kind = OPTION_TEXT,
     .argument = "WHAT",
     .help =
         "also the gradient of 'loss' or of 'logit:TOKEN@POS' at every kept hook, as grad.NAME"},
    {.name = "output",
     .letter = 'o',
     .kind = OPTION_FILE,
     .argument = "FILE",
     .help = "the trace, as safetensors; without it a table of what was kept is printed"},
    {0}};

static void report(void *context, double done) {
    (void)context;
    output_progress("running: %.0f %%", done * 100);
}

static void print_shape(Output *out, const Tensor *x) {
    output_puts(out, "[");
    for (int i = 0; i < x->rank; i++)
        output_printf(out, "%s%lld", i ? ", " : "", (long long)x->shape[i]);
    output_puts(out, "]");
}

static void print_tokens(Output *out, const char *title, Tokens tokens) {
    if (tokens.n == 0) return;
    output_printf(out, "%s:", title);
    for (int i = 0; i < tokens.n; i++) {
        output_puts(out, " ");
        output_str(out, tokens.items[i].label);
    }
    output_puts(out, "\n");
}

static bool print_trace(const Trace *trace, Error *error) {
    Output *out = output_open(NULL, error);
    print_tokens(out, trace_target(trace).n ? "source" : "tokens", trace_source(trace));
    print_tokens(out, "target", trace_target(trace));
    for (int i = 0; i < trace_n_tensors(trace); i++) {
        output_printf(out, "%-40s ", trace_tensor_name(trace, i));
        print_shape(out, trace_tensor(trace, i));
        output_puts(out, "\n");
    }
    return output_close(out, error);
}

/* "logit:loves@2" with the token's id in place of its label: the engine knows no vocabulary. Also
 * takes a word without the mark that the vocabulary puts before it. */
static const char *grad_by_id(const Subject *subject, const char *text, Arena *arena) {
    static const char *const marks[] = {"", "▁", "Ġ"};
    const char *at = text ? strrchr(text, '@') : NULL;
    long long id;
    if (!at || strncmp(text, "logit:", 6) != 0 || !subject->tokenizer) return text;
    Str token = {text + 6, (size_t)(at - text - 6)};
    if (integer_parse(token, &id)) return text;
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++) {
        char *label = arena_printf(arena, "%s%.*s", marks[i], (int)token.n, token.data);
        int32_t found = tokenizer_id(subject->tokenizer, str(label), true);
        if (found >= 0) return arena_printf(arena, "logit:%d%s", (int)found, at);
    }
    return text;
}

/* Each asked for something: a name written wrongly would else be missed only by the reader. */
static bool all_matched(const Trace *trace, const char *const *sites, Error *error) {
    for (; *sites; sites++) {
        int at = 0, n = trace_n_tensors(trace);
        while (at < n && fnmatch(*sites, trace_tensor_name(trace, at), 0) != 0)
            at++;
        if (at == n)
            return error_set(error, ERROR_INPUT,
                             "--sites %s: this model has no such hook; attnscope hooks lists the "
                             "names, attnscope trace --sites '*' those of this model",
                             *sites);
    }
    return true;
}

static bool run_subject(const SubjectJob *job, Error *error) {
    enum { MAX_SITES = 64 };
    const Subject *subject = job->subject;
    const Options *given = job->given;
    Arena *arena = job->arena;
    SubjectText what = subject_text_of(job);
    Input input;
    if (!subject_read(subject, &what, arena, &input, error)) return false;
    GenerateOptions generate = subject_search_of(job);
    if (!subject_complete(subject, &input, &generate, arena, error)) return false;
    const char *sites[MAX_SITES + 1] = {0};
    int n_sites = options_count(given, "sites");
    if (n_sites > MAX_SITES)
        return error_set(error, ERROR_USAGE, "--sites more than %d times", MAX_SITES);
    for (int i = 0; i < n_sites; i++)
        sites[i] = options_nth(given, "sites", i);
    Progress progress = subject_progress();
    progress.report = report;
    TraceOptions options_of_run = {
        .sites = n_sites ? sites : NULL,
        .edits = job->edits,
        .grad = grad_by_id(subject, options_text(given, "grad", NULL), arena),
        .progress = progress};
    Trace *trace = trace_run(subject->model, &input, &options_of_run, error);
    output_progress_end();
    const char *path = options_text(given, "output", NULL);
    bool ok = trace && all_matched(trace, sites, error) &&
              (path ? trace_save(trace, path, error) : print_trace(trace, error));
    trace_release(trace);
    return ok;
}

static bool run(const Options *given, Error *error) {
    return subject_check_given(given, error) && subject_job(given, run_subject, error);
}

const Command command_trace = {
    .name = "trace",
    .title = "run a model once and keep its activations",
    .about = "One forward pass over a text, over a text and a given target, or over a row of a "
             "batch. Every kept activation is a tensor of a safetensors file under its hook name "
             "(attnscope hooks lists them), f32, without a batch axis.",
    .examples =
        "attnscope trace --text 'She loves cats.' --to fra -o cats.safetensors\n"
        "attnscope trace --text 'She loves cats.' --target-text 'Elle aime les chats.' --to fra\n"
        "attnscope trace --text 'She loves cats.' --to fra --ablate decoder.2.cross_attn:H3 "
        "--sites '*' -o all.safetensors\n"
        "attnscope trace --model gpt2 --text 'The cat sat' --grad 'logit:the@2' -o g.safetensors\n",
    .options = {.groups = {options_model, options_input, options_search, options, options_edits}},
    .run = run,
};
