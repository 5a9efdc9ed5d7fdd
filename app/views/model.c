/* Model view: layers down, heads across, a thumbnail each; a coloured frame by a statistic. */
#include <math.h>

#include "app/views/common.h"
#include "app/views/select.h"
#include "model/measure/measure.h"
#include "render/grid.h"

enum { MOST_CELLS = 256 }; /* a side of a thumbnail */

/* Which rows and columns of the patterns are drawn. */
typedef struct Shown {
    int n;
    const int *tokens; // [n] of the trace, or rows of the matrices where there are some
} Shown;

typedef struct Source {
    const Trace *trace;
    Place attention;
    const int *layers, *heads;
    Shown queries, keys;
    int n_seen;            /* query tokens that are there yet */
    int factor;            /* so many tokens a side become one cell: thumbnails are small */
    bool mean;             /* their mean, else the strongest of them */
    int n_rows, n_columns; /* of a thumbnail */
    int mask_layer;        /* the layer that `masked` is of */
    bool *masked;          // [n_rows, n_columns] nothing of the cell may be seen
    bool any_masked;
    float *tile; // [query, key] of one head where the trace does not store it
    const Matrices
        *matrices;  /* layer by layer; NULL: patterns are drawn as they lie in the trace */
    int n_heads;    /* columns */
    bool *left_out; // [layer, head] not among --heads; NULL: all are drawn
} Source;

/* Words, picked queries and rows cut or renormalised are made of all matrices first. */
static bool needs_matrices(const State *state) {
    return (state->units && strcmp(state->units, "words") == 0) || state->token ||
           state->top_k > 0 || state->threshold > 0 || state->renormalise;
}

static Shown shown_rows(const Side *side, Arena *arena) {
    int *rows = arena_alloc(arena, ((size_t)side->axis.n + 1) * sizeof *rows);
    Shown shown = {0, rows};
    for (int r = 0; r < side->axis.n; r++)
        if (!side->axis.tokens[r].hidden) rows[shown.n++] = r;
    return shown;
}

static Shown shown_tokens(const Side *side, Arena *arena) {
    int *tokens = arena_alloc(arena, ((size_t)side->n_tokens + 1) * sizeof *tokens);
    Shown shown = {0, tokens};
    for (int t = 0; t < side->n_tokens; t++)
        if (!side->axis.tokens[side->row_of[t]].hidden) tokens[shown.n++] = t;
    return shown;
}

/* The mask is a layer's, not a head's: looked up once for all its heads. */
static void read_mask(Source *s, const Pattern *p, int layer) {
    if (s->mask_layer == layer) return;
    int64_t n = (int64_t)s->n_rows * s->n_columns;
    Sight sight = sight_of(p);
    s->mask_layer = layer;
    memset(s->masked, 1, (size_t)n * sizeof *s->masked);
    for (int q = 0; q < s->queries.n; q++)
        for (int k = 0; k < s->keys.n; k++)
            if (sight_sees(&sight, s->queries.tokens[q], s->keys.tokens[k]))
                s->masked[(int64_t)(q / s->factor) * s->n_columns + k / s->factor] = false;
    s->any_masked = memchr(s->masked, 1, (size_t)n) != NULL;
}

/* The rows of one head as they lie in the trace, or a copy in the tile. */
static const float *head_rows(const Source *s, const Pattern *p, int head, int64_t *stride) {
    const Tensor *x = &p->stored;
    if (x->data && x->stride[2] == 1) {
        *stride = x->stride[1];
        return x->data + head * x->stride[0];
    }
    pattern_tile(p, head, 0, p->n_queries, 0, p->n_keys, s->tile);
    *stride = p->n_keys;
    return s->tile;
}

/* Sixteen running maxima side by side: what a compiler makes wide. */
enum { LANES = 16 };

static float row_largest(const float *row, int64_t n) {
    float best[LANES] = {0}, largest = 0;
    int64_t k = 0;
    for (; k + LANES <= n; k += LANES)
        for (int i = 0; i < LANES; i++)
            best[i] = row[k + i] > best[i] ? row[k + i] : best[i];
    for (; k < n; k++)
        largest = row[k] > largest ? row[k] : largest;
    for (int i = 0; i < LANES; i++)
        largest = best[i] > largest ? best[i] : largest;
    return largest;
}

