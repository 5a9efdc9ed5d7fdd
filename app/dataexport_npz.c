#include "app/dataexport_npz.h"

#include <assert.h>
#include <stdio.h>
#include <zip.h>

#include "model/base/file.h"
#include "model/base/utf8.h"

enum { NPY_ALIGN = 64 };

static StrBuf *add(NpzWriter *npz, const char *name) {
    assert(npz->n < NPZ_MAX_ENTRIES);
    NpzEntry *entry = &npz->items[npz->n++];
    snprintf(entry->name, sizeof entry->name, "%s.npy", name);
    return &entry->bytes;
}

/* "\x93NUMPY", version 1.0, the dict filled up with blanks so that the numbers start aligned. */
static void add_header(StrBuf *out, const char *descr, int rank, const int64_t *shape) {
    StrBuf dict = {0};
    strbuf_printf(&dict, "{'descr': '%s', 'fortran_order': False, 'shape': (", descr);
    for (int i = 0; i < rank; i++)
        strbuf_printf(&dict, "%lld%s", (long long)shape[i],
                      rank == 1      ? ","
                      : i + 1 < rank ? ", "
                                     : "");
    strbuf_puts(&dict, "), }");
    while ((10 + dict.n + 1) % NPY_ALIGN)
        strbuf_putc(&dict, ' ');
    strbuf_putc(&dict, '\n');
    const unsigned char head[10] = {0x93,
                                    'N',
                                    'U',
                                    'M',
                                    'P',
                                    'Y',
                                    1,
                                    0,
                                    (unsigned char)(dict.n & 255),
                                    (unsigned char)(dict.n >> 8)};
    strbuf_add(out, head, sizeof head);
    strbuf_add(out, dict.data, dict.n);
    strbuf_free(&dict);
}

/* Little-endian whatever the machine is. */
static void add_u32(StrBuf *out, uint32_t x) {
    const unsigned char bytes[4] = {(unsigned char)x, (unsigned char)(x >> 8),
                                    (unsigned char)(x >> 16), (unsigned char)(x >> 24)};
    strbuf_add(out, bytes, 4);
}

void npz_floats(NpzWriter *npz, const char *name, int rank, const int64_t *shape,
                const float *data) {
    StrBuf *out = add(npz, name);
    add_header(out, "<f4", rank, shape);
    int64_t n = 1;
    for (int i = 0; i < rank; i++)
        n *= shape[i];
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    strbuf_add(out, data, (size_t)n * 4);
#else
    for (int64_t i = 0; i < n; i++) {
        uint32_t bits;
        memcpy(&bits, data + i, 4);
        add_u32(out, bits);
    }
#endif
}

void npz_texts(NpzWriter *npz, const char *name, int n, const Str *texts) {
    size_t widest = 1;
    for (int i = 0; i < n; i++) {
        size_t count = utf8_count(texts[i]);
        if (count > widest) widest = count;
    }
    StrBuf *out = add(npz, name);
    char descr[32];
    snprintf(descr, sizeof descr, "<U%zu", widest);
    add_header(out, descr, 1, (int64_t[]){n});
    for (int i = 0; i < n; i++) {
        size_t written = 0, n_bytes;
        for (size_t at = 0; at < texts[i].n; at += n_bytes, written++)
            add_u32(out, utf8_decode(texts[i], at, &n_bytes));
        for (; written < widest; written++)
            add_u32(out, 0);
    }
}

/* Stored with one fixed date: the same bytes every time. */
static bool add_entry(zip_t *zip, const NpzEntry *entry) {
    zip_source_t *source = zip_source_buffer(zip, entry->bytes.data, entry->bytes.n, 0);
    if (!source) return false;
    zip_int64_t index = zip_file_add(zip, entry->name, source, ZIP_FL_ENC_UTF_8);
    if (index < 0) {
        zip_source_free(source);
        return false;
    }
    /* 1 January 1980, the first day that a zip can say. */
    return zip_set_file_compression(zip, (zip_uint64_t)index, ZIP_CM_STORE, 0) == 0 &&
           zip_file_set_dostime(zip, (zip_uint64_t)index, 0, 0x21, 0) == 0;
}

bool npz_save(const NpzWriter *npz, const char *path, Error *error) {
    zip_error_t failure;
    zip_error_init(&failure);
    zip_source_t *memory = zip_source_buffer_create(NULL, 0, 0, &failure);
    zip_t *zip = memory ? zip_open_from_source(memory, ZIP_TRUNCATE, &failure) : NULL;
    bool ok = zip != NULL;
    if (ok) zip_source_keep(memory);
    for (int i = 0; i < npz->n && ok; i++)
        ok = add_entry(zip, &npz->items[i]);
    if (zip && (!ok || zip_close(zip) != 0)) {
        zip_discard(zip);
        ok = false;
    }
    StrBuf bytes = {0};
    if (ok && zip_source_open(memory) == 0) {
        char block[65536];
        zip_int64_t n;
        while ((n = zip_source_read(memory, block, sizeof block)) > 0)
            strbuf_add(&bytes, block, (size_t)n);
        ok = n == 0;
        zip_source_close(memory);
    }
    zip_source_free(memory);
    zip_error_fini(&failure);
    ok = ok ? file_save(path, bytes.data, bytes.n, error)
            : error_set(error, ERROR_IO, "%s: the zip file could not be made", path);
    strbuf_free(&bytes);
    return ok;
}

void npz_free(NpzWriter *npz) {
    for (int i = 0; i < npz->n; i++)
        strbuf_free(&npz->items[i].bytes);
    npz->n = 0;
}
