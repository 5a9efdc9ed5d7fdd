/* Folders in Hugging Face layout: config, one file or shards, and the indexes that lie. */
#include "model/checkpoint.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "model/base/file.h"
#include "model/safetensors.h"
#include "tests/model/scratch.h"

/* A shard with one F32 [2] for each letter of names; the letter's code is its first number. */
static void write_shard(const char *path, const char *names) {
    float data[16][2];
    Error error = {0};
    SafetensorsWriter *w = safetensors_create(scratch_path(path), &error);
    for (int i = 0; names[i]; i++) {
        data[i][0] = (float)names[i];
        data[i][1] = -1;
        safetensors_add(w, (char[]){names[i], 0}, DTYPE_F32, 1, (int64_t[]){2}, data[i]);
    }
    assert_true(safetensors_commit(w, &error));
}

static Checkpoint *must_open(const char *name) {
    Error error = {0};
    Checkpoint *c = checkpoint_open(scratch_path(name), &error);
    if (!c) fail_msg("%s", error.message);
    return c;
}

/* Opening says one line with all of these in it. */
static void must_fail(const char *path, const char *const says[4]) {
    Error error = {0};
    Checkpoint *c = checkpoint_open(path, &error);
    if (c) fail_msg("%s was opened", path);
    assert_int_not_equal(error.kind, ERROR_NONE);
    assert_null(strchr(error.message, '\n'));
    for (int i = 0; i < 4 && says[i]; i++)
        if (!strstr(error.message, says[i])) fail_msg("'%s' is not in: %s", says[i], error.message);
}
#define MUST_FAIL(name, ...) must_fail(scratch_path(name), (const char *const[4]){__VA_ARGS__})

static void one_file_with_its_config(void **state) {
    (void)state;
    scratch_write("one/config.json",
                  str("\xef\xbb\xbf{\"model_type\": \"x\", \"model_max_length\": "
                      "1000000000000000019884624838656}"));
    scratch_write("one/generation_config.json", str("{\"num_beams\": 4}"));
    write_shard("one/model.safetensors", "ba");
    const char *const ways[] = {"one", "one/", "one/model.safetensors"};
    for (int i = 0; i < 3; i++) {
        Checkpoint *c = must_open(ways[i]);
        assert_string_equal(checkpoint_format(c), "safetensors");
        assert_int_equal(checkpoint_n_tensors(c), 2);
        assert_string_equal(checkpoint_tensor(c, 0)->name, "a");
        assert_true(*(const float *)checkpoint_find(c, "b")->data == 'b');
        assert_null(checkpoint_find(c, "c"));
        const json_t *config = checkpoint_config(c);
        assert_string_equal(json_string_value(json_object_get(config, "model_type")), "x");
        assert_true(json_is_real(json_object_get(config, "model_max_length")));
        const json_t *generation = checkpoint_generation_config(c);
        assert_int_equal(json_integer_value(json_object_get(generation, "num_beams")), 4);
        checkpoint_close(c);
    }
    assert_string_equal(checkpoint_probe(scratch_path("one")), "safetensors");
    assert_null(checkpoint_tokenizer(scratch_path("one"), NULL));
}

static void configs_are_checked(void **state) {
    (void)state;
    static const struct {
        const char *json;
        const char *says[3];
    } cases[] = {
        {"{\"model_type\": \"x\",\n \"dropout\": NaN}", {"line 2", "NaN"}},
        {"{\"a\": Infinity}", {"line 1", "Infinity"}},
        {"[]", {"not an object"}},
        {"", {"JSON"}},
        {"{\"a\": 1e999}", {"line 1"}},
        {"{\"quantization_config\": {\"quant_method\": \"gptq\"}}", {"gptq"}},
        {"{\"a\": \"\xff\"}", {"line 1"}},
    };
    write_shard("one/model.safetensors", "ab");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        scratch_write("one/config.json", str(cases[i].json));
        MUST_FAIL("one", "config.json", cases[i].says[0], cases[i].says[1]);
    }
    unlink(scratch_path("one/config.json"));
    MUST_FAIL("one", "config.json", "No such file");
    mkfifo(scratch_path("one/config.json"), 0600);
    MUST_FAIL("one", "config.json", "pipe");
    unlink(scratch_path("one/config.json"));
    mkdir(scratch_path("one/config.json"), 0700);
    MUST_FAIL("one", "config.json", "folder");
    StrBuf deep = {0};
    for (int i = 0; i < 100000; i++)
        strbuf_puts(&deep, "{\"a\":");
    rmdir(scratch_path("one/config.json"));
    scratch_write("one/config.json", strbuf_str(&deep));
    MUST_FAIL("one", "config.json", "depth");
    strbuf_free(&deep);
}

static void shards_come_together(void **state) {
    (void)state;
    scratch_write("many/config.json", str("{}"));
    write_shard("many/s1.safetensors", "ad");
    write_shard("many/s2.safetensors", "cb");
    scratch_write(
        "many/model.safetensors.index.json",
        str("{\"metadata\": {\"total_size\": 32}, \"weight_map\": {\"a\": \"s1.safetensors\","
            "\"d\": \"s1.safetensors\", \"c\": \"s2.safetensors\", \"b\": "
            "\"./s2.safetensors\"}}"));
    /* One file under two names would be read twice. */
    MUST_FAIL("many", "tensor b", "twice");
    scratch_write(
        "many/model.safetensors.index.json",
        str("{\"weight_map\": {\"a\": \"s1.safetensors\", \"d\": \"s1.safetensors\", \"c\": "
            "\"s2.safetensors\", \"b\": \"s2.safetensors\"}}"));
    Checkpoint *c = must_open("many");
    assert_int_equal(checkpoint_n_tensors(c), 4);
    for (int i = 0; i < 4; i++)
        assert_true(*(const float *)checkpoint_tensor(c, i)->data == (float)('a' + i));
    checkpoint_close(c);
}

