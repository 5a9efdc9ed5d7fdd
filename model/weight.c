/* Number types of weights, to f32 and back.
 *
 *   F16   s eeeee mmmmmmmmmm            value = mantissa bits moved up 13 places, times 2^112
 *   BF16  the upper half of an f32
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
 * The block layouts are ggml's (ggml/src/ggml-common.h, ggml-quants.c); files are little-endian,
 * and so is every machine this is built for. */
#include "model/weight.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#if defined __x86_64__
#include <cpuid.h>
#include <immintrin.h>
#endif

/* Loops of whole arrays are built for several instruction sets, chosen when the program starts. */
#if defined __x86_64__ && defined __linux__ && defined __GNUC__ && !defined __clang__ &&           \
    !defined __SANITIZE_ADDRESS__ && !defined __SANITIZE_THREAD__
#define CLONES __attribute__((target_clones("arch=x86-64-v3", "default"), optimize("O3")))
#else
#define CLONES
#endif

const DtypeInfo dtype_info[DTYPE_COUNT] = {
    [DTYPE_F32] = {"F32", 1, 4},           [DTYPE_F16] = {"F16", 1, 2},
    [DTYPE_BF16] = {"BF16", 1, 2},         [DTYPE_F64] = {"F64", 1, 8},
    [DTYPE_I64] = {"I64", 1, 8},           [DTYPE_I32] = {"I32", 1, 4},
    [DTYPE_I16] = {"I16", 1, 2},           [DTYPE_I8] = {"I8", 1, 1},
    [DTYPE_U64] = {"U64", 1, 8},           [DTYPE_U32] = {"U32", 1, 4},
    [DTYPE_U16] = {"U16", 1, 2},           [DTYPE_U8] = {"U8", 1, 1},
    [DTYPE_F8_E4M3] = {"F8_E4M3", 1, 1},   [DTYPE_F8_E5M2] = {"F8_E5M2", 1, 1},
    [DTYPE_BOOL] = {"BOOL", 1, 1},         [DTYPE_Q8_0] = {"Q8_0", 32, 34},
    [DTYPE_Q4_0] = {"Q4_0", 32, 18},       [DTYPE_Q4_K] = {"Q4_K", 256, 144},
    [DTYPE_Q6_K] = {"Q6_K", 256, 210},     [DTYPE_Q4_1] = {"Q4_1", 32, 20},
    [DTYPE_Q5_0] = {"Q5_0", 32, 22},       [DTYPE_Q5_1] = {"Q5_1", 32, 24},
    [DTYPE_Q5_K] = {"Q5_K", 256, 176},     [DTYPE_Q2_K] = {"Q2_K", 256, 84},
    [DTYPE_Q3_K] = {"Q3_K", 256, 110},     [DTYPE_IQ4_NL] = {"IQ4_NL", 32, 18},
    [DTYPE_IQ4_XS] = {"IQ4_XS", 256, 136},
};
static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "weights are read as they lie");

bool dtype_parse(const char *name, Dtype *out) {
    for (Dtype d = 0; d < DTYPE_COUNT; d++) {
        if (strcmp(dtype_info[d].name, name) != 0) continue;
        *out = d;
        return true;
    }
    return false;
}

bool dtype_bytes(Dtype dtype, int64_t n_items, size_t *out) {
    const DtypeInfo *info = &dtype_info[dtype];
    if (n_items < 0 || n_items % info->block_items != 0) return false;
    return !__builtin_mul_overflow(n_items / info->block_items, info->block_bytes, out);
}

