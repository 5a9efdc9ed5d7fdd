/* numpy's .npz: a zip of .npy arrays. An .npy is "\x93NUMPY", a version, the length of a header
 * that is a Python dict ({'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }), and the
 * numbers. https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
 *
 * Read: floats and integers of either byte order, C or Fortran order; text as numpy keeps it
 * ('<U7',
 * '|S7'). Object arrays are pickles, which could run anything: refused.
 */
#include <math.h>
#include <zip.h>

#include "app/import.h"
#include "model/base/file.h"
#include "model/base/utf8.h"

typedef struct Npy {
    char kind; /* 'f', 'i', 'u', 'b', 'U', 'S' */
    int item_bytes;
    bool big_endian, fortran;
    int rank;
    int64_t shape[IMPORT_MAX_RANK];
    int64_t count;
    Str data;
} Npy;

enum { MAX_ENTRY_BYTES = 1 << 30 };

/* The text behind 'key': in the header. */
static bool header_value(Str header, const char *key, Str *out) {
    size_t n = strlen(key);
    for (size_t i = 0; i + n + 2 < header.n; i++) {
        if ((header.data[i] != '\'' && header.data[i] != '"') ||
            memcmp(header.data + i + 1, key, n) != 0 || header.data[i + 1 + n] != header.data[i])
            continue;
        size_t at = i + n + 2;
        while (at < header.n && (header.data[at] == ' ' || header.data[at] == ':'))
            at++;
        *out = str_sub(header, at, header.n);
        return true;
    }
    return false;
}

static bool parse_shape(Str s, Npy *npy) {
    if (s.n == 0 || s.data[0] != '(') return false;
    size_t i = 1;
    npy->rank = 0;
    npy->count = 1;
    for (;;) {
        while (i < s.n && (s.data[i] == ' ' || s.data[i] == ','))
            i++;
        if (i < s.n && s.data[i] == ')') return true;
        int64_t x = 0;
        size_t begin = i;
        for (; i < s.n && s.data[i] >= '0' && s.data[i] <= '9'; i++) {
            x = x * 10 + (s.data[i] - '0');
            if (x > INT32_MAX) return false;
        }
        if (i == begin || npy->rank == IMPORT_MAX_RANK) return false;
        npy->shape[npy->rank++] = x;
        if (__builtin_mul_overflow(npy->count, x, &npy->count)) return false;
    }
}

static bool is_size(int64_t n_bytes) {
    return n_bytes == 1 || n_bytes == 2 || n_bytes == 4 || n_bytes == 8;
}

static bool parse_descr(Str s, Npy *npy, Error *error) {
    if (s.n > 0 && s.data[0] == '[')
        return error_set(error, ERROR_INPUT, "a structured array, expected plain numbers");
    if (s.n < 4) return error_set(error, ERROR_INPUT, "no number type");
    const char *d = s.data + 1; /* behind the quote */
    npy->big_endian = d[0] == '>';
    npy->kind = d[1];
    if (npy->kind == 'O')
        return error_set(error, ERROR_INPUT,
                         "an array of Python objects (a pickle), which is never opened; save "
                         "numbers with .numpy() and tokens with np.array(tokens)");
    npy->item_bytes = 0;
    for (size_t i = 3; i < s.n && s.data[i] >= '0' && s.data[i] <= '9'; i++)
        if (npy->item_bytes < 1 << 20) npy->item_bytes = npy->item_bytes * 10 + (s.data[i] - '0');
    if (npy->kind == 'U') npy->item_bytes *= 4;
    bool known = (strchr("US", npy->kind) && npy->item_bytes >= 0) ||
                 (npy->kind == 'f' && is_size(npy->item_bytes) && npy->item_bytes > 1) ||
                 (strchr("iu", npy->kind) && is_size(npy->item_bytes)) ||
                 (npy->kind == 'b' && npy->item_bytes == 1);
    if (!known) {
        size_t end = 1;
        while (end < s.n && end < 20 && s.data[end] != s.data[0])
            end++;
        return error_set(error, ERROR_INPUT, "number type '%.*s', expected float or integer",
                         (int)end - 1, s.data + 1);
    }
    return true;
}

