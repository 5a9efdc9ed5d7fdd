/* llama2.c's .bin, Marian's .npz and LoRA adapters, written here as their own programs write them.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zip.h>

#include <cmocka.h>

#include "model/base/file.h"
#include "model/checkpoint.h"
#include "model/safetensors.h"
#include "tests/model/scratch.h"

static Checkpoint *must_open(const char *path) {
    Error error = {0};
    Checkpoint *c = checkpoint_open(path, &error);
    if (!c) fail_msg("%s", error.message);
    return c;
}

static void must_fail(const char *path, const char *says) {
    Error error = {0};
    if (checkpoint_open(path, &error)) fail_msg("opened, not refused by: %s", says);
    if (!strstr(error.message, says)) fail_msg("'%s' is not in: %s", says, error.message);
    assert_null(strchr(error.message, '\n'));
}

static int64_t config_integer(const Checkpoint *c, const char *name) {
    return json_integer_value(json_object_get(checkpoint_config(c), name));
}

static const float *numbers(const Checkpoint *c, const char *name) {
    const RawTensor *t = checkpoint_find(c, name);
    if (!t) fail_msg("no tensor %s", name);
    assert_int_equal(t->dtype, DTYPE_F32);
    return t->data;
}

/* llama2.c: width 8, hidden 12, 2 layers, 2 heads, 1 key-value head, 5 words, 16 positions. */

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
            Checkpoint *c = must_open(scratch_write("stories.bin", llama2c(version, shared)));
            assert_string_equal(checkpoint_format(c), "llama2.c");
            assert_int_equal(config_integer(c, "hidden_size"), WIDTH);
            assert_int_equal(config_integer(c, "num_key_value_heads"), 1);
            assert_int_equal(config_integer(c, "vocab_size"), WORDS);
            assert_int_equal(checkpoint_n_tensors(c), 2 + LAYERS * 9 + !shared);
            assert_true(numbers(c, "model.norm.weight")[0] == 300 + LAYERS * WIDTH);
            assert_true(numbers(c, "model.layers.1.post_attention_layernorm.weight")[0] == 308);
            float unit = version == 2 ? .5f : 1;
            const float *q = numbers(c, "model.layers.0.self_attn.q_proj.weight");
            assert_true(q[8] == 16 * unit && q[16] == 8 * unit); /* pairs taken apart */
            const float *o = numbers(c, "model.layers.1.self_attn.o_proj.weight");
            assert_true(o[0] == (version == 2 ? .5f : 1000));
            const RawTensor *down = checkpoint_find(c, "model.layers.1.mlp.down_proj.weight");
            assert_true(down->shape[0] == WIDTH && down->shape[1] == HIDDEN);
            if (!shared)
                assert_true(numbers(c, "lm_head.weight")[0] == (version == 2 ? 3.5f : 7000));
            assert_int_equal(
                json_is_true(json_object_get(checkpoint_config(c), "tie_word_embeddings")), shared);
            checkpoint_close(c);
        }
}

