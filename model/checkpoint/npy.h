/* One array of numpy's .npy format, as the members of an .npz are.
 * https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html */
#ifndef MODEL_CHECKPOINT_NPY_H
#define MODEL_CHECKPOINT_NPY_H

#include "model/checkpoint/format.h"

/* tensor->name and ->file are given, for messages; sets dtype, shape, data and n_bytes. The numbers
 * are borrowed from the bytes and may lie at an odd address. Row-major arrays of plain
 * little-endian numbers only. */
bool npy_read(Str bytes, RawTensor *tensor, Error *error);

#endif
