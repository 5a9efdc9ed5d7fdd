/* GGUF: keys, tensors with every number, the vocabulary, and the translation to Hugging Face. */
#include "model/checkpoint/gguf.h"
#include "tests/fuzz/scratch_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static volatile float sum;

static void read_numbers(const RawTensor *t) {
    const DtypeInfo *info = &dtype_info[t->dtype];
    float x[256];
    for (int64_t k = 0; k < raw_tensor_count(t); k += info->block_items) {
        dtype_to_f32(t->dtype, t->data, k, info->block_items, x);
        sum = sum + x[0];
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    Error error = {0};
    GgufFile *file = gguf_open_memory((Str){(const char *)data, size}, "input", &error);
    if (!file) return 0;
    const TensorList *list = gguf_tensors(file);
    for (int i = 0; i < list->n; i++)
        read_numbers(&list->items[i]);
    json_decref(gguf_tokenizer(file, &error));
    gguf_close(file);
    Checkpoint *c = checkpoint_open(scratch_file("x.gguf", data, size), &(Error){0});
    for (int i = 0; c && i < checkpoint_n_tensors(c); i++)
        read_numbers(checkpoint_tensor(c, i));
    checkpoint_close(c);
    scratch_remove("x.gguf");
    return 0;
}
