/* See worker.h. One mutex guards the slots; a running job is known by its slot. A cancelled job
 * stays in `finished` until the caller's thread drops it, since its data may be the caller's. */
#include "app/worker.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

typedef struct Entry {
    Job job;
    bool ok, cancelled;
    Error error;
    struct Entry *next;
} Entry;

struct Worker {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t change;
    Entry *waiting[WORKER_MAX_SLOTS]; /* one a slot at most */
    Entry *running;
    Entry *finished; /* oldest first */
    atomic_bool cancel;
    _Atomic double done;
    bool quit;
    void (*wake)(void *context);
    void *context;
};

static void finish(Worker *worker, Entry *entry) {
    Entry **end = &worker->finished;
    while (*end)
        end = &(*end)->next;
    entry->next = NULL;
    *end = entry;
}

static void report(void *context, double done) {
    Worker *worker = context;
    /* The window is told of a hundredth at most, so that progress costs no frames. */
    double before = atomic_exchange(&worker->done, done);
    if ((int)(before * 100) != (int)(done * 100)) worker->wake(worker->context);
}

static Entry *take(Worker *worker) {
    for (int slot = 0; slot < WORKER_MAX_SLOTS; slot++) {
        Entry *entry = worker->waiting[slot];
        if (!entry) continue;
        worker->waiting[slot] = NULL;
        return entry;
    }
    return NULL;
}

static void *serve(void *context) {
    Worker *worker = context;
    pthread_mutex_lock(&worker->lock);
    while (!worker->quit) {
        Entry *entry = take(worker);
        if (!entry) {
            pthread_cond_wait(&worker->change, &worker->lock);
            continue;
        }
        worker->running = entry;
        atomic_store(&worker->cancel, false);
        atomic_store(&worker->done, 0);
        pthread_mutex_unlock(&worker->lock);
        Progress progress = {.report = report, .context = worker, .cancel = &worker->cancel};
        entry->ok = entry->job.work(entry->job.data, &progress, &entry->error);
        pthread_mutex_lock(&worker->lock);
        worker->running = NULL;
        finish(worker, entry);
        worker->wake(worker->context);
    }
    pthread_mutex_unlock(&worker->lock);
    return NULL;
}

Worker *worker_new(void (*wake)(void *context), void *context) {
    Worker *worker = calloc(1, sizeof *worker);
    if (!worker) abort();
    worker->wake = wake;
    worker->context = context;
    pthread_mutex_init(&worker->lock, NULL);
    pthread_cond_init(&worker->change, NULL);
    /* The forward pass keeps small arrays on the stack; 8 MB is what a main thread has. */
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, 8u << 20);
    if (pthread_create(&worker->thread, &attributes, serve, worker) != 0) abort();
    pthread_attr_destroy(&attributes);
    return worker;
}

static void drop(Entry *entry) {
    if (entry->job.drop) entry->job.drop(entry->job.data);
    free(entry);
}

static void cancel_slot(Worker *worker, int slot) {
    Entry *waiting = worker->waiting[slot];
    if (waiting) {
        waiting->cancelled = true;
        worker->waiting[slot] = NULL;
        finish(worker, waiting);
    }
    if (worker->running && worker->running->job.slot == slot) {
        worker->running->cancelled = true;
        atomic_store(&worker->cancel, true);
    }
    for (Entry *e = worker->finished; e; e = e->next)
        if (e->job.slot == slot) e->cancelled = true;
}

void worker_free(Worker *worker) {
    if (!worker) return;
    pthread_mutex_lock(&worker->lock);
    worker->quit = true;
    for (int slot = 0; slot < WORKER_MAX_SLOTS; slot++)
        cancel_slot(worker, slot);
    pthread_cond_signal(&worker->change);
    pthread_mutex_unlock(&worker->lock);
    pthread_join(worker->thread, NULL);
    while (worker->finished) {
        Entry *entry = worker->finished;
        worker->finished = entry->next;
        drop(entry);
    }
    pthread_cond_destroy(&worker->change);
    pthread_mutex_destroy(&worker->lock);
    free(worker);
}

void worker_submit(Worker *worker, Job job) {
    assert(job.slot >= 0 && job.slot < WORKER_MAX_SLOTS);
    Entry *entry = calloc(1, sizeof *entry);
    if (!entry) abort();
    entry->job = job;
    pthread_mutex_lock(&worker->lock);
    cancel_slot(worker, job.slot);
    worker->waiting[job.slot] = entry;
    pthread_cond_signal(&worker->change);
    pthread_mutex_unlock(&worker->lock);
}

void worker_cancel(Worker *worker, int slot) {
    pthread_mutex_lock(&worker->lock);
    cancel_slot(worker, slot);
    pthread_mutex_unlock(&worker->lock);
}

int worker_deliver(Worker *worker, void *context) {
    int n = 0;
    for (;;) {
        pthread_mutex_lock(&worker->lock);
        Entry *entry = worker->finished;
        if (entry) worker->finished = entry->next;
        pthread_mutex_unlock(&worker->lock);
        if (!entry) return n;
        if (!entry->cancelled && entry->job.done) {
            entry->job.done(context, entry->job.data, entry->ok, &entry->error);
            n++;
        }
        drop(entry);
    }
}

bool worker_busy(Worker *worker, int slot) {
    pthread_mutex_lock(&worker->lock);
    bool busy = worker->waiting[slot] || (worker->running && worker->running->job.slot == slot &&
                                          !worker->running->cancelled);
    for (Entry *e = worker->finished; e; e = e->next)
        busy = busy || (e->job.slot == slot && !e->cancelled);
    pthread_mutex_unlock(&worker->lock);
    return busy;
}

bool worker_idle(Worker *worker) {
    pthread_mutex_lock(&worker->lock);
    bool idle = !worker->running && !worker->finished;
    for (int slot = 0; slot < WORKER_MAX_SLOTS; slot++)
        idle = idle && !worker->waiting[slot];
    pthread_mutex_unlock(&worker->lock);
    return idle;
}

double worker_progress(Worker *worker, int slot) {
    pthread_mutex_lock(&worker->lock);
    bool running = worker->running && worker->running->job.slot == slot;
    double done = running ? atomic_load(&worker->done) : 0;
    pthread_mutex_unlock(&worker->lock);
    return done;
}
