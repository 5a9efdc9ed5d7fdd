/* A view of floats: it never owns. Slicing, splitting and swapping axes give another view of the
 * same numbers.
 *
 *     Tensor x = tensor_new(arena, 2, 12, 256);            // [pos, d_model]
 *     Tensor heads = tensor_split(x, 1, 8);                // [pos, head, d_head]
 *     Tensor third = tensor_slice(x, 0, 2, 3);             // [1, d_model]
 *     *tensor_at(x, q, d, 0, 0) = 1;
 *
 * grad, where it is set, is the gradient of the loss by each of the numbers, laid out as they are:
 * a view of a tensor is a view of its gradient too (see tape.h).
 */
#ifndef MODEL_BASE_TENSOR_H
#define MODEL_BASE_TENSOR_H

#include <stdbool.h>
#include <stdint.h>

#include "model/base/arena.h"

enum { TENSOR_MAX_RANK = 4 };

typedef struct Tensor {
    float *data; /* NULL: no tensor */
    float *grad; /* NULL: none wanted */
    int rank;
    int64_t shape[TENSOR_MAX_RANK];
    int64_t stride[TENSOR_MAX_RANK]; /* in elements */
} Tensor;

/* Row-major, not cleared, without gradient. The axes follow as int64_t or int. */
Tensor tensor_new_shape(Arena *arena, int rank, const int64_t *shape);
#define tensor_new(arena, rank, ...)                                                               \
    tensor_new_shape(arena, rank, (const int64_t[TENSOR_MAX_RANK]){__VA_ARGS__})
/* The same over memory of the caller's. */
Tensor tensor_view_shape(float *data, int rank, const int64_t *shape);
#define tensor_view(data, rank, ...)                                                               \
    tensor_view_shape(data, rank, (const int64_t[TENSOR_MAX_RANK]){__VA_ARGS__})

int64_t tensor_count(Tensor x);
bool tensor_is_contiguous(Tensor x);
bool tensor_same_shape(Tensor a, Tensor b);

/* Rows begin..end of one axis. */
Tensor tensor_slice(Tensor x, int axis, int64_t begin, int64_t end);
/* One entry of an axis; the axis goes. */
Tensor tensor_index(Tensor x, int axis, int64_t index);
/* axis [n] becomes two axes [parts, n / parts]. */
Tensor tensor_split(Tensor x, int axis, int64_t parts);
/* axis and axis + 1 become one; they must lie one behind the other. */
Tensor tensor_merge(Tensor x, int axis);
Tensor tensor_swap(Tensor x, int axis_a, int axis_b);
/* The same numbers under another shape; x must be contiguous. */
Tensor tensor_reshape_to(Tensor x, int rank, const int64_t *shape);
#define tensor_reshape(x, rank, ...)                                                               \
    tensor_reshape_to(x, rank, (const int64_t[TENSOR_MAX_RANK]){__VA_ARGS__})

static inline float *tensor_at(Tensor x, int64_t a, int64_t b, int64_t c, int64_t d) {
    int64_t i = a * x.stride[0];
    if (x.rank > 1) i += b * x.stride[1];
    if (x.rank > 2) i += c * x.stride[2];
    if (x.rank > 3) i += d * x.stride[3];
    return x.data + i;
}

/* Copies numbers, any strides on both sides; shapes must agree. */
void tensor_copy(Tensor to, Tensor from);
/* A contiguous copy in the arena, without gradient. */
Tensor tensor_clone(Arena *arena, Tensor x);
void tensor_fill(Tensor x, float value);

#endif
