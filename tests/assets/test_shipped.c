/* What the program ships beside its code: the vocabulary of assets/models/en-fr-fi and the
 * project's own sentence pairs. The weights are measured by tests/bench/model_card.py. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "model/base/file.h"
#include "model/base/json.h"
#include "model/tokenizer.h"

#define FOLDER "assets/models/en-fr-fi"

static long long integer_of(const char *file, const char *field) {
    Error error = {0};
    json_t *root = json_read_object(file, 0, &error);
    assert_non_null(root);
    json_t *value = json_object_get(root, field);
    assert_true(json_is_integer(value));
    long long x = json_integer_value(value);
    json_decref(root);
    return x;
}

static void test_ids(void **state) {
    (void)state;
    Error error = {0};
    Tokenizer *t = tokenizer_open(FOLDER, &error);
    assert_non_null(t);
    int n = tokenizer_n_ids(t);
    assert_int_equal(n, integer_of(FOLDER "/config.json", "vocab_size"));
    assert_int_equal(tokenizer_id(t, str("</s>"), false), 0);
    assert_int_equal(tokenizer_id(t, str("<unk>"), false), 1);
    assert_int_equal(tokenizer_id(t, str(">>fin<<"), false), n - 3);
    assert_int_equal(tokenizer_id(t, str(">>fra<<"), false), n - 2);
    assert_int_equal(tokenizer_id(t, str("<pad>"), false), n - 1);
    assert_int_equal(integer_of(FOLDER "/config.json", "pad_token_id"), n - 1);
    assert_int_equal(integer_of(FOLDER "/config.json", "decoder_start_token_id"), n - 1);
    assert_int_equal(integer_of(FOLDER "/generation_config.json", "decoder_start_token_id"), n - 1);
    assert_int_equal(integer_of(FOLDER "/generation_config.json", "eos_token_id"), 0);
    tokenizer_free(t);
}

/* Every letter of the three languages is in the vocabulary, and text comes back as it went in. */
static void test_round_trip(void **state) {
    (void)state;
    static const char *const texts[] = {
        "Tourists visit Finland to watch Northern lights.",
        "Le cœur d'Éloïse bat où l'âme naît : garçon, forêt, Noël, là-bas !",
        "Yö, työ ja Åbo; šakki ja džonkki: «ÄÖÅ» äöå",
        "The quick brown fox jumps over 1234567890 (lazy) dogs? “Yes” & 50% more!",
        "LES ÇÀÂÉÈÊËÎÏÔÛÙÜŸŒÆ çàâéèêëîïôûùüÿœæ",
        "QUIZ JOB VEX WHARF LYMPH DUCK'S GIN",
    };
    Error error = {0};
    Tokenizer *t = tokenizer_open(FOLDER, &error);
    assert_non_null(t);
    Arena *arena = arena_new();
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        Tokens tokens;
        EncodeOptions encode = {.special = true, .target_language = "fin"};
        assert_true(tokenizer_encode(t, str(texts[i]), &encode, arena, &tokens, &error));
        assert_true(str_is(tokens.items[0].label, ">>fin<<"));
        assert_true(str_is(tokens.items[tokens.n - 1].label, "</s>"));
        int32_t *ids = arena_alloc(arena, (size_t)tokens.n * sizeof *ids);
        for (int k = 0; k < tokens.n; k++) {
            ids[k] = tokens.items[k].id;
            assert_int_not_equal(ids[k], 1);
        }
        DecodeOptions decode = {.skip_special = true, .target = true};
        Str back = tokenizer_decode(t, ids + 1, tokens.n - 1, &decode, arena);
        assert_string_equal(arena_str(arena, back).data, texts[i]);
    }
    arena_free(arena);
    tokenizer_free(t);
}

static void test_one_vocabulary(void **state) {
    (void)state;
    Error error = {0};
    Arena *arena = arena_new();
    Str source, target;
    assert_true(file_read(FOLDER "/source.spm", 0, arena, &source, &error));
    assert_true(file_read(FOLDER "/target.spm", 0, arena, &target, &error));
    assert_true(str_eq(source, target));
    arena_free(arena);
}

/* The lower-cased words of a text, punctuation taken away; at most 64. */
static int words_of(Str text, Arena *arena, Str words[64]) {
    char *copy = arena_alloc(arena, text.n + 1);
    int n = 0;
    size_t used = 0, begin = 0;
    for (size_t i = 0; i <= text.n; i++) {
        unsigned char c = i < text.n ? (unsigned char)text.data[i] : ' ';
        if (c >= 'A' && c <= 'Z') c = (unsigned char)(c - 'A' + 'a');
        if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c >= 0x80) copy[used++] = (char)c;
        if (c != ' ' && c != '-') continue;
        if (used > begin && n < 64) words[n++] = (Str){copy + begin, used - begin};
        begin = used;
    }
    return n;
}

static int distance(const Str *a, int n_a, const Str *b, int n_b) {
    int row[65];
    for (int k = 0; k <= n_b; k++)
        row[k] = k;
    for (int i = 1; i <= n_a; i++) {
        int diagonal = row[0];
        row[0] = i;
        for (int k = 1; k <= n_b; k++) {
            int best = diagonal + !str_eq(a[i - 1], b[k - 1]);
            if (row[k] + 1 < best) best = row[k] + 1;
            if (row[k - 1] + 1 < best) best = row[k - 1] + 1;
            diagonal = row[k];
            row[k] = best;
        }
    }
    return row[n_b];
}

/* The lessons' sentences are translated by generalising: no pair of ours is within three words. */
static void test_own_pairs(void **state) {
    (void)state;
    static const char *const lessons[] = {"Tourists visit Finland to watch Northern lights.",
                                          "The cat is on the mat.", "She loves cats."};
    Error error = {0};
    Arena *arena = arena_new();
    Str text;
    assert_true(file_read("assets/corpus/extra.tsv", 1 << 20, arena, &text, &error));
    assert_true(text.n > 0 && text.data[text.n - 1] == '\n');
    int n_rows = 0;
    for (const char *line = text.data, *end; line < text.data + text.n; line = end + 1, n_rows++) {
        end = memchr(line, '\n', (size_t)(text.data + text.n - line));
        const char *tab = memchr(line, '\t', (size_t)(end - line));
        assert_non_null(tab);
        assert_true(tab - line == 3 && (!memcmp(line, "fra", 3) || !memcmp(line, "fin", 3)));
        const char *second = memchr(tab + 1, '\t', (size_t)(end - tab - 1));
        assert_non_null(second);
        Str english[64], lesson[64];
        int n = words_of((Str){tab + 1, (size_t)(second - tab - 1)}, arena, english);
        for (int i = 0; i < 3; i++) {
            int m = words_of(str(lessons[i]), arena, lesson);
            assert_true(distance(english, n, lesson, m) > 3);
        }
    }
    assert_in_range(n_rows, 1, 500);
    arena_free(arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ids),
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_one_vocabulary),
        cmocka_unit_test(test_own_pairs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
