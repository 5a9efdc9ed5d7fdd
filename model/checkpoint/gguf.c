#include "model/checkpoint/gguf.h"

#include <stdlib.h>
#include <string.h>

#include "model/base/utf8.h"

enum { MAX_NAME = 1024, MAX_ALIGNMENT = 1 << 20, MAX_KEYS = 100000, MAX_TENSORS = 200000 };

struct GgufFile {
    Arena *arena;
    const char *path;
    FileMap map; /* empty when the bytes are borrowed */
    const uint8_t *bytes;
    size_t n_bytes;
    size_t at; /* the reader's place in the bytes */
    GgufKey *keys;
    int n_keys;
    TensorList tensors;
};

static const struct {
    const char *name;
    int n_bytes; /* 0: not of one size */
} value_types[GGUF_TYPE_COUNT] = {
    [GGUF_U8] = {"u8", 1},       [GGUF_I8] = {"i8", 1},     [GGUF_U16] = {"u16", 2},
    [GGUF_I16] = {"i16", 2},     [GGUF_U32] = {"u32", 4},   [GGUF_I32] = {"i32", 4},
    [GGUF_F32] = {"f32", 4},     [GGUF_BOOL] = {"bool", 1}, [GGUF_STRING] = {"string", 0},
    [GGUF_ARRAY] = {"array", 0}, [GGUF_U64] = {"u64", 8},   [GGUF_I64] = {"i64", 8},
    [GGUF_F64] = {"f64", 8},
};

/* ggml's numbers for tensor types; those that are read have a dtype. */
static const struct {
    uint32_t number;
    int dtype; /* -1: known by name only */
    const char *name;
} tensor_types[] = {
    {0, DTYPE_F32, "F32"},
    {1, DTYPE_F16, "F16"},
    {2, DTYPE_Q4_0, "Q4_0"},
    {3, DTYPE_Q4_1, "Q4_1"},
    {6, DTYPE_Q5_0, "Q5_0"},
    {7, DTYPE_Q5_1, "Q5_1"},
    {8, DTYPE_Q8_0, "Q8_0"},
    {9, -1, "Q8_1"},
    {10, DTYPE_Q2_K, "Q2_K"},
    {11, DTYPE_Q3_K, "Q3_K"},
    {12, DTYPE_Q4_K, "Q4_K"},
    {13, DTYPE_Q5_K, "Q5_K"},
    {14, DTYPE_Q6_K, "Q6_K"},
    {15, -1, "Q8_K"},
    {16, -1, "IQ2_XXS"},
    {17, -1, "IQ2_XS"},
    {18, -1, "IQ3_XXS"},
    {19, -1, "IQ1_S"},
    {20, DTYPE_IQ4_NL, "IQ4_NL"},
    {21, -1, "IQ3_S"},
    {22, -1, "IQ2_S"},
    {23, DTYPE_IQ4_XS, "IQ4_XS"},
    {24, DTYPE_I8, "I8"},
    {25, DTYPE_I16, "I16"},
    {26, DTYPE_I32, "I32"},
    {27, DTYPE_I64, "I64"},
    {28, DTYPE_F64, "F64"},
    {29, -1, "IQ1_M"},
    {30, DTYPE_BF16, "BF16"},
    {34, -1, "TQ1_0"},
    {35, -1, "TQ2_0"},
    {39, -1, "MXFP4"},
};

static bool cut_off(const GgufFile *file, Error *error) {
    return error_set(error, ERROR_INPUT,
                     "%s: the GGUF header is cut off or broken at byte %zu of %zu", file->path,
                     file->at, file->n_bytes);
}

static bool take(GgufFile *file, size_t n, const uint8_t **out, Error *error) {
    if (n > file->n_bytes - file->at) return cut_off(file, error);
    *out = file->bytes + file->at;
    file->at += n;
    return true;
}

static bool take_u32(GgufFile *file, uint32_t *out, Error *error) {
    const uint8_t *data = NULL;
    if (!take(file, 4, &data, error)) return false;
    memcpy(out, data, 4);
    return true;
}

