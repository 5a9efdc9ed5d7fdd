/* llama2.c: the input as model.bin, and behind a fixed header of three words as tokenizer.bin. */
#include <string.h>

#include "model/checkpoint/format.h"
#include "tests/fuzz/scratch_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static volatile unsigned sum;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 1) return 0;
    if (data[0] & 1) {
        Checkpoint *c = checkpoint_open(scratch_file("x.bin", data + 1, size - 1), &(Error){0});
        for (int i = 0; c && i < checkpoint_n_tensors(c); i++) {
            const RawTensor *t = checkpoint_tensor(c, i);
            for (size_t k = 0; k < t->n_bytes; k += 1 + t->n_bytes / 4096)
                sum = sum + ((const uint8_t *)t->data)[k];
        }
        checkpoint_close(c);
        scratch_remove("x.bin");
        return 0;
    }
    /* Width, hidden, layers, heads, key-value heads, words, positions: 2, 2, 1, 1, 1, 3, 1. */
    static const int32_t header[7] = {2, 2, 1, 1, 1, 3, 1};
    uint8_t model[(7 + 6 + 2 + 16 + 2 + 12 + 2 + 2) * 4] = {0};
    memcpy(model, header, sizeof header);
    scratch_file("tokenizer.bin", data + 1, size - 1);
    json_decref(checkpoint_tokenizer(scratch_file("model.bin", model, sizeof model), &(Error){0}));
    scratch_remove("tokenizer.bin");
    scratch_remove("model.bin");
    return 0;
}
