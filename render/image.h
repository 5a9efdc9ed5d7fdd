/* Reducing a matrix of bytes to fewer cells without losing the strong ones: every cell has its say
 * in the pixel (or two) that covers it.
 *
 *     uint8_t *small = image_reduce(&image, 64, 64);     malloc'd; NULL when out of memory
 */
#ifndef RENDER_IMAGE_H
#define RENDER_IMAGE_H

#include "render/figure.h"

/* rows <= image->rows, columns <= image->columns, by image->reduce. */
uint8_t *image_reduce(const FigureImage *image, int rows, int columns);
/* Each cell as a block of pixels no larger than `pixel`, for players that blur what they enlarge;
 * w x h is the box. Makes rows and columns the new size. malloc'd; NULL where the cells are small
 * enough, or without memory. */
uint8_t *image_enlarge(const uint8_t *cells, double w, double h, double pixel, int *rows,
                       int *columns);
/* The size to which a matrix in a box of w x h pixels is reduced: never more cells than it has. */
void image_fit(const FigureImage *image, double w, double h, int *rows, int *columns);

#endif
