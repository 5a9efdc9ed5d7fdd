#include "model/tokenizer/pieces.h"

void pieces_add(Pieces *pieces, Piece piece) {
    if (pieces->n == pieces->capacity) {
        int capacity = pieces->capacity ? pieces->capacity * 2 : 64;
        Piece *items = arena_alloc(pieces->arena, (size_t)capacity * sizeof *items);
        if (pieces->n) memcpy(items, pieces->items, (size_t)pieces->n * sizeof *items);
        pieces->items = items;
        pieces->capacity = capacity;
    }
    pieces->items[pieces->n++] = piece;
}

void pieces_add_unknown(Pieces *pieces, Str text, int32_t begin, int32_t end,
                        const Unknown *unknown, int n_before) {
    if (unknown->bytes) {
        bool all = true;
        for (int32_t i = begin; i < end; i++)
            all = all && unknown->bytes[(unsigned char)text.data[i]] >= 0;
        /* Each byte piece stands for the whole character: half of one cannot be shown. */
        for (int32_t i = begin; all && i < end; i++)
            pieces_add(pieces, (Piece){unknown->bytes[(unsigned char)text.data[i]], begin, end});
        if (all) return;
    }
    if (unknown->id < 0) return;
    if (unknown->fuse && pieces->n > n_before) {
        Piece *last = &pieces->items[pieces->n - 1];
        if (last->id == unknown->id && last->end == begin) {
            last->end = end;
            return;
        }
    }
    pieces_add(pieces, (Piece){unknown->id, begin, end});
}
