/* Folders with a SentencePiece model under a Hugging Face name and no tokenizer.json: the ids of
 * the checkpoint are the numbers of the pieces, moved and completed in each family's own way.
 *
 *     llama, gemma, t5, albert, speecht5     id = piece
 *     xlm-roberta, mbart, nllb               id = piece + 1; 0..3 are <s> <pad> </s> <unk>,
 * languages and <mask> stand at the end (fairseq's order) camembert                              id
 * = piece + 4 m2m_100                                vocab.json says; languages stand behind it
 *
 * Cut as transformers' own (slow) tokenizers of each family do: src/transformers/models/X/
 * tokenization_X.py, version 4.40; ALBERT as its converter to the Rust library
 * (convert_slow_tokenizer).
 */
#include "model/tokenizer/chars.h"
#include "model/tokenizer/language_codes.h"
#include "model/tokenizer/layout.h"
#include "model/tokenizer/unigram.h"

typedef struct Builder {
    Tokenizer *tokenizer;
    const Folder *folder;
    Arena *arena;
    Pipeline *pipeline;
    const char *path;
    SentencePiece *sp;
    AddedList added;
    Error *error;
} Builder;

static bool special(Builder *b, const char *key, const char *usual, int32_t *out) {
    *out = added_list_special(&b->added, b->folder, &b->pipeline->vocabulary, key, usual);
    return true;
}

/* A token that stands beside the pieces. */
static void put(Builder *b, int64_t id, const char *label, bool strips) {
    Str content = arena_str(b->arena, str(label));
    vocabulary_set(&b->pipeline->vocabulary, id, content, NULL);
    added_list_put(
        &b->added,
        (AddedToken){.content = content, .id = (int32_t)id, .lstrip = strips, .special = true});
}

/* Vocabulary, normalizer, model and decoder; ids are the pieces' numbers and `offset` more. */
static bool begin(Builder *b, int offset) {
    SentencePiece *sp = b->sp;
    Vocabulary *v = &b->pipeline->vocabulary;
    if (!sentencepiece_model(sp, b->arena, &b->pipeline->model, b->error))
        return error_prefix(b->error, "%s", b->path);
    *v = vocabulary_new(b->arena, sp->n + offset + 300);
    int32_t *external = arena_alloc(b->arena, (size_t)sp->n * sizeof *external);
    for (int i = 0; i < sp->n; i++) {
        external[i] = i + offset;
        if (!vocabulary_set(v, i + offset, sp->labels[i], b->error)) return false;
    }
    b->pipeline->external = offset ? external : NULL;
    b->pipeline->unknown = sp->unknown + offset;
    layout_set_spm(b->pipeline, sp, false, b->arena);
    return true;
}

static bool finish(Builder *b) {
    if (!added_list_files(&b->added, b->folder, &b->pipeline->vocabulary, b->error)) return false;
    if (!layout_add(b->pipeline, b->added.items, b->added.n, b->arena, b->error))
        return error_prefix(b->error, "%s", b->path);
    return true;
}

/* legacy: false: the space is put before the text, not before every stretch of it. */
static void new_spaces(Builder *b) {
    NormalizerStep *steps = arena_alloc(b->arena, 2 * sizeof *steps);
    steps[0] = normalizer_map(normalizer_plain_space);
    steps[1] = normalizer_sentencepiece(b->sp);
    steps[1].first_only = true;
    b->pipeline->normalizer = (Normalizer){steps, 2};
}

static bool open_llama(Builder *b) {
    int32_t bos, eos, unk;
    if (!begin(b, 0)) return false;
    bool gemma = strncmp(folder_text(b->folder, "tokenizer_class", ""), "Gemma", 5) == 0 ||
                 strncmp(folder_model_type(b->folder), "gemma", 5) == 0;
    special(b, "unk_token", "<unk>", &unk);
    special(b, "bos_token", gemma ? "<bos>" : "<s>", &bos);
    special(b, "eos_token", gemma ? "<eos>" : "</s>", &eos);
    special(b, "pad_token", gemma ? "<pad>" : NULL, &unk);
    b->pipeline->decoder.n = 1; /* white space at the ends stays */
    TemplateItem first = {TEMPLATE_TOKEN, bos, 0}, last = {TEMPLATE_TOKEN, eos, 0};
    bool add_bos = folder_flag(b->folder, "add_bos_token", true);
    bool add_eos = folder_flag(b->folder, "add_eos_token", false);
    template_each(add_bos ? &first : NULL, add_eos ? &last : NULL, b->arena, &b->pipeline->single,
                  &b->pipeline->pair);
    if (!gemma && !folder_flag(b->folder, "legacy", true)) new_spaces(b);
    return finish(b);
}

