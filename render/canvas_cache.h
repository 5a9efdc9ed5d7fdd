/* Reduced matrices, kept from frame to frame and found by content and size; those not asked for in
 * some time go when the bytes get too many.
 *
 *     const CanvasCells *cells = canvas_cache_cells(cache, image, 64, 64);
 *     canvas_cache_turn(cache);                               after each frame
 */
#ifndef RENDER_CANVAS_CACHE_H
#define RENDER_CANVAS_CACHE_H

#include "render/figure.h"

typedef struct CanvasCache CanvasCache;

typedef struct CanvasCells {
    int rows, columns;
    const uint8_t *data; // [row, column]
} CanvasCells;

CanvasCache *canvas_cache_new(void);
void canvas_cache_free(CanvasCache *cache);
/* Borrowed until the next turn; NULL when out of memory. */
const CanvasCells *canvas_cache_cells(CanvasCache *cache, const FigureImage *image, int rows,
                                      int columns);
void canvas_cache_turn(CanvasCache *cache);
size_t canvas_cache_bytes(const CanvasCache *cache);

#endif
