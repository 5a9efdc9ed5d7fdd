/* See textedit.h. Undo keeps whole texts: a field is short, and a snapshot cannot go wrong. */
#include "app/window/textedit.h"

#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

#include "model/base/utf8.h"

void textedit_clean(Str text, StrBuf *out) {
    for (size_t at = 0; at < text.n;) {
        size_t n = 1;
        uint32_t c = utf8_decode(text, at, &n);
        bool crlf = c == '\r' && at + 1 < text.n && text.data[at + 1] == '\n';
        if (crlf) {
            n = 2;
            c = '\n';
        }
        if (c == '\n' || c == '\r' || c == '\t' || c == 0x2028 || c == 0x2029 || c == 0x85) {
            strbuf_putc(out, ' ');
        } else if (c >= 0x20 && (c < 0x7f || c > 0x9f)) {
            char bytes[4];
            strbuf_add(out, bytes, utf8_encode(c, bytes));
        }
        at += n;
    }
}

size_t grapheme_next(Str text, size_t at) {
    if (at >= text.n) return text.n;
    size_t n = 1;
    utf8proc_int32_t state = 0;
    uint32_t before = utf8_decode(text, at, &n);
    at += n;
    while (at < text.n) {
        uint32_t c = utf8_decode(text, at, &n);
        if (utf8proc_grapheme_break_stateful((int)before, (int)c, &state)) break;
        before = c;
        at += n;
    }
    return at;
}

size_t grapheme_before(Str text, size_t at) {
    /* Clusters are only known from a safe start: a blank, or 256 bytes further up. */
    if (at > text.n) at = text.n;
    if (at == 0) return 0;
    size_t start = at > 256 ? at - 256 : 0;
    while (start > 0 && ((unsigned char)text.data[start] & 0xc0) == 0x80)
        start--;
    for (size_t i = at - 1; i > start; i--) {
        if (text.data[i - 1] == ' ' && text.data[i] != ' ' &&
            !((unsigned char)text.data[i] & 0x80)) {
            start = i;
            break;
        }
    }
    size_t last = start;
    for (size_t next = start; next < at; next = grapheme_next(text, next))
        last = next;
    return last;
}

static size_t boundary_at_or_before(Str text, size_t offset) {
    if (offset >= text.n) return text.n;
    size_t before = grapheme_before(text, offset);
    return grapheme_next(text, before) == offset ? offset : before;
}

static bool is_word(Str text, size_t at) {
    size_t n;
    uint32_t c = utf8_decode(text, at, &n);
    switch (utf8proc_category((int)c)) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO:
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_MC:
    case UTF8PROC_CATEGORY_ME:
    case UTF8PROC_CATEGORY_ND:
    case UTF8PROC_CATEGORY_NL:
    case UTF8PROC_CATEGORY_NO:
    case UTF8PROC_CATEGORY_PC:
        return true;
    default:
        return c == '\'' || c == 0x2019;
    }
}

static size_t word_left(Str text, size_t at) {
    while (at > 0 && !is_word(text, grapheme_before(text, at)))
        at = grapheme_before(text, at);
    while (at > 0 && is_word(text, grapheme_before(text, at)))
        at = grapheme_before(text, at);
    return at;
}

static size_t word_right(Str text, size_t at) {
    while (at < text.n && !is_word(text, at))
        at = grapheme_next(text, at);
    while (at < text.n && is_word(text, at))
        at = grapheme_next(text, at);
    return at;
}

Str textedit_text(const TextEdit *edit) {
    return (Str){edit->text ? edit->text : "", edit->n};
}

bool textedit_has_selection(const TextEdit *edit) {
    return edit->caret != edit->anchor;
}

static size_t selection_begin(const TextEdit *edit) {
    return edit->caret < edit->anchor ? edit->caret : edit->anchor;
}

static size_t selection_end(const TextEdit *edit) {
    return edit->caret < edit->anchor ? edit->anchor : edit->caret;
}

Str textedit_selected(const TextEdit *edit) {
    return str_sub(textedit_text(edit), selection_begin(edit), selection_end(edit));
}

static TextSnapshot snapshot_take(const TextEdit *edit) {
    TextSnapshot s = {malloc(edit->n + 1), edit->n, edit->caret, edit->anchor};
    if (!s.text) abort();
    memcpy(s.text, textedit_text(edit).data, edit->n);
    return s;
}

static void undo_forget(TextEdit *edit, int from) {
    for (int i = from; i < edit->n_undo; i++)
        free(edit->undo[i].text);
    edit->n_undo = from;
    if (edit->at_undo > from) edit->at_undo = from;
}

static void undo_push(TextEdit *edit) {
    undo_forget(edit, edit->at_undo);
    if (edit->n_undo == TEXTEDIT_MAX_UNDO) {
        free(edit->undo[0].text);
        memmove(edit->undo, edit->undo + 1, (TEXTEDIT_MAX_UNDO - 1) * sizeof *edit->undo);
        edit->n_undo--;
    }
    edit->undo[edit->n_undo++] = snapshot_take(edit);
    edit->at_undo = edit->n_undo;
}

void textedit_free(TextEdit *edit) {
    undo_forget(edit, 0);
    free(edit->text);
    strbuf_free(&edit->preedit);
    *edit = (TextEdit){0};
}

static void reserve(TextEdit *edit, size_t n) {
    if (n + 1 <= edit->capacity) return;
    edit->capacity = (n + 1) * 2;
    edit->text = realloc(edit->text, edit->capacity);
    if (!edit->text) abort();
}

