#include "app/import.h"

#include <ctype.h>
#include <stdio.h>

#include "model/base/file.h"

static bool is_zip(const char *path, Str head) {
    (void)path;
    return head.n >= 4 && memcmp(head.data, "PK\3\4", 4) == 0;
}

static bool is_json(const char *path, Str head) {
    if (strcmp(path_extension(path), ".json") == 0) return true;
    size_t i = str_starts(head, "\xef\xbb\xbf") ? 3 : 0;
    while (i < head.n && isspace((unsigned char)head.data[i]))
        i++;
    return i < head.n && head.data[i] == '{';
}

/* Eight bytes of length, then the header's brace. */
static bool is_safetensors(const char *path, Str head) {
    return strcmp(path_extension(path), ".safetensors") == 0 || (head.n > 8 && head.data[8] == '{');
}

static bool is_text(const char *path, Str head) {
    (void)path;
    for (size_t i = 0; i + 2 < head.n; i++)
        if (memcmp(head.data + i, "|||", 3) == 0) return true;
    return false;
}

static Trace *open_trace(const char *path, const ImportHints *hints, Error *error) {
    (void)hints;
    return trace_open(path, error);
}

static const Importer importers[] = {
    {"a trace (.safetensors)", is_safetensors, open_trace},
    {".npz", is_zip, import_npz},
    {".json", is_json, import_json},
    {"soft alignments of Marian or Nematus (text)", is_text, import_alignment_text},
};

const char *import_formats(void) {
    return "a trace (.safetensors), .npz or .json with attention and tokens, soft alignments of "
           "Marian or Nematus";
}

Trace *import_open(const char *path, const ImportHints *hints, Error *error) {
    static const ImportHints none = {0};
    if (!file_check(path, error)) return NULL;
    FILE *file = fopen(path, "rb");
    if (!file) {
        error_set(error, ERROR_IO, "%s: cannot be read", path);
        return NULL;
    }
    char bytes[65536];
    Str head = {bytes, fread(bytes, 1, sizeof bytes, file)};
    fclose(file);
    for (size_t i = 0; i < sizeof importers / sizeof *importers; i++)
        if (importers[i].probe(path, head))
            return importers[i].open(path, hints ? hints : &none, error);
    error_set(error, ERROR_INPUT, "%s: not known what this is; expected %s", path,
              import_formats());
    return NULL;
}
