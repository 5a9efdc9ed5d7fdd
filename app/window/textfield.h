/* A field for the user's text, any script and direction, one line or growing to several.
 *
 *     TextField field = {0};
 *     double height = textfield_height(ui, &field, width, 5);
 *     TextFieldEvent e = textfield_draw(ui, id, box, &field, &(TextFieldLook){.hint = "Sentence"});
 *     if (e.changed) run(textedit_text(&field.edit));
 *
 * Shaped by pango through render/text. Keys: caret moves (with Ctrl by word), Home, End, selection
 * with Shift or the pointer, double click a word, clipboard, undo and redo.
 */
#ifndef APP_WINDOW_TEXTFIELD_H
#define APP_WINDOW_TEXTFIELD_H

#include "app/window/textedit.h"
#include "app/window/ui.h"

typedef struct TextField {
    TextEdit edit;
    double scroll;      /* units: down when it has lines, to the right when it has one */
    double goal_x;      /* of up and down moves; -1: none */
    uint64_t seen;      /* edit.revision at the last draw */
    size_t caret_seen;  /* to keep the caret in sight only when it moved */
    double blink_at_ms; /* caret is full from here on */
    /* lines of the last layout */
    int n_lines;
    size_t *starts; /* [n_lines + 1] bytes */
    uint64_t laid_revision;
    double laid_width, laid_size;
    size_t laid_preedit;
} TextField;

/* A stretch of the text with a mark under it. */
typedef struct TextMark {
    size_t begin, end; /* bytes */
    double value;      /* 0..1 */
    bool warn;         /* drawn in the warning colour */
} TextMark;

typedef struct TextFieldLook {
    const char *hint;      /* while it is empty */
    bool single;           /* one line that scrolls sideways */
    bool dimmed;           /* drawn softly: the model's words, not the user's */
    double size;           /* of the type; 15 when 0 */
    const TextMark *marks; // [n_marks] bars under words
    int n_marks;
    const char *tip;
    bool borrow_ends; /* Up, Down and Return go to the caller (lists below a path field) */
} TextFieldLook;

typedef struct TextFieldEvent {
    bool changed, submitted, left; /* left: Escape */
    bool truncated;                /* something pasted did not fit */
} TextFieldEvent;

void textfield_free(TextField *field);
double textfield_height(Ui *ui, TextField *field, double width, int max_lines);
TextFieldEvent textfield_draw(Ui *ui, UiId id, Box box, TextField *field,
                              const TextFieldLook *look);

#endif
