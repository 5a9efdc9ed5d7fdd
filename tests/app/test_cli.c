/* The command line as a user meets it: help, wrong usage, lines in and out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "app/commands.h"
#include "app/version.h"
#include "tests/app/spawn.h"

static void test_help(void **state) {
    (void)state;
    Spawned r = spawn_shell("$ATTNSCOPE --help");
    assert_int_equal(r.status, 0);
    assert_int_equal(r.n_err, 0);
    for (const Command *const *c = commands_all(); *c; c++)
        assert_non_null(strstr(r.out, (*c)->title));
    spawn_free(&r);
    for (const Command *const *c = commands_all(); *c; c++) {
        char line[256];
        snprintf(line, sizeof line, "$ATTNSCOPE %s --nonsense -h", (*c)->name);
        r = spawn_shell(line);
        assert_int_equal(r.status, 0);
        assert_non_null(strstr(r.out, "usage: attnscope"));
        assert_non_null(strstr(r.out, "examples:"));
        spawn_free(&r);
        snprintf(line, sizeof line, "$ATTNSCOPE %s --version", (*c)->name);
        r = spawn_shell(line);
        assert_int_equal(r.status, 0);
        assert_string_equal(r.out, "attnscope " ATTNSCOPE_VERSION "\n");
        spawn_free(&r);
    }
}

static void test_wrong_usage(void **state) {
    (void)state;
    assert_true(spawn_refused("$ATTNSCOPE toknize", 2, "did you mean tokenize"));
    assert_true(spawn_refused("$ATTNSCOPE zzzzz", 2, "unknown command 'zzzzz'"));
    assert_true(spawn_refused("$ATTNSCOPE tokenize --modle x", 2, "did you mean --model"));
    assert_true(spawn_refused("$ATTNSCOPE tokenize --model", 2, "--model needs a value"));
    assert_true(spawn_refused("$ATTNSCOPE tokenize a b", 2, "one word too many"));
    assert_true(spawn_refused("$ATTNSCOPE tokenize --jsonl=yes", 2, "takes no value"));
    assert_true(spawn_refused("$ATTNSCOPE help nothing", 2, "unknown command 'nothing'"));
}

static void test_completions(void **state) {
    (void)state;
    Spawned r = spawn_shell("$ATTNSCOPE help --format bash > $SCRATCH/c.bash && "
                            "bash -n $SCRATCH/c.bash && bash -c '. $SCRATCH/c.bash; "
                            "COMP_WORDS=(attnscope tok) COMP_CWORD=1; _attnscope; "
                            "echo ${COMPREPLY[@]}; "
                            "COMP_WORDS=(attnscope tokenize --no-s) COMP_CWORD=2; _attnscope; "
                            "echo ${COMPREPLY[@]}'");
    assert_int_equal(r.status, 0);
    assert_string_equal(r.out, "tokenize\n--no-special\n");
    spawn_free(&r);
    static const char *const formats[] = {"man", "zsh", "fish"};
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
        char line[128];
        snprintf(line, sizeof line, "$ATTNSCOPE help --format %s", formats[i]);
        r = spawn_shell(line);
        assert_int_equal(r.status, 0);
        for (const Command *const *c = commands_all(); *c; c++)
            assert_non_null(strstr(r.out, (*c)->name));
        spawn_free(&r);
    }
}

/* The working folder, the locale and HOME make no difference. */
static void test_anywhere(void **state) {
    (void)state;
    spawn_scratch();
    Spawned a = spawn_shell("echo 'She loves cats.' | $ATTNSCOPE tokenize --jsonl");
    Spawned b = spawn_shell("cd / && echo 'She loves cats.' | env -u HOME LC_ALL=fi_FI.UTF-8 "
                            "$ATTNSCOPE tokenize --jsonl");
    assert_int_equal(a.status, b.status);
    assert_string_equal(a.out, b.out);
    spawn_free(&a);
    spawn_free(&b);
}

static void test_lines(void **state) {
    (void)state;
    /* An empty line for an empty one; one that fails is named, the rest goes on. */
    Spawned r = spawn_shell("printf 'cats\\n\\nbad \\377 byte\\ndogs' | $ATTNSCOPE tokenize");
    assert_int_equal(r.status, 1);
    int n_lines = 0;
    for (const char *c = r.out; *c; c++)
        n_lines += *c == '\n';
    assert_int_equal(n_lines, 4);
    assert_non_null(strstr(r.out, "\n\n\n"));
    assert_non_null(strstr(r.err, "attnscope: line 3: "));
    assert_non_null(strstr(r.err, "attnscope: 1 of 4 lines failed"));
    spawn_free(&r);
    /* NUL bytes are text, Windows' line ends are not. */
    r = spawn_shell("printf 'a\\0b\\r\\ncats\\r\\n' | $ATTNSCOPE tokenize --no-special");
    assert_int_equal(r.status, 0);
    assert_null(strstr(r.out, "\r"));
    spawn_free(&r);
    r = spawn_shell(
        "printf '{\"text\": \"cats\"}\\nno json\\n{}\\n' | $ATTNSCOPE tokenize --jsonl");
    assert_int_equal(r.status, 1);
    assert_non_null(strstr(r.out, "\"ids\": ["));
    assert_non_null(strstr(r.err, "line 2: "));
    assert_non_null(strstr(r.err, "line 3: no \"text\" in it"));
    spawn_free(&r);
}

static void test_full_disk_and_closed_pipe(void **state) {
    (void)state;
    assert_true(spawn_refused("$ATTNSCOPE --help > /dev/full", 1, "No space left"));
    assert_true(spawn_refused("echo cats | $ATTNSCOPE tokenize > /dev/full", 1, "No space left"));
    assert_true(spawn_refused("echo cats | $ATTNSCOPE tokenize -o /dev/full", 1, "No space left"));
    Spawned r =
        spawn_shell("yes cats | head -n 100000 | $ATTNSCOPE tokenize 2> $SCRATCH/pipe.err | "
                    "head -n 1; cat $SCRATCH/pipe.err");
    assert_non_null(strstr(r.out, "Broken pipe"));
    spawn_free(&r);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_help),        cmocka_unit_test(test_wrong_usage),
        cmocka_unit_test(test_completions), cmocka_unit_test(test_anywhere),
        cmocka_unit_test(test_lines),       cmocka_unit_test(test_full_disk_and_closed_pipe),
    };
    return cmocka_run_group_tests(tests, NULL, spawn_clean);
}
