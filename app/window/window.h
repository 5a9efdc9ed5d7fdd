/* The window's own state, shared by the files of this folder and by nobody else.
 *
 *     Window *window = window_open(&options, &error);
 *     window_loop(window);                          until it is closed
 *     window_close(window);                         keeps the session
 *
 * One frame: events -> ui input -> window_frame() draws and changes `state` -> window_sync() sees
 * what changed and gives the worker what has to be done -> the worker's answers come back as
 * events. No event, no frame.
 */
#ifndef APP_WINDOW_WINDOW_H
#define APP_WINDOW_WINDOW_H

#include "app/history.h"
#include "app/model_path.h"
#include "app/state.h"
#include "app/views.h"
#include "app/window/pass.h"
#include "app/window/settings.h"
#include "app/window/textfield.h"
#include "app/window/ui.h"
#include "app/worker.h"
#include "model/hub.h"

/* What the worker does, most urgent first. */
enum { SLOT_LOAD, SLOT_RUN, SLOT_DRAW, SLOT_EXPORT, SLOT_SCAN, SLOT_SCORE };

/* A picture and what it was made from. */
typedef struct Shown {
    Figure *figure; /* NULL: it could not be made, see error */
    ViewReport report;
    const View *view;
    double width, height; /* it was asked for, points */
    Place head; /* attention, layer and head that the picture is about; -1: several, or a mean */
    ErrorKind kind;
    char error[1024];
} Shown;
void shown_free(Shown *shown); /* NULL is fine */

/* How the figure lies in its area, and its last play. */
typedef struct Picture {
    Box area;               /* units */
    double zoom;            /* 1: as it was laid out */
    double x, y;            /* units: of the page's corner, relative to the area's */
    bool touched;           /* the user zoomed or panned: keep it over new figures */
    uint32_t *pixels;       /* [height][width] of the last play */
    int width, height;      /* pixels */
    bool dirty;             /* the play is out of date */
    double moving_until_ms; /* quick matrices until then */
    double page_w, page_h;  /* of the figure placed last */
    double relayout_at_ms;  /* lay the figure out anew for this zoom; 0: no need */
    double laid_zoom;       /* zoom that the figure was laid out for */
    bool dragging, setting; /* panning; dragging a weight onto another key */
    bool dragged;           /* far enough to be no click */
    Place set_from;
    double press_x, press_y, last_x, last_y; /* units, of a drag */
} Picture;

typedef enum Panel {
    PANEL_NONE,
    PANEL_PALETTE,
    PANEL_HELP,
    PANEL_OPEN,
    PANEL_EXPORT,
    PANEL_HEADS,
    PANEL_BEAM,
    PANEL_LINES,
    PANEL_OPTIONS,
    PANEL_VALUES,
    PANEL_VIEWS,     /* the views as a drawer, where the window is narrow */
    PANEL_INSPECTOR, /* the inspector as a drawer */
} Panel;

typedef enum SaveKind { SAVE_PNG, SAVE_SVG, SAVE_WINDOW, SAVE_SESSION } SaveKind;

typedef enum HeadOrder {
    ORDER_PLACE,
    ORDER_ENTROPY,
    ORDER_DISTANCE,
    ORDER_DIAGONAL,
    ORDER_SPECIAL,
    N_HEAD_ORDERS
} HeadOrder;

/* Sentences or pairs of a file. */
typedef struct Line {
    char *text, *target; /* target NULL: none */
    double score, worst; /* log-probability of the sentence, lowest of a word; NAN: not known */
    bool tried;
} Line;

enum { MAX_FIELDS = 48, MAX_MODELS = 64, MAX_LINES = 5000 };

/* What is dear to find out and asked for in every frame. */
typedef struct Remembered {
    const Theme *map_theme;
    Color map[256]; /* of the little thumbnails */
    StrBuf quiet;   /* the quiet line that was broken last, with its width */
    double quiet_width;
    int n_quiet;
    Str quiet_lines[4]; /* of `quiet` */
    const void *fits_pass, *fits_shown, *fits_loaded;
    char reasons[32][256]; /* by view: why it is grey; empty: it is not */
} Remembered;

