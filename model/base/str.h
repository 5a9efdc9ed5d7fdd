/* Text inside the program: pointer and length, UTF-8 unless said otherwise, NUL bytes allowed.
 * A Str never owns. StrBuf is the growing kind, and owns.
 *
 *     StrBuf out = {0};
 *     strbuf_printf(&out, "%d", n);
 *     fwrite(out.data, 1, out.n, stdout);
 *     strbuf_free(&out);
 */
#ifndef MODEL_BASE_STR_H
#define MODEL_BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

typedef struct Str {
    const char *data;
    size_t n;
} Str;

static inline Str str(const char *s) {
    return (Str){s, s ? strlen(s) : 0};
}
static inline Str str_sub(Str s, size_t begin, size_t end) {
    return (Str){s.data + begin, end - begin};
}
static inline bool str_eq(Str a, Str b) {
    return a.n == b.n && (a.n == 0 || memcmp(a.data, b.data, a.n) == 0);
}
static inline bool str_is(Str a, const char *b) {
    return str_eq(a, str(b));
}
static inline bool str_starts(Str s, const char *prefix) {
    size_t n = strlen(prefix);
    return s.n >= n && memcmp(s.data, prefix, n) == 0;
}
static inline bool str_ends(Str s, const char *suffix) {
    size_t n = strlen(suffix);
    return s.n >= n && memcmp(s.data + s.n - n, suffix, n) == 0;
}
/* Without the spaces, tabs and carriage returns at both ends. */
static inline Str str_trim(Str s) {
    while (s.n && memchr(" \t\r", s.data[0], 3))
        s = str_sub(s, 1, s.n);
    while (s.n && memchr(" \t\r", s.data[s.n - 1], 3))
        s.n--;
    return s;
}

typedef struct StrBuf {
    char *data; /* NUL after the last byte once anything was added */
    size_t n, capacity;
} StrBuf;

void strbuf_add(StrBuf *buf, const void *data, size_t n);
void strbuf_puts(StrBuf *buf, const char *s);
void strbuf_putc(StrBuf *buf, char c);
void strbuf_printf(StrBuf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));
void strbuf_free(StrBuf *buf);
static inline Str strbuf_str(const StrBuf *buf) {
    return (Str){buf->data ? buf->data : "", buf->n};
}

/* Numbers as text and back, whatever the locale says: the point is a point.
 * number_text: shortest form with at most `digits` significant digits ("0.71304", "1e-05", "nan").
 * number_parse: whole string, finite; false otherwise. */
const char *number_text(double x, int digits, char buffer[32]);
bool number_parse(Str s, double *out);
bool integer_parse(Str s, long long *out);

#endif
