/* The window's worker: newest job of a slot wins, cancelled ones are never shown, nothing leaks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#include "app/worker.h"

typedef struct Log {
    int shown[64];
    int n_shown;
} Log;

typedef struct Note {
    int number;
    bool slow;
    int *n_dropped;
} Note;

static void wait_ms(int ms) {
    nanosleep(&(struct timespec){ms / 1000, ms % 1000 * 1000000L}, NULL);
}

static bool work(void *data, const Progress *progress, Error *error) {
    Note *note = data;
    for (int i = 0; note->slow && i < 5000; i++) {
        if (atomic_load(progress->cancel)) return error_set(error, ERROR_CANCELLED, "stopped");
        progress->report(progress->context, i / 5000.0);
        wait_ms(1);
    }
    if (note->number == 13) return error_set(error, ERROR_INPUT, "thirteen");
    return true;
}

static void done(void *context, void *data, bool ok, const Error *error) {
    Log *log = context;
    Note *note = data;
    assert_int_equal(ok, note->number != 13);
    if (!ok) assert_string_equal(error->message, "thirteen");
    log->shown[log->n_shown++] = note->number;
}

static void drop(void *data) {
    Note *note = data;
    ++*note->n_dropped;
    free(note);
}

static atomic_int n_wakes;
static void wake(void *context) {
    (void)context;
    atomic_fetch_add(&n_wakes, 1);
}

static void submit(Worker *worker, int slot, int number, bool slow, int *n_dropped) {
    Note *note = malloc(sizeof *note);
    *note = (Note){number, slow, n_dropped};
    worker_submit(worker, (Job){slot, note, work, done, drop});
}

static void settle(Worker *worker, Log *log) {
    for (int i = 0; i < 4000 && !worker_idle(worker); i++) {
        worker_deliver(worker, log);
        wait_ms(1);
    }
    worker_deliver(worker, log);
    assert_true(worker_idle(worker));
}

static void the_newest_of_a_slot_wins(void **state) {
    (void)state;
    Log log = {0};
    int n_dropped = 0;
    Worker *worker = worker_new(wake, NULL);
    submit(worker, 1, 1, true, &n_dropped);
    wait_ms(20);
    assert_true(worker_busy(worker, 1));
    submit(worker, 1, 2, true, &n_dropped);
    submit(worker, 1, 3, false, &n_dropped);
    submit(worker, 0, 13, false, &n_dropped);
    settle(worker, &log);
    assert_int_equal(log.n_shown, 2);
    assert_int_equal(log.shown[0], 13); /* a lower slot is served first */
    assert_int_equal(log.shown[1], 3);
    assert_int_equal(n_dropped, 4);
    assert_true(atomic_load(&n_wakes) > 0);
    worker_free(worker);
}

static void cancelled_and_left_over_jobs_are_dropped(void **state) {
    (void)state;
    Log log = {0};
    int n_dropped = 0;
    Worker *worker = worker_new(wake, NULL);
    submit(worker, 2, 1, true, &n_dropped);
    wait_ms(10);
    worker_cancel(worker, 2);
    assert_false(worker_busy(worker, 2));
    settle(worker, &log);
    assert_int_equal(log.n_shown, 0);
    submit(worker, 2, 2, true, &n_dropped);
    submit(worker, 3, 3, true, &n_dropped);
    wait_ms(10);
    worker_free(worker); /* closes during a run */
    assert_int_equal(log.n_shown, 0);
    assert_int_equal(n_dropped, 3);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_newest_of_a_slot_wins),
        cmocka_unit_test(cancelled_and_left_over_jobs_are_dropped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
