/* Checkpoints of nanoGPT (ckpt.pt) and minGPT (model.pt), as the GPT-2 that they are.
 *
 * They keep GPT-2's names, but Linear layers instead of Conv1D (matrices turned round), buffers of
 * the mask, and, without bias, no biases at all; zeroes stand for those. nanoGPT writes its sizes
 * beside the weights ("model_args"), minGPT into config.json ({"model": {...}}). */
#ifndef MODEL_CHECKPOINT_NANOGPT_H
#define MODEL_CHECKPOINT_NANOGPT_H

#include "model/checkpoint/torch.h"

/* The tensors in the checkpoint look like theirs and there is no Hugging Face config. */
bool nanogpt_is(const Checkpoint *checkpoint);
/* Makes the config, from what the file and config.json say, and changes the tensors to GPT-2's. */
bool nanogpt_translate(Checkpoint *checkpoint, const TorchFile *file, Error *error);

#endif
