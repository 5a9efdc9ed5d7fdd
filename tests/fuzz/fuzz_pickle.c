/* Files of torch.save, both formats, and every byte of the tensors in them. */
#include "model/checkpoint/torch.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static volatile unsigned sum;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    Error error = {0};
    TorchFile *file = torch_file_open_memory((Str){(const char *)data, size}, "input", &error);
    if (!file) return 0;
    TensorList list = {0};
    const PickleValue *state = torch_file_state(file, &error);
    if (state && torch_file_tensors(file, state, &list, &error))
        for (int i = 0; i < list.n; i++)
            for (size_t k = 0; k < list.items[i].n_bytes; k += 1 + list.items[i].n_bytes / 4096)
                sum = sum + ((const uint8_t *)list.items[i].data)[k];
    tensor_list_free(&list);
    torch_file_close(file);
    return 0;
}
