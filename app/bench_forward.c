/* bench forward: one pass with all patterns kept, and greedy writing, on random weights of a real
 * model's shape, beside the time that the same matrix products take bare. */
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "app/bench.h"
#include "app/parallel.h"
#include "model/base/file.h"
#include "model/base/random.h"
#include "model/generate.h"
#include "model/loader.h"
#include "model/ops.h"

typedef struct Shape {
    const char *name, *config;
    const char *tokens; /* lengths that are measured by default */
} Shape;

#define MARIAN(d, ff, layers, heads, vocab)                                                        \
    "{\"model_type\":\"marian\",\"d_model\":" #d ",\"encoder_ffn_dim\":" #ff                       \
    ",\"decoder_ffn_dim\":" #ff ",\"encoder_layers\":" #layers ",\"decoder_layers\":" #layers      \
    ",\"encoder_attention_heads\":" #heads ",\"decoder_attention_heads\":" #heads                  \
    ",\"vocab_size\":" #vocab ",\"max_position_embeddings\":512,\"pad_token_id\":1,"               \
    "\"eos_token_id\":0,\"decoder_start_token_id\":1,\"activation_function\":\"relu\","            \
    "\"scale_embedding\":true}"

static const Shape shapes[] = {
    {"bert-base",
     "{\"model_type\":\"bert\",\"hidden_size\":768,\"num_hidden_layers\":12,"
     "\"num_attention_heads\":12,\"intermediate_size\":3072,\"vocab_size\":30522,"
     "\"max_position_embeddings\":512,\"type_vocab_size\":2,\"hidden_act\":\"gelu\","
     "\"architectures\":[\"BertModel\"],\"pad_token_id\":0}",
     "16,64,128,512"},
    {"gpt2",
     "{\"model_type\":\"gpt2\",\"n_embd\":768,\"n_layer\":12,\"n_head\":12,\"vocab_size\":50257,"
     "\"n_positions\":1024,\"activation_function\":\"gelu_new\","
     "\"architectures\":[\"GPT2LMHeadModel\"]}",
     "16,128,1024"},
    {"marian-base", MARIAN(512, 2048, 6, 8, 58101), "16,64"},
    {"en-fr-fi", MARIAN(256, 1024, 3, 8, 6000), "12,40"},
    {NULL, NULL, NULL}};

/* ---- a model of that shape on random weights ---- */

static Model *make_model(const Shape *shape, Parameters *made, Arena *arena, Error *error) {
    const char *tmp = getenv("TMPDIR");
    char *folder = arena_printf(arena, "%s/attnscope-bench-XXXXXX", tmp && *tmp ? tmp : "/tmp");
    if (!mkdtemp(folder)) {
        error_set(error, ERROR_IO, "%s: cannot make this folder", folder);
        return NULL;
    }
    char *config = path_join(arena, folder, "config.json");
    bool ok = file_save(config, shape->config, strlen(shape->config), error);
    Model *model = ok ? model_make(folder, made, error) : NULL;
    unlink(config);
    rmdir(folder);
    for (int64_t i = 0; model && i < made->n_floats; i++)
        made->data[i] = 0.02F * (float)random_normal(7, (uint64_t)i);
    return model;
}

static Tokens random_tokens(const Model *model, int n, uint64_t seed, Arena *arena) {
    Token *items = arena_calloc(arena, (size_t)n, sizeof *items);
    for (int i = 0; i < n; i++)
        items[i].id = 2 + (int32_t)random_below(seed, (uint64_t)i, model->config.n_vocab - 2);
    return (Tokens){.n = n, .items = items};
}

/* ---- its matrix products, bare ---- */

typedef struct Bare {
    float *a, *c;
    int64_t capacity; /* floats in each */
    const float *weights;
    int64_t n_weights, at; /* each product takes the floats behind the last one's, as a pass does */
} Bare;

/* times products of [m, k] with [k, n] */
static void multiply(Bare *bare, int times, int64_t m, int64_t n, int64_t k) {
    int64_t most = m * k > m * n ? m * k : m * n;
    if (most > bare->capacity) {
        free(bare->a), free(bare->c);
        bare->a = calloc((size_t)most, sizeof(float));
        bare->c = calloc((size_t)most, sizeof(float));
        if (!bare->a || !bare->c) abort();
        bare->capacity = most;
    }
    for (int i = 0; i < times; i++, bare->at += n * k) {
        if (bare->at + n * k > bare->n_weights) bare->at = 0;
        ops_gemm_blas(&(Gemm){.b_transposed = true, .m = m, .n = n, .k = k, .alpha = 1}, bare->a, k,
                      bare->weights + bare->at, k, bare->c, n);
    }
}

static void multiply_stack(Bare *bare, const Model *model, StackId id, int64_t n, int64_t n_keys) {
    const StackConfig *s = &model->config.stack[id];
    int64_t d = model->config.d_model, inner = (int64_t)s->n_heads * s->d_head;
    int n_attentions = s->has_cross ? 2 : 1;
    for (int layer = 0; layer < s->n_layers; layer++) {
        for (int a = 0; a < n_attentions; a++) {
            int64_t keys = a == 0 ? n : n_keys;
            multiply(bare, 1, n, inner, d);
            multiply(bare, 2, keys, (int64_t)s->n_kv_heads * s->d_head, d);
            multiply(bare, s->n_heads, n, keys, s->d_head);
            multiply(bare, s->n_heads, n, s->d_head, keys);
            multiply(bare, 1, n, d, inner);
        }
        multiply(bare, s->gated ? 2 : 1, n, s->d_ff, d);
        multiply(bare, 1, n, d, s->d_ff);
    }
}

