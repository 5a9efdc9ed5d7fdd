/* SentencePiece's BPE merges the adjacent pair whose joint piece has the highest score. Hugging
 * Face writes that as a list of merges: every way in which a piece is made of two others, by
 * descending score of the piece (transformers, convert_slow_tokenizer.py, generate_merges). */
#include "model/checkpoint/vocabulary.h"

#include <stdlib.h>
#include <string.h>

#include "model/base/utf8.h"

enum { MAX_MERGED_BYTES = 256 }; /* longer pieces are found whole or not at all */

static const struct {
    const char *pre;   /* tokenizer.ggml.pre */
    const char *regex; /* NULL: the one of GPT-2, built into ByteLevel */
    bool ignore_merges, nfc;
} pre_tokenizers[] = {
    {"", NULL, false, false},
    {"default", NULL, false, false},
    {"gpt-2", NULL, false, false},
    {"gpt2", NULL, false, false},
    {"phi-2", NULL, false, false},
    {"mpt", NULL, false, false},
    {"olmo", NULL, false, false},
    {"jais", NULL, false, false},
    {"llama-bpe",
     "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| "
     "?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
     true, false},
    {"qwen2",
     "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| "
     "?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
     false, true},
};
enum { N_PRE_TOKENIZERS = sizeof pre_tokenizers / sizeof *pre_tokenizers };

static json_t *text_of(Str s) {
    return json_stringn(s.data, s.n);
}

static bool check_pieces(const Vocabulary *v, const char *path, Error *error) {
    for (int id = 0; id < v->n_pieces; id++)
        if (utf8_invalid_at(v->pieces[id].text) != v->pieces[id].text.n)
            return error_set(error, ERROR_INPUT, "%s: piece %d of the vocabulary is not UTF-8",
                             path, id);
    const int ids[] = {v->unknown, v->bos, v->eos};
    for (int i = 0; i < 3; i++)
        if (ids[i] < -1 || ids[i] >= v->n_pieces)
            return error_set(error, ERROR_INPUT,
                             "%s: special token %d, the vocabulary has %d pieces", path, ids[i],
                             v->n_pieces);
    return true;
}

static json_t *vocabulary_of(const Vocabulary *v) {
    json_t *ids = json_object();
    for (int id = 0; id < v->n_pieces; id++)
        json_object_setn_new_nocheck(ids, v->pieces[id].text.data, v->pieces[id].text.n,
                                     json_integer(id));
    return ids;
}

static json_t *added_tokens(const Vocabulary *v) {
    json_t *added = json_array();
    for (int id = 0; id < v->n_pieces; id++) {
        const VocabularyPiece *piece = &v->pieces[id];
        bool special = piece->type == PIECE_CONTROL || piece->type == PIECE_UNKNOWN;
        if (!special && piece->type != PIECE_USER) continue;
        /* SentencePiece finds these in the text as it is normalized; with a prefix Hugging Face's
         * normalizer would put one before the token too. */
        bool normalized = !special && !v->byte_level && !v->add_space_prefix;
        json_array_append_new(added,
                              json_pack("{s:i, s:o, s:b, s:b, s:b, s:b, s:b}", "id", id, "content",
                                        text_of(piece->text), "single_word", 0, "lstrip", 0,
                                        "rstrip", 0, "normalized", normalized, "special", special));
    }
    return added;
}

/* Merges of SentencePiece's BPE. */

typedef struct Merge {
    Str whole;
    size_t left_bytes;
    float score;
    int left, right; /* ids, for the order among equals */
} Merge;

typedef struct Merges {
    Merge *items;
    size_t n, capacity;
} Merges;

static int by_score(const void *a, const void *b) {
    const Merge *x = a, *y = b;
    if (x->score != y->score) return x->score > y->score ? -1 : 1;
    if (x->whole.data != y->whole.data) return x->whole.data < y->whole.data ? -1 : 1;
    if (x->left != y->left) return x->left - y->left;
    return x->right - y->right;
}

