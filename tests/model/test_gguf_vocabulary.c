/* The vocabulary that lies in a GGUF file, in tokenizer.json form. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "model/checkpoint.h"
#include "model/tokenizer.h"
#include "tests/model/gguf_writer.h"

static const json_t *walk(const json_t *node, const char *const *path) {
    for (; *path; path++)
        node = json_object_get(node, *path);
    return node;
}
#define WALK(node, ...) walk(node, (const char *const[]){__VA_ARGS__, NULL})

static void a_sentencepiece_vocabulary_gets_its_merges(void **state) {
    (void)state;
    static const char *const pieces[] = {"<unk>", "<s>", "</s>", "<0x41>",      "a",
                                         "b",     "ab",  "aba",  "\xe2\x96\x81"};
    static const float scores[] = {0, 0, 0, 0, -3, -4, -1, -2, -5};
    static const int32_t types[] = {2, 3, 3, 6, 1, 1, 1, 1, 1};
    Gguf g = llama("llama");
    key_text(&g, "tokenizer.ggml.model", "llama");
    key_texts(&g, "tokenizer.ggml.tokens", pieces, 9);
    key_numbers(&g, "tokenizer.ggml.scores", F32, scores, 9);
    key_numbers(&g, "tokenizer.ggml.token_type", I32, types, 9);
    Error error = {0};
    json_t *t = checkpoint_tokenizer(scratch_write("x.gguf", finish(&g)), &error);
    if (!t) fail_msg("%s", error.message);
    assert_string_equal(json_string_value(WALK(t, "model", "type")), "BPE");
    assert_true(json_is_true(WALK(t, "model", "byte_fallback")));
    assert_int_equal(json_integer_value(WALK(t, "model", "vocab", "aba")), 7);
    const json_t *merges = WALK(t, "model", "merges");
    assert_int_equal(json_array_size(merges), 2); /* a+ba is none: no piece "ba" */
    assert_string_equal(json_string_value(json_array_get(merges, 0)), "a b");
    assert_string_equal(json_string_value(json_array_get(merges, 1)), "ab a");
    assert_int_equal(json_array_size(json_object_get(t, "added_tokens")), 3);
    const json_t *single = WALK(t, "post_processor", "single");
    assert_string_equal(json_string_value(WALK(json_array_get(single, 0), "SpecialToken", "id")),
                        "<s>");
    json_decref(t);
}

static void tokenizer_open_takes_it(void **state) {
    (void)state;
    static const char *const pieces[] = {"<unk>", "<s>", "</s>",         "<0x41>", "a",
                                         "b",     "ab",  "\xe2\x96\x81", "<0xC3>", "<0xA9>"};
    static const float scores[] = {0, 0, 0, 0, -3, -4, -1, -5, 0, 0};
    static const int32_t types[] = {2, 3, 3, 6, 1, 1, 1, 1, 6, 6};
    Gguf g = llama("llama");
    key_text(&g, "tokenizer.ggml.model", "llama");
    key_texts(&g, "tokenizer.ggml.tokens", pieces, 10);
    key_numbers(&g, "tokenizer.ggml.scores", F32, scores, 10);
    key_numbers(&g, "tokenizer.ggml.token_type", I32, types, 10);
    const char *path = scratch_write("tok/x.gguf", finish(&g));
    const char *const ways[] = {path, scratch_path("tok")};
    for (int way = 0; way < 2; way++) {
        Error error = {0};
        Tokenizer *t = tokenizer_open(ways[way], &error);
        if (!t) fail_msg("%s", error.message);
        Tokens tokens;
        EncodeOptions options = {.special = true};
        assert_true(
            tokenizer_encode(t, str("ab aA\xc3\xa9"), &options, scratch_arena(), &tokens, &error));
        static const int32_t want[] = {1, 7, 6, 7, 4, 3, 8, 9};
        assert_int_equal(tokens.n, 8);
        for (int i = 0; i < 8; i++)
            assert_int_equal(tokens.items[i].id, want[i]);
        assert_int_equal(tokens.items[1].end, 0); /* the mark in front stands for nothing */
        assert_int_equal(tokens.items[2].end, 2);
        assert_int_equal(tokens.items[3].begin, 2);
        assert_int_equal(tokens.items[5].begin, 4); /* bytes: each stands for its character */
        assert_int_equal(tokens.items[5].end, 5);
        for (int i = 6; i < 8; i++) {
            assert_int_equal(tokens.items[i].begin, 5);
            assert_int_equal(tokens.items[i].end, 7);
        }
        tokenizer_free(t);
    }
    Error error = {0};
    g = llama("llama");
    assert_null(tokenizer_open(scratch_write("bare/x.gguf", finish(&g)), &error));
    assert_int_equal(error.kind, ERROR_NOT_FOUND);
}

static void a_byte_level_vocabulary_keeps_its_merges(void **state) {
    (void)state;
    static const char *const pieces[] = {"a", "b", "ab", "<|endoftext|>"};
    static const char *const merges[] = {"a b"};
    static const int32_t types[] = {1, 1, 1, 3};
    static const char *const pre[] = {"gpt-2", "llama-bpe", "qwen2", "something-new"};
    for (int i = 0; i < 4; i++) {
        Gguf g = llama("llama");
        key_text(&g, "tokenizer.ggml.model", "gpt2");
        key_text(&g, "tokenizer.ggml.pre", pre[i]);
        key_texts(&g, "tokenizer.ggml.tokens", pieces, 4);
        key_texts(&g, "tokenizer.ggml.merges", merges, 1);
        key_numbers(&g, "tokenizer.ggml.token_type", I32, types, 4);
        key_u32(&g, "tokenizer.ggml.bos_token_id", 3);
        Error error = {0};
        json_t *t = checkpoint_tokenizer(scratch_write("x.gguf", finish(&g)), &error);
        if (i == 3) {
            assert_null(t);
            assert_non_null(strstr(error.message, "something-new"));
            continue;
        }
        assert_string_equal(json_string_value(json_array_get(WALK(t, "model", "merges"), 0)),
                            "a b");
        assert_string_equal(json_string_value(WALK(t, "decoder", "type")), "ByteLevel");
        assert_string_equal(json_string_value(WALK(t, "pre_tokenizer", "type")),
                            i ? "Sequence" : "ByteLevel");
        json_decref(t);
    }
}

static void vocabularies_that_lie_are_refused(void **state) {
    (void)state;
    static const char *const pieces[] = {"<unk>", "a\xff"};
    static const float scores[] = {0, 0};
    for (int i = 0; i < 4; i++) {
        Gguf g = llama("llama");
        key_text(&g, "tokenizer.ggml.model", i == 3 ? "rwkv" : "llama");
        key_texts(&g, "tokenizer.ggml.tokens", pieces, i == 1 ? 1 : 2);
        key_numbers(&g, "tokenizer.ggml.scores", F32, scores, 2);
        if (i == 2) key_u32(&g, "tokenizer.ggml.bos_token_id", 1000);
        Error error = {0};
        assert_null(checkpoint_tokenizer(scratch_write("x.gguf", finish(&g)), &error));
        assert_non_null(strstr(error.message, "x.gguf"));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sentencepiece_vocabulary_gets_its_merges),
        cmocka_unit_test(tokenizer_open_takes_it),
        cmocka_unit_test(a_byte_level_vocabulary_keeps_its_merges),
        cmocka_unit_test(vocabularies_that_lie_are_refused),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
