/* The tokenizers against what sentencepiece and the Rust tokenizers library make of the same texts
 * (tests/data/tokenizers, see make.py there), and what each layout adds. */
#include "model/tokenizer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>
#include <pthread.h>

#include "model/base/file.h"
#include "tests/model/scratch.h"

#define DATA "tests/data/tokenizers/"

static Tokenizer *open_data(const char *name) {
    Error error = {0};
    char path[256];
    snprintf(path, sizeof path, DATA "%s", name);
    Tokenizer *tokenizer = tokenizer_open(path, &error);
    if (!tokenizer) fail_msg("%s", error.message);
    return tokenizer;
}

static Str json_str(const json_t *json) {
    return (Str){json_string_value(json), json_string_length(json)};
}

static void check_line(const Tokenizer *tokenizer, const json_t *want, bool special, Arena *arena) {
    Error error = {0};
    Tokens tokens;
    Str text = json_str(json_object_get(want, "text"));
    if (!tokenizer_encode(tokenizer, text, &(EncodeOptions){.special = special}, arena, &tokens,
                          &error))
        fail_msg("%s", error.message);
    const json_t *ids = json_object_get(want, "ids"), *spans = json_object_get(want, "offsets");
    int32_t *made = arena_alloc(arena, ((size_t)tokens.n + 1) * sizeof *made);
    assert_int_equal(tokens.n, json_array_size(ids));
    for (int i = 0; i < tokens.n; i++) {
        const json_t *span = json_array_get(spans, (size_t)i);
        made[i] = tokens.items[i].id;
        assert_int_equal(made[i], json_integer_value(json_array_get(ids, (size_t)i)));
        assert_int_equal(tokens.items[i].begin, json_integer_value(json_array_get(span, 0)));
        assert_int_equal(tokens.items[i].end, json_integer_value(json_array_get(span, 1)));
        assert_true(str_eq(tokens.items[i].label, tokenizer_label(tokenizer, made[i], false)));
    }
    Str back =
        tokenizer_decode(tokenizer, made, tokens.n, &(DecodeOptions){.skip_special = true}, arena);
    Str decoded = json_str(json_object_get(want, "decoded"));
    if (!str_eq(back, decoded)) fail_msg("\"%s\" instead of \"%s\"", back.data, decoded.data);
}

static void check_folder(const char *name, bool special, int n_least) {
    Tokenizer *tokenizer = open_data(name);
    Arena *arena = arena_new();
    char path[256], line[16384];
    snprintf(path, sizeof path, DATA "%s/expected.jsonl", name);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    int n = 0;
    for (; fgets(line, sizeof line, file); n++) {
        json_t *want = json_loads(line, JSON_ALLOW_NUL, NULL);
        assert_non_null(want);
        check_line(tokenizer, want, special, arena);
        json_decref(want);
    }
    fclose(file);
    assert_true(n >= n_least);
    arena_free(arena);
    tokenizer_free(tokenizer);
}

