#include "model/trainer.h"

#include <assert.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/base/random.h"
#include "model/forward.h"
#include "model/kernels.h"
#include "model/ops.h"
#include "model/safetensors.h"
#include "model/trainer_loss.h"

/* One of the threads that share a batch. */
typedef struct Worker {
    Trainer *trainer;
    int index;
    pthread_t thread;
    Arena *arena;
    float *gradient; // [n_floats]
    LossSum sum;
    double square; /* of its slice of the summed gradient */
} Worker;

typedef enum Job { JOB_GRADIENT, JOB_SUM, JOB_UPDATE, JOB_QUIT } Job;

struct Trainer {
    Recipe recipe;
    Model *model;
    Parameters made;
    float *m, *v, *average; // [n_floats]; average NULL: none is kept
    TrainPlace place;
    Worker *workers;      // [threads]
    pthread_mutex_t gate; /* held until it is known whether all threads could be started */
    pthread_barrier_t start, done;
    bool running; /* the threads are there */
    Job job;
    CorpusBatch batch;
    int64_t batch_tokens;
    AdamStep adam;
    float average_decay;
};

/* ---- the shares of a thread ---- */

/* Examples of the batch go round the threads in micro-batches, so that each gets about as many
 * tokens: the batch is sorted by length. */
static void accumulate(Worker *w) {
    Trainer *t = w->trainer;
    memset(w->gradient, 0, (size_t)t->made.n_floats * sizeof *w->gradient);
    w->sum = (LossSum){0};
    int micro = 0;
    for (int first = 0; first < t->batch.n; micro++) {
        int end = first, tokens = 0;
        while (end < t->batch.n && (end == first || tokens < t->recipe.micro_tokens))
            tokens += t->batch.examples[end++].n_target;
        if (micro % t->recipe.threads == w->index) {
            LossJob job = {.model = t->model,
                           .examples = t->batch.examples + first,
                           .n = end - first,
                           .smoothing = (float)t->recipe.label_smoothing,
                           .dropout = (float)t->recipe.dropout,
                           .seed = (uint32_t)random_word(t->recipe.seed + 77,
                                                         ((uint64_t)t->place.step << 16) + micro),
                           .weight = 1 / (float)t->batch_tokens,
                           .params = t->made.data,
                           .grads = w->gradient,
                           .n_params = t->made.n_floats};
            loss_run(&job, w->arena, &w->sum);
        }
        first = end;
    }
}

typedef struct Slice {
    int64_t begin, n;
} Slice;

static Slice slice_of(const Worker *w) {
    int64_t n = w->trainer->made.n_floats, threads = w->trainer->recipe.threads;
    int64_t begin = n * w->index / threads, end = n * (w->index + 1) / threads;
    return (Slice){begin, end - begin};
}

static void sum_slice(Worker *w) {
    Trainer *t = w->trainer;
    Slice s = slice_of(w);
    float *sum = t->workers[0].gradient + s.begin;
    for (int i = 1; i < t->recipe.threads; i++)
        kernel_add(sum, t->workers[i].gradient + s.begin, s.n);
    w->square = kernel_sum_of_squares(sum, s.n);
}

static void update_slice(Worker *w) {
    Trainer *t = w->trainer;
    Slice s = slice_of(w);
    kernel_adam(t->made.data + s.begin, t->workers[0].gradient + s.begin, t->m + s.begin,
                t->v + s.begin, s.n, &t->adam);
    if (!t->average) return;
    kernel_scale(t->average + s.begin, t->average_decay, s.n);
    kernel_axpy(t->average + s.begin, 1 - t->average_decay, t->made.data + s.begin, s.n);
}

static void do_job(Worker *w) {
    switch (w->trainer->job) {
    case JOB_GRADIENT:
        accumulate(w);
        return;
    case JOB_SUM:
        sum_slice(w);
        return;
    case JOB_UPDATE:
        update_slice(w);
        return;
    case JOB_QUIT:
        return;
    }
}

static void *worker_main(void *argument) {
    Worker *w = argument;
    pthread_mutex_lock(&w->trainer->gate);
    bool alone = !w->trainer->running;
    pthread_mutex_unlock(&w->trainer->gate);
    while (!alone) {
        pthread_barrier_wait(&w->trainer->start);
        if (w->trainer->job == JOB_QUIT) return NULL;
        do_job(w);
        pthread_barrier_wait(&w->trainer->done);
    }
    return NULL;
}

/* All threads do it, the caller as number 0. */
static void together(Trainer *t, Job job) {
    t->job = job;
    pthread_barrier_wait(&t->start);
    if (job == JOB_QUIT) return;
    do_job(&t->workers[0]);
    pthread_barrier_wait(&t->done);
}

/* ---- a step ---- */

