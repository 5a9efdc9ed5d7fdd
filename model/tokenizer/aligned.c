#include "model/tokenizer/aligned.h"

#include "model/base/utf8.h"

AlignedBuf aligned_buf(Arena *arena, int32_t capacity) {
    enum { GROWTH = 256, MOST = (1 << 30) - 1 };
    if (capacity < 16) capacity = 16;
    int64_t most = (int64_t)capacity * GROWTH + (1 << 16);
    return (AlignedBuf){.data = arena_alloc(arena, (size_t)capacity),
                        .spans = arena_alloc(arena, (size_t)capacity * sizeof(Span)),
                        .capacity = capacity,
                        .most = most < MOST ? (int32_t)most : MOST,
                        .arena = arena};
}

/* Room for n_more bytes; false: there is none. */
static bool grow(AlignedBuf *buf, size_t n_more) {
    size_t wanted = (size_t)buf->n + n_more;
    if (buf->full || wanted > (size_t)buf->most) {
        buf->full = true;
        return false;
    }
    if (wanted <= (size_t)buf->capacity) return true;
    AlignedBuf larger = aligned_buf(buf->arena, (int32_t)(wanted + wanted / 2));
    memcpy(larger.data, buf->data, (size_t)buf->n);
    memcpy(larger.spans, buf->spans, (size_t)buf->n * sizeof(Span));
    larger.n = buf->n;
    larger.most = buf->most;
    *buf = larger;
    return true;
}

void aligned_put(AlignedBuf *buf, Str bytes, Span span) {
    if (!bytes.n || !grow(buf, bytes.n)) return;
    memcpy(buf->data + buf->n, bytes.data, bytes.n);
    for (size_t i = 0; i < bytes.n; i++)
        buf->spans[buf->n++] = span;
}

void aligned_put_char(AlignedBuf *buf, uint32_t c, Span span) {
    char bytes[4];
    size_t n = utf8_encode(c, bytes);
    aligned_put(buf, (Str){bytes, n}, span);
}

void aligned_copy(AlignedBuf *buf, Aligned from, int32_t begin, int32_t end) {
    if (begin >= end) return;
    size_t n = (size_t)(end - begin);
    if (!grow(buf, n)) return;
    memcpy(buf->data + buf->n, from.data + begin, n);
    memcpy(buf->spans + buf->n, from.spans + begin, n * sizeof(Span));
    buf->n += end - begin;
}

Aligned aligned_text(Str text, Arena *arena) {
    AlignedBuf buf = aligned_buf(arena, (int32_t)text.n);
    for (size_t at = 0, n; at < text.n; at += n) {
        utf8_decode(text, at, &n);
        aligned_put(&buf, str_sub(text, at, at + n), (Span){(int32_t)at, (int32_t)(at + n)});
    }
    return aligned_view(&buf);
}

Rewrite rewrite_begin(Aligned in, Arena *arena) {
    return (Rewrite){in, 0, aligned_buf(arena, in.n + in.n / 4)};
}

static void skip_char(Rewrite *rewrite) {
    size_t n = 0;
    if (rewrite->at >= rewrite->in.n) return;
    utf8_decode(aligned_str(rewrite->in), (size_t)rewrite->at, &n);
    rewrite->at += (int32_t)n;
}

void rewrite_put(Rewrite *rewrite, uint32_t c, int change) {
    Aligned in = rewrite->in;
    if (!in.n) return;
    int32_t at = change > 0 ? rewrite->at - 1 : rewrite->at;
    Span span = at < 0      ? (Span){in.spans[0].begin, in.spans[0].begin}
                : at < in.n ? in.spans[at]
                            : in.spans[in.n - 1];
    if (change <= 0) skip_char(rewrite);
    for (; change < 0; change++)
        skip_char(rewrite);
    aligned_put_char(&rewrite->out, c, span);
}
