#include "model/run.h"

#include <string.h>

Tensor run_tensor_shape(Run *run, int rank, const int64_t *shape) {
    Tensor x = tensor_new_shape(run->arena, rank, shape);
    if (run->tape) x.grad = arena_calloc(run->arena, (size_t)tensor_count(x), sizeof *x.grad);
    return x;
}

bool run_continues(const Run *run, Error *error) {
    if (run->undone)
        return error_set(error, ERROR_INPUT,
                         "edit \"%.80s\": query %lld gives key %lld all of its weight: there is no "
                         "rest to be scaled",
                         run->undone->text, (long long)run->undone->query,
                         (long long)run->undone->key);
    if (!run->progress.cancel || !atomic_load(run->progress.cancel)) return true;
    return error_set(error, ERROR_CANCELLED, "cancelled");
}
