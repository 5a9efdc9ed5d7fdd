/* What the commands answer about a model, checked one against the other: a batch of lines against
 * single ones, a generation against its score and its trace, one place and locale against another.
 */
#include <fcntl.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <jansson.h>

#include "model/safetensors.h"
#include "model/trace.h"
#include "tests/app/spawn.h"

#define TINY "--model tests/data/tiny --to fra "

static json_t *json_of(const char *command) {
    Spawned r = spawn_shell(command);
    if (r.status != 0) fail_msg("%s: %s", command, r.err);
    json_t *root = json_loads(r.out, JSON_DECODE_ANY, NULL);
    if (!root) fail_msg("%s: no JSON: %s", command, r.out);
    spawn_free(&r);
    return root;
}

static void same_output(const char *a, const char *b) {
    Spawned x = spawn_shell(a), y = spawn_shell(b);
    assert_int_equal(x.status, y.status);
    assert_int_equal(x.n_out, y.n_out);
    assert_memory_equal(x.out, y.out, x.n_out);
    spawn_free(&x);
    spawn_free(&y);
}

/* Packed batches, sorted by length, on several threads: each line as if alone, in its order. */
static void test_lines_as_if_alone(void **state) {
    (void)state;
    static const char script[] =
        "i=0; while [ $i -lt 60 ]; do echo \"cat $i\" | "
        "awk '{ n = $2 % 7; s = $0; while (n-- > 0) s = s \" loves\"; print s }'; i=$((i+1)); done";
    char line[1024];
    snprintf(line, sizeof line, "{ %s; } > $SCRATCH/lines", script);
    Spawned r = spawn_shell(line);
    spawn_free(&r);
    same_output("OPENBLAS_NUM_THREADS=2 $ATTNSCOPE translate " TINY "$SCRATCH/lines",
                "while read -r x; do $ATTNSCOPE translate " TINY
                "--text \"$x\"; done < $SCRATCH/lines");
    same_output("OPENBLAS_NUM_THREADS=2 $ATTNSCOPE translate " TINY "--beam 3 $SCRATCH/lines",
                "OPENBLAS_NUM_THREADS=1 $ATTNSCOPE translate " TINY "--beam 3 < $SCRATCH/lines");
}

/* A vocabulary may have a piece with a line break: a line still gives a line. */
static void test_line_breaks_in_answers(void **state) {
    (void)state;
    Spawned r = spawn_shell("cp -r tests/data/tiny $SCRATCH/breaks && "
                            "sed 's/\"is\"/\"i\\\\ns\"/' tests/data/tiny/vocab.json > "
                            "$SCRATCH/breaks/vocab.json && printf 'she loves cats\\n\\na cat\\n' | "
                            "$ATTNSCOPE translate --model $SCRATCH/breaks --to fra");
    assert_int_equal(r.status, 0);
    assert_non_null(strstr(r.out, "i s"));
    int n = 0;
    for (size_t i = 0; i < r.n_out; i++)
        n += r.out[i] == '\n';
    assert_int_equal(n, 3);
    spawn_free(&r);
}

/* One beam is greedy. */
static void test_one_beam(void **state) {
    (void)state;
    same_output("$ATTNSCOPE generate --json " TINY "--text 'she loves cats'",
                "$ATTNSCOPE generate --json --beam 1 " TINY "--text 'she loves cats'");
}

static void test_generate_json(void **state) {
    (void)state;
    json_t *root = json_of("$ATTNSCOPE generate --json --top-k 3 " TINY "--text 'she loves cats'");
    json_t *ids = json_object_get(root, "ids"), *steps = json_object_get(root, "steps");
    assert_true(json_is_string(json_object_get(root, "text")));
    assert_int_equal(json_integer_value(json_array_get(ids, 0)), 201); /* the start token */
    assert_int_equal(json_array_size(steps), json_array_size(ids) - 1);
    double sum = 0;
    for (size_t i = 0; i < json_array_size(steps); i++) {
        json_t *step = json_array_get(steps, i), *top = json_object_get(step, "alternatives");
        assert_int_equal(json_integer_value(json_object_get(step, "id")),
                         json_integer_value(json_array_get(ids, i + 1)));
        assert_int_equal(json_array_size(top), 3);
        double before = 1;
        for (size_t k = 0; k < 3; k++) {
            double p = json_number_value(json_object_get(json_array_get(top, k), "log_prob"));
            assert_true(p <= before && p <= 0);
            before = p;
        }
        sum += json_number_value(json_object_get(step, "log_prob"));
    }
    double score = json_number_value(json_object_get(root, "score"));
    assert_true(fabs(sum - score) < 1e-3);
    json_decref(root);
}

