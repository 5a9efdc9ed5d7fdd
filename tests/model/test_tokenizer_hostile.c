/* Damaged and made-up tokenizer files: each is refused with one line that says where and what, none
 * is a crash, and none takes memory out of proportion. */
#include "model/tokenizer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "model/base/file.h"
#include "model/tokenizer/layout.h"
#include "tests/model/scratch.h"

#define DATA "tests/data/tokenizers/"

static Str read_data(const char *path, Arena *arena) {
    Error error = {0};
    Str bytes;
    if (!file_read(path, 0, arena, &bytes, &error)) fail_msg("%s", error.message);
    return bytes;
}

/* One line, no control characters. */
static void check_message(const Error *error) {
    assert_true(error->kind != ERROR_NONE);
    assert_true(strlen(error->message) > 10);
    assert_null(strchr(error->message, '\n'));
}

static void cut_off_models_are_refused(void **state) {
    (void)state;
    Arena *arena = arena_new(), *scratch = arena_new();
    Str whole = read_data(DATA "unigram/vocab.spm", arena);
    int n_refused = 0;
    for (size_t n = 0; n < whole.n; n += 1 + n / 40) {
        Pipeline pipeline = {0};
        SentencePiece *sp;
        Error error = {0};
        char *exact = malloc(n + 1); /* so that a byte too far shows */
        memcpy(exact, whole.data, n);
        arena_clear(scratch);
        if (!layout_spm_read((Str){exact, n}, &pipeline, scratch, &sp, &error)) {
            check_message(&error);
            n_refused++;
        }
        free(exact);
    }
    assert_true(n_refused > 50);
    arena_free(arena);
    arena_free(scratch);
}

static void garbled_models_do_no_harm(void **state) {
    (void)state;
    static const char *const names[] = {DATA "unigram/vocab.spm", DATA "bpe_bytes/tokenizer.model"};
    Arena *arena = arena_new(), *scratch = arena_new();
    uint32_t seed = 1;
    for (int k = 0; k < 2; k++) {
        Str whole = read_data(names[k], arena);
        char *bytes = malloc(whole.n);
        for (int round = 0; round < 150; round++) {
            memcpy(bytes, whole.data, whole.n);
            for (int i = 0; i < 4; i++) {
                seed = seed * 1664525u + 1013904223u;
                bytes[seed % whole.n] = (char)(seed >> 24);
            }
            Pipeline pipeline = {0};
            SentencePiece *sp;
            Error error = {0};
            arena_clear(scratch);
            if (!layout_spm_read((Str){bytes, whole.n}, &pipeline, scratch, &sp, &error)) {
                check_message(&error);
                continue;
            }
            Tokens tokens;
            PipelineOptions options = {.tag = -1, .language = -1};
            if (!pipeline_encode(&pipeline, str("The boat's \xc3\xa4iti \xe2\x98\x83"), &options,
                                 scratch, &tokens, &error))
                check_message(&error);
            for (int i = 0; i < tokens.n; i++)
                assert_true(tokens.items[i].begin <= tokens.items[i].end);
        }
        free(bytes);
    }
    arena_free(arena);
    arena_free(scratch);
}

#define MODEL                                                                                      \
    "\"model\":{\"type\":\"BPE\",\"vocab\":{\"a\":0,\"b\":1,\"ab\":2},\"merges\":[\"a b\"]}"
#define UNIGRAM(vocab) "{\"model\":{\"type\":\"Unigram\",\"unk_id\":0,\"vocab\":" vocab "}}"