static void multiply_model(Bare *bare, const Model *model, int64_t n) {
    for (int s = 0; s < STACK_COUNT; s++)
        if (model_has_stack(model, (StackId)s)) multiply_stack(bare, model, (StackId)s, n, n);
    if (model->output.weight.data)
        multiply(bare, 1, n, model->config.n_vocab, model->config.d_model);
}

/* ---- the table ---- */

enum { MOST_STEPS = 200, N_NEW = 32 };

/* BLAS' threads look for more work for some time after a product, on the processors that a pass on
 * threads of its own wants. */
static void let_blas_sleep(void) {
    nanosleep(&(struct timespec){.tv_nsec = 200 * 1000 * 1000}, NULL);
}

static bool pass_seconds(const Model *model, int n, int n_steps, double *seconds, Error *error) {
    double all[MOST_STEPS];
    Arena *arena = arena_new();
    bool ok = true;
    let_blas_sleep();
    for (int i = -1; ok && i < n_steps; i++) { /* one to warm up */
        arena_clear(arena);
        Input input = {.source = random_tokens(model, n, 1, arena)};
        if (model_has_stack(model, STACK_DECODER)) input.target = random_tokens(model, n, 2, arena);
        double start = bench_now();
        Trace *trace = trace_run(model, &input, NULL, error);
        if (i >= 0) all[i] = bench_now() - start;
        ok = trace != NULL;
        trace_release(trace);
    }
    arena_free(arena);
    if (ok) *seconds = bench_median(all, n_steps);
    return ok;
}

static double bare_seconds(const Model *model, const Parameters *made, int n, int n_steps) {
    double all[MOST_STEPS];
    Bare bare = {.weights = made->data, .n_weights = made->n_floats};
    for (int i = -1; i < n_steps; i++) {
        double start = bench_now();
        multiply_model(&bare, model, n);
        if (i >= 0) all[i] = bench_now() - start;
    }
    free(bare.a), free(bare.c);
    return bench_median(all, n_steps);
}

/* N_NEW tokens by greedy search, then the pass over them that keeps their attention. */
static bool greedy_seconds(const Model *model, double *per_token, Error *error) {
    Arena *arena = arena_new();
    double all[3];
    bool ok = true;
    for (int i = 0; ok && i < 3; i++) {
        Generation g;
        Input input = {.source = random_tokens(model, 16, 1, arena)};
        GenerateOptions wanted = {.max_new_tokens = N_NEW, .ignore_eos = true};
        double start = bench_now();
        ok = generate(model, &input, &wanted, arena, &g, error);
        if (!ok) break;
        Input forced = generation_input(&input, g.ids, g.n, NULL, arena);
        Trace *trace = trace_run(model, &forced, NULL, error);
        all[i] = bench_now() - start;
        ok = trace != NULL;
        trace_release(trace);
    }
    arena_free(arena);
    if (ok) *per_token = bench_median(all, 3) / N_NEW;
    return ok;
}

static bool measure(const Model *model, const Parameters *made, const Shape *shape,
                    const Options *given, BenchTable *table, Error *error) {
    int n_steps = options_int(given, "steps", 7);
    if (n_steps > MOST_STEPS) n_steps = MOST_STEPS;
    bench_columns(table, "pass|tokens|ms|ms, its matrix products bare|times that");
    const char *list = options_text(given, "tokens", shape->tokens);
    for (const char *at = list; at; at = strchr(at, ',') ? strchr(at, ',') + 1 : NULL) {
        long long n;
        double seconds;
        if (!integer_parse((Str){at, strcspn(at, ",")}, &n) || n < 1 || n > 100000)
            return error_set(error, ERROR_USAGE, "--tokens %s: lengths with commas are expected",
                             list);
        output_progress("%s, %lld tokens", shape->name, n);
        if (!pass_seconds(model, (int)n, n_steps, &seconds, error)) return false;
        double bare = bare_seconds(model, made, (int)n, n_steps);
        bench_row(table, "all patterns kept\t%lld\t%.1f\t%.1f\t%.2f", n, 1e3 * seconds, 1e3 * bare,
                  seconds / bare);
    }
    if (model->config.family != FAMILY_ENCODER && model->output.weight.data) {
        double per_token;
        if (!greedy_seconds(model, &per_token, error)) return false;
        bench_row(table, "greedy, a new token\t%d\t%.1f\t\t", N_NEW, 1e3 * per_token);
    }
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    bench_note(table,
               "%s on random weights (%.1f million), median of %d passes; encoder-decoders read "
               "and write as many tokens. Greedy: 16 tokens read, the attention of what was "
               "written included. At most %.0f MB of memory.",
               shape->name, (double)model->n_parameters / 1e6, n_steps,
               (double)usage.ru_maxrss / 1024);
    return true;
}

static bool run(const Options *given, BenchTable *table, Error *error) {
    const char *name = options_text(given, "shape", "bert-base");
    const Shape *shape = shapes;
    while (shape->name && strcmp(shape->name, name) != 0)
        shape++;
    if (!shape->name)
        return error_set(error, ERROR_USAGE,
                         "--shape %s: bert-base, gpt2, marian-base or en-fr-fi is expected", name);
    Arena *arena = arena_new();
    Parameters made = {0};
    ops_blas_threads(parallel_n_threads());
    Model *model = make_model(shape, &made, arena, error);
    bool ok = model && measure(model, &made, shape, given, table, error);
    model_free(model);
    free(made.data);
    free(made.items);
    arena_free(arena);
    return ok;
}

const Bench bench_forward = {"forward", "one pass with all patterns", run};
