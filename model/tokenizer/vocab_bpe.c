/* vocab.json + merges.txt: byte-pair encoding as GPT-2 brought it, and the families that took it
 * over.
 *
 *     gpt2       bytes as characters, nothing added                    (OPT: </s> first)
 *     roberta    the same, <s> A </s>                                  (BART, Longformer ...)
 *     clip       lower case, words end in "</w>", bytes
 *     openai-gpt lower case, words end in "</w>", characters
 *     qwen2      its own pattern of words, NFC
 *     whisper    <|startoftranscript|> <|notimestamps|> A <|endoftext|>
 */
#include "model/base/file.h"
#include "model/tokenizer/bpe.h"
#include "model/tokenizer/chars.h"
#include "model/tokenizer/layout.h"

typedef struct Builder {
    Tokenizer *tokenizer;
    const Folder *folder;
    Arena *arena;
    Pipeline *pipeline;
    Vocabulary *own; /* the pieces without added tokens */
    AddedList added;
    Error *error;
} Builder;

static bool read_merges(const char *path, BpeSpec *spec, Arena *arena, Error *error) {
    Str text;
    if (!file_read(path, 0, arena, &text, error)) return false;
    size_t n_lines = 1;
    for (size_t i = 0; i < text.n; i++)
        n_lines += text.data[i] == '\n';
    BpeMerge *merges = arena_alloc(arena, n_lines * sizeof *merges);
    int n = 0, line = 0;
    for (size_t at = 0, end; at < text.n; at = end + 1) {
        const char *newline = memchr(text.data + at, '\n', text.n - at);
        end = newline ? (size_t)(newline - text.data) : text.n;
        Str s = str_sub(text, at, end);
        if (s.n && s.data[s.n - 1] == '\r') s.n--;
        if (++line == 1 && str_starts(s, "#version")) continue;
        if (!s.n) continue;
        const char *space = memchr(s.data, ' ', s.n);
        size_t n_left = space ? (size_t)(space - s.data) : 0;
        if (!n_left || n_left + 1 == s.n || memchr(space + 1, ' ', s.n - n_left - 1))
            return error_set(error, ERROR_INPUT,
                             "%s: line %d: two pieces with a space between are "
                             "expected",
                             path, line);
        Str left = str_sub(s, 0, n_left), right = str_sub(s, n_left + 1, s.n);
        if (bpe_merge(spec->vocabulary, spec->prefix, left, right, &merges[n])) {
            n++;
        } else if (merges[n].left >= 0 && merges[n].right >= 0) {
            return error_set(error, ERROR_INPUT,
                             "%s: line %d: what the two make together is not in vocab.json", path,
                             line);
        } /* a merge of pieces that there are not never happens */
    }
    spec->merges = merges;
    spec->n_merges = n;
    return true;
}

static bool set_model(Builder *b, const char *unk, const char *suffix) {
    BpeSpec spec = {.vocabulary = b->own,
                    .suffix = str(suffix),
                    .unknown = {.id = unk ? vocabulary_id(b->own, str(unk)) : -1}};
    if (!read_merges(folder_file(b->folder, "merges.txt"), &spec, b->arena, b->error)) return false;
    b->pipeline->unknown = spec.unknown.id;
    b->pipeline->model = bpe_new(&spec, b->arena);
    return true;
}

static bool set_bytes(Builder *b, const char *pattern, bool prefix_space) {
    const Regex *regex = pattern ? regex_new(str(pattern), b->arena, b->error) : NULL;
    if (pattern && !regex) return false;
    PreTokenizerStep *step = arena_alloc(b->arena, sizeof *step);
    *step = pretokenizer_bytes(prefix_space, regex);
    b->pipeline->pretokenizer = (PreTokenizer){step, 1};
    DecoderStep *decoder = arena_alloc(b->arena, sizeof *decoder);
    *decoder = decoder_bytes();
    b->pipeline->decoder = (Decoder){decoder, 1};
    return true;
}

static int32_t special(Builder *b, const char *key, const char *usual) {
    return added_list_special(&b->added, b->folder, &b->pipeline->vocabulary, key, usual);
}

