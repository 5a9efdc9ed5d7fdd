/* Reads a safetensors file. The header is JSON of somebody else's: each field is checked against
 * the bytes that are there, and the tensors must tile the data without gap or overlap, as the
 * reference implementation demands. */
#include "model/safetensors.h"

#include <stdlib.h>
#include <string.h>

#include "model/base/arena.h"
#include "model/base/file.h"
#include "model/base/json.h"
#include "model/checkpoint/format.h"

struct Safetensors {
    Arena *arena;
    FileMap map;         /* empty when the bytes are borrowed */
    const char *path;    /* for messages */
    const uint8_t *data; /* behind the header */
    size_t n_data;
    json_t *header;
    TensorList tensors;
};

static const size_t max_header_bytes = 100u << 20; /* as the reference implementation */

static bool read_header(Safetensors *file, Str bytes, Error *error) {
    const char *path = file->path;
    if (bytes.n < 8)
        return error_set(error, ERROR_INPUT,
                         "%s: %zu bytes, a safetensors file has at least 8 (is it cut off?)", path,
                         bytes.n);
    uint64_t n_header;
    memcpy(&n_header, bytes.data, 8);
    if (n_header > bytes.n - 8 || n_header > max_header_bytes)
        return error_set(error, ERROR_INPUT,
                         "%s: the header says it takes %llu bytes, the file has %zu after the "
                         "length (not a safetensors file, or cut off)",
                         path, (unsigned long long)n_header, bytes.n - 8);
    Str text = str_sub(bytes, 8, 8 + (size_t)n_header);
    file->data = (const uint8_t *)bytes.data + 8 + n_header;
    file->n_data = bytes.n - 8 - (size_t)n_header;
    if (text.n == 0 || text.data[0] != '{')
        return error_set(error, ERROR_INPUT,
                         "%s: the header must begin with '{' (not a safetensors file)", path);
    size_t max_tree = 2 * bytes.n + ((size_t)64 << 20);
    const char *where = arena_printf(file->arena, "%s: header", path);
    file->header = json_parse(text, where, JSON_REJECT_DUPLICATES, max_tree, error);
    return file->header != NULL;
}

static bool read_shape(RawTensor *t, const json_t *shape, const char *path, Error *error) {
    if (!json_is_array(shape))
        return error_set(error, ERROR_INPUT,
                         "%s: tensor %.200s: no shape, a list of sizes expected", path, t->name);
    size_t rank = json_array_size(shape);
    if (rank > RAW_MAX_RANK)
        return error_set(error, ERROR_INPUT, "%s: tensor %.200s: %zu axes, at most %d expected",
                         path, t->name, rank, RAW_MAX_RANK);
    t->rank = (int)rank;
    for (size_t axis = 0; axis < rank; axis++) {
        const json_t *size = json_array_get(shape, axis);
        if (!json_is_integer(size) || json_integer_value(size) < 0)
            return error_set(error, ERROR_INPUT,
                             "%s: tensor %.200s: size of axis %zu is not a whole number from 0",
                             path, t->name, axis);
        t->shape[axis] = json_integer_value(size);
    }
    return true;
}

/* data_offsets: [begin, end) of the tensor's bytes behind the header. */
static bool read_span(const Safetensors *file, const RawTensor *t, const json_t *offsets,
                      size_t *begin, Error *error) {
    const json_t *first = json_array_get(offsets, 0), *last = json_array_get(offsets, 1);
    if (json_array_size(offsets) != 2 || !json_is_integer(first) || !json_is_integer(last))
        return error_set(error, ERROR_INPUT,
                         "%s: tensor %.200s: data_offsets are not two whole numbers [begin, end]",
                         file->path, t->name);
    json_int_t from = json_integer_value(first), to = json_integer_value(last);
    if (from < 0 || to < from || (uint64_t)to > file->n_data)
        return error_set(
            error, ERROR_INPUT,
            "%s: tensor %.200s: data_offsets [%lld, %lld] do not lie in the %zu bytes of "
            "data (is the file cut off?)",
            file->path, t->name, (long long)from, (long long)to, file->n_data);
    *begin = (size_t)from;
    if ((size_t)(to - from) == t->n_bytes) return true;
    return error_set(error, ERROR_INPUT,
                     "%s: tensor %.200s: data_offsets span %lld bytes, shape %s of %s takes %zu",
                     file->path, t->name, (long long)(to - from), raw_shape_text(t).text,
                     dtype_info[t->dtype].name, t->n_bytes);
}

