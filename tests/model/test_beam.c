/* The beam search against one without cache, written from the definition: transformers 4.40,
 * generation/beam_search.py. Every hypothesis is scored by a pass of its own. */
#include "tests/model/engine.h"

#include <stdlib.h>
#include <string.h>

#include "model/generate.h"
#include "model/logits.h"

enum { MOST_BEAMS = 5, MOST_LENGTH = 16 };

typedef struct Beam {
    int32_t ids[MOST_LENGTH];
    int n;
    double score;
} Beam;

typedef struct Reference {
    Golden *g;
    StepRules rules;
    int n_beams, n_vocab;
    double penalty;
    Beam live[MOST_BEAMS], done[MOST_BEAMS + 1];
    int n_done;
    float *scores; // [n_beams, n_vocab]
} Reference;

static void score_row(Reference *r, const Beam *beam, float *out) {
    static const char *const sites[] = {"logits", NULL};
    Golden g = *r->g;
    g.input.target = tokens_of(g.arena, beam->ids, beam->n);
    Trace *trace = golden_trace(&g, &(TraceOptions){.sites = sites});
    Tensor logits = trace_tensor_of(trace, "logits");
    logits_log_softmax(tensor_at(logits, beam->n - 1, 0, 0, 0), r->n_vocab, out);
    logits_process(&r->rules, beam->ids, beam->n, out, r->n_vocab);
    double sum = 0;
    for (int v = 0; v < r->n_vocab; v++)
        sum += exp((double)out[v]);
    bool renormalize = r->rules.config->renormalize;
    for (int v = 0; v < r->n_vocab; v++)
        out[v] = (float)(out[v] - (renormalize ? log(sum) : 0) + beam->score);
    trace_release(trace);
}

static void add_done(Reference *r, const Beam *beam, double sum, int n_written) {
    Beam h = *beam;
    h.score = sum / pow(n_written, r->penalty);
    double worst = INFINITY;
    int at = 0;
    for (int i = 0; i < r->n_done; i++)
        if (r->done[i].score < worst) worst = r->done[at = i].score;
    if (r->n_done < r->n_beams)
        r->done[r->n_done++] = h;
    else if (h.score > worst)
        r->done[at] = h;
}

static double worst_done(const Reference *r) {
    double worst = INFINITY;
    for (int i = 0; i < r->n_done; i++)
        worst = fmin(worst, r->done[i].score);
    return worst;
}

/* One step; false when the search is over. */
static bool reference_step(Reference *r, int n_prompt) {
    Beam next[MOST_BEAMS];
    int n = 0, cells = r->n_beams * r->n_vocab, length = r->live[0].n;
    for (int b = 0; b < r->n_beams; b++)
        score_row(r, &r->live[b], r->scores + b * r->n_vocab);
    double best = -INFINITY;
    bool *taken = arena_calloc(r->g->arena, (size_t)cells, sizeof *taken);
    for (int rank = 0; rank < 2 * r->n_beams && n < r->n_beams; rank++) {
        int top = -1;
        for (int i = 0; i < cells; i++)
            if (!taken[i] && (top < 0 || r->scores[i] > r->scores[top])) top = i;
        double score = r->scores[top];
        taken[top] = true;
        if (rank == 0) best = score;
        const Beam *from = &r->live[top / r->n_vocab];
        if (logits_is_end(&r->rules, top % r->n_vocab)) {
            if (rank < r->n_beams) add_done(r, from, score, length + 1 - n_prompt);
            continue;
        }
        next[n] = *from;
        next[n].ids[next[n].n++] = top % r->n_vocab;
        next[n++].score = score;
    }
    memcpy(r->live, next, sizeof next);
    if (r->n_done < r->n_beams) return true;
    if (r->rules.config->early_stopping) return false;
    int counted = length + 1 - n_prompt;
    if (r->rules.config->never_early && r->penalty > 0) counted = r->rules.max_length - n_prompt;
    return worst_done(r) < best / pow(counted, r->penalty);
}

