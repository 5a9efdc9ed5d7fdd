#include "model/words.h"

#include <utf8proc.h>

#include "model/base/utf8.h"
#include "model/tokenizer/bytelevel.h"
#include "model/tokenizer/chars.h"
#include "model/tokenizer/decoder.h"

static const char metaspace[] = "\xe2\x96\x81";

/* ---- labels ---- */

static bool contains(Str s, const char *part) {
    return s.n && memmem(s.data, s.n, part, strlen(part)) != NULL;
}

/* Characters that GPT-2 writes for bytes and nobody else does: "Ġ", "Ċ", "ĉ", and half characters
 * such as "Ã¶" (a lead byte of UTF-8 and its second byte). */
static bool looks_like_bytes(Str label) {
    size_t n;
    uint32_t before = 0;
    for (size_t at = 0; at < label.n; at += n) {
        uint32_t c = utf8_decode(label, at, &n);
        if (c == 0x120 || c == 0x10a || c == 0x109) return at == 0 || label.n == n;
        int byte = bytelevel_byte(c), last = bytelevel_byte(before);
        bool pair = last >= 0xc3 && last <= 0xf4 && byte >= 0x80 && byte < 0xc0 && c >= 0x80;
        if (pair && before >= 0x80) return true;
        before = c;
    }
    return false;
}

TokenStyle token_style(const Token *tokens, int n) {
    int n_meta = 0, n_bytes = 0, n_piece = 0, n_suffix = 0, n_continued = 0;
    for (int i = 0; i < n; i++) {
        Str label = tokens[i].label;
        if (tokens[i].special) continue;
        n_meta += contains(label, metaspace) || decoder_byte(label) >= 0;
        n_bytes += looks_like_bytes(label);
        n_piece += label.n > 2 && str_starts(label, "##");
        n_suffix += label.n > 4 && str_ends(label, "</w>");
        n_continued += label.n > 2 && str_ends(label, "@@");
    }
    if (n_meta) return TOKEN_METASPACE;
    if (n_suffix) return n_bytes ? TOKEN_BYTES_SUFFIX : TOKEN_SUFFIX;
    if (n_bytes) return TOKEN_BYTES;
    if (n_piece) return TOKEN_WORDPIECE;
    return n_continued ? TOKEN_CONTINUED : TOKEN_PLAIN;
}

static Str without_marks(Str label, TokenStyle style) {
    switch (style) {
    case TOKEN_PLAIN:
    case TOKEN_BYTES:
        break;
    case TOKEN_METASPACE:
        if (label.n > 3 && str_starts(label, metaspace)) return str_sub(label, 3, label.n);
        break;
    case TOKEN_WORDPIECE:
        if (label.n > 2 && str_starts(label, "##")) return str_sub(label, 2, label.n);
        break;
    case TOKEN_SUFFIX:
    case TOKEN_BYTES_SUFFIX:
        if (label.n > 4 && str_ends(label, "</w>")) return str_sub(label, 0, label.n - 4);
        break;
    case TOKEN_CONTINUED:
        if (label.n > 2 && str_ends(label, "@@")) return str_sub(label, 0, label.n - 2);
        break;
    }
    return label;
}

static bool style_has_bytes(TokenStyle style) {
    return style == TOKEN_BYTES || style == TOKEN_BYTES_SUFFIX;
}

/* The label as the bytes it puts into the text, marks gone but for spaces. */
static Str plain_bytes(Str label, TokenStyle style, Arena *arena) {
    label = without_marks(label, style);
    if (style_has_bytes(style)) return bytelevel_text(label, arena);
    int byte = style == TOKEN_METASPACE ? decoder_byte(label) : -1;
    if (byte < 0) return label;
    char one = (char)byte;
    return arena_str(arena, (Str){&one, 1});
}

