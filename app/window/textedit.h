/* The text of a field while it is edited: caret, selection, undo, composition; no drawing, no SDL.
 *
 *     TextEdit edit = {0};
 *     textedit_set(&edit, str("Tourists visit Finland"));
 *     textedit_move(&edit, TEXTEDIT_WORD_LEFT, false);
 *     textedit_insert(&edit, str("Lapland "));
 *     use(textedit_text(&edit), edit.caret);
 *     textedit_free(&edit);
 *
 * The text is always UTF-8 without control characters; caret and anchor are byte offsets that stand
 * between grapheme clusters (UAX #29, by utf8proc), so no move ever lands inside a combining
 * sequence or an emoji. Moves are logical: the field turns left and right round where the text
 * runs right to left.
 */
#ifndef APP_WINDOW_TEXTEDIT_H
#define APP_WINDOW_TEXTEDIT_H

#include <stdint.h>

#include "model/base/str.h"

enum { TEXTEDIT_MAX_BYTES = 1 << 16, TEXTEDIT_MAX_UNDO = 200 };

typedef enum TextMove {
    TEXTEDIT_LEFT, /* towards the beginning of the text */
    TEXTEDIT_RIGHT,
    TEXTEDIT_WORD_LEFT,
    TEXTEDIT_WORD_RIGHT,
    TEXTEDIT_HOME,
    TEXTEDIT_END,
} TextMove;

typedef struct TextSnapshot {
    char *text;
    size_t n, caret, anchor;
} TextSnapshot;

typedef struct TextEdit {
    char *text; /* owned, NUL behind the last byte once anything was set */
    size_t n, capacity;
    size_t caret, anchor; /* the selection lies between them */
    StrBuf preedit;       /* what an input method is composing, shown at the caret, not yet text */
    size_t preedit_caret; /* byte in preedit */
    uint64_t revision;    /* changes whenever text does */
    bool truncated;       /* the last insertion did not fit whole */
    TextSnapshot undo[TEXTEDIT_MAX_UNDO];
    int n_undo, at_undo; /* undo[0..at_undo) lie behind, [at_undo..n_undo) were undone */
    bool typing;         /* the last change was typed: the next letter joins its undo step */
} TextEdit;

void textedit_free(TextEdit *edit);
/* Replaces everything, caret at the end, undo forgotten. */
void textedit_set(TextEdit *edit, Str text);
/* Replaces everything as one step that can be undone. */
void textedit_replace(TextEdit *edit, Str text);
Str textedit_text(const TextEdit *edit);
Str textedit_selected(const TextEdit *edit);
bool textedit_has_selection(const TextEdit *edit);

/* select: the anchor stays. */
void textedit_move(TextEdit *edit, TextMove move, bool select);
/* To the grapheme boundary at or before a byte offset. */
void textedit_place(TextEdit *edit, size_t offset, bool select);
void textedit_select_all(TextEdit *edit);
void textedit_select_word(TextEdit *edit, size_t offset);

/* In place of the selection. What is not UTF-8 becomes U+FFFD, line breaks and tabs become blanks,
 * other control characters go. */
void textedit_insert(TextEdit *edit, Str text);
/* Typed text: the letters of a word make one undo step. */
void textedit_type(TextEdit *edit, Str text);
/* The selection, or else what lies between the caret and where the move leads. */
void textedit_delete(TextEdit *edit, TextMove move);
void textedit_compose(TextEdit *edit, Str preedit, size_t caret);

bool textedit_undo(TextEdit *edit); /* false: nothing left */
bool textedit_redo(TextEdit *edit);

/* Grapheme boundaries of any text. */
size_t grapheme_next(Str text, size_t at);
size_t grapheme_before(Str text, size_t at);
/* text cleaned as textedit_insert does. */
void textedit_clean(Str text, StrBuf *out);

#endif