/* Linear warm-up, 1 / sqrt(step), linear to zero at the end; step from 1. */
static double learning_rate(const Recipe *r, int step) {
    double warmup = r->warmup_steps > 0 ? r->warmup_steps : 1;
    double rate = r->learning_rate * (step < warmup ? step / warmup : sqrt(warmup / step));
    int left = r->steps - step + 1;
    if (left < r->cooldown_steps) rate *= (left > 0 ? left : 0) / (double)r->cooldown_steps;
    return rate;
}

bool trainer_step(Trainer *t, CorpusBatch batch, StepReport *report, Error *error) {
    const Recipe *r = &t->recipe;
    t->batch = batch;
    t->batch_tokens = 0;
    for (int i = 0; i < batch.n; i++)
        t->batch_tokens += batch.examples[i].n_target;
    together(t, JOB_GRADIENT);
    together(t, JOB_SUM);
    LossSum sum = {0};
    double square = 0;
    for (int i = 0; i < r->threads; i++) {
        sum.loss += t->workers[i].sum.loss;
        sum.nll += t->workers[i].sum.nll;
        square += t->workers[i].square;
    }
    int step = t->place.step + 1;
    double norm = sqrt(square), rate = learning_rate(r, step);
    *report = (StepReport){step,
                           sum.loss / (double)t->batch_tokens,
                           sum.nll / (double)t->batch_tokens,
                           norm,
                           rate,
                           t->batch_tokens};
    if (!isfinite(norm) || !isfinite(sum.loss))
        return error_set(error, ERROR_INPUT,
                         "step %d: the loss is no longer a number; try a "
                         "smaller learning_rate or a longer warmup_steps",
                         step);
    t->adam = (AdamStep){
        .rate = (float)(rate * sqrt(1 - pow(r->beta2, step)) / (1 - pow(r->beta1, step))),
        .beta1 = (float)r->beta1,
        .beta2 = (float)r->beta2,
        /* epsilon stands beside the corrected sqrt(v) */
        .epsilon = (float)(r->epsilon * sqrt(1 - pow(r->beta2, step))),
        .grad_scale = r->clip_norm > 0 && norm > r->clip_norm ? (float)(r->clip_norm / norm) : 1};
    double early = (1.0 + step) / (10.0 + step);
    t->average_decay = (float)(r->average < early ? r->average : early);
    together(t, JOB_UPDATE);
    t->place.step = step;
    return true;
}

bool trainer_evaluate(Trainer *t, const Corpus *dev, bool averaged, double *nll, Error *error) {
    (void)error;
    float *keep = NULL;
    size_t n_bytes = (size_t)t->made.n_floats * sizeof *keep;
    if (averaged && t->average) {
        keep = malloc(n_bytes);
        if (!keep) abort();
        memcpy(keep, t->made.data, n_bytes);
        memcpy(t->made.data, t->average, n_bytes);
    }
    LossSum sum = {0};
    int64_t tokens = 0;
    for (int b = 0; b < corpus_n_batches(dev); b++) {
        CorpusBatch batch = corpus_batch(dev, b);
        LossJob job = {.model = t->model, .examples = batch.examples, .n = batch.n};
        loss_run(&job, t->workers[0].arena, &sum);
        for (int i = 0; i < batch.n; i++)
            tokens += batch.examples[i].n_target;
    }
    *nll = tokens ? sum.nll / (double)tokens : 0;
    if (keep) memcpy(t->made.data, keep, n_bytes);
    free(keep);
    return true;
}

/* ---- birth and death ---- */

/* Embeddings N(0, 1/d), so that scaled by sqrt(d) they have variance 1; matrices uniform with
 * variance 2 / (in + out) (Glorot and Bengio 2010); norms 1, biases 0. */
static void draw_weights(Trainer *t) {
    for (int i = 0; i < t->made.n; i++) {
        const Parameter *p = &t->made.items[i];
        float *x = t->made.data + p->begin;
        uint64_t seed = random_word(t->recipe.seed, (uint64_t)i);
        int64_t n = p->rank == 2 ? p->shape[0] * p->shape[1] : p->shape[0];
        bool norm_scale = p->rank == 1 && strstr(p->name, "norm") && strstr(p->name, ".weight");
        bool embedding = strstr(p->name, "shared") || strstr(p->name, "embed");
        bool adds = strstr(p->name, "out_proj") || strstr(p->name, "fc2");
        double bound = p->rank == 2 ? sqrt(6.0 / (double)(p->shape[0] + p->shape[1])) : 0;
        if (adds) bound *= t->recipe.output_gain;
        for (int64_t j = 0; j < n; j++) {
            uint64_t at = (uint64_t)j;
            if (p->rank == 1)
                x[j] = norm_scale ? 1 : 0;
            else if (embedding)
                x[j] = (float)(random_normal(seed, at) / sqrt((double)p->shape[1]));
            else
                x[j] = (float)(bound * (2 * random_unit(seed, at) - 1));
        }
    }
}