static const struct {
    const char *json;
    const char *says[3];
} refused[] = {
    {"", {"tokenizer.json", "not JSON"}},
    {"[1]", {"object is expected"}},
    {"{" MODEL, {"not JSON", "line 1"}},
    {"{\"model\":{\"vocab\":{\"\\ud800\":1},\"merges\":[]}}", {"not JSON", "D800"}},
    {"{}", {"model", "object"}},
    {"{\"model\":{\"type\":\"Transducer\"}}", {"model", "Transducer", "WordPiece"}},
    {"{" MODEL ",\"pre_tokenizer\":{\"type\":\"Metaspace\",\"replacement\":\"__\"}}",
     {"pre_tokenizer", "\"__\" is not one character"}},
    {"{\"model\":{\"type\":\"BPE\",\"vocab\":[],\"merges\":[]}}", {"vocab", "not an object"}},
    {"{\"model\":{\"type\":\"BPE\",\"vocab\":{\"a\":-1},\"merges\":[]}}",
     {"\"a\"", "-1", "from 0"}},
    {"{\"model\":{\"type\":\"BPE\",\"vocab\":{\"a\":4294967296},\"merges\":[]}}",
     {"4294967296", "from 0 to"}},
    {"{\"model\":{\"type\":\"BPE\",\"vocab\":{\"a\":1e300},\"merges\":[]}}", {"whole number"}},
    {"{\"model\":{\"type\":\"BPE\",\"vocab\":{\"a\":0.5},\"merges\":[]}}", {"whole number"}},
    {"{\"model\":{\"type\":\"BPE\",\"vocab\":{\"a\":0},\"merges\":{}}}", {"merges", "list"}},
    {"{\"model\":{\"type\":\"BPE\",\"vocab\":{\"a\":0},\"merges\":[\"a\"]}}",
     {"merge 0", "two parts"}},
    {"{\"model\":{\"type\":\"BPE\",\"vocab\":{\"a\":0},\"merges\":[\"a a a\"]}}",
     {"merge 0", "more than two"}},
    {"{\"model\":{\"type\":\"BPE\",\"vocab\":{\"a\":0},\"merges\":[[\"a\"]]}}",
     {"merge 0", "two parts"}},
    {"{\"model\":{\"type\":\"BPE\",\"vocab\":{\"a\":0},\"merges\":[\"a a\"]}}",
     {"merge 0", "\"aa\"", "not in the vocabulary"}},
    {"{\"model\":{\"type\":\"BPE\",\"dropout\":0.1,\"vocab\":{\"a\":0},\"merges\":[]}}",
     {"dropout"}},
    {"{\"model\":{\"type\":\"WordPiece\",\"vocab\":{\"a\":0}}}", {"[UNK]"}},
    {UNIGRAM("{}"), {"vocab", "list"}},
    {UNIGRAM("[]"), {"vocab", "list"}},
    {UNIGRAM("[[\"a\"]]"), {"entry 0", "[piece, score]"}},
    {UNIGRAM("[[\"a\",NaN]]"), {"not JSON"}},
    {UNIGRAM("[[\"a\",1e999]]"), {"not JSON", "overflow"}},
    {"{\"model\":{\"type\":\"Unigram\",\"unk_id\":7,\"vocab\":[[\"a\",0]]}}", {"unk_id"}},
    {"{" MODEL ",\"normalizer\":{\"type\":\"Rot13\"}}", {"normalizer", "Rot13", "NFKC"}},
    {"{" MODEL ",\"normalizer\":[]}", {"normalizer", "object"}},
    {"{" MODEL ",\"normalizer\":{\"type\":\"Sequence\"}}", {"normalizers"}},
    {"{" MODEL
     ",\"normalizer\":{\"type\":\"Replace\",\"pattern\":{\"Regex\":\"(\"},\"content\":\"\"}}",
     {"normalizer", "regular expression", "parenthesis"}},
    {"{" MODEL ",\"normalizer\":{\"type\":\"Replace\",\"pattern\":{},\"content\":\"\"}}",
     {"pattern"}},
    {"{" MODEL ",\"normalizer\":{\"type\":\"Precompiled\",\"precompiled_charsmap\":\"/////w==\"}}",
     {"normalizer", "charsmap"}},
    {"{" MODEL ",\"normalizer\":{\"type\":\"Precompiled\",\"precompiled_charsmap\":\"!\"}}",
     {"base64"}},
    {"{" MODEL ",\"pre_tokenizer\":{\"type\":\"UnicodeScripts\"}}",
     {"pre_tokenizer", "UnicodeScripts"}},
    {"{" MODEL ",\"pre_tokenizer\":{\"type\":\"Split\",\"pattern\":\"a\",\"behavior\":\"Eaten\"}}",
     {"behavior", "Eaten"}},
    {"{" MODEL
     ",\"pre_tokenizer\":{\"type\":\"Split\",\"pattern\":{\"Regex\":\"[a&&b]\"},\"behavior\":"
     "\"Removed\"}}",
     {"&&"}},
    {"{" MODEL ",\"pre_tokenizer\":{\"type\":\"ByteLevel\",\"add_prefix_space\":1}}",
     {"add_prefix_space"}},
    {"{" MODEL ",\"decoder\":{\"type\":\"CTC\"}}", {"decoder", "CTC"}},
    {"{" MODEL
     ",\"post_processor\":{\"type\":\"BertProcessing\",\"sep\":[\"x\"],\"cls\":[\"y\",1]}}",
     {"sep", "[token, id]"}},
    {"{" MODEL
     ",\"post_processor\":{\"type\":\"TemplateProcessing\",\"single\":[{\"SpecialToken\":{"
     "\"id\":\"<s>\"}}],\"pair\":[],\"special_tokens\":{}}}",
     {"post_processor", "<s>"}},
    {"{" MODEL ",\"added_tokens\":[{\"content\":\"x\"}]}", {"added_tokens", "entry 0", "id"}},
    {"{" MODEL ",\"added_tokens\":[{\"id\":99999999,\"content\":\"x\"}]}", {"entry 0"}},
    {"{" MODEL ",\"added_tokens\":[{\"id\":5}]}", {"entry 0", "content"}},
};

