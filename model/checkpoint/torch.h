/* A file of torch.save: pytorch_model.bin, model.pt. The zip format of torch 1.6 and later, and the
 * pickles in a row of before. Builds tensors and nothing else (pickle.h).
 *
 *     TorchFile *file = torch_file_open("pytorch_model.bin", &error);
 *     const PickleValue *dict = torch_file_state(file, &error);           {name: tensor}
 *     ok = torch_file_tensors(file, dict, &list, &error);
 *     torch_file_close(file);                                             tensors die with it
 */
#ifndef MODEL_CHECKPOINT_TORCH_H
#define MODEL_CHECKPOINT_TORCH_H

#include "model/checkpoint/format.h"
#include "model/checkpoint/pickle.h"

typedef struct TorchFile TorchFile;

TorchFile *torch_file_open(const char *path, Error *error); /* NULL on failure */
/* The same from memory: data is borrowed until the close, `where` names it in messages. */
TorchFile *torch_file_open_memory(Str data, const char *where, Error *error);
void torch_file_close(TorchFile *file);
const PickleValue *torch_file_root(const TorchFile *file);
/* The root, or what it keeps under "model", "state_dict" or "model_state_dict"; NULL and an error
 * if none of them holds a tensor. */
const PickleValue *torch_file_state(const TorchFile *file, Error *error);
/* Adds the tensors of a dictionary; other values are passed over. */
bool torch_file_tensors(TorchFile *file, const PickleValue *dict, TensorList *list, Error *error);

/* First bytes of such a file. */
bool torch_file_is(const uint8_t *head, size_t n);

#endif
