/* Marian's .npz: the tiny translator of tests/data, written as Marian would. */
#include <stdio.h>
#include <zip.h>

#include "model/base/file.h"
#include "tests/model/checkpoint_hand.h"
#include "tests/model/scratch.h"

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
    folder_make_above(path, NULL);
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
    Checkpoint *want = checkpoint_must_open("tests/data/tiny");
    Checkpoint *got = checkpoint_must_open(write_npz(want, "m/model.npz", settings, false));
    assert_string_equal(checkpoint_format(got), "marian");
    same_tensors(want, got);
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        assert_int_equal(checkpoint_integer(want, fields[i]), checkpoint_integer(got, fields[i]));
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
    got = checkpoint_must_open(write_npz(want, "v/model.npz", yml.data, true));
    const RawTensor *words = checkpoint_find(got, "model.shared.weight");
    assert_int_equal(words->shape[0], 202);
    assert_true(((const float *)words->data)[201 * 32] == 0);
    assert_int_equal(checkpoint_find(got, "final_logits_bias")->shape[1], 202);
    assert_int_equal(checkpoint_integer(got, "pad_token_id"), 201);
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
        checkpoint_must_fail(path, cases[i][1]);
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
        checkpoint_must_fail(path, members[i].says);
    }
    checkpoint_must_fail(scratch_write("x.npz", str("PK\3\4 and nothing")), "zip");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(marian_gives_the_same_tensors),
        cmocka_unit_test(other_marian_types_are_refused),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