/* What is generated, traced, is a forced pass that reads and writes those ids. */
static void test_trace_of_a_generation(void **state) {
    (void)state;
    json_t *root = json_of("$ATTNSCOPE generate --json " TINY
                           "--text 'she loves cats' -o $SCRATCH/g.safetensors");
    json_t *ids = json_object_get(root, "ids");
    char path[512];
    snprintf(path, sizeof path, "%s/g.safetensors", spawn_scratch());
    Error error = {0};
    Trace *trace = trace_open(path, &error);
    if (!trace) fail_msg("%s", error.message);
    Tokens target = trace_target(trace);
    const int32_t *next = trace_next(trace);
    assert_non_null(next);
    assert_int_equal(target.n, (int)json_array_size(ids) - 1);
    for (int i = 0; i < target.n; i++) {
        assert_int_equal(target.items[i].id, json_integer_value(json_array_get(ids, (size_t)i)));
        assert_int_equal(next[i], json_integer_value(json_array_get(ids, (size_t)i + 1)));
    }
    trace_release(trace);
    json_decref(root);
    /* trace without a target traces the same. */
    same_output("cat $SCRATCH/g.safetensors",
                "$ATTNSCOPE trace " TINY "--text 'she loves cats' -o $SCRATCH/t.safetensors && "
                "cat $SCRATCH/t.safetensors");
}

static double log_prob_of(const Tensor *logits, int64_t row, int32_t id) {
    double sum = 0, own = (double)*tensor_at(*logits, row, id, 0, 0);
    for (int64_t v = 0; v < logits->shape[1]; v++)
        sum += exp((double)*tensor_at(*logits, row, v, 0, 0) - own);
    return -log(sum);
}

/* Edits of steps that the search never came to, and a donor of another length, change its trace as
 * they changed the search: the steps that there are, and nothing of the others. */
static void test_trace_of_an_edited_generation(void **state) {
    (void)state;
    Spawned r = spawn_shell("$ATTNSCOPE trace " TINY "--text 'she loves' --target-text 'les chats' "
                            "-o $SCRATCH/donor");
    assert_int_equal(r.status, 0);
    spawn_free(&r);
    json_t *root =
               json_of("$ATTNSCOPE generate --json --top-k 1 --max-new-tokens 12 --ignore-eos " TINY
                       "--text 'a cat' -o $SCRATCH/g.safetensors "
                       "--patch decoder.1.attn.hook_pattern=$SCRATCH/donor "
                       "--patch decoder.0.hook_resid_pre=$SCRATCH/donor "
                       "--set decoder.0.cross_attn:q40:k0=1"),
           *steps = json_object_get(root, "steps");
    char path[512];
    snprintf(path, sizeof path, "%s/g.safetensors", spawn_scratch());
    Error error = {0};
    Trace *trace = trace_open(path, &error);
    if (!trace) fail_msg("%s", error.message);
    const Tensor *logits = trace_find(trace, "logits");
    assert_int_equal(logits->shape[0], (int)json_array_size(steps));
    for (int64_t i = 0; i < logits->shape[0]; i++) {
        const json_t *step = json_array_get(steps, (size_t)i);
        double want = json_number_value(json_object_get(step, "log_prob"));
        assert_true(fabs(log_prob_of(logits, i, trace_next(trace)[i]) - want) < 1e-4);
    }
    trace_release(trace);
    json_decref(root);
}

static void test_edits(void **state) {
    (void)state;
    Spawned r = spawn_shell("for o in '' '--ablate decoder.1.attn' "
                            "'--scale encoder.0.attn:H1=0.5' "
                            "'--set decoder.0.cross_attn:H0:q1:k1=1'; do "
                            "$ATTNSCOPE score " TINY "--text 'she loves cats' --target-text 'les "
                            "chats' $o; done | sort -u | wc -l");
    assert_int_equal(atoi(r.out), 4); /* each makes a difference */
    spawn_free(&r);
    /* A patch with a run's own values changes nothing. */
    same_output("$ATTNSCOPE trace " TINY "--text 'she loves cats' --target-text 'les chats' "
                "--sites '*resid_pre' --sites logits -o $SCRATCH/p && cat $SCRATCH/p",
                "$ATTNSCOPE trace " TINY "--text 'she loves cats' --target-text 'les chats' "
                "--patch decoder.1.hook_resid_pre=$SCRATCH/p "
                "--sites '*resid_pre' --sites logits -o $SCRATCH/q && cat $SCRATCH/q");
}

