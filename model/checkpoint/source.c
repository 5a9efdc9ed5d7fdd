/* What the user pointed at: a folder and the files in it, or a file and its first bytes. */
#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "model/checkpoint/format.h"

bool file_head(const char *path, uint8_t head[64], size_t *n_bytes) {
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    bool regular = fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
    memset(head, 0, 64);
    ssize_t n = regular ? read(fd, head, 64) : -1;
    if (fd >= 0) close(fd);
    if (n < 0) return false;
    *n_bytes = (size_t)st.st_size;
    return true;
}

static bool read_head(Source *source, Error *error) {
    if (file_head(source->path, source->head, &source->n_bytes)) return true;
    FileMap map = {0}; /* says what is wrong with it */
    bool mapped = file_map(source->path, &map, error);
    file_unmap(&map);
    return mapped && error_set(error, ERROR_IO, "%s: cannot read", source->path);
}

bool source_has(const Source *source, const char *name) {
    Arena *arena = arena_new();
    bool there = file_exists(path_join(arena, source->folder, name));
    arena_free(arena);
    return there;
}

static const char *folder_of(Arena *arena, const char *path) {
    size_t n = (size_t)(path_name(path) - path);
    while (n > 1 && path[n - 1] == '/')
        n--;
    return n ? arena_str(arena, (Str){path, n}).data : ".";
}

const char *source_path(Arena *arena, const Source *source, const char *extension) {
    if (!source->is_folder) return source->path;
    DIR *folder = opendir(source->folder);
    const char *first = NULL;
    if (!folder) return NULL;
    for (struct dirent *entry; (entry = readdir(folder));) {
        if (*entry->d_name == '.' || !str_ends(str(entry->d_name), extension)) continue;
        const char *path = path_join(arena, source->folder, entry->d_name);
        if (file_exists(path) && (!first || strcmp(path, first) < 0)) first = path;
    }
    closedir(folder);
    return first;
}

Probe source_lone_file(const Source *source, const char *extension, Error *error) {
    DIR *folder = opendir(source->folder);
    int n = 0;
    for (struct dirent *entry; folder && (entry = readdir(folder));)
        n += *entry->d_name != '.' && str_ends(str(entry->d_name), extension);
    if (folder) closedir(folder);
    if (n == 0) return PROBE_NOT_MINE;
    if (n == 1) return PROBE_MINE;
    error_set(error, ERROR_INPUT, "%s: %d files %s in this folder; name one of them", source->path,
              n, extension);
    return PROBE_BROKEN;
}

bool source_look(Source *source, const char *path, Arena *arena, Error *error) {
    source->path = path;
    source->is_folder = file_is_folder(path);
    source->folder = source->is_folder ? path : folder_of(arena, path);
    return source->is_folder || read_head(source, error);
}
