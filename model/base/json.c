#include "model/base/json.h"

#include <stdint.h>
#include <string.h>

#include "model/base/arena.h"
#include "model/base/file.h"

/* The quote that ends the string which begins at `quote`; text.n where none does. */
static size_t string_end(Str text, size_t quote) {
    size_t i = quote + 1;
    while (i < text.n && text.data[i] != '"')
        i += text.data[i] == '\\' ? 2 : 1;
    return i < text.n ? i : text.n;
}

/* Sizes of jansson 2.14 on 64 bits with malloc's overhead: a value 32, an object with its first
 * buckets 256, a member 80. A comma or colon stands for a value, a brace for an object. */
size_t json_tree_bytes(Str text) {
    size_t n_bytes = 64;
    for (size_t i = 0; i < text.n; i++) {
        char c = text.data[i];
        if (c == '"') {
            size_t end = string_end(text, i);
            n_bytes += end - i;
            i = end;
        }
        if (c == '{') n_bytes += 256;
        if (c == '[') n_bytes += 128;
        if (c == ',') n_bytes += 48;
        if (c == ':') n_bytes += 80;
    }
    return n_bytes;
}

/* End of an integer over 2^63 - 1 that begins here, 0 if it is not one. */
static size_t long_integer_end(Str text, size_t begin) {
    size_t i = begin;
    while (i < text.n && text.data[i] >= '0' && text.data[i] <= '9')
        i++;
    bool integer = i == text.n || !strchr(".eE", text.data[i]);
    if (!integer || i - begin < 19) return 0;
    bool fits = i - begin == 19 && memcmp(text.data + begin, "9223372036854775807", 19) <= 0;
    return fits ? 0 : i;
}

static bool rewrite_long_integers(Str text, StrBuf *out) {
    size_t copied = 0;
    for (size_t i = 0; i < text.n; i++) {
        if (text.data[i] == '"') i = string_end(text, i);
        if (i == text.n || text.data[i] < '0' || text.data[i] > '9') continue;
        size_t end = long_integer_end(text, i);
        if (end) {
            strbuf_add(out, text.data + copied, end - copied);
            strbuf_puts(out, ".0");
            copied = end;
        }
        while (i + 1 < text.n && strchr("0123456789.eE+-", text.data[i + 1]) && text.data[i + 1])
            i++;
    }
    if (copied) strbuf_add(out, text.data + copied, text.n - copied);
    return copied > 0;
}

json_t *json_parse(Str text, const char *where, size_t flags, size_t max_tree_bytes, Error *error) {
    if (!max_tree_bytes) max_tree_bytes = 2 * text.n + ((size_t)64 << 20);
    size_t tree_bytes = json_tree_bytes(text);
    if (tree_bytes > max_tree_bytes) {
        error_set(error, ERROR_INPUT,
                  "%s: %zu bytes of JSON would need %zu MB of memory, at most %zu expected", where,
                  text.n, tree_bytes >> 20, max_tree_bytes >> 20);
        return NULL;
    }
    StrBuf rewritten = {0};
    if (rewrite_long_integers(text, &rewritten)) text = strbuf_str(&rewritten);
    json_error_t wrong;
    json_t *root = json_loadb(text.data, text.n, flags | JSON_ALLOW_NUL, &wrong);
    if (!root)
        error_set(error, ERROR_INPUT, "%s: not valid JSON: line %d, column %d: %s", where,
                  wrong.line, wrong.column, wrong.text);
    strbuf_free(&rewritten);
    return root;
}

json_t *json_read(const char *path, size_t max_bytes, Error *error) {
    Arena *arena = arena_new();
    Str text;
    json_t *root = NULL;
    if (file_read(path, max_bytes, arena, &text, error)) {
        if (str_starts(text, "\xef\xbb\xbf")) text = str_sub(text, 3, text.n);
        root = json_parse(text, path, 0, 0, error);
    }
    arena_free(arena);
    return root;
}

json_t *json_read_object(const char *path, size_t max_bytes, Error *error) {
    json_t *root = json_read(path, max_bytes, error);
    if (!root || json_is_object(root)) return root;
    json_decref(root);
    error_set(error, ERROR_INPUT, "%s: the JSON is not an object, {...} expected", path);
    return NULL;
}
