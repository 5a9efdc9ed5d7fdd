#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "app/lines.h"
#include "tests/app/spawn.h"

static void check_lines(const char *text, size_t n, int n_max, const char *expected) {
    Error error = {0};
    LineReader *reader = lines_open(spawn_file("lines.txt", text, n), &error);
    assert_non_null(reader);
    StrBuf all = {0};
    Str lines[8];
    assert_true(n_max <= 8);
    for (int got; (got = lines_next(reader, n_max, lines, &error)) > 0;) {
        assert_true(got <= n_max);
        for (int i = 0; i < got; i++) {
            strbuf_add(&all, lines[i].data, lines[i].n);
            strbuf_putc(&all, '|');
        }
    }
    assert_int_equal(error.kind, ERROR_NONE);
    assert_int_equal(all.n, strlen(expected));
    if (all.n) assert_memory_equal(all.data, expected, all.n);
    strbuf_free(&all);
    lines_close(reader);
}

static void test_line_ends(void **state) {
    (void)state;
    for (int n_max = 1; n_max <= 8; n_max++) {
        check_lines("a\nb\n", 4, n_max, "a|b|");
        check_lines("a\nb", 3, n_max, "a|b|");
        check_lines("a\r\n\r\nb\r", 7, n_max, "a||b|");
        check_lines("\n\n", 2, n_max, "||");
        check_lines("", 0, n_max, "");
    }
}

/* Lines that straddle what is read at once. */
static void test_long_lines(void **state) {
    (void)state;
    size_t n = 200000;
    char *text = malloc(n);
    memset(text, 'x', n);
    text[65535] = '\n';
    text[65536] = '\n';
    Error error = {0};
    LineReader *reader = lines_open(spawn_file("long.txt", text, n), &error);
    Str lines[8];
    int got = lines_next(reader, 8, lines, &error);
    assert_int_equal(got, 3);
    assert_int_equal(lines[0].n, 65535);
    assert_int_equal(lines[1].n, 0);
    assert_int_equal(lines[2].n, n - 65537);
    assert_int_equal(lines_next(reader, 8, lines, &error), 0);
    lines_close(reader);
    free(text);
}

static void test_what_is_no_file(void **state) {
    (void)state;
    Error error = {0};
    assert_null(lines_open("/no/such/file", &error));
    assert_int_equal(error.kind, ERROR_NOT_FOUND);
    error = (Error){0};
    assert_null(lines_open(spawn_scratch(), &error));
    assert_non_null(strstr(error.message, "is a folder"));
    char fifo[512];
    snprintf(fifo, sizeof fifo, "%s/fifo", spawn_scratch());
    assert_int_equal(mkfifo(fifo, 0600), 0);
    error = (Error){0};
    assert_null(lines_open(fifo, &error));
    assert_non_null(strstr(error.message, "is a pipe"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_line_ends),
        cmocka_unit_test(test_long_lines),
        cmocka_unit_test(test_what_is_no_file),
    };
    return cmocka_run_group_tests(tests, NULL, spawn_clean);
}
