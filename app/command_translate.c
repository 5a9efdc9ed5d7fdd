/* translate: lines in, lines out, on all cores. */
#include <stdlib.h>
#include <string.h>

#include "app/commands.h"
#include "app/lines.h"
#include "app/output.h"
#include "app/parallel.h"
#include "app/subject_options.h"

static const Option options[] = {{.name = "text",
                                  .kind = OPTION_TEXT,
                                  .argument = "TEXT",
                                  .help = "translate this instead of lines"},
                                 {0}};

/* Rows of a job: enough that a weight, once read, serves many; few enough that they stay in a
 * cache. A handful of lines is still spread over the cores. */
enum { MOST_LINES = 1024, ROWS_A_JOB = 64, LEAST_JOBS = 8 };

typedef struct Line {
    Str text;
    Input input;
    Str answer;
    Error failure;
} Line;

typedef struct Work {
    const Subject *subject;
    SubjectText what;
    GenerateOptions wanted;
    int n, lines_a_job;
    Line *lines[MOST_LINES];   /* in the order of work: short ones first */
    Arena *arenas[MOST_LINES]; /* of the jobs */
} Work;

static void read_line(const Work *work, Line *line, Arena *arena) {
    if (subject_is_blank(line->text)) return;
    subject_read_line(work->subject, line->text, (Str){0}, &work->what, "text", arena, &line->input,
                      &line->failure);
}

static bool is_ready(const Line *line) {
    return line->input.source.n > 0 && line->failure.kind == ERROR_NONE;
}

static int by_length(const void *a, const void *b) {
    const Line *x = *(Line *const *)a, *y = *(Line *const *)b;
    int n = x->input.source.n - y->input.source.n;
    return n ? n : x < y ? -1 : x > y;
}

/* A translation is a line: breaks that the vocabulary can write become blanks. */
static Str one_line(Str text, Arena *arena) {
    if (text.n == 0) return text;
    char *line = memcpy(arena_alloc(arena, text.n), text.data, text.n);
    for (size_t i = 0; i < text.n; i++)
        if (line[i] == '\n' || line[i] == '\r') line[i] = ' ';
    return (Str){line, text.n};
}

static void keep_answer(const Work *work, Line *line, const Generation *g, Arena *arena) {
    line->answer = one_line(subject_decode(work->subject, g->ids, g->n, arena), arena);
}

/* One of the packed batch may be too long for the others' sake: then each by itself. */
static void translate_one_by_one(const Work *work, Line *const *lines, int n, Arena *arena) {
    for (int i = 0; i < n; i++) {
        Generation g;
        if (generate(work->subject->model, &lines[i]->input, &work->wanted, arena, &g,
                     &lines[i]->failure))
            keep_answer(work, lines[i], &g, arena);
    }
}

static void translate_job(void *context, int job) {
    Work *work = context;
    int first = job * work->lines_a_job, n = work->n - first;
    Line *const *lines = work->lines + first;
    if (n > work->lines_a_job) n = work->lines_a_job;
    Arena *arena = work->arenas[job] = arena_new();
    Input inputs[ROWS_A_JOB];
    Generation all[ROWS_A_JOB];
    for (int i = 0; i < n; i++)
        inputs[i] = lines[i]->input;
    bool packed = n > 1 && !work->wanted.edits &&
                  generate_batch(work->subject->model, inputs, n, &work->wanted, arena, all, NULL);
    for (int i = 0; packed && i < n; i++)
        keep_answer(work, lines[i], &all[i], arena);
    if (!packed) translate_one_by_one(work, lines, n, arena);
}

static int lines_a_job(const Work *work) {
    int most = ROWS_A_JOB / generate_n_beams(work->subject->model, &work->wanted);
    int n = (work->n + LEAST_JOBS - 1) / LEAST_JOBS;
    return n < most ? n : most > 1 ? most : 1;
}

/* A batch of lines: read, sorted by length, translated, written in their own order. Returns how
 * many failed. */
