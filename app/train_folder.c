#include "app/train_folder.h"

#include <stdlib.h>
#include <string.h>

#include "model/base/file.h"
#include "model/base/json.h"

/* >>fra<<, and a language of this vocabulary. */
static bool is_tag(const Tokenizer *tokenizer, Str token, Arena *arena) {
    if (token.n <= 4 || !str_starts(token, ">>") || !str_ends(token, "<<")) return false;
    const char *code = arena_str(arena, str_sub(token, 2, token.n - 2)).data;
    return tokenizer_language_id(tokenizer, code) >= 0;
}

/* Every id where it was; >>eng<< is the tag that such a corpus is trained with, where there is one.
 */
static json_t *without_tags(const json_t *vocabulary, const TrainFolder *how, Arena *arena) {
    json_t *out = json_object();
    const char *token;
    json_t *id;
    json_object_foreach((json_t *)(uintptr_t)vocabulary, token, id) {
        bool tag = is_tag(how->tokenizer, str(token), arena) && strcmp(token, ">>eng<<") != 0;
        int n = (int)strlen(token) - 4;
        json_object_set(out, tag ? arena_printf(arena, "<unused_%.*s>", n, token + 2) : token, id);
    }
    return out;
}

static json_t *languages_swapped(const json_t *config, const TrainFolder *how, Arena *arena) {
    (void)how, (void)arena;
    json_t *out = json_deep_copy(config);
    json_t *source = json_object_get(config, "source_lang");
    json_t *target = json_object_get(config, "target_lang");
    if (source && target) {
        json_object_set_new(out, "source_lang", json_deep_copy(target));
        json_object_set_new(out, "target_lang", json_deep_copy(source));
    }
    return out;
}

/* The head that aligns best was measured on other weights. */
static json_t *without_head(const json_t *config, const TrainFolder *how, Arena *arena) {
    (void)how, (void)arena;
    json_t *out = json_deep_copy(config);
    json_object_del(out, "attnscope");
    return out;
}

typedef json_t *Change(const json_t *old, const TrainFolder *how, Arena *arena);

static const struct {
    const char *name;
    Change *change; /* NULL: as it is */
    bool only_reversed;
} files[] = {{"config.json", without_head, false},
             {"generation_config.json", NULL, false},
             {"tokenizer_config.json", languages_swapped, true},
             {"special_tokens_map.json", NULL, false},
             {"vocab.json", without_tags, true},
             {"source.spm", NULL, false},
             {"target.spm", NULL, false}};

enum { N_FILES = sizeof files / sizeof *files };

static bool read_changed(const char *path, Change *change, const TrainFolder *how, Arena *arena,
                         Str *out, Error *error) {
    json_t *old = json_read_object(path, 0, error);
    if (!old) return false;
    json_t *new = change(old, how, arena);
    char *text = json_dumps(new, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
    if (!text) abort();
    *out = str(arena_printf(arena, "%s\n", text));
    free(text);
    json_decref(new);
    json_decref(old);
    return true;
}

typedef struct ModelFile {
    const char *to;
    Str data; /* NULL: nothing to write */
} ModelFile;

/* What is to be written; an older file of the same contents stays. */
static bool prepare(const char *folder, int number, const TrainFolder *how, Arena *arena,
                    ModelFile *out, Error *error) {
    const char *name = files[number].name, *from = path_join(arena, how->model, name);
    bool changes = files[number].change && (how->reverse || !files[number].only_reversed);
    Str old;
    *out = (ModelFile){.to = path_join(arena, folder, name)};
    bool there = file_exists(out->to);
    if (!file_exists(from) || (how->resume && there)) return true;
    if (changes ? !read_changed(from, files[number].change, how, arena, &out->data, error)
                : !file_read(from, 0, arena, &out->data, error))
        return false;
    if (!there) return true;
    if (!file_read(out->to, 0, arena, &old, error)) return false;
    bool same = str_eq(old, out->data);
    out->data = (Str){0};
    return same ||
           error_set(error, ERROR_INPUT,
                     "%s: is there already and is another model's than %s; choose another folder",
                     out->to, how->model);
}

bool train_folder_fill(const char *folder, const TrainFolder *how, Arena *arena, Error *error) {
    ModelFile made[N_FILES];
    for (int i = 0; i < N_FILES; i++) /* all before the first is written */
        if (!prepare(folder, i, how, arena, &made[i], error)) return false;
    for (int i = 0; i < N_FILES; i++)
        if (made[i].data.data && !file_save(made[i].to, made[i].data.data, made[i].data.n, error))
            return false;
    return true;
}
