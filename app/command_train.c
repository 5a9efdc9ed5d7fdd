/* train: a model from parallel text, by a recipe. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "app/commands.h"
#include "app/output.h"
#include "app/train_folder.h"
#include "model/base/file.h"
#include "model/base/json.h"
#include "model/tokenizer.h"
#include "model/trainer.h"

static const Option options[] = {
    {.name = "recipe", .kind = OPTION_FILE, .argument = "FILE", .help = "how to train, as JSON"},
    {.name = "corpus",
     .kind = OPTION_FILE,
     .argument = "FILE",
     .help = "rows of language TAB source TAB target, plain or gzip"},
    {.name = "dev", .kind = OPTION_FILE, .argument = "FILE", .help = "rows to measure on"},
    {.name = "output",
     .letter = 'o',
     .kind = OPTION_FOLDER,
     .argument = "DIR",
     .help = "the folder that becomes the model; made if it is not there"},
    {.name = "reverse", .kind = OPTION_FLAG, .help = "translate the targets into the sources"},
    {.name = "init",
     .kind = OPTION_FOLDER,
     .argument = "DIR",
     .help = "start from the weights of this model, with fresh moments and warm-up"},
    {.name = "resume",
     .kind = OPTION_FLAG,
     .help = "go on from the checkpoint in the output folder"},
    {.name = "steps",
     .kind = OPTION_INTEGER,
     .argument = "N",
     .help = "stop after step N of the recipe's (the schedule stays the recipe's)",
     .min = 1,
     .max = 1e9},
    {0}};

typedef struct Training {
    Recipe recipe;
    const char *folder;
    Trainer *trainer;
    Tokenizer *tokenizer;
    Corpus *corpus, *dev;
    FILE *log;
    double started, saved, token_clock; /* seconds */
    int64_t tokens;                     /* since token_clock */
    int last_step;
} Training;

/* A first signal asks for a checkpoint and an end; main's memory is not touched. */
static volatile sig_atomic_t interrupted;

static void on_signal(int signal_number) {
    (void)signal_number;
    interrupted = 1;
}

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* ---- the output folder ---- */

/* Keeps the lines of the log up to a step: what a killed run wrote after its checkpoint goes. */
static bool open_log(Training *t, int step, Arena *arena, Error *error) {
    const char *path = path_join(arena, t->folder, "log.jsonl");
    StrBuf kept = {0};
    Str old;
    if (step > 0 && file_exists(path) && file_read(path, 0, arena, &old, error)) {
        const char *line = old.data;
        for (const char *end; (end = strchr(line, '\n')); line = end + 1) {
            const char *number = strstr(line, "\"step\": ");
            if (number && number < end && atoi(number + 8) <= step)
                strbuf_add(&kept, line, (size_t)(end - line) + 1);
        }
    }
    bool ok = file_save(path, kept.data ? kept.data : "", kept.n, error);
    strbuf_free(&kept);
    t->log = ok ? fopen(path, "ae") : NULL;
    return t->log || error_set(error, ERROR_IO, "%s: cannot write", path);
}

static bool save(Training *t, Arena *arena, Error *error) {
    fflush(t->log);
    bool ok =
        trainer_save(t->trainer, path_join(arena, t->folder, "checkpoint.safetensors"), error) &&
        trainer_export(t->trainer, path_join(arena, t->folder, "model.safetensors"), error);
    t->saved = now();
    return ok;
}

/* ---- the log ---- */

static void log_line(Training *t, json_t *line) {
    char *text = json_dumps(line, JSON_REAL_PRECISION(7));
    fprintf(t->log, "%s\n", text);
    fflush(t->log);
    free(text);
    json_decref(line);
}

static void log_step(Training *t, const StepReport *r) {
    bool first = r->step <= 10;
    if (!first && r->step % t->recipe.log_steps) return;
    double seconds = now() - t->token_clock;
    double speed = seconds > 0 ? (double)t->tokens / seconds : 0;
    log_line(t, json_pack("{s:i, s:f, s:f, s:f, s:f, s:i}", "step", r->step, "loss", r->loss, "nll",
                          r->nll, "learning_rate", r->learning_rate, "gradient_norm",
                          r->gradient_norm, "tokens_per_second", (int)speed));
    double left = (t->last_step - r->step) * seconds / (first ? 1 : t->recipe.log_steps);
    output_progress("step %d of %d   loss %.3f   %.0f tokens/s   rate %.2g   %.0f min left",
                    r->step, t->last_step, r->loss, speed, r->learning_rate, left / 60);
    t->tokens = 0;
    t->token_clock = now();
}

static bool log_dev(Training *t, int step, Error *error) {
    if (!t->dev || step % t->recipe.dev_steps) return true;
    double plain, averaged;
    if (!trainer_evaluate(t->trainer, t->dev, false, &plain, error)) return false;
    if (!trainer_evaluate(t->trainer, t->dev, true, &averaged, error)) return false;
    log_line(t, json_pack("{s:i, s:f, s:f}", "step", step, "dev_nll", plain, "dev_nll_average",
                          averaged));
    t->tokens = 0;
    t->token_clock = now();
    return true;
}

/* ---- the loop ---- */

