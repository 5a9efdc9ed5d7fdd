/* The model, the vocabulary and the post-processor of a tokenizer.json. */
#include <math.h>

#include "model/tokenizer/bpe.h"
#include "model/tokenizer/parts.h"
#include "model/tokenizer/unigram.h"
#include "model/tokenizer/wordpiece.h"

static Str string_of(const json_t *json) {
    return (Str){json_string_value(json), json_string_length(json)};
}

static bool read_labels(PartReader *reader, const json_t *vocab, Vocabulary *out) {
    if (!json_is_object(vocab))
        return part_fail(reader, "\"vocab\" is not an object of pieces and ids");
    *out = vocabulary_new(reader->arena, (int)json_object_size(vocab));
    const char *key;
    size_t n_key;
    json_t *value;
    int64_t most = 0, number; /* ids may have holes */
    json_object_foreach((json_t *)vocab, key, value) if (part_integer(value, &number) &&
                                                         number > most &&
                                                         number < VOCABULARY_MAX_ID) most = number;
    vocabulary_reserve(out, (int)most + 1);
    json_object_keylen_foreach((json_t *)vocab, key, n_key, value) {
        int64_t id;
        if (!part_integer(value, &id))
            return part_fail(reader, "the id of \"%.60s\" is not a whole number", key);
        if (!vocabulary_set(out, id, vocabulary_keep(out, (Str){key, n_key}), reader->error))
            return error_prefix(reader->error, "%s", reader->where);
    }
    return true;
}

/* The two sides of merge i: "a b" or ["a", "b"]. */
static bool merge_parts(PartReader *reader, const json_t *merge, size_t i, Str *left, Str *right) {
    if (json_is_array(merge) && json_array_size(merge) == 2) {
        *left = string_of(json_array_get(merge, 0));
        *right = string_of(json_array_get(merge, 1));
        if (left->data && right->data) return true;
    }
    Str line = string_of(merge);
    const char *space = line.data ? memchr(line.data, ' ', line.n) : NULL;
    if (!space) return part_fail(reader, "merge %zu does not have two parts", i);
    *left = str_sub(line, 0, (size_t)(space - line.data));
    *right = str_sub(line, left->n + 1, line.n);
    if (memchr(right->data, ' ', right->n))
        return part_fail(reader, "merge %zu \"%.60s\" has more than two parts", i, line.data);
    return true;
}

static bool read_merges(PartReader *reader, const json_t *json, BpeSpec *spec) {
    if (!json_is_array(json)) return part_fail(reader, "\"merges\" is not a list");
    size_t n = json_array_size(json);
    BpeMerge *merges = arena_alloc(reader->arena, (n + 1) * sizeof *merges);
    int n_kept = 0;
    for (size_t i = 0; i < n; i++) {
        Str left, right;
        if (!merge_parts(reader, json_array_get(json, i), i, &left, &right)) return false;
        if (bpe_merge(spec->vocabulary, spec->prefix, left, right, &merges[n_kept])) {
            n_kept++;
        } else if (merges[n_kept].left >= 0 && merges[n_kept].right >= 0) {
            return part_fail(reader, "merge %zu makes \"%.*s%.*s\", which is not in the vocabulary",
                             i, (int)left.n, left.data, (int)right.n, right.data);
        } /* a merge of pieces that there are not never happens */
    }
    spec->merges = merges;
    spec->n_merges = n_kept;
    return true;
}

static bool read_bpe(PartReader *reader, const json_t *json, const Vocabulary *v,
                     Pipeline *pipeline) {
    const json_t *dropout = json_object_get(json, "dropout");
    if (json_number_value(dropout) > 0)
        return part_fail(reader, "a dropout of %g: the cut would be random; null or 0 is expected",
                         json_number_value(dropout));
    Str unk = part_text(reader, json, "unk_token", "");
    BpeSpec spec = {.vocabulary = v,
                    .prefix = part_text(reader, json, "continuing_subword_prefix", ""),
                    .suffix = part_text(reader, json, "end_of_word_suffix", ""),
                    .whole_first = part_flag(reader, json, "ignore_merges", false),
                    .unknown = {.id = unk.n ? vocabulary_id(v, unk) : -1,
                                .fuse = part_flag(reader, json, "fuse_unk", false)}};
    if (part_flag(reader, json, "byte_fallback", false))
        spec.unknown.bytes = bpe_byte_ids(v, reader->arena);
    if (!error_ok(reader->error) || !read_merges(reader, json_object_get(json, "merges"), &spec))
        return false;
    pipeline->unknown = spec.unknown.id;
    pipeline->model = bpe_new(&spec, reader->arena);
    return true;
}

