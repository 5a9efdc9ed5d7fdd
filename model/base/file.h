/* Files: read whole or mapped, written under a temporary name and renamed, so that a killed run
 * leaves the old file as it was, and where the system can (Linux) nothing beside it. Directories,
 * FIFOs and devices are refused where a file is meant.
 *
 *     FileWriter *w = file_create("out/x.png", &error);
 *     file_write(w, data, n);                             a failure is kept until the close
 *     if (!file_commit(w, &error)) ...                    flush, fsync, rename; frees w
 */
#ifndef MODEL_BASE_FILE_H
#define MODEL_BASE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/base/arena.h"
#include "model/base/error.h"
#include "model/base/str.h"

bool file_exists(const char *path);    /* a regular file, links followed */
bool file_is_folder(const char *path); /* links followed */
/* A regular file that can be opened? If not, the error says what it is. */
bool file_check(const char *path, Error *error);
/* folder + "/" + name, in the arena. */
char *path_join(Arena *arena, const char *folder, const char *name);
const char *path_name(const char *path); /* after the last slash */
/* ".png" of "a/b.png", "" if none; points into path. */
const char *path_extension(const char *path);
/* Makes a folder and those above it; an existing one is fine. */
bool folder_make(const char *path, Error *error);
/* The same for the folder that this file is to lie in. */
bool folder_make_above(const char *path, Error *error);

/* The whole file, with a NUL behind it. More than max_bytes is refused (0: 256 MB). */
bool file_read(const char *path, size_t max_bytes, Arena *arena, Str *out, Error *error);

/* A read-only image of a file: copied under 256 MB (a file overwritten meanwhile must not take the
 * program down), mapped above. */
typedef struct FileMap {
    const uint8_t *data;
    size_t n_bytes;
    bool mapped;
} FileMap;
bool file_map(const char *path, FileMap *out, Error *error);
void file_unmap(FileMap *map);

typedef struct FileWriter FileWriter;
FileWriter *file_create(const char *path, Error *error); /* NULL on failure */
void file_write(FileWriter *writer, const void *data, size_t n_bytes);
bool file_commit(FileWriter *writer, Error *error);
void file_abandon(FileWriter *writer); /* removes the temporary file; NULL is fine */
/* create, write, commit. */
bool file_save(const char *path, const void *data, size_t n_bytes, Error *error);

#endif