/* Two rows of ids, the first shorter and padded. */
static void write_batch(const int64_t *ids, int n, int n_kept) {
    int64_t batch[64], mask[64], shape[] = {2, n};
    for (int i = 0; i < n; i++) {
        batch[i] = i < n_kept ? ids[i] : 201;
        batch[n + i] = ids[i];
        mask[i] = i < n_kept;
        mask[n + i] = 1;
    }
    int64_t target[] = {201, 5, 6, 201, 5, 6}, target_shape[] = {2, 3};
    char path[512];
    snprintf(path, sizeof path, "%s/batch.safetensors", spawn_scratch());
    Error error = {0};
    SafetensorsWriter *w = safetensors_create(path, &error);
    assert_non_null(w);
    safetensors_add(w, "input_ids", DTYPE_I64, 2, shape, batch);
    safetensors_add(w, "attention_mask", DTYPE_I64, 2, shape, mask);
    safetensors_add(w, "decoder_input_ids", DTYPE_I64, 2, target_shape, target);
    assert_true(safetensors_commit(w, &error));
}

/* A row of a batch is what the text is; padding is seen by nobody. */
static void test_inputs(void **state) {
    (void)state;
    json_t *root = json_of("echo '{\"text\": \"she loves\"}' | $ATTNSCOPE tokenize --jsonl " TINY);
    json_t *list = json_object_get(root, "ids");
    int64_t ids[32] = {0};
    int n_ids = (int)json_array_size(list), n = n_ids + 2;
    assert_true(n < 32);
    for (int i = 0; i < n_ids; i++)
        ids[i] = json_integer_value(json_array_get(list, (size_t)i));
    json_decref(root);
    write_batch(ids, n, n_ids);
    Spawned r = spawn_shell(
        "$ATTNSCOPE trace " TINY "--inputs $SCRATCH/batch.safetensors -o $SCRATCH/row0 && "
        "$ATTNSCOPE trace " TINY "--inputs $SCRATCH/batch.safetensors --row 1 -o $SCRATCH/row1");
    assert_int_equal(r.status, 0);
    spawn_free(&r);
    char path[512];
    snprintf(path, sizeof path, "%s/row0", spawn_scratch());
    Trace *trace = trace_open(path, NULL);
    assert_non_null(trace);
    assert_int_equal(trace_source(trace).n, n);
    assert_int_equal(trace_source(trace).items[0].id, (int)ids[0]);
    const Tensor *p = trace_find(trace, "decoder.0.cross_attn.hook_pattern");
    assert_non_null(p);
    for (int64_t head = 0; head < p->shape[0]; head++)
        for (int64_t q = 0; q < p->shape[1]; q++) {
            float sum = 0;
            for (int64_t k = 0; k < n; k++) {
                float weight = *tensor_at(*p, head, q, k, 0);
                sum += weight;
                if (k >= n_ids) assert_true(weight == 0);
            }
            assert_true(fabsf(sum - 1) < 1e-5F);
        }
    trace_release(trace);
    assert_true(spawn_refused("$ATTNSCOPE trace " TINY
                              "--inputs $SCRATCH/batch.safetensors --row 2",
                              1, "row 2 was asked for"));
}

