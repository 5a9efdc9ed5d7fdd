/* How rows are dealt: each as often as it counts, joined within a language and within max_tokens,
 * in batches of about the same size whose rows are of about the same length. */
#include "tests/model/engine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "model/base/file.h"
#include "model/corpus.h"

enum { N_ROWS = 240 };

typedef struct Fixture {
    Arena *arena;
    Tokenizer *tokenizer;
    Corpus *corpus;
    Recipe recipe;
    char *path;
} Fixture;

/* A row's number in letters, which the small vocabulary has: 207 is "cah". */
static const char *word_of(int row, char word[4]) {
    word[0] = (char)('a' + row / 100);
    word[1] = (char)('a' + row / 10 % 10);
    word[2] = (char)('a' + row % 10);
    word[3] = 0;
    return word;
}

static int row_of(const char *word) {
    return (word[0] - 'a') * 100 + (word[1] - 'a') * 10 + word[2] - 'a';
}

/* Rows that tell themselves apart by "chat" and their number, two thirds French, the rest Finnish.
 */
static Fixture fixture(bool reverse, int fin_times) {
    Fixture f = {.arena = arena_new()};
    Error error = {0};
    f.path = temporary_path(f.arena, "corpus.tsv");
    StrBuf text = {0};
    char word[4];
    for (int i = 0; i < N_ROWS; i++) {
        strbuf_printf(&text, "%s\t", i % 3 ? "fra" : "fin");
        for (int w = 0; w <= i % 7; w++)
            strbuf_printf(&text, "%scat", w ? " " : "");
        strbuf_printf(&text, "\tchat %s", word_of(i, word));
        for (int w = 0; w < i % 5; w++)
            strbuf_printf(&text, " dort");
        strbuf_printf(&text, "\n");
    }
    assert_true(file_save(f.path, text.data, text.n, &error));
    strbuf_free(&text);
    f.recipe = (Recipe){.seed = 9,
                        .batch_tokens = 120,
                        .pool_batches = 4,
                        .join_least = 2,
                        .join_most = 4,
                        .max_tokens = 90,
                        .n_repeat = 1,
                        .repeat = {{"fin", fin_times}}};
    f.tokenizer = tokenizer_open("tests/data/tiny", &error);
    expect_ok(&error);
    f.corpus = corpus_new(f.tokenizer, reverse);
    corpus_add(f.corpus, f.path, &f.recipe, 1, &error);
    expect_ok(&error);
    assert_int_equal(corpus_n_rows(f.corpus), N_ROWS);
    return f;
}

static void close_fixture(Fixture *f) {
    unlink(f->path);
    corpus_free(f->corpus);
    tokenizer_free(f->tokenizer);
    arena_free(f->arena);
}

static Str text_of(const Fixture *f, const int32_t *ids, int n, bool target) {
    return tokenizer_decode(f->tokenizer, ids, n,
                            &(DecodeOptions){.skip_special = true, .target = target}, f->arena);
}

/* Counts "chat N" in the targets. */
static void count_rows(const Fixture *f, int counts[N_ROWS]) {
    memset(counts, 0, N_ROWS * sizeof *counts);
    for (int b = 0; b < corpus_n_batches(f->corpus); b++) {
        CorpusBatch batch = corpus_batch(f->corpus, b);
        for (int i = 0; i < batch.n; i++) {
            Str text = text_of(f, batch.examples[i].target, batch.examples[i].n_target, true);
            for (const char *at = text.data; (at = strstr(at, "chat ")); at += 5) {
                int row = row_of(at + 5);
                assert_in_range(row, 0, N_ROWS - 1);
                counts[row]++;
            }
        }
    }
}

static void each_row_as_often_as_it_counts(void **state) {
    (void)state;
    for (int joins = 0; joins < 2; joins++) {
        Fixture f = fixture(false, 3);
        f.recipe.join_share = joins ? 0.5 : 0;
        for (int pass = 0; pass < 3; pass++) {
            int counts[N_ROWS];
            corpus_deal(f.corpus, &f.recipe, pass);
            count_rows(&f, counts);
            for (int i = 0; i < N_ROWS; i++)
                assert_int_equal(counts[i], i % 3 ? 1 : 3);
        }
        close_fixture(&f);
    }
}