static void show_char(StrBuf *out, Str s, size_t at, size_t n, uint32_t c) {
    utf8proc_category_t kind = utf8proc_category((utf8proc_int32_t)c);
    if (c == '\n' || c == '\r')
        strbuf_puts(out, "\xe2\x86\xb5"); /* ↵ */
    else if (c == '\t')
        strbuf_puts(out, "\xe2\x87\xa5"); /* ⇥ */
    else if (c < 0x20 || c == 0x7f)
        strbuf_printf(out, "\\x%02X", (unsigned)c);
    else if (kind == UTF8PROC_CATEGORY_CC)
        strbuf_printf(out, "U+%04X", (unsigned)c);
    else
        strbuf_add(out, s.data + at, n);
}

/* A character that leaves no ink: joiners, marks of direction, blanks of odd width. */
static bool is_inkless(uint32_t c) {
    utf8proc_category_t kind = utf8proc_category((utf8proc_int32_t)c);
    return kind == UTF8PROC_CATEGORY_CF || char_is_space(c) || kind == UTF8PROC_CATEGORY_CN ||
           kind == UTF8PROC_CATEGORY_CO;
}

static bool all_inkless(Str s) {
    size_t n;
    for (size_t at = 0; at < s.n; at += n) {
        uint32_t c = utf8_decode(s, at, &n);
        if (!is_inkless(c) || (c == 0xfffd && n == 1)) return false;
    }
    return true;
}

/* "▁" inside a label, and "▁" alone, is a blank. */
static bool is_blank_at(Str s, size_t at, TokenStyle style, size_t *n) {
    *n = 1;
    if (s.data[at] == ' ') return true;
    if (style != TOKEN_METASPACE || s.n - at < 3 || memcmp(s.data + at, metaspace, 3) != 0)
        return false;
    *n = 3;
    return true;
}

Str token_pretty(Str label, TokenStyle style, Arena *arena) {
    Str s = plain_bytes(label, style, arena);
    if (style_has_bytes(style) && s.n > 1 && s.data[0] == ' ' && s.data[1] != ' ')
        s = str_sub(s, 1, s.n);
    bool inkless = all_inkless(s);
    StrBuf out = {0};
    for (size_t at = 0, n; at < s.n; at += n) {
        if (is_blank_at(s, at, style, &n)) {
            strbuf_puts(&out, "\xe2\x90\xa3"); /* ␣ */
            continue;
        }
        uint32_t c = utf8_decode(s, at, &n);
        if (c == 0xfffd && n == 1)
            strbuf_printf(&out, "\\x%02X", (unsigned)(unsigned char)s.data[at]);
        else if (inkless && c >= 0x80)
            strbuf_printf(&out, "%sU+%04X", at ? " " : "", (unsigned)c);
        else
            show_char(&out, s, at, n, c);
    }
    Str shown = arena_str(arena, strbuf_str(&out));
    strbuf_free(&out);
    return shown;
}

/* ---- words ---- */

typedef struct Stretch {
    Str text; /* what it stands for, blanks at the ends gone */
    int64_t begin, end;
    bool blank_before; /* by its span, or by its mark */
    bool blank_after;
    bool spanned;
    bool closed; /* a special token: no part of a word */
} Stretch;

static bool is_spaceless_script(uint32_t c) {
    return char_is_cjk(c) || (c >= 0x3040 && c <= 0x30ff) || (c >= 0x31f0 && c <= 0x31ff) ||
           (c >= 0xff66 && c <= 0xff9f) || (c >= 0x0e00 && c <= 0x0eff) ||
           (c >= 0x1000 && c <= 0x109f) || (c >= 0x1780 && c <= 0x17ff) || c == 0x3005;
}

/* ' ’ - ‐ · _ between letters belong to the word. */
static bool is_joiner(Str s) {
    static const char *const joiners[] = {"'", "\xe2\x80\x99", "-", "\xe2\x80\x90", "\xc2\xb7",
                                          "_"};
    for (size_t i = 0; i < sizeof joiners / sizeof *joiners; i++)
        if (str_is(s, joiners[i])) return true;
    return false;
}

/* . , : between digits belong to the number. */
static bool is_number_mark(Str s) {
    return str_is(s, ".") || str_is(s, ",") || str_is(s, ":");
}

static bool is_punctuation(uint32_t c) {
    utf8proc_category_t k = utf8proc_category((utf8proc_int32_t)c);
    return char_is_punctuation(c) || (k >= UTF8PROC_CATEGORY_SM && k <= UTF8PROC_CATEGORY_SO);
}

