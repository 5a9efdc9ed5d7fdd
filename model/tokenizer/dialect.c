#include "model/tokenizer/dialect.h"

#include <string.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

/* Sets as what stands between the brackets of a class. */
#define WORD "\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}"
/* Alone, but not in a class, \w also takes these digits of Latin-1. */
#define WORD_ALONE WORD "\\x{b2}\\x{b3}\\x{b9}\\x{bc}-\\x{be}"
#define AT_WORD "(?=[" WORD_ALONE "])"
#define NOT_AT_WORD "(?![" WORD_ALONE "])"
#define BEHIND_WORD "(?<=[" WORD_ALONE "])"
#define NOT_BEHIND_WORD "(?<![" WORD_ALONE "])"

typedef struct Dialect {
    Str from;
    size_t at;
    StrBuf *to;
    int depth; /* of classes in classes; 0: outside */
    Error *error;
} Dialect;

typedef struct Named {
    const char *name, *set;
} Named;

/* Names as POSIX brackets and \p have them. */
static const Named posix[] = {{"alnum", "\\p{Alphabetic}\\p{Nd}"},
                              {"alpha", "\\p{Alphabetic}"},
                              {"blank", "\\p{Zs}\\t"},
                              {"cntrl", "\\p{Cc}"},
                              {"digit", "\\p{Nd}"},
                              {"lower", "\\p{Lowercase}"},
                              {"punct", "\\p{P}\\p{S}"},
                              {"space", "\\p{White_Space}"},
                              {"upper", "\\p{Uppercase}"},
                              {"word", WORD}};

/* Long names of general categories, without what does not count in a name. */
static const Named categories[] = {{"closepunctuation", "Pe"},
                                   {"connectorpunctuation", "Pc"},
                                   {"control", "Cc"},
                                   {"currencysymbol", "Sc"},
                                   {"dashpunctuation", "Pd"},
                                   {"decimalnumber", "Nd"},
                                   {"enclosingmark", "Me"},
                                   {"finalpunctuation", "Pf"},
                                   {"format", "Cf"},
                                   {"initialpunctuation", "Pi"},
                                   {"letter", "L"},
                                   {"letternumber", "Nl"},
                                   {"lineseparator", "Zl"},
                                   {"lowercaseletter", "Ll"},
                                   {"mark", "M"},
                                   {"mathsymbol", "Sm"},
                                   {"modifierletter", "Lm"},
                                   {"modifiersymbol", "Sk"},
                                   {"nonspacingmark", "Mn"},
                                   {"number", "N"},
                                   {"openpunctuation", "Ps"},
                                   {"other", "C"},
                                   {"otherletter", "Lo"},
                                   {"othernumber", "No"},
                                   {"otherpunctuation", "Po"},
                                   {"othersymbol", "So"},
                                   {"paragraphseparator", "Zp"},
                                   {"privateuse", "Co"},
                                   {"punct", "P"},
                                   {"punctuation", "P"},
                                   {"separator", "Z"},
                                   {"spaceseparator", "Zs"},
                                   {"spacingmark", "Mc"},
                                   {"symbol", "S"},
                                   {"titlecaseletter", "Lt"},
                                   {"unassigned", "Cn"},
                                   {"uppercaseletter", "Lu"}};

static const char *look_up(const Named *names, size_t n, Str name) {
    for (size_t i = 0; i < n; i++)
        if (str_is(name, names[i].name)) return names[i].set;
    return NULL;
}
#define LOOK_UP(names, name) look_up(names, sizeof(names) / sizeof *(names), name)

static bool refuse(const Dialect *d, const char *what) {
    return error_set(d->error, ERROR_UNSUPPORTED, "%s in \"%.*s\"", what,
                     (int)(d->from.n < 200 ? d->from.n : 200), d->from.data);
}

static char peek(const Dialect *d, size_t ahead) {
    return d->at + ahead < d->from.n ? d->from.data[d->at + ahead] : '\0';
}

/* A set where an item stands, inside a class or alone. */
static bool put_set(Dialect *d, const char *set, bool negated) {
    bool one = strrchr(set, '\\') == set && set[1] == 'p';
    if (d->depth && negated && !one) return refuse(d, "a negated set in a class");
    if (negated && one) {
        strbuf_puts(d->to, "\\P");
        strbuf_puts(d->to, set + 2);
        return true;
    }
    if (!d->depth) strbuf_puts(d->to, negated ? "[^" : "[");
    strbuf_puts(d->to, set);
    if (!d->depth) strbuf_putc(d->to, ']');
    return true;
}

/* PCRE2 takes the name of a script for all characters that are used with it. */
static bool is_script(const char *name, size_t n) {
    char pattern[80] = "\\p{sc:";
    int why;
    size_t where;
    if (n < 3 || n > 60) return false; /* two letters: a general category */
    memcpy(pattern + 6, name, n);
    memcpy(pattern + 6 + n, "}", 2);
    pcre2_code *code = pcre2_compile((PCRE2_SPTR)pattern, n + 7, PCRE2_UTF, &why, &where, NULL);
    pcre2_code_free(code);
    return code != NULL;
}

