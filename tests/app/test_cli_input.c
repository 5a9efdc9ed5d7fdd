/* What users give by mistake: every command answers with one clear line and exit status 1, and
 * leaves nothing half-written. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/app/spawn.h"

static const char tiny[] = "--model tests/data/tiny";

/* Commands that read a model, each with what else it needs; %s is the model. */
static const char *const with_model[] = {
    "trace %s --text 'a cat' --to fra",
    "generate %s --text 'a cat' --to fra",
    "translate %s --text 'a cat' --to fra",
    "score %s --text 'a cat' --target-text 'un chat' --to fra",
    "inspect %s",
    "figure heatmap %s --text 'a cat' --to fra -o $SCRATCH/never.png",
};
enum { N_WITH_MODEL = sizeof with_model / sizeof *with_model };

static void refuse_model(const char *model, const char *part) {
    for (int i = 0; i < N_WITH_MODEL; i++) {
        char option[256], line[1024], command[2048];
        snprintf(option, sizeof option, "--model %s", model);
        snprintf(line, sizeof line, with_model[i], option);
        snprintf(command, sizeof command, "timeout 10 $ATTNSCOPE %s", line);
        assert_true(spawn_refused(command, 1, part));
    }
}

static void test_no_such_model(void **state) {
    (void)state;
    refuse_model("/no/such/folder", "/no/such/folder");
    refuse_model("no-such-org/no-such-model", "no-such-org/no-such-model");
    assert_true(spawn_refused("echo cat | $ATTNSCOPE tokenize --model /no/such/folder", 1,
                              "/no/such/folder"));
}

static void test_broken_models(void **state) {
    (void)state;
    spawn_scratch();
    Spawned r = spawn_shell(
        "cd $SCRATCH && cp -r $OLDPWD/tests/data/tiny cut && cp -r cut nul && cp -r cut fifo && "
        "cp -r cut folder && cp -r cut config && mkdir empty && "
        "head -c 50000 cut/model.safetensors > x && mv x cut/model.safetensors && "
        ": > nul/model.safetensors && "
        "rm fifo/model.safetensors && mkfifo fifo/model.safetensors && "
        "rm folder/model.safetensors && mkdir folder/model.safetensors && "
        "printf '{\"model_type\": \"marian\", ' > config/config.json && mkfifo pipe");
    assert_int_equal(r.status, 0);
    spawn_free(&r);
    refuse_model("$SCRATCH/cut", "model.safetensors");
    refuse_model("$SCRATCH/nul", "model.safetensors");
    refuse_model("$SCRATCH/fifo", "model.safetensors");
    refuse_model("$SCRATCH/folder", "model.safetensors");
    refuse_model("$SCRATCH/config", "config.json");
    refuse_model("$SCRATCH/empty", "empty");
    refuse_model("$SCRATCH/pipe", "pipe");
    refuse_model("/dev/null", "/dev/null");
}

static void test_texts(void **state) {
    (void)state;
    static const char *const commands[] = {"trace", "generate", "translate", "figure cross"};
    char line[512];
    spawn_scratch();
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        snprintf(line, sizeof line, "$ATTNSCOPE %s %s --to fra --text ''", commands[i], tiny);
        assert_true(spawn_refused(line, 1, "is empty"));
        snprintf(line, sizeof line, "$ATTNSCOPE %s %s --to fra --text '  '", commands[i], tiny);
        assert_true(spawn_refused(line, 1, "is empty"));
        snprintf(line, sizeof line, "$ATTNSCOPE %s %s --to fra --text \"$(printf 'a \\377 b')\"",
                 commands[i], tiny);
        assert_true(spawn_refused(line, 1, "UTF-8"));
        snprintf(line, sizeof line,
                 "$ATTNSCOPE %s %s --to fra --text \"$(yes cats | head -n 5000 | tr '\\n' ' ')\"",
                 commands[i], tiny);
        assert_true(spawn_refused(line, 1, "at most 96"));
        snprintf(line, sizeof line, "$ATTNSCOPE %s %s --to zzz --text 'a cat'", commands[i], tiny);
        assert_true(spawn_refused(line, 1, "zzz"));
    }
    snprintf(line, sizeof line, "$ATTNSCOPE trace %s --to fra --text 'a cat' --target-text ''",
             tiny);
    assert_true(spawn_refused(line, 1, "--target-text: is empty"));
    snprintf(line, sizeof line, "$ATTNSCOPE trace %s --to fra", tiny);
    assert_true(spawn_refused(line, 2, "nothing to read"));
}