static bool take_u64(GgufFile *file, uint64_t *out, Error *error) {
    const uint8_t *data = NULL;
    if (!take(file, 8, &data, error)) return false;
    memcpy(out, data, 8);
    return true;
}

static bool take_text(GgufFile *file, Str *out, Error *error) {
    uint64_t n = 0;
    const uint8_t *data = NULL;
    if (!take_u64(file, &n, error)) return false;
    if (n > file->n_bytes) return cut_off(file, error);
    if (!take(file, (size_t)n, &data, error)) return false;
    *out = (Str){(const char *)data, (size_t)n};
    return true;
}

static bool take_name(GgufFile *file, const char *what, Str *out, Error *error) {
    *out = (Str){"", 0};
    if (!take_text(file, out, error)) return false;
    bool good = out->n > 0 && out->n <= MAX_NAME && !memchr(out->data, '\0', out->n) &&
                utf8_invalid_at(*out) == out->n;
    return good || error_set(error, ERROR_INPUT,
                             "%s: the name of a %s is not UTF-8 text of 1 to %d "
                             "bytes, at byte %zu",
                             file->path, what, MAX_NAME, file->at);
}

static bool take_array(GgufFile *file, GgufKey *key, Error *error) {
    uint32_t type = 0;
    if (!take_u32(file, &type, error) || !take_u64(file, &key->n_items, error)) return false;
    if (type >= GGUF_TYPE_COUNT || type == GGUF_ARRAY)
        return error_set(error, ERROR_UNSUPPORTED, "%s: key %.*s: an array of type %u", file->path,
                         (int)key->name.n, key->name.data, type);
    key->item_type = (GgufType)type;
    key->data = file->bytes + file->at;
    size_t item = (size_t)value_types[type].n_bytes, n_bytes;
    const uint8_t *data = NULL;
    if (item)
        return __builtin_mul_overflow(item, (size_t)key->n_items, &n_bytes)
                   ? cut_off(file, error)
                   : take(file, n_bytes, &data, error);
    Str text;
    for (uint64_t i = 0; i < key->n_items; i++)
        if (!take_text(file, &text, error)) return false;
    return true;
}

static bool take_key(GgufFile *file, GgufKey *key, Error *error) {
    uint32_t type = 0;
    Str text;
    if (!take_name(file, "key", &key->name, error) || !take_u32(file, &type, error)) return false;
    if (type >= GGUF_TYPE_COUNT)
        return error_set(error, ERROR_INPUT, "%s: key %.*s: type %u, 0 to %d expected", file->path,
                         (int)key->name.n, key->name.data, type, GGUF_TYPE_COUNT - 1);
    key->type = (GgufType)type;
    if (key->type == GGUF_ARRAY) return take_array(file, key, error);
    key->data = file->bytes + file->at;
    if (key->type == GGUF_STRING) return take_text(file, &text, error);
    const uint8_t *data = NULL;
    return take(file, (size_t)value_types[type].n_bytes, &data, error);
}

static int by_name(const void *a, const void *b) {
    const GgufKey *x = a, *y = b;
    size_t n = x->name.n < y->name.n ? x->name.n : y->name.n;
    int order = memcmp(x->name.data, y->name.data, n);
    return order ? order : (x->name.n > y->name.n) - (x->name.n < y->name.n);
}

static bool read_keys(GgufFile *file, uint64_t n_keys, Error *error) {
    if (n_keys > MAX_KEYS)
        return error_set(error, ERROR_INPUT, "%s: %llu keys, at most %d expected", file->path,
                         (unsigned long long)n_keys, MAX_KEYS);
    file->keys = calloc((size_t)n_keys + 1, sizeof *file->keys);
    if (!file->keys) return error_set(error, ERROR_MEMORY, "%s: no memory", file->path);
    for (uint64_t i = 0; i < n_keys; i++, file->n_keys++)
        if (!take_key(file, &file->keys[i], error)) return false;
    qsort(file->keys, (size_t)file->n_keys, sizeof *file->keys, by_name);
    for (int i = 1; i < file->n_keys; i++)
        if (by_name(&file->keys[i - 1], &file->keys[i]) == 0)
            return error_set(error, ERROR_INPUT, "%s: key %.*s is there twice", file->path,
                             (int)file->keys[i].name.n, file->keys[i].name.data);
    return true;
}

