/* A folder of a test's own, with the files it wants, gone at the end.
 *
 *     int main(void) { ... return cmocka_run_group_tests(tests, scratch_make, scratch_remove); }
 *     const char *path = scratch_write("a/config.json", str("{}"));     in the scratch folder
 */
#ifndef TESTS_MODEL_SCRATCH_H
#define TESTS_MODEL_SCRATCH_H

#include "model/base/arena.h"

int scratch_make(void **state);
int scratch_remove(void **state);

/* The folder, and a path in it; live until scratch_remove. */
const char *scratch_folder(void);
const char *scratch_path(const char *name);
/* Writes a file, folders above it included; the path. */
const char *scratch_write(const char *name, Str data);
/* Lives as long as the scratch folder. */
Arena *scratch_arena(void);

#endif
