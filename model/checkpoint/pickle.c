/* The stack machine. Every opcode takes a bounded step on values that are there; where Python would
 * import or call, a table of ours is asked. */
#include "model/checkpoint/pickle_inside.h"

#include <stdio.h>
#include <string.h>

/* Reading the bytes. */

static bool take(PickleReader *r, size_t n, Str *out, Error *error) {
    if (n > r->bytes.n - r->at) return pickle_fail(r, error, "it is cut off");
    *out = str_sub(r->bytes, r->at, r->at + n);
    r->at += n;
    return true;
}

static bool take_number(PickleReader *r, size_t n_bytes, uint64_t *out, Error *error) {
    Str raw = {0};
    if (!take(r, n_bytes, &raw, error)) return false;
    *out = 0;
    memcpy(out, raw.data, n_bytes);
    return true;
}

static bool take_line(PickleReader *r, Str *out, Error *error) {
    const char *begin = r->bytes.data + r->at;
    const char *end = memchr(begin, '\n', r->bytes.n - r->at);
    if (!end) return pickle_fail(r, error, "it is cut off");
    *out = (Str){begin, (size_t)(end - begin)};
    r->at += out->n + 1;
    return true;
}

static bool push_text(PickleReader *r, PickleKind kind, size_t length_bytes, Error *error) {
    uint64_t n;
    PickleValue value = {.kind = kind};
    if (!take_number(r, length_bytes, &n, error)) return false;
    if (n > r->bytes.n) return pickle_fail(r, error, "it is cut off");
    return take(r, (size_t)n, &value.text, error) && pickle_push(r, value, error);
}

static bool push_int(PickleReader *r, int64_t integer, Error *error) {
    return pickle_push(r, (PickleValue){.kind = PICKLE_INT, .integer = integer}, error);
}

static bool push_long(PickleReader *r, size_t length_bytes, Error *error) {
    uint64_t n, number = 0;
    Str raw = {0};
    if (!take_number(r, length_bytes, &n, error)) return false;
    if (n > r->bytes.n) return pickle_fail(r, error, "it is cut off");
    if (!take(r, (size_t)n, &raw, error)) return false;
    if (raw.n > 8) return pickle_push(r, (PickleValue){.kind = PICKLE_LONG, .text = raw}, error);
    if (raw.n) memcpy(&number, raw.data, raw.n);
    bool negative = raw.n && (raw.data[raw.n - 1] & 0x80);
    if (negative && raw.n < 8) number |= UINT64_MAX << 8 * raw.n;
    return push_int(r, (int64_t)number, error);
}

static bool push_real(PickleReader *r, Error *error) {
    uint64_t bits;
    if (!take_number(r, 8, &bits, error)) return false;
    bits = __builtin_bswap64(bits);
    PickleValue value = {.kind = PICKLE_FLOAT};
    memcpy(&value.real, &bits, 8);
    return pickle_push(r, value, error);
}

/* Protocol 0 writes numbers and texts as lines. */
static bool push_line(PickleReader *r, char opcode, Error *error) {
    Str line;
    if (!take_line(r, &line, error)) return false;
    PickleValue value = {.kind = PICKLE_TEXT, .text = line};
    long long integer;
    if (opcode == 'I' && line.n == 2 && line.data[0] == '0') {
        value = (PickleValue){.kind = PICKLE_BOOL, .integer = line.data[1] == '1'};
    } else if (opcode == 'I' || opcode == 'L') {
        if (line.n && line.data[line.n - 1] == 'L') line.n--;
        value = (PickleValue){.kind = PICKLE_LONG, .text = line};
        if (integer_parse(line, &integer))
            value = (PickleValue){.kind = PICKLE_INT, .integer = integer};
        else if (line.n < 19)
            return pickle_fail(r, error, "not a number");
    } else if (opcode == 'F') {
        value = (PickleValue){.kind = PICKLE_FLOAT};
        if (!number_parse(line, &value.real)) return pickle_fail(r, error, "not a number");
    } else if (opcode == 'S') {
        if (line.n < 2) return pickle_fail(r, error, "a quoted string is expected");
        value.text = str_sub(line, 1, line.n - 1);
    }
    return pickle_push(r, value, error);
}

/* Names and what stands for calling them. */