static bool open_t5(Builder *b) {
    int32_t eos, other;
    if (!begin(b, 0)) return false;
    special(b, "pad_token", "<pad>", &other);
    special(b, "eos_token", "</s>", &eos);
    special(b, "unk_token", "<unk>", &other);
    double extra = 100;
    const json_t *value = json_object_get(b->folder->settings, "extra_ids");
    if (json_is_number(value)) extra = json_number_value(value);
    if (!(extra >= 0 && extra <= 10000))
        return error_set(b->error, ERROR_INPUT,
                         "%s/tokenizer_config.json: extra_ids is %g; 0 to 10000 are expected",
                         b->folder->path, extra);
    int64_t n_extra = (int64_t)extra;
    for (int64_t i = 0; i < n_extra; i++) {
        put(b, b->sp->n - 1 + n_extra - i, arena_printf(b->arena, "<extra_id_%d>", (int)i), true);
        b->added.items[b->added.n - 1].rstrip = true;
    }
    TemplateItem last = {TEMPLATE_TOKEN, eos, 0};
    template_each(NULL, &last, b->arena, &b->pipeline->single, &b->pipeline->pair);
    if (!folder_flag(b->folder, "legacy", true)) new_spaces(b);
    return finish(b);
}

static bool open_speecht5(Builder *b) {
    int32_t eos, other;
    if (!begin(b, 0)) return false;
    special(b, "bos_token", "<s>", &other);
    special(b, "eos_token", "</s>", &eos);
    special(b, "unk_token", "<unk>", &other);
    special(b, "pad_token", "<pad>", &other);
    layout_append(b->pipeline, eos, b->arena);
    return finish(b);
}

/* "1," is made worse than anything: a comma behind a digit is a piece of its own. */
static bool digit_comma(Str s) {
    return s.n >= 2 && s.data[s.n - 1] == ',' && s.data[s.n - 2] >= '0' && s.data[s.n - 2] <= '9';
}

static const PieceModel *albert_model(Builder *b) {
    const SentencePiece *sp = b->sp;
    double *scores = arena_alloc(b->arena, (size_t)sp->n * sizeof *scores), least = 0;
    for (int i = 0; i < sp->n; i++) {
        scores[i] = (double)sp->scores[i] - (digit_comma(sp->labels[i]) ? 100 : 0);
        least = scores[i] < least ? scores[i] : least;
    }
    return unigram_new(&(UnigramSpec){.n = sp->n,
                                      .labels = sp->labels,
                                      .scores = scores,
                                      .unknown_score = least - 10,
                                      .unknown = {sp->unknown, true, NULL}},
                       b->arena);
}

static bool open_albert(Builder *b) {
    int32_t cls, sep, other;
    if (!begin(b, 0)) return false;
    const Regex *ticks = regex_literal(str("``"), b->arena, b->error);
    const Regex *quotes = regex_literal(str("''"), b->arena, b->error);
    const Regex *spaces = regex_new(str(" {2,}"), b->arena, b->error);
    if (!ticks || !quotes || !spaces) return false;
    NormalizerStep *steps = arena_alloc(b->arena, 8 * sizeof *steps);
    int n = 0;
    steps[n++] = normalizer_replace(ticks, str("\""));
    steps[n++] = normalizer_replace(quotes, str("\""));
    if (!folder_flag(b->folder, "keep_accents", false)) {
        steps[n++] = normalizer_unicode(false, true);
        steps[n++] = normalizer_drop(char_is_mark);
    }
    if (folder_flag(b->folder, "do_lower_case", true)) steps[n++] = normalizer_lowercase();
    if (b->sp->charsmap.n_units) steps[n++] = normalizer_precompiled(b->sp->charsmap);
    steps[n++] = normalizer_replace(spaces, str(" "));
    b->pipeline->normalizer = (Normalizer){steps, n};
    PreTokenizerStep *cuts = arena_alloc(b->arena, 2 * sizeof *cuts);
    cuts[0] = pretokenizer_class(char_is_space, SPLIT_REMOVED);
    cuts[1] = pretokenizer_metaspace(str("\xe2\x96\x81"), PREPEND_ALWAYS, true);
    b->pipeline->pretokenizer = (PreTokenizer){cuts, 2};
    b->pipeline->model = albert_model(b);
    DecoderStep *decoder = arena_alloc(b->arena, sizeof *decoder);
    *decoder = decoder_metaspace(str("\xe2\x96\x81"), true);
    b->pipeline->decoder = (Decoder){decoder, 1};
    special(b, "unk_token", "<unk>", &other);
    special(b, "pad_token", "<pad>", &other);
    special(b, "cls_token", "[CLS]", &cls);
    special(b, "sep_token", "[SEP]", &sep);
    special(b, "mask_token", "[MASK]", &other);
    if (other >= 0) b->added.items[b->added.n - 1].lstrip = true;
    template_bert(cls, sep, false, b->arena, &b->pipeline->single, &b->pipeline->pair);
    return finish(b);
}

