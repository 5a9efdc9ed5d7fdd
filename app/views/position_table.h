/* What a model knows of order, as a small table: rows are positions (or distances), columns
 * dimensions (or heads).
 *
 *     PositionTable t;
 *     if (!position_table_read(input, 100, arena, &t, error)) ...     "no positions: ..." if none
 *
 * Position tables are read from the model's own weights; of rotary models it is the sine and cosine
 * of each pair's angle; of ALiBi and T5 the bias by distance.
 */
#ifndef APP_VIEWS_POSITION_TABLE_H
#define APP_VIEWS_POSITION_TABLE_H

#include "app/views/common.h"

typedef enum PositionPairs {
    PAIRS_NONE,        /* columns are heads, or were learned each for itself */
    PAIRS_INTERLEAVED, /* 2i and 2i + 1 */
    PAIRS_HALVES,      /* i and i + d/2 */
} PositionPairs;

typedef struct PositionTable {
    Tensor table; // [row, column]
    int first;    /* what the first row is called: a position, or a distance below zero */
    PositionPairs pairs;
    bool waves;         /* columns of a pair are a sine and a cosine */
    double wave_base;   /* pair i has the wavelength 2 pi base^(2 i / d) */
    bool distances;     /* rows are distances key - query */
    const char *column; /* "dimension", "head" */
    const char *title;  /* "Positions of the encoder" */
    const char *note;   /* "sine and cosine alternate, as in the paper: ..." */
} PositionTable;

/* n_rows: how many to read at most; 0: all there are. */
bool position_table_read(const ViewInput *input, int n_rows, Arena *arena, PositionTable *out,
                         Error *error);
/* The first pair whose wave is at least so long; the last if none is. */
int position_pair_of_wave(const PositionTable *t, double length);
/* The two columns of a pair; false if there is no such pair. */
bool position_pair(const PositionTable *t, int pair, int *sine, int *cosine);

#endif
