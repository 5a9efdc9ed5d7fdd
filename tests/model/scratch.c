#include "tests/model/scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "model/base/file.h"

static char folder[] = "/tmp/attnscope-test.XXXXXX";
static Arena *arena;

int scratch_make(void **state) {
    (void)state;
    arena = arena_new();
    return mkdtemp(folder) ? 0 : -1;
}

int scratch_remove(void **state) {
    (void)state;
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    arena_free(arena);
    return system(command);
}

const char *scratch_folder(void) {
    return folder;
}

const char *scratch_path(const char *name) {
    return path_join(arena, folder, name);
}

const char *scratch_write(const char *name, Str data) {
    const char *path = scratch_path(name);
    Error error = {0};
    if (!folder_make_above(path, &error)) fail_msg("%s", error.message);
    /* Neither file_save nor a truncated old file: both wait for the disk, thousands of times. */
    unlink(path);
    FILE *file = fopen(path, "wb");
    if (!file || fwrite(data.data, 1, data.n, file) != data.n || fclose(file) != 0)
        fail_msg("%s: cannot write", path);
    return path;
}

Arena *scratch_arena(void) {
    return arena;
}
