/* Beam search as Hugging Face transformers 4.40 defines it (generation/beam_search.py,
 * BeamSearchScorer): twice as many candidates as beams a step; an end of sentence among the best
 * n_beams closes a hypothesis; scores are divided by the number of written tokens to the power of
 * the length penalty. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/kernels.h"
#include "model/search.h"

typedef struct Hypothesis {
    int32_t *ids; // [n]
    int n;
    double score; /* with the length penalty */
    int node;
} Hypothesis;

typedef struct Candidate {
    float score;
    int beam, id;
} Candidate;

typedef struct Beams {
    Search search;
    const GenerateOptions *options;
    Arena *arena;
    int n_beams, n_prompt, length; /* tokens of each beam so far */
    float penalty;
    int32_t **ids;    // [n_beams][max_length]
    float *scores;    // [n_beams]
    int *nodes;       // [n_beams] last node of each
    Hypothesis *done; // [n_beams + 1], at most n_beams kept
    int n_done;
    double worst;
    StrBuf tree; /* of BeamNode */
} Beams;

static int add_node(Beams *b, int32_t id, int parent, float log_prob, float score, bool finished) {
    if (!b->options->keep_beams) return -1;
    BeamNode node = {id, parent, b->length - b->n_prompt, log_prob, score, finished};
    strbuf_add(&b->tree, &node, sizeof node);
    return (int)(b->tree.n / sizeof node) - 1;
}

/* Keeps the n_beams best finished hypotheses. */
static void finish(Beams *b, int beam, double sum, int n_written, int node) {
    double score = sum / pow(n_written, b->penalty);
    if (b->n_done == b->n_beams && !(score > b->worst)) return;
    Hypothesis h = {.ids = arena_alloc(b->arena, ((size_t)b->length + 1) * sizeof *h.ids),
                    .n = b->length,
                    .score = score,
                    .node = node};
    memcpy(h.ids, b->ids[beam], (size_t)b->length * sizeof *h.ids);
    b->done[b->n_done++] = h;
    if (b->n_done > b->n_beams) {
        int worst = 0;
        for (int i = 1; i < b->n_done; i++)
            if (b->done[i].score < b->done[worst].score) worst = i;
        b->done[worst] = b->done[--b->n_done];
    }
    b->worst = b->done[0].score;
    for (int i = 1; i < b->n_done; i++)
        b->worst = fmin(b->worst, b->done[i].score);
}

/* The n best of all beams' next tokens, best first; ties go to the lower beam and id. */
static void best_candidates(const Beams *b, const float *scores, int n, Candidate *out) {
    int found = 0, n_vocab = b->search.n_vocab;
    for (int beam = 0; beam < b->n_beams; beam++)
        for (int v = 0; v < n_vocab; v++) {
            float s = scores[(int64_t)beam * n_vocab + v];
            if (found == n && !(s > out[n - 1].score)) continue;
            int at = found < n ? found++ : n - 1;
            while (at > 0 && s > out[at - 1].score) {
                out[at] = out[at - 1];
                at--;
            }
            out[at] = (Candidate){s, beam, v};
        }
}

/* Logarithms of probabilities that sum to 1 again. */
static void renormalize(float *scores, float *scratch, int n_vocab) {
    float lse = kernel_softmax(scores, scratch, n_vocab);
    for (int v = 0; v < n_vocab && !isinf(lse); v++)
        scores[v] -= lse;
}

/* log p of each next token plus the score of its beam. */
static void score_step(Beams *b, Tensor logits, float *log_probs, float *scores) {
    int n_vocab = b->search.n_vocab;
    for (int beam = 0; beam < b->n_beams; beam++) {
        float *row = scores + (int64_t)beam * n_vocab, *probs = log_probs + (int64_t)beam * n_vocab;
        logits_log_softmax(logits.data + (int64_t)beam * n_vocab, n_vocab, row);
        logits_process(&b->search.rules, b->ids[beam], b->length, row, n_vocab);
        if (b->search.rules.config->renormalize) renormalize(row, probs, n_vocab);
        memcpy(probs, row, (size_t)n_vocab * sizeof *row);
        for (int v = 0; v < n_vocab; v++)
            row[v] += b->scores[beam];
    }
}

