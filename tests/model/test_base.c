/* The ground floor: errors, arenas, texts and numbers, UTF-8, files, tensor views, JSON. */
#include "tests/model/engine.h"

#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "model/base/file.h"
#include "model/base/json.h"
#include "model/base/random.h"
#include "model/base/utf8.h"

static void first_error_wins(void **state) {
    (void)state;
    Error error = {0};
    assert_true(error_ok(&error) && error_ok(NULL));
    assert_false(error_set(&error, ERROR_INPUT, "first %d", 1));
    assert_false(error_set(&error, ERROR_IO, "second"));
    assert_false(error_prefix(&error, "file, line %d", 7));
    assert_int_equal(error.kind, ERROR_INPUT);
    assert_string_equal(error.message, "file, line 7: first 1");
    assert_false(error_set(NULL, ERROR_IO, "nobody listens"));
    char far[3000];
    memset(far, 'x', sizeof far - 1);
    far[sizeof far - 1] = 0;
    Error cut = {0};
    error_set(&cut, ERROR_INPUT, "%s", far);
    error_prefix(&cut, "%s", far);
    assert_true(strlen(cut.message) < sizeof cut.message);
}

static void arenas_keep_and_reset(void **state) {
    (void)state;
    Arena *arena = arena_new();
    char *kept = arena_strdup(arena, "kept");
    ArenaMark mark = arena_mark(arena);
    size_t before = 0;
    for (int round = 0; round < 5; round++) {
        for (size_t n = 1; n < (1 << 21); n *= 3) {
            unsigned char *p = arena_alloc(arena, n);
            assert_int_equal((uintptr_t)p % 64, 0);
            memset(p, 0xee, n);
        }
        unsigned char *zeros = arena_calloc(arena, 1000, 3);
        for (int i = 0; i < 3000; i++)
            assert_int_equal(zeros[i], 0);
        arena_reset(arena, mark);
        if (round == 1) before = arena_footprint(arena);
        if (round > 1) assert_int_equal(arena_footprint(arena), before); /* memory is used again */
    }
    assert_string_equal(kept, "kept");
    assert_non_null(arena_alloc(arena, 0));
    arena_clear(arena);
    for (int round = 0; round < 300; round++) { /* of unlike sizes: at most about 2.5 MB at once */
        for (unsigned i = 0; i < 50; i++) {
            size_t n = random_word(5, (uint64_t)round * 50 + i) % 50000;
            memset(arena_alloc(arena, n), 0x11, n);
        }
        arena_clear(arena);
        assert_true(arena_footprint(arena) < 4 << 20);
    }
    arena_free(arena);
    arena_free(NULL);
}

static void numbers_as_text(void **state) {
    (void)state;
    static const char *const locales[] = {"C", "fi_FI.UTF-8", "de_DE.UTF-8"};
    for (int l = 0; l < 3; l++) { /* one that is not installed stays what it was */
        setlocale(LC_ALL, locales[l]);
        char text[32];
        assert_string_equal(number_text(0.71304, 5, text), "0.71304");
        assert_string_equal(number_text(1e-5, 5, text), "1e-05");
        assert_string_equal(number_text(-2, 5, text), "-2");
        double x;
        assert_true(number_parse(str("-1.5e3"), &x) && x == -1500);
        assert_true(number_parse(str(".5"), &x) && x == 0.5);
        static const char *const wrong[] = {"",    " 1", "1 ",    "1,5", "0x10",  "nan",
                                            "inf", "1e", "1e999", "--1", "1.2.3", "+"};
        for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
            if (number_parse(str(wrong[i]), &x)) fail_msg("\"%s\" was taken", wrong[i]);
        assert_false(number_parse((Str){"1\0", 2}, &x));
        long long n;
        assert_true(integer_parse(str("-17"), &n) && n == -17);
        assert_false(integer_parse(str("99999999999999999999"), &n));
        assert_false(integer_parse(str("1.0"), &n));
    }
    setlocale(LC_ALL, "C");
}

static void utf8_is_checked(void **state) {
    (void)state;
    static const struct {
        const char *text;
        size_t n, invalid_at;
    } cases[] = {{"a\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", 10, 10},
                 {"", 0, 0},
                 {"a\0b", 3, 3},
                 {"\xff", 1, 0},
                 {"ab\xc3", 3, 2},           /* cut */
                 {"\xc0\x80", 2, 0},         /* overlong */
                 {"\xe0\x80\xaf", 3, 0},     /* overlong */
                 {"\xed\xa0\x80", 3, 0},     /* half of a surrogate pair */
                 {"\xf4\x90\x80\x80", 4, 0}, /* beyond U+10FFFF */
                 {"x\x80", 2, 1}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Str s = {cases[i].text, cases[i].n};
        assert_int_equal(utf8_invalid_at(s), cases[i].invalid_at);
        Error error = {0};
        if (utf8_check(s, "the text", &error) != (cases[i].invalid_at == s.n))
            fail_msg("case %zu", i);
        if (!error_ok(&error)) expect_error(&error, "the text");
    }
    for (uint32_t c = 1; c < 0x110000; c += c < 0x900 ? 1 : 0x3fd) {
        if (c >= 0xd800 && c < 0xe000) continue;
        char out[4];
        size_t n = utf8_encode(c, out), got;
        assert_int_equal(utf8_decode((Str){out, n}, 0, &got), c);
        assert_int_equal(got, n);
    }
    assert_int_equal(utf8_count(str("p\xc3\xa4iv\xc3\xa4")), 5);
}