static float *floats(int64_t n) {
    float *x = aligned_alloc(64, ((size_t)n * sizeof *x + 63) / 64 * 64);
    if (!x) {
        fputs("attnscope: out of memory\n", stderr);
        abort();
    }
    return memset(x, 0, (size_t)n * sizeof *x);
}

/* Can this model be trained on pairs of the recipe's length? */
static bool check_model(const Model *model, const Recipe *recipe, Error *error) {
    const ModelConfig *c = &model->config;
    if (c->family != FAMILY_ENCODER_DECODER)
        return error_set(error, ERROR_UNSUPPORTED,
                         "%s: only encoder-decoders are trained here, this is a %s", model->path,
                         c->model_type);
    if (c->generation.start_id < 0 || c->generation.start_id >= c->n_vocab)
        return error_set(error, ERROR_INPUT,
                         "%s: config.json: decoder_start_token_id is %d, an id below %d expected",
                         model->path, c->generation.start_id, c->n_vocab);
    for (StackId s = STACK_ENCODER; s <= STACK_DECODER; s++)
        if (c->stack[s].n_positions > 0 && recipe->max_tokens > c->stack[s].n_positions)
            return error_set(error, ERROR_INPUT,
                             "max_tokens of the recipe is %d, but the model of %s has %d positions",
                             recipe->max_tokens, model->path, c->stack[s].n_positions);
    return true;
}

/* Threads 1 and up; a trainer with fewer than the recipe says would give other numbers. */
static bool start_workers(Trainer *t, Error *error) {
    int n = t->recipe.threads, started = 1, failure = 0;
    pthread_barrier_init(&t->start, NULL, (unsigned)n);
    pthread_barrier_init(&t->done, NULL, (unsigned)n);
    pthread_mutex_init(&t->gate, NULL);
    pthread_mutex_lock(&t->gate);
    for (; started < n && failure == 0; started += failure == 0)
        failure =
            pthread_create(&t->workers[started].thread, NULL, worker_main, &t->workers[started]);
    t->running = failure == 0;
    pthread_mutex_unlock(&t->gate);
    if (failure == 0) return true;
    for (int i = 1; i < started; i++)
        pthread_join(t->workers[i].thread, NULL);
    return error_set(
        error, ERROR_MEMORY,
        "thread %d of %d cannot be started (%s): set \"threads\" of the recipe to %d, or "
        "let this user have more (ulimit -u)",
        started + 1, n, strerror(failure), started);
}

static void free_model(Trainer *t) {
    model_free(t->model);
    free(t->made.items);
    free(t->made.data);
    free(t);
}

Trainer *trainer_new(const Recipe *recipe, Error *error) {
    Trainer *t = calloc(1, sizeof *t);
    if (!t) abort();
    t->recipe = *recipe;
    t->model = model_make(recipe->model, &t->made, error);
    if (!t->model || !check_model(t->model, recipe, error)) {
        free_model(t);
        return NULL;
    }
    if (recipe->dropout < 0) t->recipe.dropout = t->model->config.dropout;
    int64_t n = t->made.n_floats;
    t->m = floats(n);
    t->v = floats(n);
    draw_weights(t);
    if (recipe->average > 0) {
        t->average = floats(n);
        memcpy(t->average, t->made.data, (size_t)n * sizeof *t->average);
    }
    ops_blas_threads(1);
    t->workers = calloc((size_t)recipe->threads, sizeof *t->workers);
    if (!t->workers) abort();
    for (int i = 0; i < recipe->threads; i++)
        t->workers[i] =
            (Worker){.trainer = t, .index = i, .arena = arena_new(), .gradient = floats(n)};
    if (start_workers(t, error)) return t;
    trainer_free(t);
    return NULL;
}

void trainer_free(Trainer *t) {
    if (!t) return;
    if (t->running) together(t, JOB_QUIT);
    for (int i = 0; i < t->recipe.threads; i++) {
        if (i > 0 && t->running) pthread_join(t->workers[i].thread, NULL);
        arena_free(t->workers[i].arena);
        free(t->workers[i].gradient);
    }
    pthread_barrier_destroy(&t->start);
    pthread_barrier_destroy(&t->done);
    pthread_mutex_destroy(&t->gate);
    free(t->workers);
    free(t->m);
    free(t->v);
    free(t->average);
    free_model(t);
}

TrainPlace *trainer_place(Trainer *trainer) {
    return &trainer->place;
}

int trainer_n_vocab(const Trainer *trainer) {
    const ModelConfig *c = &trainer->model->config;
    return c->n_vocab < c->n_source_vocab ? c->n_vocab : c->n_source_vocab;
}

const Parameters *trainer_parameters(const Trainer *trainer) {
    return &trainer->made;
}

