/* What the tests of the engine share: random tensors, the small golden models, gradients by finite
 * differences.
 *
 *     Golden g = golden_open("marian");
 *     Trace *trace = golden_trace(&g, &(TraceOptions){0});
 *     golden_close(&g);
 */
#ifndef TESTS_MODEL_ENGINE_H
#define TESTS_MODEL_ENGINE_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "model/run.h"
#include "model/safetensors.h"
#include "model/trace.h"

/* Numbers of mean 0 and the given deviation, with a zeroed gradient; the seed says which. */
Tensor random_tensor(Arena *arena, int seed, double deviation, int rank, const int64_t *shape);
#define random_new(arena, seed, deviation, rank, ...)                                              \
    random_tensor(arena, seed, deviation, rank, (const int64_t[TENSOR_MAX_RANK]){__VA_ARGS__})
/* The same of deviation 1 as n rows of d that do not lie one behind the other: columns of a wider
 * buffer. */
Tensor random_strided(Arena *arena, int seed, int64_t n, int64_t d);

/* max |a - b|; fails where shapes differ or one is not a number and the other is. Equal
 * infinities differ by 0. */
double tensor_distance(Tensor a, Tensor b);

/* Gradients of sum(c y), c random, by every number of the inputs: those of the tape against central
 * differences. params (no data: none) is also registered with the tape. */
typedef Tensor Function(Run *run, const Tensor *in, const void *context);
typedef struct GradientCheck {
    Function *function;
    const void *context;
    int n_in;
    Tensor in[6]; /* with gradients */
    Tensor params;
    double step, tolerance; /* 0: 1e-2 and 2e-3 of the greatest gradient (at least of 1) */
    float dropout;
} GradientCheck;
void gradient_check(const GradientCheck *check);

typedef struct Golden {
    Arena *arena;
    Model *model;
    Safetensors *expected;
    Input input;
} Golden;
/* A case of tests/data/golden: the model and its first input. */
Golden golden_open(const char *name);
void golden_close(Golden *golden);
/* One tensor of expected.safetensors, a leading axis of 1 dropped; data NULL if there is none. */
Tensor golden_tensor(const Golden *golden, const char *name);
/* Row `row` of the batch: of a tensor of any rank, data NULL if there is none; of ids; of token
 * types, NULL if there are none. */
Tensor golden_row(const Golden *golden, const char *name, int row);
Tokens golden_tokens(const Golden *golden, const char *name, int row);
const int32_t *golden_types(const Golden *golden, const char *name, int row);
/* Fails the test where the pass fails. */
Trace *golden_trace(const Golden *golden, const TraceOptions *options);
/* A tensor that must be there. */
Tensor trace_tensor_of(const Trace *trace, const char *name);
/* Ids as tokens, labelled by their numbers. */
Tokens tokens_of(Arena *arena, const int32_t *ids, int n);
/* Adds an edit as the command line writes it, and checks it against the model; fails the test where
 * that fails. */
void edit_add(Edits *edits, EditKind kind, const char *text, const Model *model, Arena *arena);

/* A name in /tmp that is this process's own; the same for the same suffix. In the arena. */
char *temporary_path(Arena *arena, const char *suffix);

/* Fails with the message if there is an error. */
void expect_ok(const Error *error);
/* Fails unless there is an error, in one line, that contains the text; clears it. */
void expect_error(Error *error, const char *text);

#endif
