#include "app/options.h"

#include <assert.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "model/base/str.h"
#include "model/base/utf8.h"

typedef struct Given {
    const Option *option; /* NULL: a word without dashes */
    const char *value;
} Given;

struct Options {
    const OptionSpec *spec;
    Given *given; // [n], in the order of argv
    int n;
};

static const Option *find(const OptionSpec *spec, Str name) {
    for (int g = 0; g < OPTIONS_MAX_GROUPS && spec->groups[g]; g++)
        for (const Option *o = spec->groups[g]; o->name; o++)
            if (str_is(name, o->name) || (name.n == 1 && name.data[0] == o->letter)) return o;
    return NULL;
}

const Option *options_find(const OptionSpec *spec, const char *name) {
    return find(spec, str(name));
}

/* Edits (insert, delete, replace, swap of neighbours) between two short words. */
static int distance(const char *a, const char *b) {
    enum { MAX = 48 };
    int n = (int)strlen(a), m = (int)strlen(b);
    if (n >= MAX || m >= MAX) return INT_MAX;
    int d[MAX][MAX];
    for (int i = 0; i <= n; i++)
        for (int k = 0; k <= m; k++) {
            int best = i == 0 ? k : k == 0 ? i : INT_MAX;
            if (i > 0 && d[i - 1][k] + 1 < best) best = d[i - 1][k] + 1;
            if (k > 0 && d[i][k - 1] + 1 < best) best = d[i][k - 1] + 1;
            if (i > 0 && k > 0) {
                int replaced = d[i - 1][k - 1] + (a[i - 1] != b[k - 1]);
                if (replaced < best) best = replaced;
            }
            if (i > 1 && k > 1 && a[i - 1] == b[k - 2] && a[i - 2] == b[k - 1] &&
                d[i - 2][k - 2] + 1 < best)
                best = d[i - 2][k - 2] + 1;
            d[i][k] = best;
        }
    return d[n][m];
}

const char *options_nearest(const char *word, const char *const *candidates) {
    const char *best = NULL;
    int n = (int)strlen(word), least = n < 3 ? 2 : n < 6 ? 3 : 4;
    for (; *candidates; candidates++) {
        int d = distance(word, *candidates);
        /* A word that was left unfinished ("--max-new") is near whatever its length. */
        if (n >= 3 && strncmp(word, *candidates, (size_t)n) == 0) d = 1;
        if (d < least) least = d, best = *candidates;
    }
    return best;
}

static bool unknown(const OptionSpec *spec, const char *arg, Str name, const char *where,
                    Error *error) {
    const char *names[256];
    int n = 0;
    for (int g = 0; g < OPTIONS_MAX_GROUPS && spec->groups[g]; g++)
        for (const Option *o = spec->groups[g]; o->name && n < 254; o++)
            if (!o->hidden) names[n++] = o->name;
    names[n++] = "help";
    names[n] = NULL;
    char word[48] = "";
    if (name.n < sizeof word) memcpy(word, name.data, name.n), word[name.n] = '\0';
    const char *nearest = options_nearest(word, names);
    if (nearest)
        return error_set(error, ERROR_USAGE,
                         "unknown option '%s', did you mean --%s? See %s --help", arg, nearest,
                         where);
    return error_set(error, ERROR_USAGE, "unknown option '%s'. See %s --help", arg, where);
}

/* Is value one of the words of "light|dark|print"? */
static bool is_choice(const char *choices, const char *value) {
    size_t n = strlen(value);
    for (const char *c = choices; n > 0 && c; c = strchr(c, '|') ? strchr(c, '|') + 1 : NULL)
        if (strncmp(c, value, n) == 0 && (c[n] == '|' || c[n] == '\0')) return true;
    return false;
}

static bool out_of_bounds(const Option *o, double x) {
    return (o->min != 0 || o->max != 0) && (x < o->min || x > o->max);
}

static bool check_number(const Option *o, const char *value, Error *error) {
    long long whole = 0;
    double x = 0;
    bool integer = o->kind == OPTION_INTEGER, ok = false;
    if (integer) {
        ok = integer_parse(str(value), &whole) && whole >= INT_MIN && whole <= INT_MAX;
        x = (double)whole;
    } else {
        ok = number_parse(str(value), &x);
    }
    if (ok && !out_of_bounds(o, x)) return true;
    char low[32], high[32];
    if (o->min == 0 && o->max == 0)
        return error_set(error, ERROR_USAGE, "--%s %s: %s is expected", o->name, value,
                         integer ? "a whole number" : "a number");
    return error_set(error, ERROR_USAGE, "--%s %s: %s from %s to %s is expected", o->name, value,
                     integer ? "a whole number" : "a number", number_text(o->min, 12, low),
                     number_text(o->max, 12, high));
}

