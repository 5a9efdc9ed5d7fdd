#include "model/tokenizer/regex.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

struct Regex {
    pcre2_code *code; /* NULL: the literal */
    Str literal;
};

struct RegexSearch {
    const Regex *regex;
    Str text;
    size_t at;
    pcre2_match_data *data;
    pcre2_match_context *context;
};

static void *take(size_t n_bytes, void *arena) {
    return arena_alloc(arena, n_bytes);
}

static void keep(void *memory, void *arena) {
    (void)memory;
    (void)arena;
}

/* What stands for an escape of Oniguruma's, outside and inside a class; NULL: the same in both. */
static const char *escape(char c, bool in_class) {
    switch (c) {
    case 's':
        return "\\p{White_Space}";
    case 'S':
        return "\\P{White_Space}";
    case 'h':
        return in_class ? "0-9a-fA-F" : "[0-9a-fA-F]";
    case 'w':
        return in_class ? "\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}"
                        : "[\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}]";
    case 'W':
        return in_class ? NULL : "[^\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}]";
    default:
        return NULL;
    }
}

static bool translate(Str from, StrBuf *to, Error *error) {
    int depth = 0;
    for (size_t i = 0; i < from.n; i++) {
        char c = from.data[i], next = i + 1 < from.n ? from.data[i + 1] : '\0';
        if (c == '\\' && i + 1 < from.n) {
            const char *other = escape(next, depth > 0);
            if (other)
                strbuf_puts(to, other);
            else
                strbuf_add(to, from.data + i, 2);
            i++;
        } else if (depth && c == '&' && next == '&') {
            return error_set(error, ERROR_UNSUPPORTED, "an intersection (&&) in \"%.*s\"",
                             (int)(from.n < 200 ? from.n : 200), from.data);
        } else if (depth && c == '[' && next == ':') {
            const char *end = memmem(from.data + i, from.n - i, ":]", 2);
            size_t n = end ? (size_t)(end - from.data) + 2 - i : 1;
            strbuf_add(to, from.data + i, n);
            i += n - 1;
        } else if (depth && c == '[') {
            /* A class in a class: the union, so the inner brackets can go. */
            if (next == '^')
                return error_set(error, ERROR_UNSUPPORTED, "a negated class in a class in \"%.*s\"",
                                 (int)(from.n < 200 ? from.n : 200), from.data);
            depth++;
        } else if (depth && c == ']') {
            if (--depth == 0) strbuf_putc(to, c);
        } else if (c == '[') {
            strbuf_putc(to, c);
            depth = 1;
            if (next == '^') strbuf_putc(to, from.data[++i]);
            /* A bracket at the beginning is a character. */
            if (i + 1 < from.n && from.data[i + 1] == ']') {
                strbuf_puts(to, "\\]");
                i++;
            }
        } else {
            strbuf_putc(to, c);
        }
    }
    return true;
}

const Regex *regex_new(Str pattern, Arena *arena, Error *error) {
    StrBuf text = {0};
    if (!translate(pattern, &text, error)) {
        strbuf_free(&text);
        return NULL;
    }
    pcre2_general_context *memory = pcre2_general_context_create(take, keep, arena);
    pcre2_compile_context *context = pcre2_compile_context_create(memory);
    pcre2_set_parens_nest_limit(context, 100);
    int why;
    size_t where;
    Regex *regex = arena_alloc(arena, sizeof *regex);
    Str s = strbuf_str(&text);
    *regex = (Regex){.code = pcre2_compile((PCRE2_SPTR)s.data, s.n, PCRE2_UTF | PCRE2_UCP, &why,
                                           &where, context)};
    strbuf_free(&text);
    if (regex->code) return regex;
    char message[200];
    pcre2_get_error_message(why, (PCRE2_UCHAR *)message, sizeof message);
    error_set(error, ERROR_INPUT, "the regular expression \"%.*s\" is not one: %s",
              (int)(pattern.n < 200 ? pattern.n : 200), pattern.data, message);
    return NULL;
}

const Regex *regex_literal(Str text, Arena *arena, Error *error) {
    if (!text.n) {
        error_set(error, ERROR_INPUT, "an empty pattern; at least one character is expected");
        return NULL;
    }
    Regex *regex = arena_alloc(arena, sizeof *regex);
    *regex = (Regex){.literal = arena_str(arena, text)};
    return regex;
}

RegexSearch *regex_search(const Regex *regex, Str text, Arena *scratch) {
    enum { MATCH_LIMIT = 2000000 };
    RegexSearch *search = arena_alloc(scratch, sizeof *search);
    *search = (RegexSearch){.regex = regex, .text = text};
    if (!regex->code) return search;
    pcre2_general_context *memory = pcre2_general_context_create(take, keep, scratch);
    search->data = pcre2_match_data_create(1, memory);
    search->context = pcre2_match_context_create(memory);
    pcre2_set_match_limit(search->context, MATCH_LIMIT);
    return search;
}

bool regex_next(RegexSearch *search, int32_t *begin, int32_t *end) {
    const Regex *regex = search->regex;
    Str text = search->text;
    if (!regex->code) {
        if (search->at >= text.n) return false;
        const char *found = memmem(text.data + search->at, text.n - search->at, regex->literal.data,
                                   regex->literal.n);
        if (!found) return false;
        *begin = (int32_t)(found - text.data);
        *end = *begin + (int32_t)regex->literal.n;
        search->at = (size_t)*end;
        return true;
    }
    while (search->at < text.n) {
        int n = pcre2_match(regex->code, (PCRE2_SPTR)text.data, text.n, search->at,
                            PCRE2_NO_UTF_CHECK | PCRE2_NOTEMPTY, search->data, search->context);
        if (n < 0) return false;
        const size_t *ends = pcre2_get_ovector_pointer(search->data);
        if (ends[1] <= search->at || ends[1] <= ends[0]) return false;
        *begin = (int32_t)ends[0];
        *end = (int32_t)ends[1];
        search->at = ends[1];
        return true;
    }
    return false;
}
