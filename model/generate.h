/* Continuations: greedy or beam search with a key/value cache, as Hugging Face transformers 4.40
 * defines them, and forced decoding of a given target.
 *
 *     Generation g;
 *     generate(model, &input, &(GenerateOptions){.max_new_tokens = 100}, arena, &g, &error);
 *     g.ids [g.n]                      encoder-decoder: from the start token; decoder-only: prompt
 * too
 *
 * The trace of a generation is one forced pass over the chosen ids with the same edits: see
 * generation_input().
 */
#ifndef MODEL_GENERATE_H
#define MODEL_GENERATE_H

#include "model/trace.h"

typedef struct GenerateOptions {
    int n_beams;        /* 0: what the model's generation config says */
    int max_new_tokens; /* 0: the generation config's limit, or 3 * source + 50 */
    bool ignore_eos;
    int n_top;                   /* alternatives to keep a step; 0: none */
    bool keep_beams;             /* also the tree of the search */
    const float *length_penalty; /* NULL: the generation config's */
    const Edits *edits;          /* checked; NULL: none */
    const int32_t *prompt; // [n_prompt] decoder ids to begin with (encoder-decoder); NULL: start id
    int n_prompt;
    Progress progress;
} GenerateOptions;

typedef struct Alternative {
    int32_t id;
    float log_prob;
} Alternative;

typedef struct BeamNode { /* one token of one hypothesis of the search, also those dropped later */
    int32_t id;
    int parent; /* index of a node; -1: the root */
    int step;
    float log_prob; /* of this token */
    float score;    /* sum so far */
    bool finished;  /* an eos that ended a hypothesis */
} BeamNode;

typedef struct Generation {
    int n;
    int32_t *ids;     // [n] start token or prompt first
    int n_prompt;     /* how many of them were given */
    float *log_probs; // [n] of each id, 0 for the given ones
    double score;     /* sum of log_probs; with beams divided by length^penalty */
    int n_top;
    Alternative *top; // [n - n_prompt, n_top], best first
    int n_nodes;
    BeamNode *nodes; // [n_nodes] if keep_beams
} Generation;

/* How many beams these options mean: the generation config's where they say none; 1: greedy. */
int generate_n_beams(const Model *model, const GenerateOptions *options);

/* input.source (or, for one causal stack, the prompt); input.target is not read. */
bool generate(const Model *model, const Input *input, const GenerateOptions *options, Arena *arena,
              Generation *out, Error *error);

/* Many at once in one packed batch, all with the first one's prompt: encoder-decoder, no edits;
 * out [n_inputs]. */
bool generate_batch(const Model *model, const Input *inputs, int n_inputs,
                    const GenerateOptions *options, Arena *arena, Generation *out, Error *error);

/* The input of the forced pass that traces ids: decoder reads ids[0..n-1), writes ids[1..n). Labels
 * from the tokenizer (NULL: the ids themselves), byte spans in the decoded text, target.text. */
Input generation_input(const Input *input, const int32_t *ids, int n, const Tokenizer *tokenizer,
                       Arena *arena);

/* Log-probability of each token of a given target, ids [n] from the start token; out [n - 1]. */
bool score_target(const Model *model, const Input *input, const int32_t *ids, int n,
                  const Edits *edits, float *out, Error *error);

#endif
