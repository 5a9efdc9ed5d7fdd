/* Labels as a reader sees them, and pieces joined to words. */
#include "model/words.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "model/tokenizer.h"

#define DATA "tests/data/tokenizers/"

static void labels_lose_their_marks(void **state) {
    (void)state;
    static const struct {
        TokenStyle style;
        const char *label, *shown;
    } cases[] = {
        {TOKEN_METASPACE, "\xe2\x96\x81the", "the"},
        {TOKEN_METASPACE, "\xe2\x96\x81", "\xe2\x90\xa3"},
        {TOKEN_METASPACE, "<0x0A>", "\xe2\x86\xb5"},
        {TOKEN_METASPACE, "<0xE2>", "\\xE2"},
        {TOKEN_METASPACE, "<0x41>", "A"},
        {TOKEN_METASPACE, "\xe2\x96\x81\xe2\x96\x81", "\xe2\x90\xa3"},
        {TOKEN_METASPACE, "##x", "##x"},
        {TOKEN_BYTES, "\xc4\xa0the", "the"},
        {TOKEN_BYTES, "\xc4\xa0", "\xe2\x90\xa3"},
        {TOKEN_BYTES, "\xc3\x83\xc2\xb6l", "\xc3\xb6l"},
        {TOKEN_BYTES, "\xc4\x8a\xc4\x8a", "\xe2\x86\xb5\xe2\x86\xb5"},
        {TOKEN_BYTES, "\xc3\xa2\xc4\xa2", "\\xE2\\x80"},
        {TOKEN_BYTES, "<|endoftext|>", "<|endoftext|>"},
        {TOKEN_WORDPIECE, "##ing", "ing"},
        {TOKEN_WORDPIECE, "##", "##"},
        {TOKEN_SUFFIX, "ing</w>", "ing"},
        {TOKEN_CONTINUED, "walk@@", "walk"},
        {TOKEN_PLAIN, "\xe2\x80\x8b", "U+200B"},
        {TOKEN_PLAIN, "a\tb",
         "a\xe2\x87\xa5"
         "b"},
        {TOKEN_PLAIN, "</s>", "</s>"},
        {TOKEN_PLAIN, "", ""},
    };
    Arena *arena = arena_new();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Str shown = token_pretty(str(cases[i].label), cases[i].style, arena);
        assert_string_equal(shown.data, cases[i].shown);
    }
    arena_free(arena);
}

static void styles_are_seen_by_the_labels(void **state) {
    (void)state;
    static const struct {
        const char *labels[3];
        TokenStyle style;
    } cases[] = {
        {{"\xe2\x96\x81the", "re", "."}, TOKEN_METASPACE},
        {{"x", "<0xE2>", "y"}, TOKEN_METASPACE},
        {{"the",
          "\xc4\xa0"
          "cat",
          "s"},
         TOKEN_BYTES},
        {{"sch", "\xc3\x83\xc2\xb6", "n"}, TOKEN_BYTES},
        {{"sch\xc3\xb6n", "\xc3\xa9t\xc3\xa9", "n"}, TOKEN_PLAIN},
        {{"read", "##ing", "."}, TOKEN_WORDPIECE},
        {{"read", "ing</w>", ".</w>"}, TOKEN_SUFFIX},
        {{"\xc3\x83\xc2\xb6", "ing</w>", ".</w>"}, TOKEN_BYTES_SUFFIX},
        {{"read@@", "ing", "."}, TOKEN_CONTINUED},
        {{"read", "on", "."}, TOKEN_PLAIN},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Token tokens[3] = {{.label = str(cases[i].labels[0])},
                           {.label = str(cases[i].labels[1])},
                           {.label = str(cases[i].labels[2])}};
        assert_int_equal(token_style(tokens, 3), cases[i].style);
    }
}

/* The words of a text, a bar between them. */
static const char *words_of(const char *vocabulary, const char *text, const char *pair,
                            Arena *arena) {
    Error error = {0};
    Tokenizer *tokenizer = tokenizer_open(vocabulary, &error);
    if (!tokenizer) fail_msg("%s", error.message);
    Tokens tokens;
    EncodeOptions options = {.special = true, .pair = str(pair)};
    assert_true(tokenizer_encode(tokenizer, str(text), &options, arena, &tokens, &error));
    Words words = words_read(&tokens, arena);
    StrBuf out = {0};
    int n_tokens = 0;
    for (int i = 0; i < words.n; i++) {
        const Word *word = &words.items[i];
        assert_int_equal(word->first, n_tokens);
        for (int k = 0; k < word->n_tokens; k++)
            assert_int_equal(words.of[n_tokens++], i);
        strbuf_printf(&out, "%s%.*s", i ? "|" : "", (int)word->label.n, word->label.data);
    }
    assert_int_equal(n_tokens, tokens.n);
    const char *joined = arena_strdup(arena, strbuf_str(&out).data);
    strbuf_free(&out);
    tokenizer_free(tokenizer);
    return joined;
}