static void reduce_pairs(const float *restrict row, int n, float *restrict to) {
    for (int c = 0; c < n / 2; c++) {
        float best = row[2 * c] > to[c] ? row[2 * c] : to[c]; /* keeps what stands there: NaN */
        to[c] = row[2 * c + 1] > best ? row[2 * c + 1] : best;
    }
    if (n % 2) to[n / 2] = fmaxf(to[n / 2], row[n - 1]);
}

/* Adds one query's weights to a row of the thumbnail. */
static void reduce_row(const Source *s, const float *row, float *to) {
    const int *keys = s->keys.tokens;
    bool in_order = s->keys.n > 0 && keys[s->keys.n - 1] == s->keys.n - 1; /* none is hidden */
    if (in_order && !s->mean && s->factor == 2) { /* the strongest of pairs: 257 to 512 tokens */
        reduce_pairs(row, s->keys.n, to);
        return;
    }
    for (int c = 0, k = 0; c < s->n_columns; c++) {
        int end = k + s->factor < s->keys.n ? k + s->factor : s->keys.n;
        float cell = to[c];
        for (; k < end; k++) {
            float w = row[keys[k]];
            if (s->mean)
                cell += w == w ? w : 0; /* absent: not a number */
            else if (w > cell)
                cell = w;
        }
        to[c] = cell;
    }
}

/* How many tokens a side of cell i stands for. */
static int part(const Source *s, int i, int n) {
    return (i + 1) * s->factor <= n ? s->factor : n - i * s->factor;
}

static bool read_head(void *user, int row, int column, Tensor out, Error *error) {
    Source *s = user;
    Pattern p;
    int layer = s->layers[row], head = s->heads[column];
    if (!trace_pattern(s->trace, s->attention.stack, layer, s->attention.cross, &p) ||
        head >= p.n_heads)
        return error_set(error, ERROR_INPUT, "layer %d has no head %d", layer, head);
    int64_t stride, n = (int64_t)s->n_rows * s->n_columns;
    const float *rows = head_rows(s, &p, head, &stride);
    memset(out.data, 0, (size_t)n * sizeof *out.data);
    for (int q = 0; q < s->queries.n && s->queries.tokens[q] < s->n_seen; q++)
        reduce_row(s, rows + s->queries.tokens[q] * stride,
                   out.data + (int64_t)(q / s->factor) * s->n_columns);
    for (int r = 0; r < s->n_rows && s->mean; r++)
        for (int c = 0; c < s->n_columns; c++)
            out.data[(int64_t)r * s->n_columns + c] /=
                (float)(part(s, r, s->queries.n) * part(s, c, s->keys.n));
    read_mask(s, &p, layer);
    for (int64_t i = 0; s->any_masked && i < n; i++)
        if (s->masked[i]) out.data[i] = NAN;
    return true;
}

/* A cell is absent where all that it joins is, masked or left out. */
static bool read_matrix(void *user, int row, int column, Tensor out, Error *error) {
    (void)error;
    const Source *s = user;
    const Matrices *m = s->matrices;
    Tensor weights = m->items[row * s->n_heads + column].weights;
    tensor_fill(out, NAN);
    for (int q = 0; q < s->queries.n; q++)
        for (int k = 0; k < s->keys.n && side_seen(&m->queries, s->queries.tokens[q]); k++) {
            float w = *tensor_at(weights, s->queries.tokens[q], s->keys.tokens[k], 0, 0);
            float *cell = tensor_at(out, q / s->factor, k / s->factor, 0, 0);
            if (isnan(w)) continue;
            if (s->mean)
                w /= (float)(part(s, q / s->factor, s->queries.n) *
                             part(s, k / s->factor, s->keys.n));
            *cell = isnan(*cell) ? w : s->mean ? *cell + w : fmaxf(*cell, w);
        }
    return true;
}

static bool is_drawn(const Source *s, int i) {
    return !s->left_out || !s->left_out[i];
}

/* The largest weight of all heads: the end of the scale. */
static float largest_weight(const Source *s, int n_layers) {
    int n_heads = s->n_heads;
    Pattern p;
    float largest = 0;
    for (int l = 0; l < n_layers; l++)
        for (int h = 0; h < n_heads; h++) {
            if (!is_drawn(s, l * n_heads + h) ||
                !trace_pattern(s->trace, s->attention.stack, s->layers[l], s->attention.cross, &p))
                continue;
            int64_t stride;
            const float *rows = head_rows(s, &p, s->heads[h], &stride);
            for (int64_t q = 0; q < p.n_queries; q++)
                largest = fmaxf(largest, row_largest(rows + q * stride, p.n_keys));
        }
    return largest > 0 ? largest : 1;
}

