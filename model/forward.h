/* The forward pass: one stack of Transformer layers over packed rows of tokens. Capture, edits,
 * gradients, training, generation and batches all go through here.
 *
 *     TokenRows rows = {.n_rows = 1, .begin = (int32_t[]){0, n}, .ids = ids};
 *     Tensor memory, hidden;
 *     forward_stack(&run, STACK_ENCODER, &rows, NULL, NULL, &memory, &error);
 *     forward_stack(&run, STACK_DECODER, &target, &(Memory){memory, &rows, NULL}, NULL, &hidden,
 * &error); Tensor logits = forward_logits(&run, STACK_DECODER, hidden);          // [n, vocab]
 *
 * Rows of different length lie one behind the other without padding: all products are over all
 * tokens at once, only attention goes row by row.
 */
#ifndef MODEL_FORWARD_H
#define MODEL_FORWARD_H

#include "model/cache.h"
#include "model/run.h"

typedef struct TokenRows {
    int n_rows;
    const int32_t *begin;     // [n_rows + 1] first token of each row; begin[0] is 0
    const int32_t *ids;       // [begin[n_rows]]
    const int32_t *positions; // [tokens]; NULL: counted from 0, or from the end of the cache
    const int32_t *types;     // [tokens] token types; NULL: 0
    const uint8_t *keep;      // [tokens] may be seen as key; NULL: all
    Tensor embedded; // [tokens, d_model] in place of ids (pictures, sound); no data: look ids up
} TokenRows;

/* What cross-attention reads. */
typedef struct Memory {
    Tensor hidden;         // [source tokens, d_model]
    const TokenRows *rows; /* of the source */
    const int32_t *row_of; // [target rows] source row of each; NULL: the same number
} Memory;

/* out [tokens, d_model], in the run's arena. False when cancelled. */
bool forward_stack(Run *run, StackId stack, const TokenRows *rows, const Memory *memory,
                   Cache *cache, Tensor *out, Error *error);
/* hidden [n, d_model] of one row of tokens, or of several where the head reads every position
 * -> [n, vocab]; [classes] where the head reads one position; no data where there is no head */
Tensor forward_logits(Run *run, StackId stack, Tensor hidden);

#endif
