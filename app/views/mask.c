/* The mask of each attention of the model, over the tokens of this sentence. */
#include "render/masks.h"

#include "app/views/common.h"

enum { MOST_PANELS = 8 };

typedef struct Panels {
    int n;
    MasksPanel items[MOST_PANELS];
    Place places[MOST_PANELS];
    Side queries, keys; /* of the last, for a single panel's picks */
    StrBuf hidden;      /* names of what is not drawn */
} Panels;

static bool *read_mask(const Pattern *p, Arena *arena, int64_t *n_masked) {
    bool *visible = arena_alloc(arena, (size_t)p->n_queries * (size_t)p->n_keys * sizeof *visible);
    Sight sight = sight_of(p);
    *n_masked = 0;
    for (int64_t q = 0; q < p->n_queries; q++)
        for (int64_t k = 0; k < p->n_keys; k++) {
            visible[q * p->n_keys + k] = sight_sees(&sight, q, k);
            *n_masked += !visible[q * p->n_keys + k];
        }
    return visible;
}

static const char *note_of(const ViewInput *input, const Place *at, int layer, int64_t n_masked,
                           Arena *arena) {
    if (n_masked == 0) return NULL;
    const StackConfig *c = input->model ? &input->model->config.stack[at->stack] : NULL;
    if (!c || at->cross) return "hatched cells may not be seen";
    int window = stack_window(c, layer);
    if (window > 0)
        return arena_printf(arena, "%sa window of %d tokens", c->causal ? "no later token, " : "",
                            window);
    return c->causal ? "causal: no later token is seen" : "hatched cells may not be seen";
}

static bool same_mask(const MasksPanel *a, const MasksPanel *b) {
    return a->queries.n == b->queries.n && a->keys.n == b->keys.n &&
           memcmp(a->visible, b->visible, (size_t)a->queries.n * (size_t)a->keys.n) == 0;
}

static void note_hidden(Panels *panels, const Side *side) {
    if (!side->n_hidden) return;
    if (panels->hidden.n && strstr(panels->hidden.data, side->hidden_names)) return;
    strbuf_printf(&panels->hidden, "%s%s", panels->hidden.n ? ", " : "", side->hidden_names);
}

/* Layers whose mask is another than the first's get a panel of their own (GPT-Neo, Gemma). */
static void add_attention(Panels *panels, const ViewInput *input, const Place *at, Arena *arena) {
    int first = panels->n, n_layers = trace_n_layers(input->trace, at->stack, at->cross);
    Side queries, keys;
    bool writes;
    if (!attention_sides(input, at, false, false, arena, &queries, &keys, &writes)) return;
    note_hidden(panels, &queries);
    note_hidden(panels, &keys);
    for (int layer = 0; layer < n_layers && panels->n < MOST_PANELS; layer++) {
        Pattern p;
        int64_t n_masked;
        if (!trace_pattern(input->trace, at->stack, layer, at->cross, &p) ||
            p.n_queries != queries.n_tokens || p.n_keys != keys.n_tokens)
            continue;
        char id[PLACE_TEXT_MAX];
        Place place = place_of_head(*at, layer, -1);
        MasksPanel panel = {.name = attention_title(at),
                            .id = arena_strdup(arena, place_text(&place, id)),
                            .visible = read_mask(&p, arena, &n_masked),
                            .queries = queries.axis,
                            .keys = keys.axis};
        panel.note = note_of(input, at, layer, n_masked, arena);
        bool known = false;
        for (int i = first; i < panels->n; i++)
            known = known || same_mask(&panels->items[i], &panel);
        if (known) continue;
        if (panels->n > first)
            panel.name =
                arena_printf(arena, "%s, from layer %d", panel.name, counted(input->state, layer));
        panels->places[panels->n] = place;
        panels->items[panels->n++] = panel;
    }
    panels->queries = queries;
    panels->keys = keys;
}

bool view_mask(Figure *figure, const ViewInput *input, Error *error) {
    static const Place all[] = {{STACK_BLOCKS, false, -1, -1, -1, -1},
                                {STACK_ENCODER, false, -1, -1, -1, -1},
                                {STACK_DECODER, false, -1, -1, -1, -1},
                                {STACK_DECODER, true, -1, -1, -1, -1}};
    Arena *arena = arena_new();
    Panels *panels = arena_calloc(arena, 1, sizeof *panels);
    const char *wanted = input->state->attention;
    for (int i = 0; i < 4; i++)
        if ((!wanted || strcmp(wanted, place_attention_name(&all[i])) == 0) &&
            trace_has(input->trace, all[i].stack, all[i].cross))
            add_attention(panels, input, &all[i], arena);
    bool ok = panels->n > 0 || error_set(error, ERROR_UNSUPPORTED, "no such attention here");
    if (ok) {
        const char *hidden =
            panels->hidden.n ? arena_printf(arena, "%s hidden", panels->hidden.data) : NULL;
        ChartOptions options = view_options(input, "Masks: who may look at whom", hidden);
        Masks masks = {.n_panels = panels->n, .panels = panels->items};
        ok = masks_draw(figure, &masks, &options, error);
    }
    if (ok) {
        Matrices m = {.attention = panels->places[0], .n = panels->n, .places = panels->places};
        if (panels->n == 1) {
            m.queries = panels->queries;
            m.keys = panels->keys;
        }
        view_tell_matrices(figure, input, &m, "Hatched cells get no weight at all");
    }
    strbuf_free(&panels->hidden);
    arena_free(arena);
    return ok;
}
