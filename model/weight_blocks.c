/* Packed number types of weights, to f32.
 *
 *   Q8_0  d:f16, 32 int8                x = d * q
 *   Q4_0  d:f16, 16 bytes               x = d * (q - 8), low nibbles first, then the high ones
 *   Q4_1  d, m:f16, 16 bytes            x = d * q + m
 *   Q5_0  d:f16, 32 fifth bits, 16 bytes       x = d * (q - 16)
 *   Q5_1  d, m:f16, 32 fifth bits, 16 bytes    x = d * q + m
 *   Q4_K  d, dmin:f16, 12 bytes of 6-bit scales and minima, 128 bytes      x = d*sc*q - dmin*m
 *   Q5_K  the same with 32 bytes of fifth bits before the 128
 *   Q6_K  128 bytes of low nibbles, 64 of high pairs, 16 int8 scales, d:f16   x = d*sc*(q - 32)
 *   Q2_K  16 bytes of 4-bit scales and minima, 64 of pairs, d, dmin:f16      x = d*sc*q - dmin*m
 *   Q3_K  32 bytes of third bits, 64 of pairs, 12 of 6-bit scales, d:f16     x = d*(sc-32)*(q - 4)
 *   IQ4_NL  d:f16, 16 bytes                    x = d * level[q]
 *   IQ4_XS  d:f16, 8 6-bit scales in 2 + 4 bytes, 128 bytes                  x = d*(sc-32)*level[q]
 *
 * The layouts are ggml's (ggml/src/ggml-common.h, ggml-quants.c). */
#include "model/weight_inside.h"

static float f16_at(const uint8_t *p) {
    uint16_t h;
    memcpy(&h, p, 2);
    return f16_decode(h);
}

static inline void q8_0_to_f32(const uint8_t *restrict block, float *restrict out) {
    float d = f16_at(block);
    for (int i = 0; i < 32; i++)
        out[i] = d * (float)(int8_t)block[2 + i];
}

static inline void q4_0_to_f32(const uint8_t *restrict block, float *restrict out) {
    float d = f16_at(block);
    for (int i = 0; i < 16; i++)
        out[i] = d * (float)((block[2 + i] & 15) - 8);
    for (int i = 0; i < 16; i++)
        out[i + 16] = d * (float)((block[2 + i] >> 4) - 8);
}

static inline void q4_1_to_f32(const uint8_t *restrict block, float *restrict out) {
    float d = f16_at(block), m = f16_at(block + 2);
    for (int i = 0; i < 16; i++)
        out[i] = d * (float)(block[4 + i] & 15) + m;
    for (int i = 0; i < 16; i++)
        out[i + 16] = d * (float)(block[4 + i] >> 4) + m;
}

/* The fifth bit of weight i is bit i of the 32. */
static inline void five_bits(const uint8_t *restrict fifths, const uint8_t *restrict nibbles,
                             int *restrict out) {
    uint32_t bits;
    memcpy(&bits, fifths, 4);
    for (int i = 0; i < 16; i++)
        out[i] = (nibbles[i] & 15) | (int)(bits >> i & 1) << 4;
    for (int i = 0; i < 16; i++)
        out[i + 16] = nibbles[i] >> 4 | (int)(bits >> (i + 16) & 1) << 4;
}

static inline void q5_0_to_f32(const uint8_t *restrict block, float *restrict out) {
    float d = f16_at(block);
    int q[32];
    five_bits(block + 2, block + 6, q);
    for (int i = 0; i < 32; i++)
        out[i] = d * (float)(q[i] - 16);
}

static inline void q5_1_to_f32(const uint8_t *restrict block, float *restrict out) {
    float d = f16_at(block), m = f16_at(block + 2);
    int q[32];
    five_bits(block + 4, block + 8, q);
    for (int i = 0; i < 32; i++)
        out[i] = d * (float)q[i] + m;
}

/* Scales and minima of eight groups of 32 weights: 6 bits each, the last four groups' split over
 * the spare bits of the first eight bytes. */
