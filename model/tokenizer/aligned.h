/* Text on its way through a tokenizer: bytes, and for each byte the bytes of the user's text that
 * it came from. Normalisation rewrites the bytes and keeps the spans, so that a token can always
 * say which part of the sentence it stands for.
 *
 *     AlignedBuf out = aligned_buf(arena, in.n);
 *     aligned_put(&out, (Str){"fi", 2}, (Span){4, 7});      the ligature at byte 4
 *     Aligned text = aligned_view(&out);
 *
 * An Aligned is a view: slices share the memory of the arena it was made in.
 */
#ifndef MODEL_TOKENIZER_ALIGNED_H
#define MODEL_TOKENIZER_ALIGNED_H

#include <stdbool.h>
#include <stdint.h>

#include "model/base/arena.h"
#include "model/base/str.h"

typedef struct Span {
    int32_t begin, end; /* bytes of the user's text */
} Span;

typedef struct Aligned {
    const char *data;  // [n]
    const Span *spans; // [n], of each byte
    int32_t n;
} Aligned;

typedef struct AlignedBuf {
    char *data;
    Span *spans;
    int32_t n, capacity;
    int32_t most; /* it does not grow beyond */
    bool full;    /* it would have had to */
    Arena *arena;
} AlignedBuf;

/* Every byte of the text stands for its whole character. */
Aligned aligned_text(Str text, Arena *arena);
/* Room for `capacity` bytes; it grows, but not without end: rules that write a page for every
 * character must not fill the memory. */
AlignedBuf aligned_buf(Arena *arena, int32_t capacity);
/* Appends bytes that all stand for the same part of the text. */
void aligned_put(AlignedBuf *buf, Str bytes, Span span);
void aligned_put_char(AlignedBuf *buf, uint32_t c, Span span);
/* Appends a piece of another one, spans kept. */
void aligned_copy(AlignedBuf *buf, Aligned from, int32_t begin, int32_t end);

/* Of one that was full: data NULL, n 0. */
static inline Aligned aligned_view(const AlignedBuf *buf) {
    return buf->full ? (Aligned){0} : (Aligned){buf->data, buf->spans, buf->n};
}
static inline Aligned aligned_sub(Aligned a, int32_t begin, int32_t end) {
    return (Aligned){a.data + begin, a.spans + begin, end - begin};
}
static inline Str aligned_str(Aligned a) {
    return (Str){a.data, (size_t)a.n};
}
/* What the bytes begin..end stand for; begin < end. */
static inline Span aligned_span(Aligned a, int32_t begin, int32_t end) {
    return (Span){a.spans[begin].begin, a.spans[end - 1].end};
}

/* Rewriting character by character with the bookkeeping of the Rust library, so that spans come out
 * as its own (tokenizers/src/tokenizer/normalizer.rs, transform_range): each character written says
 *     change = 0    it takes the place of the next character read
 *     change > 0    it is inserted, and stands for what the character read last stands for
 *     change < 0    it takes the place of 1 - change characters, and stands for the first of them
 */
typedef struct Rewrite {
    Aligned in;
    int32_t at; /* bytes of `in` that are read */
    AlignedBuf out;
} Rewrite;

Rewrite rewrite_begin(Aligned in, Arena *arena);
void rewrite_put(Rewrite *rewrite, uint32_t c, int change);

#endif
