/* Every part is done exactly once, whatever the rounds are and however fast they follow. */
#include "tests/model/engine.h"

#include <stdatomic.h>
#include <unistd.h>

#include "model/team.h"

enum { MOST = 300 };

static void count(void *context, int64_t part) {
    atomic_int *counts = context;
    atomic_fetch_add(&counts[part], 1);
}

static void each_part_once(void **state) {
    (void)state;
    for (int n_threads = 1; n_threads <= 3; n_threads++) {
        Team *team = team_new(n_threads);
        assert_true(team_size(team) <= n_threads);
        for (int round = 0; round < 2000; round++) {
            atomic_int counts[MOST] = {0};
            int n_parts = round % 7 == 0 ? MOST : round % 13;
            if (round % 500 == 0) usleep(2000); /* long enough to fall asleep */
            team_run(team, n_parts, count, counts);
            for (int part = 0; part < MOST; part++)
                assert_int_equal(counts[part], part < n_parts);
        }
        team_free(team);
    }
    team_free(NULL);
    assert_int_equal(team_size(NULL), 1);
}

/* A team may end while its threads are on their way to the round before. */
static void ends_at_any_time(void **state) {
    (void)state;
    for (int i = 0; i < 3000; i++) {
        Team *team = team_new(2 + i % 2);
        atomic_int counts[MOST] = {0};
        team_run(team, 3, count, counts);
        for (volatile int pause = i % 97 * 20; pause > 0; pause--)
            continue;
        team_free(team); /* and comes back */
        assert_int_equal(counts[0] + counts[1] + counts[2], 3);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(each_part_once),
                                       cmocka_unit_test(ends_at_any_time)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
