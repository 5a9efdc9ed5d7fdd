#include "model/tokenizer/bytelevel.h"

#include "model/base/utf8.h"

/* 33..126, 161..172, 174..255 stay. */
uint32_t bytelevel_char(unsigned char b) {
    if ((b >= 33 && b <= 126) || (b >= 161 && b != 173)) return b;
    if (b <= 32) return 256u + b;                        /* 0..32: 0x100.. */
    if (b <= 160) return 256u + 33u + (uint32_t)b - 127; /* 127..160 */
    return 256u + 33u + 34u;                             /* 173 */
}

int bytelevel_byte(uint32_t c) {
    if (c < 256) return (c >= 33 && c <= 126) || (c >= 161 && c != 173) ? (int)c : -1;
    if (c <= 288) return (int)c - 256;
    if (c <= 322) return (int)c - 289 + 127;
    return c == 323 ? 173 : -1;
}

Aligned bytelevel_chars(Aligned in, Arena *arena) {
    AlignedBuf out = aligned_buf(arena, in.n * 2);
    Span span = {0, 0};
    for (int32_t i = 0; i < in.n; i++) {
        /* The first byte of a character speaks for all of it. */
        if (((unsigned char)in.data[i] & 0xc0) != 0x80) span = in.spans[i];
        aligned_put_char(&out, bytelevel_char((unsigned char)in.data[i]), span);
    }
    return aligned_view(&out);
}

Str bytelevel_text(Str label, Arena *arena) {
    char *out = arena_alloc(arena, label.n + 1);
    size_t n_out = 0;
    for (size_t at = 0, n; at < label.n; at += n) {
        int byte = bytelevel_byte(utf8_decode(label, at, &n));
        if (byte >= 0)
            out[n_out++] = (char)byte;
        else
            for (size_t i = 0; i < n; i++)
                out[n_out++] = label.data[at + i];
    }
    out[n_out] = '\0';
    return (Str){out, n_out};
}