/* Chooses the next beams; false when the search is over. */
static bool choose(Beams *b, const Candidate *best, int n_candidates, const float *log_probs,
                   int32_t *parents, int32_t *next) {
    int n = 0, written = b->length + 1 - b->n_prompt, n_vocab = b->search.n_vocab;
    int *nodes = malloc((size_t)b->n_beams * sizeof *nodes);
    float *scores = malloc((size_t)b->n_beams * sizeof *scores);
    if (!nodes || !scores) abort();
    for (int rank = 0; rank < n_candidates && n < b->n_beams; rank++) {
        const Candidate *c = &best[rank];
        bool end = logits_is_end(&b->search.rules, c->id);
        if (end && rank >= b->n_beams) continue;
        float log_prob = log_probs[(int64_t)c->beam * n_vocab + c->id];
        int node = add_node(b, c->id, b->nodes[c->beam], log_prob, c->score, end);
        if (end) {
            finish(b, c->beam, c->score, written, node);
            continue;
        }
        parents[n] = c->beam;
        next[n] = c->id;
        nodes[n] = node;
        scores[n++] = c->score;
    }
    bool over = false;
    if (b->n_done == b->n_beams) {
        const StepRules *rules = &b->search.rules;
        bool longest = rules->config->never_early && b->penalty > 0;
        int length = longest ? rules->max_length - b->n_prompt : written;
        double attainable = best[0].score / pow(length, b->penalty);
        over = rules->config->early_stopping || b->worst >= attainable;
    }
    memcpy(b->nodes, nodes, (size_t)n * sizeof *nodes);
    memcpy(b->scores, scores, (size_t)n * sizeof *scores);
    free(nodes);
    free(scores);
    return !over && n == b->n_beams;
}

/* Beam r goes on from what stood in beam parents[r]. */
static void grow(Beams *b, const int32_t *parents, const int32_t *next, int32_t *scratch) {
    int most = b->search.rules.max_length;
    for (int r = 0; r < b->n_beams; r++)
        memcpy(scratch + (int64_t)r * most, b->ids[parents[r]],
               (size_t)b->length * sizeof *scratch);
    for (int r = 0; r < b->n_beams; r++) {
        memcpy(b->ids[r], scratch + (int64_t)r * most, (size_t)b->length * sizeof *scratch);
        b->ids[r][b->length] = next[r];
    }
    b->length++;
}

static bool steps(Beams *b, Error *error) {
    Search *s = &b->search;
    Arena *arena = s->run.arena;
    int n_candidates = (s->rules.config->n_eos > 1 ? 1 + s->rules.config->n_eos : 2) * b->n_beams;
    if (n_candidates / b->n_beams > s->n_vocab) n_candidates = b->n_beams * s->n_vocab;
    size_t cells = (size_t)b->n_beams * (size_t)s->n_vocab, most = (size_t)s->rules.max_length;
    int32_t *feed = arena_alloc(arena, (size_t)(b->n_beams * b->n_prompt) * sizeof *feed);
    int32_t *parents = arena_alloc(arena, (size_t)b->n_beams * sizeof *parents);
    int32_t *scratch = arena_alloc(arena, (size_t)b->n_beams * most * sizeof *scratch);
    float *log_probs = arena_alloc(arena, cells * sizeof(float));
    float *scores = arena_alloc(arena, cells * sizeof(float));
    Candidate *best = arena_alloc(arena, (size_t)n_candidates * sizeof *best);
    for (int r = 0; r < b->n_beams; r++)
        memcpy(feed + r * b->n_prompt, b->ids[r], (size_t)b->n_prompt * sizeof *feed);
    ArenaMark mark = arena_mark(arena);
    for (int n_new = b->n_prompt; b->length < s->rules.max_length; n_new = 1) {
        Tensor logits;
        if (!search_step(s, feed, b->n_beams, n_new, &logits, error)) return false;
        score_step(b, logits, log_probs, scores);
        best_candidates(b, scores, n_candidates, best);
        int32_t *next = arena_alloc(arena, (size_t)b->n_beams * sizeof *next);
        bool on = choose(b, best, n_candidates, log_probs, parents, next);
        if (!on) return true;
        grow(b, parents, next, scratch);
        cache_reorder(s->cache, parents, b->n_beams);
        memcpy(feed, next, (size_t)b->n_beams * sizeof *feed);
        arena_reset(arena, mark);
        if (b->options->progress.report)
            b->options->progress.report(b->options->progress.context,
                                        (double)b->length / s->rules.max_length);
    }
    for (int r = 0; r < b->n_beams; r++) /* those that ran into the limit count too */
        finish(b, r, b->scores[r], b->length - b->n_prompt, b->nodes[r]);
    return true;
}

