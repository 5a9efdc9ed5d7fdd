/* Widgets without memory of their own: a value goes in, "changed" comes out.
 *
 *     ui_begin(ui, now_ms);
 *     if (ui_button(ui, ui_id("fit", 0), box, "Fit", UI_QUIET)) picture_fit(picture);
 *     if (ui_slider(ui, ui_id("scale", 0), box, &factor, 0, 2)) ...
 *     ui_end(ui);                                     menus and tooltips on top
 *
 * Input and drawing are one pass, so what a click changes is drawn in the next frame: widgets set
 * ui->again. A widget is hot when the pointer is on it and nothing that floats lies between, active
 * while it is held, focused when keys go to it. Tab walks the widgets in the order they are drawn.
 */
#ifndef APP_WINDOW_UI_H
#define APP_WINDOW_UI_H

#include <SDL.h>

#include "app/window/label.h"
#include "render/theme.h"

typedef uint64_t UiId;

typedef enum UiEventKind { UI_KEY, UI_TEXT, UI_COMPOSE } UiEventKind;
typedef struct UiEvent {
    UiEventKind kind;
    SDL_Keycode key;
    bool shift, ctrl, alt;
    bool repeat;
    char text[64]; /* UTF-8 of TEXT and COMPOSE */
    int caret;     /* COMPOSE: characters before it */
    bool used;
} UiEvent;

enum { UI_MAX_EVENTS = 64, UI_MAX_FOCUS = 2048, UI_MAX_FLOATS = 8, UI_MAX_MENU = 64 };

typedef struct UiInput {
    double x, y; /* pointer, units; -1e6 while it is outside */
    bool down, pressed, released, right_pressed, moved;
    int clicks; /* 2: the second of a double click */
    double wheel_x, wheel_y;
    bool shift, ctrl, alt;
    int n_events;
    UiEvent events[UI_MAX_EVENTS];
} UiInput;

typedef struct UiMenu {
    UiId owner; /* 0: closed */
    Box anchor, box;
    int n, current, hover;
    char items[UI_MAX_MENU][96];
    double scroll;
    bool fresh; /* opened in this frame: the click that opened it does not close it */
} UiMenu;

typedef struct Ui {
    Paint paint;
    Labels *labels;
    Canvas *canvas; /* for the user's text */
    const Theme *theme;
    UiInput in;
    UiId hot, active, focus;
    bool focus_visible; /* the focus was last moved by a key */
    UiId focusable[UI_MAX_FOCUS];
    int n_focusable;
    Box floats[UI_MAX_FLOATS], floats_before[UI_MAX_FLOATS];
    int n_floats, n_floats_before;
    int level; /* widgets of level n lie above the floats 0..n-1 */
    UiMenu menu;
    UiId menu_done;
    int menu_value;
    char tip[512];
    Box tip_box;
    UiId tip_id, tip_of;
    double tip_since_ms, now_ms;
    bool tip_shown;
    bool again;       /* draw another frame at once */
    double wake_ms;   /* draw another frame then; 0: no need */
    bool text_had;    /* text_wanted of the frame before */
    bool text_wanted; /* a text field has the focus: input methods on */
    Box text_box;     /* where its caret is */
    SDL_SystemCursor cursor;
    bool modal; /* only widgets on a float can be reached by keys */
} Ui;

UiId ui_id(const char *name, int index);

void ui_begin(Ui *ui, double now_ms);
void ui_end(Ui *ui);
/* What floats above: registers the box; widgets drawn until ui_float_end lie on it. */
void ui_float_begin(Ui *ui, Box box);
void ui_float_end(Ui *ui);

typedef struct UiState {
    bool hot, held, clicked, double_clicked, focused, entered;
} UiState;
/* The heart of every widget. entered: Return or Space while focused; clicked includes it. */
UiState ui_widget(Ui *ui, UiId id, Box box, bool focusable);
/* The same for what takes letters: Return and Space are its own. */
UiState ui_widget_typed(Ui *ui, UiId id, Box box);
void ui_focus(Ui *ui, UiId id);
/* The first unused press of this key; marks it used. */
bool ui_key(Ui *ui, SDL_Keycode key, bool ctrl, bool shift);
/* Shown after half a second over the widget drawn last. */
void ui_tip(Ui *ui, UiId id, Box box, const char *text);
void ui_ring(Ui *ui, UiId id, Box box, double radius); /* visible focus */
bool ui_pointer_in(const Ui *ui, Box box);             /* and nothing floats above */

