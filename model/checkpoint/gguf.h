/* The GGUF file of llama.cpp: a list of typed keys, a list of tensors, the numbers.
 * https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
 *
 *     GgufFile *file = gguf_open("tiny.gguf", &error);
 *     int64_t n_layers;
 *     if (gguf_integer(file, "llama.block_count", &n_layers)) ...
 *     gguf_close(file);
 *
 * Everything read is borrowed from the file.
 */
#ifndef MODEL_CHECKPOINT_GGUF_H
#define MODEL_CHECKPOINT_GGUF_H

#include "model/checkpoint/format.h"

typedef enum GgufType {
    GGUF_U8,
    GGUF_I8,
    GGUF_U16,
    GGUF_I16,
    GGUF_U32,
    GGUF_I32,
    GGUF_F32,
    GGUF_BOOL,
    GGUF_STRING,
    GGUF_ARRAY,
    GGUF_U64,
    GGUF_I64,
    GGUF_F64,
    GGUF_TYPE_COUNT
} GgufType;

typedef struct GgufKey {
    Str name;
    GgufType type;
    GgufType item_type;  /* of an array */
    uint64_t n_items;    /* of an array */
    const uint8_t *data; /* the value; an array's first item */
} GgufKey;

typedef struct GgufFile GgufFile;

GgufFile *gguf_open(const char *path, Error *error); /* NULL on failure */
/* The same from memory: data is borrowed until the close, `where` names it in messages. */
GgufFile *gguf_open_memory(Str data, const char *where, Error *error);
void gguf_close(GgufFile *file); /* NULL is fine */

const char *gguf_path(const GgufFile *file);
size_t gguf_n_bytes(const GgufFile *file);
int gguf_n_keys(const GgufFile *file);
const GgufKey *gguf_key_at(const GgufFile *file, int index);
/* NULL if absent. */
const GgufKey *gguf_key(const GgufFile *file, const char *name);
/* False if absent or of another kind. Any integer type is an integer; any number is a real. */
bool gguf_integer(const GgufFile *file, const char *name, int64_t *out);
bool gguf_real(const GgufFile *file, const char *name, double *out);
bool gguf_bool(const GgufFile *file, const char *name, bool *out);
bool gguf_text(const GgufFile *file, const char *name, Str *out);

/* Items of an array in order: strings, or numbers. False at the end. */
typedef struct GgufItems {
    const GgufKey *key;
    uint64_t index;
    const uint8_t *at;
} GgufItems;
GgufItems gguf_items(const GgufKey *array);
bool gguf_next_text(GgufItems *items, Str *out);
bool gguf_next_number(GgufItems *items, double *out);

/* In file order, under the names of the file; shapes are row-major (GGUF writes them reversed). */
const TensorList *gguf_tensors(const GgufFile *file);

/* A model in parts; a whole one is one part. */
typedef struct GgufParts {
    int n;
    GgufFile **files; // [n] the first has the keys; the checkpoint's
} GgufParts;
/* path: any of the parts. */
bool gguf_parts_open(Checkpoint *checkpoint, const char *path, GgufParts *out, Error *error);
/* NAME-00002-of-00003.gguf: its first; any other path itself. */
const char *gguf_first_part(Arena *arena, const char *path);
/* A folder of one .gguf, or of the parts of one model. */
Probe gguf_probe_folder(const Source *source, Error *error);

/* The vocabulary in tokenizer.json form; a new reference. NULL without an error if there is none,
 * with one if it is of a kind that is not read. */
json_t *gguf_tokenizer(const GgufFile *file, Error *error);

#endif
