/* For parsers that take a path: the input of a fuzz target as a file of that name, in memory where
 * the system has /dev/shm. libFuzzer leaves by _Exit, so each input clears up after itself:
 *
 *     Checkpoint *c = checkpoint_open(scratch_file("x.gguf", data, size), &error);
 *     ...
 *     scratch_remove("x.gguf");
 */
#ifndef TESTS_FUZZ_SCRATCH_FILE_H
#define TESTS_FUZZ_SCRATCH_FILE_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static inline const char *scratch_folder(void) {
    static char folder[64];
    struct stat st;
    if (!*folder)
        snprintf(folder, sizeof folder, "%s/attnscope-fuzz.%ld",
                 stat("/dev/shm", &st) == 0 ? "/dev/shm" : "/tmp", (long)getpid());
    mkdir(folder, 0700);
    return folder;
}

static inline const char *scratch_path(const char *name) {
    static char path[128];
    snprintf(path, sizeof path, "%s/%s", scratch_folder(), name);
    return path;
}

static inline const char *scratch_file(const char *name, const uint8_t *data, size_t n) {
    const char *path = scratch_path(name);
    FILE *file = fopen(path, "wb");
    if (!file || (n && fwrite(data, 1, n, file) != n) || fclose(file) != 0) abort();
    return path;
}

/* The folder goes with the last file. */
static inline void scratch_remove(const char *name) {
    unlink(scratch_path(name));
    rmdir(scratch_folder());
}

#endif