static bool read_tensor(Safetensors *file, const char *name, const json_t *entry, Error *error) {
    RawTensor t = {.name = name, .file = file->path};
    if (!json_is_object(entry))
        return error_set(error, ERROR_INPUT,
                         "%s: tensor %.200s: {dtype, shape, data_offsets} expected", file->path,
                         name);
    const char *dtype = json_string_value(json_object_get(entry, "dtype"));
    if (!dtype || !dtype_parse(dtype, &t.dtype) || dtype_is_packed(t.dtype))
        return error_set(error, dtype ? ERROR_UNSUPPORTED : ERROR_INPUT,
                         "%s: tensor %.200s: dtype %s%.40s, one of F64, F32, F16, BF16, F8_E4M3, "
                         "F8_E5M2, I64, I32, I16, I8, U64, U32, U16, U8, BOOL expected",
                         file->path, name, dtype ? "" : "missing", dtype ? dtype : "");
    if (!read_shape(&t, json_object_get(entry, "shape"), file->path, error)) return false;
    if (!raw_tensor_size(&t, error)) return false;
    size_t begin = 0;
    if (!read_span(file, &t, json_object_get(entry, "data_offsets"), &begin, error)) return false;
    t.data = file->data + begin;
    tensor_list_add(&file->tensors, &t);
    return true;
}

static int by_address(const void *a, const void *b) {
    const RawTensor *x = a, *y = b;
    if (x->data != y->data) return x->data < y->data ? -1 : 1;
    return x->n_bytes < y->n_bytes ? -1 : x->n_bytes > y->n_bytes;
}

static bool check_tiling(Safetensors *file, Error *error) {
    TensorList *list = &file->tensors;
    if (list->n) qsort(list->items, (size_t)list->n, sizeof *list->items, by_address);
    size_t end = 0;
    const char *before = "the header";
    for (int i = 0; i < list->n; i++) {
        const RawTensor *t = &list->items[i];
        size_t begin = (size_t)((const uint8_t *)t->data - file->data);
        if (begin != end)
            return error_set(
                error, ERROR_INPUT,
                "%s: tensor %.200s begins at byte %zu of the data, %s: %.200s ends at %zu",
                file->path, t->name, begin, begin < end ? "overlapping another" : "leaving a gap",
                before, end);
        end = begin + t->n_bytes;
        before = t->name;
    }
    if (end == file->n_data) return true;
    return error_set(error, ERROR_INPUT,
                     "%s: %zu bytes of data, the tensors of the header take %zu", file->path,
                     file->n_data, end);
}

static bool read_all(Safetensors *file, Str bytes, Error *error) {
    if (!read_header(file, bytes, error)) return false;
    const char *name;
    json_t *entry;
    json_object_foreach(file->header, name, entry) {
        if (strcmp(name, "__metadata__") == 0) {
            if (!json_is_object(entry))
                return error_set(error, ERROR_INPUT, "%s: __metadata__ is not an object of strings",
                                 file->path);
        } else if (!read_tensor(file, name, entry, error)) {
            return false;
        }
    }
    if (!check_tiling(file, error)) return false;
    for (int i = 0; i < file->tensors.n; i++)
        raw_tensor_align(file->arena, &file->tensors.items[i]);
    return tensor_list_sort(&file->tensors, error);
}

static Safetensors *file_new(const char *path) {
    Arena *arena = arena_new();
    Safetensors *file = arena_calloc(arena, 1, sizeof *file);
    file->arena = arena;
    file->path = arena_strdup(arena, path);
    return file;
}

Safetensors *safetensors_open_memory(Str data, const char *where, Error *error) {
    Safetensors *file = file_new(where);
    if (read_all(file, data, error)) return file;
    safetensors_close(file);
    return NULL;
}

Safetensors *safetensors_open(const char *path, Error *error) {
    Safetensors *file = file_new(path);
    if (file_map(path, &file->map, error) &&
        read_all(file, (Str){(const char *)file->map.data, file->map.n_bytes}, error))
        return file;
    safetensors_close(file);
    return NULL;
}

void safetensors_close(Safetensors *file) {
    if (!file) return;
    json_decref(file->header);
    tensor_list_free(&file->tensors);
    file_unmap(&file->map);
    arena_free(file->arena);
}

int safetensors_n_tensors(const Safetensors *file) {
    return file->tensors.n;
}

const RawTensor *safetensors_tensor(const Safetensors *file, int index) {
    return &file->tensors.items[index];
}

const RawTensor *safetensors_find(const Safetensors *file, const char *name) {
    return tensor_list_find(&file->tensors, name);
}

const char *safetensors_metadata_value(const Safetensors *file, const char *key) {
    return json_string_value(json_object_get(json_object_get(file->header, "__metadata__"), key));
}
