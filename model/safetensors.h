/* The safetensors file: 8 bytes header length, a JSON header {name: {dtype, shape, data_offsets}},
 * the numbers. https://huggingface.co/docs/safetensors
 * One reader and one writer for model weights, traces, training checkpoints and inputs.
 *
 *     SafetensorsWriter *w = safetensors_create("t.safetensors", &error);
 *     safetensors_add(w, "logits", DTYPE_F32, 2, shape, data);      borrowed until the commit
 *     safetensors_metadata(w, "format", "attnscope-trace-1");
 *     safetensors_commit(w, &error);                                atomic; frees w
 */
#ifndef MODEL_SAFETENSORS_H
#define MODEL_SAFETENSORS_H

#include "model/checkpoint.h"

typedef struct Safetensors Safetensors;
Safetensors *safetensors_open(const char *path, Error *error); /* NULL on failure */
/* The same from memory: data is borrowed until the close, `where` names it in messages. */
Safetensors *safetensors_open_memory(Str data, const char *where, Error *error);
void safetensors_close(Safetensors *file); /* NULL is fine */
int safetensors_n_tensors(const Safetensors *file);
const RawTensor *safetensors_tensor(const Safetensors *file, int index); /* in name order */
const RawTensor *safetensors_find(const Safetensors *file, const char *name);
/* A value of __metadata__, or NULL. */
const char *safetensors_metadata_value(const Safetensors *file, const char *key);

/* Tensors lie in the order in which they were added, wider number types first (so that each is
 * aligned), metadata sorted by key: the same calls make the same bytes. Values are any UTF-8 text
 * (JSON too). A name given twice, a packed dtype or more than RAW_MAX_RANK axes fail the commit. */
typedef struct SafetensorsWriter SafetensorsWriter;
SafetensorsWriter *safetensors_create(const char *path, Error *error); /* NULL on failure */
void safetensors_add(SafetensorsWriter *writer, const char *name, Dtype dtype, int rank,
                     const int64_t *shape, const void *data);
void safetensors_metadata(SafetensorsWriter *writer, const char *key, const char *value);
bool safetensors_commit(SafetensorsWriter *writer, Error *error);
void safetensors_abandon(SafetensorsWriter *writer); /* NULL is fine */

#endif
