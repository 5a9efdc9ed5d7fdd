/* What the files of torch.c share: storages and tensors as the pickle names them, before their
 * numbers are found. Nobody else includes this. */
#ifndef MODEL_CHECKPOINT_TORCH_INSIDE_H
#define MODEL_CHECKPOINT_TORCH_INSIDE_H

#include "model/checkpoint/torch.h"
#include "model/checkpoint/zip.h"

typedef struct TorchStorage {
    Str key;
    Dtype dtype;
    int64_t n_items;
    int64_t view_begin; /* items of a legacy view into it; 0 otherwise */
    Str bytes;          /* data NULL: not found yet */
    struct TorchStorage *next;
} TorchStorage;

typedef struct TorchTensor {
    TorchStorage *storage;
    int64_t offset;
    int rank;
    int64_t shape[RAW_MAX_RANK], stride[RAW_MAX_RANK]; /* in items */
} TorchTensor;

struct TorchFile {
    Arena *arena;
    const char *path;
    FileMap map;
    Str bytes;
    ZipFile *zip;
    char *prefix; /* "archive/" of the zip */
    PickleReader *pickle;
    PickleValue root;
    TorchStorage *storages; /* all that the pickle named, the last one first */
    size_t n_storages;
    size_t copy_budget; /* bytes that strided or unaligned tensors may still take */
};

bool torch_fail(const char *path, Error *error, const char *what);

/* Opens the file's pickle, in which tensors and storages become the above. */
void torch_pickle_open(TorchFile *file, Str bytes);
/* The tensor that a value is; NULL: something else. */
const TorchTensor *torch_pickle_tensor(const PickleValue *value);

#endif
