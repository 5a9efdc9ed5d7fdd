/* tokenizer.json of the Hugging Face tokenizers library: everything is said in the file. */
#include "model/tokenizer/layout.h"
#include "model/tokenizer/parts.h"

static bool probe(const Folder *folder) {
    return folder_file(folder, "tokenizer.json") != NULL;
}

static bool read_added(PartReader *reader, const json_t *list, Pipeline *pipeline) {
    AddedList added = {.arena = reader->arena};
    reader->where = "added_tokens";
    if (list && !json_is_array(list)) return part_fail(reader, "a list is expected");
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *item = json_array_get(list, i);
        int64_t id;
        if (!part_integer(json_object_get(item, "id"), &id) || id < 0 || id >= VOCABULARY_MAX_ID)
            return part_fail(reader, "entry %zu has no id from 0 to %d", i, VOCABULARY_MAX_ID - 1);
        if (!json_is_string(json_object_get(item, "content")))
            return part_fail(reader, "entry %zu has no content", i);
        bool special = part_flag(reader, item, "special", false);
        added_list_put(&added,
                       (AddedToken){.content = part_text(reader, item, "content", ""),
                                    .id = (int32_t)id,
                                    .lstrip = part_flag(reader, item, "lstrip", false),
                                    .rstrip = part_flag(reader, item, "rstrip", false),
                                    .single_word = part_flag(reader, item, "single_word", false),
                                    .normalized = part_flag(reader, item, "normalized", !special),
                                    .special = special});
    }
    return error_ok(reader->error) &&
           layout_add(pipeline, added.items, added.n, reader->arena, reader->error);
}

static bool read_parts(PartReader *reader, const json_t *root, Pipeline *pipeline) {
    reader->where = "model";
    if (!parts_model(reader, json_object_get(root, "model"), pipeline)) return false;
    reader->where = "normalizer";
    if (!parts_normalizer(reader, json_object_get(root, "normalizer"), &pipeline->normalizer))
        return false;
    reader->where = "pre_tokenizer";
    if (!parts_pretokenizer(reader, json_object_get(root, "pre_tokenizer"),
                            &pipeline->pretokenizer))
        return false;
    reader->where = "post_processor";
    if (!parts_postprocessor(reader, json_object_get(root, "post_processor"), pipeline))
        return false;
    reader->where = "decoder";
    if (!parts_decoder(reader, json_object_get(root, "decoder"), &pipeline->decoder)) return false;
    return read_added(reader, json_object_get(root, "added_tokens"), pipeline);
}

/* Of translation models the file holds one language pair's template; the languages are tokens. */
static void find_languages(Tokenizer *tokenizer, const Folder *folder) {
    const char *class = folder_text(folder, "tokenizer_class", "");
    const char *type = folder_model_type(folder);
    Pipeline *pipeline = &tokenizer->sides[0];
    const char *eos_label = folder_text(folder, "eos_token", "</s>");
    int32_t eos = vocabulary_id(&pipeline->vocabulary, str(eos_label));
    if (!strncmp(class, "Nllb", 4) && layout_languages(tokenizer, folder, LANGUAGES_NLLB)) {
        bool legacy = folder_flag(folder, "legacy_behaviour", false);
        if (tokenizer->language[0] >= 0) layout_language_template(tokenizer, !legacy, eos);
    } else if ((!strncmp(class, "MBart", 5) || !strcmp(type, "mbart")) &&
               layout_languages(tokenizer, folder, LANGUAGES_MBART)) {
        bool fifty = !strncmp(class, "MBart50", 7);
        if (!fifty) tokenizer->begin = BEGIN_LANGUAGE;
        if (tokenizer->language[0] >= 0) layout_language_template(tokenizer, fifty, eos);
    } else if (!strcmp(type, "m2m_100")) {
        layout_languages(tokenizer, folder, LANGUAGES_M2M100);
    } else if (!strcmp(type, "whisper")) {
        layout_languages(tokenizer, folder, LANGUAGES_WHISPER);
    } else if (!strcmp(type, "marian")) {
        layout_languages(tokenizer, folder, LANGUAGES_TAGS);
        pipeline->leading_tag = tokenizer->n_languages > 0;
    }
}

/* CLIP's words end in "</w>", which its file leaves to whoever decodes. */
static void end_words(Pipeline *pipeline, Arena *arena, Error *error) {
    const Regex *end = regex_literal(str("</w>"), arena, error);
    DecoderStep *steps = arena_alloc(arena, ((size_t)pipeline->decoder.n + 2) * sizeof *steps);
    int n = pipeline->decoder.n;
    if (n) memcpy(steps, pipeline->decoder.steps, (size_t)n * sizeof *steps);
    steps[n++] = decoder_replace(end, str(" "));
    steps[n++] = decoder_trim();
    pipeline->decoder = (Decoder){steps, n};
}

bool layout_json_read(const json_t *root, Pipeline *pipeline, Arena *arena, Error *error) {
    PartReader reader = {.arena = arena, .error = error};
    pipeline->unknown = -1;
    return read_parts(&reader, root, pipeline);
}

static bool open_json(Tokenizer *tokenizer, const Folder *folder, Error *error) {
    const char *path = folder_file(folder, "tokenizer.json");
    Pipeline *pipeline = &tokenizer->sides[0];
    json_t *root = folder_json(path, folder->arena, error);
    if (!root) return false;
    bool ok = layout_json_read(root, pipeline, folder->arena, error);
    json_decref(root);
    if (!ok) return error_prefix(error, "%s", path);
    find_languages(tokenizer, folder);
    if (!strncmp(folder_text(folder, "tokenizer_class", ""), "CLIP", 4))
        end_words(pipeline, folder->arena, error);
    tokenizer->sides[1] = *pipeline;
    return true;
}

const Layout layout_json = {"tokenizer.json", "tokenizer.json", probe, open_json};