static void pieces_make_words(void **state) {
    (void)state;
    static const struct {
        const char *vocabulary, *text, *pair, *words;
    } cases[] = {
        {DATA "unigram", "The boats went down.", NULL, "The|boats|went|down|.|</s>"},
        {DATA "bpe", "She doesn't know (yet)...", NULL, "She|doesn't|know|(|yet|)|...|</s>"},
        {DATA "unigram", "L'\xc3\xa9t\xc3\xa9, peut-\xc3\xaatre.", NULL,
         "L'\xc3\xa9t\xc3\xa9|,|peut-\xc3\xaatre|.|</s>"},
        {DATA "bpe", "a - b -- 'so' -5", NULL, "a|-|b|--|'|so|'|-|5|</s>"},
        {DATA "bpe_bytes", "\xe4\xbb\x8a\xe5\xa4\xa9 x\xe2\x98\x83y", NULL,
         "\xe4\xbb\x8a|\xe5\xa4\xa9|x|\xe2\x98\x83|y"},
        {DATA "gpt2", "unknown \xf0\x9f\x91\x8d words\n", NULL,
         "unknown|\xf0\x9f\x91\x8d|words|\xe2\x86\xb5"},
        {DATA "bert", "Reading, writing", "the boat",
         "[CLS]|Reading|,|writing|[SEP]|the|boat|[SEP]"},
        {DATA "marian", ">>fin<< the boats", NULL, ">>fin<<|the|boats|</s>"},
        /* Unknown to the vocabulary: as the text has it, and joined with what it stands against. */
        {DATA "marian", ">>fin<< the \xe6\xbc\xa2\xe5\xad\x97 boats", NULL,
         ">>fin<<|the|\xe6\xbc\xa2\xe5\xad\x97|boats|</s>"},
        {DATA "bert", "Reading \xf0\x9f\x98\x80 [MASK]", NULL,
         "[CLS]|Reading|\xf0\x9f\x98\x80|[MASK]|[SEP]"},
        {DATA "bpe", "at 7:45, 1,984.5 m.", NULL, "at|7:45|,|1,984.5|m|.|</s>"},
        {DATA "unigram", "", NULL, "</s>"},
    };
    Arena *arena = arena_new();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_string_equal(words_of(cases[i].vocabulary, cases[i].text, cases[i].pair, arena),
                            cases[i].words);
    arena_free(arena);
}

/* Generated tokens and those of a trace have labels only. */
static void labels_alone_make_words(void **state) {
    (void)state;
    static const struct {
        const char *labels[7];
        const char *words;
    } cases[] = {
        {{"\xe2\x96\x81the",
          "\xe2\x96\x81"
          "bo",
          "at", "s", ".", "</s>"},
         "the|boats|.|</s>"},
        {{"the",
          "\xc4\xa0"
          "b",
          "\xc3\x83\xc2\xb6", "at", "."},
         "the|b\xc3\xb6"
         "at|."},
        {{"read", "##ing", "is", "."}, "reading|is|."},
        {{"read", "ing</w>", "is</w>", ".</w>"}, "reading|is|."},
        {{"read@@", "ing", "is"}, "reading|is"},
        {{"cat", "sat"}, "cat|sat"},
        {{"\xe2\x96\x81", "<0xC3>", "<0xB6>", "l"}, "\xc3\xb6l"},
    };
    Arena *arena = arena_new();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Token tokens[7] = {{0}};
        int n = 0;
        for (; cases[i].labels[n]; n++)
            tokens[n] = (Token){.label = str(cases[i].labels[n]),
                                .special = strcmp(cases[i].labels[n], "</s>") == 0};
        Words words = words_read(&(Tokens){.n = n, .items = tokens}, arena);
        StrBuf out = {0};
        for (int k = 0; k < words.n; k++)
            strbuf_printf(&out, "%s%.*s", k ? "|" : "", (int)words.items[k].label.n,
                          words.items[k].label.data);
        assert_string_equal(out.data, cases[i].words);
        strbuf_free(&out);
    }
    arena_free(arena);
}

static void spans_of_words_are_bytes_of_the_text(void **state) {
    (void)state;
    Arena *arena = arena_new();
    Token tokens[] = {{.label = str("\xe2\x96\x81"
                                    "bo"),
                       .begin = 0,
                       .end = 3},
                      {.label = str("at"), .begin = 3, .end = 5},
                      {.label = str("\xe2\x96\x81is"), .begin = 5, .end = 8}};
    Words words = words_read(&(Tokens){.n = 3, .items = tokens, .text = str(" boat is")}, arena);
    assert_int_equal(words.n, 2);
    assert_int_equal(words.items[0].begin, 1);
    assert_int_equal(words.items[0].end, 5);
    assert_int_equal(words.items[1].begin, 6);
    assert_int_equal(words.items[1].end, 8);
    /* "▁" alone, whose blank the next piece has, as where a decoder writes them one by one. */
    Token alone[] = {{.label = str("\xe2\x96\x81"
                                   "a"),
                      .begin = 0,
                      .end = 1},
                     {.label = str("\xe2\x96\x81"), .begin = 1, .end = 1},
                     {.label = str("bo"), .begin = 1, .end = 4},
                     {.label = str("at"), .begin = 4, .end = 6}};
    words = words_read(&(Tokens){.n = 4, .items = alone, .text = str("a boat")}, arena);
    assert_int_equal(words.n, 2);
    assert_int_equal(words.items[1].n_tokens, 3);
    assert_true(str_is(words.items[1].label, "boat"));
    /* Spans that do not fit the text are not followed. */
    tokens[2].end = 1000;
    words = words_read(&(Tokens){.n = 3, .items = tokens, .text = str(" boat is")}, arena);
    assert_int_equal(words.n, 2);
    arena_free(arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(labels_lose_their_marks),
        cmocka_unit_test(styles_are_seen_by_the_labels),
        cmocka_unit_test(pieces_make_words),
        cmocka_unit_test(labels_alone_make_words),
        cmocka_unit_test(spans_of_words_are_bytes_of_the_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
