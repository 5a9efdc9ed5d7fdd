/* Number types: against the formats' definitions worked out the long way, and ggml's blocks against
 * numbers of its own reference (gguf-py/gguf/quants.py) over the same bytes. */
#include "model/weight.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

/* sign * mantissa * 2^exponent, as IEEE 754 says it. */
static double half_by_definition(uint16_t h) {
    int exponent = h >> 10 & 31, mantissa = h & 0x3ff;
    double x = exponent ? ldexp(1024 + mantissa, exponent - 25) : ldexp(mantissa, -24);
    if (exponent == 31) x = mantissa ? (double)NAN : (double)INFINITY;
    return h & 0x8000 ? -x : x;
}

static void every_half_is_read(void **state) {
    (void)state;
    static uint16_t in[65536];
    static float out[65536];
    for (int i = 0; i < 65536; i++)
        in[i] = (uint16_t)i;
    dtype_to_f32(DTYPE_F16, in, 0, 65536, out);
    for (int i = 0; i < 65536; i++) {
        double want = half_by_definition((uint16_t)i);
        if (isnan(want)) {
            assert_true(isnan(out[i]) && isnan(f16_to_f32((uint16_t)i)));
            continue;
        }
        assert_true((double)out[i] == want && !signbit(out[i]) == !signbit(want));
        assert_true(f16_to_f32((uint16_t)i) == out[i]);
        assert_int_equal(f32_to_f16(out[i]), i);
    }
}

/* Neighbours differ by at most half a step, ties go to the even one. */
static void halves_are_rounded_to_nearest_even(void **state) {
    (void)state;
    for (int i = 0; i < 0x7bff; i++) {
        float low = f16_to_f32((uint16_t)i), high = f16_to_f32((uint16_t)(i + 1));
        float middle = (low + high) / 2; /* exact in f32 */
        assert_int_equal(f32_to_f16(middle), i & 1 ? i + 1 : i);
        assert_int_equal(f32_to_f16(nextafterf(middle, low)), i);
        assert_int_equal(f32_to_f16(nextafterf(middle, high)), i + 1);
        assert_int_equal(f32_to_f16(-middle), 0x8000 | (i & 1 ? i + 1 : i));
    }
    assert_int_equal(f32_to_f16(65519.996f), 0x7bff);
    assert_int_equal(f32_to_f16(65520.0f), 0x7c00);
    assert_int_equal(f32_to_f16(-1e30f), 0xfc00);
    assert_int_equal(f32_to_f16(INFINITY), 0x7c00);
    assert_true(isnan(f16_to_f32(f32_to_f16(NAN))));
}

static void bfloat_is_the_upper_half(void **state) {
    (void)state;
    for (int i = 0; i < 65536; i++) {
        uint16_t h = (uint16_t)i;
        float x;
        dtype_to_f32(DTYPE_BF16, &h, 0, 1, &x);
        uint32_t bits;
        memcpy(&bits, &x, 4);
        assert_int_equal(bits, (uint32_t)i << 16);
        if (!isnan(x)) assert_int_equal(f32_to_bf16(x), i);
    }
    assert_int_equal(f32_to_bf16(1.00390625f), 0x3f80); /* a tie: to even */
    assert_int_equal(f32_to_bf16(1.01171875f), 0x3f82);
    assert_int_equal(f32_to_bf16(3.4e38f), 0x7f80);
    assert_true((f32_to_bf16(NAN) & 0x7f) != 0);
}

/* Micikevicius et al. 2022, "FP8 formats for deep learning", table 1. */
static double eighth_by_definition(int bits, int mantissa, int bias) {
    int exponent = (bits & 0x7f) >> mantissa, most = 0x7f >> mantissa;
    double fraction = (bits & ((1 << mantissa) - 1)) / (double)(1 << mantissa);
    double sign = bits & 0x80 ? -1 : 1;
    if (mantissa == 3 && (bits & 0x7f) == 0x7f) return NAN;
    if (mantissa == 2 && exponent == most) return fraction > 0 ? NAN : sign * INFINITY;
    return sign * (exponent ? ldexp(1 + fraction, exponent - bias) : ldexp(fraction, 1 - bias));
}