static bool push_global(PickleReader *r, Str module, Str name, Error *error) {
    for (const PickleGlobal *g = r->rules.globals; g->name; g++) {
        size_t n = strlen(g->name);
        if (n == module.n + 1 + name.n && memcmp(g->name, module.data, module.n) == 0 &&
            g->name[module.n] == '.' && memcmp(g->name + module.n + 1, name.data, name.n) == 0)
            return pickle_push(r, (PickleValue){.kind = PICKLE_GLOBAL, .global = g}, error);
    }
    return error_set(error, ERROR_UNSUPPORTED,
                     "%s: refused: the pickle names %.*s.%.*s; only tensors and the few functions "
                     "that rebuild them are read, nothing in a file is ever run",
                     r->path, (int)(module.n < 200 ? module.n : 200), module.data,
                     (int)(name.n < 200 ? name.n : 200), name.data);
}

static bool global_lines(PickleReader *r, Error *error) {
    Str module, name;
    return take_line(r, &module, error) && take_line(r, &name, error) &&
           push_global(r, module, name, error);
}

static bool global_from_stack(PickleReader *r, Error *error) {
    PickleValue module, name;
    if (!pickle_pop(r, &name, error) || !pickle_pop(r, &module, error)) return false;
    if (module.kind != PICKLE_TEXT || name.kind != PICKLE_TEXT)
        return pickle_fail(r, error, "a name is expected");
    return push_global(r, module.text, name.text, error);
}

static bool call(PickleReader *r, const PickleValue *callee, const PickleValue *arguments,
                 Error *error) {
    PickleValue out;
    if (callee->kind != PICKLE_GLOBAL || !callee->global->call)
        return pickle_fail(r, error, "something is called that is not a function");
    if (arguments->kind != PICKLE_TUPLE) return pickle_fail(r, error, "arguments are expected");
    return callee->global->call(r, arguments->items, &out, error) && pickle_push(r, out, error);
}

static bool reduce(PickleReader *r, Error *error) {
    PickleValue arguments, callee;
    return pickle_pop(r, &arguments, error) && pickle_pop(r, &callee, error) &&
           call(r, &callee, &arguments, error);
}

static bool new_object_with_keywords(PickleReader *r, Error *error) {
    PickleValue keywords;
    if (!pickle_pop(r, &keywords, error)) return false;
    if (keywords.kind != PICKLE_DICT || keywords.items->n)
        return pickle_fail(r, error, "keyword arguments");
    return reduce(r, error);
}

/* obj, inst: callee and arguments above a mark, or the name in two lines. */
static bool call_marked(PickleReader *r, bool named, Error *error) {
    if (named && !global_lines(r, error)) return false;
    PickleValue callee = {0};
    if (named && !pickle_pop(r, &callee, error)) return false;
    const PickleValue *from = NULL;
    size_t n = 0;
    if (!pickle_pop_mark(r, &from, &n, error)) return false;
    if (!named && n == 0) return pickle_fail(r, error, "a function is expected");
    if (!named) {
        callee = *from++;
        n--;
    }
    PickleItems arguments = {(PickleValue *)(uintptr_t)from, n, n};
    return call(r, &callee, &(PickleValue){.kind = PICKLE_TUPLE, .items = &arguments}, error);
}

/* State of a rebuilt object (an OrderedDict's _metadata, a parameter's hooks): not needed. */
static bool build(PickleReader *r, Error *error) {
    PickleValue state;
    if (!pickle_pop(r, &state, error)) return false;
    if (r->stack.n <= pickle_floor(r)) return pickle_fail(r, error, "the stack is empty");
    PickleKind kind = r->stack.at[r->stack.n - 1].kind;
    return kind == PICKLE_DICT || kind == PICKLE_OBJECT ||
           pickle_fail(r, error, "state for something that has none");
}

static bool persistent(PickleReader *r, const PickleValue *id, Error *error) {
    PickleValue out;
    if (!r->rules.persistent) return pickle_fail(r, error, "it refers to something outside");
    return r->rules.persistent(r, id, &out, error) && pickle_push(r, out, error);
}

/* Containers and the memo. */

static bool add_marked(PickleReader *r, PickleKind kind, Error *error) {
    const PickleValue *from = NULL;
    PickleValue *to;
    size_t n = 0;
    if (!pickle_pop_mark(r, &from, &n, error) || !pickle_top(r, kind, &to, error)) return false;
    if (kind == PICKLE_DICT && n % 2) return pickle_fail(r, error, "a key without a value");
    return pickle_items_add(r, to->items, from, n, error);
}

static bool add_one(PickleReader *r, PickleKind kind, Error *error) {
    PickleValue pair[2], *to;
    size_t n = kind == PICKLE_DICT ? 2 : 1;
    for (size_t i = n; i > 0; i--)
        if (!pickle_pop(r, &pair[i - 1], error)) return false;
    return pickle_top(r, kind, &to, error) && pickle_items_add(r, to->items, pair, n, error);
}