static bool open_gpt2(Builder *b) {
    bool prefix_space = folder_flag(b->folder, "add_prefix_space", false);
    if (!set_model(b, NULL, "") || !set_bytes(b, pretokenizer_gpt2_pattern, prefix_space))
        return false;
    const char *usual = "<|endoftext|>";
    int32_t bos = special(b, "bos_token", usual);
    special(b, "eos_token", usual);
    special(b, "unk_token", usual);
    special(b, "pad_token", NULL);
    TemplateItem first = {TEMPLATE_TOKEN, bos, 0};
    if (folder_flag(b->folder, "add_bos_token", false))
        template_each(&first, NULL, b->arena, &b->pipeline->single, &b->pipeline->pair);
    return true;
}

static bool open_roberta(Builder *b) {
    bool prefix_space = folder_flag(b->folder, "add_prefix_space", false);
    if (!set_model(b, NULL, "") || !set_bytes(b, pretokenizer_gpt2_pattern, prefix_space))
        return false;
    special(b, "bos_token", "<s>");
    special(b, "eos_token", "</s>");
    int32_t cls = special(b, "cls_token", "<s>"), sep = special(b, "sep_token", "</s>");
    special(b, "unk_token", "<unk>");
    special(b, "pad_token", "<pad>");
    if (special(b, "mask_token", "<mask>") >= 0) b->added.items[b->added.n - 1].lstrip = true;
    b->pipeline->trim_offsets = true;
    b->pipeline->prefix_space = prefix_space;
    template_bert(cls, sep, true, b->arena, &b->pipeline->single, &b->pipeline->pair);
    return true;
}

static bool open_clip(Builder *b) {
    static const char words[] = "'s|'t|'re|'ve|'m|'ll|'d|[\\p{L}]+|[\\p{N}]|[^\\s\\p{L}\\p{N}]+";
    const char *unk = folder_text(b->folder, "unk_token", "<|endoftext|>");
    const Regex *spaces = regex_new(str("\\s+"), b->arena, b->error);
    const Regex *pattern = regex_new(str(words), b->arena, b->error);
    if (!spaces || !pattern || !set_model(b, unk, "</w>")) return false;
    NormalizerStep *steps = arena_alloc(b->arena, 3 * sizeof *steps);
    steps[0] = normalizer_unicode(true, false);
    steps[1] = normalizer_replace(spaces, str(" "));
    steps[2] = normalizer_lowercase();
    b->pipeline->normalizer = (Normalizer){steps, 3};
    PreTokenizerStep *cuts = arena_alloc(b->arena, 2 * sizeof *cuts);
    cuts[0] = pretokenizer_pattern(pattern, SPLIT_REMOVED, true);
    cuts[1] = pretokenizer_bytes(false, NULL);
    b->pipeline->pretokenizer = (PreTokenizer){cuts, 2};
    const Regex *end = regex_literal(str("</w>"), b->arena, b->error);
    DecoderStep *decoder = arena_alloc(b->arena, 3 * sizeof *decoder);
    decoder[0] = decoder_bytes();
    decoder[1] = decoder_replace(end, str(" "));
    decoder[2] = decoder_trim();
    b->pipeline->decoder = (Decoder){decoder, 3};
    int32_t bos = special(b, "bos_token", "<|startoftext|>");
    int32_t eos = special(b, "eos_token", "<|endoftext|>");
    special(b, "unk_token", "<|endoftext|>");
    special(b, "pad_token", "<|endoftext|>");
    template_bert(bos, eos, true, b->arena, &b->pipeline->single, &b->pipeline->pair);
    return true;
}

static bool open_openai_gpt(Builder *b) {
    const char *unk = folder_text(b->folder, "unk_token", "<unk>");
    if (!set_model(b, unk, "</w>")) return false;
    NormalizerStep *steps = arena_alloc(b->arena, BERT_MAX_STEPS * sizeof *steps);
    int n = normalizer_bert(&(BertRules){true, true, true, true}, steps);
    b->pipeline->normalizer = (Normalizer){steps, n};
    PreTokenizerStep *cuts = arena_alloc(b->arena, 2 * sizeof *cuts);
    cuts[0] = pretokenizer_class(char_is_space, SPLIT_REMOVED);
    cuts[1] = pretokenizer_class(char_is_punctuation, SPLIT_ISOLATED);
    b->pipeline->pretokenizer = (PreTokenizer){cuts, 2};
    DecoderStep *decoder = arena_alloc(b->arena, sizeof *decoder);
    *decoder = decoder_suffix(str("</w>"));
    b->pipeline->decoder = (Decoder){decoder, 1};
    special(b, "unk_token", "<unk>");
    return true;
}