/* Models that look or listen read no text, and say what they read; those without a decoder do not
 * write. */
static void test_senses(void **state) {
    (void)state;
    static const struct {
        const char *command, *part;
    } cases[] = {
        {"trace --model tests/data/golden/deit --text hello", "--image FILE is expected"},
        {"generate --model tests/data/golden/whisper --text '4 5'", "--audio FILE is expected"},
        {"generate --model tests/data/golden/deit --image tests/fuzz/seeds/image/rgb.png",
         "this model (deit) does not write text"},
        {"generate --model tests/data/golden/roberta --text '4 5'", "does not write text"},
        {"trace --model tests/data/golden/whisper --image tests/fuzz/seeds/image/rgb.png",
         "looks at no pictures"},
        {"trace --model tests/data/golden/deit --image tests/fuzz/seeds/audio/pcm16.wav",
         "neither PNG nor JPEG"},
        {"trace --model tests/data/golden/whisper --audio tests/fuzz/seeds/image/rgb.png",
         "not a sound that can be read"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char command[512];
        snprintf(command, sizeof command, "$ATTNSCOPE %s", cases[i].command);
        assert_true(spawn_refused(command, 1, cases[i].part));
    }
}

static void test_inputs(void **state) {
    (void)state;
    char line[512];
    static const char *const wrong[][2] = {
        {"/no/such/file", "/no/such/file"},
        {"$SCRATCH", "a folder"},
        {"/dev/null", "a device"},
        {"README.md", "README.md"},
        {"tests/data/tiny/model.safetensors", "neither input_ids nor"},
    };
    spawn_scratch();
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        snprintf(line, sizeof line, "timeout 10 $ATTNSCOPE trace %s --inputs %s", tiny,
                 wrong[i][0]);
        assert_true(spawn_refused(line, 1, wrong[i][1]));
    }
    snprintf(line, sizeof line, "$ATTNSCOPE generate %s --to fra --text cat --prompt-ids 1,x",
             tiny);
    assert_true(spawn_refused(line, 2, "ids from 0 to 201"));
}

/* What contradicts itself, is misspelt, or would change nothing. */
static void test_wrong_wishes(void **state) {
    (void)state;
    static const struct {
        const char *command;
        int status;
        const char *part;
    } cases[] = {
        {"trace --text a --inputs b", 2, "--text and --inputs: one of them"},
        {"answer --image a --audio b", 2, "--image and --audio: one of them"},
        {"trace --inputs a --target-text b", 2, "decoder_input_ids"},
        {"generate --text a --row 1", 2, "--inputs FILE is expected"},
        {"figure heatmap --text a --inputs b", 2, "--text and --inputs: one of them"},
        {"figure heatmap --batch a --text b -o x.svg", 2, "--text is one too many"},
        {"figure heatmap --text a --resume", 2, "--resume is of --batch"},
        {"figure hetmap --text a", 2, "did you mean heatmap?"},
        {"figure cross --from $SCRATCH/pipe -o $SCRATCH/x.png", 1, "is a pipe"},
        {"help translat", 2, "did you mean translate?"},
        {"figure cross --batch README.md --to xx -o '$SCRATCH/{line}.svg'", 1, "--to: language"},
        {"tokenize --to xx", 1, "--to: language"},
        {"translate --text a --to xx", 1, "--to: language"},
        {"translate --model $SCRATCH/lone.safetensors --text a", 1, "needs its config.json"},
        {"trace --model tests/data/tiny --text a --sites 'decoder.*.nonsense'", 1, "no such hook"},
    };
    spawn_scratch();
    Spawned made = spawn_shell("test -p $SCRATCH/pipe || mkfifo $SCRATCH/pipe; "
                               "cp tests/data/tiny/model.safetensors $SCRATCH/lone.safetensors");
    assert_int_equal(made.status, 0);
    spawn_free(&made);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char command[512];
        snprintf(command, sizeof command, "timeout 20 $ATTNSCOPE %s", cases[i].command);
        if (!spawn_refused(command, cases[i].status, cases[i].part)) fail_msg("%s", command);
    }
    Spawned late = spawn_shell("$ATTNSCOPE translate --model tests/data/tiny --text 'a cat' "
                               "--set decoder.0.cross_attn:q60:k0=1");
    assert_int_equal(late.status, 0);
    assert_non_null(strstr(late.err, "this edit changed nothing"));
    spawn_free(&late);
    Spawned nul = spawn_shell("printf 'a\\0b\\na cat\\n' | $ATTNSCOPE translate --model "
                              "tests/data/tiny");
    assert_int_equal(nul.status, 1);
    assert_non_null(strstr(nul.err, "line 1: text: byte 1 is NUL"));
    spawn_free(&nul);
}