static void files_are_whole_or_not_there(void **state) {
    (void)state;
    Arena *arena = arena_new();
    Error error = {0};
    char *folder = temporary_path(arena, "files"), *path = path_join(arena, folder, "a.bin");
    char *fifo = path_join(arena, folder, "fifo");
    assert_true(folder_make_above(path_join(arena, folder, "x/y/z.txt"), &error));
    assert_true(file_is_folder(path_join(arena, folder, "x/y")));
    assert_true(folder_make(path_join(arena, folder, "x/y"), &error));
    assert_true(folder_make_above("z.txt", &error) && folder_make_above("/z.txt", &error));
    char *dangling = path_join(arena, folder, "dangling"); /* the reason is mkdir's */
    assert_int_equal(symlink("nowhere", dangling), 0);
    assert_false(folder_make(dangling, &error));
    assert_non_null(strstr(error.message, strerror(EEXIST)));
    error = (Error){0};
    unlink(dangling);
    assert_true(file_save(path, "old", 3, &error));
    FileWriter *w = file_create(path, &error);
    file_write(w, "new and longer", 14);
    Str text;
    assert_true(file_read(path, 0, arena, &text, &error));
    assert_true(str_is(text, "old")); /* until the commit */
    file_abandon(w);
    assert_true(file_read(path, 0, arena, &text, &error) && str_is(text, "old"));
    w = file_create(path, &error);
    file_write(w, "new\0", 4);
    assert_true(file_commit(w, &error));
    assert_true(file_read(path, 0, arena, &text, &error) && text.n == 4 && text.data[4] == 0);
    assert_false(file_read(path, 3, arena, &text, &error));
    expect_error(&error, "4 bytes, at most 3");
    assert_false(file_read(folder, 0, arena, &text, &error));
    expect_error(&error, "is a folder");
    assert_int_equal(mkfifo(fifo, 0600), 0);
    assert_false(file_read(fifo, 0, arena, &text, &error)); /* and does not wait for a writer */
    expect_error(&error, "is a pipe");
    assert_false(file_read("/dev/zero", 0, arena, &text, &error));
    expect_error(&error, "is a device");
    assert_false(file_read(path_join(arena, folder, "none"), 0, arena, &text, &error));
    assert_int_equal(error.kind, ERROR_NOT_FOUND);
    expect_error(&error, "none");
    assert_null(file_create(folder, &error));
    expect_error(&error, "is a folder");
    assert_null(file_create("", &error));
    expect_error(&error, "a file name is expected");
    assert_false(file_save(path_join(arena, folder, "none/a"), "x", 1, &error));
    expect_error(&error, "cannot write");
    if (access("/dev/full", W_OK) == 0) {
        assert_false(file_save("/dev/full", "x", 1, &error));
        expect_error(&error, "cannot write");
    }
    FileMap map;
    assert_true(file_map(path, &map, &error) && map.n_bytes == 4 && map.data[0] == 'n');
    file_unmap(&map);
    assert_true(file_save(path, "", 0, &error));
    assert_false(file_map(path, &map, &error));
    expect_error(&error, "is empty");
    assert_string_equal(path_extension("a.b/c.tar.gz"), ".gz");
    assert_string_equal(path_extension("a.b/.hidden"), "");
    assert_string_equal(path_name("a/b/c"), "c");
    unlink(fifo);
    unlink(path);
    rmdir(path_join(arena, folder, "x/y"));
    rmdir(path_join(arena, folder, "x"));
    if (rmdir(folder) != 0) fail_msg("%s: something was left behind", folder);
    arena_free(arena);
}

static void links_stay_links(void **state) {
    (void)state;
    Arena *arena = arena_new();
    Error error = {0};
    char *folder = temporary_path(arena, "links"), *path = path_join(arena, folder, "a.bin");
    char *link = path_join(arena, folder, "link");
    assert_true(folder_make(folder, &error) && file_save(path, "old", 3, &error));
    assert_int_equal(symlink("a.bin", link), 0);
    assert_true(file_save(link, "new", 3, &error));
    struct stat st;
    assert_true(lstat(link, &st) == 0 && S_ISLNK(st.st_mode));
    Str text;
    assert_true(file_read(path, 0, arena, &text, &error) && str_is(text, "new"));
    int fd = open(path, O_RDWR); /* as /dev/stdout in `> a.bin` */
    assert_true(fd >= 0);
    assert_true(file_save(arena_printf(arena, "/proc/self/fd/%d", fd), "open", 4, &error));
    char bytes[8] = {0};
    assert_int_equal(read(fd, bytes, 7), 4);
    assert_string_equal(bytes, "open");
    close(fd);
    unlink(path); /* a link to what is not there yet: it is made there */
    assert_true(file_save(link, "made", 4, &error));
    assert_true(lstat(link, &st) == 0 && S_ISLNK(st.st_mode));
    assert_true(file_read(path, 0, arena, &text, &error) && str_is(text, "made"));
    unlink(link);
    assert_int_equal(symlink("link", link), 0); /* round and round */
    assert_false(file_save(link, "x", 1, &error));
    expect_error(&error, strerror(ELOOP));
    unlink(link);
    unlink(path);
    rmdir(folder);
    arena_free(arena);
}