static float f32_of_bits(uint32_t bits) {
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static uint32_t bits_of_f32(float x) {
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

/* Four bits of exponent lie in the lower ones of an f16's five, whose bias is 8 more. */
static float f8_e4m3_decode(uint8_t x) {
    if ((x & 0x7f) == 0x7f) return NAN;
    return f16_decode((uint16_t)((x & 0x80) << 8 | (x & 0x7f) << 7)) * 256;
}

float f16_to_f32(uint16_t x) {
    return f16_decode(x);
}

uint16_t f32_to_f16(float x) {
    uint32_t bits = bits_of_f32(x), magnitude = bits & 0x7fffffffu;
    uint16_t sign = (uint16_t)(bits >> 16 & 0x8000);
    if (magnitude > 0x7f800000u) return (uint16_t)(sign | 0x7e00 | (magnitude >> 13 & 0x3ff));
    if (magnitude >= 0x477ff000u) return (uint16_t)(sign | 0x7c00); /* 65520 and more */
    if (magnitude < 0x38800000u) { /* under 2^-14: the unit in the last place is 2^-24 */
        float shifted = f32_of_bits(magnitude) + 0.5f;
        return (uint16_t)(sign | (bits_of_f32(shifted) - 0x3f000000u));
    }
    uint32_t odd = magnitude >> 13 & 1;
    return (uint16_t)(sign | (magnitude - 0x38000000u + 0xfff + odd) >> 13);
}

uint16_t f32_to_bf16(float x) {
    uint32_t bits = bits_of_f32(x);
    if ((bits & 0x7fffffffu) > 0x7f800000u) return (uint16_t)(bits >> 16 | 0x40);
    return (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

#if defined __x86_64__
/* F16C and an operating system that keeps the wide registers. Asked of the processor each time: a
 * call converts a row or more. (__builtin_cpu_supports knows f16c only in newer compilers.) */
static bool has_f16c(void) {
    unsigned a, b, c, d;
    if (!__builtin_cpu_supports("avx2")) return false;
    return __get_cpuid(1, &a, &b, &c, &d) && (c & (1u << 29));
}

__attribute__((target("avx2,f16c"))) static int64_t f16_wide(const uint8_t *in, int64_t n,
                                                             float *out) {
    int64_t i = 0;
    for (; i + 8 <= n; i += 8)
        _mm256_storeu_ps(out + i, _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)(in + 2 * i))));
    return i;
}
#endif

static void f16_to_f32_all(const uint8_t *in, int64_t n, float *out) {
    int64_t i = 0;
#if defined __x86_64__
    if (n >= 64 && has_f16c()) i = f16_wide(in, n, out);
#endif
    for (; i < n; i++) {
        uint16_t h;
        memcpy(&h, in + 2 * i, 2);
        out[i] = f16_decode(h);
    }
}

CLONES static void bf16_to_f32_all(const uint8_t *in, int64_t n, float *out) {
    for (int64_t i = 0; i < n; i++) {
        uint16_t h;
        memcpy(&h, in + 2 * i, 2);
        out[i] = f32_of_bits((uint32_t)h << 16);
    }
}

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

#define PLAIN_TO_F32(type)                                                                         \
    for (int64_t i = 0; i < n; i++) {                                                              \
        type x;                                                                                    \
        memcpy(&x, in + (size_t)i * sizeof x, sizeof x);                                           \
        out[i] = (float)x;                                                                         \
    }                                                                                              \
    return
#define BYTES_TO_F32(value)                                                                        \
    for (int64_t i = 0; i < n; i++)                                                                \
        out[i] = (value);                                                                          \
    return

void dtype_to_f32(Dtype dtype, const void *data, int64_t begin, int64_t n, float *out) {
    const DtypeInfo *info = &dtype_info[dtype];
    assert(begin % info->block_items == 0 && n % info->block_items == 0);
    const uint8_t *in = (const uint8_t *)data + begin / info->block_items * info->block_bytes;
    if (n <= 0) return;
    switch (dtype) {
    case DTYPE_F32:
        memcpy(out, in, (size_t)n * sizeof *out);
        return;
    case DTYPE_F16:
        f16_to_f32_all(in, n, out);
        return;
    case DTYPE_BF16:
        bf16_to_f32_all(in, n, out);
        return;
    case DTYPE_F64:
        PLAIN_TO_F32(double);
    case DTYPE_I64:
        PLAIN_TO_F32(int64_t);
    case DTYPE_I32:
        PLAIN_TO_F32(int32_t);
    case DTYPE_I16:
        PLAIN_TO_F32(int16_t);
    case DTYPE_I8:
        PLAIN_TO_F32(int8_t);
    case DTYPE_U64:
        PLAIN_TO_F32(uint64_t);
    case DTYPE_U32:
        PLAIN_TO_F32(uint32_t);
    case DTYPE_U16:
        PLAIN_TO_F32(uint16_t);
    case DTYPE_U8:
        PLAIN_TO_F32(uint8_t);
    case DTYPE_F8_E4M3:
        BYTES_TO_F32(f8_e4m3_decode(in[i]));
    case DTYPE_F8_E5M2:
        BYTES_TO_F32(f16_decode((uint16_t)(in[i] << 8)));
    case DTYPE_BOOL:
        BYTES_TO_F32(in[i] ? 1.0f : 0.0f);
    case DTYPE_Q8_0:
        q8_0_all(in, n, out);
        return;
    case DTYPE_Q4_0:
        q4_0_all(in, n, out);
        return;
    case DTYPE_Q4_K:
        q4_k_all(in, n, out);
        return;
    case DTYPE_Q6_K:
        q6_k_all(in, n, out);
        return;
    case DTYPE_Q4_1:
        q4_1_all(in, n, out);
        return;
    case DTYPE_Q5_0:
        q5_0_all(in, n, out);
        return;
    case DTYPE_Q5_1:
        q5_1_all(in, n, out);
        return;
    case DTYPE_Q5_K:
        q5_k_all(in, n, out);
        return;
    case DTYPE_Q2_K:
        q2_k_all(in, n, out);
        return;
    case DTYPE_Q3_K:
        q3_k_all(in, n, out);
        return;
    case DTYPE_IQ4_NL:
        iq4_nl_all(in, n, out);
        return;
    case DTYPE_IQ4_XS:
        iq4_xs_all(in, n, out);
        return;
    case DTYPE_COUNT:
        break;
    }
    assert(false && "a dtype");
}

/* The last float under 2^63 for a maximum that f32 cannot hold. */
static double to_range(float x, double low, double high) {
    if (isnan(x)) return 0;
    double rounded = nearbyint((double)x);
    return rounded < low ? low : rounded > high ? high : rounded;
}

#define PLAIN_FROM_F32(type, value)                                                                \
    for (int64_t i = 0; i < n; i++) {                                                              \
        type x = (type)(value);                                                                    \
        memcpy(to + (size_t)i * sizeof x, &x, sizeof x);                                           \
    }                                                                                              \
    return

void dtype_from_f32(Dtype dtype, const float *in, int64_t n, void *out) {
    uint8_t *to = out;
    if (n <= 0) return;
    switch (dtype) {
    case DTYPE_F32:
        memcpy(to, in, (size_t)n * sizeof *in);
        return;
    case DTYPE_F16:
        PLAIN_FROM_F32(uint16_t, f32_to_f16(in[i]));
    case DTYPE_BF16:
        PLAIN_FROM_F32(uint16_t, f32_to_bf16(in[i]));
    case DTYPE_F64:
        PLAIN_FROM_F32(double, in[i]);
    case DTYPE_I64:
        PLAIN_FROM_F32(int64_t, to_range(in[i], -0x1p63, 0x1.fffffffffffffp62));
    case DTYPE_I32:
        PLAIN_FROM_F32(int32_t, to_range(in[i], INT32_MIN, INT32_MAX));
    case DTYPE_I16:
        PLAIN_FROM_F32(int16_t, to_range(in[i], INT16_MIN, INT16_MAX));
    case DTYPE_I8:
        PLAIN_FROM_F32(int8_t, to_range(in[i], INT8_MIN, INT8_MAX));
    case DTYPE_U64:
        PLAIN_FROM_F32(uint64_t, to_range(in[i], 0, 0x1.fffffffffffffp63));
    case DTYPE_U32:
        PLAIN_FROM_F32(uint32_t, to_range(in[i], 0, UINT32_MAX));
    case DTYPE_U16:
        PLAIN_FROM_F32(uint16_t, to_range(in[i], 0, UINT16_MAX));
    case DTYPE_U8:
        PLAIN_FROM_F32(uint8_t, to_range(in[i], 0, UINT8_MAX));
    case DTYPE_BOOL:
        PLAIN_FROM_F32(uint8_t, in[i] != 0);
    case DTYPE_F8_E4M3:
    case DTYPE_F8_E5M2:
    case DTYPE_Q8_0:
    case DTYPE_Q4_0:
    case DTYPE_Q4_K:
    case DTYPE_Q6_K:
    case DTYPE_Q4_1:
    case DTYPE_Q5_0:
    case DTYPE_Q5_1:
    case DTYPE_Q5_K:
    case DTYPE_Q2_K:
    case DTYPE_Q3_K:
    case DTYPE_IQ4_NL:
    case DTYPE_IQ4_XS:
    case DTYPE_COUNT:
        break;
    }
    assert(false && "a dtype that is written");
}