static void test_edits(void **state) {
    (void)state;
    static const char *const wrong[] = {
        "--ablate decoder.9.cross_attn:H0",
        "--ablate nonsense",
        "--ablate decoder.0.cross_attn:H9",
        "--scale decoder.0.cross_attn:H0",
        "--scale decoder.0.cross_attn:H0=x",
        "--set decoder.0.cross_attn:H0=1",
        "--patch decoder.0.hook_resid_pre=/no/such/trace",
        "--grad nothing",
    };
    char line[512];
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        const char *part = strchr(wrong[i], ' ') + 1;
        char first[64];
        snprintf(first, sizeof first, "%.*s", (int)strcspn(part, "=:"), part);
        snprintf(line, sizeof line, "$ATTNSCOPE trace %s --to fra --text 'a cat' %s", tiny,
                 wrong[i]);
        Spawned r = spawn_shell(line);
        if (r.status != 1 && r.status != 2) fail_msg("%s: status %d", line, r.status);
        if (strncmp(r.err, "attnscope: ", 11) != 0) fail_msg("%s: %s", line, r.err);
        assert_int_equal(r.n_out, 0);
        spawn_free(&r);
    }
}

/* A disk that is full, a folder that is not there, a folder in place of a file: the file that was
 * there stays, and no temporary file is left. */
static void test_outputs(void **state) {
    (void)state;
    static const char *const commands[] = {
        "trace %s --to fra --text 'a cat' -o %s",
        "generate %s --to fra --text 'a cat' -o %s",
        "translate %s --to fra --text 'a cat' -o %s",
        "score %s --to fra --text 'a cat' --target-text 'un chat' -o %s",
        "inspect %s -o %s",
        "tokenize %s README.md -o %s",
    };
    static const char *const places[][2] = {
        {"/dev/full", "No space left"},
        {"/no/such/folder/x", "/no/such/folder/x"},
        {"$SCRATCH", "is a folder"},
    };
    spawn_scratch();
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        for (size_t k = 0; k < sizeof places / sizeof *places; k++) {
            char line[512], command[600];
            snprintf(line, sizeof line, commands[i], tiny, places[k][0]);
            snprintf(command, sizeof command, "$ATTNSCOPE %s", line);
            assert_true(spawn_refused(command, 1, places[k][1]));
        }
    Spawned r = spawn_shell("ls /dev/full* $SCRATCH.* 2> /dev/null; find $SCRATCH -name '*.tmp'");
    assert_string_equal(r.out, "/dev/full\n");
    spawn_free(&r);
}

/* What was there stays when the disk is full: a file system of 64 kB would need root, a limit on
 * the size of files does the same. */
static void test_old_file_stays(void **state) {
    (void)state;
    spawn_scratch();
    char line[512];
    snprintf(line, sizeof line,
             "echo old > $SCRATCH/kept; trap '' XFSZ; ulimit -f 8; $ATTNSCOPE trace %s --to fra "
             "--text 'a cat' --sites '*' -o $SCRATCH/kept; echo $?; cat $SCRATCH/kept; "
             "ls $SCRATCH | grep -c kept",
             tiny);
    Spawned r = spawn_shell(line);
    assert_string_equal(r.out, "1\nold\n1\n");
    assert_non_null(strstr(r.err, "kept: cannot write: "));
    spawn_free(&r);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_such_model),  cmocka_unit_test(test_broken_models),
        cmocka_unit_test(test_texts),          cmocka_unit_test(test_senses),
        cmocka_unit_test(test_inputs),         cmocka_unit_test(test_wrong_wishes),
        cmocka_unit_test(test_edits),          cmocka_unit_test(test_outputs),
        cmocka_unit_test(test_old_file_stays),
    };
    return cmocka_run_group_tests(tests, NULL, spawn_clean);
}