static bool collect(PickleReader *r, PickleKind kind, Error *error) {
    const PickleValue *from = NULL;
    size_t n = 0;
    if (!pickle_pop_mark(r, &from, &n, error)) return false;
    if (kind == PICKLE_DICT && n % 2) return pickle_fail(r, error, "a key without a value");
    return pickle_push_items(r, kind, from, n, error);
}

static bool memo_put(PickleReader *r, uint64_t index, Error *error) {
    if (r->stack.n <= pickle_floor(r)) return pickle_fail(r, error, "the stack is empty");
    if (index > r->bytes.n) return pickle_fail(r, error, "a memo number beyond its size");
    if (!pickle_items_reserve(r, &r->memo, (size_t)index + 1, error)) return false;
    while (r->memo.n <= index)
        r->memo.at[r->memo.n++] = (PickleValue){.kind = PICKLE_NONE};
    r->memo.at[index] = r->stack.at[r->stack.n - 1];
    return true;
}

static bool memo_take(PickleReader *r, uint64_t index, Error *error) {
    if (index >= r->memo.n) return pickle_fail(r, error, "a memo number that was never stored");
    return pickle_push(r, r->memo.at[index], error);
}

static bool memo_sized(PickleReader *r, size_t n_bytes, bool put, Error *error) {
    uint64_t index;
    return take_number(r, n_bytes, &index, error) &&
           (put ? memo_put(r, index, error) : memo_take(r, index, error));
}

static bool memo_line(PickleReader *r, bool put, Error *error) {
    Str line;
    long long index;
    if (!take_line(r, &line, error)) return false;
    if (!integer_parse(line, &index) || index < 0)
        return pickle_fail(r, error, "not a memo number");
    return put ? memo_put(r, (uint64_t)index, error) : memo_take(r, (uint64_t)index, error);
}

static bool drop(PickleReader *r, Error *error) {
    PickleValue value;
    if (r->marks.n && r->stack.n == pickle_floor(r)) {
        r->marks.n--;
        return true;
    }
    return pickle_pop(r, &value, error);
}

static bool duplicate(PickleReader *r, Error *error) {
    if (r->stack.n <= pickle_floor(r)) return pickle_fail(r, error, "the stack is empty");
    return pickle_push(r, r->stack.at[r->stack.n - 1], error);
}

static bool push_small(PickleReader *r, size_t n_bytes, Error *error) {
    uint64_t number;
    if (!take_number(r, n_bytes, &number, error)) return false;
    return push_int(r, n_bytes == 4 ? (int32_t)number : (int64_t)number, error);
}

static bool skip(PickleReader *r, size_t n, Error *error) {
    Str skipped;
    return take(r, n, &skipped, error);
}

static bool persistent_line(PickleReader *r, Error *error) {
    PickleValue id = {.kind = PICKLE_TEXT};
    return take_line(r, &id.text, error) && persistent(r, &id, error);
}

static bool persistent_top(PickleReader *r, Error *error) {
    PickleValue id;
    return pickle_pop(r, &id, error) && persistent(r, &id, error);
}

