/* llama2.c's .bin and the vocabulary beside it, written here as its own programs write them. */
#include "tests/model/checkpoint_hand.h"
#include "tests/model/scratch.h"

/* Width 8, hidden 12, 2 layers, 2 heads, 1 key-value head, 5 words, 16 positions. */
enum { WIDTH = 8, HIDDEN = 12, LAYERS = 2, WORDS = 5, POSITIONS = 16, KV = 4 };

static void floats(StrBuf *out, int n, float first) {
    for (int i = 0; i < n; i++)
        strbuf_add(out, &(float){first + (float)i}, 4);
}

/* n int8 counted from `first` in steps of one, then a scale of 0.5 for every four. */
static void groups(StrBuf *out, int n, int first) {
    for (int i = 0; i < n; i++)
        strbuf_putc(out, (char)(first + i % 50));
    for (int i = 0; i < n / 4; i++)
        strbuf_add(out, &(float){.5f}, 4);
}

static Str llama2c(int version, bool shared) {
    StrBuf out = {0};
    const int32_t vocabulary = version == 0 && !shared ? -WORDS : WORDS;
    const int32_t sizes[] = {WIDTH, HIDDEN, LAYERS, 2, 1, vocabulary, POSITIONS};
    if (version) strbuf_add(&out, (const uint32_t[]){0x616b3432, (uint32_t)version}, 8);
    strbuf_add(&out, sizes, sizeof sizes);
    if (version) strbuf_putc(&out, shared);
    if (version == 2) strbuf_add(&out, &(int32_t){4}, 4);
    while (version && out.n < 256)
        strbuf_putc(&out, 0);
    static const int matrices[] = {
        WIDTH * WIDTH,  KV * WIDTH,     KV * WIDTH,    WIDTH * WIDTH,
        HIDDEN * WIDTH, WIDTH * HIDDEN, HIDDEN * WIDTH}; /* q k v o 1 2 3 */
    if (version == 0) floats(&out, WORDS * WIDTH, 0);
    floats(&out, LAYERS * WIDTH, 100); /* attention norms */
    if (version) floats(&out, LAYERS * WIDTH + WIDTH, 300);
    if (version == 1) floats(&out, WORDS * WIDTH, 0);
    if (version == 2) groups(&out, WORDS * WIDTH, 0);
    for (int m = 0; m < 7; m++) {
        if (version == 0 && m == 4) floats(&out, LAYERS * WIDTH, 300);
        for (int layer = 0; layer < LAYERS; layer++) {
            if (version == 2)
                groups(&out, matrices[m], layer);
            else
                floats(&out, matrices[m], (float)(1000 * layer));
        }
    }
    if (version == 0) floats(&out, WIDTH, 300 + LAYERS * WIDTH);
    if (version == 0) floats(&out, POSITIONS * 4, 0); /* sines */
    if (!shared && version < 2) floats(&out, WORDS * WIDTH, 7000);
    if (!shared && version == 2) groups(&out, WORDS * WIDTH, 7);
    Str bytes = arena_str(scratch_arena(), strbuf_str(&out));
    strbuf_free(&out);
    return bytes;
}

static void llama2c_of_each_version(void **state) {
    (void)state;
    for (int version = 0; version < 3; version++)
        for (int shared = 0; shared < 2; shared++) {
            Checkpoint *c =
                checkpoint_must_open(scratch_write("stories.bin", llama2c(version, shared)));
            assert_string_equal(checkpoint_format(c), "llama2.c");
            assert_int_equal(checkpoint_integer(c, "hidden_size"), WIDTH);
            assert_int_equal(checkpoint_integer(c, "num_key_value_heads"), 1);
            assert_int_equal(checkpoint_integer(c, "vocab_size"), WORDS);
            assert_int_equal(checkpoint_n_tensors(c), 2 + LAYERS * 9 + !shared);
            assert_true(checkpoint_numbers(c, "model.norm.weight")[0] == 300 + LAYERS * WIDTH);
            assert_true(
                checkpoint_numbers(c, "model.layers.1.post_attention_layernorm.weight")[0] == 308);
            float unit = version == 2 ? .5f : 1;
            const float *q = checkpoint_numbers(c, "model.layers.0.self_attn.q_proj.weight");
            assert_true(q[8] == 16 * unit && q[16] == 8 * unit); /* pairs taken apart */
            const float *o = checkpoint_numbers(c, "model.layers.1.self_attn.o_proj.weight");
            assert_true(o[0] == (version == 2 ? .5f : 1000));
            const RawTensor *down = checkpoint_find(c, "model.layers.1.mlp.down_proj.weight");
            assert_true(down->shape[0] == WIDTH && down->shape[1] == HIDDEN);
            if (!shared)
                assert_true(checkpoint_numbers(c, "lm_head.weight")[0] ==
                            (version == 2 ? 3.5f : 7000));
            assert_int_equal(
                json_is_true(json_object_get(checkpoint_config(c), "tie_word_embeddings")), shared);
            checkpoint_close(c);
        }
}

static void llama2c_that_lies_is_refused(void **state) {
    (void)state;
    Str whole = llama2c(0, true);
    checkpoint_must_fail(scratch_write("stories.bin", str_sub(whole, 0, whole.n - 4)), "cut off");
    whole = llama2c(1, true);
    checkpoint_must_fail(scratch_write("stories.bin", str_sub(whole, 0, whole.n - 1)), "cut off");
    char *copy = (char *)(uintptr_t)whole.data;
    copy[4] = 9;
    checkpoint_must_fail(scratch_write("stories.bin", whole), "version");
    copy[4] = 1;
    memset(copy + 8, 0xff, 28);
    checkpoint_must_fail(scratch_write("stories.bin", whole), "absurd");
}

static void a_piece(StrBuf *out, float score, const char *text) {
    strbuf_add(out, &score, 4);
    strbuf_add(out, &(int32_t){(int32_t)strlen(text)}, 4);
    strbuf_puts(out, text);
}

static void llama2c_tokenizer_lies_beside(void **state) {
    (void)state;
    const char *path = scratch_write("l/model.bin", llama2c(0, true));
    assert_null(checkpoint_tokenizer(path, NULL));
    StrBuf out = {0};
    strbuf_add(&out, &(int32_t){6}, 4);
    a_piece(&out, 0, "<unk>");
    a_piece(&out, 0, "\n<s>\n");
    a_piece(&out, 0, "\n</s>\n");
    a_piece(&out, -1, " ");
    a_piece(&out, -2, "a");
    scratch_write("l/tok5.bin", strbuf_str(&out));
    const char *const ways[] = {path, scratch_path("l")};
    for (int i = 0; i < 2; i++) {
        Error error = {0};
        json_t *t = checkpoint_tokenizer(ways[i], &error);
        if (!t) fail_msg("%s", error.message);
        const json_t *words = json_object_get(json_object_get(t, "model"), "vocab");
        assert_int_equal(json_integer_value(json_object_get(words, "</s>")), 2);
        assert_int_equal(json_integer_value(json_object_get(words, "\xe2\x96\x81")), 3);
        json_decref(t);
    }
    scratch_write("l/tok5.bin", str_sub(strbuf_str(&out), 0, out.n - 1));
    Error error = {0};
    assert_null(checkpoint_tokenizer(path, &error));
    assert_non_null(strstr(error.message, "piece 4"));
    strbuf_free(&out);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(llama2c_of_each_version),
        cmocka_unit_test(llama2c_that_lies_is_refused),
        cmocka_unit_test(llama2c_tokenizer_lies_beside),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
