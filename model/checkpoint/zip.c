/* libzip says everything about a member but where its bytes lie. We give it the archive through a
 * source of our own that remembers where the last read was; a stored member's first read is the
 * start of its bytes, which is then compared before it is believed. */
#include "model/checkpoint/zip.h"

#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <zip.h>

enum { MAX_MEMBERS = 200000 };

struct ZipFile {
    Str bytes;
    const char *path;
    zip_t *archive;
    zip_uint64_t at, last_read; /* of the source */
    size_t budget;              /* bytes that compressed members may still unfold to */
};

static zip_int64_t source_stat(const ZipFile *zip, void *data, zip_uint64_t n) {
    if (n < sizeof(zip_stat_t)) return -1;
    zip_stat_t *stat = data;
    zip_stat_init(stat);
    stat->size = zip->bytes.n;
    stat->valid = ZIP_STAT_SIZE;
    return sizeof *stat;
}

static zip_int64_t source(void *state, void *data, zip_uint64_t n, zip_source_cmd_t command) {
    ZipFile *zip = state;
    if (command == ZIP_SOURCE_SUPPORTS)
        return zip_source_make_command_bitmap(
            ZIP_SOURCE_OPEN, ZIP_SOURCE_READ, ZIP_SOURCE_CLOSE, ZIP_SOURCE_STAT, ZIP_SOURCE_ERROR,
            ZIP_SOURCE_FREE, ZIP_SOURCE_SEEK, ZIP_SOURCE_TELL, ZIP_SOURCE_SUPPORTS, -1);
    if (command == ZIP_SOURCE_OPEN) zip->at = 0;
    if (command == ZIP_SOURCE_STAT) return source_stat(zip, data, n);
    if (command == ZIP_SOURCE_TELL) return (zip_int64_t)zip->at;
    if (command == ZIP_SOURCE_SEEK) {
        zip_int64_t to = zip_source_seek_compute_offset(zip->at, zip->bytes.n, data, n, NULL);
        if (to < 0) return -1;
        zip->at = (zip_uint64_t)to;
    }
    if (command == ZIP_SOURCE_ERROR) {
        int codes[2] = {ZIP_ER_INVAL, 0};
        if (n < sizeof codes) return -1;
        memcpy(data, codes, sizeof codes);
        return sizeof codes;
    }
    if (command != ZIP_SOURCE_READ) return 0;
    if (n > zip->bytes.n - zip->at) n = zip->bytes.n - zip->at;
    zip->last_read = zip->at;
    memcpy(data, zip->bytes.data + zip->at, n);
    zip->at += n;
    return (zip_int64_t)n;
}

static void set_error(const ZipFile *zip, zip_error_t *why, Error *error) {
    error_set(error, ERROR_INPUT, "%s: not a whole zip archive: %s", zip->path,
              zip_error_strerror(why));
}

/* Members that a zip64 archive says it has; others have at most 65,535. libzip takes memory for all
 * of them first. */
static bool check_count(Str bytes, const char *path, Error *error) {
    static const char mark[] = "PK\6\6";
    size_t tail = bytes.n < (1 << 17) ? bytes.n : 1 << 17;
    const char *end = bytes.data + bytes.n, *at = end - tail;
    while (at < end && (at = memmem(at, (size_t)(end - at), mark, 4)) && end - at >= 40) {
        uint64_t n;
        memcpy(&n, at + 32, 8);
        if (n > MAX_MEMBERS)
            return error_set(error, ERROR_INPUT,
                             "%s: a zip archive of %llu members, at most %d expected", path,
                             (unsigned long long)n, MAX_MEMBERS);
        at += 4;
    }
    return true;
}

