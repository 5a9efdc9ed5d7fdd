#include "model/base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static const size_t copy_below = (size_t)256 << 20;

bool file_exists(const char *path) {
    struct stat st;
    return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

bool file_is_folder(const char *path) {
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

char *path_join(Arena *arena, const char *folder, const char *name) {
    size_t n = strlen(folder);
    return arena_printf(arena, "%s%s%s", folder, n && folder[n - 1] == '/' ? "" : "/", name);
}

const char *path_name(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

const char *path_extension(const char *path) {
    const char *name = path_name(path), *dot = strrchr(name, '.');
    return dot && dot != name ? dot : name + strlen(name);
}

static bool make_folders(const char *path, size_t n, Error *error) {
    char part[4096];
    if (n >= sizeof part) return error_set(error, ERROR_INPUT, "%.80s...: path too long", path);
    for (size_t i = 1; i <= n; i++) {
        if (i < n && path[i] != '/') continue;
        memcpy(part, path, i);
        part[i] = '\0';
        if (mkdir(part, 0777) == 0) continue;
        int reason = errno;
        if (file_is_folder(part)) continue;
        return error_set(error, ERROR_IO, "%s: cannot make this folder: %s", part,
                         strerror(reason));
    }
    return true;
}

bool folder_make(const char *path, Error *error) {
    return make_folders(path, strlen(path), error);
}

bool folder_make_above(const char *path, Error *error) {
    return make_folders(path, (size_t)(path_name(path) - path), error);
}

/* Opens a regular file; says what else it is otherwise. A FIFO must not block us. */
static int open_regular(const char *path, struct stat *st, Error *error) {
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) {
        ErrorKind kind = errno == ENOENT || errno == ENOTDIR ? ERROR_NOT_FOUND : ERROR_IO;
        error_set(error, kind, "%s: cannot open: %s", path, strerror(errno));
        return -1;
    }
    if (fstat(fd, st) != 0 || !S_ISREG(st->st_mode)) {
        error_set(error, ERROR_INPUT, "%s: is %s, a file is expected", path,
                  S_ISDIR(st->st_mode)    ? "a folder"
                  : S_ISFIFO(st->st_mode) ? "a pipe"
                                          : "a device or socket");
        close(fd);
        return -1;
    }
    return fd;
}

bool file_check(const char *path, Error *error) {
    struct stat st;
    int fd = open_regular(path, &st, error);
    if (fd >= 0) close(fd);
    return fd >= 0;
}

static bool read_all(int fd, char *data, size_t n_bytes, const char *path, Error *error) {
    size_t done = 0;
    while (done < n_bytes) {
        ssize_t n = read(fd, data + done, n_bytes - done);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return error_set(error, ERROR_IO, "%s: cannot read: %s", path, strerror(errno));
        if (n == 0)
            return error_set(error, ERROR_IO,
                             "%s: ends after %zu of %zu bytes: it was changed "
                             "while being read, try again",
                             path, done, n_bytes);
        done += (size_t)n;
    }
    return true;
}

bool file_read(const char *path, size_t max_bytes, Arena *arena, Str *out, Error *error) {
    struct stat st;
    int fd = open_regular(path, &st, error);
    if (fd < 0) return false;
    size_t n = (size_t)st.st_size;
    if (n > (max_bytes ? max_bytes : copy_below)) {
        close(fd);
        return error_set(error, ERROR_INPUT, "%s: %zu bytes, at most %zu expected", path, n,
                         max_bytes ? max_bytes : copy_below);
    }
    char *data = arena_alloc(arena, n + 1);
    bool ok = read_all(fd, data, n, path, error);
    close(fd);
    data[n] = '\0';
    *out = (Str){data, n};
    return ok;
}

bool file_map(const char *path, FileMap *out, Error *error) {
    *out = (FileMap){0};
    struct stat st;
    int fd = open_regular(path, &st, error);
    if (fd < 0) return false;
    size_t n = (size_t)st.st_size;
    bool ok = true;
    if (n == 0) {
        ok = error_set(error, ERROR_INPUT, "%s: is empty", path);
    } else if (n < copy_below) {
        char *data = aligned_alloc(64, (n + 63) / 64 * 64);
        if (!data)
            ok = error_set(error, ERROR_MEMORY, "%s: no memory for %zu bytes", path, n);
        else if (!(ok = read_all(fd, data, n, path, error)))
            free(data);
        if (ok) *out = (FileMap){(uint8_t *)data, n, false};
    } else {
        void *data = mmap(NULL, n, PROT_READ, MAP_PRIVATE, fd, 0);
        if (data == MAP_FAILED)
            ok = error_set(error, ERROR_IO, "%s: cannot map: %s", path, strerror(errno));
        else
            *out = (FileMap){data, n, true};
    }
    close(fd);
    return ok;
}

void file_unmap(FileMap *map) {
    if (map->mapped)
        munmap((void *)(uintptr_t)map->data, map->n_bytes);
    else
        free((void *)(uintptr_t)map->data);
    *map = (FileMap){0};
}

struct FileWriter {
    char *path, *temporary;
    FILE *file;
    bool nameless; /* it gets the temporary name when it is whole */
    int failure;   /* errno of the first write that failed */
};

static void writer_free(FileWriter *writer) {
    free(writer->path);
    free(writer->temporary);
    free(writer);
}

/* A file in the folder of `path` that has no name yet: whoever is killed leaves nothing behind.
 * NULL where the system or the file system has no such thing. */
static FILE *open_nameless(const char *path) {
#ifdef O_TMPFILE
    size_t n = (size_t)(path_name(path) - path);
    char *folder = n ? strndup(path, n) : strdup(".");
    bool can = access("/proc/self/fd", X_OK) == 0; /* the way to a name */
    int fd = can ? open(folder, O_TMPFILE | O_WRONLY | O_CLOEXEC, 0666) : -1;
    free(folder);
    return fd < 0 ? NULL : fdopen(fd, "wb");
#else
    (void)path;
    return NULL;
#endif
}

static int give_name(const FileWriter *writer) {
    char open_file[64];
    snprintf(open_file, sizeof open_file, "/proc/self/fd/%d", fileno(writer->file));
    unlink(writer->temporary);
    return linkat(AT_FDCWD, open_file, AT_FDCWD, writer->temporary, AT_SYMLINK_FOLLOW) ? errno : 0;
}

/* The file that a link leads to, also one that is not there yet; malloced. NULL, and errno: a link
 * that leads nowhere. */
static char *behind_link(const char *path, int depth) {
    char *there = realpath(path, NULL);
    if (there || errno != ENOENT || depth == 40) return there;
    char target[4096];
    ssize_t n = readlink(path, target, sizeof target - 1);
    if (n < 0) return errno == EINVAL || errno == ENOENT ? strdup(path) : NULL;
    target[n] = '\0';
    StrBuf next = {0};
    int n_folder = *target == '/' ? 0 : (int)(path_name(path) - path);
    strbuf_printf(&next, "%.*s%s", n_folder, path, target);
    there = behind_link(next.data, depth + 1);
    strbuf_free(&next);
    return there;
}

/* Into a pipe or a device. Opening a pipe waits for a reader, for ever if none comes: here a second
 * has to do. */
static FILE *open_device(const char *path, Error *error) {
    struct stat st;
    if (stat(path, &st) != 0 || !S_ISFIFO(st.st_mode)) return fopen(path, "wbe");
    const struct timespec moment = {.tv_nsec = 10 * 1000 * 1000};
    int fd;
    for (int i = 0; (fd = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC)) < 0; i++) {
        if (errno == ENXIO && i < 100) {
            nanosleep(&moment, NULL);
            continue;
        }
        if (errno == ENXIO) error_set(error, ERROR_IO, "%s: is a pipe that nobody reads", path);
        return NULL;
    }
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK);
    return fdopen(fd, "wb");
}

