/* answer: what a model says about a text, a picture or a sound, in words. */
#include "app/commands.h"
#include "app/output.h"
#include "app/subject_options.h"
#include "model/answer.h"

static const Option options[] = {{.name = "top-k",
                                  .kind = OPTION_INTEGER,
                                  .argument = "N",
                                  .help = "so many choices each (default 5)",
                                  .min = 1,
                                  .max = 1000},
                                 {0}};

static Str label_at(const Trace *trace, int position) {
    Tokens tokens = trace_target(trace).n ? trace_target(trace) : trace_source(trace);
    if (position < 0 || position >= tokens.n) return (Str){"", 0};
    return tokens.items[position].label;
}

static json_t *as_json(const Answer *answer, const Trace *trace) {
    static const char *const kinds[] = {
        [HEAD_NONE] = "none",         [HEAD_LANGUAGE] = "next", [HEAD_MASKED] = "masked",
        [HEAD_SEQUENCE] = "sequence", [HEAD_TOKENS] = "tokens", [HEAD_SPAN] = "span",
        [HEAD_REPLACED] = "replaced"};
    json_t *items = json_array();
    for (int i = 0; i < answer->n_items; i++) {
        const AnswerItem *item = &answer->items[i];
        json_t *choices = json_array();
        for (int c = 0; c < item->n; c++)
            json_array_append_new(
                choices, json_pack("{s:i, s:o, s:o, s:o}", "id", item->choices[c].id, "name",
                                   output_text(item->choices[c].name), "probability",
                                   output_number(item->choices[c].probability), "logit",
                                   output_number((double)item->choices[c].logit)));
        json_t *entry = json_object();
        if (item->position >= 0) {
            json_object_set_new(entry, "position", json_integer(item->position));
            json_object_set_new(entry, "token", output_text(label_at(trace, item->position)));
        }
        json_object_set_new(entry, "choices", choices);
        json_array_append_new(items, entry);
    }
    json_t *root = json_pack("{s:s, s:o}", "kind", kinds[answer->kind], "answers", items);
    if (answer->kind == HEAD_SPAN) {
        json_object_set_new(root, "begin", json_integer(answer->span_begin));
        json_object_set_new(root, "end", json_integer(answer->span_end));
        json_object_set_new(root, "probability", output_number(answer->span_probability));
        json_object_set_new(root, "text", output_text(answer->span_text));
    }
    return root;
}

static void write_text(Output *out, const Answer *answer, const Trace *trace) {
    char number[32];
    if (answer->kind == HEAD_SPAN) {
        output_str(out, answer->span_text);
        output_printf(out, "\t%s\ttokens %d to %d\n",
                      number_text(answer->span_probability, 4, number), answer->span_begin,
                      answer->span_end);
    }
    for (int i = 0; i < answer->n_items; i++) {
        const AnswerItem *item = &answer->items[i];
        if (item->position >= 0) {
            output_printf(out, "%d\t", item->position);
            output_str(out, label_at(trace, item->position));
        }
        for (int c = 0; c < item->n; c++) {
            output_puts(out, c || item->position >= 0 ? "\t" : "");
            output_str(out, item->choices[c].name);
            output_printf(out, " %s", number_text(item->choices[c].probability, 4, number));
        }
        output_puts(out, "\n");
    }
}

static bool run_subject(const SubjectJob *job, Error *error) {
    const Subject *subject = job->subject;
    const Options *given = job->given;
    Arena *arena = job->arena;
    static const char *const sites[] = {"logits", NULL};
    SubjectText what = subject_text_of(job);
    Input input;
    Answer answer;
    if (!subject_read(subject, &what, arena, &input, error) ||
        !subject_complete(subject, &input, &(GenerateOptions){.edits = job->edits}, arena, error))
        return false;
    TraceOptions wanted = {.sites = sites, .edits = job->edits, .progress = subject_progress()};
    Trace *trace = trace_run(subject->model, &input, &wanted, error);
    bool ok = trace && answer_of(subject->model, subject->tokenizer, trace,
                                 options_int(given, "top-k", 5), arena, &answer, error);
    Output *out = ok ? output_open(options_text(given, "output", NULL), error) : NULL;
    if (out && options_given(given, "json"))
        output_json(out, as_json(&answer, trace), false);
    else if (out)
        write_text(out, &answer, trace);
    trace_release(trace);
    return out && output_close(out, error);
}

static bool run(const Options *given, Error *error) {
    return subject_check_given(given, error) && subject_job(given, run_subject, error);
}

const Command command_answer = {
    .name = "answer",
    .title = "what a model says: classes, masked words, spans, next words",
    .about = "Classifiers give their classes with probabilities, masked language models a word for "
             "each mask, span models the piece of the text, language models the next word. With "
             "--ablate and the other edits it is what they say then.",
    .examples =
        "attnscope answer --model bert-base-uncased --text 'Paris is the [MASK] of France.'\n"
        "attnscope answer --model textattack/bert-base-uncased-SST-2 --text 'A fine film.' "
        "--ablate L5H3\n"
        "attnscope answer --model google/vit-base-patch16-224 --image cat.jpg --top-k 3\n",
    .options = {.groups = {options_model, options_input, options, options_json, options_edits,
                           options_output}},
    .run = run,
};