typedef struct Window {
    SDL_Window *sdl;
    SDL_Cursor *cursors[SDL_NUM_SYSTEM_CURSORS];
    Uint32 wake_event;
    bool quit, full_screen;
    bool
        unattended; /* opened for its screenshot: wherever the pointer happens to be says nothing */
    double dpi_scale, user_scale; /* user_scale: --scale and Ctrl +/- */
    double width, height;         /* units */
    char *screenshot;             /* write the next frame here; owned */
    Ui ui;
    Settings settings;
    State state, asked_run, asked_draw;
    History *history;
    Worker *worker;
    Text *worker_fonts;
    Loaded *loaded;
    char load_error[1024], run_error[1024]; /* why there is no model, or no picture */
    bool first_load;
    bool view_unsaid; /* the view is nobody's choice: the first model's kind decides */
    Pass *pass;
    Shown *shown;
    double asked_width, asked_height;
    Place asked_place;   /* selection that the picture was asked for */
    double run_since_ms; /* 0: none runs */
    Place hover;
    int hover_series;
    Picture picture;
    TextField source, pair, target; /* target: also the continuation of one causal stack */
    bool target_own;                /* the target field shows the model's own words */
    char notice[1100];              /* the line at the bottom of the picture */
    bool notice_bad;
    bool notice_stays;      /* it is about the start: what succeeds later does not take it back */
    double notice_until_ms; /* 0: stays */
    bool playing;
    double next_step_ms;
    uint8_t *muted; // [n_muted] by layer * heads + head; 1: left out of the shown heads
    Panel panel;
    UiScroll side_scroll, inspector_scroll, panel_scroll, grid_scroll, strip_scroll;
    TextField query; /* of the palette, the path fields, the options */
    int chosen;      /* row of a panel's list */
    bool folded[8];  /* groups of the inspector */
    HeadOrder order;
    bool order_down;
    SaveKind save; /* what the export panel writes */
    char **found;  /* completions or models; owned */
    int n_found;
    HubModel *models; /* of the last scan; models_arena's */
    int n_models;
    Arena *models_arena;
    Line *lines;
    int n_lines, at_line;
    int line_order;         /* 0 file, 1 score, 2 worst word */
    int *line_rows;         // [n_lines] in that order
    unsigned lines_version; /* another file, another model: other scores */
    char lines_name[256];
    TextField fields[MAX_FIELDS]; /* of the options panel */
    bool fields_fresh;
    Shown *values; /* of a hook, shown over the picture */
    char values_title[160];
    Remembered kept;
} Window;

typedef struct WindowOptions {
    const char *model, *text, *session, *theme, *file, *screenshot;
    double scale;      /* 0: 1 */
    int width, height; /* 0: as last time */
    Trace *trace;      /* shown instead of a model; taken over */
    bool fresh;        /* do not read or keep the session: tests and benches */
} WindowOptions;

Window *window_open(const WindowOptions *options, Error *error);
/* The window itself, without anything in it; false where no display is. */
bool window_open_display(Window *window, const WindowOptions *options, Error *error);
void window_close(Window *window); /* NULL is fine; keeps the session */
void window_loop(Window *window);

/* One step of the loop, for tests and benches: waits for an event at most this long. */
void window_step(Window *window, int wait_ms);
/* Steps until the worker has nothing left and the picture is there; false after limit_ms. */
bool window_settle(Window *window, int limit_ms);
void window_frame(Window *window); /* draws; window_present() shows it */
void window_present(Window *window);
double window_now_ms(void);
double window_scale(const Window *window); /* pixels a unit */

