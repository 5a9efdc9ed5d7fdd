/* GGUF files written here: what becomes of their names and numbers, and files that lie. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/model/checkpoint_hand.h"
#include "tests/model/gguf_writer.h"

static Checkpoint *open_bytes(Str bytes, Error *error) {
    return checkpoint_open(scratch_write("x.gguf", bytes), error);
}

static Checkpoint *must_open(Gguf *g) {
    return checkpoint_must_open(scratch_write("x.gguf", finish(g)));
}

static void must_fail(Gguf *g, const char *says) {
    const char *path = scratch_write("x.gguf", finish(g));
    checkpoint_must_fail(path, says);
    checkpoint_must_fail(path, "x.gguf");
}

static void a_llama_has_hugging_face_names(void **state) {
    (void)state;
    Gguf g = llama("llama");
    Checkpoint *c = must_open(&g);
    assert_string_equal(checkpoint_format(c), "gguf");
    const json_t *config = checkpoint_config(c);
    assert_string_equal(json_string_value(json_object_get(config, "model_type")), "llama");
    assert_int_equal(checkpoint_integer(c, "hidden_size"), 8);
    assert_int_equal(checkpoint_integer(c, "num_hidden_layers"), 1);
    assert_int_equal(checkpoint_integer(c, "num_attention_heads"), 2);
    assert_int_equal(checkpoint_integer(c, "num_key_value_heads"), 1);
    assert_int_equal(checkpoint_integer(c, "intermediate_size"), 12);
    assert_int_equal(checkpoint_integer(c, "vocab_size"), 5);
    assert_true(json_is_true(json_object_get(config, "tie_word_embeddings")));
    assert_float_equal(json_real_value(json_object_get(config, "rms_norm_eps")), 1e-6, 1e-12);
    assert_int_equal(checkpoint_n_tensors(c), 11);
    const RawTensor *down = checkpoint_find(c, "model.layers.0.mlp.down_proj.weight");
    assert_true(down->shape[0] == 8 && down->shape[1] == 12);
    assert_true(*(const float *)checkpoint_find(c, "model.norm.weight")->data == 100);
    /* Rows of a head were stored as 0, 2, 1, 3 of Hugging Face's. */
    const float *q = checkpoint_find(c, "model.layers.0.self_attn.q_proj.weight")->data;
    static const int rows[] = {0, 2, 1, 3, 4, 6, 5, 7};
    for (int row = 0; row < 8; row++)
        assert_true(q[8 * row] == (float)(8 * rows[row]));
    const float *k = checkpoint_find(c, "model.layers.0.self_attn.k_proj.weight")->data;
    assert_true(k[8] == 16 && k[16] == 8);
    const float *v = checkpoint_find(c, "model.layers.0.self_attn.v_proj.weight")->data;
    assert_true(v[8] == 8);
    checkpoint_close(c);
}

static void families_differ_where_the_converter_does(void **state) {
    (void)state;
    Gguf g = llama("gemma");
    Checkpoint *c = must_open(&g);
    assert_true(*(const float *)checkpoint_find(c, "model.norm.weight")->data == 99);
    const float *q = checkpoint_find(c, "model.layers.0.self_attn.q_proj.weight")->data;
    assert_true(q[8] == 8);
    checkpoint_close(c);
    g = llama("qwen2");
    tensor(&g, "blk.0.attn_q.bias", 0, 8, 0);
    c = must_open(&g);
    const RawTensor *bias = checkpoint_find(c, "model.layers.0.self_attn.q_proj.bias");
    assert_true(((const float *)bias->data)[1] == 1);
    checkpoint_close(c);
    g = llama("llama");
    tensor(&g, "blk.0.attn_q.bias", 0, 8, 0);
    c = must_open(&g);
    bias = checkpoint_find(c, "model.layers.0.self_attn.q_proj.bias");
    assert_true(((const float *)bias->data)[1] == 2);
    assert_true(json_is_true(json_object_get(checkpoint_config(c), "attention_bias")));
    checkpoint_close(c);
}

/* 64 columns in two blocks a row: rows of packed numbers are moved whole, and GPT-2's are unpacked
 * to be turned round. */
