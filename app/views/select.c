#include "app/views/select.h"

#include <stddef.h>

bool select_part(Str *rest, char separator, Str *part) {
    if (!rest->data || rest->n == 0) return false;
    const char *end = memchr(rest->data, separator, rest->n);
    size_t n = end ? (size_t)(end - rest->data) : rest->n;
    *part = str_sub(*rest, 0, n);
    *rest = str_sub(*rest, end ? n + 1 : n, rest->n);
    while (part->n && part->data[0] == ' ')
        *part = str_sub(*part, 1, part->n);
    while (part->n && part->data[part->n - 1] == ' ')
        part->n--;
    return true;
}

static void add(SelectList *list, int item) {
    for (int i = 0; i < list->n; i++)
        if (list->items[i] == item) return;
    if (list->n < SELECT_MAX_ITEMS) list->items[list->n++] = item;
}

static void add_all(SelectList *list, int limit) {
    for (int i = 0; i < limit && i < SELECT_MAX_ITEMS; i++)
        list->items[list->n++] = i;
}

/* "3" or "2-4". */
static bool parse_range(Str part, int limit, int *begin, int *last) {
    long long a, b;
    const char *dash = part.n > 1 ? memchr(part.data + 1, '-', part.n - 1) : NULL;
    if (dash) {
        size_t n = (size_t)(dash - part.data);
        if (!integer_parse(str_sub(part, 0, n), &a) ||
            !integer_parse(str_sub(part, n + 1, part.n), &b))
            return false;
    } else {
        if (!integer_parse(part, &a)) return false;
        b = a;
    }
    if (a < 0 || b < a || b >= limit) return false;
    *begin = (int)a;
    *last = (int)b;
    return true;
}

bool select_parse(Str text, int limit, const char *what, SelectList *out, Error *error) {
    out->kind = SELECT_EACH;
    out->n = 0;
    if (str_is(text, "mean") || str_is(text, "max") || str_is(text, "all")) {
        out->kind = str_is(text, "mean")  ? SELECT_MEAN
                    : str_is(text, "max") ? SELECT_MAX
                                          : SELECT_EACH;
        add_all(out, limit);
        return true;
    }
    Str rest = text, part;
    int begin, last;
    while (select_part(&rest, ',', &part)) {
        if (!parse_range(part, limit, &begin, &last)) {
            out->n = 0;
            break;
        }
        for (int i = begin; i <= last; i++)
            add(out, i);
    }
    if (out->n > 0) return true;
    return error_set(
        error, ERROR_INPUT,
        "--%s '%.*s': expected 0 to %d, a list (0,2), a range (0-%d), all, mean or max", what,
        text.n > 60 ? 60 : (int)text.n, text.n ? text.data : "", limit - 1, limit - 1);
}
