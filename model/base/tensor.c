#include "model/base/tensor.h"

#include <assert.h>
#include <string.h>

Tensor tensor_view_shape(float *data, int rank, const int64_t *shape) {
    assert(rank >= 0 && rank <= TENSOR_MAX_RANK);
    Tensor x = {.data = data, .rank = rank};
    int64_t stride = 1;
    for (int a = rank - 1; a >= 0; a--) {
        assert(shape[a] >= 0);
        x.shape[a] = shape[a];
        x.stride[a] = stride;
        stride *= shape[a];
    }
    return x;
}

Tensor tensor_new_shape(Arena *arena, int rank, const int64_t *shape) {
    Tensor x = tensor_view_shape(NULL, rank, shape);
    x.data = arena_alloc(arena, (size_t)tensor_count(x) * sizeof *x.data);
    return x;
}

int64_t tensor_count(Tensor x) {
    int64_t n = 1;
    for (int a = 0; a < x.rank; a++)
        n *= x.shape[a];
    return n;
}

bool tensor_is_contiguous(Tensor x) {
    int64_t stride = 1;
    for (int a = x.rank - 1; a >= 0; a--) {
        if (x.shape[a] != 1 && x.stride[a] != stride) return false;
        stride *= x.shape[a];
    }
    return true;
}

bool tensor_same_shape(Tensor a, Tensor b) {
    if (a.rank != b.rank) return false;
    for (int i = 0; i < a.rank; i++)
        if (a.shape[i] != b.shape[i]) return false;
    return true;
}

static Tensor moved(Tensor x, int64_t offset) {
    x.data += offset;
    if (x.grad) x.grad += offset;
    return x;
}

Tensor tensor_slice(Tensor x, int axis, int64_t begin, int64_t end) {
    assert(axis >= 0 && axis < x.rank && 0 <= begin && begin <= end && end <= x.shape[axis]);
    x = moved(x, begin * x.stride[axis]);
    x.shape[axis] = end - begin;
    return x;
}

Tensor tensor_index(Tensor x, int axis, int64_t index) {
    x = tensor_slice(x, axis, index, index + 1);
    for (int a = axis; a + 1 < x.rank; a++) {
        x.shape[a] = x.shape[a + 1];
        x.stride[a] = x.stride[a + 1];
    }
    x.rank--;
    return x;
}

Tensor tensor_split(Tensor x, int axis, int64_t parts) {
    assert(x.rank < TENSOR_MAX_RANK && axis < x.rank && parts > 0 && x.shape[axis] % parts == 0);
    for (int a = x.rank; a > axis + 1; a--) {
        x.shape[a] = x.shape[a - 1];
        x.stride[a] = x.stride[a - 1];
    }
    int64_t inner = x.shape[axis] / parts;
    x.shape[axis + 1] = inner;
    x.stride[axis + 1] = x.stride[axis];
    x.shape[axis] = parts;
    x.stride[axis] *= inner;
    x.rank++;
    return x;
}

Tensor tensor_merge(Tensor x, int axis) {
    assert(axis + 1 < x.rank);
    assert(x.stride[axis] == x.stride[axis + 1] * x.shape[axis + 1] || x.shape[axis] == 1);
    x.shape[axis] *= x.shape[axis + 1];
    x.stride[axis] = x.stride[axis + 1];
    for (int a = axis + 1; a + 1 < x.rank; a++) {
        x.shape[a] = x.shape[a + 1];
        x.stride[a] = x.stride[a + 1];
    }
    x.rank--;
    return x;
}

Tensor tensor_swap(Tensor x, int axis_a, int axis_b) {
    assert(axis_a < x.rank && axis_b < x.rank);
    int64_t shape = x.shape[axis_a], stride = x.stride[axis_a];
    x.shape[axis_a] = x.shape[axis_b];
    x.stride[axis_a] = x.stride[axis_b];
    x.shape[axis_b] = shape;
    x.stride[axis_b] = stride;
    return x;
}

Tensor tensor_reshape_to(Tensor x, int rank, const int64_t *shape) {
    assert(tensor_is_contiguous(x));
    Tensor y = tensor_view_shape(x.data, rank, shape);
    assert(tensor_count(x) == tensor_count(y));
    y.grad = x.grad;
    return y;
}

void tensor_copy(Tensor to, Tensor from) {
    assert(tensor_same_shape(to, from));
    int64_t n = tensor_count(to);
    if (n == 0) return;
    if (tensor_is_contiguous(to) && tensor_is_contiguous(from)) {
        memmove(to.data, from.data, (size_t)n * sizeof *to.data);
        return;
    }
    if (to.rank == 1) {
        for (int64_t i = 0; i < n; i++)
            to.data[i * to.stride[0]] = from.data[i * from.stride[0]];
        return;
    }
    for (int64_t i = 0; i < to.shape[0]; i++)
        tensor_copy(tensor_index(to, 0, i), tensor_index(from, 0, i));
}

Tensor tensor_clone(Arena *arena, Tensor x) {
    Tensor y = tensor_new_shape(arena, x.rank, x.shape);
    tensor_copy(y, x);
    return y;
}

void tensor_fill(Tensor x, float value) {
    if (x.rank == 0) {
        *x.data = value;
    } else if (x.rank == 1) {
        for (int64_t i = 0; i < x.shape[0]; i++)
            x.data[i * x.stride[0]] = value;
    } else {
        for (int64_t i = 0; i < x.shape[0]; i++)
            tensor_fill(tensor_index(x, 0, i), value);
    }
}