static void packed_rows_are_moved_and_turned(void **state) {
    (void)state;
    uint8_t packed[16 * 68]; /* 16 rows of 64 in Q8_0 */
    for (int block = 0; block < 32; block++) {
        uint16_t one = f32_to_f16(1);
        memcpy(packed + 34 * block, &one, 2);
        for (int i = 0; i < 32; i++)
            packed[34 * block + 2 + i] = (uint8_t)(block / 2 + i % 3);
    }
    Gguf g = {0};
    key_text(&g, "general.architecture", "llama");
    key_u32(&g, "llama.embedding_length", 64);
    key_u32(&g, "llama.block_count", 1);
    key_u32(&g, "llama.attention.head_count", 4);
    tensor(&g, "token_embd.weight", 5, 64, 0);
    tensor_of(&g, "blk.0.attn_q.weight", 16, 64, 8, packed, sizeof packed, -1);
    Checkpoint *c = must_open(&g);
    const RawTensor *q = checkpoint_find(c, "model.layers.0.self_attn.q_proj.weight");
    assert_int_equal(q->dtype, DTYPE_Q8_0);
    float row[64];
    dtype_to_f32(q->dtype, q->data, 64, 64, row);
    assert_true(row[0] == 2 && row[1] == 3);
    checkpoint_close(c);
    g = (Gguf){0};
    key_text(&g, "general.architecture", "gpt2");
    key_u32(&g, "gpt2.embedding_length", 64);
    key_u32(&g, "gpt2.attention.head_count", 4);
    tensor(&g, "token_embd.weight", 5, 64, 0);
    tensor(&g, "position_embd.weight", 7, 64, 0);
    tensor_of(&g, "blk.0.ffn_up.weight", 16, 64, 8, packed, sizeof packed, -1);
    tensor(&g, "blk.0.ffn_up.bias", 0, 16, 0);
    c = must_open(&g);
    const RawTensor *up = checkpoint_find(c, "transformer.h.0.mlp.c_fc.weight");
    assert_true(up->dtype == DTYPE_F32 && up->shape[0] == 64 && up->shape[1] == 16);
    const float *x = up->data;
    assert_true(x[0] == 0 && x[15] == 15 && x[16] == 1 && x[32 + 3] == 5);
    assert_non_null(checkpoint_find(c, "transformer.h.0.mlp.c_fc.bias"));
    assert_string_equal(
        json_string_value(json_object_get(checkpoint_config(c), "activation_function")),
        "gelu_new");
    checkpoint_close(c);
}

static void llama3_scaling_is_recognised(void **state) {
    (void)state;
    /* d_head 4, theta 500000: wavelengths 6.28 and 4443; the second lies between 2048 and 8192. */
    double smooth = (8192 / (2 * 3.14159265358979 * sqrt(500000.)) - 1) / 3;
    float table[2] = {1, (float)(1 / ((1 - smooth) / 8 + smooth))};
    Gguf g = llama("llama");
    key_f32(&g, "llama.rope.freq_base", 500000);
    tensor_of(&g, "rope_freqs.weight", 0, 2, 0, table, 8, -1);
    must_fail(&g, "rope_freqs"); /* its last divisor is not the factor: too few wavelengths */
    /* theta 1e9: the second is 198,692, beyond 8192. */
    static const float tables[][3] = {{1, 8, 1}, {1, 32, 1}, {2, 8, 0}, {1, NAN, 0}};
    for (int i = 0; i < 4; i++) {
        g = llama("llama");
        key_f32(&g, "llama.rope.freq_base", 1e9f);
        tensor_of(&g, "rope_freqs.weight", 0, 2, 0, tables[i], 8, -1);
        if (tables[i][2] == 0) {
            must_fail(&g, "rope_freqs");
            continue;
        }
        Checkpoint *c = must_open(&g);
        const json_t *scaling = json_object_get(checkpoint_config(c), "rope_scaling");
        assert_string_equal(json_string_value(json_object_get(scaling, "rope_type")), "llama3");
        assert_true(json_real_value(json_object_get(scaling, "factor")) == (double)tables[i][1]);
        checkpoint_close(c);
    }
    g = llama("llama");
    tensor(&g, "rope_freqs.weight", 0, 3, 1);
    must_fail(&g, "rope_freqs");
    g = llama("llama");
    key_text(&g, "llama.rope.scaling.type", "linear");
    key_f32(&g, "llama.rope.scaling.factor", 4);
    Checkpoint *c = must_open(&g);
    const json_t *scaling = json_object_get(checkpoint_config(c), "rope_scaling");
    assert_string_equal(json_string_value(json_object_get(scaling, "type")), "linear");
    assert_true(json_real_value(json_object_get(scaling, "factor")) == 4);
    checkpoint_close(c);
}

