/* The tensors of a model as they lie in its files, whatever the format.
 *
 *     Checkpoint *c = checkpoint_open("models/opus-mt-en-fi", &error);   folder or file
 *     const RawTensor *t = checkpoint_find(c, "model.shared.weight");    borrowed, NULL if absent
 *     json_t *config = checkpoint_config(c);                             borrowed
 *     checkpoint_close(c);
 *
 * Nothing is trusted: every name, shape, offset and count is checked against the bytes that are
 * there before it is used, and a file that is wrong is refused with one line that names the file,
 * the tensor, what was found and what was expected. Nothing in a file is ever executed.
 *
 * Formats are rows of the table in checkpoint.c; each is one file in checkpoint/ with a probe that
 * answers mine, not mine, or mine but broken (an error). safetensors.h is the reader and writer
 * that traces use as well.
 */
#ifndef MODEL_CHECKPOINT_H
#define MODEL_CHECKPOINT_H

#include <jansson.h>

#include "model/base/error.h"
#include "model/base/str.h"
#include "model/weight.h"

enum { RAW_MAX_RANK = 8 };

typedef struct RawTensor {
    const char *name; /* NUL-terminated, UTF-8, no NUL inside */
    Dtype dtype;
    int rank;
    int64_t shape[RAW_MAX_RANK];
    const void *data; /* row-major, aligned for its dtype; lives as long as the checkpoint */
    size_t n_bytes;
    const char *file; /* which file it came from, for messages */
} RawTensor;

typedef struct Checkpoint Checkpoint;

typedef struct CheckpointOptions {
    bool no_adapter; /* open an adapter's folder as its base model alone */
} CheckpointOptions;

/* A folder in Hugging Face layout (config.json beside the weights), or one file. NULL on failure.
 */
Checkpoint *checkpoint_open(const char *path, Error *error);
Checkpoint *checkpoint_open_with(const char *path, const CheckpointOptions *options, Error *error);
/* The format of the weights that lie there, from names and first bytes; NULL if there are none. */
const char *checkpoint_probe(const char *path);
void checkpoint_close(Checkpoint *checkpoint); /* NULL is fine */

const char *checkpoint_path(const Checkpoint *checkpoint);
const char *checkpoint_format(const Checkpoint *checkpoint); /* "safetensors", "gguf", ... */
/* The model's config as Hugging Face's config.json would put it; formats that carry their own
 * (GGUF, Marian .npz) translate. Never NULL. */
const json_t *checkpoint_config(const Checkpoint *checkpoint);
/* generation_config.json, or NULL. */
const json_t *checkpoint_generation_config(const Checkpoint *checkpoint);

/* Where the model's tokenizer lies, for tokenizer_open: the folder, the file itself where the
 * format has a vocabulary of its own, an adapter's folder or that of its base. */
const char *checkpoint_tokenizer_path(const Checkpoint *checkpoint);
/* The vocabulary that a file of weights brings along (GGUF; llama2.c's tokenizer.bin beside it), in
 * the form of Hugging Face's tokenizer.json; a new reference. path: as for checkpoint_open. NULL
 * without an error when there is none; the weights are not read. */
json_t *checkpoint_tokenizer(const char *path, Error *error);

int checkpoint_n_tensors(const Checkpoint *checkpoint);
const RawTensor *checkpoint_tensor(const Checkpoint *checkpoint, int index); /* in name order */
const RawTensor *checkpoint_find(const Checkpoint *checkpoint, const char *name);

#endif