/* fairseq's first four ids; those of the file are overwritten. */
static bool begin_fairseq(Builder *b) {
    if (!begin(b, 1)) return false;
    put(b, 0, "<s>", false);
    put(b, 1, "<pad>", false);
    put(b, 2, "</s>", false);
    put(b, 3, "<unk>", false);
    ((int32_t *)b->pipeline->external)[b->sp->unknown] = 3;
    b->pipeline->unknown = 3;
    return true;
}

static bool open_xlm_roberta(Builder *b) {
    if (!begin_fairseq(b)) return false;
    put(b, b->sp->n + 1, "<mask>", true);
    template_bert(0, 2, true, b->arena, &b->pipeline->single, &b->pipeline->pair);
    return finish(b);
}

static bool open_camembert(Builder *b) {
    if (!begin(b, 4)) return false;
    put(b, 0, "<s>NOTUSED", false);
    put(b, 1, "<pad>", false);
    put(b, 2, "</s>NOTUSED", false);
    put(b, 3, "<unk>", false);
    put(b, 4, "<unk>NOTUSED", false);
    ((int32_t *)b->pipeline->external)[b->sp->unknown] = 3;
    b->pipeline->unknown = 3;
    int32_t bos, eos;
    special(b, "bos_token", "<s>", &bos);
    special(b, "eos_token", "</s>", &eos);
    put(b, b->sp->n + 4, "<mask>", true);
    template_bert(bos, eos, true, b->arena, &b->pipeline->single, &b->pipeline->pair);
    return finish(b);
}

static void put_languages(Builder *b, int64_t first, const char *const *codes, const char *format) {
    for (int i = 0; codes[i]; i++)
        put(b, first + i, arena_printf(b->arena, format, codes[i]), false);
}

static bool open_fairseq_languages(Builder *b, const char *const *codes, LanguageStyle style,
                                   bool in_front, const char *usual) {
    int n = 0;
    if (!begin_fairseq(b)) return false;
    put_languages(b, b->sp->n + 1, codes, "%s");
    while (codes[n])
        n++;
    put(b, b->sp->n + 1 + n, "<mask>", true);
    if (!finish(b)) return false;
    layout_languages(b->tokenizer, b->folder, style);
    if (b->tokenizer->language[0] < 0)
        b->tokenizer->language[0] = tokenizer_language_id(b->tokenizer, usual);
    layout_language_template(b->tokenizer, in_front, 2);
    return true;
}

static bool open_mbart(Builder *b) {
    bool ok = open_fairseq_languages(b, language_codes_mbart, LANGUAGES_MBART, false, "en_XX");
    b->tokenizer->begin = BEGIN_LANGUAGE;
    return ok;
}

static bool open_mbart50(Builder *b) {
    return open_fairseq_languages(b, language_codes_mbart50, LANGUAGES_MBART, true, "en_XX");
}

static bool open_nllb(Builder *b) {
    bool legacy = folder_flag(b->folder, "legacy_behaviour", false);
    return open_fairseq_languages(b, language_codes_nllb, LANGUAGES_NLLB, !legacy, "eng_Latn");
}

static bool open_m2m100(Builder *b) {
    const char *vocab = folder_file(b->folder, "vocab.json");
    Vocabulary *v = &b->pipeline->vocabulary;
    int32_t eos, unk, other;
    if (!vocab)
        return error_set(b->error, ERROR_NOT_FOUND,
                         "%s: vocab.json is missing; M2M100 has it beside its SentencePiece model",
                         b->folder->path);
    if (!begin(b, 0) || !layout_read_vocabulary(vocab, b->arena, v, b->error)) return false;
    int n_pieces = v->n_labels;
    special(b, "unk_token", "<unk>", &unk);
    special(b, "eos_token", "</s>", &eos);
    special(b, "bos_token", "<s>", &other);
    special(b, "pad_token", "<pad>", &other);
    if (unk < 0 || eos < 0)
        return error_set(b->error, ERROR_INPUT, "%s: no <unk> or no </s> in it", vocab);
    int32_t *external = arena_alloc(b->arena, (size_t)b->sp->n * sizeof *external);
    for (int i = 0; i < b->sp->n; i++) {
        int32_t id = vocabulary_id(v, b->sp->labels[i]);
        external[i] = id >= 0 ? id : unk;
    }
    b->pipeline->external = external;
    b->pipeline->unknown = unk;
    bool wmt21 = strcmp(folder_text(b->folder, "language_codes", ""), "wmt21") == 0;
    /* Its language tokens are added by the template alone: "__fr__" in a text is text. */
    int n_added = b->added.n;
    put_languages(b, n_pieces, wmt21 ? language_codes_wmt21 : language_codes_m2m100, "__%s__");
    for (int i = n_added; i < b->added.n; i++)
        vocabulary_mark(v, b->added.items[i].id, VOCABULARY_ADDED | VOCABULARY_SPECIAL);
    b->added.n = n_added;
    if (!finish(b)) return false;
    layout_languages(b->tokenizer, b->folder, LANGUAGES_M2M100);
    if (b->tokenizer->language[0] < 0)
        b->tokenizer->language[0] = tokenizer_language_id(b->tokenizer, "en");
    layout_language_template(b->tokenizer, true, eos);
    return true;
}

