/* The list of a checkpoint's tensors, sorted by name once it is full. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/checkpoint/format.h"

void tensor_list_add(TensorList *list, const RawTensor *tensor) {
    if (list->n == list->capacity) {
        list->capacity = list->capacity ? 2 * list->capacity : 64;
        RawTensor *items = realloc(list->items, (size_t)list->capacity * sizeof *items);
        if (!items) abort();
        list->items = items;
    }
    list->items[list->n++] = *tensor;
}

static int by_name(const void *a, const void *b) {
    return strcmp(((const RawTensor *)a)->name, ((const RawTensor *)b)->name);
}

bool tensor_list_sort(TensorList *list, Error *error) {
    if (list->n) qsort(list->items, (size_t)list->n, sizeof *list->items, by_name);
    for (int i = 1; i < list->n; i++) {
        const RawTensor *a = &list->items[i - 1], *b = &list->items[i];
        if (strcmp(a->name, b->name) != 0) continue;
        bool one_file = strcmp(a->file, b->file) == 0;
        return error_set(error, ERROR_INPUT, "%s: tensor %.200s is there twice%s%s", a->file,
                         a->name, one_file ? "" : ", also in ", one_file ? "" : path_name(b->file));
    }
    return true;
}

const RawTensor *tensor_list_find(const TensorList *list, const char *name) {
    RawTensor key = {.name = name};
    return list->n ? bsearch(&key, list->items, (size_t)list->n, sizeof key, by_name) : NULL;
}

void tensor_list_free(TensorList *list) {
    free(list->items);
    *list = (TensorList){0};
}

int64_t raw_tensor_count(const RawTensor *tensor) {
    int64_t n = 1;
    for (int axis = 0; axis < tensor->rank; axis++)
        n *= tensor->shape[axis];
    return n;
}

bool raw_tensor_size(RawTensor *tensor, Error *error) {
    int64_t n = 1;
    bool overflow = false;
    for (int axis = 0; axis < tensor->rank; axis++)
        overflow |= __builtin_mul_overflow(n, tensor->shape[axis], &n);
    const DtypeInfo *info = &dtype_info[tensor->dtype];
    if (overflow || !dtype_bytes(tensor->dtype, n, &tensor->n_bytes) ||
        (info->block_items > 1 &&
         (tensor->rank == 0 || tensor->shape[tensor->rank - 1] % info->block_items != 0)))
        return error_set(error, ERROR_INPUT,
                         "%s: tensor %.200s: shape %s of %s is more than memory can hold or not "
                         "whole blocks",
                         tensor->file, tensor->name, raw_shape_text(tensor).text, info->name);
    return true;
}

void raw_tensor_align(Arena *arena, RawTensor *tensor) {
    const DtypeInfo *info = &dtype_info[tensor->dtype];
    size_t align = info->block_items > 1 ? 2 : (size_t)info->block_bytes;
    if ((uintptr_t)tensor->data % align == 0) return;
    void *copy = arena_alloc(arena, tensor->n_bytes);
    memcpy(copy, tensor->data, tensor->n_bytes);
    tensor->data = copy;
}

ShapeText raw_shape_text(const RawTensor *tensor) {
    ShapeText out = {"["};
    size_t n = 1;
    for (int axis = 0; axis < tensor->rank; axis++) {
        int written = snprintf(out.text + n, sizeof out.text - n, axis ? ", %lld" : "%lld",
                               (long long)tensor->shape[axis]);
        n += (size_t)written;
        if (n >= sizeof out.text - 1) return out;
    }
    out.text[n] = ']';
    return out;
}

void raw_tensor_set_f32(RawTensor *tensor, const float *data) {
    tensor->dtype = DTYPE_F32;
    tensor->data = data;
    tensor->n_bytes = (size_t)raw_tensor_count(tensor) * sizeof *data;
}

/* Square tiles, so that both sides stay in the cache. */
#define TRANSPOSE(type)                                                                            \
    do {                                                                                           \
        const type *from = tensor->data;                                                           \
        type *out = to;                                                                            \
        for (int64_t r0 = 0; r0 < rows; r0 += 16)                                                  \
            for (int64_t c0 = 0; c0 < cols; c0 += 16)                                              \
                for (int64_t r = r0; r < rows && r < r0 + 16; r++)                                 \
                    for (int64_t c = c0; c < cols && c < c0 + 16; c++)                             \
                        out[c * rows + r] = from[r * cols + c];                                    \
    } while (0)

void raw_tensor_transpose(Arena *arena, RawTensor *tensor) {
    int64_t rows = tensor->shape[0], cols = tensor->shape[1];
    if (dtype_is_packed(tensor->dtype)) {
        float *x = arena_alloc(arena, (size_t)(rows * cols) * sizeof *x);
        dtype_to_f32(tensor->dtype, tensor->data, 0, rows * cols, x);
        raw_tensor_set_f32(tensor, x);
    }
    void *to = arena_alloc(arena, tensor->n_bytes);
    if (rows == 0 || cols == 0) rows = cols = 0; /* no empty walk along an axis without end */
    switch (dtype_info[tensor->dtype].block_bytes) {
    case 1:
        TRANSPOSE(uint8_t);
        break;
    case 2:
        TRANSPOSE(uint16_t);
        break;
    case 4:
        TRANSPOSE(uint32_t);
        break;
    default:
        TRANSPOSE(uint64_t);
        break;
    }
    int64_t n = tensor->shape[0];
    tensor->data = to;
    tensor->shape[0] = tensor->shape[1];
    tensor->shape[1] = n;
}

bool raw_tensor_unpermute(Arena *arena, RawTensor *tensor, int64_t n_heads, Error *error) {
    int64_t rows = tensor->rank ? tensor->shape[0] : 0;
    if (n_heads < 1 || rows < 1 || rows % (2 * n_heads) != 0)
        return error_set(error, ERROR_INPUT, "%s: tensor %.200s: %lld rows for %lld heads",
                         tensor->file, tensor->name, (long long)rows, (long long)n_heads);
    if (tensor->n_bytes == 0) return true; /* rows without columns, however many */
    size_t row_bytes = tensor->n_bytes / (size_t)rows;
    int64_t d_head = rows / n_heads, half = d_head / 2;
    char *to = arena_alloc(arena, tensor->n_bytes);
    const char *from = tensor->data;
    for (int64_t row = 0; row < rows; row++) {
        int64_t head = row / d_head, in_head = row % d_head;
        int64_t source = head * d_head + in_head % half * 2 + in_head / half;
        memcpy(to + (size_t)row * row_bytes, from + (size_t)source * row_bytes, row_bytes);
    }
    tensor->data = to;
    return true;
}
