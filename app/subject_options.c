#include "app/subject_options.h"

#include <string.h>

#include "app/output.h"

Subject *subject_open_named(const char *name, const Options *options, Error *error) {
    CheckpointOptions how = {.no_adapter = options_given(options, "no-adapter")};
    Subject *subject = subject_open_with(name, &how, error);
    if (subject && subject->model->note) output_note("%s", subject->model->note);
    return subject;
}

Subject *subject_open_of(const Options *options, Error *error) {
    return subject_open_named(options_text(options, "model", NULL), options, error);
}

/* A model with several languages writes its first where nobody says which. */
static void note_language(const SubjectJob *job, const SubjectText *what) {
    const Subject *subject = job->subject;
    const char *tag = what->to || what->inputs || !subject->tokenizer
                          ? NULL
                          : tokenizer_default_tag(subject->tokenizer, str(what->text));
    if (!tag) return;
    const char *const *codes = tokenizer_languages(subject->tokenizer) + 1;
    strbuf_printf(job->note, "without --to this model writes %s; --to takes ", tag);
    int n = 0;
    for (; codes[n] && n < 8; n++)
        strbuf_printf(job->note, "%s%s", n ? ", " : "", codes[n]);
    strbuf_printf(job->note, "%s too", codes[n] ? " ..." : "");
}

bool subject_check_given(const Options *options, Error *error) {
    static const char *const read[] = {"text", "inputs", "image", "audio"};
    const char *first = NULL;
    for (int i = 0; i < 4; i++) {
        if (!options_given(options, read[i])) continue;
        if (first)
            return error_set(error, ERROR_USAGE, "--%s and --%s: one of them is expected", first,
                             read[i]);
        first = read[i];
    }
    if (options_given(options, "inputs") && options_given(options, "target-text"))
        return error_set(error, ERROR_USAGE,
                         "--inputs and --target-text: the target of a batch is its "
                         "decoder_input_ids");
    return !options_given(options, "row") || options_given(options, "inputs") ||
           error_set(error, ERROR_USAGE, "--row N is of a batch: --inputs FILE is expected");
}

SubjectText subject_languages_of(const SubjectJob *job) {
    const Options *given = job->given;
    SubjectText what = {.to = options_text(given, "to", NULL),
                        .source_language = options_text(given, "source-language", NULL),
                        .text = options_text(given, "text", "")};
    note_language(job, &what);
    what.text = NULL;
    return what;
}

SubjectText subject_text_of(const SubjectJob *job) {
    const Options *given = job->given;
    SubjectText what = {
        .text = options_text(given, "text", NULL),
        .text_pair = options_text(given, "text-pair", NULL),
        .target_text = options_text(given, "target-text", NULL),
        .to = options_text(given, "to", NULL),
        .source_language = options_text(given, "source-language", NULL),
        .inputs = options_text(given, "inputs", NULL),
        .row = options_int(given, "row", 0),
        .image = options_text(given, "image", NULL),
        .audio = options_text(given, "audio", NULL),
    };
    if (what.text) note_language(job, &what);
    return what;
}

bool subject_edits_of(const Options *options, const Subject *subject, Arena *arena, Edits *out,
                      Error *error) {
    static const char *const names[EDIT_KIND_COUNT] = {
        [EDIT_ABLATE] = "ablate",
        [EDIT_SCALE] = "scale",
        [EDIT_PATCH] = "patch",
        [EDIT_SET] = "set",
    };
    *out = (Edits){0};
    for (int kind = 0; kind < EDIT_KIND_COUNT; kind++)
        for (int i = 0; i < options_count(options, names[kind]); i++)
            if (!edits_add(out, (EditKind)kind, options_nth(options, names[kind], i), arena, error))
                return false;
    return out->n == 0 || edits_check(out, subject->model, error);
}

bool subject_job(const Options *options, bool (*work)(const SubjectJob *job, Error *error),
                 Error *error) {
    Arena *arena = arena_new();
    Subject *subject = subject_open_of(options, error);
    Edits edits;
    bool ok = subject &&
              subject_check_language(subject, options_text(options, "to", NULL), error) &&
              subject_edits_of(options, subject, arena, &edits, error);
    if (ok) {
        StrBuf note = {0};
        SubjectJob job = {.subject = subject,
                          .given = options,
                          .edits = edits.n ? &edits : NULL,
                          .arena = arena,
                          .note = &note};
        ok = work(&job, error);
        if (ok && note.n) output_note("%s", note.data);
        strbuf_free(&note);
    }
    subject_close(subject);
    arena_free(arena);
    return ok;
}

static void announce(void *context, const char *what) {
    (void)context;
    output_note("%s", what);
}

Progress subject_progress(void) {
    return (Progress){.expect = announce};
}

GenerateOptions subject_search_of(const SubjectJob *job) {
    return (GenerateOptions){.n_beams = options_int(job->given, "beam", 0),
                             .max_new_tokens = options_int(job->given, "max-new-tokens", 0),
                             .edits = job->edits,
                             .progress = subject_progress()};
}

void subject_note_late(const SubjectJob *job, const Input *input, int n_target) {
    const Model *model = job->subject->model;
    bool two = model_has_stack(model, STACK_DECODER);
    EditInput seen = {.model = model,
                      .n_source = two ? input->source.n : n_target,
                      .n_target = n_target,
                      .source_keep = two ? input->source_keep : NULL};
    for (int i = 0; job->edits && i < job->edits->n && !input->features.data; i++) {
        Error error = {0};
        Edits one = {.n = 1, .items = {job->edits->items[i]}};
        if (!edits_fit(&one, &seen, &error))
            output_note("%s: this edit changed nothing", error.message);
    }
}

int32_t *subject_ids_of(const char *text, const char *option, int n_vocab, Arena *arena, int *n,
                        Error *error) {
    int32_t *ids = arena_alloc(arena, (strlen(text) / 2 + 1) * sizeof *ids);
    *n = 0;
    for (const char *at = text; at; at = strchr(at, ',') ? strchr(at, ',') + 1 : NULL) {
        long long id;
        bool ok = integer_parse((Str){at, strcspn(at, ",")}, &id);
        if (!ok || id < 0 || id >= n_vocab) {
            error_set(error, ERROR_USAGE, "--%s %s: ids from 0 to %d with commas are expected",
                      option, text, n_vocab - 1);
            return NULL;
        }
        ids[(*n)++] = (int32_t)id;
    }
    return ids;
}
