/* Vectors for the kernels' own files: sixteen floats by the compilers' vector extension, lowered to
 * what the machine has; a function marked CLONES is built for several instruction sets and chosen
 * at run time.
 *
 *     CLONES void kernel_twice(float *x) {      // [16]
 *         Lanes v;
 *         LOAD(v, x);
 *         v *= 2;
 *         STORE(x, v);
 *     }
 */
#ifndef MODEL_KERNELS_LANES_H
#define MODEL_KERNELS_LANES_H

#include <stdint.h>
#include <string.h>

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) &&                             \
    !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define CLONES
#endif
#define INLINE static inline __attribute__((always_inline))

enum { LANES = 16 };
typedef float Lanes __attribute__((vector_size(4 * LANES)));
typedef int32_t IntLanes __attribute__((vector_size(4 * LANES)));
typedef uint32_t WordLanes __attribute__((vector_size(4 * LANES)));

/* Lanes travel by pointer: a 64-byte vector by value has no one calling convention on x86. */
#define LOAD(v, p) memcpy(&(v), (p), sizeof(v))
#define STORE(p, v) memcpy((p), &(v), sizeof(v))
#define SPLAT(x) ((Lanes){0} + (x))
#define SELECT(mask, a, b) ((Lanes)(((IntLanes)(a) & (mask)) | ((IntLanes)(b) & ~(mask))))

INLINE float sum_lanes(const Lanes *v) {
    float s[LANES];
    memcpy(s, v, sizeof s);
    for (int half = LANES / 2; half; half /= 2)
        for (int i = 0; i < half; i++)
            s[i] += s[i + half];
    return s[0];
}

/* The tail of an array as one vector, padded with `fill`. */
INLINE void load_tail(Lanes *v, const float *x, int64_t n, float fill) {
    float t[LANES];
    for (int i = 0; i < LANES; i++)
        t[i] = i < n ? x[i] : fill;
    memcpy(v, t, sizeof t);
}

INLINE void store_tail(float *y, const Lanes *v, int64_t n) {
    float t[LANES];
    memcpy(t, v, sizeof t);
    for (int i = 0; i < n; i++)
        y[i] = t[i];
}

INLINE float dot(const float *a, const float *b, int64_t n) {
    Lanes s = {0}, x, y;
    int64_t i = 0;
    for (; i + LANES <= n; i += LANES) {
        LOAD(x, a + i);
        LOAD(y, b + i);
        s += x * y;
    }
    float total = sum_lanes(&s);
    for (; i < n; i++)
        total += a[i] * b[i];
    return total;
}

#endif