/* text[begin..end) becomes `with`, which is clean; the caret stands behind it. */
static void splice(TextEdit *edit, size_t begin, size_t end, Str with) {
    size_t room = TEXTEDIT_MAX_BYTES - (edit->n - (end - begin));
    edit->truncated = with.n > room;
    if (edit->truncated) with.n = boundary_at_or_before(with, room);
    reserve(edit, edit->n - (end - begin) + with.n);
    memmove(edit->text + begin + with.n, edit->text + end, edit->n - end);
    if (with.n) memcpy(edit->text + begin, with.data, with.n);
    edit->n = edit->n - (end - begin) + with.n;
    edit->text[edit->n] = 0;
    edit->caret = edit->anchor = boundary_at_or_before(textedit_text(edit), begin + with.n);
    edit->revision++;
}

void textedit_set(TextEdit *edit, Str text) {
    StrBuf clean = {0};
    textedit_clean(text, &clean);
    undo_forget(edit, 0);
    splice(edit, 0, edit->n, strbuf_str(&clean));
    edit->typing = false;
    strbuf_free(&clean);
}

void textedit_replace(TextEdit *edit, Str text) {
    textedit_select_all(edit);
    textedit_insert(edit, text);
}

void textedit_place(TextEdit *edit, size_t offset, bool select) {
    edit->caret = boundary_at_or_before(textedit_text(edit), offset);
    if (!select) edit->anchor = edit->caret;
    edit->typing = false;
}

static size_t move_target(const TextEdit *edit, TextMove move) {
    Str text = textedit_text(edit);
    switch (move) {
    case TEXTEDIT_LEFT:
        return grapheme_before(text, edit->caret);
    case TEXTEDIT_RIGHT:
        return grapheme_next(text, edit->caret);
    case TEXTEDIT_WORD_LEFT:
        return word_left(text, edit->caret);
    case TEXTEDIT_WORD_RIGHT:
        return word_right(text, edit->caret);
    case TEXTEDIT_HOME:
        return 0;
    case TEXTEDIT_END:
        return text.n;
    }
    return edit->caret;
}

void textedit_move(TextEdit *edit, TextMove move, bool select) {
    bool step = move == TEXTEDIT_LEFT || move == TEXTEDIT_RIGHT;
    if (step && !select && textedit_has_selection(edit)) {
        /* An arrow key collapses a selection to the side it points to. */
        edit->caret = move == TEXTEDIT_LEFT ? selection_begin(edit) : selection_end(edit);
    } else {
        edit->caret = move_target(edit, move);
    }
    if (!select) edit->anchor = edit->caret;
    edit->typing = false;
}

void textedit_select_all(TextEdit *edit) {
    edit->anchor = 0;
    edit->caret = edit->n;
    edit->typing = false;
}

void textedit_select_word(TextEdit *edit, size_t offset) {
    Str text = textedit_text(edit);
    size_t at = boundary_at_or_before(text, offset);
    size_t begin = at, end = at;
    while (begin > 0 && is_word(text, grapheme_before(text, begin)))
        begin = grapheme_before(text, begin);
    while (end < text.n && is_word(text, end))
        end = grapheme_next(text, end);
    if (begin == end) end = grapheme_next(text, end);
    edit->anchor = begin;
    edit->caret = end;
    edit->typing = false;
}

void textedit_insert(TextEdit *edit, Str text) {
    StrBuf clean = {0};
    textedit_clean(text, &clean);
    if (clean.n || textedit_has_selection(edit)) {
        undo_push(edit);
        splice(edit, selection_begin(edit), selection_end(edit), strbuf_str(&clean));
    }
    edit->typing = false;
    strbuf_free(&clean);
}

void textedit_type(TextEdit *edit, Str text) {
    bool joins = edit->typing && edit->at_undo == edit->n_undo && edit->n_undo > 0 &&
                 !textedit_has_selection(edit) && !str_is(text, " ");
    StrBuf clean = {0};
    textedit_clean(text, &clean);
    strbuf_free(&edit->preedit);
    if (clean.n) {
        if (!joins) undo_push(edit);
        splice(edit, selection_begin(edit), selection_end(edit), strbuf_str(&clean));
        edit->typing = true;
    }
    strbuf_free(&clean);
}

void textedit_delete(TextEdit *edit, TextMove move) {
    size_t begin = selection_begin(edit), end = selection_end(edit);
    if (begin == end) {
        size_t to = move_target(edit, move);
        begin = to < edit->caret ? to : edit->caret;
        end = to < edit->caret ? edit->caret : to;
    }
    if (begin == end) return;
    undo_push(edit);
    splice(edit, begin, end, (Str){"", 0});
    edit->typing = false;
}

void textedit_compose(TextEdit *edit, Str preedit, size_t caret) {
    strbuf_free(&edit->preedit);
    textedit_clean(preedit, &edit->preedit);
    edit->preedit_caret = caret < edit->preedit.n ? caret : edit->preedit.n;
}

static void restore(TextEdit *edit, const TextSnapshot *from) {
    reserve(edit, from->n);
    memcpy(edit->text, from->text, from->n);
    edit->n = from->n;
    edit->text[edit->n] = 0;
    edit->caret = from->caret;
    edit->anchor = from->anchor;
    edit->typing = false;
    edit->revision++;
}

/* The step left behind takes the place of the one entered, so that undo and redo swap. */
static void swap_with(TextEdit *edit, TextSnapshot *slot) {
    TextSnapshot now = snapshot_take(edit);
    restore(edit, slot);
    free(slot->text);
    *slot = now;
}

bool textedit_undo(TextEdit *edit) {
    if (edit->at_undo == 0) return false;
    swap_with(edit, &edit->undo[--edit->at_undo]);
    return true;
}

bool textedit_redo(TextEdit *edit) {
    if (edit->at_undo == edit->n_undo) return false;
    swap_with(edit, &edit->undo[edit->at_undo++]);
    return true;
}
