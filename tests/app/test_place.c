#include "app/place.h"

// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

static void prints_and_parses(void **unused) {
    (void)unused;
    static const struct {
        Place place;
        const char *text;
    } cases[] = {
        {{STACK_BLOCKS, false, 5, 3, 4, 7}, "L5H3-q4-k7"},
        {{STACK_BLOCKS, false, 5, 3, -1, -1}, "L5H3"},
        {{STACK_DECODER, true, 2, 3, 4, 7}, "cross-L2H3-q4-k7"},
        {{STACK_DECODER, true, 2, -1, 4, 7}, "cross-L2-q4-k7"},
        {{STACK_DECODER, true, -1, 3, 4, -1}, "cross-H3-q4"},
        {{STACK_ENCODER, false, 0, 11, -1, 2147483}, "encoder-L0H11-k2147483"},
        {{STACK_DECODER, false, -1, -1, -1, -1}, "decoder"},
        {{STACK_BLOCKS, false, -1, 0, -1, -1}, "H0"},
        {{STACK_BLOCKS, false, -1, -1, 4, -1}, "q4"},
        {{STACK_BLOCKS, false, -1, -1, -1, -1}, ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[PLACE_TEXT_MAX];
        assert_string_equal(place_text(&cases[i].place, text), cases[i].text);
        Place back;
        Error error = {0};
        assert_true(place_parse(str(cases[i].text), &back, &error));
        assert_true(place_equal(&back, &cases[i].place));
    }
}

static void parses_the_hooks_way(void **unused) {
    (void)unused;
    Place place;
    char text[PLACE_TEXT_MAX];
    static const char *const cases[][2] = {
        {"decoder.2.cross_attn:H3", "cross-L2H3"},
        {"decoder.2.cross_attn:H3:q4:k7", "cross-L2H3-q4-k7"},
        {"decoder.2.attn", "decoder-L2"},
        {"encoder.0.attn:H1:k2", "encoder-L0H1-k2"},
        {"blocks.5.attn:H0", "L5H0"},
        {"blocks.5.attn.hook_pattern", "L5"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_true(place_parse(str(cases[i][0]), &place, NULL));
        assert_string_equal(place_text(&place, text), cases[i][1]);
    }
}

static void refuses_what_is_no_place(void **unused) {
    (void)unused;
    static const char *const cases[] = {"L",
                                        "L5H",
                                        "H3L5",
                                        "L5H3q4",
                                        "L5H3-k7-q4",
                                        "L-1",
                                        "cross-",
                                        "L5 H3",
                                        "l5h3",
                                        "L5H3-q4-k7 ",
                                        "L1e3",
                                        "crossL2",
                                        "L5-H3",
                                        "banana",
                                        "decoder.x.attn",
                                        "q4-k7-",
                                        "L99999999999",
                                        "blocks.5.attn:",
                                        "blocks.5.attn:k1:q1"};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Place place = {STACK_ENCODER, false, 9, 9, 9, 9};
        Error error = {0};
        if (place_parse(str(cases[i]), &place, &error)) fail_msg("%s", cases[i]);
        assert_int_equal(error.kind, ERROR_INPUT);
        assert_int_equal(place.layer, 9); /* untouched */
    }
}

static void contains(void **unused) {
    (void)unused;
    Place head, cell, other, attention = place_attention(STACK_DECODER, true);
    assert_true(place_parse(str("cross-L2H3"), &head, NULL));
    assert_true(place_parse(str("cross-L2H3-q1-k2"), &cell, NULL));
    assert_true(place_parse(str("decoder-L2H3-q1-k2"), &other, NULL));
    assert_true(place_contains(&head, &cell));
    assert_true(place_contains(&attention, &cell));
    assert_false(place_contains(&cell, &head));
    assert_false(place_contains(&head, &other));
    assert_true(place_is_open(&attention));
    assert_false(place_is_open(&head));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(prints_and_parses),
        cmocka_unit_test(parses_the_hooks_way),
        cmocka_unit_test(refuses_what_is_no_place),
        cmocka_unit_test(contains),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
