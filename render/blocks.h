/* Boxes and arrows of an architecture: stacks side by side, read from the bottom up.
 *
 *     BlocksBox boxes[] = {{.stack = 0, .title = "Embedding", .shape = "[pos, 256]", .hook =
 * "hook_embed"}, ...}; BlocksArrow arrows[] = {{.from = 0, .to = 1}, {.from = 0, .to = 2, .kind =
 * BLOCKS_RESIDUAL}}; blocks_draw(figure, &blocks, &options, &error);
 *
 * Within a stack, boxes lie above one another in the order given. Picks: series = box.
 */
#ifndef RENDER_BLOCKS_H
#define RENDER_BLOCKS_H

#include "render/chart.h"

typedef enum BlocksKind {
    BLOCKS_PLAIN, /* input, output */
    BLOCKS_EMBED,
    BLOCKS_ATTENTION,
    BLOCKS_NORM,
    BLOCKS_MLP,
} BlocksKind;

typedef struct BlocksBox {
    BlocksKind kind;
    int stack;          /* 0 the leftmost */
    const char *title;  /* "Multi-head self-attention" */
    const char *detail; /* "8 heads of 32"; NULL: none */
    const char *shape;  /* "[pos, 256]"; NULL: none */
    const char *hook;   /* "blocks.0.attn.hook_z"; NULL: none */
    bool in_layer;      /* inside the frame that says "x 6" */
} BlocksBox;

typedef enum BlocksArrowKind {
    BLOCKS_FLOW,     /* up, or over to another stack */
    BLOCKS_RESIDUAL, /* around, at the side, into the foot of `to` */
} BlocksArrowKind;

typedef struct BlocksArrow {
    int from, to; /* boxes */
    BlocksArrowKind kind;
} BlocksArrow;

typedef struct BlocksStack {
    const char *name;   /* "Encoder" */
    const char *repeat; /* "x 6" beside the frame; NULL: none */
} BlocksStack;

typedef struct Blocks {
    int n_stacks, n_boxes, n_arrows;
    const BlocksStack *stacks; // [n_stacks]
    const BlocksBox *boxes;    // [n_boxes]
    const BlocksArrow *arrows; // [n_arrows]
    int highlight;             /* box; -1: none */
} Blocks;

bool blocks_draw(Figure *figure, const Blocks *blocks, const ChartOptions *options, Error *error);

#endif