/* What is written into a pipe arrives; one that nobody reads does not keep us for ever. */
static void pipes_are_written_where_they_are_read(void **state) {
    (void)state;
    Arena *arena = arena_new();
    Error error = {0};
    char *pipe = temporary_path(arena, "pipe");
    assert_int_equal(mkfifo(pipe, 0600), 0);
    assert_false(file_save(pipe, "text", 4, &error));
    expect_error(&error, "is a pipe that nobody reads");
    int fd = open(pipe, O_RDONLY | O_NONBLOCK);
    assert_true(file_save(pipe, "text", 4, &error));
    char bytes[8] = {0};
    assert_int_equal(read(fd, bytes, 7), 4);
    assert_string_equal(bytes, "text");
    close(fd);
    unlink(pipe);
    arena_free(arena);
}

static void views_are_the_same_numbers(void **state) {
    (void)state;
    Arena *arena = arena_new();
    Tensor x = tensor_new(arena, 2, 6, 8);
    x.grad = arena_calloc(arena, 48, sizeof *x.grad);
    for (int i = 0; i < 48; i++)
        x.data[i] = (float)i;
    Tensor heads = tensor_split(x, 1, 4); // [6, 4, 2]
    assert_int_equal(heads.rank, 3);
    assert_true(*tensor_at(heads, 5, 3, 1, 0) == 47 && *tensor_at(heads, 2, 1, 0, 0) == 18);
    Tensor back = tensor_merge(heads, 1);
    assert_true(tensor_same_shape(back, x) && tensor_is_contiguous(back));
    Tensor columns = tensor_slice(x, 1, 2, 5); // [6, 3]
    assert_false(tensor_is_contiguous(columns));
    assert_true(*tensor_at(columns, 1, 0, 0, 0) == 10);
    assert_true(columns.grad - x.grad == columns.data - x.data); /* views of the gradient too */
    Tensor turned = tensor_swap(columns, 0, 1), copy = tensor_clone(arena, turned);
    assert_true(tensor_is_contiguous(copy) && copy.grad == NULL);
    assert_true(copy.data[0] == 2 && copy.data[1] == 10 && copy.data[6] == 3);
    Tensor row = tensor_index(x, 0, 4);
    assert_true(row.rank == 1 && row.data[0] == 32);
    tensor_fill(columns, -1);
    assert_true(x.data[1] == 1 && x.data[2] == -1 && x.data[4] == -1 && x.data[5] == 5);
    tensor_copy(columns, tensor_swap(copy, 0, 1));
    for (int i = 0; i < 48; i++)
        assert_true(x.data[i] == (float)i);
    assert_int_equal(tensor_count(tensor_reshape(x, 3, 2, 4, 6)), 48);
    assert_int_equal(tensor_count(tensor_slice(x, 0, 3, 3)), 0);
    arena_free(arena);
}

static void json_of_nobody(void **state) {
    (void)state;
    Error error = {0};
    json_t *root = json_parse(str("{\"n\": 1000000000000000019884624838656, \"s\": \"a\\u0000b\"}"),
                              "here", 0, 0, &error);
    expect_ok(&error);
    assert_true(json_is_real(json_object_get(root, "n")));
    assert_int_equal(json_string_length(json_object_get(root, "s")), 3);
    json_decref(root);
    static const char *const wrong[] = {"",     "{",    "{\"a\": NaN}", "{\"a\": 01}",
                                        "[1,]", "\xff", "{\"a\": 1} x", "{'a': 1}"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        if (json_parse(str(wrong[i]), "here", 0, 0, &error)) fail_msg("%s was taken", wrong[i]);
        expect_error(&error, "here");
    }
    StrBuf deep = {0}; /* a stack is not to be filled */
    for (int i = 0; i < 100000; i++)
        strbuf_puts(&deep, "[");
    assert_null(json_parse(strbuf_str(&deep), "here", 0, 0, &error));
    expect_error(&error, "here");
    strbuf_free(&deep);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(first_error_wins),
                                       cmocka_unit_test(arenas_keep_and_reset),
                                       cmocka_unit_test(numbers_as_text),
                                       cmocka_unit_test(utf8_is_checked),
                                       cmocka_unit_test(files_are_whole_or_not_there),
                                       cmocka_unit_test(links_stay_links),
                                       cmocka_unit_test(pipes_are_written_where_they_are_read),
                                       cmocka_unit_test(views_are_the_same_numbers),
                                       cmocka_unit_test(json_of_nobody)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