/* Mean share of a shown query's weight that lies on hidden keys; the rows of both sides are tokens.
 */
static double hidden_share(const Source *s, int n_layers, const Side *keys) {
    int n_heads = s->n_heads;
    Pattern p;
    double sum = 0;
    int n = 0;
    for (int l = 0; l < n_layers; l++)
        for (int h = 0; h < n_heads; h++) {
            if (!is_drawn(s, l * n_heads + h) ||
                !trace_pattern(s->trace, s->attention.stack, s->layers[l], s->attention.cross, &p))
                continue;
            pattern_tile(&p, s->heads[h], 0, p.n_queries, 0, p.n_keys, s->tile);
            for (int q = 0; q < s->queries.n; q++)
                sum += side_hidden_weight(keys, s->tile + s->queries.tokens[q] * p.n_keys);
            n++;
        }
    return n ? sum / n / s->queries.n : 0;
}

static float *read_frames(const Source *s, MeasureId measure, int n_layers, const Side *keys,
                          Arena *arena) {
    int n_heads = s->n_heads;
    float *frames = arena_calloc(arena, (size_t)n_layers * (size_t)n_heads, sizeof *frames);
    for (int l = 0; l < n_layers; l++) {
        Pattern p;
        if (!trace_pattern(s->trace, s->attention.stack, s->layers[l], s->attention.cross, &p))
            continue;
        for (int h = 0; h < n_heads; h++)
            frames[l * n_heads + h] =
                (float)measure_head_one(&p, s->heads[h], keys->special, measure);
    }
    return frames;
}

static const int *copy(const SelectList *list, Arena *arena) {
    int *items = arena_alloc(arena, (size_t)list->n * sizeof *items);
    memcpy(items, list->items, (size_t)list->n * sizeof *items);
    return items;
}

static int place_in(SelectList *list, int item) {
    for (int i = 0; i < list->n; i++)
        if (list->items[i] == item) return i;
    return -1;
}

static int by_number(const void *p, const void *q) {
    return *(const int *)p - *(const int *)q;
}

/* --heads L5H3,L2H1: the rows and columns that have one of them, and nothing beside them. */
static bool choose_heads(const ViewInput *input, Source *s, SelectList *layers, SelectList *heads,
                         int n_layers, int n_heads, Arena *arena, Error *error) {
    int n;
    Place *named =
        heads_named(input->state->heads, &s->attention, n_layers, n_heads, &n, arena, error);
    if (!named) return false;
    for (int i = 0; i < n; i++) {
        if (place_in(layers, named[i].layer) < 0) layers->items[layers->n++] = named[i].layer;
        if (place_in(heads, named[i].head) < 0) heads->items[heads->n++] = named[i].head;
    }
    qsort(layers->items, (size_t)layers->n, sizeof *layers->items, by_number);
    qsort(heads->items, (size_t)heads->n, sizeof *heads->items, by_number);
    s->left_out = arena_alloc(arena, (size_t)layers->n * (size_t)heads->n * sizeof *s->left_out);
    memset(s->left_out, true, (size_t)layers->n * (size_t)heads->n * sizeof *s->left_out);
    for (int i = 0; i < n; i++)
        s->left_out[place_in(layers, named[i].layer) * heads->n + place_in(heads, named[i].head)] =
            false;
    return true;
}

static bool choose(const ViewInput *input, Source *s, SelectList *layers, SelectList *heads,
                   Arena *arena, Error *error) {
    const State *state = input->state;
    const char *why;
    MatricesWish wish = {0};
    if (!attention_choose(input, &wish, &s->attention, &why, error)) return false;
    s->attention = place_attention(s->attention.stack, s->attention.cross);
    int n_layers = trace_n_layers(input->trace, s->attention.stack, s->attention.cross);
    int n_heads = trace_n_heads(input->trace, s->attention.stack, s->attention.cross);
    *layers = *heads = (SelectList){0};
    if (state->heads) {
        if (!choose_heads(input, s, layers, heads, n_layers, n_heads, arena, error)) return false;
    } else if (!select_parse(str(state->layer ? state->layer : "all"), n_layers, "layer", layers,
                             error) ||
               !select_parse(str(state->head ? state->head : "all"), n_heads, "head", heads,
                             error)) {
        return false;
    }
    if (layers->kind != SELECT_EACH || heads->kind != SELECT_EACH)
        return error_set(error, ERROR_INPUT,
                         "the model view shows heads one by one: --layer and --head take numbers, "
                         "lists and ranges here; figure heatmap shows means and single heads");
    s->layers = copy(layers, arena);
    s->heads = copy(heads, arena);
    s->n_heads = heads->n;
    return true;
}

