/* Normalizers, pre-tokenizers and decoders of a tokenizer.json: one row a type. */
#include "model/base/utf8.h"
#include "model/tokenizer/chars.h"
#include "model/tokenizer/layout.h"
#include "model/tokenizer/parts.h"

enum { MAX_STEPS = 64 };

static bool bad_type(PartReader *reader, const json_t *part, const char *known) {
    return error_set(reader->error, ERROR_UNSUPPORTED, "%s: type \"%.60s\" is not known; %s are",
                     reader->where, part_type(part), known);
}

static bool full(PartReader *reader, int n, int n_more) {
    return n + n_more > MAX_STEPS && !part_fail(reader, "more than %d steps", MAX_STEPS);
}

/* ---- normalizers ---- */

typedef struct NormalizerList {
    NormalizerStep steps[MAX_STEPS];
    int n;
} NormalizerList;

static bool read_charsmap(PartReader *reader, const json_t *part, Charsmap *out) {
    Str text = part_text(reader, part, "precompiled_charsmap", ""), blob;
    if (!error_ok(reader->error)) return false;
    if (!layout_base64(text, reader->arena, &blob))
        return part_fail(reader, "precompiled_charsmap is not base64");
    return charsmap_read(blob, reader->arena, out, reader->error) ||
           error_prefix(reader->error, "%s", reader->where);
}

static bool read_normalizer(PartReader *reader, const json_t *part, void *to) {
    NormalizerList *list = to;
    const char *type = part_type(part);
    if (full(reader, list->n, BERT_MAX_STEPS)) return false;
    NormalizerStep *next = &list->steps[list->n];
    int n = 1;
    if (!strcmp(type, "NFC") || !strcmp(type, "NFD") || !strcmp(type, "NFKC") ||
        !strcmp(type, "NFKD")) {
        *next = normalizer_unicode(type[strlen(type) - 1] == 'C', type[2] == 'K');
    } else if (!strcmp(type, "Lowercase")) {
        *next = normalizer_lowercase();
    } else if (!strcmp(type, "StripAccents")) {
        *next = normalizer_drop(char_is_mark);
    } else if (!strcmp(type, "ByteLevel")) {
        *next = normalizer_bytes();
    } else if (!strcmp(type, "Strip")) {
        *next = normalizer_strip(part_flag(reader, part, "strip_left", true),
                                 part_flag(reader, part, "strip_right", true));
    } else if (!strcmp(type, "Nmt")) {
        next[0] = normalizer_drop(normalizer_nmt_drops);
        next[1] = normalizer_map(normalizer_nmt_space);
        n = 2;
    } else if (!strcmp(type, "Prepend")) {
        *next = normalizer_prepend(part_text(reader, part, "prepend", ""),
                                   part_flag(reader, part, "attnscope_spanless", false));
    } else if (!strcmp(type, "Precompiled")) {
        Charsmap map = {0};
        if (!read_charsmap(reader, part, &map)) return false;
        *next = normalizer_precompiled(map);
    } else if (!strcmp(type, "Replace")) {
        const Regex *pattern = part_pattern(reader, part);
        if (!pattern) return false;
        *next = normalizer_replace(pattern, part_text(reader, part, "content", ""));
    } else if (!strcmp(type, "BertNormalizer")) {
        bool lowercase = part_flag(reader, part, "lowercase", true);
        n = normalizer_bert(&(BertRules){part_flag(reader, part, "clean_text", true),
                                         part_flag(reader, part, "handle_chinese_chars", true),
                                         part_flag(reader, part, "strip_accents", lowercase),
                                         lowercase},
                            next);
    } else {
        return bad_type(reader, part,
                        "BertNormalizer, ByteLevel, Lowercase, NFC, NFD, NFKC, NFKD, Nmt, "
                        "Precompiled, Prepend, Replace, Sequence, Strip, StripAccents");
    }
    list->n += n;
    return error_ok(reader->error);
}

bool parts_normalizer(PartReader *reader, const json_t *json, Normalizer *out) {
    NormalizerList list = {.n = 0};
    if (!part_each(reader, json, "normalizers", read_normalizer, &list)) return false;
    size_t n_bytes = (size_t)list.n * sizeof *list.steps;
    *out = (Normalizer){memcpy(arena_alloc(reader->arena, n_bytes), list.steps, n_bytes), list.n};
    return true;
}