typedef enum UiLook { UI_QUIET, UI_PILL, UI_PRIMARY, UI_ROW, UI_TAB } UiLook;
typedef struct UiButton {
    UiLook look;
    bool selected, disabled;
    const char *hint; /* at the right end: a key */
    const char *tip;
} UiButton;
bool ui_button(Ui *ui, UiId id, Box box, const char *label, UiButton button);
bool ui_toggle(Ui *ui, UiId id, Box box, const char *label, bool *value, const char *tip);
bool ui_slider(Ui *ui, UiId id, Box box, double *value, double low, double high, double step);
/* A pill that opens a list; *value is the index. items must outlive the call only. */
bool ui_choice(Ui *ui, UiId id, Box box, const char *prefix, const char *const *items, int n,
               int *value, const char *tip);
/* The same under a label of its own. */
bool ui_menu_button(Ui *ui, UiId id, Box box, const char *label, const char *const *items, int n,
                    int *value, const char *tip);
/* Tabs in one row, as wide as their words; returns the width used. */
double ui_segments(Ui *ui, UiId id, Box box, const char *const *items, const bool *enabled, int n,
                   int *value, bool *changed);

typedef enum UiIcon {
    ICON_PLAY,
    ICON_PAUSE,
    ICON_BACK,
    ICON_FORWARD,
    ICON_FIRST,
    ICON_LAST,
    ICON_DOWN,
    ICON_CLOSE,
    ICON_MENU,
    ICON_PANEL,
    ICON_FIT,
    ICON_ARROW,
    ICON_UP,
    N_ICONS
} UiIcon;
void ui_icon(Ui *ui, UiIcon icon, Box box, Color color);
bool ui_icon_button(Ui *ui, UiId id, Box box, UiIcon icon, bool selected, const char *tip);

/* Words. */
typedef enum UiTone { UI_INK, UI_SOFT, UI_FAINT, UI_ACCENT, UI_WARN } UiTone;
Color ui_color(const Ui *ui, UiTone tone);
double ui_text(Ui *ui, const char *text, Box box, double size, int weight, UiTone tone,
               LabelAlign align);
double ui_number(Ui *ui, const char *text, Box box, double size, UiTone tone, LabelAlign align);
/* A shaped line within the clip; x, y: pixels, of the baseline's start; style.size in pixels. */
void ui_line(Ui *ui, double x, double y, Str text, TextStyle style, Color color);
/* The user's text, by pango, in the middle of a box; shortened to fit. */
double ui_user_text(Ui *ui, Str text, Box box, double size, int weight, Color color,
                    LabelAlign align);
/* A token in the middle of its chip. Of one that is a blank alone its mark is seen: quiet, unless
 * it is strong, and large enough to be read as one. */
void ui_token(Ui *ui, Str text, Box box, bool strong, Color ink);
double ui_user_width(Ui *ui, Str text, double size); /* of its widest line, unbroken */
/* Broken into lines within box.w, from the top; returns the height. draw false: only that. */
double ui_user_wrapped(Ui *ui, Str text, Box box, double size, Color color, bool draw);
/* A group's small upper-case heading. */
void ui_heading(Ui *ui, const char *text, Box box);

/* A column that scrolls by wheel when its content is taller than the box. */
typedef struct UiScroll {
    double offset, content;
} UiScroll;
/* Returns where the content begins; clip is set until ui_scroll_end. */
Box ui_scroll_begin(Ui *ui, UiId id, Box box, UiScroll *scroll, PaintClip *outer);
void ui_scroll_end(Ui *ui, UiId id, Box box, UiScroll *scroll, double content, PaintClip outer);

#endif
