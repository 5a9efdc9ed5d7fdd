#include "app/assets.h"

#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#ifdef __APPLE__
#include <mach-o/dyld.h>
#endif

#include "model/base/file.h"

/* The folder that the running program lies in, links resolved; NULL if the system does not say. */
static char *executable_folder(Arena *arena) {
    char path[PATH_MAX], resolved[PATH_MAX];
#ifdef __APPLE__
    uint32_t n = sizeof path;
    if (_NSGetExecutablePath(path, &n) != 0) return NULL;
#else
    strcpy(path, "/proc/self/exe");
#endif
    if (!realpath(path, resolved)) return NULL;
    char *slash = strrchr(resolved, '/');
    if (slash) *slash = '\0';
    return arena_strdup(arena, resolved);
}

char *assets_find(const char *name, Arena *arena, Error *error) {
    const char *data = getenv("ATTNSCOPE_DATA");
    char *here = executable_folder(arena);
    const char *roots[] = {
        data && *data ? data : NULL,
        here ? path_join(arena, here, "../assets") : NULL,
        here ? path_join(arena, here, "../share/attnscope") : NULL,
    };
    char *looked = arena_strdup(arena, "");
    for (size_t i = 0; i < sizeof roots / sizeof *roots; i++) {
        if (!roots[i]) continue;
        char *path = path_join(arena, roots[i], name);
        if (access(path, F_OK) == 0) {
            char resolved[PATH_MAX];
            return realpath(path, resolved) ? arena_strdup(arena, resolved) : path;
        }
        looked = arena_printf(arena, "%s%s%s", looked, *looked ? ", " : "", path);
    }
    error_set(error, ERROR_NOT_FOUND,
              "%s does not lie where this program keeps what comes with it (looked for %s): set "
              "ATTNSCOPE_DATA to the folder 'assets' of the sources",
              name, looked);
    return NULL;
}
