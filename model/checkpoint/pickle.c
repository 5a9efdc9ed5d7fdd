/* The stack machine. Every opcode takes a bounded step on values that are there: the table at the
 * end says which. Where Python would import or call, a table of ours is asked. */
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

/* So many bytes of length, then as many as they say. */
static bool take_counted(PickleReader *r, int length_bytes, Str *out, Error *error) {
    uint64_t n;
    if (!take_number(r, (size_t)length_bytes, &n, error)) return false;
    if (n > r->bytes.n) return pickle_fail(r, error, "it is cut off");
    return take(r, (size_t)n, out, error);
}

/* Steps of the machine: what the opcode's row of the table says beside, they get as a number. */

static bool skip(PickleReader *r, int n_bytes, Error *error) {
    Str skipped;
    return take(r, (size_t)n_bytes, &skipped, error);
}

static bool push_none(PickleReader *r, int unused, Error *error) {
    (void)unused;
    return pickle_push(r, (PickleValue){.kind = PICKLE_NONE}, error);
}

static bool push_bool(PickleReader *r, int value, Error *error) {
    return pickle_push(r, (PickleValue){.kind = PICKLE_BOOL, .integer = value}, error);
}

static bool push_text(PickleReader *r, int length_bytes, Error *error) {
    PickleValue value = {.kind = PICKLE_TEXT};
    return take_counted(r, length_bytes, &value.text, error) && pickle_push(r, value, error);
}

static bool push_bytes(PickleReader *r, int length_bytes, Error *error) {
    PickleValue value = {.kind = PICKLE_BYTES};
    return take_counted(r, length_bytes, &value.text, error) && pickle_push(r, value, error);
}

static bool push_integer(PickleReader *r, int64_t integer, Error *error) {
    return pickle_push(r, (PickleValue){.kind = PICKLE_INT, .integer = integer}, error);
}

/* Only that of four bytes has a sign. */
static bool push_int(PickleReader *r, int n_bytes, Error *error) {
    uint64_t number;
    if (!take_number(r, (size_t)n_bytes, &number, error)) return false;
    return push_integer(r, n_bytes == 4 ? (int32_t)number : (int64_t)number, error);
}

static bool push_long(PickleReader *r, int length_bytes, Error *error) {
    uint64_t number = 0;
    Str raw = {0};
    if (!take_counted(r, length_bytes, &raw, error)) return false;
    if (raw.n > 8) return pickle_push(r, (PickleValue){.kind = PICKLE_LONG, .text = raw}, error);
    if (raw.n) memcpy(&number, raw.data, raw.n);
    bool negative = raw.n && (raw.data[raw.n - 1] & 0x80);
    if (negative && raw.n < 8) number |= UINT64_MAX << 8 * raw.n;
    return push_integer(r, (int64_t)number, error);
}

static bool push_real(PickleReader *r, int unused, Error *error) {
    (void)unused;
    uint64_t bits;
    if (!take_number(r, 8, &bits, error)) return false;
    bits = __builtin_bswap64(bits);
    PickleValue value = {.kind = PICKLE_FLOAT};
    memcpy(&value.real, &bits, 8);
    return pickle_push(r, value, error);
}

/* Protocol 0 writes numbers and texts as lines. */

static bool push_integer_line(PickleReader *r, int has_bools, Error *error) {
    Str line;
    long long integer;
    if (!take_line(r, &line, error)) return false;
    if (has_bools && line.n == 2 && line.data[0] == '0')
        return push_bool(r, line.data[1] == '1', error);
    if (line.n && line.data[line.n - 1] == 'L') line.n--;
    if (integer_parse(line, &integer)) return push_integer(r, integer, error);
    if (line.n < 19) return pickle_fail(r, error, "not a number");
    return pickle_push(r, (PickleValue){.kind = PICKLE_LONG, .text = line}, error);
}

static bool push_real_line(PickleReader *r, int unused, Error *error) {
    (void)unused;
    Str line;
    PickleValue value = {.kind = PICKLE_FLOAT};
    if (!take_line(r, &line, error)) return false;
    if (!number_parse(line, &value.real)) return pickle_fail(r, error, "not a number");
    return pickle_push(r, value, error);
}

