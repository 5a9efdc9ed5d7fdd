#include "model/loader.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef char Name[160];

#define FORMAT_NAME(name, format)                                                                  \
    do {                                                                                           \
        va_list args;                                                                              \
        va_start(args, format);                                                                    \
        vsnprintf(name, sizeof name, format, args);                                                \
        va_end(args);                                                                              \
    } while (0)

static const RawTensor *find(const Loader *loader, const char *name) {
    return loader->checkpoint ? checkpoint_find(loader->checkpoint, name) : NULL;
}

static void mark_used(Loader *loader, const RawTensor *t) {
    for (int i = 0, n = checkpoint_n_tensors(loader->checkpoint); i < n; i++)
        if (checkpoint_tensor(loader->checkpoint, i) == t) loader->used[i] = true;
}

static const char *shape_text(int rank, const int64_t *shape, char *buffer, size_t size) {
    size_t n = (size_t)snprintf(buffer, size, "[");
    for (int a = 0; a < rank && n < size; a++)
        n += (size_t)snprintf(buffer + n, size - n, "%s%lld", a ? ", " : "", (long long)shape[a]);
    if (n < size) snprintf(buffer + n, size - n, "]");
    return buffer;
}

/* The next parameter of a model that is made. */
static const float *make(Loader *loader, const char *name, int rank, const int64_t *shape) {
    Parameters *made = loader->made;
    int64_t n = rank == 2 ? shape[0] * shape[1] : shape[0];
    if (!made->data) { /* counting: the list grows, and nobody reads the weight */
        made->items = realloc(made->items, (size_t)(made->n + 1) * sizeof *made->items);
        if (!made->items) abort();
        Parameter *p = &made->items[made->n];
        *p = (Parameter){
            .rank = rank, .shape = {shape[0], rank == 2 ? shape[1] : 0}, .begin = made->n_floats};
        snprintf(p->name, sizeof p->name, "%.95s", name);
        made->n++;
        made->n_floats += n;
        return NULL;
    }
    for (int i = 0; i < made->n; i++)
        if (strcmp(made->items[i].name, name) == 0) return made->data + made->items[i].begin;
    error_set(loader->error, ERROR_INPUT, "%s: not among the parameters that were counted", name);
    return NULL;
}

static bool has_shape(const RawTensor *t, int rank, const int64_t *shape) {
    int skip = 0;
    while (t->rank - skip > rank && t->shape[skip] == 1)
        skip++;
    if (t->rank - skip != rank) return false;
    for (int a = 0; a < rank; a++)
        if (t->shape[skip + a] != shape[a]) return false;
    return true;
}

/* [rows, ...] with cols numbers in each row. */
static bool is_flat_matrix(const RawTensor *t, const int64_t *shape) {
    int64_t n = 1;
    for (int a = 1; a < t->rank; a++)
        if (t->shape[a] <= 0 || t->shape[a] > shape[1] || (n *= t->shape[a]) > shape[1])
            return false;
    return t->rank > 2 && t->shape[0] == shape[0] && n == shape[1];
}

/* The tensor, if its shape is right. [1, n] serves for [n]; flat: the axes behind the first as one.
 */
static const RawTensor *take(Loader *loader, const char *name, int rank, const int64_t *shape,
                             bool flat) {
    const RawTensor *t = find(loader, name);
    if (!t) {
        error_set(loader->error, ERROR_INPUT, "%s: tensor %s is missing",
                  checkpoint_path(loader->checkpoint), name);
        return NULL;
    }
    mark_used(loader, t);
    if (!has_shape(t, rank, shape) && !(flat && is_flat_matrix(t, shape))) {
        char found[128], wanted[128];
        error_set(loader->error, ERROR_INPUT, "%s: tensor %s is %s, %s expected", t->file, name,
                  shape_text(t->rank, t->shape, found, sizeof found),
                  shape_text(rank, shape, wanted, sizeof wanted));
        return NULL;
    }
    switch (t->dtype) {
    case DTYPE_I64:
    case DTYPE_I32:
    case DTYPE_I16:
    case DTYPE_I8:
    case DTYPE_U64:
    case DTYPE_U32:
    case DTYPE_U16:
    case DTYPE_U8:
    case DTYPE_BOOL:
        error_set(loader->error, ERROR_INPUT,
                  "%s: tensor %s holds %s, numbers with a fraction "
                  "expected",
                  t->file, name, dtype_info[t->dtype].name);
        return NULL;
    default:
        break;
    }
    return t;
}

static const float *as_f32(Loader *loader, const RawTensor *t, int64_t n) {
    if (t->dtype == DTYPE_F32) return t->data;
    float *out = arena_alloc(loader->arena, (size_t)n * sizeof *out);
    dtype_to_f32(t->dtype, t->data, 0, n, out);
    return out;
}

bool load_has(const Loader *loader, const char *format, ...) {
    Name name;
    FORMAT_NAME(name, format);
    return find(loader, name) != NULL;
}

void load_ignore(Loader *loader, const char *format, ...) {
    Name name;
    FORMAT_NAME(name, format);
    const RawTensor *t = find(loader, name);
    if (t) mark_used(loader, t);
}

