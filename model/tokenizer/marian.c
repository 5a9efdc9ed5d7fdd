/* Marian and OPUS-MT: source.spm cuts what is translated, target.spm what comes out, vocab.json
 * says which id a piece has. ">>fra<<" at the beginning of a source names the language wanted.
 *
 * And Firefox' translations: one .spm for both sides, ids are the numbers of its pieces.
 */
#include "model/tokenizer/layout.h"

#include "model/base/file.h"

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
    if (!layout_read_vocabulary(vocab, arena, v, error) || !layout_read_spm(spm, arena, &sp, error))
        return false;
    if (!sentencepiece_model(sp, arena, &pipeline->model, error))
        return error_prefix(error, "%s", spm);
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
    layout_set_spm(pipeline, sp, false, arena);
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
    layout_languages(tokenizer, folder, LANGUAGES_TAGS);
    return true;
}

const Layout layout_marian = {"marian", "source.spm + target.spm + vocab.json", marian_probe,
                              marian_open};

static bool spm_probe(const Folder *folder) {
    return folder_file_ending(folder, ".spm") != NULL;
}

bool layout_spm_read(Str bytes, Pipeline *pipeline, Arena *arena, SentencePiece **out,
                     Error *error) {
    SentencePiece *sp = *out = arena_alloc(arena, sizeof *sp);
    Vocabulary *v = &pipeline->vocabulary;
    if (!sentencepiece_read(bytes, arena, sp, error) ||
        !sentencepiece_model(sp, arena, &pipeline->model, error))
        return false;
    *v = vocabulary_new(arena, sp->n);
    for (int i = 0; i < sp->n; i++) {
        vocabulary_set(v, i, sp->labels[i], NULL);
        if (sp->types[i] == PIECE_CONTROL) vocabulary_mark(v, i, VOCABULARY_SPECIAL);
    }
    pipeline->unknown = sp->unknown;
    layout_set_spm(pipeline, sp, true, arena);
    return true;
}

static bool spm_open(Tokenizer *tokenizer, const Folder *folder, Error *error) {
    const char *path = folder_file_ending(folder, ".spm");
    Pipeline *pipeline = &tokenizer->sides[0];
    SentencePiece *sp;
    Str bytes;
    if (!file_read(path, 0, folder->arena, &bytes, error)) return false;
    if (!layout_spm_read(bytes, pipeline, folder->arena, &sp, error))
        return error_prefix(error, "%s", path);
    if (sp->eos >= 0) layout_append(pipeline, sp->eos, folder->arena);
    tokenizer->sides[1] = *pipeline;
    layout_languages(tokenizer, folder, LANGUAGES_TAGS);
    pipeline->leading_tag = tokenizer->n_languages > 0;
    return true;
}

const Layout layout_spm = {"spm", "a vocabulary .spm", spm_probe, spm_open};
