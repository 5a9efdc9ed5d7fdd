/* The train command on a corpus of a few lines: a killed and resumed run gives the bytes of one
 * that was not, and what is wrong in recipe or corpus is said in one line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/app/spawn.h"

static const char corpus[] = "fra\tThe cat sleeps.\tLe chat dort.\n"
                             "fin\tThe cat sleeps.\tKissa nukkuu.\n"
                             "fra\tShe loves the cat.\tElle aime le chat.\n"
                             "fin\tShe loves the cat.\tHan rakastaa kissaa.\n"
                             "fra\tWe see lights in winter.\tNous voyons des lumieres en hiver.\n"
                             "fin\tWe see lights in winter.\tTalvella me katsomme valoja.\n"
                             "fra\tI travel.\tJe voyage.\n"
                             "fin\tI travel.\tMatkustan.\n"
                             "fra\tThe girl reads a book to her sister.\tLa fille lit un livre.\n"
                             "fin\tThe girl reads a book to her sister.\tTytto lukee kirjaa.\n";

/* A recipe for the tiny model of the tests, with some fields of the caller's. */
static void write_recipe(const char *name, const char *fields) {
    char folder[1024], text[4096];
    assert_non_null(getcwd(folder, sizeof folder));
    int n = snprintf(text, sizeof text,
                     "{\"model\": \"%s/tests/data/tiny\", \"seed\": 3, \"threads\": 2, "
                     "\"steps\": 40, \"batch_tokens\": 40, \"micro_tokens\": 16, "
                     "\"pool_batches\": 2, \"warmup_steps\": 4, \"max_tokens\": 60, "
                     "\"checkpoint_minutes\": 1000, \"log_steps\": 1%s}",
                     folder, fields);
    assert_true(n > 0 && (size_t)n < sizeof text);
    spawn_file(name, text, (size_t)n);
}

static void expect_run(const char *command) {
    Spawned r = spawn_shell(command);
    if (r.status) fail_msg("%s: status %d, %s", command, r.status, r.err);
    spawn_free(&r);
}

#define TRAIN "$ATTNSCOPE train --recipe $SCRATCH/recipe.json --corpus $SCRATCH/corpus.tsv "

static int write_files(void **state) {
    (void)state;
    spawn_file("corpus.tsv", corpus, sizeof corpus - 1);
    write_recipe("recipe.json", ", \"dropout\": 0.2, \"average\": 0.9, \"join_share\": 0.4, "
                                "\"join_most\": 3, \"repeat\": {\"fin\": 2}");
    return 0;
}

static void killed_and_resumed_equals_straight(void **state) {
    (void)state;
    expect_run(TRAIN "--dev $SCRATCH/corpus.tsv --steps 20 -o $SCRATCH/straight");
    expect_run(TRAIN "--dev $SCRATCH/corpus.tsv --steps 10 -o $SCRATCH/killed");
    /* Goes on from step 10 and dies before it saves anything: what it logged is dropped again. */
    expect_run(TRAIN "--resume -o $SCRATCH/killed > /dev/null 2>&1 & train=$!; "
                     "while ! grep -q '\"step\": 11,' $SCRATCH/killed/log.jsonl 2>/dev/null && "
                     "kill -0 $train 2>/dev/null; do sleep 0.02; done; "
                     "kill -9 $train 2>/dev/null; wait; true");
    expect_run(TRAIN "--dev $SCRATCH/corpus.tsv --resume --steps 20 -o $SCRATCH/killed");
    expect_run(
        "cmp $SCRATCH/straight/checkpoint.safetensors $SCRATCH/killed/checkpoint.safetensors");
    expect_run("cmp $SCRATCH/straight/model.safetensors $SCRATCH/killed/model.safetensors");
    expect_run("for d in straight killed; do "
               "sed 's/\"tokens_per_second.*//' $SCRATCH/$d/log.jsonl > $SCRATCH/$d.log; done; "
               "cmp $SCRATCH/straight.log $SCRATCH/killed.log && "
               "test $(wc -l < $SCRATCH/straight.log) -eq 20");
    /* Not over an old run without being asked. */
    assert_true(
        spawn_refused(TRAIN "-o $SCRATCH/straight --steps 2", 1, "there is a checkpoint already"));
}

static void same_seed_same_bytes(void **state) {
    (void)state;
    expect_run(TRAIN "--steps 5 -o $SCRATCH/once");
    expect_run(TRAIN "--steps 5 -o $SCRATCH/twice");
    expect_run("cmp $SCRATCH/once/checkpoint.safetensors $SCRATCH/twice/checkpoint.safetensors");
    expect_run(TRAIN "--reverse --steps 5 -o $SCRATCH/reverse");
    expect_run("! cmp -s $SCRATCH/once/model.safetensors $SCRATCH/reverse/model.safetensors");
}

