/* Files of torch.save: real ones of torch 1.13 (tests/data/checkpoint, made by make.py there), and
 * pickles written by hand that try to do more than hold numbers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "model/base/file.h"
#include "model/checkpoint.h"
#include "tests/model/scratch.h"

static Str data_file(const char *name) {
    Str text;
    Error error = {0};
    char *path = path_join(scratch_arena(), "tests/data/checkpoint", name);
    if (!file_read(path, 0, scratch_arena(), &text, &error)) fail_msg("%s", error.message);
    return text;
}

static Checkpoint *open_bytes(Str bytes, Error *error) {
    scratch_write("t/config.json", str("{\"model_type\": \"x\"}"));
    scratch_write("t/pytorch_model.bin", bytes);
    return checkpoint_open(scratch_path("t"), error);
}

static const struct {
    const char *name;
    Dtype dtype;
    int rank;
    int64_t shape[3];
    float items[4]; /* the first ones */
} wanted[] = {
    {"bfloat", DTYPE_BF16, 1, {6}, {0, 1, 2, 3}},
    {"bool", DTYPE_BOOL, 1, {6}, {0, 0, 0, 1}},
    {"double", DTYPE_F64, 1, {6}, {0, 1, 2, 3}},
    {"expanded", DTYPE_F32, 2, {5, 3}, {1, 1, 1, 1}},
    {"half", DTYPE_F16, 1, {6}, {0, 1, 2, 3}},
    {"int16", DTYPE_I16, 1, {6}, {0, 1, 2, 3}},
    {"int32", DTYPE_I32, 1, {6}, {0, 1, 2, 3}},
    {"int64", DTYPE_I64, 1, {6}, {0, 1, 2, 3}},
    {"int8", DTYPE_I8, 1, {6}, {0, 1, 2, 3}},
    {"none", DTYPE_F32, 2, {0, 3}, {0}},
    {"parameter", DTYPE_F32, 2, {6, 4}, {0, 1, 2, 3}},
    {"part", DTYPE_F32, 1, {4}, {5, 6, 7, 8}},
    {"scalar", DTYPE_F32, 0, {0}, {3.5f}},
    {"strided", DTYPE_F32, 3, {2, 2, 2}, {4, 6, 8, 10}},
    {"turned", DTYPE_F32, 2, {6, 4}, {0, 6, 12, 18}},
    {"uint8", DTYPE_U8, 1, {6}, {0, 1, 2, 3}},
    {"whole", DTYPE_F32, 2, {4, 6}, {0, 1, 2, 3}},
};
enum { N_WANTED = sizeof wanted / sizeof *wanted };

static void both_formats_give_the_same_tensors(void **state) {
    (void)state;
    static const char *const files[] = {"zip.bin", "legacy.bin"};
    for (int f = 0; f < 2; f++) {
        Error error = {0};
        Checkpoint *c = open_bytes(data_file(files[f]), &error);
        if (!c) fail_msg("%s", error.message);
        assert_string_equal(checkpoint_format(c), "torch");
        assert_int_equal(checkpoint_n_tensors(c), N_WANTED);
        for (int i = 0; i < N_WANTED; i++) {
            const RawTensor *t = checkpoint_tensor(c, i);
            assert_string_equal(t->name, wanted[i].name);
            assert_int_equal(t->dtype, wanted[i].dtype);
            assert_int_equal(t->rank, wanted[i].rank);
            int64_t n = 1;
            for (int axis = 0; axis < t->rank; axis++) {
                assert_int_equal(t->shape[axis], wanted[i].shape[axis]);
                n *= t->shape[axis];
            }
            float items[4];
            dtype_to_f32(t->dtype, t->data, 0, n < 4 ? n : 4, items);
            for (int k = 0; k < 4 && k < n; k++)
                assert_true(items[k] == wanted[i].items[k]);
            assert_int_equal((uintptr_t)t->data % (size_t)dtype_info[t->dtype].block_bytes, 0);
        }
        checkpoint_close(c);
    }
}