static void add_merges_of(Merges *merges, const VocabularyPiece *piece, const json_t *ids) {
    Str whole = piece->text;
    if (whole.n > MAX_MERGED_BYTES || piece->type == PIECE_CONTROL || piece->type == PIECE_BYTE)
        return;
    for (size_t cut = 1; cut < whole.n; cut++) {
        if (((unsigned char)whole.data[cut] & 0xc0) == 0x80) continue;
        const json_t *left = json_object_getn(ids, whole.data, cut);
        const json_t *right = left ? json_object_getn(ids, whole.data + cut, whole.n - cut) : NULL;
        if (!right) continue;
        if (merges->n == merges->capacity) {
            merges->capacity = merges->capacity ? 2 * merges->capacity : 1024;
            merges->items = realloc(merges->items, merges->capacity * sizeof *merges->items);
            if (!merges->items) abort();
        }
        merges->items[merges->n++] =
            (Merge){whole, cut, piece->score, (int)json_integer_value(left),
                    (int)json_integer_value(right)};
    }
}

static json_t *merges_by_score(const Vocabulary *v, const json_t *ids) {
    Merges merges = {0};
    for (int id = 0; id < v->n_pieces; id++)
        add_merges_of(&merges, &v->pieces[id], ids);
    if (merges.n) qsort(merges.items, merges.n, sizeof *merges.items, by_score);
    json_t *list = json_array();
    StrBuf line = {0};
    for (size_t i = 0; i < merges.n; i++) {
        const Merge *m = &merges.items[i];
        line.n = 0;
        strbuf_add(&line, m->whole.data, m->left_bytes);
        strbuf_putc(&line, ' ');
        strbuf_add(&line, m->whole.data + m->left_bytes, m->whole.n - m->left_bytes);
        json_array_append_new(list, json_stringn_nocheck(line.data, line.n));
    }
    strbuf_free(&line);
    free(merges.items);
    return list;
}

/* The parts of tokenizer.json around the model. */

static json_t *special_item(const Vocabulary *v, int id) {
    return json_pack("{s:{s:o, s:i}}", "SpecialToken", "id", text_of(v->pieces[id].text), "type_id",
                     0);
}

static json_t *template_of(const Vocabulary *v, bool pair) {
    json_t *items = json_array();
    for (int side = 0; side < (pair ? 2 : 1); side++) {
        if (v->add_bos && v->bos >= 0) json_array_append_new(items, special_item(v, v->bos));
        json_array_append_new(items, json_pack("{s:{s:s, s:i}}", "Sequence", "id", side ? "B" : "A",
                                               "type_id", side));
        if (v->add_eos && v->eos >= 0) json_array_append_new(items, special_item(v, v->eos));
    }
    return items;
}

static json_t *post_processor(const Vocabulary *v) {
    json_t *specials = json_object();
    const int ids[] = {v->add_bos ? v->bos : -1, v->add_eos ? v->eos : -1};
    for (int i = 0; i < 2; i++) {
        if (ids[i] < 0) continue;
        Str text = v->pieces[ids[i]].text;
        json_object_setn_new_nocheck(specials, text.data, text.n,
                                     json_pack("{s:o, s:[i], s:[o]}", "id", text_of(text), "ids",
                                               ids[i], "tokens", text_of(text)));
    }
    return json_pack("{s:s, s:o, s:o, s:o}", "type", "TemplateProcessing", "single",
                     template_of(v, false), "pair", template_of(v, true), "special_tokens",
                     specials);
}

#define SPACE_MARK "\xe2\x96\x81"

static json_t *llama_normalizer(const Vocabulary *v) {
    json_t *steps = json_array();
    if (v->add_space_prefix)
        json_array_append_new(steps,
                              json_pack("{s:s, s:s, s:b}", "type", "Prepend", "prepend", SPACE_MARK,
                                        "attnscope_spanless", 1)); /* as sentencepiece has it */
    json_array_append_new(steps, json_pack("{s:s, s:{s:s}, s:s}", "type", "Replace", "pattern",
                                           "String", " ", "content", SPACE_MARK));
    return json_pack("{s:s, s:o}", "type", "Sequence", "normalizers", steps);
}

