/* Patterns of tokenizer.json: what they match where Oniguruma and PCRE2 differ. The matches are
 * those that the Rust tokenizers library splits at. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "model/tokenizer/regex.h"

static void expect_matches(const char *pattern, const char *text, const char *want) {
    Error error = {0};
    Arena *arena = arena_new();
    const Regex *regex = regex_new(str(pattern), arena, &error);
    if (!regex) fail_msg("%s: %s", pattern, error.message);
    RegexSearch *search = regex_search(regex, str(text), arena);
    StrBuf got = {0};
    for (int32_t begin, end; regex_next(search, &begin, &end);)
        strbuf_printf(&got, "%s%d-%d", got.n ? " " : "", (int)begin, (int)end);
    strbuf_putc(&got, '\0');
    if (strcmp(got.data, want) != 0)
        fail_msg("%s on \"%s\": %s instead of %s", pattern, text, got.data, want);
    strbuf_free(&got);
    arena_free(arena);
}

static void sets_are_those_of_oniguruma(void **state) {
    (void)state;
    expect_matches("\\w+", "a_\xcc\x81 \xc2\xbd", "0-4 5-7"); /* a mark; a half */
    expect_matches("[\\w]+", "a_\xcc\x81 \xc2\xbd", "0-4");   /* no half in a class */
    expect_matches("[^\\w\\s]", "a-\xc2\xbd", "1-2 2-4");
    expect_matches("\\W", "a-\xc2\xbd", "1-2");
    expect_matches("\\h+", "0fFg", "0-3");
    expect_matches("[\\h-]+", "g0-f", "1-4");
    expect_matches("[[:punct:]]", "a$\xc2\xa9", "1-2 2-4");             /* symbols too */
    expect_matches("\\p{Punct}", "a$.", "2-3");                         /* but not as a property */
    expect_matches("[[:alpha:]]+", "1\xe0\xa4\xb9\xe0\xa4\xbf", "1-7"); /* a vowel sign */
    expect_matches("[[:^alpha:]]", "a1", "1-2");
    expect_matches("\\p{Letter}+|\\p{^Alnum}", "ab1-", "0-2 3-4");
    expect_matches("\\p{Han}", "\xe3\x80\x82\xe4\xbb\x8a",
                   "3-6"); /* the full stop is of no script */
    expect_matches("[\\u4e00-\\u9fff]", "a\xe4\xbb\x8a", "1-4");
    expect_matches(" ?[^(\\s|[.,])]+", "a, b", "0-1 2-4"); /* a class in a class */
}

static void places_are_those_of_oniguruma(void **state) {
    (void)state;
    expect_matches("^", "a\nb", "0-0 2-2");
    expect_matches("a$", "a\na", "0-1 2-3");
    expect_matches("(?=[A-Z])", "aBcD", "1-1 3-3");
    expect_matches("", "\xc3\xa4z", "0-0 2-2 3-3");
    expect_matches("x*", "axa", "0-0 1-2 3-3"); /* none right behind another */
    expect_matches("\\b", "a\xcc\x81-b", "0-0 3-3 4-4 5-5");
    expect_matches("\\B", "ab", "1-1");
}

static void what_cannot_be_written_is_refused(void **state) {
    (void)state;
    static const char *const cases[][2] = {
        {"\\p{N}{1,3}+", "a + behind an interval"}, {"[a&&b]", "an intersection (&&)"},
        {"[a[^b]]", "a negated class in a class"},  {"[\\W_]", "a negated set in a class"},
        {"\\u12", "a \\u without four digits"},     {"\\p{L", "a \\p without an end"},
        {"[[:alpha]", "a [: without an end"},       {"(a", "is not one"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Error error = {0};
        Arena *arena = arena_new();
        assert_null(regex_new(str(cases[i][0]), arena, &error));
        if (!strstr(error.message, cases[i][1])) fail_msg("%s: %s", cases[i][0], error.message);
        arena_free(arena);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(sets_are_those_of_oniguruma),
                                       cmocka_unit_test(places_are_those_of_oniguruma),
                                       cmocka_unit_test(what_cannot_be_written_is_refused)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
