/* bench train: how many target tokens a second the shipped model's shape is trained at, and how
 * long its matrix products take bare. Random ids, lengths like those of everyday sentences. */
#include <stdlib.h>
#include <string.h>

#include "app/assets.h"
#include "app/bench.h"
#include "app/parallel.h"
#include "model/base/random.h"
#include "model/ops.h"
#include "model/trainer.h"

enum { N_BATCHES = 4, EXAMPLES = 4096, VOCAB = 6000 };

/* ---- data ---- */

/* About bell-shaped around 10, as the pieces of everyday sentences are. */
static int length_of(uint64_t seed, uint64_t i) {
    double x = 10 + 3.2 * random_normal(seed, i);
    return x < 4 ? 4 : x > 30 ? 30 : (int)x;
}

static const int32_t *ids_of(Arena *arena, uint64_t seed, int n) {
    int32_t *ids = arena_alloc(arena, (size_t)n * sizeof *ids);
    for (int i = 0; i + 1 < n; i++)
        ids[i] = 2 + (int32_t)random_below(seed, (uint64_t)i, VOCAB - 8);
    ids[n - 1] = 0;
    return ids;
}

static int by_length(const void *a, const void *b) {
    return ((const Example *)a)->n_target - ((const Example *)b)->n_target;
}

static CorpusBatch make_batch(Arena *arena, int number, int n_tokens) {
    Example *examples = arena_alloc(arena, EXAMPLES * sizeof *examples);
    int n = 0, tokens = 0;
    for (uint64_t i = 0; tokens < n_tokens && n < EXAMPLES; i++) {
        uint64_t seed = random_word((uint64_t)number, i);
        Example *e = &examples[n++];
        e->n_source = length_of(seed, 0);
        e->n_target = length_of(seed, 1);
        e->source = ids_of(arena, seed + 1, e->n_source);
        e->target = ids_of(arena, seed + 2, e->n_target);
        tokens += e->n_target;
    }
    qsort(examples, (size_t)n, sizeof *examples, by_length);
    return (CorpusBatch){n, examples};
}

/* ---- the products alone ---- */

typedef struct Product { /* of one Linear: m tokens, forward and both gradients */
    int64_t m, n, k;
} Product;

typedef struct Bare {
    Product products[64];
    int n;
    float *a[64], *b[64], *c[64]; /* one set a thread */
} Bare;

static void add(Bare *bare, int times, int64_t m, int64_t n, int64_t k) {
    for (int i = 0; i < times; i++)
        bare->products[bare->n++] = (Product){m, n, k};
}

/* What one micro-batch of m tokens a side multiplies. */
static void list_products(Bare *bare, int64_t m) {

    const int64_t d = 256, ff = 1024, layers = 3;
    for (int64_t l = 0; l < layers; l++) {
        add(bare, 4, m, d, d); /* encoder: q, k, v, o */
        add(bare, 1, m, ff, d);
        add(bare, 1, m, d, ff);
        add(bare, 8, m, d, d); /* decoder: the same for itself and for the encoder's output */
        add(bare, 1, m, ff, d);
        add(bare, 1, m, d, ff);
    }
    add(bare, 1, m, VOCAB, d);
}

static void multiply(void *context, int thread) {
    Bare *bare = context;
    float *a = bare->a[thread], *b = bare->b[thread], *c = bare->c[thread];
    for (int i = 0; i < bare->n; i++) {
        Product p = bare->products[i];
        ops_gemm(&(Gemm){.b_transposed = true, .m = p.m, .n = p.n, .k = p.k, .alpha = 1}, a, p.k, b,
                 p.k, c, p.n);
        ops_gemm(&(Gemm){.m = p.m, .n = p.k, .k = p.n, .alpha = 1}, c, p.n, b, p.k, a, p.k);
        ops_gemm(&(Gemm){.a_transposed = true, .m = p.n, .n = p.k, .k = p.m, .alpha = 1}, c, p.n, a,
                 p.k, b, p.k);
    }
}

static double bare_seconds(Bare *bare, const Recipe *recipe, int n_micro) {
    size_t most = (size_t)VOCAB * 2048 * sizeof(float);
    for (int t = 0; t < recipe->threads; t++) {
        bare->a[t] = calloc(1, most);
        bare->b[t] = calloc(1, most);
        bare->c[t] = calloc(1, most);
        if (!bare->a[t] || !bare->b[t] || !bare->c[t]) abort();
    }
    parallel_for(recipe->threads, multiply, bare); /* warm */
    double start = bench_now();
    for (int i = 0; i < n_micro / recipe->threads; i++)
        parallel_for(recipe->threads, multiply, bare);
    double seconds = bench_now() - start;
    for (int t = 0; t < recipe->threads; t++) {
        free(bare->a[t]);
        free(bare->b[t]);
        free(bare->c[t]);
    }
    return seconds;
}

/* ---- the table ---- */

static bool measure(const Options *given, Trainer *trainer, const Recipe *recipe, Arena *arena,
                    BenchTable *table, Error *error) {
    CorpusBatch batches[N_BATCHES];
    for (int i = 0; i < N_BATCHES; i++)
        batches[i] = make_batch(arena, i, recipe->batch_tokens);
    int n_steps = options_int(given, "steps", 12);
    StepReport report;
    for (int i = 0; i < 2; i++) /* memory is taken in the first steps */
        if (!trainer_step(trainer, batches[i], &report, error)) return false;
    double start = bench_now();
    int64_t tokens = 0;
    for (int i = 0; i < n_steps; i++) {
        output_progress("step %d of %d", i + 1, n_steps);
        if (!trainer_step(trainer, batches[i % N_BATCHES], &report, error)) return false;
        tokens += report.n_target_tokens;
    }
    double seconds = (bench_now() - start) / n_steps;
    Bare bare = {0};
    list_products(&bare, recipe->micro_tokens);
    int n_micro = recipe->batch_tokens / recipe->micro_tokens;
    double products = bare_seconds(&bare, recipe, n_micro * n_steps) / n_steps;
    double per_step = (double)tokens / n_steps;
    bench_columns(table, "target tokens a step|ms a step|target tokens a second|"
                         "ms, matrix products bare|tokens a second at that");
    bench_row(table, "%.0f\t%.0f\t%.0f\t%.0f\t%.0f", per_step, 1e3 * seconds, per_step / seconds,
              1e3 * products, per_step / products);
    bench_note(table,
               "The shipped model's shape (d_model 256, 3 + 3 layers, feed-forward 1,024, "
               "vocabulary 6,000), %d threads, dropout, label smoothing, clipping and Adam "
               "included; %d steps.",
               recipe->threads, n_steps);
    return true;
}

static bool run(const Options *given, BenchTable *table, Error *error) {
    Arena *arena = arena_new();
    Recipe recipe;
    const char *path = assets_find("models/en-fr-fi/recipe.json", arena, error);
    bool ok = path && recipe_read(path, &recipe, arena, error);
    if (ok) {
        recipe.threads = parallel_n_threads();
        recipe.batch_tokens = 2600;
        recipe.micro_tokens = 2600 / (2 * recipe.threads);
    }
    Trainer *trainer = ok ? trainer_new(&recipe, error) : NULL;
    ok = trainer && measure(given, trainer, &recipe, arena, table, error);
    trainer_free(trainer);
    arena_free(arena);
    return ok;
}

const Bench bench_train = {"train", "training: target tokens a second", run};
