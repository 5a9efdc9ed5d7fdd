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