static void agrees_with_sentencepiece(void **state) {
    (void)state;
    static const char *const names[] = {"unigram", "user", "bpe", "bpe_bytes", "suffix", "chars"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        check_folder(names[i], false, 20);
}

static void agrees_with_the_rust_library(void **state) {
    (void)state;
    static const char *const names[] = {"json_bytes", "json_unigram", "json_bert", "json_fallback"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        check_folder(names[i], true, 20);
}

/* Pieces of sentencepiece lie end to end from the first to the last byte that is not dropped. */
static void spans_cover_the_text(void **state) {
    (void)state;
    static const char text[] =
        "The boat's lights \xe2\x98\x83 \xef\xac\x81nd \xc3\x84iti \xe4\xbb\x8a\xe5\xa4\xa9";
    static const char *const names[] = {"unigram", "bpe", "chars", "marian"};
    Arena *arena = arena_new();
    for (size_t k = 0; k < sizeof names / sizeof *names; k++) {
        Tokenizer *tokenizer = open_data(names[k]);
        Tokens tokens;
        assert_true(
            tokenizer_encode(tokenizer, str(text), &(EncodeOptions){0}, arena, &tokens, NULL));
        int64_t at = 0;
        for (int i = 0; i < tokens.n; i++) {
            assert_int_equal(tokens.items[i].begin, at);
            at = tokens.items[i].end;
        }
        assert_int_equal(at, strlen(text));
        tokenizer_free(tokenizer);
    }
    arena_free(arena);
}

/* What is in the alphabet comes back byte for byte where nothing is normalised away. */
static void decoding_gives_the_text_back(void **state) {
    (void)state;
    static const char text[] = "The boat \xf0\x9f\x91\x8d went\tdown.\n\n  1984 \xe4\xbb\x8a";
    static const char *const names[] = {"gpt2", "bpe_bytes"};
    Arena *arena = arena_new();
    for (size_t k = 0; k < sizeof names / sizeof *names; k++) {
        Tokenizer *tokenizer = open_data(names[k]);
        Tokens tokens;
        int32_t ids[256];
        assert_true(
            tokenizer_encode(tokenizer, str(text), &(EncodeOptions){0}, arena, &tokens, NULL));
        assert_true(tokens.n < 256);
        for (int i = 0; i < tokens.n; i++)
            ids[i] = tokens.items[i].id;
        Str back = tokenizer_decode(tokenizer, ids, tokens.n, &(DecodeOptions){0}, arena);
        assert_string_equal(back.data, text);
        tokenizer_free(tokenizer);
    }
    arena_free(arena);
}

static void marian_has_tags_and_two_sides(void **state) {
    (void)state;
    Tokenizer *tokenizer = open_data("marian");
    Arena *arena = arena_new();
    Error error = {0};
    Tokens a, b;
    int32_t fin = tokenizer_id(tokenizer, str(">>fin<<"), false);
    int32_t eos = tokenizer_id(tokenizer, str("</s>"), false);
    assert_string_equal(tokenizer_languages(tokenizer)[0], "fin");
    assert_string_equal(tokenizer_languages(tokenizer)[1], "fra");
    assert_null(tokenizer_languages(tokenizer)[2]);
    assert_int_equal(tokenizer_language_id(tokenizer, "fin"), fin);
    assert_true(tokenizer_is_special(tokenizer, fin));
    assert_true(tokenizer_is_special(tokenizer, eos));
    assert_false(tokenizer_is_special(tokenizer, eos + 3));

    assert_true(tokenizer_encode(tokenizer, str(">>fin<< a river"),
                                 &(EncodeOptions){.special = true}, arena, &a, &error));
    assert_int_equal(a.items[0].id, fin);
    assert_int_equal(a.items[0].end, 7);
    assert_int_equal(a.items[a.n - 1].id, eos);
    assert_true(tokenizer_encode(tokenizer, str("a river"),
                                 &(EncodeOptions){.special = true, .target_language = "fin"}, arena,
                                 &b, &error));
    assert_int_equal(a.n, b.n);
    for (int i = 0; i < a.n; i++)
        assert_int_equal(a.items[i].id, b.items[i].id);
    assert_int_equal(b.items[0].end, 0);
    assert_int_equal(b.items[1].end, 1);

    /* A tag in the text is not put there twice, and a tag in the middle is text. */
    assert_true(tokenizer_encode(tokenizer, str(">>fin<< a"),
                                 &(EncodeOptions){.target_language = "fra"}, arena, &b, &error));
    assert_int_equal(b.items[0].id, fin);
    assert_int_not_equal(b.items[1].id, tokenizer_id(tokenizer, str(">>fra<<"), false));
    assert_false(tokenizer_encode(tokenizer, str("a"), &(EncodeOptions){.target_language = "deu"},
                                  arena, &b, &error));
    assert_non_null(strstr(error.message, "deu"));
    assert_non_null(strstr(error.message, "fin, fra"));

    /* "▁The" is a piece of source.spm that vocab.json lacks. */
    assert_int_equal(tokenizer_id(tokenizer, str("\xe2\x96\x81The"), false), -1);
    error = (Error){0};
    assert_true(tokenizer_encode(tokenizer, str("</s>a"), &(EncodeOptions){.target = true}, arena,
                                 &b, &error));
    assert_int_equal(b.items[0].id, eos);
    tokenizer_free(tokenizer);
    arena_free(arena);
}

static void bert_pairs_have_types(void **state) {
    (void)state;
    Tokenizer *tokenizer = open_data("bert");
    Arena *arena = arena_new();
    Tokens tokens;
    assert_true(
        tokenizer_encode(tokenizer,
                         str("the R\xc3\xa9"
                             "ading"),
                         &(EncodeOptions){.special = true, .pair = str("[MASK] \xe4\xbb\x8a")},
                         arena, &tokens, NULL));
    static const char *const labels[] = {"[CLS]", "the",   "r",      "##e",          "##a",  "##d",
                                         "##ing", "[SEP]", "[MASK]", "\xe4\xbb\x8a", "[SEP]"};
    static const int types[] = {0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1};
    static const int begins[] = {0, 0, 4, 5, 7, 8, 9, 0, 0, 7, 0};
    assert_int_equal(tokens.n, sizeof labels / sizeof *labels);
    for (int i = 0; i < tokens.n; i++) {
        assert_string_equal(arena_str(arena, tokens.items[i].label).data, labels[i]);
        assert_int_equal(tokens.items[i].type, types[i]);
        assert_int_equal(tokens.items[i].begin, begins[i]);
    }
    assert_true(tokens.items[8].second && tokens.items[8].special);
    assert_true(str_is(tokens.pair, "[MASK] \xe4\xbb\x8a"));
    tokenizer_free(tokenizer);
    arena_free(arena);
}

/* The same pieces under four families: where special tokens go and how ids are moved. */
static void families_number_pieces_their_way(void **state) {
    (void)state;
    static const struct {
        const char *config, *first, *last; /* labels; NULL: a piece */
        int moved;                         /* id of a piece minus its number in the file */
        const char *language;
        int language_at; /* behind the pieces */
        int n_begin;     /* ids that a decoder begins with for that language */
    } families[] = {
        {"{\"tokenizer_class\":\"XLMRobertaTokenizer\"}", "<s>", "</s>", 1, NULL, 0, 0},
        {"{\"tokenizer_class\":\"MBartTokenizer\",\"src_lang\":\"fi_FI\"}", NULL, "fi_FI", 1,
         "fr_XX", 8, 1},
        {"{\"tokenizer_class\":\"MBart50Tokenizer\"}", "en_XX", "</s>", 1, "sl_SI", 52, 2},
        {"{\"tokenizer_class\":\"NllbTokenizer\",\"src_lang\":\"fra_Latn\"}", "fra_Latn", "</s>", 1,
         "zul_Latn", 202, 2},
        {"{\"tokenizer_class\":\"T5Tokenizer\",\"extra_ids\":4}", NULL, "</s>", 0, NULL, 0, 0},
        {"{\"tokenizer_class\":\"LlamaTokenizer\",\"model_max_length\":"
         "1000000000000000019884624838656}",
         "<s>", NULL, 0, NULL, 0, 0},
    };
    Arena *arena = arena_new();
    Error error = {0};
    Str model;
    assert_true(file_read(DATA "unigram/vocab.spm", 0, arena, &model, &error));
    Tokenizer *plain = open_data("unigram");
    int n_pieces = tokenizer_n_ids(plain);
    int32_t piece = tokenizer_id(plain, str("\xe2\x96\x81la"), false);
    assert_true(piece > 0);
    scratch_write("family/sentencepiece.bpe.model", model);
    for (size_t i = 0; i < sizeof families / sizeof *families; i++) {
        scratch_write("family/tokenizer_config.json", str(families[i].config));
        Tokenizer *tokenizer = tokenizer_open(scratch_path("family"), &error);
        if (!tokenizer) fail_msg("%s", error.message);
        Tokens tokens;
        assert_true(tokenizer_encode(tokenizer, str("la"), &(EncodeOptions){.special = true}, arena,
                                     &tokens, &error));
        int at = families[i].first ? 1 : 0;
        assert_int_equal(tokens.items[at].id, piece + families[i].moved);
        if (at) assert_true(str_is(tokens.items[0].label, families[i].first));
        if (families[i].last)
            assert_true(str_is(tokens.items[tokens.n - 1].label, families[i].last));
        else
            assert_int_equal(tokens.n, at + 1);
        int32_t begin[TOKENIZER_MAX_BEGIN];
        assert_int_equal(tokenizer_begin(tokenizer, families[i].language, 2, begin),
                         families[i].n_begin);
        /* Where there are languages, it must be one of them. */
        bool any = tokenizer_encode(tokenizer, str("la"), &(EncodeOptions){.target_language = "x"},
                                    arena, &tokens, NULL);
        assert_true(any == !families[i].language);
        if (families[i].language)
            assert_int_equal(tokenizer_language_id(tokenizer, families[i].language),
                             n_pieces + families[i].language_at);
        tokenizer_free(tokenizer);
    }
    scratch_write("family/tokenizer_config.json",
                  str("{\"tokenizer_class\":\"ReformerTokenizer\"}"));
    assert_null(tokenizer_open(scratch_path("family"), &error));
    assert_int_equal(error.kind, ERROR_UNSUPPORTED);
    assert_non_null(strstr(error.message, "ReformerTokenizer"));
    tokenizer_free(plain);
    arena_free(arena);
}

/* additional_special_tokens: one of the vocabulary, one of added_tokens.json, a new one; they are
 * found before anything is lower-cased, an added word that is not special behind it. */
static void additional_special_tokens_are_found(void **state) {
    (void)state;
    Arena *arena = arena_new();
    Error error = {0};
    scratch_write("special/vocab.txt", str("[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nthe\nE\n"));
    scratch_write("special/added_tokens.json", str("{\"[E1]\": 7, \"Cat\": 8}"));
    scratch_write("special/special_tokens_map.json",
                  str("{\"additional_special_tokens\": [\"[E1]\", \"E\", {\"content\": "
                      "\"[E3]\", \"lstrip\": true}]}"));
    Tokenizer *tokenizer = tokenizer_open(scratch_path("special"), &error);
    if (!tokenizer) fail_msg("%s", error.message);
    static const struct {
        int id;
        bool special;
    } want[] = {{5, false}, {7, true}, {6, true}, {8, false}, {9, true}, {1, true}};
    Tokens tokens;
    assert_true(tokenizer_encode(tokenizer, str("The [E1]E cAt [E3]e"), &(EncodeOptions){0}, arena,
                                 &tokens, &error));
    assert_int_equal(tokens.n, sizeof want / sizeof *want);
    for (int i = 0; i < tokens.n; i++) {
        assert_int_equal(tokens.items[i].id, want[i].id);
        assert_int_equal(tokenizer_is_special(tokenizer, want[i].id), want[i].special);
    }
    assert_int_equal(tokenizer_n_ids(tokenizer), 10);
    tokenizer_free(tokenizer);
    arena_free(arena);
}

static void what_is_no_text_is_refused(void **state) {
    (void)state;
    Tokenizer *tokenizer = open_data("unigram");
    Arena *arena = arena_new();
    Error error = {0};
    Tokens tokens;
    assert_false(
        tokenizer_encode(tokenizer, str("ab\xff"), &(EncodeOptions){0}, arena, &tokens, &error));
    assert_non_null(strstr(error.message, "UTF-8"));
    tokenizer_free(tokenizer);
    arena_free(arena);
}

static void ids_without_a_label_are_unknown(void **state) {
    (void)state;
    Tokenizer *tokenizer = open_data("unigram");
    Arena *arena = arena_new();
    const int32_t ids[] = {-5, 1 << 30};
    Str text = tokenizer_decode(tokenizer, ids, 2, &(DecodeOptions){0}, arena);
    assert_string_equal(text.data, " \xe2\x81\x87  \xe2\x81\x87 ");
    assert_null(tokenizer_label(tokenizer, 1 << 30, false).data);
    assert_null(tokenizer_label(tokenizer, -1, true).data);
    assert_false(tokenizer_is_special(tokenizer, -1));
    tokenizer_free(tokenizer);
    arena_free(arena);
}

static const char *const shared_texts[] = {"The boat.", "She's singing; they don't know.",
                                           "\xc3\x84iti s\xc3\xb6i leip\xc3\xa4\xc3\xa4.",
                                           "1984 \xe2\x98\x83"};

static void *encode_often(void *argument) {
    const Tokenizer *tokenizer = argument;
    Arena *arena = arena_new();
    int64_t sum = 0;
    for (int round = 0; round < 200; round++) {
        Tokens tokens;
        arena_clear(arena);
        if (!tokenizer_encode(tokenizer, str(shared_texts[round % 4]), &(EncodeOptions){0}, arena,
                              &tokens, NULL))
            sum = -1000000;
        for (int i = 0; i < tokens.n; i++)
            sum += tokens.items[i].id + tokens.items[i].end;
    }
    arena_free(arena);
    return (void *)(intptr_t)sum;
}

static void threads_share_one(void **state) {
    (void)state;
    static const char *const names[] = {"unigram", "json_bytes"};
    for (int k = 0; k < 2; k++) {
        Tokenizer *tokenizer = open_data(names[k]);
        pthread_t threads[4];
        void *alone = encode_often(tokenizer), *made;
        for (int i = 0; i < 4; i++)
            assert_int_equal(pthread_create(&threads[i], NULL, encode_often, tokenizer), 0);
        for (int i = 0; i < 4; i++) {
            assert_int_equal(pthread_join(threads[i], &made), 0);
            assert_ptr_equal(made, alone);
        }
        tokenizer_free(tokenizer);
    }
}

static void long_texts_take_their_time_only_once(void **state) {
    (void)state;
    static const char *const names[] = {"bpe_bytes", "unigram", "json_fallback", "gpt2",
                                        "json_bert"};
    Arena *arena = arena_new();
    StrBuf text = {0};
    for (int i = 0; i < 40000; i++)
        strbuf_puts(&text, i % 3 ? "a" : "\xcc\x81");
    for (size_t k = 0; k < sizeof names / sizeof *names; k++) {
        Tokenizer *tokenizer = open_data(names[k]);
        Tokens tokens;
        assert_true(tokenizer_encode(tokenizer, strbuf_str(&text), &(EncodeOptions){0}, arena,
                                     &tokens, NULL));
        assert_true(tokens.n > 0);
        tokenizer_free(tokenizer);
    }
    strbuf_free(&text);
    arena_free(arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_sentencepiece),
        cmocka_unit_test(agrees_with_the_rust_library),
        cmocka_unit_test(spans_cover_the_text),
        cmocka_unit_test(decoding_gives_the_text_back),
        cmocka_unit_test(marian_has_tags_and_two_sides),
        cmocka_unit_test(bert_pairs_have_types),
        cmocka_unit_test(families_number_pieces_their_way),
        cmocka_unit_test(additional_special_tokens_are_found),
        cmocka_unit_test(what_is_no_text_is_refused),
        cmocka_unit_test(ids_without_a_label_are_unknown),
        cmocka_unit_test(threads_share_one),
        cmocka_unit_test(long_texts_take_their_time_only_once),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