/* The first 24 numbers are shared by several tensors; cutting the file anywhere must be noticed. */
static void cut_files_are_refused(void **state) {
    (void)state;
    static const char *const files[] = {"zip.bin", "legacy.bin"};
    for (int f = 0; f < 2; f++) {
        Str whole = data_file(files[f]);
        for (size_t n = 0; n < whole.n; n += n < 64 ? 1 : 37) {
            Error error = {0};
            assert_null(open_bytes(str_sub(whole, 0, n), &error));
            assert_int_not_equal(error.kind, ERROR_NONE);
            assert_non_null(strstr(error.message, "pytorch_model.bin"));
        }
    }
}

#define PICKLE(text)                                                                               \
    { text, sizeof text - 1 }

static void code_is_refused_by_name(void **state) {
    (void)state;
    static const struct {
        Str bytes;
        const char *says;
    } cases[] = {
        {PICKLE("cposix\nsystem\n(S'echo'\ntR."), "posix.system"},
        {PICKLE("\x80\x02"
                "cos\nsystem\nX\4\0\0\0echo\x85R."),
         "os.system"},
        {PICKLE("\x80\x04\x8c\x08"
                "builtins\x8c\x04"
                "eval\x93\x8c\x01"
                "1\x85R."),
         "builtins.eval"},
        {PICKLE("\x80\x02(X\4\0\0\0echoios\nsystem\n."), "os.system"},
        {PICKLE("\x80\x02"
                "c__builtin__\ngetattr\n."),
         "__builtin__.getattr"},
        {PICKLE("\x80\x02"
                "ctorch.nn.modules.linear\nLinear\n."),
         "torch.nn.modules.linear.Linear"},
        {PICKLE("\x80\x02"
                "ctorch._utils\n_rebuild_qtensor\n."),
         "_rebuild_qtensor"},
        {PICKLE("\x80\x02"
                "ctorch\nload\n."),
         "torch.load"},
        {PICKLE("\x80\x02"
                "ccollections\nOrderedDict.__init__\n."),
         "OrderedDict.__init__"},
        {PICKLE("\x80\x04\x82\x01."), "0x82"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Error error = {0};
        assert_null(open_bytes(cases[i].bytes, &error));
        if (!strstr(error.message, cases[i].says)) fail_msg("case %zu: %s", i, error.message);
        assert_non_null(strstr(error.message, "pytorch_model.bin"));
    }
}

static void broken_pickles_are_refused(void **state) {
    (void)state;
    static const Str cases[] = {
        PICKLE("\x80\x02."), /* nothing on the stack */
        PICKLE("\x80\x02"
               "0."), /* pop of nothing */
        PICKLE("\x80\x02"
               "t."), /* no mark */
        PICKLE("\x80\x02"
               "(1N0."), /* marks */
        PICKLE("\x80\x02"
               "h\5."),                        /* memo never stored */
        PICKLE("\x80\x02Nr\xff\xff\xff\xff."), /* memo of four thousand million */
        PICKLE("\x80\x02X\xff\xff\xff\xff"
               "a."), /* text of 4 GB */
        PICKLE("\x80\x04\x8d\xff\xff\xff\xff\xff\xff\xff\xff"
               "a."),
        PICKLE("\x80\x02\x8b\xff\xff\xff\xff"
               "a."),
        PICKLE("\x80\x02N\x85R."), /* calls nothing */
        PICKLE("\x80\x02NNR."),
        PICKLE("\x80\x02}Ns."), /* half a pair */
        PICKLE("\x80\x02(N}u."),
        PICKLE("\x80\x02}(Nu."),
        PICKLE("\x80\x02Nb."),
        PICKLE("\x80\x02NNb."),
        PICKLE("\x80\x02NQ."), /* a persistent id that is none */
        PICKLE("\x80\x02"
               "ctorch._utils\n_rebuild_tensor_v2\n)R."),
        PICKLE("\x80\x02"
               "ctorch._utils\n_rebuild_parameter\nN\x85R."),
        PICKLE("\x80\x02"
               "ctorch\nFloatStorage\n)R."),
        PICKLE("\x80\x02"
               "ccollections\nOrderedDict\nK\1\x85R."),
        PICKLE("PK\3\4nothing more"),
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Error error = {0};
        if (open_bytes(cases[i], &error)) fail_msg("case %zu was read", i);
        assert_non_null(strstr(error.message, "pytorch_model.bin"));
        assert_null(strchr(error.message, '\n'));
    }
}

/* Doubling a list by its own items would make 2^n of them; here every step adds one reference. */
static void bombs_stay_small(void **state) {
    (void)state;
    StrBuf bytes = {0};
    strbuf_puts(&bytes, "\x80\x02");
    for (int i = 0; i < 3000000; i++)
        strbuf_puts(&bytes, "}");
    Error error = {0};
    assert_null(open_bytes(strbuf_str(&bytes), &error));
    assert_non_null(strstr(error.message, "twice its size"));
    strbuf_free(&bytes);
}

/* "archive/data/0" given another size, and a tensor that reaches out of its storage. */
static void storages_are_checked(void **state) {
    (void)state;
    Str whole = data_file("legacy.bin");
    char *copy = arena_alloc(scratch_arena(), whole.n);
    for (size_t i = 0; i < whole.n; i++) {
        /* Flip each byte in turn: an error or tensors, never a crash. */
        memcpy(copy, whole.data, whole.n);
        copy[i] = (char)(copy[i] ^ 0x41);
        Error error = {0};
        Checkpoint *c = open_bytes((Str){copy, whole.n}, &error);
        assert_true((c == NULL) == (error.kind != ERROR_NONE));
        checkpoint_close(c);
    }
}

static void nanogpt_becomes_gpt2(void **state) {
    (void)state;
    const char *path = scratch_write("nano/ckpt.pt", data_file("nano.pt"));
    const char *const ways[] = {path, scratch_path("nano")};
    for (int way = 0; way < 2; way++) {
        Error error = {0};
        Checkpoint *c = checkpoint_open(ways[way], &error);
        if (!c) fail_msg("%s", error.message);
        const json_t *config = checkpoint_config(c);
        assert_string_equal(json_string_value(json_object_get(config, "model_type")), "gpt2");
        assert_int_equal(json_integer_value(json_object_get(config, "n_layer")), 2);
        assert_int_equal(json_integer_value(json_object_get(config, "n_head")), 2);
        assert_int_equal(json_integer_value(json_object_get(config, "n_positions")), 3);
        assert_true(json_is_true(json_object_get(config, "tie_word_embeddings")));
        const RawTensor *t = checkpoint_find(c, "transformer.h.0.attn.c_attn.weight");
        assert_int_equal(t->shape[0], 4);
        assert_int_equal(t->shape[1], 12);
        const float *x = t->data; /* rows were numbered from 36 on, four to a row */
        assert_true(x[0] == 36 && x[1] == 40 && x[12] == 37);
        const RawTensor *bias = checkpoint_find(c, "transformer.h.1.mlp.c_fc.bias");
        assert_int_equal(bias->shape[0], 16);
        assert_true(((const float *)bias->data)[15] == 0);
        assert_non_null(checkpoint_find(c, "transformer.ln_f.bias"));
        assert_null(checkpoint_find(c, "transformer.h.0.attn.bias"));
        checkpoint_close(c);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_formats_give_the_same_tensors),
        cmocka_unit_test(cut_files_are_refused),
        cmocka_unit_test(code_is_refused_by_name),
        cmocka_unit_test(broken_pickles_are_refused),
        cmocka_unit_test(bombs_stay_small),
        cmocka_unit_test(storages_are_checked),
        cmocka_unit_test(nanogpt_becomes_gpt2),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
