#include <math.h>

#include "model/measure/measure.h"

double measure_entropy(const MeasureRow *row) {
    double bits = 0;
    for (int64_t k = 0; k < row->n_keys; k++)
        if (row->weights[k] > 0) bits -= (double)row->weights[k] * log2((double)row->weights[k]);
    return bits > 0 ? bits : 0;
}

double measure_entropy_off_special(const MeasureRow *row, double *mass) {
    /* With s the mass off the special keys: -sum (p/s) log2 (p/s) = log2 s - (sum p log2 p) / s. */
    double sum = 0, weighted = 0;
    for (int64_t k = 0; k < row->n_keys; k++) {
        double p = row->weights[k];
        if (!(p > 0) || (row->special && row->special[k])) continue;
        sum += p;
        weighted += p * log2(p);
    }
    if (mass) *mass = sum;
    if (sum <= 0) return 0;
    double bits = log2(sum) - weighted / sum;
    return bits > 0 ? bits : 0;
}