static bool npy_parse(Str file, Npy *npy, Error *error) {
    if (file.n < 12 || memcmp(file.data, "\x93NUMPY", 6) != 0)
        return error_set(error, ERROR_INPUT, "no .npy array");
    const unsigned char *u = (const unsigned char *)file.data;
    size_t n = u[8] | (size_t)u[9] << 8, at = 10;
    if (u[6] >= 2) {
        n |= (size_t)u[10] << 16 | (size_t)u[11] << 24;
        at = 12;
    }
    if (n > file.n - at) return error_set(error, ERROR_INPUT, "cut off in its header");
    Str header = str_sub(file, at, at + n), value;
    if (!header_value(header, "descr", &value))
        return error_set(error, ERROR_INPUT, "no number type");
    if (!parse_descr(value, npy, error)) return false;
    npy->fortran = header_value(header, "fortran_order", &value) && str_starts(value, "True");
    if (!header_value(header, "shape", &value) || !parse_shape(value, npy))
        return error_set(error, ERROR_INPUT, "no shape of %d axes at most", IMPORT_MAX_RANK);
    npy->data = str_sub(file, at + n, file.n);
    int64_t n_bytes;
    if (__builtin_mul_overflow(npy->count, (int64_t)npy->item_bytes, &n_bytes) ||
        n_bytes != (int64_t)npy->data.n)
        return error_set(error, ERROR_INPUT, "%zu bytes of numbers, its shape asks for %lld",
                         npy->data.n, (long long)n_bytes);
    return true;
}

static uint64_t item_bits(const Npy *npy, int64_t i) {
    const unsigned char *p = (const unsigned char *)npy->data.data + i * npy->item_bytes;
    uint64_t bits = 0;
    for (int b = 0; b < npy->item_bytes; b++)
        bits |= (uint64_t)p[npy->big_endian ? npy->item_bytes - 1 - b : b] << (8 * b);
    return bits;
}

static float half(uint16_t h) {
    int exponent = h >> 10 & 31, mantissa = h & 1023;
    float x = exponent == 0    ? ldexpf((float)mantissa, -24)
              : exponent == 31 ? (mantissa ? NAN : INFINITY)
                               : ldexpf((float)(mantissa + 1024), exponent - 25);
    return h & 0x8000 ? -x : x;
}

static float number_at(const Npy *npy, int64_t i) {
    uint64_t bits = item_bits(npy, i);
    if (npy->kind == 'f' && npy->item_bytes == 2) return half((uint16_t)bits);
    if (npy->kind == 'f' && npy->item_bytes == 4) {
        float x;
        uint32_t low = (uint32_t)bits;
        memcpy(&x, &low, 4);
        return x;
    }
    if (npy->kind == 'f') {
        double x;
        memcpy(&x, &bits, 8);
        return (float)x;
    }
    int shift = 64 - 8 * npy->item_bytes;
    if (npy->kind == 'i') return (float)((int64_t)(bits << shift) >> shift);
    return (float)bits;
}

/* In C order, whatever the file's. */
static void npy_floats(const Npy *npy, float *out) {
    int64_t stride[IMPORT_MAX_RANK], step = 1;
    for (int a = 0; a < npy->rank; a++) {
        int axis = npy->fortran ? a : npy->rank - 1 - a;
        stride[axis] = step;
        step *= npy->shape[axis];
    }
    int64_t at[IMPORT_MAX_RANK] = {0};
    for (int64_t i = 0; i < npy->count; i++) {
        int64_t from = 0;
        for (int a = 0; a < npy->rank; a++)
            from += at[a] * stride[a];
        out[i] = number_at(npy, from);
        for (int a = npy->rank - 1; a >= 0 && ++at[a] == npy->shape[a]; a--)
            at[a] = 0;
    }
}

static Str npy_text(const Npy *npy, int64_t i, Arena *arena) {
    StrBuf out = {0};
    if (npy->kind == 'S') {
        strbuf_add(&out, npy->data.data + i * npy->item_bytes, (size_t)npy->item_bytes);
    } else {
        Npy character = *npy; /* as single code points of four bytes */
        character.item_bytes = 4;
        for (int64_t c = 0; c < npy->item_bytes / 4; c++) {
            uint64_t code = item_bits(&character, i * (npy->item_bytes / 4) + c);
            char utf8[4];
            if (code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) code = 0xfffd;
            strbuf_add(&out, utf8, utf8_encode((uint32_t)code, utf8));
        }
    }
    while (out.n > 0 && out.data[out.n - 1] == 0) /* numpy fills up with NUL */
        out.n--;
    Str copy = arena_str(arena, strbuf_str(&out));
    strbuf_free(&out);
    return copy;
}