static bool push_text_line(PickleReader *r, int quoted, Error *error) {
    PickleValue value = {.kind = PICKLE_TEXT};
    if (!take_line(r, &value.text, error)) return false;
    if (quoted && value.text.n < 2) return pickle_fail(r, error, "a quoted string is expected");
    if (quoted) value.text = str_sub(value.text, 1, value.text.n - 1);
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

static bool global_lines(PickleReader *r, int unused, Error *error) {
    (void)unused;
    Str module, name;
    return take_line(r, &module, error) && take_line(r, &name, error) &&
           push_global(r, module, name, error);
}

static bool global_from_stack(PickleReader *r, int unused, Error *error) {
    (void)unused;
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

static bool reduce(PickleReader *r, int unused, Error *error) {
    (void)unused;
    PickleValue arguments, callee;
    return pickle_pop(r, &arguments, error) && pickle_pop(r, &callee, error) &&
           call(r, &callee, &arguments, error);
}

static bool reduce_with_keywords(PickleReader *r, int unused, Error *error) {
    PickleValue keywords;
    if (!pickle_pop(r, &keywords, error)) return false;
    if (keywords.kind != PICKLE_DICT || keywords.items->n)
        return pickle_fail(r, error, "keyword arguments");
    return reduce(r, unused, error);
}

/* obj, inst: callee and arguments above a mark, or the name in two lines. */
static bool call_marked(PickleReader *r, int named, Error *error) {
    if (named && !global_lines(r, 0, error)) return false;
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
static bool build(PickleReader *r, int unused, Error *error) {
    (void)unused;
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

static bool persistent_line(PickleReader *r, int unused, Error *error) {
    (void)unused;
    PickleValue id = {.kind = PICKLE_TEXT};
    return take_line(r, &id.text, error) && persistent(r, &id, error);
}

static bool persistent_top(PickleReader *r, int unused, Error *error) {
    (void)unused;
    PickleValue id;
    return pickle_pop(r, &id, error) && persistent(r, &id, error);
}

/* The stack and the containers on it. */

static bool mark(PickleReader *r, int unused, Error *error) {
    (void)unused;
    return pickle_mark(r, error);
}

static bool drop(PickleReader *r, int unused, Error *error) {
    (void)unused;
    PickleValue value;
    if (r->marks.n && r->stack.n == pickle_floor(r)) {
        r->marks.n--;
        return true;
    }
    return pickle_pop(r, &value, error);
}

static bool drop_marked(PickleReader *r, int unused, Error *error) {
    (void)unused;
    const PickleValue *from;
    size_t n;
    return pickle_pop_mark(r, &from, &n, error);
}

static bool duplicate(PickleReader *r, int unused, Error *error) {
    (void)unused;
    if (r->stack.n <= pickle_floor(r)) return pickle_fail(r, error, "the stack is empty");
    return pickle_push(r, r->stack.at[r->stack.n - 1], error);
}

static bool empty(PickleReader *r, int kind, Error *error) {
    return pickle_push_items(r, (PickleKind)kind, NULL, 0, error);
}

static bool tuple_of_top(PickleReader *r, int n, Error *error) {
    return pickle_tuple_of_top(r, (size_t)n, error);
}

static bool add_marked(PickleReader *r, int kind, Error *error) {
    const PickleValue *from = NULL;
    PickleValue *to;
    size_t n = 0;
    if (!pickle_pop_mark(r, &from, &n, error) || !pickle_top(r, (PickleKind)kind, &to, error))
        return false;
    if (kind == PICKLE_DICT && n % 2) return pickle_fail(r, error, "a key without a value");
    return pickle_items_add(r, to->items, from, n, error);
}

static bool add_one(PickleReader *r, int kind, Error *error) {
    PickleValue pair[2], *to;
    size_t n = kind == PICKLE_DICT ? 2 : 1;
    for (size_t i = n; i > 0; i--)
        if (!pickle_pop(r, &pair[i - 1], error)) return false;
    return pickle_top(r, (PickleKind)kind, &to, error) &&
           pickle_items_add(r, to->items, pair, n, error);
}

static bool collect(PickleReader *r, int kind, Error *error) {
    const PickleValue *from = NULL;
    size_t n = 0;
    if (!pickle_pop_mark(r, &from, &n, error)) return false;
    if (kind == PICKLE_DICT && n % 2) return pickle_fail(r, error, "a key without a value");
    return pickle_push_items(r, (PickleKind)kind, from, n, error);
}

/* The memo. */

static bool remember(PickleReader *r, uint64_t index, Error *error) {
    if (r->stack.n <= pickle_floor(r)) return pickle_fail(r, error, "the stack is empty");
    if (index > r->bytes.n) return pickle_fail(r, error, "a memo number beyond its size");
    if (!pickle_items_reserve(r, &r->memo, (size_t)index + 1, error)) return false;
    while (r->memo.n <= index)
        r->memo.at[r->memo.n++] = (PickleValue){.kind = PICKLE_NONE};
    r->memo.at[index] = r->stack.at[r->stack.n - 1];
    return true;
}

static bool recall(PickleReader *r, uint64_t index, Error *error) {
    if (index >= r->memo.n) return pickle_fail(r, error, "a memo number that was never stored");
    return pickle_push(r, r->memo.at[index], error);
}

static bool take_index(PickleReader *r, uint64_t *out, Error *error) {
    Str line;
    long long index;
    if (!take_line(r, &line, error)) return false;
    if (!integer_parse(line, &index) || index < 0)
        return pickle_fail(r, error, "not a memo number");
    *out = (uint64_t)index;
    return true;
}

static bool memo_put(PickleReader *r, int n_bytes, Error *error) {
    uint64_t index = 0;
    return take_number(r, (size_t)n_bytes, &index, error) && remember(r, index, error);
}

static bool memo_put_line(PickleReader *r, int unused, Error *error) {
    (void)unused;
    uint64_t index = 0;
    return take_index(r, &index, error) && remember(r, index, error);
}

static bool memo_add(PickleReader *r, int unused, Error *error) {
    (void)unused;
    return remember(r, r->memo.n, error);
}

static bool memo_take(PickleReader *r, int n_bytes, Error *error) {
    uint64_t index = 0;
    return take_number(r, (size_t)n_bytes, &index, error) && recall(r, index, error);
}

static bool memo_take_line(PickleReader *r, int unused, Error *error) {
    (void)unused;
    uint64_t index = 0;
    return take_index(r, &index, error) && recall(r, index, error);
}

/* The machine. What has no row is refused. */

typedef struct Opcode {
    bool (*step)(PickleReader *r, int number, Error *error);
    int number; /* bytes, a kind, a value: see the step */
} Opcode;

static const Opcode opcodes[256] = {
    [0x80] = {skip, 1}, /* protocol */
    [0x95] = {skip, 8}, /* frame */

    ['('] = {mark, 0},
    ['0'] = {drop, 0},
    ['1'] = {drop_marked, 0},
    ['2'] = {duplicate, 0},

    ['N'] = {push_none, 0},
    [0x88] = {push_bool, true},
    [0x89] = {push_bool, false},
    ['K'] = {push_int, 1},
    ['M'] = {push_int, 2},
    ['J'] = {push_int, 4},
    [0x8a] = {push_long, 1},
    [0x8b] = {push_long, 4},
    ['G'] = {push_real, 0},
    ['I'] = {push_integer_line, true},
    ['L'] = {push_integer_line, false},
    ['F'] = {push_real_line, 0},

    [0x8c] = {push_text, 1},
    ['X'] = {push_text, 4},
    [0x8d] = {push_text, 8},
    ['U'] = {push_text, 1}, /* Python 2's str */
    ['T'] = {push_text, 4},
    ['S'] = {push_text_line, true},
    ['V'] = {push_text_line, false},
    ['C'] = {push_bytes, 1},
    ['B'] = {push_bytes, 4},
    [0x8e] = {push_bytes, 8},
    [0x96] = {push_bytes, 8}, /* bytearray */

    [')'] = {empty, PICKLE_TUPLE},
    ['t'] = {collect, PICKLE_TUPLE},
    [0x85] = {tuple_of_top, 1},
    [0x86] = {tuple_of_top, 2},
    [0x87] = {tuple_of_top, 3},
    [']'] = {empty, PICKLE_LIST},
    ['l'] = {collect, PICKLE_LIST},
    ['a'] = {add_one, PICKLE_LIST},
    ['e'] = {add_marked, PICKLE_LIST},
    [0x8f] = {empty, PICKLE_LIST}, /* sets */
    [0x90] = {add_marked, PICKLE_LIST},
    [0x91] = {collect, PICKLE_LIST},
    ['}'] = {empty, PICKLE_DICT},
    ['d'] = {collect, PICKLE_DICT},
    ['s'] = {add_one, PICKLE_DICT},
    ['u'] = {add_marked, PICKLE_DICT},

    ['q'] = {memo_put, 1},
    ['r'] = {memo_put, 4},
    ['p'] = {memo_put_line, 0},
    [0x94] = {memo_add, 0},
    ['h'] = {memo_take, 1},
    ['j'] = {memo_take, 4},
    ['g'] = {memo_take_line, 0},

    ['c'] = {global_lines, 0},
    [0x93] = {global_from_stack, 0},
    ['R'] = {reduce, 0},
    [0x81] = {reduce, 0}, /* a new object */
    [0x92] = {reduce_with_keywords, 0},
    ['o'] = {call_marked, false},
    ['i'] = {call_marked, true},
    ['b'] = {build, 0},
    ['P'] = {persistent_line, 0},
    ['Q'] = {persistent_top, 0},
};

static bool step(PickleReader *r, unsigned char code, Error *error) {
    const Opcode *opcode = &opcodes[code];
    if (opcode->step) return opcode->step(r, opcode->number, error);
    char what[64];
    snprintf(what, sizeof what, "opcode 0x%02x is not one that tensors need", code);
    return pickle_fail(r, error, what);
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