static bool set_dtype(const GgufFile *file, RawTensor *t, uint32_t number, Error *error) {
    const char *name = NULL;
    for (size_t i = 0; i < sizeof tensor_types / sizeof *tensor_types; i++) {
        if (tensor_types[i].number != number) continue;
        name = tensor_types[i].name;
        if (tensor_types[i].dtype < 0) break;
        t->dtype = (Dtype)tensor_types[i].dtype;
        return true;
    }
    return error_set(
        error, ERROR_UNSUPPORTED,
        "%s: tensor %.200s: type %s (%u) is not read; F32, F16, BF16, Q8_0, Q4_0, Q4_1, "
        "Q5_0, Q5_1, Q2_K, Q3_K, Q4_K, Q5_K, Q6_K, IQ4_NL and IQ4_XS are",
        file->path, t->name, name ? name : "unknown", number);
}

/* The innermost axis comes first in the file and last here. */
static bool take_tensor(GgufFile *file, RawTensor *t, uint64_t *offset, Error *error) {
    Str name;
    uint32_t rank = 0, type = 0;
    const uint8_t *data = NULL;
    if (!take_name(file, "tensor", &name, error) || !take_u32(file, &rank, error)) return false;
    *t = (RawTensor){.name = arena_str(file->arena, name).data, .file = file->path};
    if (rank > 4)
        return error_set(error, ERROR_INPUT, "%s: tensor %.200s: %u axes, at most 4 expected",
                         file->path, t->name, rank);
    t->rank = (int)rank;
    for (int axis = t->rank - 1; axis >= 0; axis--) {
        uint64_t size = 0;
        if (!take_u64(file, &size, error)) return false;
        if (size > INT64_MAX || size == 0)
            return error_set(error, ERROR_INPUT, "%s: tensor %.200s: size of axis %d is absurd",
                             file->path, t->name, axis);
        t->shape[axis] = (int64_t)size;
    }
    if (!take_u32(file, &type, error) || !take(file, 8, &data, error)) return false;
    memcpy(offset, data, 8);
    return set_dtype(file, t, type, error) && raw_tensor_size(t, error);
}

static bool read_tensors(GgufFile *file, uint64_t n_tensors, Error *error) {
    int64_t alignment = 32;
    gguf_integer(file, "general.alignment", &alignment);
    if (alignment < 1 || alignment > MAX_ALIGNMENT)
        return error_set(error, ERROR_INPUT, "%s: general.alignment %lld, 1 to %d expected",
                         file->path, (long long)alignment, MAX_ALIGNMENT);
    if (n_tensors > MAX_TENSORS)
        return error_set(error, ERROR_INPUT, "%s: %llu tensors, at most %d expected", file->path,
                         (unsigned long long)n_tensors, MAX_TENSORS);
    uint64_t *offsets = calloc((size_t)n_tensors + 1, sizeof *offsets);
    if (!offsets) return error_set(error, ERROR_MEMORY, "%s: no memory", file->path);
    bool ok = true;
    for (uint64_t i = 0; ok && i < n_tensors; i++) {
        RawTensor t;
        ok = take_tensor(file, &t, &offsets[i], error);
        if (ok) tensor_list_add(&file->tensors, &t);
    }
    size_t begin = (file->at + (size_t)alignment - 1) / (size_t)alignment * (size_t)alignment;
    size_t n_data = begin < file->n_bytes ? file->n_bytes - begin : 0;
    for (int i = 0; ok && i < file->tensors.n; i++) {
        RawTensor *t = &file->tensors.items[i];
        if (t->n_bytes > n_data || offsets[i] > n_data - t->n_bytes)
            ok = error_set(
                error, ERROR_INPUT,
                "%s: tensor %.200s: %zu bytes at %llu do not lie in the %zu bytes of data "
                "(is the file cut off?)",
                file->path, t->name, t->n_bytes, (unsigned long long)offsets[i], n_data);
        else if (offsets[i] % (uint64_t)alignment)
            ok = error_set(error, ERROR_INPUT,
                           "%s: tensor %.200s: begins at %llu, a multiple of %lld is expected",
                           file->path, t->name, (unsigned long long)offsets[i],
                           (long long)alignment);
        else
            t->data = file->bytes + (n_data ? begin + offsets[i] : 0);
    }
    free(offsets);
    return ok;
}