static void every_eighth_is_read(void **state) {
    (void)state;
    static const struct {
        Dtype dtype;
        int mantissa, bias;
    } kinds[] = {{DTYPE_F8_E4M3, 3, 7}, {DTYPE_F8_E5M2, 2, 15}};
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++)
        for (int i = 0; i < 256; i++) {
            uint8_t byte = (uint8_t)i;
            float x;
            dtype_to_f32(kinds[k].dtype, &byte, 0, 1, &x);
            double want = eighth_by_definition(i, kinds[k].mantissa, kinds[k].bias);
            assert_true((double)x == want || (isnan(x) && isnan(want)));
        }
}

static void integers_and_doubles_go_both_ways(void **state) {
    (void)state;
    static const float in[8] = {0, 1, -1, 2.5f, 3.5f, -300, 1e30f, NAN};
    static const struct {
        Dtype dtype;
        float want[8];
    } cases[] = {
        {DTYPE_F64, {0, 1, -1, 2.5f, 3.5f, -300, 1e30f, NAN}},
        {DTYPE_I64, {0, 1, -1, 2, 4, -300, 0x1p63f, 0}},
        {DTYPE_I32, {0, 1, -1, 2, 4, -300, 0x1p31f, 0}},
        {DTYPE_I16, {0, 1, -1, 2, 4, -300, 32767, 0}},
        {DTYPE_I8, {0, 1, -1, 2, 4, -128, 127, 0}},
        {DTYPE_U64, {0, 1, 0, 2, 4, 0, 0x1p64f, 0}},
        {DTYPE_U32, {0, 1, 0, 2, 4, 0, 0x1p32f, 0}},
        {DTYPE_U16, {0, 1, 0, 2, 4, 0, 65535, 0}},
        {DTYPE_U8, {0, 1, 0, 2, 4, 0, 255, 0}},
        {DTYPE_BOOL, {0, 1, 1, 1, 1, 1, 1, 1}},
    };
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        unsigned char bytes[65];
        float out[8];
        /* At an odd address. */
        dtype_from_f32(cases[c].dtype, in, 8, bytes + 1);
        dtype_to_f32(cases[c].dtype, bytes + 1, 0, 8, out);
        for (int i = 0; i < 8; i++)
            assert_true(out[i] == cases[c].want[i] || (isnan(out[i]) && isnan(cases[c].want[i])));
        dtype_to_f32(cases[c].dtype, bytes + 1, 3, 2, out);
        assert_true(out[0] == cases[c].want[3] && out[1] == cases[c].want[4]);
    }
}

static void fill(uint8_t *bytes, size_t n) {
    uint32_t x = 7;
    for (size_t i = 0; i < n; i++) {
        x = x * 1664525u + 1013904223u;
        bytes[i] = (uint8_t)(x >> 24);
    }
}

static void put_half(uint8_t *to, float x) {
    uint16_t h = f32_to_f16(x);
    memcpy(to, &h, 2);
}

static const struct {
    Dtype dtype;
    struct {
        int at; /* byte of the block */
        float x;
    } scales[2];         /* of the first block; twice as much in the second. x 0: none */
    double weighted_sum; /* of item i times i % 97 + 1 */
    float items[6];      /* 0, 1, 17, 31, n/2 + 5, n - 1 */
} block_cases[] = {
    {DTYPE_Q8_0,
     {{0, .05f}},
     1781.96484,
     {-4.9987793f, -0.949768066f, -1.89953613f, -4.84881592f, 7.99804688f, 10.3974609f}},
    {DTYPE_Q4_0,
     {{0, -.3f}},
     279.645508,
     {-1.20019531f, -1.50024414f, -1.80029297f, 0.600097656f, -1.80029297f, 4.20068359f}},
    {DTYPE_Q4_K,
     {{0, .02f}, {2, .01f}},
     160165.788,
     {1.51032257f, 2.47052765f, 3.43073273f, -0.170036316f, 1.18025208f, 0.340072632f}},
    {DTYPE_Q6_K,
     {{208, .003f}},
     16572.6559,
     {-1.47912788f, 0.357030869f, -0.945081711f, -0.945081711f, 0.660057068f, -3.69031906f}},
    {DTYPE_Q4_1,
     {{0, .1f}, {2, -.7f}},
     338.486938,
     {0.499511719f, 0.399536133f, 0.599487305f, 0.599487305f, -0.600585938f, 0.399169922f}},
    {DTYPE_Q5_0,
     {{0, -.06f}},
     -379.544556,
     {0.239990234f, 0.179992676f, 0.959960938f, -0.41998291f, 0.119995117f, -1.31994629f}},
    {DTYPE_Q5_1,
     {{0, .04f}, {2, -.5f}},
     504.135529,
     {-0.459991455f, -0.0599060059f, 0.100128174f, -0.0599060059f, 0.040222168f, -0.199829102f}},
    {DTYPE_Q5_K,
     {{0, .02f}, {2, .01f}},
     224419.371,
     {3.91083527f, 7.27155304f, 4.15088654f, 1.51032257f, 3.80081177f, 16.2834778f}},
    {DTYPE_Q2_K,
     {{80, .02f}, {82, .01f}},
     5200.62074,
     {0.750160217f, 0.750160217f, 0.400085449f, -0.140029907f, -0.0800170898f, 0.140029907f}},
    {DTYPE_Q3_K,
     {{108, .003f}},
     -199.475246,
     {-0.0960083008f, -0.288024902f, 0.0360031128f, 0.0360031128f, 0.f, 0.114009857f}},
    {DTYPE_IQ4_NL,
     {{0, -.02f}},
     147.911591,
     {-1.06022644f, -1.3802948f, -1.78038025f, 0.440093994f, -1.52032471f, 4.16088867f}},
    {DTYPE_IQ4_XS,
     {{0, .002f}},
     1803.62702,
     {4.16168213f, -1.52061462f, -4.5218277f, -1.52061462f, 2.13686371f, -1.2405014f}},
};