/* ---- pre-tokenizers ---- */

typedef struct PreTokenizerList {
    PreTokenizerStep steps[MAX_STEPS];
    int n;
} PreTokenizerList;

static bool read_behavior(PartReader *reader, const json_t *part, const char *usual,
                          SplitBehavior *out) {
    static const char *const names[] = {"Removed", "Isolated", "Contiguous", "MergedWithPrevious",
                                        "MergedWithNext"};
    Str name = part_text(reader, part, "behavior", usual);
    for (int i = 0; i < 5; i++)
        if (str_is(name, names[i])) {
            *out = (SplitBehavior)i;
            return true;
        }
    return part_fail(reader, "behavior \"%.60s\" is not known", name.data);
}

static bool read_metaspace(PartReader *reader, const json_t *part, PreTokenizerStep *out) {
    Str mark = part_text(reader, part, "replacement", "\xe2\x96\x81");
    if (utf8_count(mark) != 1)
        return part_fail(reader, "replacement \"%.60s\" is not one character", mark.data);
    bool prefix = part_flag(reader, part, "add_prefix_space", true);
    Str scheme = part_text(reader, part, "prepend_scheme", prefix ? "always" : "never");
    PrependScheme prepend = str_is(scheme, "first")   ? PREPEND_FIRST
                            : str_is(scheme, "never") ? PREPEND_NEVER
                                                      : PREPEND_ALWAYS;
    if (prepend == PREPEND_ALWAYS && !str_is(scheme, "always"))
        return part_fail(reader, "prepend_scheme \"%.60s\" is not known", scheme.data);
    *out = pretokenizer_metaspace(mark, prepend, part_flag(reader, part, "split", true));
    return true;
}

static bool from_regex(PartReader *reader, const char *pattern, SplitBehavior behavior, bool invert,
                       PreTokenizerStep *out) {
    const Regex *regex = regex_new(str(pattern), reader->arena, reader->error);
    if (!regex) return false;
    *out = pretokenizer_pattern(regex, behavior, invert);
    return true;
}

static bool read_bytelevel(PartReader *reader, const json_t *part, PreTokenizerStep *out) {
    const Regex *regex = NULL;
    if (part_flag(reader, part, "use_regex", true)) {
        regex = regex_new(str(pretokenizer_gpt2_pattern), reader->arena, reader->error);
        if (!regex) return false;
    }
    *out = pretokenizer_bytes(part_flag(reader, part, "add_prefix_space", true), regex);
    return true;
}

/* \w+|[^\w\s]+ as the library of that pre-tokenizer reads it (Rust's own regex, not Oniguruma):
 * joiners are of words. */
static const char words[] = "[\\w\\x{200c}\\x{200d}]+|[^\\w\\s\\x{200c}\\x{200d}]+";

static bool read_pretokenizer(PartReader *reader, const json_t *part, void *to) {
    PreTokenizerList *list = to;
    const char *type = part_type(part);
    SplitBehavior behavior = SPLIT_ISOLATED;
    if (full(reader, list->n, 2)) return false;
    PreTokenizerStep *next = &list->steps[list->n++];
    bool ok = true;
    if (!strcmp(type, "ByteLevel")) {
        ok = read_bytelevel(reader, part, next);
    } else if (!strcmp(type, "Metaspace")) {
        ok = read_metaspace(reader, part, next);
    } else if (!strcmp(type, "BertPreTokenizer")) {
        next[0] = pretokenizer_class(char_is_space, SPLIT_REMOVED);
        next[1] = pretokenizer_class(char_is_punctuation, SPLIT_ISOLATED);
        list->n++;
    } else if (!strcmp(type, "Whitespace")) {
        ok = from_regex(reader, words, SPLIT_REMOVED, true, next);
    } else if (!strcmp(type, "WhitespaceSplit")) {
        *next = pretokenizer_class(char_is_space, SPLIT_REMOVED);
    } else if (!strcmp(type, "Punctuation")) {
        ok = read_behavior(reader, part, "Isolated", &behavior);
        *next = pretokenizer_class(char_is_punctuation, behavior);
    } else if (!strcmp(type, "Digits")) {
        bool each = part_flag(reader, part, "individual_digits", false);
        *next = pretokenizer_class(char_is_numeric, each ? SPLIT_ISOLATED : SPLIT_CONTIGUOUS);
    } else if (!strcmp(type, "CharDelimiterSplit")) {
        const Regex *regex =
            regex_literal(part_text(reader, part, "delimiter", ""), reader->arena, reader->error);
        ok = regex != NULL;
        if (ok) *next = pretokenizer_pattern(regex, SPLIT_REMOVED, false);
    } else if (!strcmp(type, "Split")) {
        const Regex *regex = part_pattern(reader, part);
        ok = regex && read_behavior(reader, part, "Removed", &behavior);
        if (ok)
            *next = pretokenizer_pattern(regex, behavior, part_flag(reader, part, "invert", false));
    } else {
        return bad_type(reader, part,
                        "BertPreTokenizer, ByteLevel, CharDelimiterSplit, Digits, Metaspace, "
                        "Punctuation, Sequence, Split, Whitespace, WhitespaceSplit");
    }
    return ok && error_ok(reader->error);
}

