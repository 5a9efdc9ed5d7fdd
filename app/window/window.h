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
#include "app/window/shown.h"
#include "app/window/textfield.h"
#include "app/window/ui.h"
#include "app/worker.h"
#include "model/hub.h"

/* What the worker does, most urgent first. */
enum { SLOT_LOAD, SLOT_RUN, SLOT_DRAW, SLOT_EXPORT, SLOT_SCAN, SLOT_SCORE };

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
    double laid_before;     /* of this one, while one for another zoom is on its way; or 0 */
    double laid_most;       /* its cells grow no further; 0: not known */
    double content;         /* points: how tall the figure's cells are together */
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
    bool unattended; /* opened for its screenshot: where the pointer happens to be says nothing */
    double dpi_scale, user_scale; /* user_scale: --scale and Ctrl +/- */
    double width, height;         /* units */
    char *screenshot;             /* write the next frame here; owned */
    Ui ui;
    Settings settings;
    double keep_at_ms; /* when the session is written if it has changed; 0: nothing was drawn */
    State state, asked_run, asked_draw;
    History *history;
    Worker *worker;
    Text *worker_fonts;
    Loaded *loaded;
    char load_error[1024], run_error[1024]; /* why there is no model, or no picture */
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
void window_remember(Window *window);            /* one step of undo */
const Model *window_model(const Window *window); /* NULL: none open */
const View *window_view(const Window *window);   /* never NULL */
Place window_head(const Window *window);         /* attention, layer and head in sight */
Place window_selected(const Window *window);     /* hovered, else locked, else none */
bool window_view_fits(Window *window, const View *view, char reason[256]);
bool window_busy(const Window *window);
bool window_narrow(const Window *window); /* no room for names beside the icons */
bool window_words(const Window *window);  /* the view joins sub-words */
void window_wake(void *window);           /* from any thread: an event, so that a frame follows */

/* ---- state.c ---- */
void window_sync(Window *window); /* gives the worker what has changed */
/* Another state, of a session or of the history; where: what a notice calls it. */
bool window_state_text(Window *window, const char *json, const char *where);

/* ---- window_files.c ---- */
void window_open_path(Window *window, const char *path); /* whatever lies there */
/* A session: JSON, or the spec that a figure carries. */
bool session_read(State *state, const char *path, Error *error);

#endif