FileWriter *file_create(const char *path, Error *error) {
    struct stat st;
    if (*path == '\0' || (stat(path, &st) == 0 && S_ISDIR(st.st_mode))) {
        error_set(error, ERROR_INPUT, "%s: is a folder, a file name is expected",
                  *path ? path : "''");
        return NULL;
    }
    FileWriter *writer = calloc(1, sizeof *writer);
    /* A device such as /dev/null cannot be renamed over, and /dev/stdout must not be: it is a link
     * to whatever is open there, a plain file in `> x`. Both are written straight. Of any other
     * link the file behind it is replaced. */
    bool device = stat(path, &st) == 0 && !S_ISREG(st.st_mode);
    bool link = lstat(path, &st) == 0 && S_ISLNK(st.st_mode);
    bool system = strncmp(path, "/dev/", 5) == 0 || strncmp(path, "/proc/", 6) == 0;
    device = device || (link && system);
    writer->path = link && !device ? behind_link(path, 0) : strdup(path);
    if (device) {
        writer->file = open_device(path, error);
    } else if (writer->path) {
        StrBuf name = {0};
        strbuf_printf(&name, "%s.%ld.tmp", writer->path, (long)getpid());
        writer->temporary = strdup(name.data);
        writer->file = open_nameless(writer->path);
        writer->nameless = writer->file != NULL;
        if (!writer->file) writer->file = fopen(name.data, "wbe");
        strbuf_free(&name);
    }
    if (writer->file) return writer;
    error_set(error, ERROR_IO, "%s: cannot write: %s", path, strerror(errno));
    writer_free(writer);
    return NULL;
}

void file_write(FileWriter *writer, const void *data, size_t n_bytes) {
    if (writer->failure || n_bytes == 0) return;
    if (fwrite(data, 1, n_bytes, writer->file) != n_bytes) writer->failure = errno ? errno : EIO;
}

bool file_commit(FileWriter *writer, Error *error) {
    int failure = writer->failure;
    if (!failure && fflush(writer->file) != 0) failure = errno;
    if (!failure && writer->temporary && fsync(fileno(writer->file)) != 0) failure = errno;
    if (!failure && writer->nameless) failure = give_name(writer);
    if (fclose(writer->file) != 0 && !failure) failure = errno;
    if (!failure && writer->temporary && rename(writer->temporary, writer->path) != 0)
        failure = errno;
    if (failure) {
        error_set(error, ERROR_IO, "%s: cannot write: %s", writer->path, strerror(failure));
        if (writer->temporary) unlink(writer->temporary);
    }
    writer_free(writer);
    return failure == 0;
}

void file_abandon(FileWriter *writer) {
    if (!writer) return;
    fclose(writer->file);
    if (writer->temporary) unlink(writer->temporary);
    writer_free(writer);
}

bool file_save(const char *path, const void *data, size_t n_bytes, Error *error) {
    FileWriter *writer = file_create(path, error);
    if (!writer) return false;
    file_write(writer, data, n_bytes);
    return file_commit(writer, error);
}
