#include "app/window/settings.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/base/file.h"

static bool find_path(char *path, size_t size) {
    const char *base = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
    int n;
    if (base && base[0] == '/')
        n = snprintf(path, size, "%s/attnscope/window.json", base);
    else if (home && home[0] == '/')
        n = snprintf(path, size, "%s/.local/state/attnscope/window.json", home);
    else
        n = -1;
    if (n > 0 && (size_t)n < size) return true;
    path[0] = 0;
    return false;
}

static void read_list(const json_t *from, char *list[SETTINGS_RECENT]) {
    int n = 0;
    for (size_t i = 0; i < json_array_size(from) && n < SETTINGS_RECENT; i++) {
        const char *s = json_string_value(json_array_get(from, i));
        if (s && strlen(s) < 65536) list[n++] = strdup(s);
    }
}

static void read_text(const json_t *from, char *out, size_t size) {
    const char *s = json_string_value(from);
    if (s && strlen(s) < size) memcpy(out, s, strlen(s) + 1);
}

static int bounded(const json_t *from, int low, int high) {
    json_int_t x = json_integer_value(from);
    return x < low || x > high ? 0 : (int)x;
}

static void set_aside(const Settings *settings, const char *why, char *note, size_t size) {
    char aside[1200];
    snprintf(aside, sizeof aside, "%s.broken", settings->path);
    if (rename(settings->path, aside) == 0)
        snprintf(note, size, "The session could not be read (%s); it was set aside as %s", why,
                 aside);
    else
        snprintf(note, size, "The session could not be read (%s): %s", why, settings->path);
}

void settings_load(Settings *settings, char *note, size_t note_size) {
    memset(settings, 0, sizeof *settings);
    settings->scale = 1;
    if (!find_path(settings->path, sizeof settings->path) || !file_exists(settings->path)) return;
    Arena *arena = arena_new();
    Str text;
    Error error = {0};
    json_error_t at;
    json_t *root = NULL;
    if (!file_read(settings->path, 4u << 20, arena, &text, &error)) {
        snprintf(note, note_size, "%s", error.message);
    } else if (!(root = json_loadb(text.data, text.n, 0, &at)) || !json_is_object(root)) {
        char why[256];
        snprintf(why, sizeof why, "line %d: %s", root ? 1 : at.line,
                 root ? "an object is expected" : at.text);
        set_aside(settings, why, note, note_size);
    } else {
        settings->width = bounded(json_object_get(root, "width"), 320, 16384);
        settings->height = bounded(json_object_get(root, "height"), 240, 16384);
        double scale = json_number_value(json_object_get(root, "scale"));
        if (scale >= 0.5 && scale <= 4) settings->scale = scale;
        read_text(json_object_get(root, "theme"), settings->theme, sizeof settings->theme);
        read_text(json_object_get(root, "folder"), settings->folder, sizeof settings->folder);
        read_list(json_object_get(root, "models"), settings->models);
        read_list(json_object_get(root, "sentences"), settings->sentences);
        json_t *state = json_object_get(root, "state");
        if (json_is_object(state)) settings->state = json_incref(state);
    }
    json_decref(root);
    arena_free(arena);
}

static json_t *write_list(char *const list[SETTINGS_RECENT]) {
    json_t *array = json_array();
    for (int i = 0; i < SETTINGS_RECENT && list[i]; i++) {
        json_t *s = json_string(list[i]);
        if (s) json_array_append_new(array, s);
    }
    return array;
}

bool settings_save(const Settings *settings, Error *error) {
    if (!settings->path[0]) return true;
    if (!folder_make_above(settings->path, error)) return false;
    json_t *root = json_object();
    json_object_set_new(root, "format", json_string("attnscope-window-1"));
    json_object_set_new(root, "width", json_integer(settings->width));
    json_object_set_new(root, "height", json_integer(settings->height));
    json_object_set_new(root, "scale", json_real(settings->scale));
    json_object_set_new(root, "theme", json_string(settings->theme));
    json_object_set_new(root, "folder", json_string(settings->folder));
    json_object_set_new(root, "models", write_list(settings->models));
    json_object_set_new(root, "sentences", write_list(settings->sentences));
    if (settings->state) json_object_set(root, "state", settings->state);
    char *text = json_dumps(root, JSON_INDENT(1));
    json_decref(root);
    if (!text) return error_set(error, ERROR_INPUT, "the session cannot be written as JSON");
    bool ok = file_save(settings->path, text, strlen(text), error);
    free(text);
    return ok;
}

void settings_free(Settings *settings) {
    for (int i = 0; i < SETTINGS_RECENT; i++) {
        free(settings->models[i]);
        free(settings->sentences[i]);
    }
    json_decref(settings->state);
    memset(settings, 0, sizeof *settings);
}

void settings_recent(char *list[SETTINGS_RECENT], const char *item) {
    int at = 0;
    while (at < SETTINGS_RECENT - 1 && list[at] && strcmp(list[at], item) != 0)
        at++;
    char *copy = strdup(item);
    if (!copy) abort();
    free(list[at]);
    memmove(list + 1, list, (size_t)at * sizeof *list);
    list[0] = copy;
}
