#include "app/lines.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/output.h"

static const size_t longest_line = (size_t)16 << 20;

struct LineReader {
    int fd;
    char *name;    /* for messages; NULL: the standard input */
    StrBuf buffer; /* what is read and not yet handed out, from `begin` on */
    size_t begin;
    bool at_end;
    bool waits; /* for all that were asked for */
};

static const char *reader_name(const LineReader *reader) {
    return reader->name ? reader->name : "standard input";
}

LineReader *lines_open(const char *path, Error *error) {
    bool standard = !path || strcmp(path, "-") == 0;
    int fd = standard ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat st;
    if (fd < 0) {
        error_set(error, errno == ENOENT ? ERROR_NOT_FOUND : ERROR_IO, "%s: cannot open: %s", path,
                  strerror(errno));
        return NULL;
    }
    if (!standard && (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))) {
        error_set(error, ERROR_INPUT, "%s: is %s, a file with lines of text is expected", path,
                  S_ISDIR(st.st_mode) ? "a folder" : "a pipe or a device");
        close(fd);
        return NULL;
    }
    if (standard && isatty(fd)) output_note("reading lines from the terminal; Ctrl+D ends");
    LineReader *reader = calloc(1, sizeof *reader);
    reader->fd = fd;
    reader->name = standard ? NULL : strdup(path);
    return reader;
}

void lines_close(LineReader *reader) {
    if (!reader) return;
    if (reader->name) close(reader->fd);
    free(reader->name);
    strbuf_free(&reader->buffer);
    free(reader);
}

void lines_wait(LineReader *reader) {
    reader->waits = true;
}

/* One read; false on failure. At the end of the file at_end is set. */
static bool fill(LineReader *reader, Error *error) {
    char block[65536];
    ssize_t n = read(reader->fd, block, sizeof block);
    if (n < 0 && errno == EINTR) return true;
    if (n < 0)
        return error_set(error, ERROR_IO, "%s: cannot read: %s", reader_name(reader),
                         strerror(errno));
    if (n == 0) reader->at_end = true;
    strbuf_add(&reader->buffer, block, (size_t)n);
    return true;
}

static bool is_ready(const LineReader *reader) {
    struct pollfd p = {.fd = reader->fd, .events = POLLIN};
    return poll(&p, 1, 0) > 0;
}

static int count_lines(const LineReader *reader, int n_max) {
    int n = 0;
    const char *at = reader->buffer.data + reader->begin;
    const char *end = reader->buffer.data + reader->buffer.n;
    while (n < n_max && at < end && (at = memchr(at, '\n', (size_t)(end - at))))
        n++, at++;
    return n;
}

int lines_next(LineReader *reader, int n_max, Str *lines, Error *error) {
    if (reader->begin > 0) {
        reader->buffer.n -= reader->begin;
        memmove(reader->buffer.data, reader->buffer.data + reader->begin, reader->buffer.n);
        reader->begin = 0;
    }
    for (int n = 0; !reader->at_end;) {
        if (reader->buffer.n > 0) n = count_lines(reader, n_max);
        if (n == n_max || (n > 0 && !reader->waits && !is_ready(reader))) break;
        if (n == 0 && reader->buffer.n > longest_line) {
            error_set(error, ERROR_INPUT, "%s: a line of more than 16 MB; text is expected",
                      reader_name(reader));
            return 0;
        }
        if (!fill(reader, error)) return 0;
    }
    int n = 0;
    while (n < n_max && reader->begin < reader->buffer.n) {
        const char *at = reader->buffer.data + reader->begin;
        size_t left = reader->buffer.n - reader->begin;
        const char *end = memchr(at, '\n', left);
        if (!end && !reader->at_end) break;
        size_t length = end ? (size_t)(end - at) : left;
        reader->begin += length + (end != NULL);
        if (length > 0 && at[length - 1] == '\r') length--;
        lines[n++] = (Str){at, length};
    }
    return n;
}
