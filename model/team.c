/* A round is one word, the ticket: {round, number of parts, next part}. A thread takes a part by
 * moving the ticket on from what it saw; a round cannot end while a part of it is out, so whoever
 * took one may read the round's work, and whoever comes late takes nothing. Threads without work
 * look at the ticket for a while before they sleep. */
#include "model/team.h"

#include <assert.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>

enum { MOST_THREADS = 64, LOOKS = 4000 }; /* about 50 us */

struct Team {
    _Atomic uint64_t ticket;
    atomic_llong n_done;
    atomic_int n_asleep;
    atomic_bool ends;
    TeamWork *work;
    void *context;
    pthread_mutex_t mutex;
    pthread_cond_t woken;
    pthread_t threads[MOST_THREADS];
    int n_threads; /* beside the caller's */
};

static uint64_t round_of(uint64_t ticket) {
    return ticket >> 32;
}
static int64_t parts_of(uint64_t ticket) {
    return (int64_t)(ticket >> 16 & 0xffff);
}
static int64_t next_of(uint64_t ticket) {
    return (int64_t)(ticket & 0xffff);
}

static void take_parts(Team *team) {
    uint64_t ticket = atomic_load(&team->ticket);
    while (next_of(ticket) < parts_of(ticket)) {
        if (!atomic_compare_exchange_weak(&team->ticket, &ticket, ticket + 1)) continue;
        team->work(team->context, next_of(ticket));
        atomic_fetch_add(&team->n_done, 1);
        ticket = atomic_load(&team->ticket);
    }
}

static void pause_briefly(void) {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
}

/* Until there is a round other than the one seen. */
static void await_round(Team *team, uint64_t seen) {
    for (int i = 0; i < LOOKS; i++) {
        if (round_of(atomic_load(&team->ticket)) != seen) return;
        pause_briefly();
    }
    pthread_mutex_lock(&team->mutex);
    atomic_fetch_add(&team->n_asleep, 1);
    while (round_of(atomic_load(&team->ticket)) == seen)
        pthread_cond_wait(&team->woken, &team->mutex);
    atomic_fetch_sub(&team->n_asleep, 1);
    pthread_mutex_unlock(&team->mutex);
}

static void *thread_main(void *argument) {
    Team *team = argument;
    uint64_t seen = 0;
    for (;;) {
        await_round(team, seen);
        seen = round_of(atomic_load(&team->ticket));
        if (atomic_load(&team->ends)) return NULL; /* asked last: no round follows the end's */
        take_parts(team);
    }
}

/* Rounds are never 0 in the low 32 bits, which is what a new thread has seen. */
static void publish(Team *team, int64_t n_parts) {
    uint64_t round = (round_of(atomic_load(&team->ticket)) + 1) & 0xffffffff;
    if (round == 0) round = 1;
    atomic_store(&team->ticket, round << 32 | (uint64_t)n_parts << 16);
    if (atomic_load(&team->n_asleep) == 0) return;
    pthread_mutex_lock(&team->mutex);
    pthread_cond_broadcast(&team->woken);
    pthread_mutex_unlock(&team->mutex);
}

Team *team_new(int n_threads) {
    if (n_threads > MOST_THREADS) n_threads = MOST_THREADS;
    if (n_threads < 2) return NULL;
    Team *team = calloc(1, sizeof *team);
    if (!team) return NULL;
    pthread_mutex_init(&team->mutex, NULL);
    pthread_cond_init(&team->woken, NULL);
    while (team->n_threads + 1 < n_threads &&
           pthread_create(&team->threads[team->n_threads], NULL, thread_main, team) == 0)
        team->n_threads++;
    if (team->n_threads > 0) return team;
    team_free(team);
    return NULL;
}

void team_free(Team *team) {
    if (!team) return;
    atomic_store(&team->ends, true);
    publish(team, 0);
    for (int i = 0; i < team->n_threads; i++)
        pthread_join(team->threads[i], NULL);
    pthread_cond_destroy(&team->woken);
    pthread_mutex_destroy(&team->mutex);
    free(team);
}

int team_size(const Team *team) {
    return team ? team->n_threads + 1 : 1;
}

void team_run(Team *team, int64_t n_parts, TeamWork *work, void *context) {
    if (!team || n_parts < 2) {
        for (int64_t part = 0; part < n_parts; part++)
            work(context, part);
        return;
    }
    assert(n_parts < TEAM_MOST_PARTS);
    team->work = work;
    team->context = context;
    atomic_store(&team->n_done, 0);
    publish(team, n_parts);
    take_parts(team);
    for (int i = 0; atomic_load(&team->n_done) < n_parts; i++) {
        if (i < LOOKS)
            pause_briefly();
        else
            sched_yield();
    }
}