bool parts_pretokenizer(PartReader *reader, const json_t *json, PreTokenizer *out) {
    PreTokenizerList list = {.n = 0};
    if (!part_each(reader, json, "pretokenizers", read_pretokenizer, &list)) return false;
    size_t n_bytes = (size_t)list.n * sizeof *list.steps;
    *out = (PreTokenizer){memcpy(arena_alloc(reader->arena, n_bytes), list.steps, n_bytes), list.n};
    return true;
}

/* ---- decoders ---- */

typedef struct DecoderList {
    DecoderStep steps[MAX_STEPS];
    int n;
} DecoderList;

static bool read_decoder(PartReader *reader, const json_t *part, void *to) {
    DecoderList *list = to;
    const char *type = part_type(part);
    if (full(reader, list->n, 1)) return false;
    DecoderStep *next = &list->steps[list->n++];
    if (!strcmp(type, "ByteLevel")) {
        *next = decoder_bytes();
    } else if (!strcmp(type, "ByteFallback")) {
        *next = decoder_byte_fallback();
    } else if (!strcmp(type, "Fuse")) {
        *next = decoder_fuse();
    } else if (!strcmp(type, "WordPiece")) {
        *next = decoder_wordpiece(part_text(reader, part, "prefix", "##"),
                                  part_flag(reader, part, "cleanup", true));
    } else if (!strcmp(type, "BPEDecoder")) {
        *next = decoder_suffix(part_text(reader, part, "suffix", "</w>"));
    } else if (!strcmp(type, "Metaspace")) {
        Str mark = part_text(reader, part, "replacement", "\xe2\x96\x81");
        bool prefix = part_flag(reader, part, "add_prefix_space", true);
        Str scheme = part_text(reader, part, "prepend_scheme", prefix ? "always" : "never");
        *next = decoder_metaspace(mark, !str_is(scheme, "never"));
    } else if (!strcmp(type, "Replace")) {
        const Regex *pattern = part_pattern(reader, part);
        if (!pattern) return false;
        *next = decoder_replace(pattern, part_text(reader, part, "content", ""));
    } else if (!strcmp(type, "Strip")) {
        int64_t start = 0, stop = 0;
        part_integer(json_object_get(part, "start"), &start);
        part_integer(json_object_get(part, "stop"), &stop);
        if (start < 0 || stop < 0 || start > 1000 || stop > 1000)
            return part_fail(reader, "Strip: start and stop from 0 to 1000 are expected");
        *next = decoder_strip(part_text(reader, part, "content", " "), (int)start, (int)stop);
    } else {
        return bad_type(reader, part,
                        "BPEDecoder, ByteFallback, ByteLevel, Fuse, Metaspace, Replace, Sequence, "
                        "Strip, WordPiece");
    }
    return error_ok(reader->error);
}

bool parts_decoder(PartReader *reader, const json_t *json, Decoder *out) {
    DecoderList list = {.n = 0};
    if (!part_each(reader, json, "decoders", read_decoder, &list)) return false;
    size_t n_bytes = (size_t)list.n * sizeof *list.steps;
    *out = (Decoder){memcpy(arena_alloc(reader->arena, n_bytes), list.steps, n_bytes), list.n};
    return true;
}