static void made_up_json_is_refused_by_name(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        Error error = {0};
        scratch_write("json/tokenizer.json", str(refused[i].json));
        Tokenizer *tokenizer = tokenizer_open(scratch_path("json"), &error);
        if (tokenizer) fail_msg("accepted: %s", refused[i].json);
        check_message(&error);
        assert_non_null(strstr(error.message, "json/tokenizer.json: "));
        for (int k = 0; k < 3 && refused[i].says[k]; k++)
            if (!strstr(error.message, refused[i].says[k]))
                fail_msg("\"%s\" is not in: %s", refused[i].says[k], error.message);
    }
}

static void deep_and_crowded_json_is_refused(void **state) {
    (void)state;
    Error error = {0};
    StrBuf text = {0};
    for (int i = 0; i < 100000; i++)
        strbuf_putc(&text, '[');
    assert_null(folder_parse(strbuf_str(&text), "deep.json", &error));
    check_message(&error);
    text.n = 0;
    strbuf_puts(&text, "{\"a\":[0");
    for (int i = 0; i < 3000000; i++)
        strbuf_puts(&text, ",0");
    strbuf_puts(&text, "]}");
    error = (Error){0};
    assert_null(folder_parse(strbuf_str(&text), "crowded.json", &error));
    assert_non_null(strstr(error.message, "crowded.json"));
    strbuf_free(&text);
}

static const struct {
    const char *name, *content;
    const char *others[2]; /* another file and its content */
    const char *says[2];
} folders[] = {
    {"vocab.txt", "a\n\xff\n", {NULL}, {"vocab.txt", "UTF-8"}},
    {"vocab.txt", "a\nb\n", {NULL}, {"vocab.txt", "[UNK]"}},
    {"vocab.txt", "", {NULL}, {"vocab.txt", "no pieces"}},
    {"vocab.txt",
     "a\n",
     {"tokenizer_config.json", "{\"tokenizer_class\":\"BertJapaneseTokenizer\"}"},
     {"BertJapaneseTokenizer"}},
    {"vocab.json",
     "{\"a\":0}",
     {"merges.txt", "#version\na\n"},
     {"merges.txt: line 2", "two pieces"}},
    {"vocab.json", "{\"a\":0}", {"merges.txt", "a a\n"}, {"merges.txt: line 1", "vocab.json"}},
    {"vocab.json", "{\"a\":\"0\"}", {"merges.txt", ""}, {"vocab.json", "whole number"}},
    {"vocab.json", "{}", {"merges.txt", ""}, {"vocab.json", "no pieces"}},
    {"vocab.json", "{\"a\":0}", {"source.spm", "x"}, {"source.spm", "target.spm"}},
    {"x.tiktoken", "IQ== 0\nIg==\n", {NULL}, {"x.tiktoken: line 2", "base64"}},
    {"x.tiktoken", "!! 0\n", {NULL}, {"line 1"}},
    {"x.tiktoken", "IQ== -3\n", {NULL}, {"line 1", "-3"}},
    {"spiece.model", "\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", {NULL}, {"spiece.model"}},
    {"spiece.model", "hello", {NULL}, {"spiece.model", "SentencePiece"}},
    {"spiece.model", "", {NULL}, {"spiece.model", "no pieces"}},
    {"tokenizer.json", "{}", {"tokenizer_config.json", "{"}, {"tokenizer_config.json", "line 1"}},
    {"README", "x", {NULL}, {"no tokenizer there", "vocab.txt"}},
};