ZipFile *zip_file_open(Str bytes, const char *path, Error *error) {
    if (!check_count(bytes, path, error)) return NULL;
    ZipFile *zip = calloc(1, sizeof *zip);
    if (!zip) abort();
    *zip = (ZipFile){.bytes = bytes, .path = path};
    zip->budget = bytes.n + ((size_t)32 << 20); /* an arena takes up to twice that */
    zip_error_t why;
    zip_error_init(&why);
    zip_source_t *from = zip_source_function_create(source, zip, &why);
    if (from) zip->archive = zip_open_from_source(from, ZIP_RDONLY, &why);
    if (!zip->archive) {
        set_error(zip, &why, error);
        if (from) zip_source_free(from);
        free(zip);
        zip = NULL;
    }
    zip_error_fini(&why);
    return zip;
}

void zip_file_close(ZipFile *zip) {
    if (!zip) return;
    zip_discard(zip->archive);
    free(zip);
}

int zip_file_n_members(const ZipFile *zip) {
    zip_int64_t n = zip_get_num_entries(zip->archive, 0);
    return n > INT_MAX ? INT_MAX : (int)n;
}

const char *zip_file_name(const ZipFile *zip, int index) {
    const char *name = zip_get_name(zip->archive, (zip_uint64_t)index, ZIP_FL_ENC_RAW);
    return name ? name : "";
}

int zip_file_find(const ZipFile *zip, const char *name) {
    zip_int64_t index = zip_name_locate(zip->archive, name, ZIP_FL_ENC_RAW);
    return index < 0 || index > INT_MAX ? -1 : (int)index;
}

/* The member's bytes where they lie in the archive. */
static bool find_stored(ZipFile *zip, int index, size_t n, Str *out) {
    char first[64];
    size_t n_first = n < sizeof first ? n : sizeof first;
    zip_file_t *file = zip_fopen_index(zip->archive, (zip_uint64_t)index, ZIP_FL_COMPRESSED);
    if (!file) return false;
    zip_int64_t n_read = zip_fread(file, first, n_first);
    zip_fclose(file);
    size_t begin = zip->last_read;
    if (n_read != (zip_int64_t)n_first || begin > zip->bytes.n || n > zip->bytes.n - begin ||
        memcmp(zip->bytes.data + begin, first, n_first) != 0)
        return false;
    *out = (Str){zip->bytes.data + begin, n};
    return true;
}

static bool unfold(ZipFile *zip, int index, size_t n, Arena *arena, Str *out, Error *error) {
    const char *name = zip_file_name(zip, index);
    if (n > zip->budget)
        return error_set(error, ERROR_INPUT,
                         "%s: member %.200s: unfolds to %zu bytes, at most %zu expected", zip->path,
                         name, n, zip->budget);
    zip->budget -= n;
    zip_file_t *file = zip_fopen_index(zip->archive, (zip_uint64_t)index, 0);
    if (!file)
        return error_set(error, ERROR_INPUT, "%s: member %.200s: %s", zip->path, name,
                         zip_strerror(zip->archive));
    char *data = arena_alloc(arena, n + 1);
    zip_int64_t n_read = zip_fread(file, data, n);
    zip_fclose(file);
    if (n_read != (zip_int64_t)n)
        return error_set(error, ERROR_INPUT,
                         "%s: member %.200s: broken, %zu bytes expected from it", zip->path, name,
                         n);
    data[n] = '\0';
    *out = (Str){data, n};
    return true;
}

bool zip_file_member(ZipFile *zip, int index, Arena *arena, Str *out, Error *error) {
    zip_stat_t stat;
    zip_stat_init(&stat);
    if (zip_stat_index(zip->archive, (zip_uint64_t)index, 0, &stat) != 0 ||
        !(stat.valid & ZIP_STAT_SIZE) || !(stat.valid & ZIP_STAT_COMP_METHOD))
        return error_set(error, ERROR_INPUT, "%s: member %d: broken", zip->path, index);
    if (stat.comp_method == ZIP_CM_STORE && stat.encryption_method == ZIP_EM_NONE &&
        stat.size > 0 && find_stored(zip, index, (size_t)stat.size, out))
        return true;
    return unfold(zip, index, (size_t)stat.size, arena, out, error);
}
