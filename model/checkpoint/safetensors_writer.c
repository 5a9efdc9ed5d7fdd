/* Writes a safetensors file: the header is laid out by hand, in the order of the calls, so that the
 * same calls give the same bytes; jansson only quotes the strings. */
#include <stdlib.h>
#include <string.h>

#include "model/base/file.h"
#include "model/base/utf8.h"
#include "model/checkpoint/format.h"
#include "model/safetensors.h"

enum { ALIGN = 64 };

struct SafetensorsWriter {
    FileWriter *file;
    char *path;
    json_t *metadata;
    TensorList tensors;
    Arena *arena;
    Error failure; /* the first call that could not be served */
};

SafetensorsWriter *safetensors_create(const char *path, Error *error) {
    FileWriter *file = file_create(path, error);
    if (!file) return NULL;
    Arena *arena = arena_new();
    SafetensorsWriter *writer = arena_calloc(arena, 1, sizeof *writer);
    writer->file = file;
    writer->arena = arena;
    writer->path = arena_strdup(arena, path);
    writer->metadata = json_object();
    return writer;
}

void safetensors_add(SafetensorsWriter *writer, const char *name, Dtype dtype, int rank,
                     const int64_t *shape, const void *data) {
    RawTensor t = {.dtype = dtype, .rank = rank, .data = data, .file = writer->path};
    t.name = arena_strdup(writer->arena, name);
    if (rank < 0 || rank > RAW_MAX_RANK || dtype_is_packed(dtype) ||
        strcmp(name, "__metadata__") == 0 || utf8_invalid_at(str(name)) != strlen(name)) {
        error_set(&writer->failure, ERROR_INPUT, "%s: tensor %.200s: cannot be written",
                  writer->path, name);
        return;
    }
    if (rank) memcpy(t.shape, shape, (size_t)rank * sizeof *shape);
    if (raw_tensor_size(&t, &writer->failure)) tensor_list_add(&writer->tensors, &t);
}

void safetensors_metadata(SafetensorsWriter *writer, const char *key, const char *value) {
    if (json_object_set_new(writer->metadata, key, json_string(value)) != 0)
        error_set(&writer->failure, ERROR_INPUT, "%s: metadata %.200s: is not UTF-8", writer->path,
                  key);
}

static void add_quoted(StrBuf *out, const char *s) {
    json_t *string = json_string(s);
    char *quoted = json_dumps(string, JSON_ENCODE_ANY);
    strbuf_puts(out, quoted);
    free(quoted);
    json_decref(string);
}

/* Tensors tile the data without gaps, as readers demand; with the widest numbers first each one
 * lies at a multiple of its item. Stable: within a width the order of the calls stays. */
static void widest_first(const TensorList *from, TensorList *to) {
    for (int width = 8; width > 0; width /= 2)
        for (int i = 0; i < from->n; i++)
            if (dtype_info[from->items[i].dtype].block_bytes == width)
                tensor_list_add(to, &from->items[i]);
}

static void write_header(const SafetensorsWriter *writer, const TensorList *tensors, StrBuf *out) {
    strbuf_putc(out, '{');
    if (json_object_size(writer->metadata)) {
        char *metadata = json_dumps(writer->metadata, JSON_COMPACT | JSON_SORT_KEYS);
        strbuf_printf(out, "\"__metadata__\":%s", metadata);
        free(metadata);
    }
    size_t offset = 0;
    for (int i = 0; i < tensors->n; i++) {
        const RawTensor *t = &tensors->items[i];
        if (out->n > 1) strbuf_putc(out, ',');
        add_quoted(out, t->name);
        strbuf_printf(out, ":{\"dtype\":\"%s\",\"shape\":[", dtype_info[t->dtype].name);
        for (int axis = 0; axis < t->rank; axis++)
            strbuf_printf(out, axis ? ",%lld" : "%lld", (long long)t->shape[axis]);
        strbuf_printf(out, "],\"data_offsets\":[%zu,%zu]}", offset, offset + t->n_bytes);
        offset += t->n_bytes;
    }
    strbuf_putc(out, '}');
    while ((out->n + 8) % ALIGN)
        strbuf_putc(out, ' ');
}

static bool check_names(const SafetensorsWriter *writer, Error *error) {
    TensorList sorted = {0};
    for (int i = 0; i < writer->tensors.n; i++)
        tensor_list_add(&sorted, &writer->tensors.items[i]);
    bool ok = tensor_list_sort(&sorted, error);
    tensor_list_free(&sorted);
    return ok;
}

bool safetensors_commit(SafetensorsWriter *writer, Error *error) {
    bool ok = writer->failure.kind == ERROR_NONE ||
              error_set(error, writer->failure.kind, "%s", writer->failure.message);
    if (!ok || !check_names(writer, error)) {
        safetensors_abandon(writer);
        return false;
    }
    StrBuf header = {0};
    TensorList ordered = {0};
    widest_first(&writer->tensors, &ordered);
    write_header(writer, &ordered, &header);
    uint64_t n_header = header.n;
    file_write(writer->file, &n_header, sizeof n_header);
    file_write(writer->file, header.data, header.n);
    strbuf_free(&header);
    for (int i = 0; i < ordered.n; i++)
        file_write(writer->file, ordered.items[i].data, ordered.items[i].n_bytes);
    tensor_list_free(&ordered);
    ok = file_commit(writer->file, error);
    writer->file = NULL;
    safetensors_abandon(writer);
    return ok;
}

void safetensors_abandon(SafetensorsWriter *writer) {
    if (!writer) return;
    file_abandon(writer->file);
    json_decref(writer->metadata);
    tensor_list_free(&writer->tensors);
    arena_free(writer->arena);
}
