#include "model/base/utf8.h"

uint32_t utf8_decode(Str s, size_t at, size_t *n_bytes) {
    const unsigned char *p = (const unsigned char *)s.data + at;
    size_t left = s.n - at;
    *n_bytes = 1;
    if (p[0] < 0x80) return p[0];
    size_t n = p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;
    if (p[0] < 0xc2 || p[0] > 0xf4 || left < n) return 0xfffd;
    uint32_t c = p[0] & (0xffu >> (n + 1));
    for (size_t i = 1; i < n; i++) {
        if ((p[i] & 0xc0) != 0x80) return 0xfffd;
        c = c << 6 | (p[i] & 0x3f);
    }
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    if (c < least[n] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000)) return 0xfffd;
    *n_bytes = n;
    return c;
}

size_t utf8_encode(uint32_t c, char out[4]) {
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    size_t n = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    for (size_t i = n - 1; i > 0; i--, c >>= 6)
        out[i] = (char)(0x80 | (c & 0x3f));
    out[0] = (char)((0xf00u >> n & 0xff) | c);
    return n;
}

size_t utf8_invalid_at(Str s) {
    for (size_t at = 0, n; at < s.n; at += n) {
        uint32_t c = utf8_decode(s, at, &n);
        if (c == 0xfffd && n == 1) return at;
    }
    return s.n;
}

bool utf8_check(Str s, const char *where, Error *error) {
    size_t at = utf8_invalid_at(s);
    if (at == s.n) return true;
    return error_set(error, ERROR_INPUT,
                     "%s: byte %zu (0x%02x) is not UTF-8; convert the text, for example with iconv",
                     where, at, (unsigned char)s.data[at]);
}

size_t utf8_count(Str s) {
    size_t count = 0;
    for (size_t at = 0, n; at < s.n; at += n, count++)
        utf8_decode(s, at, &n);
    return count;
}
