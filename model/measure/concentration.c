#include "model/measure/measure.h"

double measure_concentration(const MeasureRow *row) {
    float largest = 0;
    for (int64_t k = 0; k < row->n_keys; k++)
        if (row->weights[k] > largest) largest = row->weights[k];
    return (double)largest;
}