/* Two blocks of `fill`'s bytes, but for their scales. */
static void make_blocks(size_t c, uint8_t *bytes) {
    int size = dtype_info[block_cases[c].dtype].block_bytes;
    fill(bytes, 2 * (size_t)size);
    for (int block = 0; block < 2; block++)
        for (int i = 0; i < 2; i++)
            if (block_cases[c].scales[i].x != 0)
                put_half(bytes + block * size + block_cases[c].scales[i].at,
                         block_cases[c].scales[i].x * (float)(block + 1));
}

static void blocks_are_ggmls(void **state) {
    (void)state;
    for (size_t c = 0; c < sizeof block_cases / sizeof *block_cases; c++) {
        Dtype dtype = block_cases[c].dtype;
        int n = 2 * dtype_info[dtype].block_items;
        uint8_t bytes[420];
        float out[512];
        make_blocks(c, bytes);
        dtype_to_f32(dtype, bytes, 0, n, out);
        double sum = 0;
        for (int i = 0; i < n; i++)
            sum += (double)out[i] * (i % 97 + 1);
        assert_true(fabs(sum / block_cases[c].weighted_sum - 1) < 1e-6);
        const int at[] = {0, 1, 17, 31, n / 2 + 5, n - 1};
        for (int i = 0; i < 6; i++)
            assert_float_equal(out[at[i]], block_cases[c].items[i], 1e-6);
        float second[256];
        dtype_to_f32(dtype, bytes, n / 2, n / 2, second);
        assert_memory_equal(second, out + n / 2, (size_t)n / 2 * sizeof *out);
    }
}

static void sizes_are_whole_blocks(void **state) {
    (void)state;
    size_t n;
    assert_true(dtype_bytes(DTYPE_F32, 7, &n) && n == 28);
    assert_true(dtype_bytes(DTYPE_Q4_K, 512, &n) && n == 288);
    assert_true(dtype_bytes(DTYPE_Q8_0, 0, &n) && n == 0);
    assert_false(dtype_bytes(DTYPE_Q4_K, 255, &n));
    assert_false(dtype_bytes(DTYPE_F32, -1, &n));
    assert_false(dtype_bytes(DTYPE_F64, INT64_MAX, &n));
    Dtype dtype;
    for (Dtype d = 0; d < DTYPE_COUNT; d++)
        assert_true(dtype_parse(dtype_info[d].name, &dtype) && dtype == d);
    assert_false(dtype_parse("F8_E3M4", &dtype));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_half_is_read),
        cmocka_unit_test(halves_are_rounded_to_nearest_even),
        cmocka_unit_test(bfloat_is_the_upper_half),
        cmocka_unit_test(every_eighth_is_read),
        cmocka_unit_test(integers_and_doubles_go_both_ways),
        cmocka_unit_test(blocks_are_ggmls),
        cmocka_unit_test(sizes_are_whole_blocks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
