/* Python's pickle, read as data: a stack machine that builds numbers, texts, tuples, lists and
 * dictionaries, and knows no way to run anything. A file may name only the globals in the caller's
 * table, and what "calling" one of those means is a function of ours; any other name is refused.
 *
 *     PickleReader *r = pickle_open(bytes, "model.bin", globals, &error);
 *     PickleValue root;
 *     if (!pickle_load(r, &root, &error)) ...        one pickle; again for the next one in a row
 *     pickle_close(r);                               values die with it
 *
 * Memory is bounded by twice the bytes and 64 MB; time is linear. Protocols 0 to 5.
 * Source: cpython Lib/pickletools.py, which documents every opcode.
 */
#ifndef MODEL_CHECKPOINT_PICKLE_H
#define MODEL_CHECKPOINT_PICKLE_H

#include <stdint.h>

#include "model/base/arena.h"
#include "model/base/error.h"
#include "model/base/str.h"

typedef enum PickleKind {
    PICKLE_NONE,
    PICKLE_BOOL,   /* integer */
    PICKLE_INT,    /* integer */
    PICKLE_LONG,   /* text: little-endian two's complement of more than 8 bytes; protocol
                      0: digits */
    PICKLE_FLOAT,  /* real */
    PICKLE_TEXT,   /* text, of str; UTF-8 is not checked */
    PICKLE_BYTES,  /* text */
    PICKLE_TUPLE,  /* items */
    PICKLE_LIST,   /* items; sets too */
    PICKLE_DICT,   /* items: key, value, key, value */
    PICKLE_GLOBAL, /* global */
    PICKLE_OBJECT, /* object: what a caller's function made */
} PickleKind;

typedef struct PickleReader PickleReader;
typedef struct PickleItems PickleItems;

typedef struct PickleValue {
    PickleKind kind;
    union {
        int64_t integer;
        double real;
        Str text;
        PickleItems *items;
        const struct PickleGlobal *global;
        struct {
            void *object;
            int tag; /* the caller's */
        };
    };
} PickleValue;

struct PickleItems {
    PickleValue *at;
    size_t n, capacity;
};

/* A global that may be named. call NULL: it may be named, not called. */
typedef struct PickleGlobal {
    const char *name; /* "collections.OrderedDict" */
    bool (*call)(PickleReader *reader, const PickleItems *arguments, PickleValue *out,
                 Error *error);
    int tag;
} PickleGlobal;

/* globals ends with a NULL name. persistent: makes the value of a persistent id, or NULL. */
typedef bool PicklePersistent(PickleReader *reader, const PickleValue *id, PickleValue *out,
                              Error *error);
typedef struct PickleRules {
    const PickleGlobal *globals;
    PicklePersistent *persistent;
    void *user;
} PickleRules;

PickleReader *pickle_open(Str bytes, const char *path, const PickleRules *rules);
void pickle_close(PickleReader *reader); /* NULL is fine */
bool pickle_load(PickleReader *reader, PickleValue *out, Error *error);
/* The bytes behind the last pickle. */
Str pickle_rest(const PickleReader *reader);

/* For the caller's functions. */
void *pickle_user(const PickleReader *reader);
const char *pickle_path(const PickleReader *reader);
/* NULL and an error when the budget is spent. Lives as long as the reader. */
void *pickle_alloc(PickleReader *reader, size_t n_bytes, Error *error);
bool pickle_new_dict(PickleReader *reader, PickleValue *out, Error *error);

/* The value of a text key; NULL if absent or no dictionary. */
const PickleValue *pickle_find(const PickleValue *dict, const char *key);

#endif
