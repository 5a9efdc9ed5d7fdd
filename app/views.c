#include "app/views.h"

#include <stdio.h>
#include <stdlib.h>

#include "app/views/common.h"
#include "app/views/select.h"

#define SELECT_FIELDS                                                                              \
    "attention layer head heads rows units token threshold top_k hide_special hide_punctuation "   \
    "hide renormalise number_duplicates raw_tokens "
#define PATTERN_FIELDS SELECT_FIELDS "range "
#define ASK_MODEL "Open a model, and it is drawn"
#define ASK_TEXT "Type a sentence, and its attention is drawn while you type"

static const char *const neuron_sites[] = {"hook_q", "hook_k", "hook_rot_q", "hook_rot_k", NULL};
static const char *const steps_sites[] = {
    "hook_q",     "hook_k", "hook_v",        "hook_rot_q",
    "hook_rot_k", "hook_z", "hook_attn_out", "hook_cross_attn_out",
    NULL};

/* clang-format off */
const View views[] = {
    {"model", {"model_view", NULL}, "Model view",
     "every head of every layer at a glance: layers down, heads across",
     ASK_TEXT, VIEW_NEEDS_TRACE, NULL,
     "attention layer head heads rows units token threshold top_k statistic reduce hide_special "
     "hide_punctuation hide renormalise transpose colormap range",
     view_model},
    {"head", {"head_view", "attention_heads", NULL}, "Head view",
     "queries left, keys right, a line for each weight; heads in their own colours",
     ASK_TEXT, VIEW_NEEDS_TRACE, NULL, PATTERN_FIELDS "orientation", view_head},
    {"heatmap", {"attention_pattern", "pattern", "matrix", NULL}, "Heatmap",
     "who looks at whom: a row for each query, a column for each key",
     ASK_TEXT, VIEW_NEEDS_TRACE, NULL,
     PATTERN_FIELDS "transpose numbers colormap reduce", view_heatmap},
    {"arcs", {"arc", NULL}, "Arcs",
     "one sentence on a line: arcs above go back, arcs below go on",
     ASK_TEXT, VIEW_NEEDS_TRACE, NULL, PATTERN_FIELDS, view_arcs},
    {"cross", {"cross_attention", "alignment", NULL}, "Cross-attention",
     "two sentences, and which words of the one each word of the other looks at",
     ASK_TEXT, VIEW_NEEDS_TRACE, NULL, PATTERN_FIELDS "orientation ribbons hard", view_cross},
    {"sentence", {"text", NULL}, "Sentence",
     "the text itself, shaded by what the chosen word attends to",
     ASK_TEXT, VIEW_NEEDS_TRACE, NULL,
     "attention layer head heads rows units token threshold top_k hide_special hide_punctuation hide "
     "renormalise numbers range colormap number_duplicates raw_tokens",
     view_sentence},
    {"neuron", {"neuron_view", NULL}, "Neuron view",
     "one query against all keys, dimension by dimension: q, k, their product, its sum",
     ASK_TEXT, VIEW_NEEDS_TRACE, neuron_sites,
     "attention layer head heads rows token hide_special hide_punctuation hide number_duplicates "
     "raw_tokens",
     view_neuron},
    {"steps", {"step_by_step", NULL}, "Steps",
     "from Q K^T to W_O for one head, with the real numbers of a few tokens",
     ASK_TEXT, VIEW_NEEDS_TRACE, steps_sites, "attention layer head heads rows token number_duplicates raw_tokens", view_steps},
    {"positions", {"position_curves", "positional_encoding", NULL}, "Positions",
     "how the model writes down where a word stands, a curve a dimension",
     ASK_MODEL, VIEW_NEEDS_MODEL, NULL, "attention dims pair n_positions", view_positions},
    {"position-map", {NULL}, "Position map", "all positions by all dimensions",
     ASK_MODEL, VIEW_NEEDS_MODEL, NULL, "attention n_positions transpose colormap",
     view_position_map},
    {"position-similarity", {NULL}, "Position similarity",
     "how alike two positions are, by the distance between them",
     ASK_MODEL, VIEW_NEEDS_MODEL, NULL, "attention n_positions", view_position_similarity},
    {"mask", {"masks", NULL}, "Masks", "which keys each query may look at, in each attention",
     ASK_TEXT, VIEW_NEEDS_TRACE, NULL, "attention rows hide_special hide_punctuation hide number_duplicates raw_tokens",
     view_mask},
    {"blocks", {"structure", "architecture", NULL}, "Blocks",
     "what this model is made of, box by box, with sizes and hook names",
     ASK_MODEL, VIEW_NEEDS_MODEL, NULL, "box", view_blocks},
    {"difference", {"diff", NULL}, "Difference",
     "what an edit, or another model, changes in a pattern",
     "Edit a head, or name another model or trace to compare with",
     VIEW_NEEDS_TRACE | VIEW_NEEDS_BASELINE, NULL, SELECT_FIELDS "transpose numbers",
     view_difference},
    {"patches", {"image", "image_view", NULL}, "Patches",
     "the picture under the attention of the class token or of one patch, head by head",
     "Open a model that looks at pictures (ViT, DeiT) and give it one",
     VIEW_NEEDS_MODEL | VIEW_NEEDS_TRACE | VIEW_NEEDS_PICTURE, NULL,
     "layer head heads token threshold top_k renormalise range colormap", view_patches},
    {"audio", {"sound", "spectrogram", NULL}, "Audio",
     "what each word listens to, second by second, under the spectrogram",
     "Open a model that listens (Whisper) and give it a sound",
     VIEW_NEEDS_MODEL | VIEW_NEEDS_TRACE | VIEW_NEEDS_SOUND, NULL,
     "attention layer head heads rows units token threshold top_k hide_special hide_punctuation "
     "hide renormalise range colormap number_duplicates raw_tokens",
     view_audio},
    {.name = NULL},
};
/* clang-format on */

