/* The views: what the numbers of a trace mean, as figures. One file each in app/views/, one row
 * each in views.c. The window and `attnscope figure` draw through the same rows.
 *
 *     const View *view = view_find("heatmap");                     or an alias: "model_view"
 *     TraceOptions options = {.sites = view_sites(view, &state, model, arena)};
 *     ViewInput input = {.model = model, .trace = trace, .state = &state};
 *     if (!view_fits(view, &input, &error)) ...    the reason, for a grey entry or an empty state
 *     if (!view_build(view, figure, &input, &error)) ...
 *
 * A Figure owns all it shows; the trace may go away after the build. Every item that stands for a
 * place has the place's text as its id (place.h); view_place() turns a pick into a Place, which is
 * the Selection.
 */
#ifndef APP_VIEWS_H
#define APP_VIEWS_H

#include "app/place.h"
#include "app/state.h"
#include "model/model.h"
#include "model/tokenizer.h"
#include "model/trace.h"
#include "render/figure.h"

/* What a build has to say beside the picture. Zero it before the first build. */
typedef struct ViewReport {
    StrBuf title;    /* "Cross-attention, layer 2, head 3" */
    StrBuf subtitle; /* the quiet line: what rows and columns are, scale, what was hidden */
    StrBuf caption;  /* the sentence for the paper */
    StrBuf remarks;  /* lines: what of the state had no effect on this text */
    int n_series;
    Place *series; // [n_series] which attention, layer and head a pick's series stands for
    int n_queries, n_keys;
    int *query_tokens, *key_tokens; // first token of a pick's query and key: they count words where
                                    // words are drawn; n 0: tokens
} ViewReport;
void view_report_free(ViewReport *report); /* leaves it zeroed */

typedef struct ViewInput {
    const Model *model;         /* NULL: attentions from a file */
    const Tokenizer *tokenizer; /* NULL: labels as the trace has them */
    const Trace *trace;         /* NULL where the view reads the model alone */
    const Trace *baseline;      /* the plain or the other run of a difference; NULL: none */
    const char *baseline_name;  /* "plain", "models/x"; NULL: "plain" */
    const State *state;         /* options; its selection is what is hovered or locked */
    double width_pt, height_pt; /* of the figure; 0: the natural size */
    bool live;          /* in the window: no title and quiet line inside the figure (they are in the
                           report), and the selection is drawn in focus even when it is not locked */
    ViewReport *report; /* NULL: not wanted */
} ViewInput;

typedef enum ViewNeed {
    VIEW_NEEDS_MODEL = 1,    /* weights or config: not to be had from an imported file */
    VIEW_NEEDS_TRACE = 2,    /* a pass */
    VIEW_NEEDS_CROSS = 4,    /* two stacks */
    VIEW_NEEDS_BASELINE = 8, /* a second trace */
    VIEW_NEEDS_PICTURE = 16, /* a model that looks, and what it looked at */
    VIEW_NEEDS_SOUND = 32,   /* a model that listens, and what it heard */
} ViewNeed;

typedef struct View {
    const char *name;         /* "heatmap"; NULL ends the table */
    const char *aliases[4];   /* "head_view"; NULL ends */
    const char *title;        /* "Heatmap", in menus */
    const char *meaning;      /* one line in the field's words */
    const char *empty;        /* what to do while there is nothing to show */
    unsigned needs;           /* ViewNeed */
    const char *const *sites; /* of the layer shown, within its attention ("hook_q"), beside the
                                 patterns; NULL-terminated; NULL: patterns only */
    const char *fields;       /* state fields that matter here, for the controls: "layer head" */
    bool (*build)(Figure *figure, const ViewInput *input, Error *error);
} View;
extern const View views[];

const View *view_find(const char *name); /* name or alias, - for _; NULL if there is none */
/* ERROR_UNSUPPORTED and the reason in one line when the view cannot be filled from this input. */
bool view_fits(const View *view, const ViewInput *input, Error *error);
bool view_build(const View *view, Figure *figure, const ViewInput *input, Error *error);
/* Globs for TraceOptions.sites, NULL-terminated, the arena's: the patterns, and what the view needs
 * for the layers that the state shows. */
const char *const *view_sites(const View *view, const State *state, const Model *model,
                              Arena *arena);

/* The place of a pick in a figure that was built with this report; place_none() if none. */
Place view_place(const ViewReport *report, FigurePick pick);
/* And back: the pick of a place (series -1 when its head is not in the figure). */
FigurePick view_pick(const ViewReport *report, const Place *place);

/* Which attention, layer and head is shown when the state says none: the head that config.json
 * names ({"attnscope": {"alignment_head": "decoder.2.cross_attn:H3"}}), else the layer whose
 * cross-attention has the lowest entropy off the special tokens (head -1: its mean); in one-stack
 * models L0H0. `why` (may be NULL) gets a static text: "the head that the model card names". */
Place view_default_place(const ViewInput *input, const char **why);
/* The head whose weights differ the most between two runs; place_none() if none does by 0.0005. */
Place view_most_changed(const Trace *after, const Trace *before);

#endif