/* Arguments of transformers' models that would change the numbers, and are not read. */
static void test_inputs_that_are_refused(void **state) {
    (void)state;
    static const struct {
        const char *model, *tensor, *part;
    } cases[] = {{TINY, "head_mask", "head_mask is not read here; --ablate"},
                 {TINY, "inputs_embeds", "inputs_embeds is not read here"},
                 {"--model tests/data/golden/gpt-neo ", "token_type_ids", "of gpt_neo are not"}};
    static const int64_t shape[] = {1, 2}, ids[] = {5, 6};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Error error = {0};
        char path[512], command[512];
        snprintf(path, sizeof path, "%s/other.safetensors", spawn_scratch());
        SafetensorsWriter *w = safetensors_create(path, &error);
        safetensors_add(w, "input_ids", DTYPE_I64, 2, shape, ids);
        safetensors_add(w, cases[i].tensor, DTYPE_I64, 2, shape, ids);
        assert_true(safetensors_commit(w, &error));
        snprintf(command, sizeof command,
                 "$ATTNSCOPE trace %s--inputs $SCRATCH/other.safetensors -o $SCRATCH/other",
                 cases[i].model);
        assert_true(spawn_refused(command, 1, cases[i].part));
    }
    assert_true(spawn_refused("$ATTNSCOPE generate --model tests/data/golden/gpt-neo "
                              "--text '5 6' --prompt-ids 5",
                              2, "no decoder of its own"));
}

static void test_score(void **state) {
    (void)state;
    json_t *root = json_of("$ATTNSCOPE score --json " TINY
                           "--text 'she loves cats' --target-text 'elle aime les chats'");
    json_t *tokens = json_object_get(root, "tokens");
    double sum = 0;
    for (size_t i = 0; i < json_array_size(tokens); i++)
        sum += json_number_value(json_object_get(json_array_get(tokens, i), "log_prob"));
    assert_true(fabs(sum - json_number_value(json_object_get(root, "log_prob"))) < 1e-4);
    json_t *last = json_array_get(tokens, json_array_size(tokens) - 1);
    assert_string_equal(json_string_value(json_object_get(last, "text")), "</s>");
    json_decref(root);
    same_output("printf 'she loves cats\\n\\na cat\\n' > $SCRATCH/s; printf 'elle\\n\\nun chat\\n' "
                "> $SCRATCH/t; $ATTNSCOPE score " TINY "--source $SCRATCH/s --target $SCRATCH/t",
                "$ATTNSCOPE score " TINY "--text 'she loves cats' --target-text elle; echo; "
                "$ATTNSCOPE score " TINY "--text 'a cat' --target-text 'un chat'");
    assert_true(spawn_refused("printf 'a\\n' > $SCRATCH/s; : > $SCRATCH/t; $ATTNSCOPE score " TINY
                              "--source $SCRATCH/s --target $SCRATCH/t",
                              1, "the target ends after 0 lines"));
    assert_true(spawn_refused("$ATTNSCOPE score " TINY "--text a", 2, "what is scored"));
}

/* Without --to a model that wants a tag is told its first language, unless the text has a tag. */
static void test_default_language(void **state) {
    (void)state;
#define SCORE "$ATTNSCOPE score --json --target-text 'Hei!' "
    same_output("echo 'She loves cats.' | $ATTNSCOPE translate",
                "echo 'She loves cats.' | $ATTNSCOPE translate --to fin");
    same_output(SCORE "--text 'Hello!'", SCORE "--to fin --text 'Hello!'");
    same_output(SCORE "--text '>>fra<< Hello!'", SCORE "--to fra --text 'Hello!'");
#undef SCORE
}

static void test_families(void **state) {
    (void)state;
    json_t *root = json_of("$ATTNSCOPE models --families --json"), *family;
    size_t i, n_fields = 0;
    assert_true(json_array_size(root) > 20);
    json_array_foreach(root, i, family) {
        assert_true(json_is_string(json_object_get(family, "model_type")));
        n_fields += json_array_size(json_object_get(family, "fields"));
    }
    assert_true(n_fields > 100);
    json_decref(root);
}

#ifdef O_TMPFILE
/* Killed in the middle of its lines: no output, and nothing beside it. */
static void test_killed_leaves_nothing(void **state) {
    (void)state;
    int fd = open(spawn_scratch(), O_TMPFILE | O_WRONLY, 0600);
    if (fd < 0) skip(); /* this file system gives every file a name */
    close(fd);
    Spawned r = spawn_shell("mkdir -p $SCRATCH/k && (echo 'a cat'; sleep 3) | timeout -s KILL 1 "
                            "$ATTNSCOPE translate " TINY "-o $SCRATCH/k/out; ls -A $SCRATCH/k");
    assert_int_equal(r.n_out, 0);
    spawn_free(&r);
}
#endif

