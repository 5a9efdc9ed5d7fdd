#include "app/figure_options.h"

#include "app/commands.h"
#include "app/output.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/base/file.h"
#include "model/base/json.h"
#include "model/base/utf8.h"
#include "render/export.h"

/* clang-format off */
const Option figure_options_what[] = {
    {.name = "layer", .kind = OPTION_TEXT, .argument = "WHICH", .help = "layers, counted from 0: 2, a list 0,2, a range 0-2, all, mean or max"},
    {.name = "head", .kind = OPTION_TEXT, .argument = "WHICH", .help = "heads, in the same way (default: the head the model card names; with --layer alone the mean)"},
    {.name = "heads", .kind = OPTION_TEXT, .argument = "LIST", .help = "these heads: L5H3,L2H1"},
    {.name = "encoder", .kind = OPTION_FLAG, .help = "self-attention of the encoder"},
    {.name = "decoder", .kind = OPTION_FLAG, .help = "self-attention of the decoder"},
    {.name = "cross", .kind = OPTION_FLAG, .help = "cross-attention"},
    {.name = "rows", .kind = OPTION_CHOICE, .argument = "reads|writes", .help = "name a decoder step by the token it reads or writes (default: writes in cross-attention, else reads)"},
    {.name = "words", .kind = OPTION_FLAG, .help = "join sub-words into words: weights to a word summed, from a word averaged (default of cross, arcs, sentence)"},
    {.name = "tokens", .kind = OPTION_FLAG, .help = "token by token (default of the others)"},
    {.name = "token", .kind = OPTION_TEXT, .argument = "LIST", .help = "only these queries: numbers or labels, 4,7 or katsomassa"},
    {.name = "threshold", .kind = OPTION_NUMBER, .argument = "X", .help = "keep a query's largest weights up to this share of its mass", .max = 1},
    {.name = "top-k", .kind = OPTION_INTEGER, .argument = "N", .help = "keep a query's N largest weights", .max = 1e6},
    {.name = "hide-special", .kind = OPTION_FLAG, .help = "leave out </s>, [CLS], [SEP], language tags"},
    {.name = "hide-punctuation", .kind = OPTION_FLAG, .help = "leave out punctuation"},
    {.name = "hide", .kind = OPTION_TEXT, .argument = "LIST", .help = "leave out these tokens: the,of", .repeatable = true},
    {.name = "renormalise", .kind = OPTION_FLAG, .help = "rows sum to 1 again after hiding; written on the figure"},
    {.name = "transpose", .kind = OPTION_FLAG, .help = "keys down, queries across"},
    {.name = "numbers", .kind = OPTION_FLAG, .help = "weights written into the cells"},
    {.name = "range", .kind = OPTION_CHOICE, .argument = "unit|row|max", .help = "scale: 0..1, by each row's maximum, or up to the largest weight"},
    {.name = "statistic", .kind = OPTION_CHOICE, .argument = "none|entropy|distance|diagonal|special|concentration", .help = "what coloured frames in the model view tell (default: none)"},
    {.name = "reduce", .kind = OPTION_CHOICE, .argument = "max|mean", .help = "how many cells become one pixel (default: max)"},
    {.name = "ribbons", .kind = OPTION_FLAG, .help = "cross: bands in place of lines"},
    {.name = "hard", .kind = OPTION_FLAG, .help = "cross: the hard alignment on top"},
    {.name = "dims", .kind = OPTION_TEXT, .argument = "LIST", .help = "positions: curves of these dimensions, 4-7"},
    {.name = "pair", .kind = OPTION_INTEGER, .argument = "I", .help = "positions: sine and cosine of this pair", .max = 1e6},
    {.name = "n-positions", .kind = OPTION_INTEGER, .argument = "N", .help = "positions: so many", .min = 1, .max = 1e6},
    {.name = "box", .kind = OPTION_TEXT, .argument = "HOOK", .help = "blocks: the box to highlight, decoder.1.cross_attn"},
    {.name = "selection", .kind = OPTION_TEXT, .argument = "PLACE", .help = "put one place in focus: cross-L2H3-q4-k7", .hidden = true},
    {.name = "beam", .kind = OPTION_INTEGER, .argument = "N", .help = "search with N beams for the target that is not given", .min = 1, .max = 64},
    {.name = "max-new-tokens", .kind = OPTION_INTEGER, .argument = "N", .help = "write at most N tokens where the target is not given", .min = 1, .max = 1e5},
    {0}};

