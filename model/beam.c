/* Beam search as Hugging Face transformers 4.40 defines it (generation/beam_search.py,
 * BeamSearchScorer): twice as many candidates as beams a step; an end of sentence among the best
 * n_beams closes a hypothesis; scores are divided by the number of written tokens to the power of
 * the length penalty.
 *
 * Several inputs go side by side, so that a pass reads the weights once for all of them: rows
 * [live input, beam]. An input whose search is over leaves, and the rows behind it move up. */
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

typedef struct Beams { /* of one input */
    const StepRules *rules;
    const GenerateOptions *options;
    Arena *arena; /* of the answer */
    int input, n_vocab;
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
    int found = 0;
    for (int beam = 0; beam < b->n_beams; beam++)
        for (int v = 0; v < b->n_vocab; v++) {
            float s = scores[(int64_t)beam * b->n_vocab + v];
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

typedef struct Step {          /* what one input's step works with */
    float *log_probs, *scores; // [n_beams, n_vocab]
    Candidate *best;           // [n_candidates]
    int n_candidates;
    int32_t *parents, *next; // [n_beams] the beam each goes on from, and with what
    int *nodes;              // [n_beams]
    float *sums;             // [n_beams]
    int32_t *ids;            // [n_beams, max_length]
} Step;

static Step step_new(const Search *s, int n_beams) {
    Arena *arena = s->run.arena;
    int n_eos = s->rules.config->n_eos;
    size_t beams = (size_t)n_beams, cells = beams * (size_t)s->n_vocab;
    int n = (n_eos > 1 ? 1 + n_eos : 2) * n_beams;
    if (n / n_beams > s->n_vocab) n = n_beams * s->n_vocab;
    return (Step){.log_probs = arena_alloc(arena, cells * sizeof(float)),
                  .scores = arena_alloc(arena, cells * sizeof(float)),
                  .best = arena_alloc(arena, (size_t)n * sizeof(Candidate)),
                  .n_candidates = n,
                  .parents = arena_alloc(arena, beams * sizeof(int32_t)),
                  .next = arena_alloc(arena, beams * sizeof(int32_t)),
                  .nodes = arena_alloc(arena, beams * sizeof(int)),
                  .sums = arena_alloc(arena, beams * sizeof(float)),
                  .ids = arena_alloc(arena, beams * (size_t)s->rules.max_length * sizeof(int32_t))};
}

/* log p of each next token plus the score of its beam; logits [n_beams, n_vocab]. */
static void score_step(const Beams *b, const float *logits, Step *step) {
    int n_vocab = b->n_vocab;
    for (int beam = 0; beam < b->n_beams; beam++) {
        int64_t first = (int64_t)beam * n_vocab;
        float *row = step->scores + first, *probs = step->log_probs + first;
        logits_log_softmax(logits + first, n_vocab, row);
        logits_process(b->rules, b->ids[beam], b->length, row, n_vocab);
        if (b->rules->config->renormalize) renormalize(row, probs, n_vocab);
        memcpy(probs, row, (size_t)n_vocab * sizeof *row);
        for (int v = 0; v < n_vocab; v++)
            row[v] += b->scores[beam];
    }
}

/* Can no open hypothesis become better than the worst that is kept? */
static bool is_over(const Beams *b, const Candidate *best, int written) {
    if (b->n_done < b->n_beams) return false;
    bool longest = b->rules->config->never_early && b->penalty > 0;
    int length = longest ? b->rules->max_length - b->n_prompt : written;
    double attainable = best->score / pow(length, b->penalty);
    return b->rules->config->early_stopping || b->worst >= attainable;
}

/* Chooses the next beams; false when the search is over. */
static bool choose(Beams *b, Step *step) {
    int n = 0, written = b->length + 1 - b->n_prompt;
    for (int rank = 0; rank < step->n_candidates && n < b->n_beams; rank++) {
        const Candidate *c = &step->best[rank];
        bool end = logits_is_end(b->rules, c->id);
        if (end && rank >= b->n_beams) continue;
        float log_prob = step->log_probs[(int64_t)c->beam * b->n_vocab + c->id];
        int node = add_node(b, c->id, b->nodes[c->beam], log_prob, c->score, end);
        if (end) {
            finish(b, c->beam, c->score, written, node);
            continue;
        }
        step->parents[n] = c->beam;
        step->next[n] = c->id;
        step->nodes[n] = node;
        step->sums[n++] = c->score;
    }
    memcpy(b->nodes, step->nodes, (size_t)n * sizeof *b->nodes);
    memcpy(b->scores, step->sums, (size_t)n * sizeof *b->scores);
    return n == b->n_beams && !is_over(b, step->best, written);
}

/* Beam r goes on from what stood in beam parents[r]. */
static void grow(Beams *b, const Step *step) {
    int64_t most = b->rules->max_length;
    size_t n_bytes = (size_t)b->length * sizeof *step->ids;
    for (int r = 0; r < b->n_beams; r++)
        memcpy(step->ids + r * most, b->ids[step->parents[r]], n_bytes);
    for (int r = 0; r < b->n_beams; r++) {
        memcpy(b->ids[r], step->ids + r * most, n_bytes);
        b->ids[r][b->length] = step->next[r];
    }
    b->length++;
}

/* One token more for each beam of an input; false when its search is over. */
static bool advance(Beams *b, const float *logits, Step *step) {
    score_step(b, logits, step);
    best_candidates(b, step->scores, step->n_candidates, step->best);
    if (!choose(b, step)) return false;
    grow(b, step);
    return true;
}

/* ---- all inputs ---- */

typedef struct Batch { /* of inputs that search side by side */
    Search search;
    Beams *beams; // [n_inputs]
    int n_beams, n_prompt, n_live;
    int32_t *live;                   // [n_live] the inputs that still search
    int32_t *input_of, *from, *feed; // [rows] whose row it is, which row it was, what it reads
} Batch;

/* After a step: rows of the inputs that go on, closed up. logits [n_live * n_beams, n_vocab] */
static void advance_all(Batch *s, const float *logits, Step *step) {
    int live = 0, n_beams = s->n_beams;
    for (int i = 0; i < s->n_live; i++) {
        Beams *b = &s->beams[s->live[i]];
        if (!advance(b, logits + (int64_t)i * n_beams * s->search.n_vocab, step)) continue;
        for (int r = 0; r < n_beams; r++) {
            s->input_of[live * n_beams + r] = b->input;
            s->from[live * n_beams + r] = i * n_beams + step->parents[r];
            s->feed[live * n_beams + r] = step->next[r];
        }
        s->live[live++] = b->input;
    }
    s->n_live = live;
    cache_reorder(s->search.cache, s->from, live * n_beams);
}

static bool steps(Batch *s, Error *error) {
    Search *search = &s->search;
    const Progress *progress = &search->options->progress;
    int most = search->rules.max_length;
    Step step = step_new(search, s->n_beams);
    ArenaMark mark = arena_mark(search->run.arena);
    for (int length = s->n_prompt, n_new = length; s->n_live > 0 && length < most; length++) {
        Tensor logits;
        if (!search_step(search, s->feed, s->n_live * s->n_beams, n_new, &logits, error))
            return false;
        advance_all(s, logits.data, &step);
        n_new = 1;
        arena_reset(search->run.arena, mark);
        if (progress->report) progress->report(progress->context, (double)length / most);
    }
    for (int i = 0; i < s->n_live; i++) { /* those that ran into the limit count too */
        Beams *b = &s->beams[s->live[i]];
        for (int r = 0; r < b->n_beams; r++)
            finish(b, r, b->scores[r], b->length - b->n_prompt, b->nodes[r]);
    }
    return true;
}

/* The best hypothesis; its end of sentence, which closed it, is written if there is room. */
static void take_best(const Beams *b, Generation *out) {
    int best = 0;
    for (int i = 1; i < b->n_done; i++)
        if (b->done[i].score > b->done[best].score) best = i;
    Hypothesis *h = &b->done[best];
    *out = (Generation){.n = h->n, .ids = h->ids, .n_prompt = b->n_prompt, .score = h->score};
    if (out->n < b->rules->max_length && b->rules->config->n_eos && !b->rules->ignore_eos)
        out->ids[out->n++] = b->rules->config->eos_ids[0];
    if (!b->options->keep_beams) return;
    out->n_nodes = (int)(b->tree.n / sizeof(BeamNode));
    out->nodes = arena_alloc(b->arena, b->tree.n + 1);
    if (b->tree.n) memcpy(out->nodes, b->tree.data, b->tree.n);
}

static void beams_begin(Beams *b, const SearchTask *task, Arena *scratch) {
    size_t beams = (size_t)b->n_beams, most = (size_t)b->rules->max_length + 1;
    b->ids = arena_alloc(scratch, beams * sizeof *b->ids);
    b->scores = arena_alloc(scratch, beams * sizeof *b->scores);
    b->nodes = arena_alloc(scratch, beams * sizeof *b->nodes);
    b->done = arena_alloc(scratch, (beams + 1) * sizeof *b->done);
    for (int r = 0; r < b->n_beams; r++) {
        b->ids[r] = arena_alloc(scratch, most * sizeof(int32_t));
        memcpy(b->ids[r], task->prompt, (size_t)task->n_prompt * sizeof(int32_t));
        b->scores[r] = r == 0 ? 0 : -1e9f; /* all beams are alike: only the first may speak */
        b->nodes[r] = -1;
    }
}

static void batch_begin(Batch *s, const SearchTask *task, Arena *answer) {
    Arena *arena = s->search.run.arena;
    const float *penalty = task->options->length_penalty;
    size_t rows = (size_t)task->n_inputs * (size_t)s->n_beams, n_prompt = (size_t)task->n_prompt;
    s->beams = arena_alloc(arena, (size_t)task->n_inputs * sizeof *s->beams);
    s->live = arena_alloc(arena, (size_t)task->n_inputs * sizeof *s->live);
    s->input_of = arena_alloc(arena, rows * sizeof *s->input_of);
    s->from = arena_alloc(arena, rows * sizeof *s->from);
    s->feed = arena_alloc(arena, rows * n_prompt * sizeof *s->feed);
    s->search.memory.row_of = s->input_of;
    for (int i = 0; i < task->n_inputs; i++) {
        s->live[i] = i;
        s->beams[i] =
            (Beams){.rules = &s->search.rules,
                    .options = task->options,
                    .arena = answer,
                    .input = i,
                    .n_vocab = s->search.n_vocab,
                    .n_beams = s->n_beams,
                    .n_prompt = task->n_prompt,
                    .length = task->n_prompt,
                    .penalty = penalty ? *penalty : task->model->config.generation.length_penalty};
        beams_begin(&s->beams[i], task, arena);
    }
    for (size_t r = 0; r < rows; r++) {
        s->input_of[r] = (int32_t)(r / (size_t)s->n_beams);
        memcpy(s->feed + r * n_prompt, task->prompt, n_prompt * sizeof *s->feed);
    }
}

bool beam_search(const SearchTask *task, int n_beams, Arena *arena, Generation *out, Error *error) {
    Batch s = {.n_beams = n_beams, .n_prompt = task->n_prompt, .n_live = task->n_inputs};
    if (!search_open(&s.search, task, task->n_inputs * n_beams, error)) return false;
    batch_begin(&s, task, arena);
    bool ok = steps(&s, error);
    for (int i = 0; i < task->n_inputs; i++) {
        if (ok) {
            take_best(&s.beams[i], &out[i]);
            double score = out[i].score;
            ok = search_score(&s.search, i, task->options->n_top, arena, &out[i], error);
            out[i].score = score;
        }
        strbuf_free(&s.beams[i].tree);
    }
    search_close(&s.search);
    return ok;
}
