/* Marian and OPUS-MT: source.spm cuts what is translated, target.spm what comes out, vocab.json
 * says which id a piece has. ">>fra<<" at the beginning of a source names the language wanted.
 *
 * And Firefox' translations: one .spm for both sides, ids are the numbers of its pieces.
 */
#include "model/tokenizer/layout.h"

#include "model/base/file.h"

bool layout_read_spm(const char *path, Arena *arena, SentencePiece **out, Error *error) {
    Str bytes;
    *out = arena_alloc(arena, sizeof **out);
    if (!file_read(path, 0, arena, &bytes, error)) return false;
    return sentencepiece_read(bytes, arena, *out, error) || error_prefix(error, "%s: ", path);
}

void layout_append(Pipeline *pipeline, int32_t id, Arena *arena) {
    TemplateItem *items = arena_alloc(arena, 5 * sizeof *items);
    items[0] = (TemplateItem){TEMPLATE_FIRST, 0, 0};
    items[1] = (TemplateItem){TEMPLATE_TOKEN, id, 0};
    items[2] = (TemplateItem){TEMPLATE_FIRST, 0, 0};
    items[3] = (TemplateItem){TEMPLATE_SECOND, 0, 0};
    items[4] = (TemplateItem){TEMPLATE_TOKEN, id, 0};
    pipeline->single = (Template){items, 2};
    pipeline->pair = (Template){items + 2, 3};
}

void layout_find_tags(Tokenizer *tokenizer) {
    Vocabulary *v = &tokenizer->sides[0].vocabulary;
    int n = 0, at = 0;
    for (int id = 0; id < v->n_ids; id++)
        n +=
            v->labels[id].n > 4 && str_starts(v->labels[id], ">>") && str_ends(v->labels[id], "<<");
    Language *languages = arena_alloc(tokenizer->arena, (size_t)n * sizeof *languages);
    const char **codes = arena_alloc(tokenizer->arena, ((size_t)n + 1) * sizeof *codes);
    for (int id = 0; id < v->n_ids; id++) {
        Str label = v->labels[id];
        if (label.n <= 4 || !str_starts(label, ">>") || !str_ends(label, "<<")) continue;
        codes[at] = arena_str(tokenizer->arena, str_sub(label, 2, label.n - 2)).data;
        languages[at] = (Language){codes[at], id};
        vocabulary_mark(v, id, VOCABULARY_TAG);
        at++;
    }
    codes[at] = NULL;
    tokenizer->languages = languages;
    tokenizer->language_codes = codes;
    tokenizer->n_languages = n;
    tokenizer->tags = true;
}

static void set_spm(Pipeline *pipeline, const SentencePiece *sp, Arena *arena) {
    NormalizerStep *step = arena_alloc(arena, sizeof *step);
    *step = normalizer_sentencepiece(sp);
    pipeline->normalizer = (Normalizer){step, 1};
    DecoderStep *decoder = arena_alloc(arena, sizeof *decoder);
    *decoder = decoder_sentencepiece();
    pipeline->decoder = (Decoder){decoder, 1};
}

static bool read_vocabulary(const char *path, Arena *arena, Vocabulary *out, Error *error) {
    json_t *json = folder_json(path, arena, error);
    if (!json) return false;
    *out = vocabulary_new(arena, (int)json_object_size(json));
    bool ok = true;
    const char *key;
    size_t n_key;
    json_t *value;
    json_object_keylen_foreach(json, key, n_key, value) {
        if (!json_is_integer(value))
            ok = error_set(error, ERROR_INPUT, "the id of \"%s\" is not a whole number", key);
        ok = ok && vocabulary_set(out, json_integer_value(value),
                                  arena_str(arena, (Str){key, n_key}), error);
        if (!ok) break;
    }
    json_decref(json);
    return ok || error_prefix(error, "%s: ", path);
}

static bool find_special(const Folder *folder, Vocabulary *v, const char *key, const char *usual,
                         int32_t *out, Error *error) {
    const char *label = folder_text(folder, key, usual);
    *out = vocabulary_id(v, str(label));
    if (*out < 0)
        return error_set(error, ERROR_INPUT, "%s/vocab.json: no \"%s\" in it, the %s", folder->path,
                         label, key);
    vocabulary_mark(v, *out, VOCABULARY_SPECIAL | VOCABULARY_ADDED);
    return true;
}

