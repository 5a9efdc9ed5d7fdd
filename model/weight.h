/* A matrix of a model as it is kept: the only place in the program that has a number type. All
 * activations are f32; the linear op and the embedding look-up (ops.h) are the only readers. */
#ifndef MODEL_WEIGHT_H
#define MODEL_WEIGHT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum Dtype {
    DTYPE_F32,
    DTYPE_F16,
    DTYPE_BF16,
    DTYPE_F64,
    DTYPE_I64,
    DTYPE_I32,
    DTYPE_I16,
    DTYPE_I8,
    DTYPE_U64,
    DTYPE_U32,
    DTYPE_U16,
    DTYPE_U8,
    DTYPE_BOOL,
    DTYPE_F8_E4M3, /* no infinities: Micikevicius et al. 2022 */
    DTYPE_F8_E5M2, /* the upper half of an F16 */
    DTYPE_Q8_0,    /* GGUF blocks: 32 weights in 34 bytes */
    DTYPE_Q4_0,    /* 32 in 18 */
    DTYPE_Q4_K,    /* 256 in 144 */
    DTYPE_Q6_K,    /* 256 in 210 */
    DTYPE_Q4_1,    /* 32 in 20 */
    DTYPE_Q5_0,    /* 32 in 22 */
    DTYPE_Q5_1,    /* 32 in 24 */
    DTYPE_Q5_K,    /* 256 in 176 */
    DTYPE_Q2_K,    /* 256 in 84 */
    DTYPE_Q3_K,    /* 256 in 110 */
    DTYPE_IQ4_NL,  /* 32 in 18 */
    DTYPE_IQ4_XS,  /* 256 in 136 */
    DTYPE_COUNT
} Dtype;

typedef struct DtypeInfo {
    const char *name; /* as safetensors or GGUF writes it */
    int block_items;  /* weights a block */
    int block_bytes;
} DtypeInfo;
extern const DtypeInfo dtype_info[DTYPE_COUNT];

/* y = x W^T: rows are outputs, columns inputs, as torch.nn.Linear keeps it. A Weight never owns. */
typedef struct Weight {
    const void *data; /* NULL: this model has none */
    Dtype dtype;
    bool transposed; /* kept [inputs, outputs], as GPT-2's Conv1D does */
    int64_t rows, cols;
    int64_t stride; /* items from one kept row to the next (unpacked types only); 0: no gap */
} Weight;

/* The dtype written so, as safetensors or GGUF name it; false if there is none. */
bool dtype_parse(const char *name, Dtype *out);
/* Bytes of n_items; false when n_items is negative, not whole blocks, or the bytes overflow. */
bool dtype_bytes(Dtype dtype, int64_t n_items, size_t *out);
static inline bool dtype_is_packed(Dtype dtype) {
    return dtype_info[dtype].block_items > 1;
}

/* n items from item `begin` of a row-major array of `dtype`, as f32. begin and n are multiples of
 * the block for packed types. Float types, integers and BOOL all convert. data may lie at any
 * address. Block layouts: ggml's, ggml/src/ggml-common.h. */
void dtype_to_f32(Dtype dtype, const void *data, int64_t begin, int64_t n, float *out);
/* The other way, for all but the packed types. Floats round to nearest even and overflow to
 * infinity; integers round to nearest even and stop at the ends of their range, NaN becomes 0. */
void dtype_from_f32(Dtype dtype, const float *in, int64_t n, void *out);

float f16_to_f32(uint16_t x);
/* Round to nearest even; overflow becomes infinity. */
uint16_t f32_to_f16(float x);
uint16_t f32_to_bf16(float x);

#endif
