#include <math.h>

#include "model/measure/measure.h"

double measure_diagonal(const MeasureRow *row) {
    double mass = 0;
    for (int64_t k = 0; k < row->n_keys; k++)
        if (row->weights[k] > 0 && fabs((double)k - row->centre) <= 1.0)
            mass += (double)row->weights[k];
    return mass;
}