static bool step(PickleReader *r, unsigned char opcode, Error *error) {
    const PickleValue *from;
    size_t n;
    switch (opcode) {
    case 0x80:
        return skip(r, 1, error); /* protocol */
    case 0x95:
        return skip(r, 8, error); /* frame */
    case '(':
        return pickle_mark(r, error);
    case '0':
        return drop(r, error);
    case '1':
        return pickle_pop_mark(r, &from, &n, error);
    case '2':
        return duplicate(r, error);
    case 'N':
        return pickle_push(r, (PickleValue){.kind = PICKLE_NONE}, error);
    case 0x88:
        return pickle_push(r, (PickleValue){.kind = PICKLE_BOOL, .integer = 1}, error);
    case 0x89:
        return pickle_push(r, (PickleValue){.kind = PICKLE_BOOL, .integer = 0}, error);
    case 'J':
        return push_small(r, 4, error);
    case 'K':
        return push_small(r, 1, error);
    case 'M':
        return push_small(r, 2, error);
    case 0x8a:
        return push_long(r, 1, error);
    case 0x8b:
        return push_long(r, 4, error);
    case 'G':
        return push_real(r, error);
    case 'I':
    case 'L':
    case 'F':
    case 'S':
    case 'V':
        return push_line(r, (char)opcode, error);
    case 'X':
        return push_text(r, PICKLE_TEXT, 4, error);
    case 0x8c:
        return push_text(r, PICKLE_TEXT, 1, error);
    case 0x8d:
        return push_text(r, PICKLE_TEXT, 8, error);
    case 'T':
        return push_text(r, PICKLE_TEXT, 4, error); /* Python 2's str */
    case 'U':
        return push_text(r, PICKLE_TEXT, 1, error);
    case 'B':
        return push_text(r, PICKLE_BYTES, 4, error);
    case 'C':
        return push_text(r, PICKLE_BYTES, 1, error);
    case 0x8e:
    case 0x96:
        return push_text(r, PICKLE_BYTES, 8, error);
    case ')':
        return pickle_push_items(r, PICKLE_TUPLE, NULL, 0, error);
    case 't':
        return collect(r, PICKLE_TUPLE, error);
    case 0x85:
        return pickle_tuple_of_top(r, 1, error);
    case 0x86:
        return pickle_tuple_of_top(r, 2, error);
    case 0x87:
        return pickle_tuple_of_top(r, 3, error);
    case ']':
    case 0x8f:
        return pickle_push_items(r, PICKLE_LIST, NULL, 0, error);
    case 'l':
    case 0x91:
        return collect(r, PICKLE_LIST, error);
    case 'a':
        return add_one(r, PICKLE_LIST, error);
    case 'e':
    case 0x90:
        return add_marked(r, PICKLE_LIST, error);
    case '}':
        return pickle_push_items(r, PICKLE_DICT, NULL, 0, error);
    case 'd':
        return collect(r, PICKLE_DICT, error);
    case 's':
        return add_one(r, PICKLE_DICT, error);
    case 'u':
        return add_marked(r, PICKLE_DICT, error);
    case 'p':
        return memo_line(r, true, error);
    case 'q':
        return memo_sized(r, 1, true, error);
    case 'r':
        return memo_sized(r, 4, true, error);
    case 0x94:
        return memo_put(r, r->memo.n, error);
    case 'g':
        return memo_line(r, false, error);
    case 'h':
        return memo_sized(r, 1, false, error);
    case 'j':
        return memo_sized(r, 4, false, error);
    case 'c':
        return global_lines(r, error);
    case 0x93:
        return global_from_stack(r, error);
    case 'R':
    case 0x81:
        return reduce(r, error);
    case 0x92:
        return new_object_with_keywords(r, error);
    case 'o':
        return call_marked(r, false, error);
    case 'i':
        return call_marked(r, true, error);
    case 'b':
        return build(r, error);
    case 'P':
        return persistent_line(r, error);
    case 'Q':
        return persistent_top(r, error);
    default: {
        char what[64];
        snprintf(what, sizeof what, "opcode 0x%02x is not one that tensors need", opcode);
        return pickle_fail(r, error, what);
    }
    }
}

PickleReader *pickle_open(Str bytes, const char *path, const PickleRules *rules) {
    Arena *arena = arena_new();
    PickleReader *r = arena_calloc(arena, 1, sizeof *r);
    r->arena = arena;
    r->bytes = bytes;
    r->path = path;
    r->rules = *rules;
    r->budget = bytes.n + ((size_t)32 << 20); /* an arena takes up to twice that */
    return r;
}

void pickle_close(PickleReader *r) {
    if (r) arena_free(r->arena);
}

bool pickle_load(PickleReader *r, PickleValue *out, Error *error) {
    r->stack.n = r->memo.n = r->marks.n = 0;
    for (;;) {
        if (r->at == r->bytes.n) return pickle_fail(r, error, "it is cut off");
        unsigned char opcode = (unsigned char)r->bytes.data[r->at++];
        if (opcode == '.') return pickle_pop(r, out, error);
        if (!step(r, opcode, error)) return false;
    }
}

Str pickle_rest(const PickleReader *r) {
    return str_sub(r->bytes, r->at, r->bytes.n);
}

void *pickle_user(const PickleReader *r) {
    return r->rules.user;
}

const char *pickle_path(const PickleReader *r) {
    return r->path;
}

const PickleValue *pickle_find(const PickleValue *dict, const char *key) {
    if (!dict || dict->kind != PICKLE_DICT) return NULL;
    for (size_t i = dict->items->n; i >= 2; i -= 2) {
        const PickleValue *k = &dict->items->at[i - 2];
        if (k->kind == PICKLE_TEXT && str_is(k->text, key)) return k + 1;
    }
    return NULL;
}