/* \p{...}, \p{^...}, \P{...}; `at` is at the backslash, and then behind the brace. */
static bool property(Dialect *d) {
    char name[64];
    size_t n = 0, i = d->at + 3;
    bool negated = peek(d, 1) == 'P';
    if (i < d->from.n && d->from.data[i] == '^') {
        negated = !negated;
        i++;
    }
    for (; i < d->from.n && d->from.data[i] != '}' && n < sizeof name - 1; i++) {
        char c = d->from.data[i];
        if (c == ' ' || c == '_' || c == '-') continue;
        name[n++] = (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
    }
    if (i >= d->from.n || d->from.data[i] != '}') return refuse(d, "a \\p without an end");
    const char *category = LOOK_UP(categories, ((Str){name, n}));
    const char *set = category ? NULL : LOOK_UP(posix, ((Str){name, n}));
    d->at = i + 1;
    if (set) return put_set(d, set, negated);
    strbuf_puts(d->to, negated ? "\\P{" : "\\p{");
    if (!category && is_script(name, n)) strbuf_puts(d->to, "sc:");
    if (category)
        strbuf_puts(d->to, category);
    else
        strbuf_add(d->to, name, n);
    strbuf_putc(d->to, '}');
    return true;
}

/* \u00e9 as \x{00e9}. */
static bool code_point(Dialect *d) {
    for (size_t k = 2; k < 6; k++)
        if (!peek(d, k) || !strchr("0123456789abcdefABCDEF", peek(d, k)))
            return refuse(d, "a \\u without four digits");
    strbuf_puts(d->to, "\\x{");
    strbuf_add(d->to, d->from.data + d->at + 2, 4);
    strbuf_putc(d->to, '}');
    d->at += 6;
    return true;
}

static bool escape(Dialect *d) {
    char c = peek(d, 1);
    bool alone = d->depth == 0;
    if ((c == 'p' || c == 'P') && peek(d, 2) == '{') return property(d);
    if (c == 'u') return code_point(d);
    size_t at = d->at;
    d->at += 2;
    switch (c) {
    case 's':
    case 'S':
        return put_set(d, "\\p{White_Space}", c == 'S');
    case 'h':
    case 'H':
        return put_set(d, "0-9a-fA-F", c == 'H');
    case 'w':
    case 'W':
        return put_set(d, alone ? WORD_ALONE : WORD, c == 'W');
    case 'b':
    case 'B':
        if (!alone) break;
        strbuf_puts(d->to, c == 'b' ? "(?:" BEHIND_WORD NOT_AT_WORD "|" NOT_BEHIND_WORD AT_WORD ")"
                                    : "(?:" BEHIND_WORD AT_WORD "|" NOT_BEHIND_WORD NOT_AT_WORD
                                      ")");
        return true;
    default:
        break;
    }
    strbuf_add(d->to, d->from.data + at, 2);
    return true;
}

/* [:alpha:], [:^alpha:] inside a class; `at` is at the bracket. */
static bool bracket(Dialect *d) {
    const char *begin = d->from.data + d->at + 2;
    const char *end = memmem(begin, d->from.n - d->at - 2, ":]", 2);
    if (!end) return refuse(d, "a [: without an end");
    bool negated = *begin == '^';
    Str name = {begin + negated, (size_t)(end - begin) - negated};
    const char *set = LOOK_UP(posix, name);
    size_t n = (size_t)(end - begin) + 4;
    if (set ? !put_set(d, set, negated) : false) return false;
    if (!set) strbuf_add(d->to, d->from.data + d->at, n);
    d->at += n;
    return true;
}

/* Is the brace here the end of {2,3}, with a + behind it? Oniguruma repeats the whole then, PCRE2
 * takes it for possessive. */
static bool is_repeated_interval(const Dialect *d) {
    size_t n = d->at;
    while (n > 0 && strchr("0123456789,", d->from.data[n - 1]))
        n--;
    return peek(d, 1) == '+' && n < d->at && n > 0 && d->from.data[n - 1] == '{';
}

/* A class begins, outside all others. A bracket in its first place is a character. */
static void open_class(Dialect *d) {
    strbuf_putc(d->to, d->from.data[d->at++]);
    d->depth = 1;
    if (peek(d, 0) == '^') strbuf_putc(d->to, d->from.data[d->at++]);
    if (peek(d, 0) != ']') return;
    strbuf_puts(d->to, "\\]");
    d->at++;
}

static bool in_class(Dialect *d) {
    char c = peek(d, 0), next = peek(d, 1);
    if (c == '&' && next == '&') return refuse(d, "an intersection (&&)");
    if (c == '[' && next == ':') return bracket(d);
    if (c == '[' && next == '^') return refuse(d, "a negated class in a class");
    if (c == '[')
        d->depth++; /* a class in a class: the union, so the inner brackets can go */
    else if (c != ']' || --d->depth == 0)
        strbuf_putc(d->to, c);
    d->at++;
    return true;
}

bool dialect_translate(Str from, StrBuf *to, Error *error) {
    Dialect d = {.from = from, .to = to, .error = error};
    bool ok = true;
    while (ok && d.at < from.n) {
        char c = from.data[d.at];
        if (c == '\\' && d.at + 1 < from.n) {
            ok = escape(&d);
        } else if (d.depth) {
            ok = in_class(&d);
        } else if (c == '[') {
            open_class(&d);
        } else if (c == '}' && is_repeated_interval(&d)) {
            ok = refuse(&d, "a + behind an interval");
        } else {
            strbuf_putc(to, c);
            d.at++;
        }
    }
    return ok;
}
