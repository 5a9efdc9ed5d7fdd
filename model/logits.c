#include "model/logits.h"

#include <math.h>
#include <string.h>

#include "model/kernels.h"

bool logits_is_end(const StepRules *rules, int32_t id) {
    for (int i = 0; !rules->ignore_eos && i < rules->config->n_eos; i++)
        if (rules->config->eos_ids[i] == id) return true;
    return false;
}

void logits_log_softmax(const float *scores, int n_vocab, float *out) {
    float lse = kernel_softmax(scores, out, n_vocab);
    for (int v = 0; v < n_vocab; v++)
        out[v] = scores[v] - lse;
}

static void forbid(float *scores, int n_vocab, int32_t id) {
    if (id >= 0 && id < n_vocab) scores[id] = -INFINITY;
}

static void force(float *scores, int n_vocab, int32_t id) {
    for (int v = 0; v < n_vocab; v++)
        scores[v] = v == id ? 0 : -INFINITY;
}

static void penalise_repetition(float penalty, const int32_t *ids, int n, float *scores,
                                int n_vocab) {
    for (int i = 0; i < n; i++) {
        bool seen = false; /* each id once */
        for (int j = 0; j < i && !seen; j++)
            seen = ids[j] == ids[i];
        if (seen || ids[i] < 0 || ids[i] >= n_vocab) continue;
        float *s = &scores[ids[i]];
        *s = *s < 0 ? *s * penalty : *s / penalty;
    }
}

/* No n ids in a row twice. */
static void forbid_repeats(int size, const int32_t *ids, int n, float *scores, int n_vocab) {
    for (int i = 0; i + size <= n; i++)
        if (memcmp(ids + i, ids + n - size + 1, (size_t)(size - 1) * sizeof *ids) == 0)
            forbid(scores, n_vocab, ids[i + size - 1]);
}

/* A word of several ids may begin, not end. A word that is just an end of sentence is let through.
 */
static void forbid_bad_words(const StepRules *rules, const int32_t *ids, int n, float *scores,
                             int n_vocab) {
    for (int w = 0; w < rules->config->n_bad_words; w++) {
        const int32_t *word = rules->config->bad_words[w];
        int length = 0;
        while (word[length] >= 0)
            length++;
        if (length == 1 && logits_is_end(rules, word[0])) continue;
        if (length > 1 && length > n) continue; /* as transformers has it: not one id sooner */
        size_t n_bytes = (size_t)(length - 1) * sizeof *ids;
        if (memcmp(ids + n - length + 1, word, n_bytes) == 0)
            forbid(scores, n_vocab, word[length - 1]);
    }
}

void logits_process(const StepRules *rules, const int32_t *ids, int n, float *scores, int n_vocab) {
    const GenerationConfig *c = rules->config;
    if (c->repetition_penalty != 1)
        penalise_repetition(c->repetition_penalty, ids, n, scores, n_vocab);
    if (c->no_repeat_ngram > 0) forbid_repeats(c->no_repeat_ngram, ids, n, scores, n_vocab);
    forbid_bad_words(rules, ids, n, scores, n_vocab);
    int least = c->min_new_tokens >= 0 ? rules->n_prompt + c->min_new_tokens : c->min_length;
    for (int i = 0; n < least && i < c->n_eos; i++)
        forbid(scores, n_vocab, c->eos_ids[i]);
    if (c->forced_bos_id >= 0 && n == 1) force(scores, n_vocab, c->forced_bos_id);
    if (c->forced_eos_id >= 0 && !rules->ignore_eos && n == rules->max_length - 1)
        force(scores, n_vocab, c->forced_eos_id);
    for (int i = 0; i < c->n_suppressed; i++)
        forbid(scores, n_vocab, c->suppressed[i]);
    int begin = rules->n_prompt + (rules->n_prompt == 1 && c->forced_bos_id >= 0);
    for (int i = 0; n == begin && i < c->n_begin_suppressed; i++)
        forbid(scores, n_vocab, c->begin_suppressed[i]);
}