static void indexes_that_lie_are_refused(void **state) {
    (void)state;
    static const struct {
        const char *map;
        const char *says[3];
    } cases[] = {
        {"{\"a\": \"../one/model.safetensors\"}", {"leads out", "../one"}},
        {"{\"a\": \"x/../../one/model.safetensors\"}", {"leads out"}},
        {"{\"a\": \"/etc/passwd\"}", {"leads out", "/etc/passwd"}},
        {"{\"a\": \"\"}", {"leads out"}},
        {"{\"a\": \"..\"}", {"leads out"}},
        {"{\"a\": \"link.safetensors\"}", {"link out of the folder"}},
        {"{\"a\": \"out/model.safetensors\"}", {"link out of the folder"}},
        {"{\"a\": \"s9.safetensors\"}", {"s9.safetensors", "missing", "index.json"}},
        {"{\"z\": \"s1.safetensors\"}", {"tensor z", "s1.safetensors"}},
        {"{\"a\": 7}", {"tensor a", "file name"}},
        {"{\"a\": \"s1.safetensors\\u0000x\"}", {"tensor a", "file name"}},
        {"{\"a\": \"s1.safetensors\", \"b\": \"copy.safetensors\"}", {"tensor a", "twice", "copy"}},
        {"{\"a\": \"sub\"}", {"sub", "folder"}},
        {"{\"a\": \"short.safetensors\"}", {"short.safetensors", "cut off"}},
        {"{}", {"weight_map"}},
        {"[]", {"weight_map"}},
    };
    scratch_write("bad/config.json", str("{}"));
    scratch_write("bad/sub/x", str("x"));
    scratch_write("bad/short.safetensors", str("\x50\0\0\0\0\0\0\0{"));
    write_shard("bad/s1.safetensors", "a");
    write_shard("bad/copy.safetensors", "ab");
    folder_make(scratch_path("outside"), NULL);
    write_shard("outside/model.safetensors", "a");
    assert_int_equal(symlink("../outside/model.safetensors", scratch_path("bad/link.safetensors")),
                     0);
    assert_int_equal(symlink("../outside", scratch_path("bad/out")), 0);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        StrBuf index = {0};
        strbuf_printf(&index, "{\"weight_map\": %s}", cases[i].map);
        scratch_write("bad/model.safetensors.index.json", strbuf_str(&index));
        strbuf_free(&index);
        MUST_FAIL("bad", cases[i].says[0], cases[i].says[1], cases[i].says[2]);
    }
}

/* models--x/snapshots/REV/f is a link to models--x/blobs/HASH there. */
static void links_of_the_hub_cache_are_followed(void **state) {
    (void)state;
    scratch_write("models--x/blobs/aa", str("{}"));
    write_shard("models--x/blobs/bb", "ab");
    scratch_write("models--x/blobs/cc", str("{\"weight_map\": {\"a\": \"w.safetensors\"}}"));
    folder_make(scratch_path("models--x/snapshots/r1"), NULL);
    static const char *const links[][2] = {
        {"../../blobs/aa", "models--x/snapshots/r1/config.json"},
        {"../../blobs/bb", "models--x/snapshots/r1/w.safetensors"},
        {"../../blobs/cc", "models--x/snapshots/r1/model.safetensors.index.json"}};
    for (int i = 0; i < 3; i++)
        assert_int_equal(symlink(links[i][0], scratch_path(links[i][1])), 0);
    Checkpoint *c = must_open("models--x/snapshots/r1");
    assert_int_equal(checkpoint_n_tensors(c), 2);
    checkpoint_close(c);
}

static void other_things_are_refused(void **state) {
    (void)state;
    folder_make(scratch_path("nothing"), NULL);
    MUST_FAIL("nothing", "no weights", "model.safetensors");
    scratch_write("nothing/tf_model.h5", str("x"));
    MUST_FAIL("nothing", "no weights", "tf_model.h5 is not");
    MUST_FAIL("absent", "No such file");
    mkfifo(scratch_path("pipe"), 0600);
    MUST_FAIL("pipe", "pipe");
    scratch_write("text.txt", str("hello, this is not a model at all"));
    MUST_FAIL("text.txt", "not a format");
    scratch_write("empty", str(""));
    MUST_FAIL("empty", "not a format");
    must_fail("", (const char *const[4]){"No such file"});
    assert_null(checkpoint_probe(scratch_path("nothing")));
    checkpoint_close(NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_file_with_its_config),
        cmocka_unit_test(configs_are_checked),
        cmocka_unit_test(shards_come_together),
        cmocka_unit_test(indexes_that_lie_are_refused),
        cmocka_unit_test(links_of_the_hub_cache_are_followed),
        cmocka_unit_test(other_things_are_refused),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