/* The best hypothesis; its end of sentence, which closed it, is written if there is room. */
static void take_best(Beams *b, Generation *out) {
    int best = 0;
    for (int i = 1; i < b->n_done; i++)
        if (b->done[i].score > b->done[best].score) best = i;
    Hypothesis *h = &b->done[best];
    *out = (Generation){.n = h->n, .ids = h->ids, .n_prompt = b->n_prompt, .score = h->score};
    const StepRules *rules = &b->search.rules;
    if (out->n < rules->max_length && rules->config->n_eos && !rules->ignore_eos)
        out->ids[out->n++] = rules->config->eos_ids[0];
    if (!b->options->keep_beams) return;
    out->n_nodes = (int)(b->tree.n / sizeof(BeamNode));
    out->nodes = arena_alloc(b->arena, b->tree.n + 1);
    if (b->tree.n) memcpy(out->nodes, b->tree.data, b->tree.n);
}

bool beam_search(const Model *model, const Input *input, const int32_t *prompt, int n_prompt,
                 int n_beams, const GenerateOptions *options, Arena *arena, Generation *out,
                 Error *error) {
    Beams b = {.options = options,
               .arena = arena,
               .n_beams = n_beams,
               .n_prompt = n_prompt,
               .length = n_prompt,
               .penalty = options->length_penalty ? *options->length_penalty
                                                  : model->config.generation.length_penalty};
    if (!search_open(&b.search, model, input, 1, n_beams, n_prompt, options, error)) return false;
    Arena *scratch = b.search.run.arena;
    size_t beams = (size_t)n_beams;
    b.ids = arena_alloc(scratch, beams * sizeof *b.ids);
    b.scores = arena_alloc(scratch, beams * sizeof *b.scores);
    b.nodes = arena_alloc(scratch, beams * sizeof *b.nodes);
    b.done = arena_alloc(scratch, (beams + 1) * sizeof *b.done);
    b.search.memory.row_of = arena_calloc(scratch, beams, sizeof(int32_t)); /* one source for all */
    for (int r = 0; r < n_beams; r++) {
        b.ids[r] = arena_alloc(scratch, ((size_t)b.search.rules.max_length + 1) * sizeof(int32_t));
        memcpy(b.ids[r], prompt, (size_t)n_prompt * sizeof *prompt);
        b.scores[r] = r == 0 ? 0 : -1e9f; /* all beams are alike: only the first may speak */
        b.nodes[r] = -1;
    }
    bool ok = steps(&b, error);
    if (ok) {
        take_best(&b, out);
        double score = out->score;
        ok = search_score(&b.search, options->n_top, arena, out, error);
        out->score = score;
    }
    strbuf_free(&b.tree);
    search_close(&b.search);
    return ok;
}