const Option figure_options_look[] = {
    {.name = "theme", .kind = OPTION_CHOICE, .argument = "light|dark|print|projector", .help = "colours and type (default: light)"},
    {.name = "colormap", .kind = OPTION_CHOICE, .argument = "paper|viridis|cividis|magma|grey|diverging", .help = "of matrices (default: paper, from the background to ink)"},
    {.name = "size", .kind = OPTION_TEXT, .argument = "SIZE", .help = "width, or width and height: 84mm, 6in, 1200px, 160x90mm"},
    {.name = "dpi", .kind = OPTION_NUMBER, .argument = "N", .help = "pixels an inch of a PNG (default: 144)", .min = 18, .max = 2400},
    {.name = "font", .kind = OPTION_TEXT, .argument = "NAME", .help = "family to write with"},
    {.name = "title", .kind = OPTION_TEXT, .argument = "TEXT", .help = "another title"},
    {.name = "orientation", .kind = OPTION_CHOICE, .argument = "horizontal|vertical", .help = "how sentences run in cross and head"},
    {.name = "number-duplicates", .kind = OPTION_FLAG, .help = "tell equal tokens apart: the (2)"},
    {.name = "raw-tokens", .kind = OPTION_FLAG, .help = "the vocabulary's own strings"},
    {.name = "base", .kind = OPTION_CHOICE, .argument = "0|1", .help = "where printed layers, heads and positions start (default: 0)"},
    {.name = "text-as-paths", .kind = OPTION_FLAG, .help = "SVG and PDF: letters as outlines"},
    {0}};

const Option figure_options_files[] = {
    {.name = "output", .letter = 'o', .kind = OPTION_FILE, .argument = "FILE", .help = "what to write, by its ending: .png .svg .pdf .html pictures; .csv .json .npz .safetensors numbers", .repeatable = true},
    {.name = "from", .kind = OPTION_FILE, .argument = "FILE", .help = "draw attentions computed elsewhere: a trace, .npz, .json, Marian or Nematus soft alignments"},
    {.name = "against", .kind = OPTION_TEXT, .argument = "MODEL|TRACE", .help = "difference: the other side"},
    {.name = "spec", .kind = OPTION_FILE, .argument = "FILE", .help = "draw again what a PNG, SVG, PDF, HTML or JSON file says, other options on top"},
    {.name = "session", .kind = OPTION_FILE, .argument = "FILE", .help = "draw a session that the window saved"},
    {.name = "print-spec", .kind = OPTION_FLAG, .help = "print the spec as JSON"},
    {.name = "caption", .kind = OPTION_FILE, .argument = "FILE", .help = "write the sentence for the paper there"},
    {.name = "batch", .kind = OPTION_FILE, .argument = "FILE", .help = "a figure for each line of a file; tab-separated pairs are forced pairs. KIND may be a list (heatmap,cross), -o takes {line}, {kind}, {layer}, {head}"},
    {.name = "resume", .kind = OPTION_FLAG, .help = "batch: leave out what is there already"},
    {.name = "shard", .kind = OPTION_TEXT, .argument = "I/N", .help = "batch: only every N-th line, from the I-th (1/4 ... 4/4)"},
    {0}};
/* clang-format on */

/* A word that a field does not take is wrong usage; bytes that are no text are wrong input, as they
 * are to every other command. */
static bool set(State *state, const char *field, const char *value, Error *error) {
    Error failure = {0};
    char option[64];
    snprintf(option, sizeof option, "--%s", field);
    if (!utf8_check(str(value), option, error)) return false;
    return state_set(state, field, str(value), &failure) ||
           error_set(error, ERROR_USAGE, "--%s", failure.message);
}

/* Options that carry the name of a field. */
static bool set_fields(const Options *given, const Option *table, State *state, Error *error) {
    for (const Option *o = table; o->name; o++) {
        if (!options_given(given, o->name) || !state_field(o->name)) continue;
        if (o->repeatable) state_set(state, o->name, (Str){0}, NULL); /* a new list */
        for (int i = 0; i < options_count(given, o->name); i++) {
            const char *value = o->kind == OPTION_FLAG ? "true" : options_nth(given, o->name, i);
            if (!set(state, o->name, value, error)) return false;
        }
    }
    return true;
}

static bool set_edits(const Options *given, State *state, Error *error) {
    static const char *const kinds[] = {"ablate", "scale", "patch", "set"};
    bool any = false;
    for (int i = 0; i < 4; i++)
        any = any || options_count(given, kinds[i]) > 0;
    if (any) state_list_clear(&state->edits);
    for (int i = 0; i < 4; i++)
        for (int n = 0; n < options_count(given, kinds[i]); n++) {
            StrBuf edit = {0};
            strbuf_printf(&edit, "%s %s", kinds[i], options_nth(given, kinds[i], n));
            bool ok = set(state, "edits", edit.data, error);
            strbuf_free(&edit);
            if (!ok) return false;
        }
    return true;
}

static bool set_one_of(const Options *given, const char *const *flags, const char *field,
                       State *state, Error *error) {
    const char *chosen = NULL;
    for (; *flags; flags++) {
        if (!options_given(given, *flags)) continue;
        if (chosen)
            return error_set(error, ERROR_USAGE, "--%s and --%s: one of them", chosen, *flags);
        chosen = *flags;
    }
    return !chosen || set(state, field, chosen, error);
}

static bool load_spec(const char *path, State *state, Error *error) {
    if (strcmp(path_extension(path), ".json") == 0) return state_load(state, path, error);
    Arena *arena = arena_new();
    Str spec;
    bool ok = export_read_spec(path, arena, &spec, error);
    json_t *root = ok ? json_parse(spec, path, 0, 0, error) : NULL;
    ok = root && state_merge(state, root, path, error);
    json_decref(root);
    arena_free(arena);
    return ok;
}