static json_t *llama_decoder(const Vocabulary *v) {
    json_t *steps =
        json_pack("[{s:s, s:{s:s}, s:s}, {s:s}, {s:s}]", "type", "Replace", "pattern", "String",
                  SPACE_MARK, "content", " ", "type", "ByteFallback", "type", "Fuse");
    if (v->add_space_prefix)
        json_array_append_new(steps, json_pack("{s:s, s:s, s:i, s:i}", "type", "Strip", "content",
                                               " ", "start", 1, "stop", 0));
    return json_pack("{s:s, s:o}", "type", "Sequence", "decoders", steps);
}

static json_t *llama_json(const Vocabulary *v) {
    json_t *ids = vocabulary_of(v);
    json_t *merges = merges_by_score(v, ids);
    json_t *unknown = v->unknown >= 0 ? text_of(v->pieces[v->unknown].text) : json_null();
    json_t *model =
        json_pack("{s:s, s:n, s:o, s:b, s:b, s:o, s:o}", "type", "BPE", "dropout", "unk_token",
                  unknown, "fuse_unk", 1, "byte_fallback", 1, "vocab", ids, "merges", merges);
    return json_pack("{s:s, s:o, s:o, s:n, s:o, s:o, s:o}", "version", "1.0", "added_tokens",
                     added_tokens(v), "normalizer", llama_normalizer(v), "pre_tokenizer",
                     "post_processor", post_processor(v), "decoder", llama_decoder(v), "model",
                     model);
}

static json_t *byte_level(bool use_regex) {
    return json_pack("{s:s, s:b, s:b, s:b}", "type", "ByteLevel", "add_prefix_space", 0,
                     "trim_offsets", 0, "use_regex", use_regex);
}

static json_t *split_then_bytes(const char *regex) {
    if (!regex) return byte_level(true);
    return json_pack("{s:s, s:[{s:s, s:{s:s}, s:s, s:b}, o]}", "type", "Sequence", "pretokenizers",
                     "type", "Split", "pattern", "Regex", regex, "behavior", "Isolated", "invert",
                     0, byte_level(false));
}

static json_t *byte_level_json(const Vocabulary *v, const char *path, Error *error) {
    int kind = 0;
    while (kind < N_PRE_TOKENIZERS && !str_is(v->pre, pre_tokenizers[kind].pre))
        kind++;
    if (kind == N_PRE_TOKENIZERS) {
        error_set(error, ERROR_UNSUPPORTED, "%s: tokenizer.ggml.pre %.*s is not known", path,
                  (int)(v->pre.n < 100 ? v->pre.n : 100), v->pre.data);
        return NULL;
    }
    json_t *merges = json_array();
    for (int i = 0; i < v->n_merges; i++) {
        json_t *merge = text_of(v->merges[i]);
        if (merge) {
            json_array_append_new(merges, merge);
            continue;
        }
        error_set(error, ERROR_INPUT, "%s: merge %d of the vocabulary is not UTF-8", path, i);
        json_decref(merges);
        return NULL;
    }
    json_t *model =
        json_pack("{s:s, s:n, s:n, s:b, s:b, s:b, s:o, s:o}", "type", "BPE", "dropout", "unk_token",
                  "fuse_unk", 0, "byte_fallback", 0, "ignore_merges",
                  pre_tokenizers[kind].ignore_merges, "vocab", vocabulary_of(v), "merges", merges);
    json_t *nfc = pre_tokenizers[kind].nfc ? json_pack("{s:s}", "type", "NFC") : json_null();
    bool around = (v->add_bos && v->bos >= 0) || (v->add_eos && v->eos >= 0);
    return json_pack("{s:s, s:o, s:o, s:o, s:o, s:o, s:o}", "version", "1.0", "added_tokens",
                     added_tokens(v), "normalizer", nfc, "pre_tokenizer",
                     split_then_bytes(pre_tokenizers[kind].regex), "post_processor",
                     around ? post_processor(v) : byte_level(true), "decoder", byte_level(true),
                     "model", model);
}

json_t *vocabulary_json(const Vocabulary *vocabulary, const char *path, Error *error) {
    if (!check_pieces(vocabulary, path, error)) return NULL;
    return vocabulary->byte_level ? byte_level_json(vocabulary, path, error)
                                  : llama_json(vocabulary);
}
