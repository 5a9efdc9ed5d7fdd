/* The state of the application, all of it, as one flat record that goes to JSON and back: session
 * file, undo entry, the spec of a figure (inside every PNG, SVG and PDF) and a page of a lesson are
 * this one thing.
 *
 *     State state;
 *     state_init(&state);                                     all defaults
 *     state_load(&state, "x.json", &error);                   merged over: a file may say a part
 *     state_set(&state, "layer", str("0-2"), &error);         one field, from text
 *     json_t *json = state_json(&state);                      what differs from the defaults
 *     state_free(&state);
 *
 * Fields are rows of the table in state.c: name, kind, bounds. The name is the key in JSON; with -
 * for _ it is an option of `attnscope figure` as well. Unknown keys and wrong values are refused by
 * name, a null sets the default again, and a merge that fails changes nothing.
 * A State owns its texts; copy it with state_copy, never by assignment.
 */
#ifndef APP_STATE_H
#define APP_STATE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "app/place.h"
#include "model/base/error.h"
#include "model/base/str.h"

#define STATE_FORMAT "attnscope-state-1"

/* Several texts, in order. */
typedef struct StateList {
    int n;
    char **items; // [n], owned
} StateList;

/* Texts are NULL where nothing is said. */
typedef struct State {
    /* what is read */
    char *model;           /* folder, file or name of a model; NULL: the shipped one */
    char *model_hash;      /* of the weights, as they were: a spec says which it was drawn from */
    char *text;            /* source, sentence or prompt */
    char *text_pair;       /* second sentence in one stack */
    char *target_text;     /* forced target; NULL: the model's own */
    char *to;              /* target language: "fin" */
    char *source_language; /* where the model wants to be told */
    char *inputs;          /* a safetensors file of ids, of which `row`, in place of texts */
    int row;
    char *image, *audio;
    char *from;    /* attentions computed elsewhere: a file */
    char *against; /* the other side of a difference: a model or a trace */
    StateList
        edits; /* "ablate decoder.2.cross_attn:H3", "scale L5H3=0.5", "patch ...", "set ..." */
    int beam;  /* 0: as the model says */
    int max_new_tokens; /* 0: as the model says */
    /* what is shown */
    char *view;       /* a name of the views' table */
    char *attention;  /* "encoder", "decoder", "cross", "self"; NULL: the view's choice */
    char *layer;      /* "2", "0,2", "0-2", "all", "mean", "max"; NULL: the model card's head */
    char *head;       /* the same */
    char *heads;      /* "L5H3,L2H1": these, whatever layer and head say */
    char *rows;       /* "reads", "writes": what names a decoder step; NULL: writes in cross */
    char *units;      /* "words", "tokens"; NULL: the view's choice */
    char *token;      /* picked queries: "4", "4,7", "katsomassa" */
    double threshold; /* keep the largest weights of a query up to this mass; 0: all */
    int top_k;        /* keep this many of a query; 0: all */
    bool hide_special, hide_punctuation;
    StateList hide;         /* tokens by their label */
    bool renormalise;       /* rows sum to 1 again after hiding; said on the figure */
    bool raw_tokens;        /* the vocabulary's own strings */
    int base;               /* layers, heads and positions count from 0 or 1 */
    bool transpose;         /* keys down, queries across */
    bool number_duplicates; /* "the (2)" */
    bool numbers;           /* weights written into the cells */
    char *range;            /* of the scale: "unit" 0..1, "row" row maximum, "max" the largest */
    char *statistic;        /* of the model view's frames: "entropy", ...; NULL: none */
    char *reduce;           /* "max", "mean": how many cells become one pixel */
    char *orientation;      /* "horizontal", "vertical" */
    bool ribbons;           /* cross: ribbons for lines */
    bool hard;              /* cross: the hard alignment on top */
    char *dims;             /* positions: "0-7" */
    int pair;               /* positions: sine and cosine of this pair; -1: none */
    int n_positions;        /* positions: so many; 0: the view's choice */
    char *box;              /* blocks: the highlighted hook's name */
    /* where the eye is */
    Place selection; /* hovered or locked */
    bool locked;
    int step; /* of a generation; -1: the last */
    /* how it looks */
    char *title;
    char *theme;    /* "light", "dark", "print", "projector"; NULL: light */
    char *colormap; /* "paper", "viridis", ...; NULL: the view's */
    char *size;     /* "84mm", "6in", "1200px", "160x90mm": width, or both; NULL: natural */
    double dpi;     /* 0: 144 */
    char *font;
    bool text_as_paths;
} State;

void state_init(State *state);
void state_free(State *state);                 /* leaves it as after state_init */
void state_copy(State *to, const State *from); /* `to` must be initialised */
bool state_equal(const State *a, const State *b);

/* What differs from the defaults, with "format"; a new reference. */
json_t *state_json(const State *state);
/* The same as text, one line, ended by a NUL; the caller frees. */
char *state_text(const State *state);
/* Lays a partial state over this one; `where` names it in errors ("x.json"). */
bool state_merge(State *state, const json_t *partial, const char *where, Error *error);
bool state_load(State *state, const char *path, Error *error);
bool state_save(const State *state, const char *path, Error *error);

/* One field from text, as on the command line: "layer" or "top-k"; lists append. A flag takes
 * "true", "false". data NULL: the default again. */
bool state_set(State *state, const char *field, Str value, Error *error);
/* Is the field other than its default? */
bool state_is_set(const State *state, const char *field);
/* The command line that draws this state, "attnscope figure heatmap --layer 2 ...", quoted for a
 * POSIX shell; the caller frees. */
char *state_command_line(const State *state);

/* For those who change fields directly. */
void state_put_text(char **field, const char *value); /* copies; NULL empties */
void state_list_add(StateList *list, const char *value);
void state_list_clear(StateList *list);

/* A place is locked; none is any longer. */
void state_select(State *state, Place place);
void state_unselect(State *state);

/* The table, for the palette, the help and the tests. */
typedef enum FieldKind {
    FIELD_TEXT,
    FIELD_CHOICE, /* a text that is one of `choices` */
    FIELD_LIST,
    FIELD_FLAG,
    FIELD_INTEGER,
    FIELD_NUMBER,
    FIELD_PLACE,
} FieldKind;

typedef struct StateField {
    const char *name; /* NULL ends the table */
    FieldKind kind;
    size_t offset;
    const char *choices; /* "reads|writes" */
    double min, max;
    int initial;
} StateField;
extern const StateField state_fields[];
const StateField *state_field(const char *name); /* - for _ too; NULL if there is none */

#endif
