/* What may be said next: scores of one step, changed as the generation config asks, in the order
 * and with the meaning of Hugging Face transformers' logits processors
 * (generation/logits_process.py).
 */
#ifndef MODEL_LOGITS_H
#define MODEL_LOGITS_H

#include "model/config.h"

typedef struct StepRules {
    const GenerationConfig *config;
    bool ignore_eos;
    int n_prompt;   /* tokens given */
    int max_length; /* prompt and continuation */
} StepRules;

/* scores [n_vocab] are changed in place: forbidden ones become -inf. ids [n] is what stands so far.
 */
void logits_process(const StepRules *rules, const int32_t *ids, int n, float *scores, int n_vocab);
/* Does this id end a continuation? */
bool logits_is_end(const StepRules *rules, int32_t id);
/* out = log softmax(scores) */
void logits_log_softmax(const float *scores, int n_vocab, float *out);

#endif
