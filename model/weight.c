/* Number types of weights, to f32 and back.
 *
 *   F16   s eeeee mmmmmmmmmm            value = mantissa bits moved up 13 places, times 2^112
 *   BF16  the upper half of an f32
 *
 * Those that are packed in blocks are weight_blocks.c. Files are little-endian, and so is every
 * machine this is built for. */
#include "model/weight_inside.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#if defined __x86_64__
#include <cpuid.h>
#include <immintrin.h>
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
        weight_blocks[dtype](in, n, out);
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