static void what_is_not_known_is_refused_by_name(void **state) {
    (void)state;
    Gguf g = {0};
    key_text(&g, "general.architecture", "mamba");
    must_fail(&g, "mamba");
    g = (Gguf){0};
    must_fail(&g, "general.architecture");
    g = llama("llama");
    key_f32(&g, "llama.attn_logit_softcapping", 30);
    must_fail(&g, "llama.attn_logit_softcapping");
    g = llama("llama");
    key_u32(&g, "llama.expert_count", 8);
    must_fail(&g, "experts");
    g = llama("llama");
    tensor(&g, "blk.0.attn_q_norm.weight", 0, 4, 0);
    must_fail(&g, "blk.0.attn_q_norm.weight");
    g = llama("llama");
    tensor(&g, "blk.x.attn_q.weight", 8, 8, 0);
    must_fail(&g, "blk.x.attn_q.weight");
    g = llama("llama");
    tensor_of(&g, "blk.0.extra.weight", 1, 256, 16, (char[176]){0}, 176, -1);
    must_fail(&g, "tensor blk.0.extra.weight: type IQ2_XXS (16) is not read");
    g = llama("llama");
    tensor_of(&g, "blk.0.extra.weight", 1, 256, 99, (char[176]){0}, 176, -1);
    must_fail(&g, "unknown (99)");
    g = llama("llama");
    key_u32(&g, "split.count", 3);
    must_fail(&g, "is one of 3 parts; they are found by names that end in -00001-of-00003.gguf");
}

static void keys_of_part(Gguf *g, uint32_t no, uint32_t count, uint32_t n_tensors) {
    key_u32(g, "split.no", no);
    key_u32(g, "split.count", count);
    key_u32(g, "split.tensors.count", n_tensors);
}

/* A llama with words of its own behind the stack, in three files. */
static void write_parts(uint32_t second, uint32_t n_tensors) {
    Gguf g = llama("llama");
    keys_of_part(&g, 0, 3, n_tensors);
    n_tensors = (uint32_t)g.n_tensors;
    scratch_write("parts/m-00001-of-00003.gguf", finish(&g));
    g = (Gguf){0};
    keys_of_part(&g, second, 3, n_tensors + 2);
    tensor(&g, "blk.0.attn_q.bias", 0, 8, 1);
    scratch_write("parts/m-00002-of-00003.gguf", finish(&g));
    g = (Gguf){0};
    keys_of_part(&g, 2, 3, n_tensors + 2);
    tensor(&g, "output.weight", 5, 8, 100);
    scratch_write("parts/m-00003-of-00003.gguf", finish(&g));
}

