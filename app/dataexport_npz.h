/* numpy's .npz, written: a zip of .npy arrays, the same bytes for the same numbers on any day.
 *
 *     NpzWriter npz = {0};
 *     npz_floats(&npz, "attention", 4, shape, data);            data borrowed until the save
 *     npz_texts(&npz, "tokens", n, labels);
 *     bool ok = npz_save(&npz, "x.npz", &error);
 *     npz_free(&npz);
 */
#ifndef APP_DATAEXPORT_NPZ_H
#define APP_DATAEXPORT_NPZ_H

#include <stdint.h>

#include "model/base/error.h"
#include "model/base/str.h"

enum { NPZ_MAX_ENTRIES = 16 };

typedef struct NpzEntry {
    char name[64]; /* with .npy */
    StrBuf bytes;
} NpzEntry;

typedef struct NpzWriter {
    int n;
    NpzEntry items[NPZ_MAX_ENTRIES];
} NpzWriter;

void npz_floats(NpzWriter *npz, const char *name, int rank, const int64_t *shape,
                const float *data);
void npz_texts(NpzWriter *npz, const char *name, int n, const Str *texts);
bool npz_save(const NpzWriter *npz, const char *path, Error *error);
void npz_free(NpzWriter *npz);

#endif
