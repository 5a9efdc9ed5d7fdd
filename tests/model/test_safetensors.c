/* The safetensors reader against files built in memory, well-formed and hostile, and the writer
 * against the reader. */
#include "model/safetensors.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "model/base/file.h"

static char folder[] = "/tmp/test_safetensors.XXXXXX";

static int make_folder(void **state) {
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state) {
    (void)state;
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command);
}

/* The bytes of a file with this header and n_data bytes 0, 1, 2 ... */
static Str build(StrBuf *out, const char *header, size_t n_data) {
    uint64_t n = strlen(header);
    strbuf_add(out, &n, 8);
    strbuf_puts(out, header);
    for (size_t i = 0; i < n_data; i++)
        strbuf_putc(out, (char)i);
    return strbuf_str(out);
}

#define A "\"a\":{\"dtype\":\"F32\",\"shape\":[2,1],\"data_offsets\":[0,8]}"
#define TENSOR(dtype, shape, offsets)                                                              \
    "{\"a\":{\"dtype\":\"" dtype "\",\"shape\":" shape ",\"data_offsets\":" offsets "}}"

static const struct {
    const char *header;
    size_t n_data;
    const char *says[3]; /* parts of the message */
} refused[] = {
    {"{" A "}", 7, {"x.st", "tensor a", "cut off"}},
    {"{" A "}", 9, {"9 bytes of data", "take 8"}},
    {"[1]", 0, {"'{'"}},
    {"{" A, 8, {"not valid JSON", "line 1"}},
    {"{\"a\": NaN}", 8, {"not valid JSON", "NaN"}},
    {"{" A "," A "}", 8, {"duplicate"}},
    {"{\"a\":3}", 8, {"tensor a", "dtype, shape, data_offsets"}},
    {"{\"__metadata__\":[]}", 0, {"__metadata__"}},
    {"{\"a\\u0000b\":{}}", 0, {"NUL"}},
    {"{\"a\":{\"shape\":[1],\"data_offsets\":[0,4]}}", 4, {"tensor a", "dtype missing"}},
    {TENSOR("F8_E3M4", "[4]", "[0,4]"), 4, {"tensor a", "F8_E3M4", "BF16"}},
    {TENSOR("Q4_0", "[32]", "[0,18]"), 18, {"tensor a", "Q4_0"}},
    {TENSOR("F32", "2", "[0,8]"), 8, {"tensor a", "shape"}},
    {TENSOR("F32", "[-2]", "[0,8]"), 8, {"tensor a", "axis 0"}},
    {TENSOR("F32", "[2.5]", "[0,8]"), 8, {"tensor a", "axis 0"}},
    {TENSOR("F32", "[1,1,1,1,1,1,1,1,2]", "[0,8]"), 8, {"9 axes", "at most 8"}},
    {TENSOR("F32", "[4611686018427387904,4]", "[0,8]"), 8, {"more than memory"}},
    {TENSOR("F32", "[99999999999999999999]", "[0,8]"), 8, {"axis 0"}},
    {TENSOR("F32", "[3]", "[0,8]"), 8, {"tensor a", "span 8 bytes", "takes 12"}},
    {TENSOR("F32", "[2]", "[8,0]"), 8, {"[8, 0]"}},
    {TENSOR("F32", "[2]", "[-8,0]"), 8, {"[-8, 0]"}},
    {TENSOR("F32", "[2]", "[0,9223372036854775807]"), 8, {"cut off"}},
    {TENSOR("F32", "[2]", "[0]"), 8, {"data_offsets"}},
    {TENSOR("F32", "[2]", "[0.0,8]"), 8, {"data_offsets"}},
    {TENSOR("F32", "[1]", "[4,8]"), 8, {"gap"}},
    {"{" A ",\"b\":{\"dtype\":\"U8\",\"shape\":[8],\"data_offsets\":[4,12]}}",
     12,
     {"overlapping", "a"}},
};