static void parts_are_one_model(void **state) {
    (void)state;
    Gguf whole = llama("llama");
    uint32_t n = (uint32_t)whole.n_tensors;
    finish(&whole);
    write_parts(1, n + 2);
    static const char *const ways[] = {"parts", "parts/m-00001-of-00003.gguf",
                                       "parts/m-00003-of-00003.gguf"};
    for (int way = 0; way < 3; way++) {
        Error error = {0};
        Checkpoint *c = checkpoint_open(scratch_path(ways[way]), &error);
        if (!c) fail_msg("%s", error.message);
        const RawTensor *output = checkpoint_find(c, "lm_head.weight");
        assert_non_null(output);
        assert_true(((const float *)output->data)[1] == 101);
        assert_non_null(checkpoint_find(c, "model.embed_tokens.weight"));
        assert_int_equal(checkpoint_n_tensors(c), n + 2);
        assert_true(json_is_false(json_object_get(checkpoint_config(c), "tie_word_embeddings")));
        checkpoint_close(c);
    }
    write_parts(2, n + 2);
    checkpoint_must_fail(scratch_path("parts"),
                         "says that it is part 3 of 3, its name that it is part 2 of 3");
    write_parts(1, n + 3);
    checkpoint_must_fail(scratch_path("parts"), "split.tensors.count is");
    write_parts(1, n + 2);
    remove(scratch_path("parts/m-00002-of-00003.gguf"));
    checkpoint_must_fail(scratch_path("parts"),
                         "m-00002-of-00003.gguf: this file is missing, part 2 of 3");
    checkpoint_must_fail(scratch_path("parts/m-00003-of-00003.gguf"),
                         "m-00002-of-00003.gguf: this file is missing");
    remove(scratch_path("parts/m-00001-of-00003.gguf"));
    checkpoint_must_fail(scratch_path("parts"),
                         "m-00001-of-00003.gguf: this file is missing, part 1 of 3");
    Gguf g = llama("llama");
    scratch_write("parts/other.gguf", finish(&g));
    checkpoint_must_fail(scratch_path("parts"), "2 files .gguf in this folder; name one of them");
}

static void lies_are_refused(void **state) {
    (void)state;
    Gguf g = llama("llama");
    key_u32(&g, "llama.block_count", 1);
    must_fail(&g, "twice");
    g = llama("llama");
    tensor(&g, "blk.0.attn_q.weight", 8, 8, 0);
    must_fail(&g, "twice");
    g = llama("llama");
    tensor_of(&g, "output.weight", 5, 8, 0, "", 0, 0);
    must_fail(&g, "overlaps");
    g = llama("llama");
    tensor_of(&g, "output.weight", 5, 8, 0, "", 0, 1 << 20);
    must_fail(&g, "cut off");
    g = llama("llama");
    tensor_of(&g, "output.weight", 5, 8, 0, "", 0, 1);
    must_fail(&g, "multiple of 32");
    g = llama("llama");
    tensor_of(&g, "output.weight", INT64_MAX, 8, 0, "", 0, 0);
    must_fail(&g, "more than memory");
    g = llama("llama");
    tensor_of(&g, "output.weight", 5, 33, 8, "", 0, 0);
    must_fail(&g, "whole blocks");
    g = llama("llama");
    key_u32(&g, "general.alignment", 0);
    must_fail(&g, "general.alignment");
    g = llama("llama");
    key(&g, "odd", 77);
    must_fail(&g, "type 77");
    g = llama("llama");
    key(&g, "huge", ARRAY);
    put(&g.keys, &(uint32_t){U32}, 4);
    put(&g.keys, &(uint64_t){UINT64_MAX / 2}, 8);
    must_fail(&g, "cut off");
    g = llama("llama");
    g.n_keys = UINT64_MAX;
    must_fail(&g, "keys");
    g = llama("llama");
    g.n_tensors = UINT64_MAX;
    must_fail(&g, "tensors");
    g = llama("llama");
    key_u32(&g, "llama.attention.value_length", 5);
    must_fail(&g, "value_length");
}

static void every_cut_is_noticed(void **state) {
    (void)state;
    Gguf g = llama("llama");
    Str whole = finish(&g);
    for (size_t n = 0; n + 32 < whole.n; n += n < 1200 ? 1 : 29) {
        Error error = {0};
        assert_null(open_bytes(str_sub(whole, 0, n), &error));
        assert_int_not_equal(error.kind, ERROR_NONE);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_llama_has_hugging_face_names),
        cmocka_unit_test(families_differ_where_the_converter_does),
        cmocka_unit_test(packed_rows_are_moved_and_turned),
        cmocka_unit_test(llama3_scaling_is_recognised),
        cmocka_unit_test(what_is_not_known_is_refused_by_name),
        cmocka_unit_test(parts_are_one_model),
        cmocka_unit_test(lies_are_refused),
        cmocka_unit_test(every_cut_is_noticed),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
