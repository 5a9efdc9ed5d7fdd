#include "model/tokenizer/layout.h"

#include <math.h>

#include "model/base/file.h"

void added_list_put(AddedList *list, AddedToken token) {
    if (list->n == list->capacity) {
        int capacity = list->capacity * 2 + 16;
        AddedToken *items = arena_alloc(list->arena, (size_t)capacity * sizeof *items);
        if (list->n) memcpy(items, list->items, (size_t)list->n * sizeof *items);
        list->items = items;
        list->capacity = capacity;
    }
    list->items[list->n++] = token;
}

int32_t added_list_special(AddedList *list, const Folder *folder, const Vocabulary *vocabulary,
                           const char *key, const char *usual) {
    const char *label = folder_text(folder, key, usual);
    int32_t id = label ? vocabulary_id(vocabulary, str(label)) : -1;
    for (int i = 0; i < list->n; i++)
        if (id >= 0 && list->items[i].id == id) return id;
    if (id >= 0)
        added_list_put(
            list,
            (AddedToken){.content = vocabulary_label(vocabulary, id), .id = id, .special = true});
    return id;
}

static bool flag(const json_t *json, const char *key) {
    return json_is_true(json_object_get(json, key));
}

static Str content_of(const json_t *token) {
    return folder_string(json_is_object(token) ? json_object_get(token, "content") : token);
}

/* Is this one of the tokens that tokenizer_config.json or special_tokens_map.json name? */
static bool is_named_special(const Folder *folder, Str content) {
    static const char *const keys[] = {"bos_token", "eos_token", "unk_token", "sep_token",
                                       "pad_token", "cls_token", "mask_token"};
    const json_t *places[] = {folder->settings, folder->specials}, *token;
    size_t i;
    for (size_t p = 0; p < 2; p++) {
        for (size_t k = 0; k < sizeof keys / sizeof *keys; k++) {
            Str name = content_of(json_object_get(places[p], keys[k]));
            if (name.data && str_eq(name, content)) return true;
        }
        json_array_foreach(json_object_get(places[p], "additional_special_tokens"), i, token) {
            Str name = content_of(token);
            if (name.data && str_eq(name, content)) return true;
        }
    }
    return false;
}

/* additional_special_tokens: those that nobody has numbered yet are the vocabulary's or, behind
 * all others, new (transformers, PreTrainedTokenizer.__init__). */
static void put_additional(AddedList *list, const Folder *folder, const Vocabulary *vocabulary) {
    const json_t *places[] = {folder->settings, folder->specials}, *token;
    size_t k;
    for (size_t p = 0; p < 2; p++)
        json_array_foreach(json_object_get(places[p], "additional_special_tokens"), k, token) {
            Str content = content_of(token);
            bool there = !content.n;
            int32_t id = content.n ? vocabulary_id(vocabulary, content) : -1;
            int32_t next = vocabulary->n_ids;
            for (int i = 0; i < list->n; i++) {
                there = there || str_eq(list->items[i].content, content);
                next = list->items[i].id >= next ? list->items[i].id + 1 : next;
            }
            if (there) continue;
            added_list_put(list, (AddedToken){.content = arena_str(list->arena, content),
                                              .id = id >= 0 ? id : next,
                                              .lstrip = flag(token, "lstrip"),
                                              .rstrip = flag(token, "rstrip"),
                                              .single_word = flag(token, "single_word"),
                                              .special = true});
        }
}

static bool read_files(AddedList *list, const Folder *folder, Error *error) {
    const json_t *decoder = json_object_get(folder->settings, "added_tokens_decoder");
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)decoder, key, value) {
        long long id;
        Str content = folder_string(json_object_get(value, "content"));
        if (!integer_parse(str(key), &id) || id < 0 || id >= VOCABULARY_MAX_ID || !content.data)
            return error_set(
                error, ERROR_INPUT,
                "%s/tokenizer_config.json: added_tokens_decoder: \"%.60s\" is no entry "
                "of an id and a content",
                folder->path, key);
        added_list_put(list, (AddedToken){.content = arena_str(list->arena, content),
                                          .id = (int32_t)id,
                                          .lstrip = flag(value, "lstrip"),
                                          .rstrip = flag(value, "rstrip"),
                                          .single_word = flag(value, "single_word"),
                                          .normalized = flag(value, "normalized"),
                                          .special = flag(value, "special")});
    }
    const char *path = folder_file(folder, "added_tokens.json");
    if (decoder || !path) return true;
    json_t *json = folder_json(path, folder->arena, error);
    if (!json) return false;
    size_t n_key;
    bool ok = true;
    json_object_keylen_foreach(json, key, n_key, value) {
        double id = json_number_value(value);
        ok = json_is_number(value) && id >= 0 && id < VOCABULARY_MAX_ID;
        if (!ok) {
            error_set(error, ERROR_INPUT, "%s: the id of \"%.60s\" is not one", path, key);
            break;
        }
        Str content = arena_str(list->arena, (Str){key, n_key});
        bool special = is_named_special(folder, content);
        added_list_put(list, (AddedToken){.content = content,
                                          .id = (int32_t)id,
                                          .normalized = !special,
                                          .special = special});
    }
    json_decref(json);
    return ok;
}