/* Same bytes in any folder, locale and environment. */
static void test_same_bytes(void **state) {
    (void)state;
    same_output("$ATTNSCOPE trace --to fra --model $PWD/tests/data/tiny --text 'she loves cats' "
                "-o $SCRATCH/1 && cat $SCRATCH/1",
                "here=$PWD; cd / && env -u HOME LC_ALL=fi_FI.UTF-8 $ATTNSCOPE trace --to fra "
                "--model $here/tests/data/tiny --text 'she loves cats' -o $SCRATCH/2 && "
                "cat $SCRATCH/2");
    same_output("$ATTNSCOPE score " TINY "--text a --target-text b",
                "LC_ALL=fi_FI.UTF-8 $ATTNSCOPE score " TINY "--text a --target-text b");
}

static void test_inspect_and_hooks(void **state) {
    (void)state;
    json_t *root = json_of("$ATTNSCOPE inspect tests/data/tiny --json");
    assert_int_equal(json_integer_value(json_object_get(root, "n_parameters")), 49418);
    assert_string_equal(json_string_value(json_object_get(root, "family")), "encoder-decoder");
    assert_int_equal(json_array_size(json_object_get(root, "tensors")), 86);
    json_decref(root);
    root = json_of("$ATTNSCOPE hooks --json");
    assert_true(json_array_size(root) > 25);
    json_decref(root);
    root = json_of("HF_HOME=$SCRATCH/none $ATTNSCOPE models --json --quick");
    assert_true(json_is_array(root));
    json_decref(root);
}

/* The tiny model with one more tensor, of a number type and a name that nothing is read from. */
static void write_surplus(const char *folder, const char *name, Dtype dtype) {
    static const uint8_t bytes[8];
    static const int64_t shape[] = {1};
    Error error = {0};
    char path[512];
    Safetensors *from = safetensors_open("tests/data/tiny/model.safetensors", &error);
    assert_non_null(from);
    snprintf(path, sizeof path, "%s/%s/model.safetensors", spawn_scratch(), folder);
    SafetensorsWriter *w = safetensors_create(path, &error);
    for (int i = 0; i < safetensors_n_tensors(from); i++) {
        const RawTensor *t = safetensors_tensor(from, i);
        safetensors_add(w, t->name, t->dtype, t->rank, t->shape, t->data);
    }
    safetensors_add(w, name, dtype, 1, shape, bytes);
    if (!safetensors_commit(w, &error)) fail_msg("%s", error.message);
    safetensors_close(from);
}

/* Said in one line and accepted, whatever its numbers are; its name cannot break the line, nor
 * steer a terminal. */
static void test_surplus_tensor(void **state) {
    (void)state;
    static const Dtype dtypes[] = {DTYPE_U16, DTYPE_U32, DTYPE_U64, DTYPE_F8_E4M3, DTYPE_F8_E5M2};
    Spawned r = spawn_shell("cp -r tests/data/tiny $SCRATCH/surplus");
    spawn_free(&r);
    for (size_t i = 0; i < sizeof dtypes / sizeof *dtypes; i++) {
        write_surplus("surplus", "odd\nname\033[31m", dtypes[i]);
        r = spawn_shell(
            "$ATTNSCOPE score --model $SCRATCH/surplus --to fra --text a --target-text b");
        if (r.status != 0) fail_msg("%s", r.err);
        assert_non_null(strstr(r.err, "1 tensor is not read: odd name?[31m\n"));
        assert_int_equal(strcspn(r.err, "\n"), r.n_err - 1);
        spawn_free(&r);
        r = spawn_shell("$ATTNSCOPE inspect $SCRATCH/surplus");
        assert_non_null(strstr(r.out, " odd name?[31m "));
        spawn_free(&r);
    }
}

