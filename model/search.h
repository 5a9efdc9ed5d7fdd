/* The inside of generation: hypotheses that grow by a token a step, over a key/value cache. Shared
 * by the greedy and the beam search.
 */
#ifndef MODEL_SEARCH_H
#define MODEL_SEARCH_H

#include "model/forward.h"
#include "model/generate.h"
#include "model/logits.h"

typedef struct SearchTask {
    const Model *model;
    const Input *inputs; // [n_inputs]
    int n_inputs;
    const int32_t *prompt; // [n_prompt] what every hypothesis begins with
    int n_prompt;
    const GenerateOptions *options;
} SearchTask;

typedef struct Search {
    const Model *model;
    const GenerateOptions *options;
    Run run;
    StackId stack; /* that writes */
    Cache *cache;
    TokenRows source; /* packed; n_rows 0: one stack */
    Memory memory;
    StepRules rules;
    int n_vocab;
} Search;

/* Is there a decoder and a head that says a next token? */
bool search_writes(const Model *model, Error *error);
/* Reads the sources (encoder-decoder) and makes a cache for n_rows hypotheses. False: error set,
 * and nothing to close. */
bool search_open(Search *search, const SearchTask *task, int n_rows, Error *error);
void search_close(Search *search);
/* Feeds n_new tokens of each row, ids [n_rows * n_new]; logits of the last of each row
 * [n_rows, n_vocab], in the search's arena until the next step. */
bool search_step(Search *search, const int32_t *ids, int n_rows, int n_new, Tensor *logits,
                 Error *error);
/* Log-probabilities of ids[n_prompt..n) in one forced pass over the source of one input, and the
 * n_top best alternatives of each step; out->ids and out->n are set. */
bool search_score(Search *search, int input, int n_top, Arena *arena, Generation *out,
                  Error *error);
/* Log-probability of `id` and the n_top best ids for one row of logits. */
void search_note(const Search *search, const float *logits, int32_t id, float *log_prob, int n_top,
                 Alternative *top);

/* The beam search (beam.c), of all inputs side by side; out [n_inputs]. generate() is the way in.
 */
bool beam_search(const SearchTask *task, int n_beams, Arena *arena, Generation *out, Error *error);

#endif