static bool all_punctuation(Str s) {
    size_t n;
    for (size_t at = 0; at < s.n; at += n) {
        uint32_t c = utf8_decode(s, at, &n);
        bool half = c == 0xfffd && n == 1; /* of a character that other bytes complete */
        if (half || !is_punctuation(c)) return false;
    }
    return s.n > 0;
}

static uint32_t first_char(Str s) {
    size_t n;
    return s.n ? utf8_decode(s, 0, &n) : 0;
}

static uint32_t last_char(Str s) {
    size_t n;
    return s.n ? utf8_decode(s, char_before(s, s.n), &n) : 0;
}

static Stretch stretch_of_span(const Token *token, Str text) {
    Stretch piece = {.begin = token->begin, .end = token->end, .spanned = true};
    size_t n;
    while (piece.begin < piece.end && char_is_space(utf8_decode(text, (size_t)piece.begin, &n))) {
        piece.begin += (int64_t)n;
        piece.blank_before = true;
    }
    while (piece.end > piece.begin) {
        size_t at = char_before(text, (size_t)piece.end);
        if (!char_is_space(utf8_decode(text, at, &n))) break;
        piece.end = (int64_t)at;
        piece.blank_after = true;
    }
    piece.text = str_sub(text, (size_t)piece.begin, (size_t)piece.end);
    return piece;
}

static Stretch stretch_of_label(const Token *token, TokenStyle style, Arena *arena) {
    Str label = token->label;
    Stretch piece = {.text = plain_bytes(label, style, arena)};
    switch (style) {
    case TOKEN_PLAIN:
    case TOKEN_BYTES:
        piece.blank_before = style == TOKEN_PLAIN;
        break;
    case TOKEN_METASPACE:
        piece.blank_before = str_starts(label, metaspace);
        break;
    case TOKEN_WORDPIECE:
        piece.blank_before = !str_starts(label, "##");
        break;
    case TOKEN_SUFFIX:
    case TOKEN_BYTES_SUFFIX:
        piece.blank_after = str_ends(label, "</w>");
        break;
    case TOKEN_CONTINUED:
        piece.blank_after = !str_ends(label, "@@");
        break;
    }
    if (style_has_bytes(style) && str_starts(piece.text, " ")) {
        piece.blank_before = true;
        piece.text = str_sub(piece.text, 1, piece.text.n);
    }
    if (style == TOKEN_METASPACE && str_is(piece.text, metaspace)) piece.text.n = 0;
    return piece;
}

/* inside: `before` itself goes on with a word. */
static bool goes_on(const Stretch *before, const Stretch *piece, bool inside) {
    if (before->spanned && piece->spanned) {
        bool overlap = piece->begin < before->end && piece->end > before->begin;
        if (overlap) return true; /* bytes of one character */
        if (piece->begin != before->end) return false;
    }
    if (piece->blank_before || before->blank_after) return false;
    /* A mark by itself waits for its word. */
    if (!before->text.n || !piece->text.n) return true;
    bool marks = all_punctuation(piece->text), marks_before = all_punctuation(before->text);
    if (marks && marks_before) return first_char(piece->text) == last_char(before->text);
    if (marks)
        return is_joiner(piece->text) ||
               (is_number_mark(piece->text) && char_is_numeric(last_char(before->text)));
    if (marks_before)
        return inside && (is_joiner(before->text) || (is_number_mark(before->text) &&
                                                      char_is_numeric(first_char(piece->text))));
    return !is_spaceless_script(last_char(before->text)) ||
           !is_spaceless_script(first_char(piece->text));
}

/* "▁" by itself begins the word that the next piece goes on with, whoever has the blank's byte:
 * what a decoder writes shows it only when the next piece is there. */
static bool after_lone_mark(const Token *before, const Token *token, TokenStyle style) {
    return style == TOKEN_METASPACE && str_is(before->label, metaspace) &&
           !str_starts(token->label, metaspace);
}