/* Sources of five words and more count three times, once joining has begun. */
static void long_rows_count_more(void **state) {
    (void)state;
    Fixture f = fixture(false, 2);
    Error error = {0};
    Tokens five;
    assert_true(tokenizer_encode(f.tokenizer, str("cat cat cat cat cat"), &(EncodeOptions){0},
                                 f.arena, &five, &error));
    f.recipe.long_source = five.n;
    f.recipe.long_repeat = 3;
    f.recipe.join_from_pass = 1;
    for (int pass = 0; pass < 2; pass++) {
        int counts[N_ROWS];
        corpus_deal(f.corpus, &f.recipe, pass);
        count_rows(&f, counts);
        for (int i = 0; i < N_ROWS; i++)
            assert_int_equal(counts[i], (i % 3 ? 1 : 2) * (pass == 1 && i % 7 >= 4 ? 3 : 1));
    }
    close_fixture(&f);
}

static void examples_are_well_formed(void **state) {
    (void)state;
    for (int reverse = 0; reverse < 2; reverse++) {
        Fixture f = fixture(reverse, 1);
        f.recipe.join_share = 0.6;
        corpus_deal(f.corpus, &f.recipe, 0);
        int32_t end = tokenizer_id(f.tokenizer, str("</s>"), true);
        int32_t fin = tokenizer_id(f.tokenizer, str(">>fin<<"), false);
        int32_t fra = tokenizer_id(f.tokenizer, str(">>fra<<"), false);
        int n_joined = 0, n_examples = 0;
        for (int b = 0; b < corpus_n_batches(f.corpus); b++) {
            CorpusBatch batch = corpus_batch(f.corpus, b);
            assert_true(batch.n > 0);
            int tokens = 0, shortest = 1000, longest = 0;
            for (int i = 0; i < batch.n; i++) {
                const Example *e = &batch.examples[i];
                assert_true(e->n_source <= 90 && e->n_target <= 90);
                assert_int_equal(e->source[e->n_source - 1], end);
                assert_int_equal(e->target[e->n_target - 1], end);
                for (int t = 0; t + 1 < e->n_source; t++)
                    assert_true(e->source[t] != end);
                Str text = text_of(&f, reverse ? e->source : e->target,
                                   reverse ? e->n_source : e->n_target, !reverse);
                int n_rows = 0, language = -1;
                for (const char *at = text.data; (at = strstr(at, "chat ")); at += 5, n_rows++) {
                    int own = row_of(at + 5) % 3 == 0;
                    assert_true(language < 0 || language == own); /* of one language */
                    language = own;
                }
                assert_in_range(n_rows, 1, 4);
                if (!reverse) assert_int_equal(e->source[0], language ? fin : fra);
                n_joined += n_rows > 1;
                n_examples++;
                tokens += e->n_target;
                shortest = e->n_target < shortest ? e->n_target : shortest;
                longest = e->n_target > longest ? e->n_target : longest;
            }
            assert_true(tokens <= 120 + 90); /* a batch ends with the row that fills it */
        }
        assert_true(n_joined > n_examples / 6 && n_joined < n_examples);
        close_fixture(&f);
    }
}