/* What was trained without a language before the source is not given one. */
static void reversed_models_are_told_no_language(void **state) {
    (void)state;
    expect_run(TRAIN "--reverse --steps 2 -o $SCRATCH/back");
    Spawned r =
        spawn_shell("echo 'Kissa nukkuu.' | $ATTNSCOPE tokenize --model $SCRATCH/back 2>&1 && "
                    "$ATTNSCOPE translate --model $SCRATCH/back --text 'Kissa nukkuu.' "
                    "2>&1 > $SCRATCH/back.txt");
    assert_int_equal(r.status, 0);
    assert_null(strstr(r.out, ">>"));
    assert_null(strstr(r.out, "--to"));
    spawn_free(&r);
    expect_run("grep -q unused_fin $SCRATCH/back/vocab.json && "
               "grep -q unused_fra $SCRATCH/back/vocab.json && "
               "! grep -q '>>' $SCRATCH/back/vocab.json");
    expect_run(TRAIN "--reverse --resume --steps 3 -o $SCRATCH/back");
}

/* The head that aligns best is one of the weights that it was measured on. */
static void a_new_model_names_no_head(void **state) {
    (void)state;
    expect_run("cp -r tests/data/tiny $SCRATCH/headed && "
               "sed '1s/{/{\"attnscope\": {\"alignment_head\": \"decoder.0.cross_attn:H0\"},/' "
               "tests/data/tiny/config.json > $SCRATCH/headed/config.json && "
               "grep -q alignment_head $SCRATCH/headed/config.json && "
               "sed 's#\"model\": \"[^\"]*\"#\"model\": \"headed\"#' $SCRATCH/recipe.json "
               "> $SCRATCH/headed.json");
    expect_run("$ATTNSCOPE train --recipe $SCRATCH/headed.json --corpus $SCRATCH/corpus.tsv "
               "--steps 1 -o $SCRATCH/headless && "
               "grep -q d_model $SCRATCH/headless/config.json && "
               "! grep -q alignment_head $SCRATCH/headless/config.json");
}

static void another_models_folder_is_left_alone(void **state) {
    (void)state;
    expect_run("mkdir $SCRATCH/other && echo '{}' > $SCRATCH/other/vocab.json");
    assert_true(spawn_refused(TRAIN "--steps 2 -o $SCRATCH/other", 1, "choose another folder"));
    expect_run("test \"$(cat $SCRATCH/other/vocab.json)\" = '{}' && "
               "test \"$(ls $SCRATCH/other)\" = vocab.json");
}

/* The folder is a model: it translates, and training goes on from its weights with a new warm-up.
 */
static void output_is_a_model(void **state) {
    (void)state;
    expect_run(TRAIN "--steps 8 -o $SCRATCH/model");
    Spawned r =
        spawn_shell("$ATTNSCOPE translate --model $SCRATCH/model --to fra --text 'The cat.'");
    assert_int_equal(r.status, 0);
    spawn_free(&r);
    expect_run(TRAIN "--init $SCRATCH/model --steps 2 -o $SCRATCH/more");
    r = spawn_shell("head -n 1 $SCRATCH/more/log.jsonl");
    assert_non_null(strstr(r.out, "\"step\": 1,"));
    double loss = 0, first = 0;
    assert_int_equal(sscanf(strstr(r.out, "\"loss\": "), "\"loss\": %lf", &loss), 1);
    spawn_free(&r);
    r = spawn_shell("head -n 1 $SCRATCH/model/log.jsonl");
    assert_int_equal(sscanf(strstr(r.out, "\"loss\": "), "\"loss\": %lf", &first), 1);
    spawn_free(&r);
    assert_true(loss < first); /* it had learnt something */
    assert_true(spawn_refused(TRAIN "--init $SCRATCH/nothing -o $SCRATCH/x", 1, "nothing"));
}

