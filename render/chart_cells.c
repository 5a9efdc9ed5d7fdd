/* Weights as bytes: what an image of a matrix is made of. */
#include <math.h>

#include "render/chart.h"

void chart_palette(Colormap map, const Theme *theme, bool has_masked, Color out[256]) {
    Color colors[256];
    colormap_fill(map, theme, colors);
    for (int i = 0; i < 256; i++)
        out[i] = has_masked ? colors[i ? (i - 1) * 255 / 254 : 0] : colors[i];
}

static bool any_masked(const ChartMatrix *matrix, const ChartLabels *queries,
                       const ChartLabels *keys) {
    if (matrix->mask.data) return true;
    int64_t stride = matrix->weights.stride[1];
    for (int r = 0; r < queries->n; r++) {
        const float *row = tensor_at(matrix->weights, queries->index[r], 0, 0, 0);
        if (keys->n > 0 &&
            (isnan(row[keys->index[keys->n - 1] * stride]) || isnan(row[keys->index[0] * stride])))
            return true; /* most masks show at an end of a row */
    }
    for (int r = 0; r < queries->n; r++) {
        const float *row = tensor_at(matrix->weights, queries->index[r], 0, 0, 0);
        int n_absent = 0;
        for (int c = 0; c < keys->n; c++)
            n_absent += isnan(row[keys->index[c] * stride]);
        if (n_absent) return true;
    }
    return false;
}

static void fill_row(const ChartMatrix *matrix, int query, const ChartLabels *keys, float low,
                     float factor, bool masked, uint8_t *out, int step) {
    const float *row = tensor_at(matrix->weights, query, 0, 0, 0);
    int64_t stride = matrix->weights.stride[1];
    float first = masked ? 1.5f : 0.5f, span = masked ? 254 : 255;
    for (int c = 0; c < keys->n; c++) {
        int key = keys->index[c];
        float x = row[key * stride];
        bool absent =
            isnan(x) || (matrix->mask.data && *tensor_at(matrix->mask, query, key, 0, 0) == 0);
        float place = (x - low) * factor;
        place = place < 0 ? 0 : place > 1 ? 1 : place;
        out[(int64_t)c * step] = absent ? 0 : (uint8_t)(int)(first + place * span);
    }
}

/* The common case (plain rows, nothing hidden), in blocks that a compiler makes wide. absent is
 * what a cell that is not a number becomes; first and span: where the scale starts and how far it
 * goes. */
enum { BLOCK = 16 };

static inline void fill_block(const float *restrict row, int n, float low, float factor,
                              float first, float span, uint8_t *restrict out) {
    for (int c = 0; c < n; c++) {
        float place = (row[c] - low) * factor;
        place = place > 1 ? 1 : place;
        place = place > 0 ? place : 0; /* takes what is not a number to the bottom too */
        int level = (int)(first + place * span);
        out[c] = (uint8_t)(row[c] == row[c] ? level : 0);
    }
}

static void fill_plain(const float *restrict row, int n, float low, float factor, bool masked,
                       uint8_t *restrict out) {
    float first = masked ? 1.5f : 0.5f, span = masked ? 254 : 255;
    int c = 0;
    for (; c + BLOCK <= n; c += BLOCK)
        fill_block(row + c, BLOCK, low, factor, first, span, out + c);
    fill_block(row + c, n - c, low, factor, first, span, out + c);
}

uint8_t *chart_cells(Arena *arena, const ChartMatrix *matrix, const ChartLabels *queries,
                     const ChartLabels *keys, const ChartRange *range, bool transpose,
                     bool *has_masked) {
    size_t n = (size_t)queries->n * (size_t)keys->n;
    uint8_t *cells = arena_alloc(arena, n ? n : 1);
    bool masked = any_masked(matrix, queries, keys);
    bool plain = !matrix->mask.data && !transpose && matrix->weights.stride[1] == 1 &&
                 keys->n == matrix->weights.shape[1];
    double all = range->kind == CHART_SCALE_EACH ? chart_max(matrix) : 0;
    for (int r = 0; r < queries->n; r++) {
        int query = queries->index[r];
        double low = range->low, factor = 1 / (range->high - range->low);
        if (range->kind == CHART_SCALE_ROW || range->kind == CHART_SCALE_EACH) {
            double max = range->kind == CHART_SCALE_EACH ? all : chart_row_max(matrix, query);
            low = 0;
            factor = max > 0 ? 1 / max : 1;
        }
        if (plain)
            fill_plain(tensor_at(matrix->weights, query, 0, 0, 0), keys->n, (float)low,
                       (float)factor, masked, cells + (size_t)r * (size_t)keys->n);
        else
            fill_row(matrix, query, keys, (float)low, (float)factor, masked,
                     transpose ? cells + r : cells + (size_t)r * (size_t)keys->n,
                     transpose ? queries->n : 1);
    }
    *has_masked = masked;
    return cells;
}