/* No family is named: the pieces as sentencepiece numbers them, nothing added. */
static bool open_raw(Builder *b) {
    if (!begin(b, 0)) return false;
    layout_set_spm(b->pipeline, b->sp, true, b->arena);
    for (int i = 0; i < b->sp->n; i++)
        if (b->sp->types[i] == PIECE_CONTROL)
            vocabulary_mark(&b->pipeline->vocabulary, i, VOCABULARY_SPECIAL);
    return true;
}

static const struct Family {
    const char *class; /* how tokenizer_class begins */
    const char *type;  /* model_type, where no class is named */
    bool (*open)(Builder *b);
} families[] = {
    {"MBart50", NULL, open_mbart50},
    {"MBart", "mbart", open_mbart},
    {"Nllb", NULL, open_nllb},
    {"M2M100", "m2m_100", open_m2m100},
    {"XLMRoberta", "xlm-roberta", open_xlm_roberta},
    {"Camembert", "camembert", open_camembert},
    {"Albert", "albert", open_albert},
    {"MT5", "mt5", open_t5},
    {"T5", "t5", open_t5},
    {"SpeechT5", "speecht5", open_speecht5},
    {"Llama", "llama", open_llama},
    {"CodeLlama", "mistral", open_llama},
    {"Gemma", "gemma", open_llama},
};
enum { N_FAMILIES = sizeof families / sizeof *families };

static const char *const names[] = {"sentencepiece.bpe.model", "spiece.model", "tokenizer.model",
                                    "spm_char.model", "sentencepiece.model"};

static const char *find_model(const Folder *folder) {
    const char *path = NULL;
    for (size_t i = 0; i < sizeof names / sizeof *names && !path; i++)
        path = folder_file(folder, names[i]);
    return path;
}

static bool probe(const Folder *folder) {
    return find_model(folder) != NULL;
}

static bool find_family(const Folder *folder, bool (**open)(Builder *b), Error *error) {
    const char *class = folder_text(folder, "tokenizer_class", "");
    const char *type = folder_model_type(folder);
    for (int i = 0; i < N_FAMILIES; i++) {
        bool same = *class ? strncmp(class, families[i].class, strlen(families[i].class)) == 0
                           : families[i].type && strcmp(type, families[i].type) == 0;
        if (!same) continue;
        *open = families[i].open;
        return true;
    }
    *open = open_raw;
    if (!*class) return true;
    StrBuf known = {0};
    for (int i = 0; i < N_FAMILIES; i++)
        strbuf_printf(&known, "%s%s", i ? ", " : "", families[i].class);
    error_set(
        error, ERROR_UNSUPPORTED,
        "%s/tokenizer_config.json: tokenizer_class \"%.60s\" is not known for a SentencePiece "
        "model; %s are",
        folder->path, class, known.data);
    strbuf_free(&known);
    return false;
}

static bool open_family(Tokenizer *tokenizer, const Folder *folder, Error *error) {
    Builder b = {.tokenizer = tokenizer,
                 .folder = folder,
                 .arena = folder->arena,
                 .pipeline = &tokenizer->sides[0],
                 .path = find_model(folder),
                 .added = {.arena = folder->arena},
                 .error = error};
    bool (*open)(Builder *);
    if (!find_family(folder, &open, error) || !layout_read_spm(b.path, b.arena, &b.sp, error) ||
        !open(&b))
        return false;
    tokenizer->sides[1] = tokenizer->sides[0];
    return true;
}

const Layout layout_families = {"sentencepiece",
                                "a SentencePiece model (tokenizer.model, spiece.model, "
                                "sentencepiece.bpe.model)",
                                probe, open_family};
