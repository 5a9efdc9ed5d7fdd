/* One thread that does what takes time, so that the window never waits.
 *
 *     Worker *worker = worker_new(wake, window);             wake(window) on the worker's thread
 *     worker_submit(worker, (Job){.slot = SLOT_RUN, .data = request, .work = run, .done = show,
 *                                 .drop = request_free});
 *     worker_deliver(worker, window);                        on the caller's: runs what is done
 *     worker_free(worker);                                   cancels, waits, drops the rest
 *
 * A slot is a kind of work of which only the newest matters: submitting a job cancels the one of
 * its slot that runs and drops those that wait. Slots are served lowest first. work() looks at
 * progress->cancel often enough to stop within a layer.
 */
#ifndef APP_WORKER_H
#define APP_WORKER_H

#include <stdatomic.h>
#include <stdbool.h>

#include "model/base/error.h"
#include "model/trace.h"

enum { WORKER_MAX_SLOTS = 8 };

typedef struct Job {
    int slot;   /* 0..WORKER_MAX_SLOTS-1 */
    void *data; /* the job's, handed to the three below */
    /* On the worker's thread. */
    bool (*work)(void *data, const Progress *progress, Error *error);
    /* On the caller's thread, in worker_deliver; not called for a job that was cancelled. */
    void (*done)(void *context, void *data, bool ok, const Error *error);
    void (*drop)(void *data); /* last of all, on the caller's thread; may be NULL */
} Job;

typedef struct Worker Worker;

Worker *worker_new(void (*wake)(void *context), void *context);
void worker_free(Worker *worker); /* NULL is fine */

void worker_submit(Worker *worker, Job job);
/* Stops and drops whatever the slot has. */
void worker_cancel(Worker *worker, int slot);
/* Calls done and drop of all that has finished; returns how many. */
int worker_deliver(Worker *worker, void *context);

bool worker_busy(Worker *worker, int slot); /* waiting, running, or not yet delivered */
bool worker_idle(Worker *worker);           /* nothing in any slot */
/* 0..1 of the running job of the slot; 0 while it waits. */
double worker_progress(Worker *worker, int slot);

#endif
