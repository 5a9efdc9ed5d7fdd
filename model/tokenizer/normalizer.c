#include "model/tokenizer/normalizer.h"

#include <utf8proc.h>

#include "model/base/utf8.h"
#include "model/tokenizer/bytelevel.h"
#include "model/tokenizer/chars.h"

Aligned normalizer_apply(const Normalizer *normalizer, Aligned text, Arena *arena) {
    enum { GROWTH = 256, LEAST = 1 << 16 };
    int64_t most = (int64_t)text.n * GROWTH + LEAST;
    for (int i = 0; i < normalizer->n && text.n; i++) {
        text = normalizer->steps[i].apply(&normalizer->steps[i], text, arena);
        if (text.n > most) return (Aligned){0};
    }
    return text;
}

static Aligned lowercase(const NormalizerStep *step, Aligned in, Arena *arena) {
    (void)step;
    Rewrite out = rewrite_begin(in, arena);
    for (size_t at = 0, n; at < (size_t)in.n; at += n) {
        uint32_t c = utf8_decode(aligned_str(in), at, &n);
        bool dotted = c == 0x130; /* the one capital with two small letters */
        rewrite_put(&out, dotted ? 'i' : (uint32_t)utf8proc_tolower((utf8proc_int32_t)c), 0);
        if (dotted) rewrite_put(&out, 0x307, 1);
    }
    return aligned_view(&out.out);
}

NormalizerStep normalizer_lowercase(void) {
    return (NormalizerStep){.apply = lowercase};
}

static Aligned strip(const NormalizerStep *step, Aligned in, Arena *arena) {
    (void)arena;
    Str s = aligned_str(in);
    size_t begin = 0, end = s.n, n;
    while (step->left && begin < end && char_is_space(utf8_decode(s, begin, &n)))
        begin += n;
    for (size_t at; step->right && end > begin; end = at) {
        at = char_before(s, end);
        if (!char_is_space(utf8_decode(s, at, &n))) break;
    }
    return aligned_sub(in, (int32_t)begin, (int32_t)end);
}

NormalizerStep normalizer_strip(bool left, bool right) {
    return (NormalizerStep){.apply = strip, .left = left, .right = right};
}

static Aligned drop(const NormalizerStep *step, Aligned in, Arena *arena) {
    AlignedBuf out = aligned_buf(arena, in.n);
    for (size_t at = 0, n; at < (size_t)in.n; at += n)
        if (!step->drop(utf8_decode(aligned_str(in), at, &n)))
            aligned_copy(&out, in, (int32_t)at, (int32_t)(at + n));
    return aligned_view(&out);
}

NormalizerStep normalizer_drop(bool (*rule)(uint32_t c)) {
    return (NormalizerStep){.apply = drop, .drop = rule};
}

static Aligned map(const NormalizerStep *step, Aligned in, Arena *arena) {
    AlignedBuf out = aligned_buf(arena, in.n);
    for (size_t at = 0, n; at < (size_t)in.n; at += n) {
        uint32_t c = utf8_decode(aligned_str(in), at, &n);
        aligned_put_char(&out, step->map(c), in.spans[at]);
    }
    return aligned_view(&out);
}

NormalizerStep normalizer_map(uint32_t (*rule)(uint32_t c)) {
    return (NormalizerStep){.apply = map, .map = rule};
}

static Aligned replace(const NormalizerStep *step, Aligned in, Arena *arena) {
    RegexSearch *search = regex_search(step->pattern, aligned_str(in), arena);
    AlignedBuf out = aligned_buf(arena, in.n);
    int32_t begin, end, at = 0, n = 0;
    for (; regex_next(search, &begin, &end); n++) {
        aligned_copy(&out, in, at, begin);
        aligned_put(&out, step->content, in.spans[end > 0 ? end - 1 : 0]);
        at = end;
    }
    if (!n) return in;
    aligned_copy(&out, in, at, in.n);
    return aligned_view(&out);
}

NormalizerStep normalizer_replace(const Regex *pattern, Str content) {
    return (NormalizerStep){.apply = replace, .pattern = pattern, .content = content};
}

static Aligned prepend(const NormalizerStep *step, Aligned in, Arena *arena) {
    AlignedBuf out = aligned_buf(arena, in.n + (int32_t)step->content.n);
    Span span = in.spans[0];
    if (step->spanless) span.end = span.begin;
    aligned_put(&out, step->content, span);
    aligned_copy(&out, in, 0, in.n);
    return aligned_view(&out);
}

NormalizerStep normalizer_prepend(Str content, bool spanless) {
    return (NormalizerStep){.apply = prepend, .content = content, .spanless = spanless};
}

static Aligned space_cjk(const NormalizerStep *step, Aligned in, Arena *arena) {
    (void)step;
    AlignedBuf out = aligned_buf(arena, in.n);
    for (size_t at = 0, n; at < (size_t)in.n; at += n) {
        bool cjk = char_is_cjk(utf8_decode(aligned_str(in), at, &n));
        if (cjk) aligned_put(&out, str(" "), in.spans[at]);
        aligned_copy(&out, in, (int32_t)at, (int32_t)(at + n));
        if (cjk) aligned_put(&out, str(" "), in.spans[at]);
    }
    return aligned_view(&out);
}

NormalizerStep normalizer_space_cjk(void) {
    return (NormalizerStep){.apply = space_cjk};
}

static Aligned bytes(const NormalizerStep *step, Aligned in, Arena *arena) {
    (void)step;
    return bytelevel_chars(in, arena);
}

NormalizerStep normalizer_bytes(void) {
    return (NormalizerStep){.apply = bytes};
}

bool normalizer_bert_drops(uint32_t c) {
    return c == 0 || c == 0xfffd || char_is_control(c);
}

uint32_t normalizer_bert_space(uint32_t c) {
    return char_is_space(c) ? ' ' : c;
}

bool normalizer_nmt_drops(uint32_t c) {
    return (c >= 0x01 && c <= 0x08) || c == 0x0b || (c >= 0x0e && c <= 0x1f) || c == 0x7f ||
           c == 0x8f || c == 0x9f;
}

uint32_t normalizer_nmt_space(uint32_t c) {
    bool space = c == 0x09 || c == 0x0a || c == 0x0c || c == 0x0d || c == 0x1680 ||
                 (c >= 0x200b && c <= 0x200f) || c == 0x2028 || c == 0x2029 || c == 0x2581 ||
                 c == 0xfeff || c == 0xfffd;
    return space ? ' ' : c;
}

uint32_t normalizer_plain_space(uint32_t c) {
    return c == 0x2581 ? ' ' : c;
}

int normalizer_bert(const BertRules *rules, NormalizerStep steps[BERT_MAX_STEPS]) {
    int n = 0;
    if (rules->clean_text) {
        steps[n++] = normalizer_drop(normalizer_bert_drops);
        steps[n++] = normalizer_map(normalizer_bert_space);
    }
    if (rules->space_cjk) steps[n++] = normalizer_space_cjk();
    if (rules->strip_accents) {
        steps[n++] = normalizer_unicode(false, false);
        steps[n++] = normalizer_drop(char_is_mark_nonspacing);
    }
    if (rules->lowercase) steps[n++] = normalizer_lowercase();
    return n;
}