static bool open_qwen2(Builder *b) {
    static const char words[] = "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}|"
                                " ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*"
                                "|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
    if (!set_model(b, NULL, "") || !set_bytes(b, words, false)) return false;
    b->pipeline->normalizer =
        (Normalizer){layout_normalizer(normalizer_unicode(true, false), b->arena), 1};
    special(b, "eos_token", "<|endoftext|>");
    special(b, "unk_token", "<|endoftext|>");
    special(b, "pad_token", "<|endoftext|>");
    return true;
}

static bool open_whisper(Builder *b) {
    return set_model(b, NULL, "") && set_bytes(b, pretokenizer_gpt2_pattern,
                                               folder_flag(b->folder, "add_prefix_space", false));
}

/* The prompt's tokens are added ones, so they are known only now. */
static void finish_whisper(Builder *b) {
    layout_languages(b->tokenizer, b->folder, LANGUAGES_WHISPER);
    layout_whisper_template(b->pipeline, b->arena);
}

static const struct Family {
    const char *class; /* how tokenizer_class begins */
    const char *types; /* model_types, a space around each, where no class is named */
    bool (*open)(Builder *b);
    void (*finish)(Builder *b);
} families[] = {
    {"GPT2", " gpt2 gpt_neo gptj opt codegen gpt_bigcode ", open_gpt2, NULL},
    {"CodeGen", " phi ", open_gpt2, NULL},
    {"Roberta", " roberta ", open_roberta, NULL},
    {"Bart", " bart led ", open_roberta, NULL},
    {"LED", "", open_roberta, NULL},
    {"Longformer", " longformer ", open_roberta, NULL},
    {"CLIP", " clip ", open_clip, NULL},
    {"OpenAIGPT", " openai-gpt ", open_openai_gpt, NULL},
    {"Qwen2", " qwen2 ", open_qwen2, NULL},
    {"Whisper", " whisper ", open_whisper, finish_whisper},
};
enum { N_FAMILIES = sizeof families / sizeof *families };

static const struct Family *find_family(const Folder *folder, Error *error) {
    const char *class = folder_text(folder, "tokenizer_class", "");
    const char *type = arena_printf(folder->arena, " %s ", folder_model_type(folder));
    for (int i = 0; i < N_FAMILIES; i++)
        if (*class ? strncmp(class, families[i].class, strlen(families[i].class)) == 0
                   : strstr(families[i].types, type) != NULL)
            return &families[i];
    if (!*class) return &families[0];
    StrBuf known = {0};
    for (int i = 0; i < N_FAMILIES; i++)
        strbuf_printf(&known, "%s%s", i ? ", " : "", families[i].class);
    error_set(error, ERROR_UNSUPPORTED,
              "%s/tokenizer_config.json: tokenizer_class \"%.60s\" is not known for vocab.json and "
              "merges.txt; %s are",
              folder->path, class, known.data);
    strbuf_free(&known);
    return NULL;
}

static bool probe(const Folder *folder) {
    return folder_file(folder, "vocab.json") && folder_file(folder, "merges.txt");
}

static bool open_bpe(Tokenizer *tokenizer, const Folder *folder, Error *error) {
    Builder b = {.tokenizer = tokenizer,
                 .folder = folder,
                 .arena = folder->arena,
                 .pipeline = &tokenizer->sides[0],
                 .own = arena_alloc(folder->arena, sizeof *b.own),
                 .added = {.arena = folder->arena},
                 .error = error};
    const struct Family *family = find_family(folder, error);
    const char *path = folder_file(folder, "vocab.json");
    if (!family || !layout_read_vocabulary(path, b.arena, b.own, error)) return false;
    b.pipeline->vocabulary = vocabulary_copy(b.own);
    if (!family->open(&b) || !added_list_files(&b.added, folder, &b.pipeline->vocabulary, error) ||
        !layout_add(b.pipeline, b.added.items, b.added.n, b.arena, error))
        return false;
    if (family->finish) family->finish(&b);
    tokenizer->sides[1] = tokenizer->sides[0];
    return true;
}

const Layout layout_bpe = {"bpe", "vocab.json + merges.txt", probe, open_bpe};