static bool read_wordpiece(PartReader *reader, const json_t *json, const Vocabulary *v,
                           Pipeline *pipeline) {
    int64_t max_chars = 100;
    Str unk = part_text(reader, json, "unk_token", "[UNK]");
    Str prefix = part_text(reader, json, "continuing_subword_prefix", "##");
    const json_t *limit = json_object_get(json, "max_input_chars_per_word");
    if (limit && (!part_integer(limit, &max_chars) || max_chars < 0 || max_chars > INT32_MAX))
        return part_fail(reader, "max_input_chars_per_word is not a count");
    pipeline->unknown = vocabulary_id(v, unk);
    if (!error_ok(reader->error)) return false;
    if (pipeline->unknown < 0)
        return part_fail(reader, "the unk_token \"%.60s\" is not in the vocabulary", unk.data);
    pipeline->model = wordpiece_new(v, prefix, (int)max_chars, pipeline->unknown, reader->arena);
    return true;
}

static bool read_wordlevel(PartReader *reader, const json_t *json, const Vocabulary *v,
                           Pipeline *pipeline) {
    Str unk = part_text(reader, json, "unk_token", "<unk>");
    pipeline->unknown = vocabulary_id(v, unk);
    pipeline->model = wordlevel_new(v, pipeline->unknown, reader->arena);
    return error_ok(reader->error);
}

static bool read_unigram(PartReader *reader, const json_t *json, Pipeline *pipeline) {
    const json_t *vocab = json_object_get(json, "vocab"), *unk = json_object_get(json, "unk_id");
    int n = (int)json_array_size(vocab);
    if (!n) return part_fail(reader, "\"vocab\" is not a list of pieces and scores");
    Vocabulary *v = &pipeline->vocabulary;
    *v = vocabulary_new(reader->arena, n);
    double *scores = arena_alloc(reader->arena, (size_t)n * sizeof *scores), least = INFINITY;
    for (int i = 0; i < n; i++) {
        const json_t *entry = json_array_get(vocab, (size_t)i);
        const json_t *piece = json_array_get(entry, 0), *score = json_array_get(entry, 1);
        if (!json_is_string(piece) || !json_is_number(score))
            return part_fail(reader, "entry %d of \"vocab\" is not [piece, score]", i);
        scores[i] = json_number_value(score);
        if (!isfinite(scores[i])) return part_fail(reader, "the score of piece %d is no number", i);
        least = scores[i] < least ? scores[i] : least;
        if (!vocabulary_set(v, i, vocabulary_keep(v, string_of(piece)), reader->error))
            return error_prefix(reader->error, "%s", reader->where);
    }
    int64_t unk_id = -1;
    if (unk && !json_is_null(unk) && (!part_integer(unk, &unk_id) || unk_id < 0 || unk_id >= n))
        return part_fail(reader, "unk_id is not the number of a piece");
    UnigramSpec spec = {.n = n,
                        .labels = v->labels,
                        .scores = scores,
                        .unknown_score = least - 10,
                        .unknown = {.id = (int32_t)unk_id, .fuse = true}};
    if (part_flag(reader, json, "byte_fallback", false))
        spec.unknown.bytes = bpe_byte_ids(v, reader->arena);
    pipeline->unknown = (int32_t)unk_id;
    pipeline->model = unigram_new(&spec, reader->arena);
    return error_ok(reader->error);
}

/* Old files do not say; the Rust library then tries one after the other. */
static const char *guess_type(const json_t *json) {
    if (json_object_get(json, "merges")) return "BPE";
    if (json_is_array(json_object_get(json, "vocab"))) return "Unigram";
    if (json_object_get(json, "max_input_chars_per_word")) return "WordPiece";
    return "WordLevel";
}

bool parts_model(PartReader *reader, const json_t *json, Pipeline *pipeline) {
    if (!json_is_object(json)) return part_fail(reader, "an object is expected");
    const char *type = part_type(json);
    if (!*type) type = guess_type(json);
    if (!strcmp(type, "Unigram")) return read_unigram(reader, json, pipeline);
    bool bpe = !strcmp(type, "BPE"), wordpiece = !strcmp(type, "WordPiece");
    if (!bpe && !wordpiece && strcmp(type, "WordLevel") != 0)
        return error_set(reader->error, ERROR_UNSUPPORTED,
                         "%s: type \"%.60s\" is not known; BPE, Unigram, WordLevel, WordPiece are",
                         reader->where, type);
    /* Two of them: added tokens are no pieces of the model. */
    Vocabulary *own = arena_alloc(reader->arena, sizeof *own);
    if (!read_labels(reader, json_object_get(json, "vocab"), own)) return false;
    pipeline->vocabulary = vocabulary_copy(own);
    if (bpe) return read_bpe(reader, json, own, pipeline);
    if (wordpiece) return read_wordpiece(reader, json, own, pipeline);
    return read_wordlevel(reader, json, own, pipeline);
}

