/* What Whisper's decoder is given before it writes: start, language, task and whether times are
 * written, as transformers 4.40 has it (generation_whisper.py, _retrieve_init_tokens).
 *
 *     const int32_t *ids;
 *     int n;
 *     if (begin_ids(model, &input, edits, arena, &ids, &n, &error)) ...      n 0: nothing is said
 *
 * forced_decoder_ids say it; where they leave the language open and lang_to_id lists some, one pass
 * over the sound asks which is most probable behind the start token.
 */
#ifndef MODEL_BEGIN_H
#define MODEL_BEGIN_H

#include "model/trace.h"

bool begin_ids(const Model *model, const Input *input, const Edits *edits, Arena *arena,
               const int32_t **ids, int *n, Error *error);

#endif
