/* What the models of this folder (Unigram, BPE, WordPiece ...) have in common: they cut a stretch
 * of normalised text into pieces.
 *
 *     Pieces pieces = {.arena = arena};
 *     model->cut(model, text, &pieces);
 *     pieces.items[0].id, .begin, .end                  bytes of the normalised text
 *
 * Ids are the model's own (the index of a piece in its file); the pipeline turns them into those of
 * the checkpoint.
 */
#ifndef MODEL_TOKENIZER_PIECES_H
#define MODEL_TOKENIZER_PIECES_H

#include <stdbool.h>
#include <stdint.h>

#include "model/base/arena.h"
#include "model/base/str.h"

typedef struct Piece {
    int32_t id;
    int32_t begin, end;
} Piece;

typedef struct Pieces {
    Piece *items;
    int n, capacity;
    Arena *arena; /* scratch too */
} Pieces;

typedef struct PieceModel PieceModel;
struct PieceModel {
    const char *kind; /* "unigram", "bpe", "wordpiece" ... */
    void (*cut)(const PieceModel *model, Str text, Pieces *out);
};

/* What becomes of a character that no piece covers. */
typedef struct Unknown {
    int32_t id;           /* -1: it is dropped */
    bool fuse;            /* neighbouring unknowns are one token */
    const int32_t *bytes; // [256] ids of the pieces "<0x00>" ... or NULL: no byte fallback
} Unknown;

void pieces_add(Pieces *pieces, Piece piece);
/* text[begin, end) is one character, or a word, without a piece. n_before: pieces->n when this
 * stretch began (nothing before it is fused with). */
void pieces_add_unknown(Pieces *pieces, Str text, int32_t begin, int32_t end,
                        const Unknown *unknown, int n_before);

#endif