bool figure_state_of(const Options *given, const char *kind, State *state, Error *error) {
    static const char *const attentions[] = {"encoder", "decoder", "cross", NULL};
    static const char *const units[] = {"words", "tokens", NULL};
    const Option *const tables[] = {options_model, options_input, figure_options_what,
                                    figure_options_look, figure_options_files};
    if (options_given(given, "spec") && !load_spec(options_text(given, "spec", ""), state, error))
        return false;
    if (options_given(given, "session") &&
        !state_load(state, options_text(given, "session", ""), error))
        return false;
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
        if (!set_fields(given, tables[i], state, error)) return false;
    if (!set_edits(given, state, error) ||
        !set_one_of(given, attentions, "attention", state, error) ||
        !set_one_of(given, units, "units", state, error))
        return false;
    if (options_given(given, "selection")) state->locked = true;
    return !kind || set(state, "view", kind, error);
}

/* ---- what has no effect ---- */

static bool has_word(const char *words, const char *word) {
    size_t n = strlen(word);
    for (const char *at = words; at && (at = strstr(at, word)); at += n)
        if ((at == words || at[-1] == ' ') && (at[n] == ' ' || !at[n])) return true;
    return false;
}

static const char *field_of(const char *option) {
    static const char *const fields[][2] = {{"encoder", "attention"}, {"decoder", "attention"},
                                            {"cross", "attention"},   {"words", "units"},
                                            {"tokens", "units"},      {NULL, NULL}};
    for (int i = 0; fields[i][0]; i++)
        if (strcmp(option, fields[i][0]) == 0) return fields[i][1];
    return option;
}

/* Themes, sizes and the like serve every figure; beams are no matter of the picture. */
static bool serves_all(const char *field) {
    return has_word("theme size dpi font title base text_as_paths "
                    "beam max_new_tokens",
                    field);
}

/* What a figure of the model alone has no use for, and what has no numbers to count. */
static void note_unread(const Options *given, const View *view) {
    static const char *const texts[] = {"text",   "text-pair",     "target-text", "beam",
                                        "ablate", "scale",         "patch",       "set",
                                        "inputs", "max-new-tokens"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (!(view->needs & VIEW_NEEDS_TRACE) && options_given(given, texts[i]))
            output_note("figure %s: --%s changes nothing here: it is of the model, whatever it "
                        "reads",
                        view->name, texts[i]);
    if (options_given(given, "base") && has_word("mask blocks position-similarity", view->name))
        output_note("figure %s: --base changes nothing here", view->name);
}

void figure_note_idle(const Options *given, const View *view) {
    const Option *const tables[] = {figure_options_what, figure_options_look};
    note_unread(given, view);
    for (int t = 0; t < 2; t++)
        for (const Option *o = tables[t]; o->name; o++) {
            char field[32];
            snprintf(field, sizeof field, "%s", field_of(o->name));
            for (char *at = field; *at; at++)
                if (*at == '-') *at = '_';
            if (options_given(given, o->name) && !o->hidden && !serves_all(field) &&
                !has_word(view->fields, field))
                output_note("figure %s: --%s changes nothing here", view->name, o->name);
        }
}

/* ---- sizes ---- */

static bool unit_points(Str unit, double dpi, double *points) {
    static const struct {
        const char *name;
        double points;
    } units[] = {{"mm", 72 / 25.4}, {"cm", 72 / 2.54}, {"in", 72}, {"pt", 1}};
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (str_is(unit, units[i].name)) {
            *points = units[i].points;
            return true;
        }
    if (!str_is(unit, "px")) return false;
    *points = 72 / dpi;
    return true;
}

bool figure_size_of(const char *text, double dpi, double *width_pt, double *height_pt,
                    Error *error) {
    enum { LEAST_PT = 36, MOST_PT = 20000 };
    Str s = str(text), width, height = {0};
    double unit = 0, w = 0, h = 0;
    *width_pt = *height_pt = 0;
    bool ok = s.n > 2 && unit_points(str_sub(s, s.n - 2, s.n), dpi > 0 ? dpi : 144, &unit);
    if (ok) {
        width = str_sub(s, 0, s.n - 2);
        const char *cross = memchr(width.data, 'x', width.n);
        if (cross) {
            height = str_sub(width, (size_t)(cross - width.data) + 1, width.n);
            width.n = (size_t)(cross - width.data);
        }
        ok = number_parse(width, &w) && (!cross || number_parse(height, &h));
        w *= unit;
        h *= unit;
        ok = ok && w >= LEAST_PT && w <= MOST_PT && (!cross || (h >= LEAST_PT && h <= MOST_PT));
    }
    if (!ok)
        return error_set(error, ERROR_USAGE,
                         "--size '%.40s': expected a width from 36pt to 20000pt, or width and "
                         "height: 84mm, 6in, 1200px, 160x90mm",
                         text);
    *width_pt = w;
    *height_pt = h;
    return true;
}
