#include "model/tokenizer/decoder.h"

#include "model/base/utf8.h"

Str decoder_apply(const Decoder *decoder, const Str *labels, int n, Arena *arena) {
    Str *row = arena_alloc(arena, (size_t)n * sizeof *row);
    if (n) memcpy(row, labels, (size_t)n * sizeof *row);
    for (int i = 0; i < decoder->n; i++)
        n = decoder->steps[i].apply(&decoder->steps[i], row, n, arena);
    size_t n_bytes = 0;
    for (int i = 0; i < n; i++)
        n_bytes += row[i].n;
    char *text = arena_alloc(arena, n_bytes + 1);
    size_t at = 0;
    for (int i = 0; i < n; at += row[i++].n)
        if (row[i].n) memcpy(text + at, row[i].data, row[i].n);
    text[at] = '\0';
    return (Str){text, n_bytes};
}

static int hex(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return -1;
}

int decoder_byte(Str label) {
    if (label.n != 6 || memcmp(label.data, "<0x", 3) != 0 || label.data[5] != '>') return -1;
    int high = hex(label.data[3]), low = hex(label.data[4]);
    return high < 0 || low < 0 ? -1 : high * 16 + low;
}

static Str replace_metaspace(Str label, Arena *arena) {
    char *out = arena_alloc(arena, label.n + 1);
    size_t n = 0;
    for (size_t i = 0; i < label.n;) {
        bool mark = label.n - i >= 3 && memcmp(label.data + i, "\xe2\x96\x81", 3) == 0;
        out[n++] = mark ? ' ' : label.data[i];
        i += mark ? 3 : 1;
    }
    out[n] = '\0';
    return (Str){out, n};
}

/* Bytes in a row as text; what is not UTF-8 becomes U+FFFD, one for each byte. */
static Str bytes_text(const char *bytes, size_t n, Arena *arena) {
    char *out = arena_alloc(arena, n * 3 + 1);
    size_t n_out = 0;
    for (size_t i = 0, length; i < n; i += length) {
        uint32_t c = utf8_decode((Str){bytes, n}, i, &length);
        n_out += utf8_encode(c, out + n_out);
    }
    return (Str){out, n_out};
}

static int sentencepiece(const DecoderStep *step, Str *labels, int n, Arena *arena) {
    (void)step;
    int n_out = 0;
    char *bytes = arena_alloc(arena, (size_t)n + 1);
    for (int i = 0; i < n;) {
        size_t n_bytes = 0;
        while (i < n && decoder_byte(labels[i]) >= 0)
            bytes[n_bytes++] = (char)decoder_byte(labels[i++]);
        if (n_bytes)
            labels[n_out++] = bytes_text(bytes, n_bytes, arena);
        else {
            Str label = labels[i];
            if (i++ == 0 && str_starts(label, "\xe2\x96\x81")) label = str_sub(label, 3, label.n);
            labels[n_out++] = replace_metaspace(label, arena);
        }
    }
    return n_out;
}

DecoderStep decoder_sentencepiece(void) {
    return (DecoderStep){.apply = sentencepiece};
}
