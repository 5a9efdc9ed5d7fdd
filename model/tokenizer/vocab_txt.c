/* vocab.txt: BERT's WordPiece, one piece a line, the line's number is the id. */
#include "model/base/file.h"
#include "model/base/utf8.h"
#include "model/tokenizer/chars.h"
#include "model/tokenizer/layout.h"
#include "model/tokenizer/wordpiece.h"

static bool probe(const Folder *folder) {
    return folder_file(folder, "vocab.txt") != NULL;
}

static bool read_lines(const char *path, Arena *arena, Vocabulary *out, Error *error) {
    Str text;
    if (!file_read(path, 0, arena, &text, error)) return false;
    if (!utf8_check(text, path, error)) return false;
    *out = vocabulary_new(arena, (int)(text.n / 8 < 100000 ? text.n / 8 : 100000));
    int id = 0;
    for (size_t at = 0, end; at < text.n; at = end + 1) {
        const char *newline = memchr(text.data + at, '\n', text.n - at);
        end = newline ? (size_t)(newline - text.data) : text.n;
        Str line = str_sub(text, at, end);
        if (line.n && line.data[line.n - 1] == '\r') line.n--;
        if (!vocabulary_set(out, id++, line, error)) return error_prefix(error, "%s", path);
    }
    if (!id) return error_set(error, ERROR_INPUT, "%s: no pieces in it", path);
    return true;
}

static bool known_class(const Folder *folder, Error *error) {
    static const char *const known[] = {
        "Bert",   "DistilBert", "Electra",     "MobileBert", "RetriBert",
        "Funnel", "LayoutLM",   "SqueezeBert", "ConvBert",   "PreTrainedTokenizerFast"};
    static const char *const others[] = {"BertJapanese", "BertGeneration", "Bertweet"};
    const char *class = folder_text(folder, "tokenizer_class", "");
    bool ok = !*class;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        ok = ok || strncmp(class, known[i], strlen(known[i])) == 0;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        ok = ok && strncmp(class, others[i], strlen(others[i])) != 0;
    return ok || error_set(error, ERROR_UNSUPPORTED,
                           "%s/tokenizer_config.json: tokenizer_class \"%.60s\" is not known for "
                           "vocab.txt; BERT's, DistilBERT's, ELECTRA's and their like are",
                           folder->path, class);
}

static bool set_steps(Pipeline *pipeline, const Folder *folder, Arena *arena, Error *error) {
    bool lowercase = folder_flag(folder, "do_lower_case", true);
    BertRules rules = {.clean_text = true,
                       .space_cjk = folder_flag(folder, "tokenize_chinese_chars", true),
                       .strip_accents = folder_flag(folder, "strip_accents", lowercase),
                       .lowercase = lowercase};
    if (!folder_flag(folder, "do_basic_tokenize", true))
        return error_set(error, ERROR_UNSUPPORTED,
                         "%s/tokenizer_config.json: do_basic_tokenize false; true is expected",
                         folder->path);
    NormalizerStep *steps = arena_alloc(arena, BERT_MAX_STEPS * sizeof *steps);
    pipeline->normalizer = (Normalizer){steps, normalizer_bert(&rules, steps)};
    PreTokenizerStep *cuts = arena_alloc(arena, 2 * sizeof *cuts);
    cuts[0] = pretokenizer_class(char_is_space, SPLIT_REMOVED);
    cuts[1] = pretokenizer_class(char_is_punctuation, SPLIT_ISOLATED);
    pipeline->pretokenizer = (PreTokenizer){cuts, 2};
    DecoderStep *decoder = arena_alloc(arena, sizeof *decoder);
    *decoder = decoder_wordpiece(str("##"), false);
    pipeline->decoder = (Decoder){decoder, 1};
    return true;
}

static bool open_bert(Tokenizer *tokenizer, const Folder *folder, Error *error) {
    enum { MAX_CHARS = 100 };
    Arena *arena = folder->arena;
    Pipeline *pipeline = &tokenizer->sides[0];
    const char *path = folder_file(folder, "vocab.txt");
    Vocabulary *own = arena_alloc(arena, sizeof *own);
    if (!known_class(folder, error) || !read_lines(path, arena, own, error)) return false;
    pipeline->vocabulary = vocabulary_copy(own);
    if (!set_steps(pipeline, folder, arena, error)) return false;
    const Vocabulary *v = &pipeline->vocabulary;
    AddedList added = {.arena = arena};
    int32_t unk = added_list_special(&added, folder, v, "unk_token", "[UNK]");
    int32_t sep = added_list_special(&added, folder, v, "sep_token", "[SEP]");
    added_list_special(&added, folder, v, "pad_token", "[PAD]");
    int32_t cls = added_list_special(&added, folder, v, "cls_token", "[CLS]");
    added_list_special(&added, folder, v, "mask_token", "[MASK]");
    if (unk < 0 || sep < 0 || cls < 0)
        return error_set(error, ERROR_INPUT, "%s: %s is not in it", path,
                         unk < 0   ? folder_text(folder, "unk_token", "[UNK]")
                         : sep < 0 ? folder_text(folder, "sep_token", "[SEP]")
                                   : folder_text(folder, "cls_token", "[CLS]"));
    pipeline->unknown = unk;
    pipeline->model = wordpiece_new(own, str("##"), MAX_CHARS, unk, arena);
    template_bert(cls, sep, false, arena, &pipeline->single, &pipeline->pair);
    if (!added_list_files(&added, folder, v, error) ||
        !layout_add(pipeline, added.items, added.n, arena, error))
        return false;
    tokenizer->sides[1] = *pipeline;
    return true;
}

const Layout layout_bert = {"wordpiece", "vocab.txt", probe, open_bert};
