#include "model/tokenizer/decoder.h"

#include "model/base/utf8.h"
#include "model/tokenizer/bytelevel.h"
#include "model/tokenizer/chars.h"

static Str joined(const Str *row, int n, Str between, Arena *arena) {
    size_t n_bytes = 0, at = 0;
    for (int i = 0; i < n; i++)
        n_bytes += row[i].n + between.n;
    char *text = arena_alloc(arena, n_bytes + 1);
    for (int i = 0; i < n; i++) {
        if (i && between.n) memcpy(text + at, between.data, between.n);
        at += i ? between.n : 0;
        if (row[i].n) memcpy(text + at, row[i].data, row[i].n);
        at += row[i].n;
    }
    text[at] = '\0';
    return (Str){text, at};
}

Str decoder_apply(const Decoder *decoder, const Str *labels, int n, Arena *arena) {
    Str *row = arena_alloc(arena, (size_t)n * sizeof *row);
    if (n) memcpy(row, labels, (size_t)n * sizeof *row);
    for (int i = 0; i < decoder->n; i++)
        n = decoder->steps[i].apply(&decoder->steps[i], row, n, arena);
    return joined(row, n, decoder->n ? (Str){NULL, 0} : str(" "), arena);
}

static Str replace_all(Str s, Str from, Str to, Arena *arena) {
    size_t most = from.n ? s.n / from.n * to.n + s.n : s.n;
    char *out = arena_alloc(arena, most + 1);
    size_t n = 0;
    for (size_t i = 0; i < s.n;) {
        bool here = from.n && s.n - i >= from.n && memcmp(s.data + i, from.data, from.n) == 0;
        if (here && to.n) memcpy(out + n, to.data, to.n);
        if (!here) out[n] = s.data[i];
        n += here ? to.n : 1;
        i += here ? from.n : 1;
    }
    out[n] = '\0';
    return (Str){out, n};
}

/* ---- bytes ---- */

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

/* The part of a broken sequence that could still have become a character: Python and Rust replace
 * it by one U+FFFD (the "maximal subpart" of the Unicode standard, section 3.9). */
static size_t broken_length(Str s, size_t at) {
    const unsigned char *p = (const unsigned char *)s.data + at;
    size_t left = s.n - at, n = p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2, i = 1;
    if (p[0] < 0xc2 || p[0] > 0xf4) return 1;
    for (; i < n && i < left; i++) {
        unsigned char low = 0x80, high = 0xbf;
        if (i == 1 && p[0] == 0xe0) low = 0xa0;
        if (i == 1 && p[0] == 0xed) high = 0x9f;
        if (i == 1 && p[0] == 0xf0) low = 0x90;
        if (i == 1 && p[0] == 0xf4) high = 0x8f;
        if (p[i] < low || p[i] > high) break;
    }
    return i;
}

static Str bytes_text(Str bytes, bool each, Arena *arena) {
    char *out = arena_alloc(arena, bytes.n * 3 + 1);
    size_t n_out = 0;
    for (size_t i = 0, n; i < bytes.n; i += n) {
        uint32_t c = utf8_decode(bytes, i, &n);
        bool broken = c == 0xfffd && n == 1;
        if (broken && !each) n = broken_length(bytes, i);
        n_out += utf8_encode(c, out + n_out);
    }
    out[n_out] = '\0';
    return (Str){out, n_out};
}

/* A row of byte labels as one text. whole: if it is not UTF-8, U+FFFD for every byte. */
static int join_bytes(Str *labels, int n, bool whole, Arena *arena) {
    int n_out = 0;
    char *bytes = arena_alloc(arena, (size_t)n + 1);
    for (int i = 0; i < n;) {
        Str run = {bytes, 0};
        while (i < n && decoder_byte(labels[i]) >= 0)
            bytes[run.n++] = (char)decoder_byte(labels[i++]);
        if (!run.n) {
            labels[n_out++] = labels[i++];
            continue;
        }
        bool broken = utf8_invalid_at(run) < run.n;
        StrBuf all = {0};
        for (size_t k = 0; broken && whole && k < run.n; k++)
            strbuf_puts(&all, "\xef\xbf\xbd");
        labels[n_out++] =
            broken && whole ? arena_str(arena, strbuf_str(&all)) : bytes_text(run, true, arena);
        strbuf_free(&all);
    }
    return n_out;
}

