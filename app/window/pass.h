/* One run of a model over what the window's fields say, and all that the window shows of it. Made
 * on the worker's thread, read-only afterwards, counted owners.
 *
 *     Pass *pass = pass_run(loaded, &state, sites, &progress, &error);
 *     pass_release(pass);
 */
#ifndef APP_WINDOW_PASS_H
#define APP_WINDOW_PASS_H

#include "app/state.h"
#include "app/subject.h"
#include "app/window/summary.h"
#include "model/generate.h"
#include "model/words.h"

/* An open model; shared by the window, the running job and the passes made with it. */
typedef struct Loaded {
    atomic_int n_owners;
    Subject *subject;
    char *name; /* as it was asked for; owned */
} Loaded;
Loaded *loaded_open(const char *name, Error *error);
Loaded *loaded_retain(Loaded *loaded);
void loaded_release(Loaded *loaded); /* NULL is fine */

enum { PASS_TOP = 8, PASS_SUMMARIES = 3, PASS_MAX_EDITS = 64 };

/* One token that the model wrote, or was made to write. */
typedef struct PassStep {
    int32_t id;
    Str label;  /* as the vocabulary has it */
    Str pretty; /* as a reader writes it */
    bool special;
    int64_t begin, end; /* bytes of `output`; equal: none */
    double prob;
    int n_top;
    struct {
        int32_t id;
        Str label;
        double prob;
    } top[PASS_TOP]; /* best first */
} PassStep;

/* What a classifier or a masked language model answers. */
typedef struct PassAnswer {
    Str label;
    double prob, prob_plain; /* after and before the edits */
} PassAnswer;

typedef struct Pass {
    atomic_int n_owners;
    Arena *arena;
    Loaded *loaded; /* NULL: attentions from a file */
    Trace *trace;
    Trace *plain;  /* the same tokens without the edits, or the other side; NULL: none */
    Str source;    /* as it was read */
    Str output;    /* what the decoder writes: the model's own words, or those given */
    Str own;       /* the model's own words, edits included */
    Str own_plain; /* without the edits; empty: no edits */
    bool typed;    /* the target was given */
    int n_steps;
    PassStep *steps;         // [n_steps]
    TokenStyle style;        /* of the labels of what is written */
    double score, score_own; /* log-probabilities of `output` and `own` */
    int parts_at;            /* step at which a typed target leaves the model's own; -1 */
    Generation search;       /* beams and alternatives; n 0: none */
    int n_prompt;            /* one causal stack: tokens of the prompt */
    int n_answers;
    PassAnswer answers[5];
    int n_summaries;
    Summary summaries[PASS_SUMMARIES];
    char *sites_key; /* which sites were kept */
    double elapsed_ms;
} Pass;

/* sites: globs ended by NULL. NULL on failure. */
Pass *pass_run(Loaded *loaded, const State *state, const char *const *sites,
               const Progress *progress, Error *error);
/* Attentions that are there already, without a model; takes the trace. */
Pass *pass_of_trace(Trace *trace);
Pass *pass_retain(Pass *pass);
void pass_release(Pass *pass);                                         /* NULL is fine */
const Summary *pass_summary(const Pass *pass, const Place *attention); /* NULL: none */
/* The same, or where there is none of this attention that of another. */
const Summary *pass_summary_near(const Pass *pass, const Place *attention);
double pass_worst(const Pass *pass); /* log-probability of the least likely word */

/* "ablate decoder.2.cross_attn:H3" and so on, as State keeps them. */
bool pass_edits(const State *state, const Model *model, Arena *arena, Edits *out, Error *error);
/* globs joined by blanks. */
char *pass_sites_key(const char *const *sites);

#endif
