/* From a trace to what a chart draws: which attention, layers and heads; rows and columns as tokens
 * or words; what is hidden, cut off or averaged, and the words that say so. Every view of patterns
 * goes through here, so that all say the same and nothing is renormalised silently.
 *
 *     Matrices m;
 *     MatricesWish wish = {.words = true, .attention = "cross"};
 *     if (!matrices_read(input, &wish, arena, &m, error)) return false;
 *     Heatmap heatmap = {.n_panels = m.n, .panels = m.items, .queries = m.queries.axis, ...};
 */
#ifndef APP_VIEWS_MATRICES_H
#define APP_VIEWS_MATRICES_H

#include "app/views.h"
#include "app/views/sides.h"
#include "model/pattern.h"
#include "render/chart.h"

typedef struct MatricesWish {
    const char *attention; /* where the state says none: "cross"; NULL: the default place's */
    bool words;            /* where the state says neither words nor tokens */
    bool self_only;        /* queries and keys must be the same tokens: no cross-attention */
    bool one;              /* exactly one matrix: several become their mean */
    bool all_heads;        /* where the state says no head: all of the layer's */
    bool same_tokens;      /* decoder steps are named by what they read, as the keys are */
    bool one_query;        /* what is left out is said of the chosen query alone */
    bool pick_rows;        /* --token leaves only the picked queries' weights */
} MatricesWish;

typedef struct Matrices {
    Place attention;
    int n;
    ChartMatrix *items; // [n]
    Place *places;      // [n] layer or head -1: all of them, by mean or max
    Side queries, keys;
    bool writes;       /* queries are named by the token they write */
    const char *title; /* "Cross-attention, layer 2, head 3" */
    const char *notes; /* "words: ... · 7 % on </s> hidden" */
    float largest;     /* weight among those drawn */
} Matrices;

bool matrices_read(const ViewInput *input, const MatricesWish *wish, Arena *arena, Matrices *out,
                   Error *error);

/* Parts of it, for views that go their own way. */
bool attention_choose(const ViewInput *input, const MatricesWish *wish, Place *out,
                      const char **why, Error *error);
/* The heads of "L5H3,L2H1", in that order; NULL and an error where one is not of this attention. */
Place *heads_named(const char *text, const Place *attention, int n_layers, int n_heads, int *n,
                   Arena *arena, Error *error);
/* "Cross-attention", "Self-attention of the encoder", "Self-attention". */
const char *attention_title(const Place *attention);
bool attention_sides(const ViewInput *input, const Place *attention, bool words, bool reads,
                     Arena *arena, Side *queries, Side *keys, bool *writes);
/* What names a query. */
typedef enum QueryNaming {
    QUERY_TOKEN,  /* itself; or, of an imported cross-attention, whatever the file says */
    QUERY_READS,  /* the token that the decoder step reads */
    QUERY_WRITES, /* the one that it writes */
} QueryNaming;
/* "query: decoder step, named by the word it writes". */
const char *query_title(const Place *attention, QueryNaming naming, bool words);
const char *key_title(const Place *attention, bool words);
/* May the query see the key? What the trace knows of the mask; of an imported self-attention whose
 * every weight above the diagonal is exactly 0 in all heads: causal. */
typedef struct Sight {
    const Pattern *pattern;
    bool causal; /* by its zeros */
} Sight;
Sight sight_of(const Pattern *pattern);
static inline bool sight_sees(const Sight *sight, int64_t query, int64_t key) {
    return !(sight->causal && key > query) && pattern_visible(sight->pattern, query, key);
}

/* The one query that a view is about: --token, else the selection's, else a word in the middle. An
 * error if --token names none. -1 on failure. */
int attention_query(const ViewInput *input, const Place *attention, const Side *queries,
                    Error *error);
/* "2", or "3" when figures count from 1. */
static inline int counted(const State *state, int index) {
    return index + state->base;
}

/* "edited: ablate decoder.2.cross_attn:H3"; NULL where nothing is, or the view itself says so. */
const char *view_edits(const ViewInput *input, Arena *arena);

#endif