/* A hyphen at the end of a word that does not go on is no part of it. */
static bool joiner_holds(const Stretch *pieces, const Token *tokens, int i, int n) {
    if (!is_joiner(pieces[i].text) && !is_number_mark(pieces[i].text)) return true;
    return i + 1 < n && !pieces[i + 1].closed && tokens[i + 1].second == tokens[i].second &&
           goes_on(&pieces[i], &pieces[i + 1], true) && !all_punctuation(pieces[i + 1].text);
}

static Str word_label(const Word *word, const Stretch *pieces, const Tokens *tokens,
                      TokenStyle style, Arena *arena) {
    Str text = word->second ? tokens->pair : tokens->text;
    if (pieces[word->first].closed) return tokens->items[word->first].label;
    if (word->end > word->begin) return str_sub(text, (size_t)word->begin, (size_t)word->end);
    StrBuf joined = {0};
    for (int i = word->first; i < word->first + word->n_tokens; i++)
        strbuf_add(&joined, pieces[i].text.data, pieces[i].text.n);
    Str label = joined.n ? token_pretty(strbuf_str(&joined), TOKEN_PLAIN, arena)
                         : token_pretty(tokens->items[word->first].label, style, arena);
    strbuf_free(&joined);
    return label;
}

bool token_is_unread(const Token *token, Str text) {
    bool spanned = token->begin >= 0 && token->end > token->begin && (size_t)token->end <= text.n;
    if (!token->special || !spanned) return false;
    Stretch piece = stretch_of_span(token, text);
    return piece.text.n > 0 && !str_eq(piece.text, token->label);
}

static Stretch stretch_of(const Tokens *tokens, int i, TokenStyle style, Arena *arena) {
    const Token *token = &tokens->items[i];
    Str text = token->second ? tokens->pair : tokens->text;
    if (token->special && !token_is_unread(token, text))
        return (Stretch){.text = token->label, .closed = true};
    bool spanned = token->end >= token->begin && token->begin >= 0 && token->end > 0 &&
                   (size_t)token->end <= text.n;
    Stretch piece = spanned ? stretch_of_span(token, text) : stretch_of_label(token, style, arena);
    if (style == TOKEN_METASPACE && str_is(token->label, metaspace)) piece.blank_before = true;
    return piece;
}

Words words_read(const Tokens *tokens, Arena *arena) {
    int n = tokens->n;
    Words words = {.items = arena_calloc(arena, (size_t)n + 1, sizeof *words.items),
                   .of = arena_calloc(arena, (size_t)n + 1, sizeof *words.of)};
    Stretch *pieces = arena_calloc(arena, (size_t)n + 1, sizeof *pieces);
    TokenStyle style = token_style(tokens->items, n);
    for (int i = 0; i < n; i++)
        pieces[i] = stretch_of(tokens, i, style, arena);
    bool inside = false; /* the token before goes on with a word that has text already */
    for (int i = 0; i < n; i++) {
        const Token *token = &tokens->items[i], *before = token - 1;
        bool joined =
            i > 0 && !pieces[i].closed && !pieces[i - 1].closed &&
            token->second == before->second &&
            (after_lone_mark(before, token, style) ||
             goes_on(&pieces[i - 1], &pieces[i], inside)) &&
            (!all_punctuation(pieces[i].text) || !pieces[i - 1].text.n ||
             all_punctuation(pieces[i - 1].text) || joiner_holds(pieces, tokens->items, i, n));
        inside = joined && (inside || pieces[i - 1].text.n > 0);
        if (!joined)
            words.items[words.n++] = (Word){.first = i,
                                            .begin = pieces[i].begin,
                                            .end = pieces[i].end,
                                            .special = true,
                                            .second = token->second};
        Word *word = &words.items[words.n - 1];
        word->n_tokens++;
        word->special = word->special && (token->special || !pieces[i].text.n);
        if (word->begin == word->end && pieces[i].spanned) word->begin = pieces[i].begin;
        if (pieces[i].end > word->end) word->end = pieces[i].end;
        words.of[i] = words.n - 1;
    }
    for (int w = 0; w < words.n; w++)
        words.items[w].label = word_label(&words.items[w], pieces, tokens, style, arena);
    return words;
}