static Beam reference(Golden *g, const GenerateOptions *options, double penalty) {
    int n_vocab = g->model->config.n_vocab;
    Reference r = {.g = g,
                   .rules = {&g->model->config.generation, options->ignore_eos, 1,
                             1 + options->max_new_tokens},
                   .n_beams = options->n_beams,
                   .n_vocab = n_vocab,
                   .penalty = penalty};
    r.scores = arena_alloc(g->arena, (size_t)(MOST_BEAMS * n_vocab) * sizeof *r.scores);
    for (int b = 0; b < r.n_beams; b++)
        r.live[b] =
            (Beam){.ids = {g->model->config.generation.start_id}, .n = 1, .score = b ? -1e9 : 0};
    bool on = true;
    while (on && r.live[0].n < r.rules.max_length)
        on = reference_step(&r, 1);
    for (int b = 0; on && b < r.n_beams; b++)
        add_done(&r, &r.live[b], r.live[b].score, r.live[b].n - 1);
    int best = 0;
    for (int i = 1; i < r.n_done; i++)
        if (r.done[i].score > r.done[best].score) best = i;
    Beam *b = &r.done[best];
    if (b->n < r.rules.max_length && !options->ignore_eos)
        b->ids[b->n++] = g->model->config.generation.eos_ids[0];
    return *b;
}

static const int32_t bad[] = {5, -1};
static const int32_t *const words[] = {bad};

/* The model's own generation config, changed from case to case. A likelier end of sentence makes
 * hypotheses of different lengths. */
typedef struct BeamCase {
    int n_beams, n_new, eos;
    float penalty;
    bool early, never, ignore_eos;
    int min_length, no_repeat, forced_bos, forced_eos;
    float repetition;
    bool bad_words, renormalize;
} BeamCase;
static const BeamCase beam_cases[] = {
    {2, 8, 0, 1, false, false, false, 0, 0, -1, -1, 1, false, false},
    {4, 10, 0, 0, false, false, false, 0, 0, -1, -1, 1, false, false},
    {5, 12, 0, 2, false, false, false, 0, 0, -1, 0, 1, true, false},
    {3, 12, 0, -1, true, false, false, 0, 0, -1, -1, 1, false, false},
    {3, 12, 0, 1, false, true, false, 4, 2, -1, -1, 1, false, false},
    {4, 9, 0, 1, true, false, false, 0, 1, 17, 0, 1.5f, true, false},
    {4, 6, 0, 1, false, false, true, 0, 0, -1, -1, 1, false, false},
    {4, 12, 1, 1, false, false, false, 0, 0, -1, -1, 1, false, false},
    {3, 12, 1, 0.6f, true, false, false, 0, 0, -1, -1, 1.2f, false, false},
    {3, 12, 1, 0.6f, true, false, false, 0, 0, -1, -1, 1.2f, true, true},
    {4, 9, 0, 1, false, false, false, 0, 0, 17, 0, 3, true, true}};

static void set_config(GenerationConfig *c, const BeamCase *b) {
    c->length_penalty = b->penalty;
    c->early_stopping = b->early;
    c->never_early = b->never;
    c->min_length = b->min_length;
    c->no_repeat_ngram = b->no_repeat;
    c->forced_bos_id = b->forced_bos;
    c->forced_eos_id = b->forced_eos;
    c->repetition_penalty = b->repetition;
    c->n_bad_words = b->bad_words;
    c->bad_words = words;
    c->renormalize = b->renormalize;
}

