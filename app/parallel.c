#include "app/parallel.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include "model/base/str.h"
#include "model/ops.h"

enum { MOST_THREADS = 64 };

typedef struct Job {
    int n_items;
    void (*work)(void *context, int item);
    void *context;
    atomic_int next;
} Job;

int parallel_n_threads(void) {
    long n = sysconf(_SC_NPROCESSORS_ONLN);
    const char *bound = getenv("OPENBLAS_NUM_THREADS");
    long long most;
    if (bound && integer_parse(str(bound), &most) && most >= 1 && most < n) n = (long)most;
    return n < 1 ? 1 : n > MOST_THREADS ? MOST_THREADS : (int)n;
}

static void *take_items(void *argument) {
    Job *job = argument;
    for (int i; (i = atomic_fetch_add(&job->next, 1)) < job->n_items;)
        job->work(job->context, i);
    return NULL;
}

void parallel_for(int n_items, void (*work)(void *context, int item), void *context) {
    Job job = {.n_items = n_items, .work = work, .context = context};
    int n_threads = parallel_n_threads(), n_started = 0;
    pthread_t threads[MOST_THREADS];
    if (n_threads > n_items) n_threads = n_items;
    if (n_threads > 1) ops_blas_threads(1);
    /* A thread that cannot be had is no failure: the others take its items. */
    while (n_started + 1 < n_threads &&
           pthread_create(&threads[n_started], NULL, take_items, &job) == 0)
        n_started++;
    take_items(&job);
    for (int i = 0; i < n_started; i++)
        pthread_join(threads[i], NULL);
    if (n_threads > 1) ops_blas_threads(parallel_n_threads());
}
