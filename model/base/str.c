#include "model/base/str.h"

#include <errno.h>
#include <locale.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static void strbuf_reserve(StrBuf *buf, size_t more) {
    if (buf->n + more + 1 <= buf->capacity) return;
    size_t capacity = buf->capacity ? buf->capacity * 2 : 64;
    while (capacity < buf->n + more + 1)
        capacity *= 2;
    char *data = realloc(buf->data, capacity);
    if (!data) {
        fputs("attnscope: out of memory\n", stderr);
        abort();
    }
    buf->data = data;
    buf->capacity = capacity;
}

void strbuf_add(StrBuf *buf, const void *data, size_t n) {
    strbuf_reserve(buf, n);
    if (n) memcpy(buf->data + buf->n, data, n);
    buf->n += n;
    buf->data[buf->n] = '\0';
}

void strbuf_puts(StrBuf *buf, const char *s) {
    strbuf_add(buf, s, strlen(s));
}

void strbuf_putc(StrBuf *buf, char c) {
    strbuf_add(buf, &c, 1);
}

void strbuf_printf(StrBuf *buf, const char *format, ...) {
    va_list args;
    va_start(args, format);
    int n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (n < 0) return;
    strbuf_reserve(buf, (size_t)n);
    va_start(args, format);
    vsnprintf(buf->data + buf->n, (size_t)n + 1, format, args);
    va_end(args);
    buf->n += (size_t)n;
}

void strbuf_free(StrBuf *buf) {
    free(buf->data);
    *buf = (StrBuf){0};
}

const char *number_text(double x, int digits, char buffer[32]) {
    if (isnan(x)) return memcpy(buffer, "nan", 4);
    if (isinf(x)) return x > 0 ? memcpy(buffer, "inf", 4) : memcpy(buffer, "-inf", 5);
    if (digits < 1) digits = 1;
    if (digits > 17) digits = 17;
    snprintf(buffer, 32, "%.*g", digits, x == 0 ? 0.0 : x);
    /* printf writes the locale's decimal point; a user's locale must not reach a file. */
    const char *point = localeconv()->decimal_point;
    char *at = *point && strcmp(point, ".") ? strstr(buffer, point) : NULL;
    if (at) {
        size_t n = strlen(point);
        *at = '.';
        memmove(at + 1, at + n, strlen(at + n) + 1);
    }
    return buffer;
}

bool number_parse(Str s, double *out) {
    char copy[64];
    if (s.n == 0 || s.n >= sizeof copy - 4) return false;
    /* Only plain decimal numbers: strtod alone would take hexadecimal, inf, nan and blanks. */
    const char *point = localeconv()->decimal_point;
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++) {
        if (!memchr("0123456789+-.eE", s.data[i], 15)) return false;
        if (s.data[i] != '.') {
            copy[n++] = s.data[i];
            continue;
        }
        for (const char *p = *point ? point : "."; *p && n < sizeof copy - 1; p++)
            copy[n++] = *p;
    }
    copy[n] = '\0';
    char *end;
    double x = strtod(copy, &end);
    if (*end || end == copy || !isfinite(x)) return false;
    *out = x;
    return true;
}

bool integer_parse(Str s, long long *out) {
    char copy[32];
    if (s.n == 0 || s.n >= sizeof copy) return false;
    for (size_t i = 0; i < s.n; i++)
        if (!memchr("0123456789+-", s.data[i], 12)) return false;
    memcpy(copy, s.data, s.n);
    copy[s.n] = '\0';
    char *end;
    errno = 0;
    long long x = strtoll(copy, &end, 10);
    if (*end || end == copy || errno) return false;
    *out = x;
    return true;
}