/* What a pick's series stands for: row * n_columns + column. */
static Matrices as_matrices(const Source *s, int n_layers, const Side *queries, const Side *keys,
                            Arena *arena) {
    int n_heads = s->n_heads;
    Matrices m = {.attention = s->attention, .n = n_layers * n_heads};
    m.places = arena_alloc(arena, (size_t)m.n * sizeof *m.places);
    for (int i = 0; i < m.n; i++)
        m.places[i] = place_of_head(s->attention, s->layers[i / n_heads], s->heads[i % n_heads]);
    m.queries = *queries;
    m.keys = *keys;
    return m;
}

static const char *notes_of(const ViewInput *input, const Source *s, const Side *keys, int n_layers,
                            Arena *arena) {
    const State *state = input->state;
    const char *sizes = arena_printf(arena, "%d queries × %d keys", s->queries.n, s->keys.n);
    const char *notes = view_joined(arena, keys->axis.title, sizes);
    if (s->matrices) notes = view_joined(arena, notes, s->matrices->notes);
    if (s->factor > 1)
        notes = view_joined(arena, notes,
                            arena_printf(arena, "%d × %d tokens a cell, their %s", s->factor,
                                         s->factor, s->mean ? "mean" : "strongest"));
    if (!s->matrices) notes = view_joined(arena, notes, view_edits(input, arena));
    if (s->matrices) return notes; /* they say what is hidden, and where counting starts */
    if (keys->n_hidden)
        notes = view_joined(arena, notes,
                            side_hidden_note(keys, 100 * hidden_share(s, n_layers, keys), arena));
    return state->base ? view_joined(arena, notes, "counted from 1") : notes;
}

static char *numbers(const int *items, int n, Arena *arena) {
    StrBuf out = {0};
    for (int i = 0; i < n; i++)
        strbuf_printf(&out, "%s%d", i ? "," : "", items[i]);
    char *text = arena_strdup(arena, out.data);
    strbuf_free(&out);
    return text;
}

/* Every layer with every head, as the other views make them. */
static bool read_matrices(const ViewInput *input, Source *s, int n_layers, Matrices *out,
                          Arena *arena, Error *error) {
    int n_heads = s->n_heads;
    State state = *input->state; /* its texts stay where they are */
    state.layer = numbers(s->layers, n_layers, arena);
    state.head = numbers(s->heads, n_heads, arena);
    state.heads = NULL;
    ViewInput all = *input;
    all.state = &state;
    MatricesWish wish = {.pick_rows = true};
    if (!matrices_read(&all, &wish, arena, out, error)) return false;
    if (out->n != n_layers * n_heads)
        return error_set(error, ERROR_INPUT,
                         "%d x %d heads are too many for words, cut or renormalised rows at once: "
                         "choose some with --layer and --head",
                         n_layers, n_heads);
    s->matrices = out;
    s->queries = shown_rows(&out->queries, arena);
    s->keys = shown_rows(&out->keys, arena);
    return true;
}

static const int *based(const int *numbers, int n, int base, Arena *arena) {
    int *out = arena_alloc(arena, (size_t)n * sizeof *out);
    for (int i = 0; i < n; i++)
        out[i] = numbers[i] + base;
    return out;
}

/* Which tokens are drawn, and how many of them share a cell. */
static bool lay_cells(const ViewInput *input, Source *s, int n_layers, const Side *queries,
                      const Side *keys, Matrices *matrices, Arena *arena, Error *error) {
    const State *state = input->state;
    s->trace = input->trace;
    s->queries = shown_tokens(queries, arena);
    s->keys = shown_tokens(keys, arena);
    s->n_seen = queries->n_seen;
    if (needs_matrices(state) && !read_matrices(input, s, n_layers, matrices, arena, error))
        return false;
    if (s->queries.n == 0 || s->keys.n == 0)
        return error_set(error, ERROR_INPUT, "all tokens are hidden, nothing is left to draw");
    int longest = s->queries.n > s->keys.n ? s->queries.n : s->keys.n;
    s->factor = (longest + MOST_CELLS - 1) / MOST_CELLS;
    s->n_rows = (s->queries.n + s->factor - 1) / s->factor;
    s->n_columns = (s->keys.n + s->factor - 1) / s->factor;
    s->mean = state->reduce && strcmp(state->reduce, "mean") == 0;
    s->mask_layer = -1;
    s->masked = arena_alloc(arena, (size_t)s->n_rows * (size_t)s->n_columns * sizeof *s->masked);
    s->tile =
        arena_alloc(arena, (size_t)queries->n_tokens * (size_t)keys->n_tokens * sizeof *s->tile);
    return true;
}