/* ---- what any part may ask for ---- */
void window_apply_theme(Window *window); /* the state's */
void window_notice(Window *window, bool bad, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void window_sync(Window *window);                        /* gives the worker what has changed */
void window_remember(Window *window);                    /* one step of undo */
void window_load(Window *window, const char *name);      /* NULL: the shipped model */
void window_open_path(Window *window, const char *path); /* whatever lies there */
void window_set_text(Window *window, const char *text, const char *target);
void window_fields_from_state(Window *window);
void window_state_from_fields(Window *window);
/* A session: JSON, or the spec that a figure carries. */
bool session_read(State *state, const char *path, Error *error);
bool window_state_text(Window *window, const char *json, const char *where);
const Model *window_model(const Window *window); /* NULL: none open */
const View *window_view(const Window *window);   /* never NULL */
Place window_head(const Window *window);         /* attention, layer and head in sight */
Place window_selected(const Window *window);     /* hovered, else locked, else none */
void window_go_head(Window *window, Place head); /* layer and head of the state */
void window_export(Window *window, const char *path);
void window_values(Window *window, const char *hook);
bool window_view_fits(Window *window, const View *view, char reason[256]);
bool window_busy(const Window *window);
void window_wake(void *window); /* from any thread: an event, so that a frame follows */

/* ---- the picture ---- */
void picture_place(Window *window, Box area); /* where it is to be drawn, before it is */
void picture_fit(Window *window);
void picture_zoom(Window *window, double factor, double x, double y); /* about a point, units */
void picture_pan(Window *window, double dx, double dy);
void picture_refocus(Window *window); /* the selection has changed */
void picture_placed(Window *window);  /* a new figure has come */
void picture_wanted(const Window *window, double *width, double *height);
double picture_factor(const Window *window); /* units a point, as it is drawn now */
UiId picture_id(void);
void picture_draw(Window *window, Box area);
bool picture_shows_progress(const Window *window);

/* ---- the parts of the window ---- */
void topbar_draw(Window *window, Box box);
double topbar_height(Window *window, double width);
void sidebar_draw(Window *window, Box box, bool narrow);
void sidebar_list(Window *window, Box box);
void inspector_draw(Window *window, Box box);
void strip_draw(Window *window, Box box);
bool strip_wanted(const Window *window);
void header_draw(Window *window, Box box);
double header_height(Window *window, double width);
void panel_draw(Window *window);
void panel_open(Window *window, Panel panel);
void panel_close(Window *window);
/* A list under a panel's field: arrows and pointer move window->chosen. Returns the row that was
 * clicked, or -1. draw_row: row `i` of the caller's `rows`. */
typedef struct PanelList {
    const char *name; /* of the widget */
    int n;
    double pitch; /* units */
    void (*draw_row)(Window *window, Box row, const void *rows, int i, bool chosen);
    const void *rows;
} PanelList;
int panel_list(Window *window, Box box, const PanelList *list);
bool panel_entered(Window *window); /* Return, on either keypad */
void panel_palette(Window *window, Box box);
void panel_help(Window *window, Box box);
void panel_open_model(Window *window, Box box);
void panel_export(Window *window, Box box);
void panel_heads(Window *window, Box box);
void panel_beam(Window *window, Box box);
void panel_lines(Window *window, Box box);
void panel_options(Window *window, Box box);

/* ---- steps of what was written ---- */
int steps_n(const Window *window);
int steps_at(const Window *window); /* in sight: the step, else the locked decoder word, the last */
/* Is the place's query there by the step that is shown? */
bool steps_reached(const Window *window, const Place *place);
void steps_go(Window *window, int step);
void steps_play(Window *window, bool play);
void steps_choose(Window *window, int step, int32_t id); /* another candidate, and go on */

/* ---- edits ---- */
bool edit_head_factor(const Window *window, Place head, double *factor); /* false: none set */
void edit_set_factor(Window *window, Place head, double factor);         /* 1 takes the edit away */
void edit_set_weight(Window *window, Place cell, double weight);
void edit_clear(Window *window);

/* ---- heads that are shown ---- */
void heads_toggle(Window *window, Place head, bool alone);
bool heads_shown(const Window *window, Place head);

/* ---- lines of a file ---- */
bool lines_load(Window *window, const char *path, Error *error);
void lines_go(Window *window, int row);
void lines_sort(Window *window, int order);
void lines_note_score(Window *window);
/* In an order by scores all lines are run, one after the other, while nothing else is. */
void lines_score_on(Window *window);
int lines_n_scored(const Window *window);
void lines_forget_scores(Window *window);
double lines_worst(const Pass *pass);
void lines_free(Window *window);

#endif