static int byte_fallback(const DecoderStep *step, Str *labels, int n, Arena *arena) {
    (void)step;
    return join_bytes(labels, n, true, arena);
}

DecoderStep decoder_byte_fallback(void) {
    return (DecoderStep){.apply = byte_fallback};
}

static int bytes(const DecoderStep *step, Str *labels, int n, Arena *arena) {
    (void)step;
    if (!n) return 0;
    for (int i = 0; i < n; i++)
        labels[i] = bytelevel_text(labels[i], arena);
    labels[0] = bytes_text(joined(labels, n, (Str){NULL, 0}, arena), false, arena);
    return 1;
}

DecoderStep decoder_bytes(void) {
    return (DecoderStep){.apply = bytes};
}

/* ---- spaces ---- */

static const Str metaspace = {"\xe2\x96\x81", 3};

/* Case marks and the like, back to what they stand for. */
static Str denormalize(const Charsmap *map, Str text, Arena *arena) {
    StrBuf out = {0};
    for (size_t at = 0, n; at < text.n; at += n) {
        Str to;
        if (!charsmap_longest(map, text, at, &to, &n)) {
            utf8_decode(text, at, &n);
            to = str_sub(text, at, at + n);
        }
        strbuf_add(&out, to.data, to.n);
    }
    Str made = arena_str(arena, strbuf_str(&out));
    strbuf_free(&out);
    return made;
}

/* sentencepiece/src/sentencepiece_processor.cc, Decode. */
static int sentencepiece(const DecoderStep *step, Str *labels, int n, Arena *arena) {
    const SentencePiece *sp = step->sp;
    bool strip = sp->add_dummy_prefix || sp->remove_extra_spaces, beginning = true;
    for (int i = 0; i < n; i++) {
        Str label = labels[i];
        if (beginning && strip && str_starts(label, metaspace.data))
            label = str_sub(label, metaspace.n, label.n);
        beginning = beginning && sp->remove_extra_spaces && !label.n;
        labels[i] = step->from.n && str_eq(label, step->from)
                        ? step->to
                        : replace_all(label, metaspace, str(" "), arena);
    }
    n = join_bytes(labels, n, false, arena);
    if (!sp->decoded.n_units || !n) return n;
    labels[0] = denormalize(&sp->decoded, joined(labels, n, (Str){NULL, 0}, arena), arena);
    return 1;
}

DecoderStep decoder_sentencepiece(const SentencePiece *sp) {
    return (DecoderStep){.apply = sentencepiece, .sp = sp};
}

static int mark_to_space(const DecoderStep *step, Str *labels, int n, Arena *arena) {
    for (int i = 0; i < n; i++) {
        Str label = labels[i], mark = step->from;
        bool first = i == 0 && step->prefix_space;
        /* Of the first token the marks go, they were put there. */
        labels[i] = replace_all(label, mark, first ? str("") : str(" "), arena);
    }
    return n;
}

DecoderStep decoder_metaspace(Str mark, bool prefix_space) {
    return (DecoderStep){.apply = mark_to_space, .from = mark, .prefix_space = prefix_space};
}

static int fuse(const DecoderStep *step, Str *labels, int n, Arena *arena) {
    (void)step;
    if (n) labels[0] = joined(labels, n, (Str){NULL, 0}, arena);
    return n ? 1 : 0;
}

DecoderStep decoder_fuse(void) {
    return (DecoderStep){.apply = fuse};
}

