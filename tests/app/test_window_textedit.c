/* The editing model of the window's text fields. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "app/window/textedit.h"
#include "model/base/utf8.h"

static void expect(const TextEdit *edit, const char *text) {
    Str t = textedit_text(edit);
    assert_int_equal(t.n, strlen(text));
    assert_memory_equal(t.data, text, t.n);
}

static void moves_by_cluster_and_word(void **state) {
    (void)state;
    TextEdit e = {0};
    /* e + combining acute; a family emoji joined by ZWJ; a flag of two letters */
    const char *text = "e\xcc\x81 \xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x91\xa7 "
                       "\xf0\x9f\x87\xab\xf0\x9f\x87\xae x";
    textedit_set(&e, str(text));
    assert_int_equal(e.caret, strlen(text));
    size_t stops[16];
    int n = 0;
    while (e.caret > 0) {
        textedit_move(&e, TEXTEDIT_LEFT, false);
        stops[n++] = e.caret;
    }
    assert_int_equal(n, 7); /* x, blank, flag, blank, family, blank, é */
    assert_int_equal(stops[n - 2], 3);
    for (int i = n - 2; i >= 0; i--) {
        textedit_move(&e, TEXTEDIT_RIGHT, false);
        assert_int_equal(e.caret, stops[i]);
    }
    textedit_set(&e, str("don't stop, here"));
    textedit_move(&e, TEXTEDIT_WORD_LEFT, false);
    assert_int_equal(e.caret, 12);
    textedit_move(&e, TEXTEDIT_WORD_LEFT, false);
    assert_int_equal(e.caret, 6);
    textedit_move(&e, TEXTEDIT_WORD_LEFT, false);
    assert_int_equal(e.caret, 0);
    textedit_move(&e, TEXTEDIT_WORD_RIGHT, true);
    assert_true(str_is(textedit_selected(&e), "don't"));
    textedit_move(&e, TEXTEDIT_LEFT, false);
    assert_int_equal(e.caret, 0);
    textedit_select_word(&e, 8);
    assert_true(str_is(textedit_selected(&e), "stop"));
    textedit_free(&e);
}

static void undo_joins_the_letters_of_a_word(void **state) {
    (void)state;
    TextEdit e = {0};
    const char *letters[] = {"c", "a", "t", " ", "s", "a", "t"};
    for (int i = 0; i < 7; i++)
        textedit_type(&e, str(letters[i]));
    expect(&e, "cat sat");
    assert_true(textedit_undo(&e));
    expect(&e, "cat");
    assert_true(textedit_undo(&e));
    expect(&e, "");
    assert_false(textedit_undo(&e));
    assert_true(textedit_redo(&e));
    assert_true(textedit_redo(&e));
    expect(&e, "cat sat");
    assert_false(textedit_redo(&e));
    textedit_undo(&e);
    textedit_type(&e, str("!"));
    expect(&e, "cat!");
    assert_false(textedit_redo(&e));
    textedit_select_all(&e);
    textedit_delete(&e, TEXTEDIT_LEFT);
    expect(&e, "");
    textedit_undo(&e);
    expect(&e, "cat!");
    assert_true(str_is(textedit_selected(&e), "cat!"));
    for (int i = 0; i < 3 * TEXTEDIT_MAX_UNDO; i++)
        textedit_insert(&e, str("x"));
    int n = 0;
    while (textedit_undo(&e))
        n++;
    assert_int_equal(n, TEXTEDIT_MAX_UNDO);
    textedit_free(&e);
}

static void pasted_bytes_become_text(void **state) {
    (void)state;
    TextEdit e = {0};
    textedit_insert(&e, (Str){"a\r\nb\tc\x01\x00\xff\xe2\x82z", 12});
    expect(&e, "a b c\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbdz");
    textedit_set(&e, str("xy"));
    textedit_place(&e, 1, false);
    StrBuf big = {0};
    for (int i = 0; i < 10000; i++)
        strbuf_puts(&big, "ä");
    textedit_insert(&e, strbuf_str(&big));
    assert_int_equal(e.n, 20002);
    assert_false(e.truncated);
    for (int i = 0; i < 4; i++)
        textedit_insert(&e, strbuf_str(&big));
    assert_true(e.truncated);
    assert_true(e.n <= TEXTEDIT_MAX_BYTES);
    assert_int_equal(utf8_invalid_at(textedit_text(&e)), e.n);
    strbuf_free(&big);
    textedit_free(&e);
}

static void composition_is_not_text_until_it_is_typed(void **state) {
    (void)state;
    TextEdit e = {0};
    textedit_set(&e, str("ab"));
    textedit_place(&e, 1, false);
    textedit_compose(&e, str("\xe3\x81\x8b"), 3);
    expect(&e, "ab");
    assert_int_equal(e.preedit.n, 3);
    textedit_type(&e, str("\xe8\x8a\xb1"));
    assert_int_equal(e.preedit.n, 0);
    expect(&e, "a\xe8\x8a\xb1"
               "b");
    textedit_free(&e);
}

/* Any order of calls leaves UTF-8, and caret and anchor between clusters. */
static void random_editing_keeps_the_invariant(void **state) {
    (void)state;
    TextEdit e = {0};
    uint32_t seed = 7;
    const char *pieces[] = {"a",  " ",  "\xcc\x81",         "\xf0\x9f\x87\xab",
                            "ب",  "क्",  "\xf0\x9f\x91\xa9", "\xe2\x80\x8d",
                            "\n", "x y"};
    for (int i = 0; i < 20000; i++) {
        seed = seed * 1664525u + 1013904223u;
        uint32_t r = seed >> 8;
        TextMove move = (TextMove)(r / 16 % 6);
        switch (r % 10) {
        case 0:
        case 1:
        case 2:
            textedit_type(&e, str(pieces[r / 16 % 10]));
            break;
        case 3:
            textedit_insert(&e, str(pieces[r / 16 % 10]));
            break;
        case 4:
            if (r / 16 % 3) textedit_move(&e, move, r & 1);
            break;
        case 5:
            textedit_place(&e, r / 16 % (e.n + 3), r & 1);
            break;
        case 6:
            if (r / 16 % 4 == 0) textedit_delete(&e, move);
            break;
        case 7:
            textedit_undo(&e);
            break;
        case 8:
            textedit_redo(&e);
            break;
        default:
            textedit_compose(&e, str(pieces[r / 16 % 10]), r / 64 % 4);
        }
        Str t = textedit_text(&e);
        assert_int_equal(utf8_invalid_at(t), t.n);
        assert_true(e.caret <= t.n && e.anchor <= t.n);
        if (e.caret < t.n) assert_int_not_equal((unsigned char)t.data[e.caret] & 0xc0, 0x80);
        if (t.n > 600) textedit_set(&e, str(""));
    }
    textedit_free(&e);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(moves_by_cluster_and_word),
        cmocka_unit_test(undo_joins_the_letters_of_a_word),
        cmocka_unit_test(pasted_bytes_become_text),
        cmocka_unit_test(composition_is_not_text_until_it_is_typed),
        cmocka_unit_test(random_editing_keeps_the_invariant),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