static void beams_equal_the_definition(void **state) {
    (void)state;
    Golden g = golden_open("marian");
    GenerationConfig *c = &g.model->config.generation;
    int n_early = 0;
    for (size_t i = 0; i < sizeof beam_cases / sizeof *beam_cases; i++)
        for (int source = 0; source < 3; source++) {
            const BeamCase *b = &beam_cases[i];
            int32_t ids[9];
            for (int t = 0; t < 9; t++)
                ids[t] = (source * 37 + t * 11 + 2) % 100;
            g.input.source = tokens_of(g.arena, ids, 9);
            GenerateOptions options = {.n_beams = b->n_beams,
                                       .max_new_tokens = b->n_new,
                                       .ignore_eos = b->ignore_eos,
                                       .keep_beams = true};
            Error error = {0};
            Generation out;
            c->n_eos = 1;
            c->eos_ids[0] = 0;
            if (b->eos) { /* what greedy search says third ends a sentence */
                generate(g.model, &g.input, &(GenerateOptions){.n_beams = 1, .max_new_tokens = 4},
                         g.arena, &out, &error);
                expect_ok(&error);
                c->eos_ids[0] = out.ids[out.n > 3 ? 3 : out.n - 1];
            }
            set_config(c, b);
            Beam want = reference(&g, &options, b->penalty);
            generate(g.model, &g.input, &options, g.arena, &out, &error);
            expect_ok(&error);
            bool same = out.n == want.n && memcmp(out.ids, want.ids, (size_t)out.n * 4) == 0;
            if (!same || !(fabs(out.score - want.score) < 1e-4))
                fail_msg("case %zu, source %d: %d ids of score %g, %d of %g expected", i, source,
                         out.n, out.score, want.n, want.score);
            n_early += out.n < 1 + b->n_new;
        }
    assert_true(n_early > 3); /* or ends of sentence were never tried */
    golden_close(&g);
}

/* The kept tree: parents before children, a step deeper each, sums that add up, and the chosen
 * hypothesis in it. */
static void tree_is_consistent(void **state) {
    (void)state;
    Golden g = golden_open("marian");
    Error error = {0};
    Generation out;
    GenerateOptions options = {.n_beams = 4, .max_new_tokens = 8, .keep_beams = true};
    generate(g.model, &g.input, &options, g.arena, &out, &error);
    expect_ok(&error);
    assert_true(out.n_nodes > 8);
    double best = -INFINITY;
    int last = -1;
    for (int i = 0; i < out.n_nodes; i++) {
        const BeamNode *node = &out.nodes[i];
        assert_true(node->parent >= -1 && node->parent < i);
        assert_true(node->id >= 0 && node->id < g.model->config.n_vocab);
        const BeamNode *parent = node->parent < 0 ? NULL : &out.nodes[node->parent];
        assert_int_equal(node->step, parent ? parent->step + 1 : 0);
        assert_true(fabs(node->score - (parent ? parent->score : 0) - node->log_prob) < 1e-4);
        if (parent) assert_false(parent->finished);
        bool whole = node->finished || node->step == options.max_new_tokens - 1;
        if (whole && (double)node->score / (node->step + 1) > best) {
            best = (double)node->score / (node->step + 1);
            last = i;
        }
    }
    assert_true(fabs(best - out.score) < 1e-4);
    for (int t = out.n - 1; t >= out.n_prompt; t--, last = out.nodes[last].parent)
        assert_int_equal(out.nodes[last].id, out.ids[t]);
    assert_int_equal(last, -1);
    golden_close(&g);
}

/* Settings that transformers would search otherwise with are refused, and said by name. */
static void other_searches_are_refused(void **state) {
    (void)state;
    Golden g = golden_open("marian");
    Error error = {0};
    Generation out;
    g.model->config.generation.not_computed = "penalty_alpha";
    assert_false(generate(g.model, &g.input, &(GenerateOptions){0}, g.arena, &out, &error));
    expect_error(&error, "penalty_alpha");
    g.model->config.generation.not_computed = NULL;
    g.model->config.generation.n_forced = 1; /* Whisper's way to say language and task */
    assert_false(generate(g.model, &g.input, &(GenerateOptions){0}, g.arena, &out, &error));
    expect_error(&error, "forced_decoder_ids");
    golden_close(&g);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(beams_equal_the_definition),
                                       cmocka_unit_test(tree_is_consistent),
                                       cmocka_unit_test(other_searches_are_refused)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
