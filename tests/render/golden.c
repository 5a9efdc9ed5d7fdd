#include "tests/render/golden.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "model/base/file.h"

static bool begins_number(const char *s) {
    bool minus = *s == '-';
    return s[minus] >= '0' && s[minus] <= '9';
}

/* A colour, and the sum over a matrix of them, is itself or another. */
static bool begins_color(const char *s) {
    return *s == '#' || strncmp(s, "cells=", 6) == 0;
}

static bool same_line(const char *a, const char *b) {
    while (*a && *b && *a != '\n' && *b != '\n') {
        if (begins_color(a)) {
            size_t n = strcspn(a, " \n");
            if (n != strcspn(b, " \n") || memcmp(a, b, n) != 0) return false;
            a += n;
            b += n;
        } else if (begins_number(a) && begins_number(b)) {
            char *end_a, *end_b;
            if (fabs(strtod(a, &end_a) - strtod(b, &end_b)) > 6) return false;
            a = end_a;
            b = end_b;
        } else if (*a++ != *b++) {
            return false;
        }
    }
    return (!*a || *a == '\n') && (!*b || *b == '\n');
}

static const char *next_line(const char *s) {
    s += strcspn(s, "\n");
    return s + (*s == '\n');
}

void golden_compare(const char *path, const Figure *figure) {
    StrBuf dump = {0};
    figure_dump(figure, &dump);
    const char *mode = getenv("GOLDEN");
    if (mode && strcmp(mode, "write") == 0) {
        assert_true(folder_make_above(path, NULL));
        assert_true(file_save(path, dump.data, dump.n, NULL));
    }
    Arena *arena = arena_new();
    Str golden;
    Error error = {0};
    if (!file_read(path, 0, arena, &golden, &error)) fail_msg("%s", error.message);
    const char *a = dump.data, *b = golden.data;
    for (int line = 1; *a || *b; line++) {
        if (!same_line(a, b))
            fail_msg("%s:%d: '%.*s', golden '%.*s'", path, line, (int)strcspn(a, "\n"), a,
                     (int)strcspn(b, "\n"), b);
        a = next_line(a);
        b = next_line(b);
    }
    arena_free(arena);
    strbuf_free(&dump);
}