static void hostile_headers_are_refused_by_one_line(void **state) {
    (void)state;
    for (size_t c = 0; c < sizeof refused / sizeof *refused; c++) {
        StrBuf bytes = {0};
        Error error = {0};
        Safetensors *file = safetensors_open_memory(
            build(&bytes, refused[c].header, refused[c].n_data), "x.st", &error);
        if (file) fail_msg("case %zu was read: %s", c, refused[c].header);
        assert_int_not_equal(error.kind, ERROR_NONE);
        assert_null(strchr(error.message, '\n'));
        assert_non_null(strstr(error.message, "x.st"));
        for (int i = 0; i < 3 && refused[c].says[i]; i++)
            if (!strstr(error.message, refused[c].says[i]))
                fail_msg("case %zu: '%s' is not in: %s", c, refused[c].says[i], error.message);
        strbuf_free(&bytes);
    }
}

static void lengths_are_checked(void **state) {
    (void)state;
    static const uint64_t lengths[] = {3, 1000, UINT64_MAX, UINT64_MAX - 7, (uint64_t)1 << 63};
    for (size_t c = 0; c < sizeof lengths / sizeof *lengths; c++) {
        char bytes[10];
        memcpy(bytes, &lengths[c], 8);
        memcpy(bytes + 8, "{}", 2);
        Error error = {0};
        assert_null(safetensors_open_memory((Str){bytes, 10}, "x.st", &error));
        assert_non_null(strstr(error.message, "header"));
    }
    for (size_t n = 0; n < 8; n++) {
        Error error = {0};
        assert_null(safetensors_open_memory((Str){"\2\0\0\0\0\0\0", n}, "x.st", &error));
    }
}

/* 40 MB of "[[[[" or "0,0,0" must neither crash nor fill the memory. */
static void deep_and_huge_headers_are_refused(void **state) {
    (void)state;
    static const char *const units[] = {"[", "0,", "{\"a\":", "[],"};
    for (size_t c = 0; c < sizeof units / sizeof *units; c++) {
        StrBuf header = {0}, bytes = {0};
        strbuf_puts(&header, "{\"a\":[");
        for (int i = 0; i < 4000000; i++)
            strbuf_puts(&header, units[c]);
        Error error = {0};
        assert_null(safetensors_open_memory(build(&bytes, header.data, 0), "x.st", &error));
        strbuf_free(&header);
        strbuf_free(&bytes);
    }
}

static void a_tensor_at_an_odd_address_works(void **state) {
    (void)state;
    StrBuf bytes = {0};
    Error error = {0};
    Str data = build(&bytes,
                     "{\"u\":{\"dtype\":\"U8\",\"shape\":[3],\"data_offsets\":[0,3]},"
                     "\"x\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[3,11]},"
                     "\"none\":{\"dtype\":\"F64\",\"shape\":[0,5],\"data_offsets\":[11,11]},"
                     "\"one\":{\"dtype\":\"I16\",\"shape\":[],\"data_offsets\":[11,13]}}",
                     13);
    Safetensors *file = safetensors_open_memory(data, "x.st", &error);
    assert_string_equal(error.message, "");
    assert_int_equal(safetensors_n_tensors(file), 4);
    const RawTensor *x = safetensors_find(file, "x");
    assert_int_equal((uintptr_t)x->data % 4, 0);
    assert_memory_equal(x->data, "\3\4\5\6\7\10\11\12", 8);
    assert_int_equal(*(const int16_t *)safetensors_find(file, "one")->data, 0x0c0b);
    assert_int_equal(safetensors_find(file, "one")->rank, 0);
    assert_int_equal(safetensors_find(file, "none")->n_bytes, 0);
    assert_null(safetensors_find(file, "y"));
    assert_string_equal(safetensors_tensor(file, 0)->name, "none");
    safetensors_close(file);
    strbuf_free(&bytes);
}

static Str slurp(Arena *arena, const char *path) {
    Str text;
    Error error = {0};
    assert_true(file_read(path, 0, arena, &text, &error));
    return text;
}

