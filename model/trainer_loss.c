#include "model/trainer_loss.h"

#include <string.h>

#include "model/forward.h"
#include "model/ops.h"

/* Examples one behind the other. The decoder reads the start token and the target shifted by one,
 * and is to write the target. */
static TokenRows pack(const LossJob *job, Arena *arena, bool target) {
    int64_t n = 0;
    for (int i = 0; i < job->n; i++)
        n += target ? job->examples[i].n_target : job->examples[i].n_source;
    int32_t *ids = arena_alloc(arena, (size_t)n * sizeof *ids);
    int32_t *begin = arena_alloc(arena, ((size_t)job->n + 1) * sizeof *begin);
    int32_t at = 0;
    for (int i = 0; i < job->n; i++) {
        const Example *e = &job->examples[i];
        begin[i] = at;
        if (target) {
            ids[at] = job->model->config.generation.start_id;
            memcpy(ids + at + 1, e->target, (size_t)(e->n_target - 1) * sizeof *ids);
            at += e->n_target;
        } else {
            memcpy(ids + at, e->source, (size_t)e->n_source * sizeof *ids);
            at += e->n_source;
        }
    }
    begin[job->n] = at;
    return (TokenRows){.n_rows = job->n, .begin = begin, .ids = ids};
}

void loss_run(const LossJob *job, Arena *arena, LossSum *sum) {
    arena_clear(arena);
    Run run = {.model = job->model,
               .arena = arena,
               .dropout = job->params ? job->dropout : 0,
               .dropout_seed = job->seed};
    TokenRows source = pack(job, arena, false), target = pack(job, arena, true);
    int32_t *wanted = arena_alloc(arena, (size_t)target.begin[target.n_rows] * sizeof *wanted);
    for (int i = 0; i < job->n; i++)
        memcpy(wanted + target.begin[i], job->examples[i].target,
               (size_t)job->examples[i].n_target * sizeof *wanted);
    if (job->params) {
        run.tape = tape_new(arena);
        tape_params(run.tape, job->params, job->grads, job->n_params);
    }
    Tensor memory, hidden;
    forward_stack(&run, STACK_ENCODER, &source, NULL, NULL, &memory, NULL);
    forward_stack(&run, STACK_DECODER, &target, &(Memory){.hidden = memory, .rows = &source}, NULL,
                  &hidden, NULL);
    Tensor logits = forward_logits(&run, STACK_DECODER, hidden);
    double nll;
    Tensor loss = op_cross_entropy(&run, logits, wanted, job->smoothing, &nll);
    sum->loss += loss.data[0];
    sum->nll += nll;
    if (!job->params) return;
    loss.grad[0] = job->weight;
    tape_backward(run.tape);
}