bool added_list_files(AddedList *list, const Folder *folder, const Vocabulary *vocabulary,
                      Error *error) {
    if (!read_files(list, folder, error)) return false;
    put_additional(list, folder, vocabulary);
    return true;
}

bool layout_add(Pipeline *pipeline, const AddedToken *items, int n, Arena *arena, Error *error) {
    AddedToken *raw = arena_alloc(arena, (size_t)n * sizeof *raw);
    AddedToken *normalized = arena_alloc(arena, (size_t)n * sizeof *normalized);
    int n_raw = 0, n_normalized = 0, most = 0;
    Vocabulary *v = &pipeline->vocabulary;
    for (int i = 0; i < n; i++)
        most = items[i].id > most ? items[i].id : most;
    vocabulary_reserve(v, most + 1);
    for (int i = 0; i < n; i++) {
        AddedToken token = items[i];
        if (!vocabulary_set(v, token.id, token.content, error)) return false;
        vocabulary_mark(v, token.id, VOCABULARY_ADDED | (token.special ? VOCABULARY_SPECIAL : 0));
        if (!token.normalized) {
            raw[n_raw++] = token;
            continue;
        }
        Aligned content = aligned_text(token.content, arena);
        if (content.n)
            token.content = aligned_str(normalizer_apply(&pipeline->normalizer, content, arena));
        normalized[n_normalized++] = token;
    }
    pipeline->added = added_build(raw, n_raw, arena);
    pipeline->added_normalized = added_build(normalized, n_normalized, arena);
    return true;
}

bool layout_read_vocabulary(const char *path, Arena *arena, Vocabulary *out, Error *error) {
    json_t *json = folder_json(path, arena, error);
    if (!json) return false;
    *out = vocabulary_new(arena, (int)json_object_size(json));
    bool ok = true;
    const char *key;
    size_t n_key;
    json_t *value;
    json_object_keylen_foreach(json, key, n_key, value) {
        double id = json_is_number(value) ? json_number_value(value) : 0.5;
        if (!(id > -1e15 && id < 1e15) || id != floor(id)) {
            ok = error_set(error, ERROR_INPUT, "the id of \"%.60s\" is not a whole number", key);
            id = 0;
        }
        ok = ok && vocabulary_set(out, (int64_t)id, vocabulary_keep(out, (Str){key, n_key}), error);
        if (!ok) break;
    }
    json_decref(json);
    if (ok && !out->n_ids) ok = error_set(error, ERROR_INPUT, "no pieces in it");
    return ok || error_prefix(error, "%s", path);
}

bool layout_read_spm(const char *path, Arena *arena, SentencePiece **out, Error *error) {
    Str bytes;
    *out = arena_alloc(arena, sizeof **out);
    if (!file_read(path, 0, arena, &bytes, error)) return false;
    return sentencepiece_read(bytes, arena, *out, error) || error_prefix(error, "%s", path);
}

const NormalizerStep *layout_normalizer(NormalizerStep step, Arena *arena) {
    return memcpy(arena_alloc(arena, sizeof step), &step, sizeof step);
}

void layout_set_spm(Pipeline *pipeline, const SentencePiece *sp, bool raw, Arena *arena) {
    pipeline->normalizer = (Normalizer){layout_normalizer(normalizer_sentencepiece(sp), arena), 1};
    DecoderStep *decoder = arena_alloc(arena, 2 * sizeof *decoder);
    decoder[0] = decoder_sentencepiece(sp);
    decoder[1] = decoder_trim();
    if (raw) {
        decoder[0].from = sp->labels[sp->unknown];
        decoder[0].to = sp->unknown_surface;
    }
    pipeline->decoder = (Decoder){decoder, raw ? 1 : 2};
}

void layout_append(Pipeline *pipeline, int32_t id, Arena *arena) {
    TemplateItem eos = {TEMPLATE_TOKEN, id, 0};
    template_around(NULL, &eos, arena, &pipeline->single, &pipeline->pair);
}

bool layout_base64(Str text, Arena *arena, Str *out) {
    char *bytes = arena_alloc(arena, text.n / 4 * 3 + 4);
    size_t n = 0;
    unsigned bits = 0, n_bits = 0;
    while (text.n && text.data[text.n - 1] == '=')
        text.n--;
    for (size_t i = 0; i < text.n; i++) {
        char c = text.data[i];
        int value = c >= 'A' && c <= 'Z'   ? c - 'A'
                    : c >= 'a' && c <= 'z' ? c - 'a' + 26
                    : c >= '0' && c <= '9' ? c - '0' + 52
                    : c == '+'             ? 62
                    : c == '/'             ? 63
                                           : -1;
        if (value < 0) return false;
        bits = bits << 6 | (unsigned)value;
        n_bits += 6;
        if (n_bits < 8) continue;
        n_bits -= 8;
        bytes[n++] = (char)(bits >> n_bits & 0xff);
    }
    *out = (Str){bytes, n};
    return true;
}
