/* Pseudo-random numbers without state: the same (seed, counter) always gives the same word, so a
 * run that is resumed draws what it would have drawn. splitmix64 (Steele, Lea, Flood 2014). */
#ifndef MODEL_BASE_RANDOM_H
#define MODEL_BASE_RANDOM_H

#include <math.h>
#include <stdint.h>

static inline uint64_t random_word(uint64_t seed, uint64_t counter) {
    uint64_t z = seed * 0xd1342543de82ef95u + (counter + 1) * 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}
/* In [0, 1). */
static inline double random_unit(uint64_t seed, uint64_t counter) {
    return (double)(random_word(seed, counter) >> 11) * 0x1p-53;
}
/* In 0..n-1. */
static inline int64_t random_below(uint64_t seed, uint64_t counter, int64_t n) {
    return (int64_t)(random_unit(seed, counter) * (double)n);
}
/* Mean 0, variance 1 (Box and Muller 1958); uses counters 2c and 2c + 1. */
static inline double random_normal(uint64_t seed, uint64_t counter) {
    double u = 1 - random_unit(seed, 2 * counter), v = random_unit(seed, 2 * counter + 1);
    return sqrt(-2 * log(u)) * cos(6.283185307179586 * v);
}

#endif