static bool same_name(const char *row, const char *name) {
    for (; *row && *name; row++, name++)
        if ((*row == '-' ? '_' : *row) != (*name == '-' ? '_' : *name)) return false;
    return *row == *name;
}

const View *view_find(const char *name) {
    for (const View *v = views; v->name; v++) {
        if (same_name(v->name, name)) return v;
        for (int i = 0; i < 4 && v->aliases[i]; i++)
            if (same_name(v->aliases[i], name)) return v;
    }
    return NULL;
}

void view_report_free(ViewReport *report) {
    strbuf_free(&report->title);
    strbuf_free(&report->subtitle);
    strbuf_free(&report->caption);
    strbuf_free(&report->remarks);
    free(report->series);
    free(report->query_tokens);
    free(report->key_tokens);
    *report = (ViewReport){0};
}

static bool fits_senses(const View *view, const ViewInput *input, Error *error) {
    const struct {
        unsigned need;
        FrontKind front;
        const char *tensor, *model, *given;
    } senses[] = {
        {VIEW_NEEDS_PICTURE, FRONT_PATCHES, "pixel_values", "looks at pictures (ViT, DeiT)",
         "picture (--image)"},
        {VIEW_NEEDS_SOUND, FRONT_SOUND, "input_features", "listens (Whisper)", "sound (--audio)"},
    };
    for (int i = 0; i < 2; i++) {
        if (!(view->needs & senses[i].need)) continue;
        if (input->model->config.front.kind != senses[i].front)
            return error_set(error, ERROR_UNSUPPORTED, "%s needs a model that %s; this one is %s",
                             view->title, senses[i].model, input->model->config.model_type);
        if (!trace_find(input->trace, senses[i].tensor))
            return error_set(error, ERROR_UNSUPPORTED, "%s needs a %s", view->title,
                             senses[i].given);
    }
    return true;
}