/* ---- post-processors ---- */

enum { MAX_ITEMS = 256 };

static bool read_pair(PartReader *reader, const json_t *part, const char *key, int32_t *out) {
    const json_t *pair = json_object_get(part, key);
    int64_t id;
    if (!part_integer(json_array_get(pair, 1), &id) || id < 0 || id >= VOCABULARY_MAX_ID)
        return part_fail(reader, "\"%s\" is not [token, id]", key);
    *out = (int32_t)id;
    return true;
}

/* [CLS] A [SEP] B [SEP], and RoBERTa's with two separators between. */
static bool read_bert(PartReader *reader, const json_t *part, bool roberta, Pipeline *pipeline) {
    int32_t cls, sep;
    if (!read_pair(reader, part, "cls", &cls) || !read_pair(reader, part, "sep", &sep))
        return false;
    if (roberta) {
        pipeline->trim_offsets = part_flag(reader, part, "trim_offsets", true);
        pipeline->prefix_space = part_flag(reader, part, "add_prefix_space", true);
    }
    template_bert(cls, sep, roberta, reader->arena, &pipeline->single, &pipeline->pair);
    return error_ok(reader->error);
}

static bool add_items(PartReader *reader, const json_t *item, const json_t *specials,
                      TemplateItem *items, int *n) {
    const json_t *sequence = json_object_get(item, "Sequence");
    const json_t *special = json_object_get(item, "SpecialToken");
    const json_t *body = sequence ? sequence : special;
    int64_t type = 0, id = -1;
    const char *name = json_string_value(json_object_get(body, "id"));
    part_integer(json_object_get(body, "type_id"), &type);
    if (!name || type < 0 || type > 255)
        return part_fail(reader, "a template item is neither Sequence nor SpecialToken");
    if (sequence) {
        if (*n >= MAX_ITEMS) return part_fail(reader, "more than %d items", MAX_ITEMS);
        TemplateKind kind = strcmp(name, "B") == 0 ? TEMPLATE_SECOND : TEMPLATE_FIRST;
        items[(*n)++] = (TemplateItem){kind, 0, (int)type};
        return true;
    }
    const json_t *ids = json_object_get(json_object_get(specials, name), "ids");
    if (!json_array_size(ids))
        return part_fail(reader, "\"special_tokens\" has no ids for \"%.60s\"", name);
    for (size_t i = 0; i < json_array_size(ids); i++) {
        if (!part_integer(json_array_get(ids, i), &id) || id < 0 || id >= VOCABULARY_MAX_ID)
            return part_fail(reader, "the id of \"%.60s\" is none", name);
        if (*n >= MAX_ITEMS) return part_fail(reader, "more than %d items", MAX_ITEMS);
        items[(*n)++] = (TemplateItem){TEMPLATE_TOKEN, (int32_t)id, (int)type};
    }
    return true;
}

static bool read_template(PartReader *reader, const json_t *part, const char *key, Template *out) {
    const json_t *list = json_object_get(part, key);
    TemplateItem *items = arena_alloc(reader->arena, MAX_ITEMS * sizeof *items);
    int n = 0;
    if (!json_is_array(list)) return part_fail(reader, "\"%s\" is not a list", key);
    for (size_t i = 0; i < json_array_size(list); i++)
        if (!add_items(reader, json_array_get(list, i), json_object_get(part, "special_tokens"),
                       items, &n))
            return false;
    *out = (Template){items, n};
    return true;
}

static bool read_postprocessor(PartReader *reader, const json_t *part, void *to) {
    Pipeline *pipeline = to;
    const char *type = part_type(part);
    if (!strcmp(type, "BertProcessing")) return read_bert(reader, part, false, pipeline);
    if (!strcmp(type, "RobertaProcessing")) return read_bert(reader, part, true, pipeline);
    if (!strcmp(type, "ByteLevel")) {
        pipeline->trim_offsets = part_flag(reader, part, "trim_offsets", true);
        pipeline->prefix_space = part_flag(reader, part, "add_prefix_space", true);
        return error_ok(reader->error);
    }
    if (!strcmp(type, "TemplateProcessing"))
        return read_template(reader, part, "single", &pipeline->single) &&
               read_template(reader, part, "pair", &pipeline->pair);
    return error_set(reader->error, ERROR_UNSUPPORTED,
                     "%s: type \"%.60s\" is not known; BertProcessing, ByteLevel, "
                     "RobertaProcessing, Sequence, TemplateProcessing are",
                     reader->where, type);
}

bool parts_postprocessor(PartReader *reader, const json_t *json, Pipeline *pipeline) {
    return part_each(reader, json, "processors", read_postprocessor, pipeline);
}
