#include <math.h>

#include "model/measure/measure.h"

double measure_distance(const MeasureRow *row) {
    double distance = 0;
    for (int64_t k = 0; k < row->n_keys; k++)
        if (row->weights[k] > 0)
            distance += (double)row->weights[k] * fabs((double)k - row->centre);
    return distance;
}