static void wrong_corpora(void **state) {
    (void)state;
    static const struct {
        const char *text;
        size_t n;
        const char *message;
    } wrong[] = {
        {"", 0, "has no lines"},
        {"fra\tone\tun\nfra two deux\n", 24, "line 2: lang <TAB> source <TAB> target"},
        {"fra\tone\tun\nfra\ttwo\n", 19, "line 2: lang <TAB> source <TAB> target"},
        {"\tone\tun\n", 8, "line 1: language"},
        {"fra\tone\tun\nswe\tone\tett\n", 23,
         "line 2: language \"swe\": the vocabulary has no >>swe<< to tell it the model; it "
         "has"},
        {"averylonglanguagename\tone\tun\n", 29, "line 1: language"},
        {"fra\to\xffne\tun\n", 12, "line 1"},
        {"fra\tone\tu\0n\n", 12, "line 1: a NUL byte"}};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        spawn_file("wrong.tsv", wrong[i].text, wrong[i].n);
        if (!spawn_refused("$ATTNSCOPE train --recipe $SCRATCH/recipe.json "
                           "--corpus $SCRATCH/wrong.tsv -o $SCRATCH/x",
                           1, wrong[i].message))
            fail_msg("corpus %zu", i);
    }
    assert_true(spawn_refused("$ATTNSCOPE train --recipe $SCRATCH/recipe.json --corpus $SCRATCH "
                              "-o $SCRATCH/x",
                              1, "is a folder"));
    assert_true(spawn_refused("mkfifo $SCRATCH/fifo; $ATTNSCOPE train --recipe "
                              "$SCRATCH/recipe.json --corpus $SCRATCH/fifo -o $SCRATCH/x",
                              1, "is a pipe"));
    assert_true(spawn_refused("gzip -c $SCRATCH/corpus.tsv | head -c 150 > $SCRATCH/cut.gz; "
                              "$ATTNSCOPE train --recipe $SCRATCH/recipe.json --corpus "
                              "$SCRATCH/cut.gz -o $SCRATCH/x",
                              1, "unexpected end of file"));
}

static void wrong_recipes(void **state) {
    (void)state;
    static const struct {
        const char *fields, *message;
    } wrong[] = {{", \"learning_rat\": 1", "unknown field \"learning_rat\""},
                 {", \"beta2\": 1", "beta2 must be a number from 0 to 0.999999"},
                 {", \"dropout\": \"much\"", "dropout must be a number"},
                 {", \"join_least\": 2.5", "join_least must be a whole number"},
                 {", \"join_least\": 7", "join_most is less than join_least"},
                 {", \"repeat\": [2]", "repeat must be"},
                 {", \"repeat\": {\"fin\": -1}", "repeat"},
                 {", \"extra\": {\"missing.tsv\": 2}", "missing.tsv"},
                 {", \"max_tokens\": 97", "97, but the model of"},
                 {", \"seed\": 1.5", "seed must be a whole number"},
                 {", \"model\": 7", "model must be the name of a folder"},
                 {", ", "recipe.json"}};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        write_recipe("wrong-recipe.json", wrong[i].fields);
        if (!spawn_refused("$ATTNSCOPE train --recipe $SCRATCH/wrong-recipe.json "
                           "--corpus $SCRATCH/corpus.tsv -o $SCRATCH/x",
                           1, wrong[i].message))
            fail_msg("recipe %zu", i);
    }
    assert_true(spawn_refused("$ATTNSCOPE train --corpus $SCRATCH/corpus.tsv -o $SCRATCH/x", 2,
                              "--recipe is needed"));
}

/* A checkpoint of another run. */
static void wrong_checkpoints(void **state) {
    (void)state;
    expect_run("mkdir -p $SCRATCH/broken; echo no > $SCRATCH/broken/checkpoint.safetensors");
    assert_true(spawn_refused(TRAIN "--resume -o $SCRATCH/broken", 1, "checkpoint.safetensors"));
    expect_run("cp tests/data/tiny/model.safetensors $SCRATCH/broken/checkpoint.safetensors");
    assert_true(spawn_refused(TRAIN "--resume -o $SCRATCH/broken", 1, "is not a checkpoint"));
    assert_true(spawn_refused(TRAIN "--resume -o $SCRATCH/empty", 1, "checkpoint.safetensors"));
    expect_run(TRAIN "--steps 3 -o $SCRATCH/three");
    spawn_file("small.tsv", corpus, 30); /* one row: fewer batches than were done */
    Spawned r = spawn_shell("$ATTNSCOPE train --recipe $SCRATCH/recipe.json --corpus "
                            "$SCRATCH/small.tsv --resume --steps 6 -o $SCRATCH/three");
    assert_int_equal(r.status, 1);
    assert_non_null(strstr(r.err, "not the corpus that the run began with"));
    spawn_free(&r);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(killed_and_resumed_equals_straight),
                                       cmocka_unit_test(same_seed_same_bytes),
                                       cmocka_unit_test(reversed_models_are_told_no_language),
                                       cmocka_unit_test(a_new_model_names_no_head),
                                       cmocka_unit_test(another_models_folder_is_left_alone),
                                       cmocka_unit_test(output_is_a_model),
                                       cmocka_unit_test(wrong_corpora),
                                       cmocka_unit_test(wrong_recipes),
                                       cmocka_unit_test(wrong_checkpoints)};
    return cmocka_run_group_tests(tests, write_files, spawn_clean);
}