static inline void q4_k_scales(const uint8_t *restrict p, float scale[8], float minimum[8]) {
    for (int i = 0; i < 4; i++) {
        scale[i] = (float)(p[i] & 63);
        minimum[i] = (float)(p[i + 4] & 63);
        scale[i + 4] = (float)((p[i + 8] & 15) | (p[i] >> 6) << 4);
        minimum[i + 4] = (float)(p[i + 8] >> 4 | (p[i + 4] >> 6) << 4);
    }
}

/* Two groups share 32 bytes: the low nibbles, then the high. Each loop shifts by a constant, so
 * that it becomes vector code: by a variable it takes several times as long. */
static inline void q4_k_to_f32(const uint8_t *restrict block, float *restrict out) {
    float d = f16_at(block), d_min = f16_at(block + 2), scale[8], minimum[8];
    q4_k_scales(block + 4, scale, minimum);
    for (int group = 0; group < 8; group += 2, out += 64) {
        const uint8_t *nibbles = block + 16 + group / 2 * 32;
        float low = d * scale[group], high = d * scale[group + 1];
        float low_minimum = d_min * minimum[group], high_minimum = d_min * minimum[group + 1];
        for (int i = 0; i < 32; i++)
            out[i] = low * (float)(nibbles[i] & 15) - low_minimum;
        for (int i = 0; i < 32; i++)
            out[32 + i] = high * (float)(nibbles[i] >> 4) - high_minimum;
    }
}

static inline void q5_k_to_f32(const uint8_t *restrict block, float *restrict out) {
    float d = f16_at(block), d_min = f16_at(block + 2), scale[8], minimum[8];
    const uint8_t *fifths = block + 16;
    q4_k_scales(block + 4, scale, minimum);
    for (int group = 0; group < 8; group += 2, out += 64) {
        const uint8_t *nibbles = block + 48 + group / 2 * 32;
        float low = d * scale[group], high = d * scale[group + 1];
        float low_minimum = d_min * minimum[group], high_minimum = d_min * minimum[group + 1];
        int low_bit = 1 << group, high_bit = 2 << group;
        for (int i = 0; i < 32; i++)
            out[i] =
                low * (float)((nibbles[i] & 15) + (fifths[i] & low_bit ? 16 : 0)) - low_minimum;
        for (int i = 0; i < 32; i++)
            out[32 + i] =
                high * (float)((nibbles[i] >> 4) + (fifths[i] & high_bit ? 16 : 0)) - high_minimum;
    }
}

/* 128 weights of four bits in 64 bytes, low nibbles first, and of two more in 32; a scale for each
 * sixteen, spread out so that the loops have 32 rounds: those of 16 do not become vector code. */
static inline void q6_k_to_f32(const uint8_t *restrict block, float *restrict out) {
    float d = f16_at(block + 208), s[4][32];
    for (int half = 0; half < 2; half++, out += 128) {
        const uint8_t *low = block + 64 * half, *high = block + 128 + 32 * half;
        for (int k = 0; k < 8; k++)
            for (int i = 0; i < 16; i++)
                s[k / 2][k % 2 * 16 + i] = d * (float)(int8_t)block[192 + 8 * half + k];
        for (int i = 0; i < 32; i++)
            out[i] = s[0][i] * (float)(((low[i] & 15) | (high[i] & 3) << 4) - 32);
        for (int i = 0; i < 32; i++)
            out[32 + i] = s[1][i] * (float)(((low[32 + i] & 15) | (high[i] >> 2 & 3) << 4) - 32);
        for (int i = 0; i < 32; i++)
            out[64 + i] = s[2][i] * (float)((low[i] >> 4 | (high[i] >> 4 & 3) << 4) - 32);
        for (int i = 0; i < 32; i++)
            out[96 + i] = s[3][i] * (float)((low[32 + i] >> 4 | high[i] >> 6 << 4) - 32);
    }
}

/* Sixteen weights of one scale are pairs of bits at one shift of sixteen bytes. */
static inline void q2_k_to_f32(const uint8_t *restrict block, float *restrict out) {
    float d = f16_at(block + 80), d_min = f16_at(block + 82);
    for (int part = 0; part < 16; part++) {
        const uint8_t *pairs = block + 16 + part / 8 * 32 + part % 2 * 16;
        int shift = part % 8 / 2 * 2;
        float scale = d * (float)(block[part] & 15), minimum = d_min * (float)(block[part] >> 4);
        for (int i = 0; i < 16; i++)
            out[16 * part + i] = scale * (float)(pairs[i] >> shift & 3) - minimum;
    }
}