const float *trainer_gradient(const Trainer *trainer) {
    return trainer->workers[0].gradient;
}

/* ---- files ---- */

static void add_all(SafetensorsWriter *w, const Trainer *t, const char *prefix, const float *data) {
    for (int i = 0; i < t->made.n; i++) {
        const Parameter *p = &t->made.items[i];
        char name[128];
        snprintf(name, sizeof name, "%s%s", prefix, p->name);
        safetensors_add(w, name, DTYPE_F32, p->rank, p->shape, data + p->begin);
    }
}

bool trainer_save(Trainer *t, const char *path, Error *error) {
    SafetensorsWriter *w = safetensors_create(path, error);
    if (!w) return false;
    char place[96];
    snprintf(place, sizeof place, "%d %d %d", t->place.step, t->place.pass, t->place.batch);
    safetensors_metadata(w, "format", "attnscope-training-1");
    safetensors_metadata(w, "place", place);
    add_all(w, t, "", t->made.data);
    add_all(w, t, "adam.m.", t->m);
    add_all(w, t, "adam.v.", t->v);
    if (t->average) add_all(w, t, "average.", t->average);
    return safetensors_commit(w, error);
}

/* Every parameter by name into its place; any float type. */
static bool read_all(const Trainer *t, const Safetensors *file, const char *path,
                     const char *prefix, float *data, Error *error) {
    for (int i = 0; i < t->made.n; i++) {
        const Parameter *p = &t->made.items[i];
        char name[128];
        snprintf(name, sizeof name, "%s%s", prefix, p->name);
        const RawTensor *x = safetensors_find(file, name);
        if (!x) return error_set(error, ERROR_INPUT, "%s: tensor %s is missing", path, name);
        bool same = x->rank == p->rank && memcmp(x->shape, p->shape, (size_t)p->rank * 8) == 0;
        if (!same)
            return error_set(error, ERROR_INPUT,
                             "%s: tensor %s has another shape than the model "
                             "of the recipe",
                             path, name);
        int64_t n = p->rank == 2 ? p->shape[0] * p->shape[1] : p->shape[0];
        dtype_to_f32(x->dtype, x->data, 0, n, data + p->begin);
    }
    return true;
}

bool trainer_resume(Trainer *t, const char *path, Error *error) {
    Safetensors *file = safetensors_open(path, error);
    if (!file) return false;
    const char *format = safetensors_metadata_value(file, "format");
    const char *place = safetensors_metadata_value(file, "place");
    bool ok = format && place && strcmp(format, "attnscope-training-1") == 0 &&
              sscanf(place, "%d %d %d", &t->place.step, &t->place.pass, &t->place.batch) == 3 &&
              t->place.step >= 0 && t->place.pass >= 0 && t->place.batch >= 0;
    if (!ok) error_set(error, ERROR_INPUT, "%s: is not a checkpoint of attnscope train", path);
    ok = ok && read_all(t, file, path, "", t->made.data, error) &&
         read_all(t, file, path, "adam.m.", t->m, error) &&
         read_all(t, file, path, "adam.v.", t->v, error) &&
         (!t->average || read_all(t, file, path, "average.", t->average, error));
    safetensors_close(file);
    return ok;
}

bool trainer_init_from(Trainer *t, const char *folder, Error *error) {
    char path[4096];
    snprintf(path, sizeof path, "%s/model.safetensors", folder);
    Safetensors *file = safetensors_open(path, error);
    if (!file) return false;
    bool ok = read_all(t, file, path, "", t->made.data, error);
    if (ok && t->average)
        memcpy(t->average, t->made.data, (size_t)t->made.n_floats * sizeof *t->average);
    safetensors_close(file);
    return ok;
}

bool trainer_export(Trainer *t, const char *path, Error *error) {
    const float *from = t->average ? t->average : t->made.data;
    uint16_t *half = malloc((size_t)t->made.n_floats * sizeof *half);
    float *bias = floats(t->model->config.n_vocab);
    SafetensorsWriter *w = half ? safetensors_create(path, error) : NULL;
    if (w) {
        for (int64_t i = 0; i < t->made.n_floats; i++)
            half[i] = f32_to_f16(from[i]);
        for (int i = 0; i < t->made.n; i++) {
            const Parameter *p = &t->made.items[i];
            safetensors_add(w, p->name, DTYPE_F16, p->rank, p->shape, half + p->begin);
        }
        /* Marian's layout has a bias on the logits; ours does not train one. */
        safetensors_add(w, "final_logits_bias", DTYPE_F32, 2,
                        (const int64_t[]){1, t->model->config.n_vocab}, bias);
        safetensors_metadata(w, "format", "pt");
    }
    bool ok = w && safetensors_commit(w, error);
    free(half);
    free(bias);
    return ok;
}
