/* What weight.c and weight_blocks.c share. Nobody else includes this. */
#ifndef MODEL_WEIGHT_INSIDE_H
#define MODEL_WEIGHT_INSIDE_H

#include <string.h>

#include "model/weight.h"

/* Loops of whole arrays are built for several instruction sets, chosen when the program starts. */
#if defined __x86_64__ && defined __linux__ && defined __GNUC__ && !defined __clang__ &&           \
    !defined __SANITIZE_ADDRESS__ && !defined __SANITIZE_THREAD__
#define CLONES __attribute__((target_clones("arch=x86-64-v3", "default"), optimize("O3")))
#else
#define CLONES
#endif

static inline float f32_of_bits(uint32_t bits) {
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static inline uint32_t bits_of_f32(float x) {
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

/* Subnormals come out right because the scaling is done in f32, where they are normal. */
static inline float f16_decode(uint16_t h) {
    uint32_t magnitude = (uint32_t)(h & 0x7fff) << 13;
    float x = f32_of_bits(magnitude) * 0x1p112f;
    uint32_t special = (h & 0x7c00) == 0x7c00 ? 0x7f800000u : 0; /* infinity or NaN */
    return f32_of_bits(bits_of_f32(x) | special | (uint32_t)(h & 0x8000) << 16);
}

/* n weights of a packed type, whole blocks, as f32. */
typedef void WeightBlocks(const uint8_t *in, int64_t n, float *out);
extern WeightBlocks *const weight_blocks[DTYPE_COUNT]; /* NULL: not packed */

#endif
