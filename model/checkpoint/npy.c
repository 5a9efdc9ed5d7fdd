#include "model/checkpoint/npy.h"

#include <stdlib.h>

static const struct {
    const char *descr;
    Dtype dtype;
} types[] = {
    {"<f4", DTYPE_F32},  {"<f2", DTYPE_F16}, {"<f8", DTYPE_F64}, {"<i8", DTYPE_I64},
    {"<i4", DTYPE_I32},  {"<i2", DTYPE_I16}, {"|i1", DTYPE_I8},  {"|u1", DTYPE_U8},
    {"|b1", DTYPE_BOOL}, {"<i1", DTYPE_I8},  {"<u1", DTYPE_U8},  {"i1", DTYPE_I8},
};

static bool fail(const RawTensor *t, Error *error, const char *what) {
    return error_set(error, ERROR_INPUT, "%s: array %.200s: %s", t->file, t->name, what);
}

/* What follows 'key': in the header, a Python dictionary of three entries. */
static Str value_of(Str header, const char *key) {
    char quoted[32];
    size_t n = strlen(key);
    memcpy(quoted + 1, key, n);
    quoted[0] = quoted[n + 1] = '\'';
    const char *at = memmem(header.data, header.n, quoted, n + 2);
    if (!at) return (Str){NULL, 0};
    size_t begin = (size_t)(at - header.data) + n + 2;
    while (begin < header.n && (header.data[begin] == ':' || header.data[begin] == ' '))
        begin++;
    return str_sub(header, begin, header.n);
}

static bool read_shape(Str text, RawTensor *t, Error *error) {
    if (!text.n || text.data[0] != '(') return fail(t, error, "no shape");
    size_t i = 1;
    while (i < text.n && text.data[i] != ')') {
        size_t begin = i;
        while (i < text.n && text.data[i] >= '0' && text.data[i] <= '9')
            i++;
        long long size;
        if (i == begin || t->rank == RAW_MAX_RANK || !integer_parse(str_sub(text, begin, i), &size))
            return fail(t, error, "a broken shape, or more than 8 axes");
        t->shape[t->rank++] = size;
        while (i < text.n && (text.data[i] == ',' || text.data[i] == ' ' || text.data[i] == 'L'))
            i++;
    }
    return i < text.n || fail(t, error, "a broken shape");
}

static bool read_type(Str text, RawTensor *t, Error *error) {
    const char *end = text.n > 1 ? memchr(text.data + 1, '\'', text.n - 1) : NULL;
    if (!end || text.data[0] != '\'')
        return error_set(error, ERROR_UNSUPPORTED,
                         "%s: array %.200s: its numbers are not of a plain type", t->file, t->name);
    Str descr = str_sub(text, 1, (size_t)(end - text.data));
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (!str_is(descr, types[i].descr)) continue;
        t->dtype = types[i].dtype;
        return true;
    }
    return error_set(error, ERROR_UNSUPPORTED,
                     "%s: array %.200s: numbers of type %.*s, <f4 expected", t->file, t->name,
                     (int)(descr.n < 40 ? descr.n : 40), descr.data);
}

bool npy_read(Str bytes, RawTensor *t, Error *error) {
    if (bytes.n < 12 || memcmp(bytes.data, "\x93NUMPY", 6) != 0)
        return fail(t, error, "not numpy's format");
    const unsigned char *head = (const unsigned char *)bytes.data;
    size_t begin = head[6] == 1 ? 10 : 12;
    size_t n = head[8] | (size_t)head[9] << 8;
    if (begin == 12) n |= (size_t)head[10] << 16 | (size_t)head[11] << 24;
    if (n > bytes.n - begin) return fail(t, error, "the header is cut off");
    Str header = str_sub(bytes, begin, begin + n);
    t->rank = 0;
    if (!read_type(value_of(header, "descr"), t, error) ||
        !read_shape(value_of(header, "shape"), t, error))
        return false;
    if (str_starts(value_of(header, "fortran_order"), "True") && t->rank > 1)
        return fail(t, error, "column-major (fortran_order), row-major expected");
    if (!raw_tensor_size(t, error)) return false;
    if (t->n_bytes > bytes.n - begin - n)
        return error_set(error, ERROR_INPUT, "%s: array %.200s: %zu bytes, shape %s takes %zu",
                         t->file, t->name, bytes.n - begin - n, raw_shape_text(t).text, t->n_bytes);
    t->data = header.data + n;
    return true;
}
