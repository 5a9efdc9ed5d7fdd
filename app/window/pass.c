/* See pass.h. A run is: read the fields, let the model write where nothing was given, one forced
 * pass that captures, the same without the edits, and the numbers that the window shows. */
#include "app/window/pass.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "app/figure_scene.h"
#include "app/import.h"
#include "app/window/pass_steps.h"
#include "model/base/file.h"

Loaded *loaded_open(const char *name, Error *error) {
    Subject *subject = subject_open(name, error);
    if (!subject) return NULL;
    Loaded *loaded = calloc(1, sizeof *loaded);
    if (!loaded) abort();
    atomic_init(&loaded->n_owners, 1);
    loaded->subject = subject;
    loaded->name = name ? strdup(name) : NULL;
    return loaded;
}

Loaded *loaded_retain(Loaded *loaded) {
    if (loaded) atomic_fetch_add(&loaded->n_owners, 1);
    return loaded;
}

void loaded_release(Loaded *loaded) {
    if (!loaded || atomic_fetch_sub(&loaded->n_owners, 1) != 1) return;
    subject_close(loaded->subject);
    free(loaded->name);
    free(loaded);
}

Pass *pass_retain(Pass *pass) {
    if (pass) atomic_fetch_add(&pass->n_owners, 1);
    return pass;
}

void pass_release(Pass *pass) {
    if (!pass || atomic_fetch_sub(&pass->n_owners, 1) != 1) return;
    trace_release(pass->trace);
    trace_release(pass->plain);
    loaded_release(pass->loaded);
    arena_free(pass->arena);
    free(pass->sites_key);
    free(pass);
}

static Pass *pass_new(Loaded *loaded) {
    Pass *pass = calloc(1, sizeof *pass);
    if (!pass) abort();
    atomic_init(&pass->n_owners, 1);
    pass->arena = arena_new();
    pass->loaded = loaded_retain(loaded);
    pass->parts_at = -1;
    return pass;
}

char *pass_sites_key(const char *const *sites) {
    StrBuf key = {0};
    for (; sites && *sites; sites++)
        strbuf_printf(&key, "%s ", *sites);
    strbuf_puts(&key, "");
    return key.data ? key.data : calloc(1, 1);
}

bool pass_edits(const State *state, const Model *model, Arena *arena, Edits *out, Error *error) {
    static const struct {
        const char *word;
        EditKind kind;
    } kinds[] = {{"ablate ", EDIT_ABLATE},
                 {"scale ", EDIT_SCALE},
                 {"patch ", EDIT_PATCH},
                 {"set ", EDIT_SET}};
    memset(out, 0, sizeof *out);
    for (int i = 0; i < state->edits.n; i++) {
        const char *text = state->edits.items[i];
        size_t k = 0;
        while (k < 4 && strncmp(text, kinds[k].word, strlen(kinds[k].word)) != 0)
            k++;
        if (k == 4)
            return error_set(error, ERROR_INPUT,
                             "edit '%s': ablate, scale, patch or set and a place are expected",
                             text);
        if (!edits_add(out, kinds[k].kind, text + strlen(kinds[k].word), arena, error))
            return false;
    }
    return edits_check(out, model, error);
}

static double now_ms(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec * 1e-6;
}

static void summarise(Pass *pass) {
    static const struct {
        StackId stack;
        bool cross;
    } kinds[] = {{STACK_ENCODER, false},
                 {STACK_DECODER, false},
                 {STACK_DECODER, true},
                 {STACK_BLOCKS, false}};
    for (int i = 0; i < 4 && pass->n_summaries < PASS_SUMMARIES; i++)
        if (summary_make(&pass->summaries[pass->n_summaries], pass->trace, kinds[i].stack,
                         kinds[i].cross, pass->arena))
            pass->n_summaries++;
}

const Summary *pass_summary(const Pass *pass, const Place *attention) {
    for (int i = 0; pass && i < pass->n_summaries; i++)
        if (place_same_attention(&pass->summaries[i].attention, attention))
            return &pass->summaries[i];
    return NULL;
}

const Summary *pass_summary_near(const Pass *pass, const Place *attention) {
    const Summary *found = pass_summary(pass, attention);
    if (found || !pass || pass->n_summaries == 0) return found;
    return &pass->summaries[pass->n_summaries - 1];
}

double pass_worst(const Pass *pass) {
    double worst = 0;
    for (int i = 0; i < pass->n_steps; i++) {
        double p = pass->steps[i].prob;
        worst = fmin(worst, p > 0 ? log(p) : -99);
    }
    return worst;
}

/* Everything one run needs while it is going on. */
typedef struct Running {
    Pass *pass;
    const Subject *subject;
    const State *state;
    const char *const *sites;
    const Progress *progress;
    Edits edits;
    Input input;
} Running;

static bool writes(const Model *model) {
    Family family = model->config.family;
    return family == FAMILY_ENCODER_DECODER || family == FAMILY_RECURRENT;
}

static bool search(Running *r, const Edits *edits, Generation *out, Error *error) {
    GenerateOptions options = {.n_beams = r->state->beam,
                               .max_new_tokens = r->state->max_new_tokens,
                               .keep_beams = r->state->beam > 1,
                               .edits = edits && edits->n ? edits : NULL,
                               .progress = *r->progress};
    return generate(r->subject->model, &r->input, &options, r->pass->arena, out, error);
}