static int translate_lines(Work *work, Line *lines, int n, int first, Output *out) {
    Arena *arena = arena_new();
    int n_failed = 0;
    work->n = 0;
    for (int i = 0; i < n; i++) {
        read_line(work, &lines[i], arena);
        if (is_ready(&lines[i])) work->lines[work->n++] = &lines[i];
    }
    qsort(work->lines, (size_t)work->n, sizeof *work->lines, by_length);
    work->lines_a_job = lines_a_job(work);
    int n_jobs = work->n ? (work->n + work->lines_a_job - 1) / work->lines_a_job : 0;
    parallel_for(n_jobs, translate_job, work);
    for (int i = 0; i < n; i++) {
        bool failed = lines[i].failure.kind != ERROR_NONE;
        if (failed) output_note("line %d: %s", first + i, lines[i].failure.message);
        n_failed += failed;
        if (!failed) output_str(out, lines[i].answer);
        output_puts(out, "\n");
    }
    output_flush(out);
    for (int i = 0; i < n_jobs; i++)
        arena_free(work->arenas[i]);
    arena_free(arena);
    return n_failed;
}

static bool run_lines(Work *work, LineReader *reader, Output *out, Error *error) {
    Str texts[MOST_LINES];
    Line *lines = calloc(MOST_LINES, sizeof *lines);
    int n_done = 0, n_failed = 0;
    for (int n; !output_failed(out) && (n = lines_next(reader, MOST_LINES, texts, error)) > 0;) {
        for (int i = 0; i < n; i++)
            lines[i] = (Line){.text = texts[i]};
        n_failed += translate_lines(work, lines, n, n_done + 1, out);
        n_done += n;
        output_progress("%d lines translated", n_done);
    }
    output_progress_end();
    free(lines);
    return error_ok(error) &&
           (n_failed == 0 ||
            error_set(error, ERROR_INPUT, "%d of %d lines failed", n_failed, n_done));
}

static bool run_text(Work *work, const SubjectJob *job, const char *text, Output *out,
                     Error *error) {
    Arena *arena = arena_new();
    Input input;
    Generation g;
    bool ok = subject_read_line(work->subject, str(text), (Str){0}, &work->what, "--text", arena,
                                &input, error) &&
              generate(work->subject->model, &input, &work->wanted, arena, &g, error);
    if (ok) {
        subject_note_late(job, &input, g.n - 1);
        output_str(out, one_line(subject_decode(work->subject, g.ids, g.n, arena), arena));
        output_puts(out, "\n");
    }
    arena_free(arena);
    return ok;
}

static bool run_subject(const SubjectJob *job, Error *error) {
    const Subject *subject = job->subject;
    const Options *given = job->given;
    Family family = subject->model->config.family;
    if (family != FAMILY_ENCODER_DECODER && family != FAMILY_RECURRENT)
        return error_set(error, ERROR_INPUT,
                         "%s: a model of kind %s does not translate; attnscope generate lets it "
                         "write",
                         subject->path, subject->model->config.model_type);
    Work *work = calloc(1, sizeof *work);
    work->subject = subject;
    work->what = subject_languages_of(job);
    work->wanted = subject_search_of(job);
    if (subject->model->config.generation.samples)
        output_note("generation_config.json: do_sample: the likeliest translation is written, not "
                    "a sample");
    const char *text = options_text(given, "text", NULL);
    if (!text) work->wanted.progress = (Progress){0}; /* lines say nothing of themselves */
    LineReader *reader = text ? NULL : lines_open(options_word(given, 0), error);
    Output *out = reader || text ? output_open(options_text(given, "output", NULL), error) : NULL;
    bool ok =
        out && (text ? run_text(work, job, text, out, error) : run_lines(work, reader, out, error));
    if (out) ok = output_close(out, error) && ok;
    lines_close(reader);
    free(work);
    return ok;
}

static bool run(const Options *given, Error *error) {
    if (options_given(given, "text") && options_word(given, 0))
        return error_set(error, ERROR_USAGE, "--text and a FILE of lines: one of them is expected");
    return subject_job(given, run_subject, error);
}

const Command command_translate = {
    .name = "translate",
    .title = "translate lines of text",
    .about = "Lines come from FILE or the standard input, a translation a line goes out. An empty "
             "line gives an empty line; a line that fails gives an empty line and its number on "
             "the standard error, the rest goes on, and the exit status is 1.",
    .examples = "echo 'She loves cats.' | attnscope translate --to fra\n"
                "attnscope translate --to fin --beam 4 english.txt -o finnish.txt\n"
                "attnscope translate --to fra --text 'She loves cats.' "
                "--ablate decoder.2.cross_attn:H3\n",
    .options = {.groups = {options_model, options, options_language, options_search, options_edits,
                           options_output},
                .words = "[FILE]",
                .n_words_max = 1},
    .run = run,
};
