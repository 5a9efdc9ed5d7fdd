/* GPT-2's bytes as characters: the 188 printable ones of Latin-1 stand for themselves, the other 68
 * for U+0100 onwards in order, so that a space is "Ġ". Source: openai/gpt-2 src/encoder.py.
 */
#ifndef MODEL_TOKENIZER_BYTELEVEL_H
#define MODEL_TOKENIZER_BYTELEVEL_H

#include "model/tokenizer/aligned.h"

uint32_t bytelevel_char(unsigned char byte);
int bytelevel_byte(uint32_t c); /* -1: stands for no byte */

/* Every byte as its character; each stands for what the whole character stood for. */
Aligned bytelevel_chars(Aligned in, Arena *arena);

/* A label back to bytes; characters that stand for no byte are copied. */
Str bytelevel_text(Str label, Arena *arena);

#endif
