#include "model/measure/measure.h"

double measure_special(const MeasureRow *row) {
    double mass = 0;
    for (int64_t k = 0; row->special && k < row->n_keys; k++)
        if (row->special[k] && row->weights[k] > 0) mass += (double)row->weights[k];
    return mass;
}
