/* OpenAI's .tiktoken, as Whisper's releases have it: "base64-of-bytes rank", one a line.
 *
 * The rank is the id and the order of joining: of all neighbours whose bytes together are in the
 * list, the pair of lowest rank goes first. That is BPE by scores over GPT-2's characters, one a
 * byte. Whisper's special tokens follow the last rank: whisper/tokenizer.py, get_encoding.
 */
#include "model/base/file.h"
#include "model/base/utf8.h"
#include "model/tokenizer/bpe.h"
#include "model/tokenizer/bytelevel.h"
#include "model/tokenizer/language_codes.h"
#include "model/tokenizer/layout.h"

static bool probe(const Folder *folder) {
    return folder_file_ending(folder, ".tiktoken") != NULL;
}

/* Bytes as GPT-2's characters. */
static Str label_of(Str bytes, Vocabulary *vocabulary, Arena *scratch) {
    char *label = arena_alloc(scratch, bytes.n * 2 + 1);
    size_t n = 0;
    for (size_t i = 0; i < bytes.n; i++)
        n += utf8_encode(bytelevel_char((unsigned char)bytes.data[i]), label + n);
    return vocabulary_keep(vocabulary, (Str){label, n});
}

static bool read_line(Str line, Vocabulary *out, Arena *scratch, Error *error) {
    const char *space = memchr(line.data, ' ', line.n);
    long long rank = -1;
    size_t n_code = space ? (size_t)(space - line.data) : 0;
    Str bytes;
    if (!n_code || !layout_base64(str_sub(line, 0, n_code), scratch, &bytes) ||
        !integer_parse(str_sub(line, n_code + 1, line.n), &rank))
        return error_set(error, ERROR_INPUT, "bytes in base64, a space and a rank are expected");
    return vocabulary_set(out, rank, label_of(bytes, out, scratch), error);
}

static bool read_ranks(const char *path, Arena *arena, Vocabulary *out, Error *error) {
    Str text;
    if (!file_read(path, 0, arena, &text, error)) return false;
    *out = vocabulary_new(arena, (int)(text.n / 16 < 200000 ? text.n / 16 : 200000));
    Arena *scratch = arena_new();
    int line = 0;
    bool ok = true;
    for (size_t at = 0, end; at < text.n && ok; at = end + 1) {
        const char *newline = memchr(text.data + at, '\n', text.n - at);
        end = newline ? (size_t)(newline - text.data) : text.n;
        Str s = str_sub(text, at, end);
        line++;
        if (s.n && s.data[s.n - 1] == '\r') s.n--;
        arena_clear(scratch);
        ok = !s.n || read_line(s, out, scratch, error);
    }
    arena_free(scratch);
    if (!ok) return error_prefix(error, "%s: line %d", path, line);
    if (!out->n_ids) return error_set(error, ERROR_INPUT, "%s: nothing in it", path);
    return true;
}

static void add_specials(AddedList *added, int32_t id, int n_languages) {
    static const char *const after[] = {"translate",   "transcribe", "startoflm",
                                        "startofprev", "nospeech",   "notimestamps"};
    enum { N_AFTER = sizeof after / sizeof *after, N_TIMES = 1501 };
    Arena *arena = added->arena;
    AddedToken token = {.special = true};
    for (int i = 0; i < 2 + n_languages + N_AFTER + N_TIMES; i++) {
        int language = i - 2, other = language - n_languages, time = other - N_AFTER;
        char *name = i == 0   ? arena_strdup(arena, "<|endoftext|>")
                     : i == 1 ? arena_strdup(arena, "<|startoftranscript|>")
                     : language < n_languages
                         ? arena_printf(arena, "<|%s|>", language_codes_whisper[language])
                     : other < N_AFTER
                         ? arena_printf(arena, "<|%s|>", after[other])
                         : arena_printf(arena, "<|%d.%02d|>", time * 2 / 100, time * 2 % 100);
        token.content = str(name);
        token.id = id + i;
        added_list_put(added, token);
    }
}

/* The id that the special label has; -1: none. */
static TemplateItem item(const Pipeline *pipeline, const char *label) {
    return (TemplateItem){TEMPLATE_TOKEN, vocabulary_id(&pipeline->vocabulary, str(label)), 0};
}

void layout_whisper_template(Pipeline *pipeline, Arena *arena) {
    const TemplateItem items[] = {item(pipeline, "<|startoftranscript|>"),
                                  {TEMPLATE_LANGUAGE, 0, 0},
                                  item(pipeline, "<|notimestamps|>"),
                                  {TEMPLATE_FIRST, 0, 0},
                                  {TEMPLATE_SECOND, 0, 0},
                                  item(pipeline, "<|endoftext|>")};
    TemplateItem *copy = memcpy(arena_alloc(arena, sizeof items), items, sizeof items);
    pipeline->single = pipeline->pair = (Template){copy, sizeof items / sizeof *items};
}

static bool open_tiktoken(Tokenizer *tokenizer, const Folder *folder, Error *error) {
    Arena *arena = folder->arena;
    Pipeline *pipeline = &tokenizer->sides[0];
    const char *path = folder_file_ending(folder, ".tiktoken");
    Vocabulary *own = arena_alloc(arena, sizeof *own);
    if (!read_ranks(path, arena, own, error)) return false;
    int n = own->n_ids, n_languages = 99;
    float *scores = arena_alloc(arena, (size_t)n * sizeof *scores);
    for (int i = 0; i < n; i++)
        scores[i] = -(float)i;
    uint8_t *types = arena_alloc(arena, (size_t)n);
    memset(types, PIECE_NORMAL, (size_t)n);
    const Regex *regex = regex_new(str(pretokenizer_gpt2_pattern), arena, error);
    if (!regex) return false;
    const json_t *size = json_object_get(folder->config, "vocab_size");
    if (json_number_value(size) == n + 2 + 100 + 6 + 1501 + 1) n_languages = 100;
    pipeline->vocabulary = vocabulary_copy(own);
    pipeline->unknown = -1;
    pipeline->model = bpe_new(&(BpeSpec){.vocabulary = own,
                                         .unknown = {.id = -1},
                                         .scores = scores,
                                         .types = types,
                                         .whole_first = true},
                              arena);
    PreTokenizerStep *step = arena_alloc(arena, sizeof *step);
    *step = pretokenizer_bytes(false, regex);
    pipeline->pretokenizer = (PreTokenizer){step, 1};
    DecoderStep *decoder = arena_alloc(arena, sizeof *decoder);
    *decoder = decoder_bytes();
    pipeline->decoder = (Decoder){decoder, 1};
    AddedList added = {.arena = arena};
    add_specials(&added, n, n_languages);
    if (!layout_add(pipeline, added.items, added.n, arena, error))
        return error_prefix(error, "%s", path);
    layout_languages(tokenizer, folder, LANGUAGES_WHISPER);
    layout_whisper_template(pipeline, arena);
    tokenizer->sides[1] = *pipeline;
    return true;
}

const Layout layout_tiktoken = {"tiktoken", "*.tiktoken", probe, open_tiktoken};
