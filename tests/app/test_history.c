#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "app/history.h"

static void steps_back_and_forth(void **state) {
    (void)state;
    History *h = history_new(4);
    assert_null(history_undo(h));
    history_push(h, "a");
    history_push(h, "a");
    assert_false(history_can_undo(h));
    history_push(h, "b");
    history_touch(h, "b, typed on");
    history_push(h, "c");
    assert_string_equal(history_undo(h), "b, typed on");
    assert_string_equal(history_undo(h), "a");
    assert_null(history_undo(h));
    assert_string_equal(history_redo(h), "b, typed on");
    history_push(h, "d");
    assert_null(history_redo(h));
    for (int i = 0; i < 10; i++) {
        char text[8];
        snprintf(text, sizeof text, "%d", i);
        history_push(h, text);
    }
    assert_string_equal(history_undo(h), "8");
    assert_string_equal(history_undo(h), "7");
    assert_string_equal(history_undo(h), "6");
    assert_null(history_undo(h));
    history_free(h);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(steps_back_and_forth)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