/* The golden Whisper with a vocabulary: its special tokens, three languages, two words. */
static void make_whisper(void) {
    static const struct {
        const char *label;
        int id;
    } added[] = {{"<|endoftext|>", 2},     {"<|startoftranscript|>", 3},
                 {"<|transcribe|>", 9},    {"<|translate|>", 10},
                 {"<|notimestamps|>", 11}, {"<|en|>", 20},
                 {"<|fr|>", 21},           {"<|fi|>", 22}};
    json_t *list = json_array(),
           *vocab = json_pack("{s:i, s:i, s:i}", "?", 0, "good", 30, "day", 31);
    for (size_t i = 0; i < sizeof added / sizeof *added; i++) {
        json_object_set_new(vocab, added[i].label, json_integer(added[i].id));
        json_array_append_new(list, json_pack("{s:i, s:s, s:b}", "id", added[i].id, "content",
                                              added[i].label, "special", 1));
    }
    json_t *root = json_pack("{s:{s:s, s:o, s:s}, s:{s:s}, s:o}", "model", "type", "WordLevel",
                             "vocab", vocab, "unk_token", "?", "pre_tokenizer", "type",
                             "WhitespaceSplit", "added_tokens", list);
    char *text = json_dumps(root, 0);
    Spawned r =
        spawn_shell("mkdir -p $SCRATCH/hears && cp tests/data/golden/whisper/* $SCRATCH/hears");
    assert_int_equal(r.status, 0);
    spawn_free(&r);
    spawn_file("hears/tokenizer.json", text, strlen(text));
    free(text);
    json_decref(root);
}

/* The ids that the decoder reads when it is made to write "good day". */
static void expect_read(const char *options, const int32_t *want, int n) {
    char command[512], path[512];
    snprintf(command, sizeof command,
             "$ATTNSCOPE trace --model $SCRATCH/hears --audio tests/fuzz/seeds/audio/pcm16.wav "
             "--target-text 'good day' %s -o $SCRATCH/h.safetensors",
             options);
    Spawned r = spawn_shell(command);
    if (r.status != 0) fail_msg("%s: %s", command, r.err);
    spawn_free(&r);
    snprintf(path, sizeof path, "%s/h.safetensors", spawn_scratch());
    Error error = {0};
    Trace *trace = trace_open(path, &error);
    if (!trace) fail_msg("%s", error.message);
    Tokens target = trace_target(trace);
    assert_int_equal(target.n, n);
    for (int i = 0; i < n; i++)
        assert_int_equal(target.items[i].id, want[i]);
    assert_int_equal(trace_next(trace)[n - 1], 2); /* and ends it */
    trace_release(trace);
}

/* What is said before a given text is what a search begins with, each once. */
static void test_whisper_is_told(void **state) {
    (void)state;
    make_whisper();
    expect_read("", (const int32_t[]){3, 30, 31}, 3); /* its config says nothing */
    expect_read("--to fi", (const int32_t[]){3, 22, 9, 11, 30, 31}, 6);
    expect_read("--to fr --source-language fr", (const int32_t[]){3, 21, 9, 11, 30, 31}, 6);
    expect_read("--to en --source-language fr", (const int32_t[]){3, 21, 10, 11, 30, 31}, 6);
#define HEARS "$ATTNSCOPE generate --model $SCRATCH/hears --audio tests/fuzz/seeds/audio/pcm16.wav "
    assert_true(spawn_refused(HEARS "--to xx", 1,
                              "--to: language \"xx\" is not in the vocabulary; "
                              "it has en, fr, fi"));
    assert_true(spawn_refused(HEARS "--to fi --source-language fr", 1, "into English (--to en)"));
    assert_true(spawn_refused(HEARS "--source-language xx", 1, "--source-language: language"));
    json_t *root = json_of(HEARS "--to fi --json"), *ids = json_object_get(root, "ids");
    static const int begin[] = {3, 22, 9, 11};
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(json_integer_value(json_array_get(ids, i)), begin[i]);
    json_decref(root);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whisper_is_told),
        cmocka_unit_test(test_lines_as_if_alone),
        cmocka_unit_test(test_line_breaks_in_answers),
        cmocka_unit_test(test_one_beam),
        cmocka_unit_test(test_generate_json),
        cmocka_unit_test(test_trace_of_a_generation),
        cmocka_unit_test(test_trace_of_an_edited_generation),
        cmocka_unit_test(test_edits),
        cmocka_unit_test(test_inputs),
        cmocka_unit_test(test_inputs_that_are_refused),
        cmocka_unit_test(test_score),
        cmocka_unit_test(test_default_language),
        cmocka_unit_test(test_families),
#ifdef O_TMPFILE
        cmocka_unit_test(test_killed_leaves_nothing),
#endif
        cmocka_unit_test(test_same_bytes),
        cmocka_unit_test(test_inspect_and_hooks),
        cmocka_unit_test(test_surplus_tensor),
    };
    spawn_scratch();
    return cmocka_run_group_tests(tests, NULL, spawn_clean);
}