bool view_fits(const View *view, const ViewInput *input, Error *error) {
    if ((view->needs & VIEW_NEEDS_MODEL) && !input->model)
        return error_set(error, ERROR_UNSUPPORTED,
                         "%s needs a model's weights; a file of attentions has none", view->title);
    if ((view->needs & VIEW_NEEDS_TRACE) && !input->trace)
        return error_set(error, ERROR_UNSUPPORTED, "%s needs a sentence", view->title);
    if ((view->needs & VIEW_NEEDS_CROSS) && !trace_has(input->trace, STACK_DECODER, true))
        return error_set(error, ERROR_UNSUPPORTED,
                         "%s needs two sentences; this model has one stack", view->title);
    if ((view->needs & VIEW_NEEDS_BASELINE) && !input->baseline)
        return error_set(error, ERROR_UNSUPPORTED,
                         "%s needs something to compare with: edit a head, or name another model "
                         "or trace",
                         view->title);
    return fits_senses(view, input, error);
}

bool view_build(const View *view, Figure *figure, const ViewInput *input, Error *error) {
    return view_fits(view, input, error) && view->build(figure, input, error);
}

static bool has_score_bias(const Model *model) {
    for (int i = 0; i < STACK_COUNT; i++) {
        Position p = model->config.stack[i].position;
        if (model->config.stack[i].n_layers > 0 &&
            (p == POSITION_ALIBI || p == POSITION_T5_BUCKETS || p == POSITION_RELATIVE_KEY ||
             p == POSITION_RELATIVE_KEY_QUERY))
            return true;
    }
    return false;
}

const char *const *view_sites(const View *view, const State *state, const Model *model,
                              Arena *arena) {
    int n = 0, room = 4;
    for (const char *const *s = view->sites; s && *s; s++)
        room += 2;
    const char **globs = arena_alloc(arena, (size_t)room * sizeof *globs);
    globs[n++] = "*hook_pattern";
    /* One layer's, when one layer is shown. */
    long long layer;
    bool one = state->layer && integer_parse(str(state->layer), &layer) && layer >= 0;
    for (const char *const *s = view->sites; s && *s; s++)
        globs[n++] =
            one ? arena_printf(arena, "*.%lld.*%s", layer, *s) : arena_printf(arena, "*%s", *s);
    /* Scores are q.k alone unless a bias is added to them. */
    if (view->sites && model && has_score_bias(model)) {
        globs[n++] =
            one ? arena_printf(arena, "*.%lld.*hook_attn_scores", layer) : "*hook_attn_scores";
    }
    globs[n] = NULL;
    return globs;
}

Place view_place(const ViewReport *report, FigurePick pick) {
    Place place = place_none();
    int series = pick.series < 0 && report->n_series == 1 ? 0 : pick.series;
    if (series >= 0 && series < report->n_series)
        place = report->series[series];
    else if (report->n_series > 0)
        place = place_attention(report->series[0].stack, report->series[0].cross);
    if (pick.query >= 0)
        place.query =
            pick.query < report->n_queries ? report->query_tokens[pick.query] : pick.query;
    if (pick.key >= 0)
        place.key = pick.key < report->n_keys ? report->key_tokens[pick.key] : pick.key;
    return place;
}

/* The row that a token is in: the last one that begins at it or before. */
static int row_of(const int *first, int n, int token) {
    if (n == 0 || token < 0) return token;
    int row = 0;
    for (int r = 0; r < n && first[r] <= token; r++)
        row = r;
    return row;
}

FigurePick view_pick(const ViewReport *report, const Place *place) {
    FigurePick pick = {-1, row_of(report->query_tokens, report->n_queries, place->query),
                       row_of(report->key_tokens, report->n_keys, place->key)};
    for (int i = 0; i < report->n_series; i++) {
        const Place *s = &report->series[i];
        if (place_same_attention(s, place) && s->layer == place->layer && s->head == place->head)
            pick.series = i;
    }
    return pick;
}