static bool check_value(const Option *o, const char *value, Error *error) {
    switch (o->kind) {
    case OPTION_FLAG:
        return error_set(error, ERROR_USAGE, "--%s takes no value ('%s' was given)", o->name,
                         value);
    case OPTION_TEXT:
        return true;
    case OPTION_INTEGER:
    case OPTION_NUMBER:
        return check_number(o, value, error);
    case OPTION_CHOICE:
        return is_choice(o->argument, value) ||
               error_set(error, ERROR_USAGE, "--%s %s: one of %s is expected", o->name, value,
                         o->argument);
    case OPTION_FILE:
    case OPTION_FOLDER:
    case OPTION_MODEL:
        return *value ||
               error_set(error, ERROR_USAGE, "--%s '': %s is expected", o->name,
                         o->kind == OPTION_FILE ? "the name of a file" : "the name of a folder");
    }
    return false;
}

static bool add(Options *options, const Option *option, const char *value, Error *error) {
    if (option && !option->repeatable && options_given(options, option->name))
        return error_set(error, ERROR_USAGE, "--%s is given twice", option->name);
    options->given[options->n++] = (Given){option, value};
    return true;
}

/* --name, --name=value, --name value, -o value, -ovalue. Moves *at over what it takes. */
static bool parse_option(Options *options, int argc, char **argv, int *at, const char *where,
                         Error *error) {
    const char *arg = argv[(*at)++], *value = NULL;
    Str name;
    if (arg[1] == '-') {
        const char *equals = strchr(arg, '=');
        name = equals ? (Str){arg + 2, (size_t)(equals - arg - 2)} : str(arg + 2);
        value = equals ? equals + 1 : NULL;
    } else {
        name = (Str){arg + 1, 1};
        value = arg[2] ? arg + 2 : NULL;
    }
    const Option *option = name.n > 0 ? find(options->spec, name) : NULL;
    bool dashes_fit = option && (arg[1] == '-') == str_is(name, option->name);
    if (!dashes_fit) return unknown(options->spec, arg, name, where, error);
    if (option->kind == OPTION_FLAG)
        return value ? check_value(option, value, error) : add(options, option, "", error);
    if (!value && *at < argc) {
        const char *next = argv[*at];
        bool is_option = next[0] == '-' && next[1] == '-' && find(options->spec, str(next + 2));
        if (!is_option) value = argv[(*at)++];
    }
    if (!value)
        return error_set(error, ERROR_USAGE, "--%s needs a value: --%s %s. See %s --help",
                         option->name, option->name, option->argument, where);
    return check_value(option, value, error) && add(options, option, value, error);
}

static bool parse_all(Options *options, int argc, char **argv, const char *where, Error *error) {
    bool only_words = false;
    for (int at = 0; at < argc;) {
        const char *arg = argv[at];
        if (!only_words && strcmp(arg, "--") == 0) {
            only_words = true;
            at++;
        } else if (!only_words && arg[0] == '-' && arg[1]) {
            if (!parse_option(options, argc, argv, &at, where, error)) return false;
        } else {
            add(options, NULL, arg, error);
            at++;
        }
    }
    int n = options_n_words(options);
    const OptionSpec *spec = options->spec;
    if (n < spec->n_words_min)
        return error_set(error, ERROR_USAGE, "%s is missing: %s %s. See %s --help", spec->words,
                         where, spec->words, where);
    if (n > spec->n_words_max)
        return error_set(error, ERROR_USAGE, "'%s' is one word too many. See %s --help",
                         options_word(options, spec->n_words_max), where);
    return true;
}

Options *options_parse(const OptionSpec *spec, int argc, char **argv, const char *where,
                       Error *error) {
    Options *options = calloc(1, sizeof *options);
    options->spec = spec;
    options->given = calloc((size_t)argc + 1, sizeof *options->given);
    if (parse_all(options, argc, argv, where, error)) return options;
    options_free(options);
    return NULL;
}

void options_free(Options *options) {
    if (!options) return;
    free(options->given);
    free(options);
}

int options_count(const Options *options, const char *name) {
    assert(find(options->spec, str(name)) && "the command's tables have no such option");
    int n = 0;
    for (int i = 0; i < options->n; i++)
        n += options->given[i].option && strcmp(options->given[i].option->name, name) == 0;
    return n;
}

const char *options_nth(const Options *options, const char *name, int index) {
    for (int i = 0; i < options->n; i++)
        if (options->given[i].option && strcmp(options->given[i].option->name, name) == 0)
            if (index-- == 0) return options->given[i].value;
    return NULL;
}

bool options_given(const Options *options, const char *name) {
    return options_count(options, name) > 0;
}

const char *options_text(const Options *options, const char *name, const char *fallback) {
    int n = options_count(options, name);
    return n > 0 ? options_nth(options, name, n - 1) : fallback;
}

int options_int(const Options *options, const char *name, int fallback) {
    long long x = 0;
    const char *value = options_text(options, name, NULL);
    return value && integer_parse(str(value), &x) ? (int)x : fallback;
}

double options_number(const Options *options, const char *name, double fallback) {
    double x = 0;
    const char *value = options_text(options, name, NULL);
    return value && number_parse(str(value), &x) ? x : fallback;
}

int options_n_words(const Options *options) {
    int n = 0;
    for (int i = 0; i < options->n; i++)
        n += !options->given[i].option;
    return n;
}

const char *options_word(const Options *options, int index) {
    for (int i = 0; i < options->n; i++)
        if (!options->given[i].option && index-- == 0) return options->given[i].value;
    return NULL;
}
