/* What is free, where ulimit says less than the machine has. */
#include "model/memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static void the_machine_says_something(void **state) {
    (void)state;
    int64_t n = memory_available();
    assert_true(n > 0);
    assert_true(memory_fits(1));
    assert_false(memory_fits(INT64_MAX / 2));
}

/* In a child: a limit of addresses cannot be taken back. */
static void a_limit_of_addresses_counts(void **state) {
    (void)state;
    struct rlimit old;
    assert_int_equal(getrlimit(RLIMIT_AS, &old), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        int64_t before = memory_available();
        struct rlimit limit = {(rlim_t)1 << 59, old.rlim_max};
        if (setrlimit(RLIMIT_AS, &limit)) _exit(0); /* a lower one is in force already */
        bool roomy = memory_available() > before / 2;
        limit.rlim_cur = (rlim_t)1 << 20; /* less than is in use: nothing is left */
        _exit(setrlimit(RLIMIT_AS, &limit) || (roomy && memory_available() <= 0) ? 0 : 1);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_machine_says_something),
                                       cmocka_unit_test(a_limit_of_addresses_counts)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