/* Encoder-decoder: the model's own words, with and without the edits, and what is traced. */
static bool write_target(Running *r, Error *error) {
    Pass *pass = r->pass;
    Input forced = r->input;
    pass->typed = forced.target.n > 0;
    if (!search(r, &r->edits, &pass->search, error)) return false;
    pass->own = subject_decode(r->subject, pass->search.ids, pass->search.n, pass->arena);
    pass->score_own = pass->search.score;
    if (r->edits.n) {
        Generation plain;
        if (!search(r, NULL, &plain, error)) return false;
        pass->own_plain = subject_decode(r->subject, plain.ids, plain.n, pass->arena);
    }
    if (!pass->typed)
        r->input = generation_input(&r->input, pass->search.ids, pass->search.n,
                                    r->subject->tokenizer, pass->arena);
    return true;
}

/* One causal stack: what it goes on with becomes part of what is read. */
static bool write_continuation(Running *r, Error *error) {
    Pass *pass = r->pass;
    if (r->state->max_new_tokens < 1) return true;
    if (!search(r, &r->edits, &pass->search, error)) return false;
    int n = pass->search.n;
    Tokens tokens = subject_tokens(r->subject, pass->search.ids, n, false, pass->arena);
    for (int i = 0; i < r->input.source.n && i < n; i++)
        tokens.items[i] = r->input.source.items[i];
    tokens.text = r->input.source.text;
    int begin = pass->search.n_prompt < n ? pass->search.n_prompt : n;
    pass->own = subject_decode(r->subject, pass->search.ids + begin, n - begin, pass->arena);
    r->input.source = tokens;
    return true;
}

static Trace *trace_with(Running *r, const Edits *edits, Error *error) {
    TraceOptions options = {
        .sites = r->sites, .edits = edits && edits->n ? edits : NULL, .progress = *r->progress};
    return trace_run(r->subject->model, &r->input, &options, error);
}

/* The other side of a difference: the same tokens without the edits, or by another model. */
static bool trace_other_side(Running *r, Error *error) {
    Pass *pass = r->pass;
    const char *against = r->state->against;
    if (against && *against) {
        if (file_exists(against)) {
            pass->plain = trace_open(against, error);
            return pass->plain != NULL;
        }
        Subject *other = subject_open(against, error);
        if (!other) return false;
        TraceOptions options = {.sites = r->sites, .progress = *r->progress};
        pass->plain = trace_run(other->model, &r->input, &options, error);
        subject_close(other);
        return pass->plain != NULL || error_prefix(error, "%s", against);
    }
    if (r->edits.n == 0) return true;
    pass->plain = trace_with(r, NULL, error);
    return pass->plain != NULL;
}

static bool run_model(Running *r, Error *error) {
    Pass *pass = r->pass;
    const Model *model = r->subject->model;
    SubjectText what = scene_text(r->state);
    if (!subject_read(r->subject, &what, pass->arena, &r->input, error)) return false;
    if (!pass_edits(r->state, model, pass->arena, &r->edits, error)) return false;
    pass->source = r->input.source.text;
    pass->n_prompt = r->input.source.n;
    if (writes(model)) {
        if (!write_target(r, error)) return false;
    } else if (model->config.family == FAMILY_DECODER) {
        if (r->state->target_text) {
            Input prompt;
            SubjectText alone = scene_text(r->state);
            alone.target_text = NULL;
            if (subject_read(r->subject, &alone, pass->arena, &prompt, NULL))
                pass->n_prompt = prompt.source.n;
        } else if (!write_continuation(r, error)) {
            return false;
        }
    }
    pass->trace = trace_with(r, &r->edits, error);
    if (!pass->trace) return false;
    if (!trace_other_side(r, error)) return false;
    Str typed = r->state->target_text ? str(r->state->target_text) : (Str){0};
    pass_steps_make(pass, r->subject, typed, r->state->to);
    return true;
}

Pass *pass_run(Loaded *loaded, const State *state, const char *const *sites,
               const Progress *progress, Error *error) {
    double begin = now_ms();
    static const Progress silent;
    Running r = {.pass = pass_new(loaded),
                 .subject = loaded ? loaded->subject : NULL,
                 .state = state,
                 .sites = sites,
                 .progress = progress ? progress : &silent};
    bool ok;
    if (state->from) {
        ImportHints hints = {state->text, state->target_text, state->row};
        r.pass->trace = import_open(state->from, &hints, error);
        ok = r.pass->trace != NULL;
    } else {
        ok = run_model(&r, error);
    }
    if (!ok) {
        pass_release(r.pass);
        return NULL;
    }
    summarise(r.pass);
    r.pass->sites_key = pass_sites_key(sites);
    r.pass->elapsed_ms = now_ms() - begin;
    return r.pass;
}

Pass *pass_of_trace(Trace *trace) {
    Pass *pass = pass_new(NULL);
    pass->trace = trace;
    pass->sites_key = pass_sites_key(NULL);
    summarise(pass);
    return pass;
}
