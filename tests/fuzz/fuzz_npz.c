/* Zip archives of numpy arrays, member by member, and as a model of Marian's. */
#include <string.h>

#include "model/checkpoint/npy.h"
#include "model/checkpoint/zip.h"
#include "tests/fuzz/scratch_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static volatile unsigned sum;

static void read_bytes(const RawTensor *t) {
    for (size_t k = 0; k < t->n_bytes; k++)
        sum = sum + ((const uint8_t *)t->data)[k];
}

static void read_member(Str bytes, Error *error) {
    RawTensor t = {.name = "member", .file = "input"};
    if (npy_read(bytes, &t, error)) read_bytes(&t);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    Arena *arena = arena_new();
    Str bytes = {(const char *)data, size};
    read_member(bytes, &(Error){0});
    ZipFile *zip = zip_file_open(bytes, "input", &(Error){0});
    for (int i = 0; zip && i < zip_file_n_members(zip) && i < 256; i++) {
        Str member;
        if (zip_file_find(zip, zip_file_name(zip, i)) < -1) __builtin_trap();
        if (zip_file_member(zip, i, arena, &member, &(Error){0})) read_member(member, &(Error){0});
    }
    zip_file_close(zip);
    arena_free(arena);
    Checkpoint *c = checkpoint_open(scratch_file("x.npz", data, size), &(Error){0});
    for (int i = 0; c && i < checkpoint_n_tensors(c); i++)
        read_bytes(checkpoint_tensor(c, i));
    checkpoint_close(c);
    scratch_remove("x.npz");
    return 0;
}