static int trim(const DecoderStep *step, Str *labels, int n, Arena *arena) {
    if (!fuse(step, labels, n, arena)) return 0;
    Str s = labels[0];
    size_t begin = 0, length;
    while (begin < s.n && char_is_space(utf8_decode(s, begin, &length)))
        begin += length;
    for (size_t at; s.n > begin; s.n = at) {
        at = char_before(s, s.n);
        if (!char_is_space(utf8_decode(s, at, &length))) break;
    }
    labels[0] = str_sub(s, begin, s.n);
    return 1;
}

DecoderStep decoder_trim(void) {
    return (DecoderStep){.apply = trim};
}

static int strip(const DecoderStep *step, Str *labels, int n, Arena *arena) {
    (void)arena;
    Str c = step->from;
    for (int i = 0; i < n; i++) {
        Str s = labels[i];
        for (int k = 0; k < step->n_start && s.n >= c.n && str_eq(str_sub(s, 0, c.n), c); k++)
            s = str_sub(s, c.n, s.n);
        for (int k = 0; k < step->n_stop && s.n >= c.n && str_eq(str_sub(s, s.n - c.n, s.n), c);
             k++)
            s = str_sub(s, 0, s.n - c.n);
        labels[i] = s;
    }
    return n;
}

DecoderStep decoder_strip(Str character, int n_start, int n_stop) {
    return (DecoderStep){.apply = strip, .from = character, .n_start = n_start, .n_stop = n_stop};
}

static int replace(const DecoderStep *step, Str *labels, int n, Arena *arena) {
    for (int i = 0; i < n; i++) {
        RegexSearch *search = regex_search(step->pattern, labels[i], arena);
        StrBuf out = {0};
        int32_t begin, end, at = 0;
        bool found = false;
        for (; regex_next(search, &begin, &end); found = true) {
            strbuf_add(&out, labels[i].data + at, (size_t)(begin - at));
            strbuf_add(&out, step->to.data, step->to.n);
            at = end;
        }
        if (found) {
            strbuf_add(&out, labels[i].data + at, labels[i].n - (size_t)at);
            labels[i] = arena_str(arena, strbuf_str(&out));
        }
        strbuf_free(&out);
    }
    return n;
}

DecoderStep decoder_replace(const Regex *pattern, Str to) {
    return (DecoderStep){.apply = replace, .pattern = pattern, .to = to};
}

/* What English typing does not put a space before. */
static Str clean_up(Str s, Arena *arena) {
    static const char *const rules[][2] = {{" .", "."},     {" ?", "?"},           {" !", "!"},
                                           {" ,", ","},     {" ' ", "'"},          {" n't", "n't"},
                                           {" 'm", "'m"},   {" do not", " don't"}, {" 's", "'s"},
                                           {" 've", "'ve"}, {" 're", "'re"}};
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
        s = replace_all(s, str(rules[i][0]), str(rules[i][1]), arena);
    return s;
}

static int wordpiece(const DecoderStep *step, Str *labels, int n, Arena *arena) {
    for (int i = 0; i < n; i++) {
        Str s = labels[i];
        bool goes_on = s.n >= step->from.n && str_eq(str_sub(s, 0, step->from.n), step->from);
        if (i && goes_on) s = str_sub(s, step->from.n, s.n);
        if (i && !goes_on) s = joined((Str[]){str(" "), s}, 2, (Str){NULL, 0}, arena);
        labels[i] = step->cleanup ? clean_up(s, arena) : s;
    }
    return n;
}

DecoderStep decoder_wordpiece(Str prefix, bool cleanup) {
    return (DecoderStep){.apply = wordpiece, .from = prefix, .cleanup = cleanup};
}

static int suffix_to_space(const DecoderStep *step, Str *labels, int n, Arena *arena) {
    for (int i = 0; i < n; i++)
        labels[i] = replace_all(labels[i], step->from, i == n - 1 ? str("") : str(" "), arena);
    return n;
}

DecoderStep decoder_suffix(Str suffix) {
    return (DecoderStep){.apply = suffix_to_space, .from = suffix};
}
