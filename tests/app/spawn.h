/* Runs the built program as a user's shell would, for tests of the command line.
 *
 *     Spawned r = spawn_shell("$ATTNSCOPE tokenize --model missing < /dev/null");
 *     assert_int_equal(r.status, 1);
 *     spawn_free(&r);
 *
 * tests/run sets $ATTNSCOPE to the program; each test program has a folder of its own, $SCRATCH.
 */
#ifndef TESTS_APP_SPAWN_H
#define TESTS_APP_SPAWN_H

#include <stdbool.h>
#include <stddef.h>

typedef struct Spawned {
    int status; /* exit status; 128 + n when a signal ended it */
    char *out, *err;
    size_t n_out, n_err;
} Spawned;

Spawned spawn_shell(const char *command);
void spawn_free(Spawned *r);

/* Status, nothing on stdout, and on stderr one line "attnscope: ..." that holds `part`. Says what
 * was wrong, and returns false. */
bool spawn_refused(const char *command, int status, const char *part);

/* The folder of this test program; made by the first call, removed by spawn_clean(). */
const char *spawn_scratch(void);
int spawn_clean(void **state); /* a cmocka group teardown */
/* Writes a file in it; returns its path, until the next call. */
const char *spawn_file(const char *name, const void *data, size_t n);

#endif