/* Same seed and pass, same batches, whatever was dealt before; another pass, other batches. */
static void dealing_depends_on_seed_and_pass_alone(void **state) {
    (void)state;
    Fixture a = fixture(false, 2), b = fixture(false, 2);
    a.recipe.join_share = b.recipe.join_share = 0.3;
    corpus_deal(a.corpus, &a.recipe, 0);
    corpus_deal(a.corpus, &a.recipe, 4);
    corpus_deal(b.corpus, &b.recipe, 4);
    assert_int_equal(corpus_n_batches(a.corpus), corpus_n_batches(b.corpus));
    for (int i = 0; i < corpus_n_batches(a.corpus); i++) {
        CorpusBatch x = corpus_batch(a.corpus, i), y = corpus_batch(b.corpus, i);
        assert_int_equal(x.n, y.n);
        for (int e = 0; e < x.n; e++) {
            assert_int_equal(x.examples[e].n_target, y.examples[e].n_target);
            assert_memory_equal(x.examples[e].target, y.examples[e].target,
                                (size_t)x.examples[e].n_target * sizeof(int32_t));
            assert_memory_equal(x.examples[e].source, y.examples[e].source,
                                (size_t)x.examples[e].n_source * sizeof(int32_t));
        }
    }
    corpus_deal(b.corpus, &b.recipe, 5);
    CorpusBatch x = corpus_batch(a.corpus, 0), y = corpus_batch(b.corpus, 0);
    bool same = x.n == y.n;
    for (int e = 0; same && e < x.n; e++)
        same = x.examples[e].n_target == y.examples[e].n_target &&
               memcmp(x.examples[e].target, y.examples[e].target,
                      (size_t)x.examples[e].n_target * sizeof(int32_t)) == 0;
    assert_false(same);
    close_fixture(&a);
    close_fixture(&b);
}

/* Rows of a batch are close in length: much closer than the corpus' are. */
static void batches_are_bucketed(void **state) {
    (void)state;
    Fixture f = fixture(false, 1);
    f.recipe.pool_batches = 100;
    corpus_deal(f.corpus, &f.recipe, 0);
    double within = 0, all = 0;
    int n = 0;
    double mean_all = 0;
    for (int b = 0; b < corpus_n_batches(f.corpus); b++)
        for (int i = 0; i < corpus_batch(f.corpus, b).n; i++, n++)
            mean_all += corpus_batch(f.corpus, b).examples[i].n_target;
    mean_all /= n;
    for (int b = 0; b < corpus_n_batches(f.corpus); b++) {
        CorpusBatch batch = corpus_batch(f.corpus, b);
        double mean = 0;
        for (int i = 0; i < batch.n; i++)
            mean += batch.examples[i].n_target / (double)batch.n;
        for (int i = 0; i < batch.n; i++) {
            within += pow(batch.examples[i].n_target - mean, 2);
            all += pow(batch.examples[i].n_target - mean_all, 2);
        }
    }
    assert_true(within < 0.1 * all);
    /* The greatest pool a recipe may ask for. */
    f.recipe.batch_tokens = 1000000;
    f.recipe.pool_batches = 100000;
    corpus_deal(f.corpus, &f.recipe, 0);
    assert_int_equal(corpus_n_batches(f.corpus), 1);
    assert_int_equal(corpus_batch(f.corpus, 0).n, N_ROWS);
    close_fixture(&f);
}

static void rows_that_are_too_long_are_left_out(void **state) {
    (void)state;
    Fixture f = fixture(false, 1);
    Corpus *few = corpus_new(f.tokenizer, false);
    Error error = {0};
    f.recipe.max_tokens = 12;
    assert_true(corpus_add(few, f.path, &f.recipe, 1, &error));
    assert_true(corpus_n_skipped(few) > 0 && corpus_n_rows(few) > 0);
    assert_int_equal(corpus_n_skipped(few) + corpus_n_rows(few), N_ROWS);
    f.recipe.join_share = 1;
    corpus_deal(few, &f.recipe, 0);
    for (int b = 0; b < corpus_n_batches(few); b++)
        for (int i = 0; i < corpus_batch(few, b).n; i++) {
            assert_true(corpus_batch(few, b).examples[i].n_source <= 12);
            assert_true(corpus_batch(few, b).examples[i].n_target <= 12);
        }
    corpus_free(few);
    close_fixture(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(each_row_as_often_as_it_counts),
                                       cmocka_unit_test(long_rows_count_more),
                                       cmocka_unit_test(examples_are_well_formed),
                                       cmocka_unit_test(dealing_depends_on_seed_and_pass_alone),
                                       cmocka_unit_test(batches_are_bucketed),
                                       cmocka_unit_test(rows_that_are_too_long_are_left_out)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
