#include "render/canvas_cache.h"

#include <stdlib.h>

#include "render/image.h"

enum { N_SLOTS = 4096, PROBES = 16 };
static const size_t MAX_BYTES = (size_t)96 << 20;

typedef struct Slot {
    uint64_t hash;
    FigureReduce reduce;
    CanvasCells cells;
    uint8_t *own; /* cells.data; NULL: an empty slot */
    unsigned turn;
} Slot;

struct CanvasCache {
    Slot slots[N_SLOTS];
    CanvasCells whole;
    size_t n_bytes;
    unsigned turn;
};

CanvasCache *canvas_cache_new(void) {
    CanvasCache *cache = calloc(1, sizeof *cache);
    if (!cache) abort();
    return cache;
}

static void slot_clear(CanvasCache *cache, Slot *slot) {
    if (!slot->own) return;
    cache->n_bytes -= (size_t)slot->cells.rows * (size_t)slot->cells.columns;
    free(slot->own);
    *slot = (Slot){0};
}

void canvas_cache_free(CanvasCache *cache) {
    if (!cache) return;
    for (int i = 0; i < N_SLOTS; i++)
        slot_clear(cache, &cache->slots[i]);
    free(cache);
}

const CanvasCells *canvas_cache_cells(CanvasCache *cache, const FigureImage *image, int rows,
                                      int columns) {
    if (rows == image->rows && columns == image->columns) {
        cache->whole = (CanvasCells){rows, columns, image->cells};
        return &cache->whole;
    }
    uint64_t h = image->hash ^ (uint64_t)rows * 0x9e3779b97f4a7c15u ^
                 (uint64_t)columns * 0xc2b2ae3d27d4eb4fu ^ (uint64_t)image->rows << 7;
    h ^= h >> 29;
    Slot *oldest = NULL;
    for (int i = 0; i < PROBES; i++) {
        Slot *slot = &cache->slots[(h + (uint64_t)i) % N_SLOTS];
        if (slot->own && slot->hash == h && slot->reduce == image->reduce &&
            slot->cells.rows == rows && slot->cells.columns == columns) {
            slot->turn = cache->turn;
            return &slot->cells;
        }
        if (!oldest || !slot->own || (oldest->own && slot->turn < oldest->turn)) oldest = slot;
    }
    uint8_t *data = image_reduce(image, rows, columns);
    if (!data) return NULL;
    slot_clear(cache, oldest);
    *oldest = (Slot){h, image->reduce, {rows, columns, data}, data, cache->turn};
    cache->n_bytes += (size_t)rows * (size_t)columns;
    return &oldest->cells;
}

void canvas_cache_turn(CanvasCache *cache) {
    cache->turn++;
    if (cache->n_bytes <= MAX_BYTES) return;
    for (unsigned age = 60; cache->n_bytes > MAX_BYTES / 2; age /= 2) {
        for (int i = 0; i < N_SLOTS; i++)
            if (cache->slots[i].own && cache->turn - cache->slots[i].turn > age)
                slot_clear(cache, &cache->slots[i]);
        if (age == 0) break;
    }
}

size_t canvas_cache_bytes(const CanvasCache *cache) {
    return cache->n_bytes;
}
