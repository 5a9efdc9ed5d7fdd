#include "model/base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void error_printable(char *text) {
    for (char *s = text; *s; s++) {
        unsigned char c = (unsigned char)*s;
        if (c < 0x20 || c == 0x7f) *s = c == '\n' || c == '\t' ? ' ' : '?';
    }
}

/* Cuts at the start of the last character when the buffer ended inside it. */
static void drop_broken_tail(char *s) {
    size_t n = strlen(s), i = n;
    while (i > 0 && n - i < 4 && ((unsigned char)s[i - 1] & 0xc0) == 0x80)
        i--;
    if (i == 0) return;
    unsigned char lead = (unsigned char)s[i - 1];
    size_t want = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 1;
    if (n - (i - 1) < want) s[i - 1] = '\0';
}

bool error_set(Error *error, ErrorKind kind, const char *format, ...) {
    if (!error || error->kind != ERROR_NONE) return false;
    error->kind = kind;
    va_list args;
    va_start(args, format);
    vsnprintf(error->message, sizeof error->message, format, args);
    va_end(args);
    error_printable(error->message);
    drop_broken_tail(error->message);
    return false;
}

bool error_prefix(Error *error, const char *format, ...) {
    if (!error || error->kind == ERROR_NONE) return false;
    char old[sizeof error->message];
    memcpy(old, error->message, sizeof old);
    va_list args;
    va_start(args, format);
    int n = vsnprintf(error->message, sizeof error->message, format, args);
    va_end(args);
    if (n >= 0 && (size_t)n < sizeof error->message - 2)
        snprintf(error->message + n, sizeof error->message - (size_t)n, ": %.*s",
                 (int)(sizeof error->message - (size_t)n - 3), old);
    error_printable(error->message);
    drop_broken_tail(error->message);
    return false;
}
