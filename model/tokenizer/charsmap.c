#include "model/tokenizer/charsmap.h"

bool charsmap_read(Str blob, Arena *arena, Charsmap *out, Error *error) {
    *out = (Charsmap){0};
    if (!blob.n) return true;
    uint32_t n_bytes;
    if (blob.n <= sizeof n_bytes)
        return error_set(error, ERROR_INPUT,
                         "precompiled_charsmap has %zu bytes; at least 5 are expected", blob.n);
    memcpy(&n_bytes, blob.data, sizeof n_bytes);
    if (n_bytes > blob.n - sizeof n_bytes || n_bytes % sizeof(uint32_t) || !n_bytes)
        return error_set(
            error, ERROR_INPUT,
            "precompiled_charsmap says its trie takes %u bytes; a multiple of 4 up to %zu "
            "is expected",
            n_bytes, blob.n - sizeof n_bytes);
    uint32_t *units = arena_alloc(arena, n_bytes);
    memcpy(units, blob.data + sizeof n_bytes, n_bytes);
    *out = (Charsmap){units, n_bytes / sizeof *units,
                      arena_str(arena, str_sub(blob, sizeof n_bytes + n_bytes, blob.n))};
    return true;
}

static uint32_t unit_offset(uint32_t unit) {
    return (unit >> 10) << ((unit & (1u << 9)) >> 6);
}

/* Walks the trie along text[at..]; keeps the first or the last value met. */
static bool search(const Charsmap *map, Str text, size_t at, bool first, uint32_t *value,
                   size_t *n_bytes) {
    if (!map->n_units) return false;
    bool found = false;
    size_t node = unit_offset(map->units[0]);
    for (size_t i = at; i < text.n; i++) {
        unsigned char byte = (unsigned char)text.data[i];
        node ^= byte;
        if (node >= map->n_units) break;
        uint32_t unit = map->units[node];
        if ((unit & (1u << 31 | 0xffu)) != byte) break;
        node ^= unit_offset(unit);
        if (!(unit >> 8 & 1)) continue;
        if (node >= map->n_units) break;
        *value = map->units[node] & 0x7fffffffu;
        *n_bytes = i + 1 - at;
        found = true;
        if (first) break;
    }
    return found;
}

static bool replacement(const Charsmap *map, uint32_t value, Str *to) {
    if (value >= map->pool.n) return false;
    const char *begin = map->pool.data + value;
    *to = (Str){begin, strnlen(begin, map->pool.n - value)};
    return true;
}

bool charsmap_longest(const Charsmap *map, Str text, size_t at, Str *to, size_t *n_bytes) {
    uint32_t value;
    return search(map, text, at, false, &value, n_bytes) && replacement(map, value, to);
}

bool charsmap_shortest(const Charsmap *map, Str text, Str *to) {
    uint32_t value;
    size_t n_bytes;
    return search(map, text, 0, true, &value, &n_bytes) && replacement(map, value, to);
}