static void llama2c_that_lies_is_refused(void **state) {
    (void)state;
    Str whole = llama2c(0, true);
    must_fail(scratch_write("stories.bin", str_sub(whole, 0, whole.n - 4)), "cut off");
    whole = llama2c(1, true);
    must_fail(scratch_write("stories.bin", str_sub(whole, 0, whole.n - 1)), "cut off");
    char *copy = (char *)(uintptr_t)whole.data;
    copy[4] = 9;
    must_fail(scratch_write("stories.bin", whole), "version");
    copy[4] = 1;
    memset(copy + 8, 0xff, 28);
    must_fail(scratch_write("stories.bin", whole), "absurd");
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

/* Marian: the tiny translator of tests/data written as Marian would. */

static const char *const layer_parts[][2] = {
    {"self_attn.q_proj.weight", "self_Wq"},
    {"self_attn.k_proj.weight", "self_Wk"},
    {"self_attn.v_proj.weight", "self_Wv"},
    {"self_attn.out_proj.weight", "self_Wo"},
    {"self_attn.q_proj.bias", "self_bq"},
    {"self_attn.k_proj.bias", "self_bk"},
    {"self_attn.v_proj.bias", "self_bv"},
    {"self_attn.out_proj.bias", "self_bo"},
    {"self_attn_layer_norm.weight", "self_Wo_ln_scale"},
    {"self_attn_layer_norm.bias", "self_Wo_ln_bias"},
    {"encoder_attn.q_proj.weight", "context_Wq"},
    {"encoder_attn.k_proj.weight", "context_Wk"},
    {"encoder_attn.v_proj.weight", "context_Wv"},
    {"encoder_attn.out_proj.weight", "context_Wo"},
    {"encoder_attn.q_proj.bias", "context_bq"},
    {"encoder_attn.k_proj.bias", "context_bk"},
    {"encoder_attn.v_proj.bias", "context_bv"},
    {"encoder_attn.out_proj.bias", "context_bo"},
    {"encoder_attn_layer_norm.weight", "context_Wo_ln_scale"},
    {"encoder_attn_layer_norm.bias", "context_Wo_ln_bias"},
    {"fc1.weight", "ffn_W1"},
    {"fc1.bias", "ffn_b1"},
    {"fc2.weight", "ffn_W2"},
    {"fc2.bias", "ffn_b2"},
    {"final_layer_norm.weight", "ffn_ffn_ln_scale"},
    {"final_layer_norm.bias", "ffn_ffn_ln_bias"},
};

static const char settings[] = "type: transformer\n"
                               "dim-vocabs:\n  - 202\n  - 202\n"
                               "dim-emb: 32\nenc-depth: 2\ndec-depth: 2\n"
                               "transformer-heads: 4\ntransformer-dim-ffn: 64\n"
                               "transformer-ffn-activation: relu\n"
                               "transformer-preprocess: \"\"\ntransformer-postprocess: dan\n"
                               "transformer-postprocess-emb: d\n"
                               "transformer-decoder-autoreg: self-attention\n"
                               "transformer-tied-layers:\n  []\n"
                               "tied-embeddings-all: true\nversion: v1.12.0\n";

static const char *marian_name(const char *name) {
    if (strcmp(name, "model.shared.weight") == 0) return "Wemb";
    if (strcmp(name, "final_logits_bias") == 0) return "decoder_ff_logit_out_b";
    char stack[8], rest[64];
    int layer;
    if (sscanf(name, "model.%7[a-z].layers.%d.%63s", stack, &layer, rest) != 3) return NULL;
    for (size_t i = 0; i < sizeof layer_parts / sizeof *layer_parts; i++)
        if (strcmp(rest, layer_parts[i][0]) == 0)
            return arena_printf(scratch_arena(), "%s_l%d_%s", stack, layer + 1, layer_parts[i][1]);
    return NULL;
}

static void add_member(zip_t *zip, const char *name, const char *descr, int64_t rows, int64_t cols,
                       const void *data, size_t n_bytes) {
    char header[128];
    snprintf(header, sizeof header,
             "{'descr': '%s', 'fortran_order': False, 'shape': (%lld, %lld), }\n", descr,
             (long long)rows, (long long)cols);
    if (!rows)
        snprintf(header, sizeof header,
                 "{'descr': '%s', 'fortran_order': False, 'shape': (%lld,), }\n", descr,
                 (long long)cols);
    StrBuf bytes = {0};
    strbuf_add(&bytes, "\x93NUMPY\1\0", 8);
    strbuf_add(&bytes, &(uint16_t){(uint16_t)strlen(header)}, 2);
    strbuf_puts(&bytes, header);
    strbuf_add(&bytes, data, n_bytes);
    zip_source_t *source = zip_source_buffer(zip, bytes.data, bytes.n, 1); /* frees it */
    zip_int64_t index = zip_file_add(zip, arena_printf(scratch_arena(), "%s.npy", name), source, 0);
    assert_true(index >= 0);
    zip_set_file_compression(zip, (zip_uint64_t)index, ZIP_CM_STORE, 0);
}

/* Row-major [rows, cols] turned round. */
static float *turned(const RawTensor *t) {
    float *out = arena_alloc(scratch_arena(), t->n_bytes);
    const float *in = t->data;
    for (int64_t r = 0; r < t->shape[0]; r++)
        for (int64_t c = 0; c < t->shape[1]; c++)
            out[c * t->shape[0] + r] = in[r * t->shape[1] + c];
    return out;
}

/* drop_pad: without the last row of the vocabulary, as Marian itself has it. */
static const char *write_npz(const Checkpoint *from, const char *name, const char *yml,
                             bool drop_pad) {
    const char *path = scratch_path(name);
    folder_make(arena_printf(scratch_arena(), "%.*s", (int)(path_name(path) - path - 1), path),
                NULL);
    zip_t *zip = zip_open(path, ZIP_CREATE | ZIP_TRUNCATE, NULL);
    add_member(zip, "special:model.yml", "|i1", 0, (int64_t)strlen(yml) + 1, yml, strlen(yml) + 1);
    for (int i = 0; i < checkpoint_n_tensors(from); i++) {
        const RawTensor *t = checkpoint_tensor(from, i);
        const char *to = marian_name(t->name);
        if (!to) fail_msg("no Marian name for %s", t->name);
        float *x = arena_alloc(scratch_arena(), (size_t)(t->n_bytes * 4));
        RawTensor wide = *t;
        int64_t n = 1;
        for (int axis = 0; axis < t->rank; axis++)
            n *= t->shape[axis];
        dtype_to_f32(t->dtype, t->data, 0, n, x);
        wide.data = x;
        wide.n_bytes = (size_t)n * 4;
        if (strncmp(to, "Wemb", 4) == 0)
            add_member(zip, to, "<f4", t->shape[0] - drop_pad, t->shape[1], x,
                       (size_t)((t->shape[0] - drop_pad) * t->shape[1]) * 4);
        else if (strstr(to, "logit_out_b"))
            add_member(zip, to, "<f4", 1, n - drop_pad, x, (size_t)(n - drop_pad) * 4);
        else if (t->rank == 2)
            add_member(zip, to, "<f4", t->shape[1], t->shape[0], turned(&wide), wide.n_bytes);
        else
            add_member(zip, to, "<f4", 1, n, x, wide.n_bytes);
    }
    assert_int_equal(zip_close(zip), 0);
    return path;
}

static void same_tensors(const Checkpoint *a, const Checkpoint *b) {
    assert_int_equal(checkpoint_n_tensors(a), checkpoint_n_tensors(b));
    for (int i = 0; i < checkpoint_n_tensors(a); i++) {
        const RawTensor *x = checkpoint_tensor(a, i), *y = checkpoint_tensor(b, i);
        assert_string_equal(x->name, y->name);
        int64_t n = 1;
        for (int axis = 0; axis < x->rank; axis++) {
            assert_int_equal(x->shape[axis], y->shape[axis]);
            n *= x->shape[axis];
        }
        for (int64_t k = 0; k < n; k++) {
            float p, q;
            dtype_to_f32(x->dtype, x->data, k, 1, &p);
            dtype_to_f32(y->dtype, y->data, k, 1, &q);
            if (p != q) fail_msg("%s differs at %lld", x->name, (long long)k);
        }
    }
}

static void marian_gives_the_same_tensors(void **state) {
    (void)state;
    static const char *const fields[] = {
        "d_model",         "encoder_layers", "decoder_layers", "encoder_attention_heads",
        "decoder_ffn_dim", "vocab_size",     "pad_token_id",   "decoder_start_token_id",
        "eos_token_id"};
    Checkpoint *want = must_open("tests/data/tiny");
    Checkpoint *got = must_open(write_npz(want, "m/model.npz", settings, false));
    assert_string_equal(checkpoint_format(got), "marian");
    same_tensors(want, got);
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        assert_int_equal(config_integer(want, fields[i]), config_integer(got, fields[i]));
    const json_t *config = checkpoint_config(got);
    assert_string_equal(json_string_value(json_object_get(config, "activation_function")), "relu");
    assert_true(json_is_true(json_object_get(config, "scale_embedding")));
    checkpoint_close(got);
    /* With a vocabulary beside it, the row of <pad> is added: 201 real words, then zeroes. */
    StrBuf yml = {0};
    strbuf_puts(&yml, settings);
    for (char *at; (at = strstr(yml.data, "202"));)
        at[2] = '1';
    scratch_write("v/opus.vocab.yml", str("a: 1\n"));
    got = must_open(write_npz(want, "v/model.npz", yml.data, true));
    const RawTensor *words = checkpoint_find(got, "model.shared.weight");
    assert_int_equal(words->shape[0], 202);
    assert_true(((const float *)words->data)[201 * 32] == 0);
    assert_int_equal(checkpoint_find(got, "final_logits_bias")->shape[1], 202);
    assert_int_equal(config_integer(got, "pad_token_id"), 201);
    checkpoint_close(got);
    strbuf_free(&yml);
    checkpoint_close(want);
}

static void other_marian_types_are_refused(void **state) {
    (void)state;
    static const char *const cases[][2] = {
        {"type: s2s\n", "type is 's2s'"},
        {"type: nematus\n", "nematus"},
        {"type: transformer\ntransformer-decoder-autoreg: rnn\n",
         "transformer-decoder-autoreg is 'rnn'"},
        {"type: transformer\ntransformer-preprocess: n\n", "transformer-preprocess is 'n'"},
        {"type: transformer\ntransformer-postprocess: da\n", "transformer-postprocess is 'da'"},
        {"type: transformer\nright-left: true\n", "right-left"},
        {"type: transformer\ntransformer-tied-layers: [1, 1]\n", "transformer-tied-layers"},
        {"type: transformer\ndim-emb: -3\n", "dim-emb"},
        {"dim-emb: 32\n", "type of the model"},
        {"", "type of the model"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *path = scratch_path("x.npz");
        zip_t *zip = zip_open(path, ZIP_CREATE | ZIP_TRUNCATE, NULL);
        size_t n = strlen(cases[i][0]) + 1;
        add_member(zip, "special:model.yml", "|i1", 0, (int64_t)n, cases[i][0], n);
        assert_int_equal(zip_close(zip), 0);
        must_fail(path, cases[i][1]);
    }
    static const struct {
        const char *name, *descr, *says;
        int64_t rows, cols;
    } members[] = {{"encoder_l1_self_Wq", "|i1", "float32", 2, 2},
                   {"encoder_l1_self_Wq", "<f8", "float32", 1, 1},
                   {"encoder_l1_self_Wq", "<c8", "<c8", 1, 1},
                   {"encoder_l1_self_Wq", "<f4", "takes", 3, 3},
                   {"encoder_l1_self_Wq_QuantMultA", "<f4", "QuantMultA", 1, 1},
                   {"decoder_l1_rnn_W", "<f4", "decoder_l1_rnn_W", 1, 1},
                   {"encoder_l0_self_Wq", "<f4", "encoder_l0_self_Wq", 1, 1}};
    for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
        const char *path = scratch_path("x.npz");
        zip_t *zip = zip_open(path, ZIP_CREATE | ZIP_TRUNCATE, NULL);
        add_member(zip, "special:model.yml", "|i1", 0, sizeof settings, settings, sizeof settings);
        add_member(zip, members[i].name, members[i].descr, members[i].rows, members[i].cols,
                   "12345678", 8);
        assert_int_equal(zip_close(zip), 0);
        must_fail(path, members[i].says);
    }
    must_fail(scratch_write("x.npz", str("PK\3\4 and nothing")), "zip");
}

/* Adapters: base W [3, 2] = 1..6, A [1, 2] = (1, 2), B [3, 1] = (1, 0, -1), lora_alpha 2, r 1. */

static void write_base(const char *folder, const char *config, const char *weight, bool conv) {
    static const float w[6] = {1, 2, 3, 4, 5, 6};
    Error error = {0};
    scratch_write(arena_printf(scratch_arena(), "%s/config.json", folder), str(config));
    SafetensorsWriter *out = safetensors_create(
        scratch_path(arena_printf(scratch_arena(), "%s/model.safetensors", folder)), &error);
    safetensors_add(out, weight, DTYPE_F32, 2, conv ? (int64_t[]){2, 3} : (int64_t[]){3, 2}, w);
    safetensors_add(out, "model.head.weight", DTYPE_F32, 1, (int64_t[]){1}, w);
    safetensors_add(out, "words.weight", DTYPE_F32, 2, (int64_t[]){3, 2}, w);
    assert_true(safetensors_commit(out, &error));
}

static const float lora_a[2] = {1, 2}, lora_b[3] = {1, 0, -1};

static void write_adapter(const char *config, const char *module) {
    Error error = {0};
    scratch_write("adapter/adapter_config.json", str(config));
    SafetensorsWriter *out =
        safetensors_create(scratch_path("adapter/adapter_model.safetensors"), &error);
    Arena *arena = scratch_arena();
    safetensors_add(out, arena_printf(arena, "base_model.model.%s.lora_A.weight", module),
                    DTYPE_F32, 2, (int64_t[]){1, 2}, lora_a);
    safetensors_add(out, arena_printf(arena, "base_model.model.%s.lora_B.weight", module),
                    DTYPE_F32, 2, (int64_t[]){3, 1}, lora_b);
    static const float head = 42;
    safetensors_add(out, "base_model.model.model.head.weight", DTYPE_F32, 1, (int64_t[]){1}, &head);
    assert_true(safetensors_commit(out, &error));
}

#define LORA(more)                                                                                 \
    "{\"peft_type\": \"LORA\", \"base_model_name_or_path\": \"../base\", \"r\": 1, "               \
    "\"lora_alpha\": "                                                                             \
    "2, \"target_modules\": [\"q\"]" more "}"

static void adapters_are_merged(void **state) {
    (void)state;
    static const struct {
        const char *config, *weight, *module, *adapter;
        bool conv;
        float want[6];
    } cases[] = {
        {"{}", "model.q.weight", "model.q", LORA(""), false, {3, 6, 3, 4, 3, 2}},
        {"{}", "q.weight", "model.q", LORA(""), false, {3, 6, 3, 4, 3, 2}},
        {"{}",
         "model.q.weight",
         "q",
         LORA(", \"use_rslora\": true, \"use_dora\": false"),
         false,
         {3, 6, 3, 4, 3, 2}},
        {"{}",
         "model.q.weight",
         "model.q",
         LORA(", \"alpha_pattern\": {\"q\": 1, \"model.q\": 9}"), /* the first that fits */
         false,
         {2, 4, 3, 4, 4, 4}},
        {"{\"model_type\": \"gpt2\"}",
         "h.0.c_attn.weight",
         "transformer.h.0.c_attn",
         LORA(""),
         true,
         {3, 2, 1, 8, 5, 2}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        write_base("base", cases[i].config, cases[i].weight, cases[i].conv);
        write_adapter(cases[i].adapter, cases[i].module);
        Checkpoint *c = must_open(scratch_path("adapter"));
        assert_string_equal(checkpoint_format(c), "lora adapter");
        assert_non_null(strstr(checkpoint_tokenizer_path(c), "base"));
        const float *w = numbers(c, cases[i].weight);
        for (int k = 0; k < 6; k++)
            assert_true(w[k] == cases[i].want[k]);
        assert_true(*numbers(c, "model.head.weight") == 42);
        checkpoint_close(c);
        Error error = {0};
        c = checkpoint_open_with(scratch_path("adapter"), &(CheckpointOptions){.no_adapter = true},
                                 &error);
        assert_non_null(c);
        assert_true(numbers(c, cases[i].weight)[0] == 1 && *numbers(c, "model.head.weight") == 1);
        checkpoint_close(c);
    }
}

static void embeddings_are_merged_turned(void **state) {
    (void)state;
    write_base("base", "{}", "model.q.weight", false);
    scratch_write("adapter/adapter_config.json", str(LORA("")));
    Error error = {0};
    SafetensorsWriter *out =
        safetensors_create(scratch_path("adapter/adapter_model.safetensors"), &error);
    safetensors_add(out, "base_model.model.words.lora_embedding_A", DTYPE_F32, 2, (int64_t[]){1, 3},
                    lora_b);
    safetensors_add(out, "base_model.model.words.lora_embedding_B", DTYPE_F32, 2, (int64_t[]){2, 1},
                    lora_a);
    assert_true(safetensors_commit(out, &error));
    Checkpoint *c = must_open(scratch_path("adapter"));
    static const float want[6] = {3, 6, 3, 4, 3, 2};
    assert_memory_equal(numbers(c, "words.weight"), want, sizeof want);
    checkpoint_close(c);
}

static void other_adapters_are_refused(void **state) {
    (void)state;
    static const char *const cases[][2] = {
        {"{\"peft_type\": \"IA3\", \"base_model_name_or_path\": \"../base\"}", "IA3"},
        {"{\"base_model_name_or_path\": \"../base\"}", "peft_type"},
        {"{\"peft_type\": \"LORA\", \"lora_alpha\": 1}", "base_model_name_or_path"},
        {"{\"peft_type\": \"LORA\", \"base_model_name_or_path\": \"../nowhere\"}", "nowhere"},
        {"{\"peft_type\": \"LORA\", \"base_model_name_or_path\": \"../adapter\"}",
         "adapter itself"},
        {LORA(", \"use_dora\": true"), "use_dora"},
        {LORA(", \"layer_replication\": [[0, 4]]"), "layer_replication"},
        {LORA(", \"some_new_field\": 1"), "some_new_field"},
        {LORA(", \"init_lora_weights\": \"pissa_niter_4\""), "pissa"},
        {LORA(", \"alpha_pattern\": {\"q|v\": 1}"), "alpha_pattern"},
    };
    write_base("base", "{}", "model.q.weight", false);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        write_adapter(cases[i][0], "model.q");
        must_fail(scratch_path("adapter"), cases[i][1]);
    }
    write_adapter(LORA(""), "model.v");
    must_fail(scratch_path("adapter"), "model.v.weight");
    write_adapter(LORA(""), "model.head");
    must_fail(scratch_path("adapter"), "model.head.weight");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(llama2c_of_each_version),
        cmocka_unit_test(llama2c_that_lies_is_refused),
        cmocka_unit_test(llama2c_tokenizer_lies_beside),
        cmocka_unit_test(marian_gives_the_same_tensors),
        cmocka_unit_test(other_marian_types_are_refused),
        cmocka_unit_test(adapters_are_merged),
        cmocka_unit_test(embeddings_are_merged_turned),
        cmocka_unit_test(other_adapters_are_refused),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