static bool add_entry(ImportBundle *b, const char *name, Str bytes, Error *error) {
    Npy npy;
    if (!npy_parse(bytes, &npy, error)) return false;
    if (import_is_tokens(name)) {
        if (npy.rank == 2 && npy.shape[0] == 1) { /* a batch of one */
            npy.rank = 1;
            npy.shape[0] = npy.shape[1];
        }
        if (npy.rank != 1 || npy.count > 1 << 20)
            return error_set(error, ERROR_INPUT, "%d axes, expected a list of texts", npy.rank);
        ImportLabels *labels = import_add_labels(b, name);
        labels->n = (int)npy.count;
        labels->items = arena_alloc(b->arena, ((size_t)npy.count + 1) * sizeof *labels->items);
        bool is_text = npy.kind == 'U' || npy.kind == 'S';
        for (int i = 0; i < labels->n; i++)
            labels->items[i] =
                is_text ? npy_text(&npy, i, b->arena)
                        : str(arena_printf(b->arena, "%lld", (long long)number_at(&npy, i)));
        return true;
    }
    if (strchr("US", npy.kind)) return error_set(error, ERROR_INPUT, "text, expected numbers");
    ImportArray *array = import_add_array(b, name);
    array->rank = npy.rank;
    memcpy(array->shape, npy.shape, sizeof array->shape);
    array->data = arena_alloc(b->arena, (size_t)npy.count * sizeof(float));
    npy_floats(&npy, array->data);
    return true;
}

/* What inflates to more than a thousand times its size is not numbers. */
static bool entry_is_sane(const zip_stat_t *stat) {
    const zip_uint64_t need = ZIP_STAT_NAME | ZIP_STAT_SIZE | ZIP_STAT_COMP_SIZE;
    return (stat->valid & need) == need && stat->size <= MAX_ENTRY_BYTES &&
           stat->size <= (stat->comp_size + 64) * 2000;
}

static bool read_entry(ImportBundle *b, zip_t *zip, zip_uint64_t index, Arena *scratch,
                       Error *error) {
    zip_stat_t stat;
    if (zip_stat_index(zip, index, 0, &stat) != 0 || !entry_is_sane(&stat))
        return error_set(error, ERROR_INPUT, "%s: entry %d is broken or larger than 1 GB", b->path,
                         (int)index);
    Str name = str(stat.name);
    if (str_ends(name, ".npy")) name.n -= 4;
    char key[80];
    snprintf(key, sizeof key, "%.*s", name.n > 79 ? 79 : (int)name.n, name.data);
    if (!import_is_attention(key) && !import_is_tokens(key)) {
        import_add_other(b, key);
        return true;
    }
    char *bytes = arena_alloc(scratch, stat.size + 1);
    zip_file_t *file = zip_fopen_index(zip, index, 0);
    zip_int64_t n = file ? zip_fread(file, bytes, stat.size) : -1;
    if (file) zip_fclose(file);
    if (n < 0 || (zip_uint64_t)n != stat.size)
        return error_set(error, ERROR_INPUT, "%s: %s is cut off or damaged", b->path, stat.name);
    Error failure = {0};
    bool ok = add_entry(b, key, (Str){bytes, (size_t)n}, &failure);
    arena_clear(scratch);
    return ok || error_set(error, failure.kind, "%s: %s: %s", b->path, stat.name, failure.message);
}

Trace *import_npz(const char *path, const ImportHints *hints, Error *error) {
    (void)hints;
    int code;
    zip_t *zip = zip_open(path, ZIP_RDONLY | ZIP_CHECKCONS, &code);
    if (!zip) {
        error_set(error, ERROR_INPUT, "%s: a damaged zip file, expected what numpy.savez writes",
                  path);
        return NULL;
    }
    ImportBundle b = {.arena = arena_new(), .path = path};
    Arena *scratch = arena_new();
    bool ok = true;
    zip_int64_t n = zip_get_num_entries(zip, 0);
    for (zip_int64_t i = 0; i < n && ok; i++)
        ok = read_entry(&b, zip, (zip_uint64_t)i, scratch, error);
    arena_free(scratch);
    zip_discard(zip);
    if (ok) return import_bundle(&b, error);
    arena_free(b.arena);
    return NULL;
}