static int by_address(const void *a, const void *b) {
    const RawTensor *x = a, *y = b;
    return (x->data > y->data) - (x->data < y->data);
}

/* Two tensors over the same bytes are a broken file, and would let a small file claim much. */
static bool check_overlaps(GgufFile *file, Error *error) {
    TensorList *list = &file->tensors;
    if (list->n) qsort(list->items, (size_t)list->n, sizeof *list->items, by_address);
    for (int i = 1; i < list->n; i++) {
        const RawTensor *a = &list->items[i - 1], *b = &list->items[i];
        if (a->n_bytes && b->n_bytes &&
            (const uint8_t *)a->data + a->n_bytes > (const uint8_t *)b->data)
            return error_set(error, ERROR_INPUT, "%s: tensor %.200s overlaps %.200s", file->path,
                             b->name, a->name);
    }
    for (int i = 0; i < list->n; i++)
        raw_tensor_align(file->arena, &list->items[i]);
    return true;
}

static bool read_file(GgufFile *file, Error *error) {
    const uint8_t *magic = NULL;
    uint32_t version = 0;
    uint64_t n_tensors = 0, n_keys = 0;
    if (!take(file, 4, &magic, error)) return false;
    if (memcmp(magic, "GGUF", 4) != 0)
        return error_set(error, ERROR_INPUT, "%s: does not begin with GGUF", file->path);
    if (!take_u32(file, &version, error)) return false;
    if (version < 2 || version > 3)
        return error_set(error, ERROR_UNSUPPORTED,
                         "%s: GGUF version %u, 2 or 3 (little-endian) expected", file->path,
                         version);
    return take_u64(file, &n_tensors, error) && take_u64(file, &n_keys, error) &&
           read_keys(file, n_keys, error) && read_tensors(file, n_tensors, error) &&
           check_overlaps(file, error);
}

static GgufFile *file_new(const char *path) {
    Arena *arena = arena_new();
    GgufFile *file = arena_calloc(arena, 1, sizeof *file);
    file->arena = arena;
    file->path = arena_strdup(arena, path);
    return file;
}

static GgufFile *read_or_close(GgufFile *file, const uint8_t *bytes, size_t n_bytes, Error *error) {
    file->bytes = bytes;
    file->n_bytes = n_bytes;
    if (bytes && read_file(file, error)) return file;
    gguf_close(file);
    return NULL;
}

GgufFile *gguf_open_memory(Str data, const char *where, Error *error) {
    return read_or_close(file_new(where), (const uint8_t *)data.data, data.n, error);
}

GgufFile *gguf_open(const char *path, Error *error) {
    GgufFile *file = file_new(path);
    file_map(path, &file->map, error);
    return read_or_close(file, file->map.data, file->map.n_bytes, error);
}

void gguf_close(GgufFile *file) {
    if (!file) return;
    free(file->keys);
    tensor_list_free(&file->tensors);
    file_unmap(&file->map);
    arena_free(file->arena);
}

const char *gguf_path(const GgufFile *file) {
    return file->path;
}

size_t gguf_n_bytes(const GgufFile *file) {
    return file->n_bytes;
}

int gguf_n_keys(const GgufFile *file) {
    return file->n_keys;
}

