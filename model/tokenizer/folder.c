#include "model/tokenizer/folder.h"

#include <dirent.h>
#include <stdlib.h>

#include "model/base/file.h"

/* A value takes about 48 bytes once it is read, and may take two in the file. */
static bool few_enough_values(Str text) {
    size_t n_values = 0, limit = (2 * text.n + ((size_t)64 << 20)) / 48;
    bool inside = false;
    for (size_t i = 0; i < text.n; i++) {
        char c = text.data[i];
        if (inside && c == '\\')
            i++;
        else if (c == '"')
            inside = !inside;
        else if (!inside && (c == ',' || c == ':' || c == '[' || c == '{'))
            n_values++;
    }
    return n_values <= limit;
}

json_t *folder_parse(Str text, const char *path, Error *error) {
    json_error_t why;
    if (!few_enough_values(text)) {
        error_set(error, ERROR_INPUT, "%s: far more values than a vocabulary would have", path);
        return NULL;
    }
    json_t *json = json_loadb(text.data, text.n, JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL, &why);
    if (!json) {
        error_set(error, ERROR_INPUT, "%s: not JSON: %s (line %d, column %d)", path, why.text,
                  why.line, why.column);
        return NULL;
    }
    if (json_is_object(json)) return json;
    error_set(error, ERROR_INPUT, "%s: a JSON object is expected at the top", path);
    json_decref(json);
    return NULL;
}

json_t *folder_json(const char *path, Arena *arena, Error *error) {
    Str text;
    ArenaMark mark = arena_mark(arena);
    json_t *json = NULL;
    if (file_read(path, (size_t)256 << 20, arena, &text, error))
        json = folder_parse(text, path, error);
    arena_reset(arena, mark);
    return json;
}

const char *folder_file(const Folder *folder, const char *name) {
    const char *path = path_join(folder->arena, folder->path, name);
    return file_exists(path) ? path : NULL;
}

const char *folder_file_ending(const Folder *folder, const char *ending) {
    DIR *dir = opendir(folder->path);
    if (!dir) return NULL;
    const char *found = NULL;
    for (struct dirent *entry; (entry = readdir(dir));) {
        if (entry->d_name[0] == '.' || !str_ends(str(entry->d_name), ending)) continue;
        if (found && strcmp(entry->d_name, found) > 0) continue;
        if (folder_file(folder, entry->d_name)) found = arena_strdup(folder->arena, entry->d_name);
    }
    closedir(dir);
    return found ? folder_file(folder, found) : NULL;
}

static bool read_optional(Folder *folder, const char *name, json_t **out, Error *error) {
    const char *path = folder_file(folder, name);
    *out = path ? folder_json(path, folder->arena, error) : json_object();
    return *out != NULL;
}

bool folder_open(const char *path, Arena *arena, Folder *out, Error *error) {
    *out = (Folder){.path = arena_strdup(arena, path), .arena = arena};
    if (!file_is_folder(path))
        return error_set(error, ERROR_NOT_FOUND, "%s: no such folder; a model's folder is expected",
                         path);
    bool ok = read_optional(out, "tokenizer_config.json", &out->settings, error) &&
              read_optional(out, "config.json", &out->config, error) &&
              read_optional(out, "special_tokens_map.json", &out->specials, error);
    if (!ok) folder_close(out);
    return ok;
}

void folder_close(Folder *folder) {
    json_decref(folder->settings);
    json_decref(folder->config);
    json_decref(folder->specials);
    folder->settings = folder->config = folder->specials = NULL;
}

static const char *text_of(const json_t *value) {
    if (json_is_object(value)) value = json_object_get(value, "content");
    return json_string_value(value);
}

const char *folder_text(const Folder *folder, const char *key, const char *otherwise) {
    const char *text = text_of(json_object_get(folder->settings, key));
    if (!text) text = text_of(json_object_get(folder->specials, key));
    return text ? text : otherwise;
}

bool folder_flag(const Folder *folder, const char *key, bool otherwise) {
    const json_t *value = json_object_get(folder->settings, key);
    return json_is_boolean(value) ? json_is_true(value) : otherwise;
}

const char *folder_model_type(const Folder *folder) {
    const char *type = json_string_value(json_object_get(folder->config, "model_type"));
    return type ? type : "";
}

Str folder_string(const json_t *string) {
    return (Str){json_string_value(string), json_string_length(string)};
}