static Weight matrix(Loader *loader, int64_t rows, int64_t cols, const char *name, bool flat) {
    Weight w = {.rows = rows, .cols = cols};
    int64_t shape[2] = {rows, cols};
    if (!loader->checkpoint) {
        w.data = make(loader, name, 2, shape);
        return w;
    }
    const RawTensor *t = take(loader, name, 2, shape, flat);
    if (!t) return w;
    loader->n_parameters += rows * cols;
    w.dtype = loader->keep_packed ? t->dtype : DTYPE_F32;
    w.data = loader->keep_packed ? t->data : as_f32(loader, t, rows * cols);
    return w;
}

static const float *vector(Loader *loader, int64_t n, const char *name) {
    if (!loader->checkpoint) return make(loader, name, 1, &n);
    const RawTensor *t = take(loader, name, 1, &n, false);
    if (!t) return NULL;
    loader->n_parameters += n;
    return as_f32(loader, t, n);
}

Weight load_matrix(Loader *loader, int64_t rows, int64_t cols, const char *format, ...) {
    Name name;
    FORMAT_NAME(name, format);
    return matrix(loader, rows, cols, name, false);
}

const float *load_vector(Loader *loader, int64_t n, const char *format, ...) {
    Name name;
    FORMAT_NAME(name, format);
    return vector(loader, n, name);
}

static Linear linear(Loader *loader, int64_t rows, int64_t cols, bool bias, const char *prefix,
                     bool flat) {
    Name name;
    Linear out = {0};
    snprintf(name, sizeof name, "%.150s.weight", prefix);
    out.weight = matrix(loader, rows, cols, name, flat);
    snprintf(name, sizeof name, "%.150s.bias", prefix);
    if (bias) out.bias = vector(loader, rows, name);
    return out;
}

Linear load_linear(Loader *loader, int64_t rows, int64_t cols, bool bias, const char *format, ...) {
    Name prefix;
    FORMAT_NAME(prefix, format);
    return linear(loader, rows, cols, bias, prefix, false);
}

Linear load_convolution(Loader *loader, int64_t rows, int64_t cols, bool bias, const char *format,
                        ...) {
    Name prefix;
    FORMAT_NAME(prefix, format);
    return linear(loader, rows, cols, bias, prefix, true);
}

Linear load_transposed(Loader *loader, int64_t rows, int64_t cols, bool bias, const char *format,
                       ...) {
    Name prefix, name;
    FORMAT_NAME(prefix, format);
    Linear out = linear(loader, cols, rows, false, prefix, false);
    out.weight.rows = rows;
    out.weight.cols = cols;
    out.weight.transposed = true;
    snprintf(name, sizeof name, "%.150s.bias", prefix);
    if (bias) out.bias = vector(loader, rows, name);
    return out;
}

int64_t load_rows(const Loader *loader, const char *format, ...) {
    Name name;
    FORMAT_NAME(name, format);
    const RawTensor *t = find(loader, name);
    return t && t->rank > 0 ? t->shape[0] : 0;
}

static const float *norm_part(Loader *loader, int64_t n, const char *prefix, const char *part,
                              const char *old) {
    Name name;
    snprintf(name, sizeof name, "%.150s.%s", prefix, old);
    if (!find(loader, name)) snprintf(name, sizeof name, "%.150s.%s", prefix, part);
    return vector(loader, n, name);
}

Norm load_norm_scale(Loader *loader, int64_t n, const char *format, ...) {
    Name prefix;
    FORMAT_NAME(prefix, format);
    return (Norm){norm_part(loader, n, prefix, "weight", "gamma"), NULL};
}

Norm load_norm(Loader *loader, int64_t n, const char *format, ...) {
    Name prefix;
    FORMAT_NAME(prefix, format);
    const float *scale = norm_part(loader, n, prefix, "weight", "gamma");
    return (Norm){scale, norm_part(loader, n, prefix, "bias", "beta")};
}

Weight weight_rows(Weight whole, int64_t begin, int64_t rows) {
    if (!whole.data) return whole;
    const DtypeInfo *type = &dtype_info[whole.dtype];
    int64_t stride = whole.stride ? whole.stride : whole.transposed ? whole.rows : whole.cols;
    int64_t items = begin * (whole.transposed ? 1 : stride);
    whole.data = (const char *)whole.data + items / type->block_items * type->block_bytes;
    whole.stride = stride;
    whole.rows = rows;
    return whole;
}

Weight weight_heads(Arena *arena, Weight whole, int n_heads, int d_head, int part, int n_parts) {
    Weight out = whole;
    out.rows = (int64_t)n_heads * d_head;
    size_t row_bytes, block_bytes;
    if (!whole.data || whole.transposed || whole.stride ||
        !dtype_bytes(whole.dtype, whole.cols, &row_bytes))
        return (Weight){0};
    block_bytes = row_bytes * (size_t)d_head;
    char *data = arena_alloc(arena, block_bytes * (size_t)n_heads);
    for (int h = 0; h < n_heads; h++)
        memcpy(data + (size_t)h * block_bytes,
               (const char *)whole.data +
                   ((size_t)h * (size_t)n_parts + (size_t)part) * block_bytes,
               block_bytes);
    out.data = data;
    return out;
}