const GgufKey *gguf_key_at(const GgufFile *file, int index) {
    return &file->keys[index];
}

const GgufKey *gguf_key(const GgufFile *file, const char *name) {
    GgufKey key = {.name = str(name)};
    return file->n_keys ? bsearch(&key, file->keys, (size_t)file->n_keys, sizeof key, by_name)
                        : NULL;
}

static bool number_at(GgufType type, const uint8_t *data, double *real, int64_t *integer) {
    union {
        uint8_t u8;
        int8_t i8;
        uint16_t u16;
        int16_t i16;
        uint32_t u32;
        int32_t i32;
        uint64_t u64;
        int64_t i64;
        float f32;
        double f64;
    } v = {0};
    memcpy(&v, data, (size_t)value_types[type].n_bytes);
    bool whole = type != GGUF_F32 && type != GGUF_F64;
    switch (type) {
    case GGUF_U8:
    case GGUF_BOOL:
        *integer = v.u8;
        break;
    case GGUF_I8:
        *integer = v.i8;
        break;
    case GGUF_U16:
        *integer = v.u16;
        break;
    case GGUF_I16:
        *integer = v.i16;
        break;
    case GGUF_U32:
        *integer = v.u32;
        break;
    case GGUF_I32:
        *integer = v.i32;
        break;
    case GGUF_U64:
        *integer = v.u64 > INT64_MAX ? INT64_MAX : (int64_t)v.u64;
        break;
    case GGUF_I64:
        *integer = v.i64;
        break;
    case GGUF_F32:
        *real = (double)v.f32;
        break;
    case GGUF_F64:
        *real = v.f64;
        break;
    case GGUF_STRING:
    case GGUF_ARRAY:
    case GGUF_TYPE_COUNT:
        return false;
    }
    if (whole) *real = (double)*integer;
    return true;
}

static bool is_whole(GgufType type) {
    return type != GGUF_F32 && type != GGUF_F64 && type != GGUF_STRING && type != GGUF_ARRAY &&
           type != GGUF_BOOL;
}

bool gguf_integer(const GgufFile *file, const char *name, int64_t *out) {
    const GgufKey *key = gguf_key(file, name);
    double real;
    return key && is_whole(key->type) && number_at(key->type, key->data, &real, out);
}

bool gguf_real(const GgufFile *file, const char *name, double *out) {
    const GgufKey *key = gguf_key(file, name);
    int64_t integer;
    return key && key->type != GGUF_BOOL && number_at(key->type, key->data, out, &integer);
}

bool gguf_bool(const GgufFile *file, const char *name, bool *out) {
    const GgufKey *key = gguf_key(file, name);
    if (!key || key->type != GGUF_BOOL) return false;
    *out = *key->data != 0;
    return true;
}

/* Lengths were checked when the file was read. */
static Str text_at(const uint8_t *data) {
    uint64_t n;
    memcpy(&n, data, 8);
    return (Str){(const char *)data + 8, (size_t)n};
}

bool gguf_text(const GgufFile *file, const char *name, Str *out) {
    const GgufKey *key = gguf_key(file, name);
    if (!key || key->type != GGUF_STRING) return false;
    *out = text_at(key->data);
    return true;
}

GgufItems gguf_items(const GgufKey *array) {
    return (GgufItems){array, 0, array->data};
}

bool gguf_next_text(GgufItems *items, Str *out) {
    if (items->index == items->key->n_items || items->key->item_type != GGUF_STRING) return false;
    *out = text_at(items->at);
    items->at += 8 + out->n;
    items->index++;
    return true;
}

bool gguf_next_number(GgufItems *items, double *out) {
    int64_t integer;
    if (items->index == items->key->n_items) return false;
    if (!number_at(items->key->item_type, items->at, out, &integer)) return false;
    items->at += value_types[items->key->item_type].n_bytes;
    items->index++;
    return true;
}

const TensorList *gguf_tensors(const GgufFile *file) {
    return &file->tensors;
}