/* The same with a third bit, whose 0 means 4 less, and signed scales: their low four bits in eight
 * bytes, the upper two in four. */
static inline void q3_k_to_f32(const uint8_t *restrict block, float *restrict out) {
    const uint8_t *scales = block + 96;
    float d = f16_at(block + 108);
    for (int part = 0; part < 16; part++) {
        const uint8_t *thirds = block + part % 2 * 16;
        const uint8_t *pairs = block + 32 + part / 8 * 32 + part % 2 * 16;
        int shift = part % 8 / 2 * 2, low = scales[part % 8] >> part / 8 * 4 & 15;
        int high = scales[8 + part % 4] >> part / 4 * 2 & 3;
        float scale = d * (float)((low | high << 4) - 32);
        for (int i = 0; i < 16; i++) {
            int q = (pairs[i] >> shift & 3) - (thirds[i] >> part / 2 & 1 ? 0 : 4);
            out[16 * part + i] = scale * (float)q;
        }
    }
}

/* The sixteen values that a nibble chooses from: closer together around 0. */
static const float levels[16] = {-127, -104, -83, -65, -49, -35, -22, -10,
                                 1,    13,   25,  38,  53,  69,  89,  113};

static inline void levels_to_f32(float scale, const uint8_t *restrict nibbles,
                                 float *restrict out) {
    for (int i = 0; i < 16; i++)
        out[i] = scale * levels[nibbles[i] & 15];
    for (int i = 0; i < 16; i++)
        out[i + 16] = scale * levels[nibbles[i] >> 4];
}

static inline void iq4_nl_to_f32(const uint8_t *restrict block, float *restrict out) {
    levels_to_f32(f16_at(block), block + 2, out);
}

static inline void iq4_xs_to_f32(const uint8_t *restrict block, float *restrict out) {
    float d = f16_at(block);
    for (int group = 0; group < 8; group++) {
        int low = block[4 + group / 2] >> group % 2 * 4 & 15;
        int high = block[2 + group / 4] >> group % 4 * 2 & 3;
        levels_to_f32(d * (float)((low | high << 4) - 32), block + 8 + 16 * group,
                      out + 32 * group);
    }
}

/* One loop for each type, so that the block's own is built into it. */
#define BLOCKS_TO_F32(name, items, bytes)                                                          \
    CLONES static void name##_all(const uint8_t *in, int64_t n, float *out) {                      \
        for (int64_t i = 0; i < n; i += items, in += bytes)                                        \
            name##_to_f32(in, out + i);                                                            \
    }
BLOCKS_TO_F32(q8_0, 32, 34)
BLOCKS_TO_F32(q4_0, 32, 18)
BLOCKS_TO_F32(q4_k, 256, 144)
BLOCKS_TO_F32(q6_k, 256, 210)
BLOCKS_TO_F32(q4_1, 32, 20)
BLOCKS_TO_F32(q5_0, 32, 22)
BLOCKS_TO_F32(q5_1, 32, 24)
BLOCKS_TO_F32(q5_k, 256, 176)
BLOCKS_TO_F32(q2_k, 256, 84)
BLOCKS_TO_F32(q3_k, 256, 110)
BLOCKS_TO_F32(iq4_nl, 32, 18)
BLOCKS_TO_F32(iq4_xs, 256, 136)

WeightBlocks *const weight_blocks[DTYPE_COUNT] = {
    [DTYPE_Q8_0] = q8_0_all, [DTYPE_Q4_0] = q4_0_all,     [DTYPE_Q4_K] = q4_k_all,
    [DTYPE_Q6_K] = q6_k_all, [DTYPE_Q4_1] = q4_1_all,     [DTYPE_Q5_0] = q5_0_all,
    [DTYPE_Q5_1] = q5_1_all, [DTYPE_Q5_K] = q5_k_all,     [DTYPE_Q2_K] = q2_k_all,
    [DTYPE_Q3_K] = q3_k_all, [DTYPE_IQ4_NL] = iq4_nl_all, [DTYPE_IQ4_XS] = iq4_xs_all,
};