static bool open_side(Pipeline *pipeline, const Folder *folder, const char *vocab, const char *spm,
                      Error *error) {
    Arena *arena = folder->arena;
    Vocabulary *v = &pipeline->vocabulary;
    SentencePiece *sp;
    if (!read_vocabulary(vocab, arena, v, error) || !layout_read_spm(spm, arena, &sp, error))
        return false;
    if (!sentencepiece_model(sp, arena, &pipeline->model, error))
        return error_prefix(error, "%s: ", spm);
    int32_t unk, eos, pad;
    if (!find_special(folder, v, "unk_token", "<unk>", &unk, error) ||
        !find_special(folder, v, "eos_token", "</s>", &eos, error))
        return false;
    if (!find_special(folder, v, "pad_token", "<pad>", &pad, NULL)) pad = -1;
    int32_t *external = arena_alloc(arena, (size_t)sp->n * sizeof *external);
    for (int i = 0; i < sp->n; i++) {
        int32_t id = vocabulary_id(v, sp->labels[i]);
        external[i] = id >= 0 ? id : unk;
    }
    const int32_t specials[] = {unk, eos, pad};
    AddedToken added[3];
    for (int i = 0; i < 3; i++)
        added[i] = (AddedToken){.content = vocabulary_label(v, specials[i]), .id = specials[i]};
    pipeline->added = added_build(added, 3, arena);
    pipeline->external = external;
    pipeline->unknown = unk;
    pipeline->leading_tag = true;
    set_spm(pipeline, sp, arena);
    layout_append(pipeline, eos, arena);
    return true;
}

static bool marian_probe(const Folder *folder) {
    return folder_file(folder, "source.spm") != NULL;
}

static bool marian_open(Tokenizer *tokenizer, const Folder *folder, Error *error) {
    const char *vocab = folder_file(folder, "vocab.json");
    const char *target_vocab = folder_file(folder, "target_vocab.json");
    const char *source = folder_file(folder, "source.spm");
    const char *target = folder_file(folder, "target.spm");
    if (!vocab || !target)
        return error_set(error, ERROR_NOT_FOUND,
                         "%s: source.spm is there and %s is not; a Marian model has source.spm, "
                         "target.spm and vocab.json",
                         folder->path, vocab ? "target.spm" : "vocab.json");
    if (!folder_flag(folder, "separate_vocabs", false) || !target_vocab) target_vocab = vocab;
    if (!open_side(&tokenizer->sides[0], folder, vocab, source, error) ||
        !open_side(&tokenizer->sides[1], folder, target_vocab, target, error))
        return false;
    layout_find_tags(tokenizer);
    return true;
}

const Layout layout_marian = {"marian", "source.spm + target.spm + vocab.json", marian_probe,
                              marian_open};

static bool spm_probe(const Folder *folder) {
    return folder_file_ending(folder, ".spm") != NULL;
}

static bool spm_open(Tokenizer *tokenizer, const Folder *folder, Error *error) {
    const char *path = folder_file_ending(folder, ".spm");
    Pipeline *pipeline = &tokenizer->sides[0];
    Vocabulary *v = &pipeline->vocabulary;
    SentencePiece *sp;
    if (!layout_read_spm(path, folder->arena, &sp, error)) return false;
    if (!sentencepiece_model(sp, folder->arena, &pipeline->model, error))
        return error_prefix(error, "%s: ", path);
    *v = vocabulary_new(folder->arena, sp->n);
    for (int i = 0; i < sp->n; i++) {
        vocabulary_set(v, i, sp->labels[i], NULL);
        if (sp->types[i] == PIECE_CONTROL || sp->types[i] == PIECE_UNKNOWN)
            vocabulary_mark(v, i, VOCABULARY_SPECIAL);
    }
    pipeline->unknown = sp->unknown;
    set_spm(pipeline, sp, folder->arena);
    if (sp->eos >= 0) layout_append(pipeline, sp->eos, folder->arena);
    tokenizer->sides[1] = *pipeline;
    layout_find_tags(tokenizer);
    pipeline->leading_tag = tokenizer->n_languages > 0;
    return true;
}

const Layout layout_spm = {"spm", "a vocabulary .spm", spm_probe, spm_open};
