/* The header of a safetensors file, and every number of its tensors. */
#include "model/safetensors.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static volatile float sum;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    Error error = {0};
    Safetensors *file = safetensors_open_memory((Str){(const char *)data, size}, "input", &error);
    if (!file) return 0;
    for (int i = 0; i < safetensors_n_tensors(file); i++) {
        const RawTensor *t = safetensors_tensor(file, i);
        int64_t n = (int64_t)t->n_bytes / dtype_info[t->dtype].block_bytes;
        for (int64_t k = 0; k < n; k++) {
            float x;
            dtype_to_f32(t->dtype, t->data, k, 1, &x);
            sum = sum + x;
        }
        if (safetensors_find(file, t->name) != t) __builtin_trap();
    }
    safetensors_metadata_value(file, "format");
    safetensors_close(file);
    return 0;
}