static bool one_pass(Training *t, Arena *arena, Error *error) {
    TrainPlace *place = trainer_place(t->trainer);
    corpus_deal(t->corpus, &t->recipe, place->pass);
    int n = corpus_n_batches(t->corpus);
    if (n == 0) return error_set(error, ERROR_INPUT, "the corpus has no rows that fit max_tokens");
    if (place->batch > n)
        return error_set(error, ERROR_INPUT,
                         "the checkpoint has done %d batches of this pass, but this corpus has %d: "
                         "it is not the corpus that the run began with",
                         place->batch, n);
    while (place->batch < n && place->step < t->last_step && !interrupted) {
        StepReport report;
        CorpusBatch batch = corpus_batch(t->corpus, place->batch);
        if (!trainer_step(t->trainer, batch, &report, error)) return false;
        place->batch++;
        t->tokens += report.n_target_tokens;
        log_step(t, &report);
        if (!log_dev(t, report.step, error)) return false;
        if (now() - t->saved > 60 * t->recipe.checkpoint_minutes && !save(t, arena, error))
            return false;
    }
    if (place->batch == n) *place = (TrainPlace){place->step, place->pass + 1, 0};
    return true;
}

static bool loop(Training *t, Arena *arena, Error *error) {
    signal(SIGINT, on_signal);
    signal(SIGTERM, on_signal);
    t->saved = t->token_clock = now();
    bool ok = true;
    while (ok && trainer_place(t->trainer)->step < t->last_step && !interrupted)
        ok = one_pass(t, arena, error);
    output_progress_end();
    if (!ok) return false;
    if (!save(t, arena, error)) return false;
    output_note("%s: step %d is saved%s", t->folder, trainer_place(t->trainer)->step,
                interrupted ? "; --resume goes on from here" : "");
    return true;
}

static bool read_corpora(Training *t, const Options *given, Error *error) {
    bool reverse = options_given(given, "reverse");
    t->corpus = corpus_new(t->tokenizer, reverse);
    if (!corpus_add(t->corpus, options_text(given, "corpus", ""), &t->recipe, 1, error))
        return false;
    for (int i = 0; i < t->recipe.n_extra; i++)
        if (!corpus_add(t->corpus, t->recipe.extra[i].file, &t->recipe, t->recipe.extra[i].times,
                        error))
            return false;
    const char *dev = options_text(given, "dev", NULL);
    if (!dev) return true;
    Recipe plain = t->recipe; /* each dev row once, as it stands */
    plain.n_repeat = 0;
    plain.join_share = 0;
    plain.long_repeat = 1;
    t->dev = corpus_new(t->tokenizer, reverse);
    if (!corpus_add(t->dev, dev, &plain, 1, error)) return false;
    corpus_deal(t->dev, &plain, 0);
    return true;
}

static bool prepare(Training *t, const Options *given, Arena *arena, Error *error) {
    static const char *const needed[] = {"recipe", "corpus", "output"};
    for (size_t i = 0; i < sizeof needed / sizeof *needed; i++)
        if (!options_given(given, needed[i]))
            return error_set(error, ERROR_USAGE,
                             "train: --%s is needed, see attnscope train --help", needed[i]);
    t->folder = options_text(given, "output", NULL);
    if (!recipe_read(options_text(given, "recipe", NULL), &t->recipe, arena, error)) return false;
    t->last_step = options_int(given, "steps", t->recipe.steps);
    t->tokenizer = tokenizer_open(t->recipe.model, error);
    if (!t->tokenizer) return false;
    t->trainer = trainer_new(&t->recipe, error);
    if (!t->trainer) return false;
    if (tokenizer_n_ids(t->tokenizer) > trainer_n_vocab(t->trainer))
        return error_set(
            error, ERROR_INPUT, "%s: the vocabulary has %d tokens, but config.json says %d",
            t->recipe.model, tokenizer_n_ids(t->tokenizer), trainer_n_vocab(t->trainer));
    const char *init = options_text(given, "init", NULL);
    if (init && !trainer_init_from(t->trainer, init, error)) return false;
    if (!read_corpora(t, given, error) || !folder_make(t->folder, error)) return false;
    const char *checkpoint = path_join(arena, t->folder, "checkpoint.safetensors");
    if (options_given(given, "resume")) {
        if (!trainer_resume(t->trainer, checkpoint, error)) return false;
    } else if (file_exists(checkpoint)) {
        return error_set(error, ERROR_INPUT,
                         "%s: there is a checkpoint already; --resume goes on "
                         "from it, or choose another folder",
                         t->folder);
    }
    TrainFolder how = {.model = t->recipe.model,
                       .tokenizer = t->tokenizer,
                       .reverse = options_given(given, "reverse"),
                       .resume = options_given(given, "resume")};
    return train_folder_fill(t->folder, &how, arena, error) &&
           open_log(t, trainer_place(t->trainer)->step, arena, error);
}

static bool run(const Options *given, Error *error) {
    Arena *arena = arena_new();
    Training t = {0};
    bool ok = prepare(&t, given, arena, error);
    if (ok) {
        output_note("%d rows, %d too long and left out", corpus_n_rows(t.corpus),
                    corpus_n_skipped(t.corpus));
        ok = loop(&t, arena, error);
    }
    if (t.log) fclose(t.log);
    corpus_free(t.corpus);
    corpus_free(t.dev);
    trainer_free(t.trainer);
    tokenizer_free(t.tokenizer);
    arena_free(arena);
    return ok;
}

const Command command_train = {
    .name = "train",
    .title = "train a translation model from parallel text",
    .about =
        "The output folder becomes a model: config, vocabulary, model.safetensors. Beside them "
        "stand checkpoint.safetensors, from which --resume goes on, and log.jsonl. An "
        "interrupt saves a checkpoint and ends.",
    .examples = "attnscope train --recipe assets/models/en-fr-fi/recipe.json --corpus train.tsv.gz "
                "--dev dev.tsv.gz -o my-model\n",
    .options = {.groups = {options}},
    .run = run,
};
