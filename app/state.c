#include "app/state.h"

#include <math.h>
#include <stdlib.h>

#include "model/base/file.h"
#include "model/base/json.h"
#include "model/base/utf8.h"

#define TEXT(field)                                                                                \
    { #field, FIELD_TEXT, offsetof(State, field), NULL, 0, 0, 0 }
#define CHOICE(field, words)                                                                       \
    { #field, FIELD_CHOICE, offsetof(State, field), words, 0, 0, 0 }
#define LIST(field)                                                                                \
    { #field, FIELD_LIST, offsetof(State, field), NULL, 0, 0, 0 }
#define FLAG(field)                                                                                \
    { #field, FIELD_FLAG, offsetof(State, field), NULL, 0, 0, 0 }
#define INTEGER(field, low, high, initial)                                                         \
    { #field, FIELD_INTEGER, offsetof(State, field), NULL, low, high, initial }
#define NUMBER(field, low, high)                                                                   \
    { #field, FIELD_NUMBER, offsetof(State, field), NULL, low, high, 0 }

/* clang-format off */
const StateField state_fields[] = {
    TEXT(model), TEXT(model_hash), TEXT(text), TEXT(text_pair), TEXT(target_text), TEXT(to),
    TEXT(source_language), TEXT(inputs), INTEGER(row, 0, 1e9, 0), TEXT(image), TEXT(audio),
    TEXT(from), TEXT(against), LIST(edits), INTEGER(beam, 0, 1024, 0),
    INTEGER(max_new_tokens, 0, 1e6, 0),
    TEXT(view), CHOICE(attention, "encoder|decoder|cross|self"), TEXT(layer), TEXT(head),
    TEXT(heads), CHOICE(rows, "reads|writes"), CHOICE(units, "words|tokens"), TEXT(token),
    NUMBER(threshold, 0, 1), INTEGER(top_k, 0, 1e6, 0), FLAG(hide_special), FLAG(hide_punctuation),
    LIST(hide), FLAG(renormalise), FLAG(raw_tokens), INTEGER(base, 0, 1, 0), FLAG(transpose),
    FLAG(number_duplicates), FLAG(numbers), CHOICE(range, "unit|row|max"),
    CHOICE(statistic, "none|entropy|distance|diagonal|special|concentration"),
    CHOICE(reduce, "max|mean"), CHOICE(orientation, "horizontal|vertical"), FLAG(ribbons),
    FLAG(hard), TEXT(dims), INTEGER(pair, -1, 1e6, -1), INTEGER(n_positions, 0, 1e6, 0), TEXT(box),
    {"selection", FIELD_PLACE, offsetof(State, selection), NULL, 0, 0, 0}, FLAG(locked),
    INTEGER(step, -1, 1e9, -1),
    TEXT(title), CHOICE(theme, "light|dark|print|projector"),
    CHOICE(colormap, "paper|viridis|cividis|magma|grey|diverging"), TEXT(size), NUMBER(dpi, 0, 9600),
    TEXT(font), FLAG(text_as_paths),
    {NULL, FIELD_TEXT, 0, NULL, 0, 0, 0},
};
/* clang-format on */

static void *at(const State *state, const StateField *field) {
    return (char *)state + field->offset;
}
static char **text_at(const State *state, const StateField *f) {
    return (char **)at(state, f);
}
static StateList *list_at(const State *state, const StateField *f) {
    return (StateList *)at(state, f);
}
static bool *flag_at(const State *state, const StateField *f) {
    return (bool *)at(state, f);
}
static int *integer_at(const State *state, const StateField *f) {
    return (int *)at(state, f);
}
static double *number_at(const State *state, const StateField *f) {
    return (double *)at(state, f);
}
static Place *place_at(const State *state, const StateField *f) {
    return (Place *)at(state, f);
}

static char *copy_text(const char *s) {
    if (!s) return NULL;
    size_t n = strlen(s) + 1;
    char *copy = malloc(n);
    if (!copy) abort();
    return memcpy(copy, s, n);
}

void state_put_text(char **field, const char *value) {
    char *copy = copy_text(value); /* first: value may be the field itself */
    free(*field);
    *field = copy;
}

void state_list_add(StateList *list, const char *value) {
    char **items = realloc(list->items, (size_t)(list->n + 1) * sizeof *items);
    if (!items) abort();
    list->items = items;
    items[list->n++] = copy_text(value);
}

void state_list_clear(StateList *list) {
    for (int i = 0; i < list->n; i++)
        free(list->items[i]);
    free(list->items);
    *list = (StateList){0};
}

const StateField *state_field(const char *name) {
    for (const StateField *f = state_fields; f->name; f++) {
        size_t i = 0;
        while (f->name[i] && (name[i] == f->name[i] || (name[i] == '-' && f->name[i] == '_')))
            i++;
        if (!f->name[i] && !name[i]) return f;
    }
    return NULL;
}

/* The default; what was there is freed. */
static void reset(State *state, const StateField *f) {
    switch (f->kind) {
    case FIELD_TEXT:
    case FIELD_CHOICE:
        state_put_text(text_at(state, f), NULL);
        break;
    case FIELD_LIST:
        state_list_clear(list_at(state, f));
        break;
    case FIELD_FLAG:
        *flag_at(state, f) = false;
        break;
    case FIELD_INTEGER:
        *integer_at(state, f) = f->initial;
        break;
    case FIELD_NUMBER:
        *number_at(state, f) = f->initial;
        break;
    case FIELD_PLACE:
        *place_at(state, f) = place_none();
        break;
    }
}

void state_init(State *state) {
    memset(state, 0, sizeof *state);
    state_free(state);
}

void state_free(State *state) {
    for (const StateField *f = state_fields; f->name; f++)
        reset(state, f);
}

static void copy_field(State *to, const State *from, const StateField *f) {
    switch (f->kind) {
    case FIELD_TEXT:
    case FIELD_CHOICE:
        state_put_text(text_at(to, f), *text_at(from, f));
        break;
    case FIELD_LIST: {
        const StateList *list = list_at(from, f);
        if (list == list_at(to, f)) break;
        state_list_clear(list_at(to, f));
        for (int i = 0; i < list->n; i++)
            state_list_add(list_at(to, f), list->items[i]);
        break;
    }
    case FIELD_FLAG:
        *flag_at(to, f) = *flag_at(from, f);
        break;
    case FIELD_INTEGER:
        *integer_at(to, f) = *integer_at(from, f);
        break;
    case FIELD_NUMBER:
        *number_at(to, f) = *number_at(from, f);
        break;
    case FIELD_PLACE:
        *place_at(to, f) = *place_at(from, f);
        break;
    }
}

void state_select(State *state, Place place) {
    state->selection = place;
    state->locked = true;
}

void state_unselect(State *state) {
    state->selection = place_none();
    state->locked = false;
}

void state_copy(State *to, const State *from) {
    for (const StateField *f = state_fields; f->name; f++)
        copy_field(to, from, f);
}

static bool same_text(const char *a, const char *b) {
    return a && b ? strcmp(a, b) == 0 : a == b;
}

static bool equal_field(const State *a, const State *b, const StateField *f) {
    switch (f->kind) {
    case FIELD_TEXT:
    case FIELD_CHOICE:
        return same_text(*text_at(a, f), *text_at(b, f));
    case FIELD_LIST: {
        const StateList *x = list_at(a, f), *y = list_at(b, f);
        if (x->n != y->n) return false;
        for (int i = 0; i < x->n; i++)
            if (!same_text(x->items[i], y->items[i])) return false;
        return true;
    }
    case FIELD_FLAG:
        return *flag_at(a, f) == *flag_at(b, f);
    case FIELD_INTEGER:
        return *integer_at(a, f) == *integer_at(b, f);
    case FIELD_NUMBER:
        return *number_at(a, f) == *number_at(b, f);
    case FIELD_PLACE:
        return place_equal(place_at(a, f), place_at(b, f));
    }
    return true;
}

bool state_equal(const State *a, const State *b) {
    for (const StateField *f = state_fields; f->name; f++)
        if (!equal_field(a, b, f)) return false;
    return true;
}

static bool is_default(const State *state, const StateField *f) {
    State initial;
    state_init(&initial);
    return equal_field(state, &initial, f); /* owns nothing */
}

bool state_is_set(const State *state, const char *field) {
    const StateField *f = state_field(field);
    return f && !is_default(state, f);
}

static json_t *field_json(const State *state, const StateField *f) {
    switch (f->kind) {
    case FIELD_TEXT:
    case FIELD_CHOICE:
        return json_string(*text_at(state, f));
    case FIELD_LIST: {
        json_t *items = json_array();
        const StateList *list = list_at(state, f);
        for (int i = 0; i < list->n; i++)
            json_array_append_new(items, json_string(list->items[i]));
        return items;
    }
    case FIELD_FLAG:
        return json_boolean(*flag_at(state, f));
    case FIELD_INTEGER:
        return json_integer(*integer_at(state, f));
    case FIELD_NUMBER:
        return json_real(*number_at(state, f));
    case FIELD_PLACE: {
        char text[PLACE_TEXT_MAX];
        return json_string(place_text(place_at(state, f), text));
    }
    }
    return NULL;
}

json_t *state_json(const State *state) {
    json_t *root = json_object();
    json_object_set_new(root, "format", json_string(STATE_FORMAT));
    for (const StateField *f = state_fields; f->name; f++)
        if (!is_default(state, f)) json_object_set_new(root, f->name, field_json(state, f));
    return root;
}

char *state_text(const State *state) {
    json_t *root = state_json(state);
    char *text = json_dumps(root, JSON_REAL_PRECISION(10));
    json_decref(root);
    return text;
}

/* ---- text and JSON into fields ---- */

static bool is_choice(const char *choices, Str value) {
    for (const char *word = choices; word; word = strchr(word, '|')) {
        if (*word == '|') word++;
        size_t n = strcspn(word, "|");
        if (str_eq((Str){word, n}, value)) return true;
    }
    return false;
}

static bool put_text(State *state, const StateField *f, Str value, Error *error) {
    if (memchr(value.data, 0, value.n))
        return error_set(error, ERROR_INPUT, "%s: a NUL byte in the text", f->name);
    if (!utf8_check(value, f->name, error)) return false;
    if (f->kind == FIELD_CHOICE && !is_choice(f->choices, value))
        return error_set(error, ERROR_INPUT, "%s: '%.*s' found, expected one of %s", f->name,
                         value.n > 60 ? 60 : (int)value.n, value.data, f->choices);
    char *copy = malloc(value.n + 1);
    if (!copy) abort();
    memcpy(copy, value.data, value.n);
    copy[value.n] = 0;
    if (f->kind == FIELD_LIST)
        state_list_add(list_at(state, f), copy);
    else
        state_put_text(text_at(state, f), copy);
    free(copy);
    return true;
}

static bool put_number(State *state, const StateField *f, double value, Error *error) {
    if (!(value >= f->min && value <= f->max)) {
        char low[32], high[32], found[32];
        return error_set(error, ERROR_INPUT, "%s: %s found, expected %s to %s", f->name,
                         number_text(value, 9, found), number_text(f->min, 9, low),
                         number_text(f->max, 9, high));
    }
    if (f->kind == FIELD_NUMBER) *number_at(state, f) = value;
    if (f->kind == FIELD_INTEGER) *integer_at(state, f) = (int)value;
    return true;
}

bool state_set(State *state, const char *field, Str value, Error *error) {
    const StateField *f = state_field(field);
    if (!f) return error_set(error, ERROR_INPUT, "'%s' is nothing that the state has", field);
    if (!value.data) {
        reset(state, f);
        return true;
    }
    double number;
    long long integer;
    switch (f->kind) {
    case FIELD_TEXT:
    case FIELD_CHOICE:
    case FIELD_LIST:
        return put_text(state, f, value, error);
    case FIELD_FLAG:
        if (!is_choice("true|false", value)) break;
        *flag_at(state, f) = str_is(value, "true");
        return true;
    case FIELD_INTEGER:
        if (!integer_parse(value, &integer)) break;
        return put_number(state, f, (double)integer, error);
    case FIELD_NUMBER:
        if (!number_parse(value, &number)) break;
        return put_number(state, f, number, error);
    case FIELD_PLACE:
        return place_parse(value, place_at(state, f), error);
    }
    return error_set(error, ERROR_INPUT, "%s: '%.*s' found, expected %s", f->name,
                     value.n > 60 ? 60 : (int)value.n, value.data,
                     f->kind == FIELD_FLAG ? "true or false" : "a number");
}

static Str json_str(const json_t *value) {
    return (Str){json_string_value(value), json_string_length(value)};
}

static bool merge_list(State *state, const StateField *f, const json_t *value, Error *error) {
    state_list_clear(list_at(state, f));
    for (size_t i = 0; i < json_array_size(value); i++) {
        const json_t *item = json_array_get(value, i);
        if (!json_is_string(item))
            return error_set(error, ERROR_INPUT, "%s[%zu]: no text", f->name, i);
        if (!put_text(state, f, json_str(item), error)) return false;
    }
    return true;
}

static bool merge_field(State *state, const StateField *f, const json_t *value, Error *error) {
    if (json_is_null(value)) {
        reset(state, f);
        return true;
    }
    switch (f->kind) {
    case FIELD_TEXT:
    case FIELD_CHOICE:
        if (json_is_string(value)) return put_text(state, f, json_str(value), error);
        break;
    case FIELD_LIST:
        if (json_is_array(value)) return merge_list(state, f, value, error);
        break;
    case FIELD_FLAG:
        if (!json_is_boolean(value)) break;
        *flag_at(state, f) = json_is_true(value);
        return true;
    case FIELD_INTEGER:
        if (!json_is_integer(value)) break;
        return put_number(state, f, (double)json_integer_value(value), error);
    case FIELD_NUMBER:
        if (!json_is_number(value)) break;
        return put_number(state, f, json_number_value(value), error);
    case FIELD_PLACE:
        if (json_is_string(value)) return place_parse(json_str(value), place_at(state, f), error);
        break;
    }
    static const char *const expected[] = {[FIELD_TEXT] = "a text",
                                           [FIELD_CHOICE] = "a text",
                                           [FIELD_LIST] = "a list of texts",
                                           [FIELD_FLAG] = "true or false",
                                           [FIELD_INTEGER] = "a whole number",
                                           [FIELD_NUMBER] = "a number",
                                           [FIELD_PLACE] = "a place such as \"L5H3\""};
    return error_set(error, ERROR_INPUT, "%s: expected %s", f->name, expected[f->kind]);
}

/* Keys that say what a file is, not what the state is. */
static bool is_about_the_file(const char *key) {
    return strcmp(key, "version") == 0 || strcmp(key, "name") == 0;
}

static bool merge_all(State *state, const json_t *partial, Error *error) {
    if (!json_is_object(partial))
        return error_set(error, ERROR_INPUT,
                         "a state is an object such as {\"view\": \"heatmap\"}");
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)partial, key, value) {
        if (strcmp(key, "format") == 0) {
            if (json_is_string(value) && str_is(json_str(value), STATE_FORMAT)) continue;
            return error_set(error, ERROR_INPUT, "format: expected \"%s\"", STATE_FORMAT);
        }
        if (is_about_the_file(key)) continue;
        const StateField *f = state_field(key);
        if (!f || strcmp(f->name, key) != 0)
            return error_set(error, ERROR_INPUT, "'%.60s' is nothing that the state has", key);
        if (!merge_field(state, f, value, error)) return false;
    }
    return true;
}

bool state_merge(State *state, const json_t *partial, const char *where, Error *error) {
    State merged;
    state_init(&merged);
    state_copy(&merged, state);
    Error failure = {0};
    if (!merge_all(&merged, partial, &failure)) {
        state_free(&merged);
        return error_set(error, failure.kind, "%s: %s", where, failure.message);
    }
    state_free(state);
    *state = merged;
    return true;
}

bool state_load(State *state, const char *path, Error *error) {
    json_t *root = json_read_object(path, 16 << 20, error);
    if (!root) return false;
    bool ok = state_merge(state, root, path, error);
    json_decref(root);
    return ok;
}

bool state_save(const State *state, const char *path, Error *error) {
    json_t *root = state_json(state);
    char *text = json_dumps(root, JSON_INDENT(1) | JSON_REAL_PRECISION(10));
    json_decref(root);
    StrBuf out = {0};
    strbuf_puts(&out, text);
    strbuf_putc(&out, '\n');
    free(text);
    bool ok = file_save(path, out.data, out.n, error);
    strbuf_free(&out);
    return ok;
}