static void write_one(const char *path) {
    static const float a[6] = {1, 2, 3, 4, 5, 6};
    static const int32_t ids[3] = {7, 8, 9};
    static const uint8_t flags[3] = {1, 0, 1};
    Error error = {0};
    SafetensorsWriter *w = safetensors_create(path, &error);
    safetensors_metadata(w, "z", "last");
    safetensors_metadata(w, "labels", "[\"\xe2\x96\x81Suomi\", \"a\\\"b\", \"\\u0000\"]");
    safetensors_add(w, "flags", DTYPE_BOOL, 1, (int64_t[]){3}, flags);
    safetensors_add(w, "blocks.0.attn \"q\"\t\xc3\xa4", DTYPE_F32, 2, (int64_t[]){2, 3}, a);
    safetensors_add(w, "tokens", DTYPE_I32, 1, (int64_t[]){3}, ids);
    safetensors_add(w, "nothing", DTYPE_F32, 2, (int64_t[]){0, 3}, NULL);
    safetensors_add(w, "scalar", DTYPE_F32, 0, NULL, a + 5);
    assert_true(safetensors_commit(w, &error));
}

static void what_is_written_is_read(void **state) {
    (void)state;
    Arena *arena = arena_new();
    char *path = path_join(arena, folder, "one.safetensors");
    write_one(path);
    Error error = {0};
    Safetensors *file = safetensors_open(path, &error);
    assert_non_null(file);
    assert_int_equal(safetensors_n_tensors(file), 5);
    const RawTensor *t = safetensors_find(file, "blocks.0.attn \"q\"\t\xc3\xa4");
    assert_int_equal(t->shape[1], 3);
    assert_true(((const float *)t->data)[5] == 6);
    assert_true(*(const float *)safetensors_find(file, "scalar")->data == 6);
    assert_string_equal(safetensors_metadata_value(file, "labels"),
                        "[\"\xe2\x96\x81Suomi\", \"a\\\"b\", \"\\u0000\"]");
    assert_null(safetensors_metadata_value(file, "none"));
    safetensors_close(file);
    Str first = arena_str(arena, slurp(arena, path));
    write_one(path);
    assert_true(str_eq(first, slurp(arena, path)));
    uint64_t n_header;
    memcpy(&n_header, first.data, 8);
    assert_int_equal((8 + n_header) % 64, 0);
    arena_free(arena);
}

static void a_failed_write_leaves_the_old_file(void **state) {
    (void)state;
    Arena *arena = arena_new();
    char *path = path_join(arena, folder, "two.safetensors");
    write_one(path);
    Str before = slurp(arena, path);
    for (int kind = 0; kind < 4; kind++) {
        Error error = {0};
        SafetensorsWriter *w = safetensors_create(path, &error);
        safetensors_add(w, "a", DTYPE_U8, 1, (int64_t[]){1}, "x");
        if (kind == 0) safetensors_add(w, "a", DTYPE_U8, 1, (int64_t[]){1}, "y");
        if (kind == 1) safetensors_add(w, "\xff", DTYPE_U8, 1, (int64_t[]){1}, "y");
        if (kind == 2) safetensors_metadata(w, "k", "\xff");
        if (kind == 3) {
            safetensors_abandon(w);
            continue;
        }
        assert_false(safetensors_commit(w, &error));
        assert_int_equal(error.kind, ERROR_INPUT);
    }
    assert_true(str_eq(before, slurp(arena, path)));
    Error error = {0};
    assert_null(safetensors_create("/nowhere/at/all/x.safetensors", &error));
    assert_null(safetensors_create(folder, &(Error){0}));
    arena_free(arena);
}

static void other_things_than_files_are_refused(void **state) {
    (void)state;
    Arena *arena = arena_new();
    char *pipe_path = path_join(arena, folder, "pipe"), *empty = path_join(arena, folder, "empty");
    assert_int_equal(mkfifo(pipe_path, 0600), 0);
    assert_true(file_save(empty, "", 0, NULL));
    const char *const paths[] = {folder, pipe_path, empty, "/nowhere", "/dev/null"};
    const char *const says[] = {"folder", "pipe", "empty", "No such file", "device"};
    for (int i = 0; i < 5; i++) {
        Error error = {0};
        assert_null(safetensors_open(paths[i], &error));
        assert_non_null(strstr(error.message, says[i]));
        assert_non_null(strstr(error.message, paths[i]));
    }
    arena_free(arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hostile_headers_are_refused_by_one_line),
        cmocka_unit_test(lengths_are_checked),
        cmocka_unit_test(deep_and_huge_headers_are_refused),
        cmocka_unit_test(a_tensor_at_an_odd_address_works),
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(a_failed_write_leaves_the_old_file),
        cmocka_unit_test(other_things_than_files_are_refused),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
