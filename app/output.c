#include "app/output.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "model/base/file.h"
#include "model/base/utf8.h"

struct Output {
    FileWriter *file; /* NULL: stdout */
    int failure;      /* errno of the first write to stdout that failed */
};

Output *output_open(const char *path, Error *error) {
    bool to_stdout = !path || strcmp(path, "-") == 0;
    FileWriter *file = to_stdout ? NULL : file_create(path, error);
    if (!to_stdout && !file) return NULL;
    Output *output = calloc(1, sizeof *output);
    output->file = file;
    return output;
}

void output_str(Output *output, Str s) {
    if (output->file) {
        file_write(output->file, s.data, s.n);
    } else if (!output->failure && s.n > 0 && fwrite(s.data, 1, s.n, stdout) != s.n) {
        output->failure = errno ? errno : EIO;
    }
}

void output_puts(Output *output, const char *s) {
    output_str(output, str(s));
}

void output_printf(Output *output, const char *format, ...) {
    char *text = NULL;
    va_list args;
    va_start(args, format);
    int n = vasprintf(&text, format, args);
    va_end(args);
    if (n >= 0) output_str(output, (Str){text, (size_t)n});
    free(text);
}

void output_json(Output *output, json_t *value, bool indented) {
    size_t flags = JSON_REAL_PRECISION(9) | JSON_ENCODE_ANY;
    char *text = json_dumps(value, flags | (indented ? JSON_INDENT(2) : 0));
    json_decref(value);
    if (text) output_puts(output, text);
    output_puts(output, "\n");
    free(text);
}

void output_flush(Output *output) {
    if (!output->file && fflush(stdout) != 0 && !output->failure) output->failure = errno;
}

bool output_failed(const Output *output) {
    return output->failure != 0;
}

bool output_close(Output *output, Error *error) {
    bool ok = true;
    if (output->file) {
        ok = file_commit(output->file, error);
    } else {
        output_flush(output);
        int failure = output->failure;
        if (failure)
            ok = error_set(error, ERROR_IO, "cannot write to the standard output: %s",
                           strerror(failure));
    }
    free(output);
    return ok;
}

void output_abandon(Output *output) {
    if (!output) return;
    file_abandon(output->file);
    free(output);
}

json_t *output_number(double x) {
    return isfinite(x) ? json_real(x) : json_null();
}

json_t *output_text(Str s) {
    if (utf8_invalid_at(s) == s.n) return json_stringn(s.n ? s.data : "", s.n);
    StrBuf fixed = {0};
    for (size_t at = 0, n = 0; at < s.n; at += n) {
        char bytes[4];
        strbuf_add(&fixed, bytes, utf8_encode(utf8_decode(s, at, &n), bytes));
    }
    json_t *value = json_stringn(fixed.data, fixed.n);
    strbuf_free(&fixed);
    return value;
}

static void vmessage(const char *before, const char *after, const char *format, va_list args) {
    char *text = NULL;
    if (vasprintf(&text, format, args) < 0) return;
    error_printable(text);
    fprintf(stderr, "%s%s%s", before, text, after);
    fflush(stderr);
    free(text);
}

void output_note(const char *format, ...) {
    output_progress_end();
    va_list args;
    va_start(args, format);
    vmessage("attnscope: ", "\n", format, args);
    va_end(args);
}

static bool progress_shown;

void output_progress(const char *format, ...) {
    if (!isatty(STDERR_FILENO)) return;
    va_list args;
    va_start(args, format);
    vmessage("\r", "\033[K", format, args);
    va_end(args);
    progress_shown = true;
}

void output_progress_end(void) {
    if (!progress_shown) return;
    fputs("\r\033[K", stderr);
    progress_shown = false;
}