static void other_files_are_refused_by_place(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        char name[64];
        Error error = {0};
        snprintf(name, sizeof name, "f%zu/%s", i, folders[i].name);
        scratch_write(name, str(folders[i].content));
        snprintf(name, sizeof name, "f%zu/%s", i,
                 folders[i].others[0] ? folders[i].others[0] : "x");
        if (folders[i].others[0]) scratch_write(name, str(folders[i].others[1]));
        snprintf(name, sizeof name, "f%zu", i);
        Tokenizer *tokenizer = tokenizer_open(scratch_path(name), &error);
        if (tokenizer) fail_msg("accepted: %s %s", folders[i].name, folders[i].content);
        check_message(&error);
        for (int k = 0; k < 2 && folders[i].says[k]; k++)
            if (!strstr(error.message, folders[i].says[k]))
                fail_msg("\"%s\" is not in: %s", folders[i].says[k], error.message);
    }
}

/* The same id for two labels, the same label for two ids, holes: allowed, and looked up sensibly.
 */
static void odd_vocabularies_work(void **state) {
    (void)state;
    Error error = {0};
    Arena *arena = arena_new();
    scratch_write(
        "odd/tokenizer.json",
        str("{\"model\":{\"type\":\"WordLevel\",\"unk_token\":\"u\",\"vocab\":{\"u\":3,\"a\":"
            "1048575,"
            "\"b\":7}},\"added_tokens\":[{\"id\":7,\"content\":\"c\"}],\"pre_tokenizer\":{"
            "\"type\":\"WhitespaceSplit\"}}"));
    Tokenizer *tokenizer = tokenizer_open(scratch_path("odd"), &error);
    if (!tokenizer) fail_msg("%s", error.message);
    Tokens tokens;
    assert_true(
        tokenizer_encode(tokenizer, str("a c zz"), &(EncodeOptions){0}, arena, &tokens, &error));
    assert_int_equal(tokens.n, 3);
    assert_int_equal(tokens.items[0].id, 1048575);
    assert_int_equal(tokens.items[1].id, 7);
    assert_int_equal(tokens.items[2].id, 3);
    assert_int_equal(tokenizer_n_ids(tokenizer), 1048576);
    assert_null(tokenizer_label(tokenizer, 8, false).data);
    assert_int_equal(tokenizer_id(tokenizer, str("b"), false), -1);
    tokenizer_free(tokenizer);
    arena_free(arena);
}

/* Rules that write a page for every character they wrote before. */
static void text_that_grows_without_end_is_given_up(void **state) {
    (void)state;
    Error error = {0};
    Arena *arena = arena_new();
    StrBuf json = {0};
    strbuf_puts(&json,
                "{\"model\":{\"type\":\"WordLevel\",\"unk_token\":\"a\",\"vocab\":{\"a\":0}},"
                "\"normalizer\":{\"type\":\"Sequence\",\"normalizers\":[");
    for (int i = 0; i < 6; i++) {
        strbuf_printf(&json, "%s{\"type\":\"Replace\",\"pattern\":{\"Regex\":\"\"},\"content\":\"",
                      i ? "," : "");
        for (int k = 0; k < 1000; k++)
            strbuf_putc(&json, 'a');
        strbuf_puts(&json, "\"}");
    }
    strbuf_puts(&json, "]}}");
    scratch_write("grows/tokenizer.json", strbuf_str(&json));
    strbuf_free(&json);
    Tokenizer *tokenizer = tokenizer_open(scratch_path("grows"), &error);
    if (!tokenizer) fail_msg("%s", error.message);
    Tokens tokens;
    assert_false(
        tokenizer_encode(tokenizer, str("boat"), &(EncodeOptions){0}, arena, &tokens, &error));
    assert_non_null(strstr(error.message, "normalizer"));
    tokenizer_free(tokenizer);
    arena_free(arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cut_off_models_are_refused),
        cmocka_unit_test(garbled_models_do_no_harm),
        cmocka_unit_test(made_up_json_is_refused_by_name),
        cmocka_unit_test(deep_and_crowded_json_is_refused),
        cmocka_unit_test(other_files_are_refused_by_place),
        cmocka_unit_test(odd_vocabularies_work),
        cmocka_unit_test(text_that_grows_without_end_is_given_up),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
