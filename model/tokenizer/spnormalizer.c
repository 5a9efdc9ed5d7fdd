/* sentencepiece/src/normalizer.cc, Normalizer::Normalize. Each byte written remembers how much of
 * the text had been read by then; a piece stands for what was read between its first byte and the
 * first byte behind it. So the space before a word belongs to the "▁" that carries it, and the
 * pieces cover the text without a gap. */
#include "model/base/utf8.h"
#include "model/tokenizer/normalizer.h"

static const Str metaspace = {"\xe2\x96\x81", 3};
static const Str space = {" ", 1};

/* The next bit of text as it is to be written; returns how many bytes it takes. */
static size_t next_bit(const SentencePiece *sp, Str text, size_t at, Str *out) {
    size_t n;
    if (sp->n_user_defined && trie_longest(&sp->user_defined, text, at, &n) >= 0) {
        *out = str_sub(text, at, at + n);
        return n;
    }
    if (charsmap_longest(&sp->charsmap, text, at, out, &n)) return n;
    utf8_decode(text, at, &n);
    *out = str_sub(text, at, at + n);
    return n;
}

static void put(AlignedBuf *out, Str bytes, size_t n_read) {
    aligned_put(out, bytes, (Span){(int32_t)n_read, 0});
}

/* From "how much was read" to bytes of the user's text. */
static Aligned with_spans(const AlignedBuf *out, Aligned in, size_t n_read) {
    for (int32_t i = 0; i < out->n; i++) {
        int32_t begin = out->spans[i].begin;
        int32_t end = i + 1 < out->n ? out->spans[i + 1].begin : (int32_t)n_read;
        out->spans[i].begin = begin < in.n ? in.spans[begin].begin : in.spans[in.n - 1].end;
        out->spans[i].end = end < in.n ? in.spans[end].begin : in.spans[in.n - 1].end;
    }
    return aligned_view(out);
}

static Aligned apply(const NormalizerStep *step, Aligned in, Arena *arena) {
    const SentencePiece *sp = step->sp;
    Str text = aligned_str(in), bit, mark = sp->escape_spaces ? metaspace : space;
    size_t at = 0, n;
    AlignedBuf out = aligned_buf(arena, in.n + in.n / 2 + 3);
    while (sp->remove_extra_spaces && at < text.n) {
        n = next_bit(sp, text, at, &bit);
        if (!str_eq(bit, space)) break;
        at += n;
    }
    if (at == text.n) return aligned_view(&out);
    bool prefix = sp->add_dummy_prefix && !(step->first_only && in.spans[0].begin > 0);
    if (!sp->space_is_suffix && prefix) put(&out, mark, at);
    bool after_space = sp->remove_extra_spaces;
    for (; at < text.n; at += n) {
        n = next_bit(sp, text, at, &bit);
        while (after_space && str_starts(bit, " "))
            bit = str_sub(bit, 1, bit.n);
        for (size_t i = 0; i < bit.n; i++)
            put(&out, bit.data[i] == ' ' ? mark : str_sub(bit, i, i + 1), at);
        if (bit.n) after_space = sp->remove_extra_spaces && bit.data[bit.n - 1] == ' ';
    }
    while (sp->remove_extra_spaces && str_ends(aligned_str(aligned_view(&out)), mark.data)) {
        out.n -= (int32_t)mark.n;
        at = (size_t)out.spans[out.n].begin;
    }
    if (sp->space_is_suffix && prefix) put(&out, mark, at);
    return with_spans(&out, in, at);
}

NormalizerStep normalizer_sentencepiece(const SentencePiece *sp) {
    return (NormalizerStep){.apply = apply, .sp = sp};
}
