#include "render/image.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void image_fit(const FigureImage *image, double w, double h, int *rows, int *columns) {
    double limit_w = fmax(1, ceil(w)), limit_h = fmax(1, ceil(h));
    *rows = image->rows <= limit_h ? image->rows : (int)limit_h;
    *columns = image->columns <= limit_w ? image->columns : (int)limit_w;
}

static uint8_t extreme(uint8_t a, uint8_t b) {
    return abs(a - 128) >= abs(b - 128) ? a : b;
}

/* Cells begin..end of the longer side go into cell `at` of the shorter one. */
static void span(int at, int n, int n_out, int *begin, int *end) {
    *begin = (int)((int64_t)at * n / n_out);
    *end = (int)(((int64_t)(at + 1) * n + n_out - 1) / n_out);
}

/* In blocks, which a compiler makes wide. */
static void max_into(uint8_t *restrict line, const uint8_t *restrict cells, int n) {
    enum { BLOCK = 32 };
    int c = 0;
    for (; c + BLOCK <= n; c += BLOCK)
        for (int i = 0; i < BLOCK; i++)
            line[c + i] = line[c + i] > cells[c + i] ? line[c + i] : cells[c + i];
    for (; c < n; c++)
        line[c] = line[c] > cells[c] ? line[c] : cells[c];
}

/* One output row of maxima: first down the columns (wide loops), then along the row. edges: where
 * each column's cells begin and end. */
static void row_max(const FigureImage *image, int begin, int end, int columns, const int *edges,
                    uint8_t *line, uint8_t *out) {
    int n = image->columns;
    memcpy(line, image->cells + (size_t)begin * (size_t)n, (size_t)n);
    for (int r = begin + 1; r < end; r++) {
        const uint8_t *cells = image->cells + (size_t)r * (size_t)n;
        if (image->reduce == FIGURE_REDUCE_EXTREME) {
            for (int c = 0; c < n; c++)
                line[c] = line[c] == 0 && image->has_masked    ? cells[c]
                          : cells[c] == 0 && image->has_masked ? line[c]
                                                               : extreme(line[c], cells[c]);
        } else {
            max_into(line, cells, n);
        }
    }
    for (int c = 0; c < columns; c++) {
        int from = edges[2 * c], to = edges[2 * c + 1];
        uint8_t best = line[from];
        for (int k = from + 1; k < to; k++) {
            if (image->reduce != FIGURE_REDUCE_EXTREME)
                best = best > line[k] ? best : line[k];
            else if (!image->has_masked || line[k])
                best = best == 0 && image->has_masked ? line[k] : extreme(best, line[k]);
        }
        out[c] = best;
    }
}

static void row_mean(const FigureImage *image, int begin, int end, int columns, const int *edges,
                     uint8_t *out) {
    for (int c = 0; c < columns; c++) {
        int from = edges[2 * c], to = edges[2 * c + 1];
        int64_t sum = 0, n = 0;
        for (int r = begin; r < end; r++) {
            const uint8_t *cells = image->cells + (size_t)r * (size_t)image->columns;
            for (int k = from; k < to; k++) {
                if (image->has_masked && cells[k] == 0) continue;
                sum += cells[k];
                n++;
            }
        }
        out[c] = (uint8_t)(n ? (sum + n / 2) / n : 0);
    }
}

uint8_t *image_reduce(const FigureImage *image, int rows, int columns) {
    uint8_t *out = malloc((size_t)rows * (size_t)columns);
    uint8_t *line = malloc((size_t)image->columns);
    int *edges = malloc(2 * (size_t)columns * sizeof *edges);
    if (!out || !line || !edges) {
        free(out);
        free(line);
        free(edges);
        return NULL;
    }
    for (int c = 0; c < columns; c++)
        span(c, image->columns, columns, &edges[2 * c], &edges[2 * c + 1]);
    for (int r = 0; r < rows; r++) {
        int begin, end;
        span(r, image->rows, rows, &begin, &end);
        uint8_t *to = out + (size_t)r * (size_t)columns;
        if (image->reduce == FIGURE_REDUCE_MEAN)
            row_mean(image, begin, end, columns, edges, to);
        else
            row_max(image, begin, end, columns, edges, line, to);
    }
    free(line);
    free(edges);
    return out;
}

static int times_of(int n, double length, double pixel) {
    enum { MOST = 16 };
    double times = n > 1 ? ceil(length / n / pixel - 1e-6) : 1; /* one row: nothing to blur with */
    return times < 1 ? 1 : times > MOST ? MOST : (int)times;
}

uint8_t *image_enlarge(const uint8_t *cells, double w, double h, double pixel, int *rows,
                       int *columns) {
    int down = times_of(*rows, h, pixel), across = times_of(*columns, w, pixel);
    size_t n = (size_t)*columns * (size_t)across;
    uint8_t *out = down * across > 1 ? malloc((size_t)*rows * (size_t)down * n) : NULL;
    if (!out) return NULL;
    uint8_t *to = out;
    for (int r = 0; r < *rows; r++) {
        for (int c = 0; c < *columns; c++)
            memset(to + c * across, cells[(size_t)r * (size_t)*columns + (size_t)c],
                   (size_t)across);
        for (int i = 1; i < down; i++)
            memcpy(to + (size_t)i * n, to, n);
        to += (size_t)down * n;
    }
    *rows *= down;
    *columns *= across;
    return out;
}
