#include "model/tokenizer/regex.h"

#include "model/base/utf8.h"
#include "model/tokenizer/dialect.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

struct Regex {
    pcre2_code *code; /* NULL: the literal */
    Str literal;
};

struct RegexSearch {
    const Regex *regex;
    Str text;
    size_t at, last_end; /* of the match before; SIZE_MAX: none */
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

const Regex *regex_new(Str pattern, Arena *arena, Error *error) {
    StrBuf text = {0};
    if (!dialect_translate(pattern, &text, error)) {
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
    *regex = (Regex){.code = pcre2_compile((PCRE2_SPTR)s.data, s.n,
                                           PCRE2_UTF | PCRE2_UCP | PCRE2_MULTILINE, &why, &where,
                                           context)};
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
    *search = (RegexSearch){.regex = regex, .text = text, .last_end = SIZE_MAX};
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
    for (size_t n_bytes; search->at <= text.n; search->at += n_bytes) {
        int n = pcre2_match(regex->code, (PCRE2_SPTR)text.data, text.n, search->at,
                            PCRE2_NO_UTF_CHECK, search->data, search->context);
        if (n < 0) return false;
        const size_t *ends = pcre2_get_ovector_pointer(search->data);
        if (ends[0] < search->at || ends[1] < ends[0]) return false; /* \K in a look-around */
        if (ends[0] < ends[1] || ends[1] != search->last_end) {
            *begin = (int32_t)ends[0];
            *end = (int32_t)ends[1];
            search->at = search->last_end = ends[1];
            return true;
        }
        n_bytes = 1;
        if (search->at < text.n) utf8_decode(text, search->at, &n_bytes);
    }
    return false;
}