static Grid grid_of(const State *state, Source *s, int n_layers, const Side *keys, Arena *arena) {
    int n_heads = s->n_heads;
    char prefix[PLACE_TEXT_MAX];
    place_text(&s->attention, prefix);
    Grid grid = {
        .n_rows = n_layers,
        .n_columns = n_heads,
        .read = s->matrices ? read_matrix : read_head,
        .user = s,
        .n_queries = s->n_rows,
        .n_keys = s->n_columns,
        .rows = based(s->layers, n_layers, state->base, arena),
        .columns = based(s->heads, n_heads, state->base, arena),
        .left_out = s->left_out,
        .id = *prefix ? arena_printf(arena, "%s-L%%dH%%d", prefix) : NULL,
        .reduce = s->mean ? FIGURE_REDUCE_MEAN : FIGURE_REDUCE_MAX,
    };
    const Measure *measure = state->statistic ? measure_find(state->statistic) : NULL;
    if (measure) {
        grid.frames = read_frames(s, (MeasureId)(measure - measures), n_layers, keys, arena);
        grid.frame_name = *measure->unit
                              ? arena_printf(arena, "%s, %s", measure->title, measure->unit)
                              : measure->title;
    }
    return grid;
}

static const char *title_of(const Source *s, int n_layers, Arena *arena) {
    const char *name = attention_title(&s->attention);
    if (!s->left_out)
        return arena_printf(arena, "%s, %d layer%s × %d head%s", name, n_layers,
                            n_layers == 1 ? "" : "s", s->n_heads, s->n_heads == 1 ? "" : "s");
    int n_drawn = 0;
    for (int i = 0; i < n_layers * s->n_heads; i++)
        n_drawn += is_drawn(s, i);
    return arena_printf(arena, "%s, %d head%s", name, n_drawn, n_drawn == 1 ? "" : "s");
}

static bool draw(Figure *figure, const ViewInput *input, Source *s, int n_layers, Arena *arena,
                 Error *error) {
    const State *state = input->state;
    Side queries, keys;
    Matrices matrices;
    bool writes;
    bool words = state->units && strcmp(state->units, "words") == 0;
    if (!attention_sides(input, &s->attention, words, false, arena, &queries, &keys, &writes))
        return error_set(error, ERROR_INPUT, "nothing was read: no tokens");
    if (state->range && strcmp(state->range, "row") == 0)
        return error_set(error, ERROR_INPUT,
                         "the model view has one scale for all heads: --range unit or max; figure "
                         "heatmap has --range row");
    if (!lay_cells(input, s, n_layers, &queries, &keys, &matrices, arena, error)) return false;
    Grid grid = grid_of(state, s, n_layers, &keys, arena);
    const char *until = queries.n_seen < queries.n_tokens
                            ? arena_printf(arena, "step %d of %d", queries.n_seen, queries.n_tokens)
                            : "";
    ChartOptions options =
        view_options(input, title_of(s, n_layers, arena),
                     view_joined(arena, view_joined(arena, queries.axis.title, until),
                                 notes_of(input, s, &keys, n_layers, arena)));
    options.scale = CHART_SCALE_RANGE;
    options.high = state->range && strcmp(state->range, "unit") == 0 ? 1
                   : s->matrices                                     ? (double)s->matrices->largest
                                 : (double)largest_weight(s, n_layers);
    if (!grid_draw(figure, &grid, &options, error)) return false;
    Matrices m = as_matrices(s, n_layers, &queries, &keys, arena);
    view_tell_matrices(figure, input, &m,
                       "Each small picture is a head: rows are queries, columns keys");
    return true;
}

bool view_model(Figure *figure, const ViewInput *input, Error *error) {
    Arena *arena = arena_new();
    Source source = {0};
    SelectList *layers = arena_alloc(arena, sizeof *layers),
               *heads = arena_alloc(arena, sizeof *heads);
    bool ok = choose(input, &source, layers, heads, arena, error) &&
              draw(figure, input, &source, layers->n, arena, error);
    arena_free(arena);
    return ok;
}
