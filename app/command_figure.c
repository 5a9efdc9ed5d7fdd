/* figure: a view of a sentence as PNG, SVG, PDF or HTML, and the numbers behind it. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "app/batch.h"
#include "app/commands.h"
#include "app/drawer.h"
#include "app/figure_options.h"
#include "app/figure_scene.h"
#include "app/output.h"
#include "app/subject_options.h"
#include "model/base/file.h"

/* What is drawn when no sentence is given on the shipped model. */
#define EXAMPLE_TEXT "Tourists visit Finland to watch Northern lights."
#define EXAMPLE_LANGUAGE "fin"

static void add_example(State *state, const View *view) {
    bool nothing = !state->text && !state->inputs && !state->image && !state->audio && !state->from;
    if (!nothing || state->model || !(view->needs & VIEW_NEEDS_TRACE)) return;
    state_put_text(&state->text, EXAMPLE_TEXT);
    if (!state->to) state_put_text(&state->to, EXAMPLE_LANGUAGE);
    output_note("no --text: drawing '%s'", EXAMPLE_TEXT);
}

static bool write_caption(const char *path, const ViewReport *report, Error *error) {
    StrBuf line = {0};
    strbuf_printf(&line, "%s\n", report->caption.n ? report->caption.data : "");
    bool ok = file_save(path, line.data, line.n, error);
    strbuf_free(&line);
    return ok;
}

static bool print_spec(const ViewInput *input, Error *error) {
    char *spec = drawer_spec(input, true);
    Output *out = output_open(NULL, error);
    if (out) output_printf(out, "%s\n", spec);
    free(spec);
    return out && output_close(out, error);
}

static void say_width(const Figure *figure) {
    double wanted = figure_wanted_width(figure);
    if (wanted > 0)
        output_note("not every label fits whole; with --size %.0fmm all would",
                    ceil(wanted * 25.4 / 72));
}

/* An area that was asked for and is too low for what must be in it. */
static void say_height(const Figure *figure, const State *state) {
    double width = 0, height = 0, needed = figure_bounds(figure).h;
    Error ignored = {0};
    if (!state->size || !figure_size_of(state->size, state->dpi, &width, &height, &ignored)) return;
    if (height > 0 && needed > height + 1)
        output_note("--size %s: what this figure holds is higher, it is drawn %.0fmm high",
                    state->size, needed * 25.4 / 72);
}

static void say_fonts(const Text *text) {
    const char *unknown = text_unknown(text);
    int n = unknown && strlen(unknown) > 60 ? 60 : 0;
    while (n > 0 && ((unsigned char)unknown[n] & 0xc0) == 0x80)
        n--; /* not within a letter */
    if (unknown)
        output_note("no font here has all letters of '%.*s', boxes stand for them; those of Noto "
                    "do (packages fonts-noto-core, fonts-noto-cjk, fonts-noto-color-emoji)",
                    n > 0 ? n : (int)strlen(unknown), unknown);
}

static void say_remarks(const ViewReport *report) {
    const char *end, *at = report->remarks.data;
    for (; at && (end = strchr(at, '\n')); at = end + 1)
        output_note("%.*s", (int)(end - at), at);
}

static bool draw(const Options *given, const View *view, const ViewInput *input,
                 const Drawer *drawer, Error *error) {
    Figure *figure = drawer_draw(drawer, view, input, error);
    if (!figure) return false;
    say_width(figure);
    say_height(figure, input->state);
    say_fonts(drawer->text);
    say_remarks(input->report);
    bool ok = true;
    int n = options_count(given, "output");
    for (int i = 0; i < n && ok; i++)
        ok = drawer_write(drawer, view, input, figure, options_nth(given, "output", i), error);
    if (n == 0 && !options_given(given, "print-spec")) {
        char path[128];
        snprintf(path, sizeof path, "%s.png", view->name);
        ok = drawer_write(drawer, view, input, figure, path, error);
        if (ok) output_note("written to %s (-o FILE chooses another place)", path);
    }
    if (ok && options_given(given, "caption"))
        ok = write_caption(options_text(given, "caption", ""), input->report, error);
    figure_free(figure);
    return ok;
}

/* From here on the spec says which weights these are. */
static void note_hash(State *state, const Model *model) {
    if (!model) return;
    char hash[17];
    model_hash(model, hash);
    if (state->model_hash && strcmp(state->model_hash, hash) != 0)
        output_note("the weights are not those that the figure was drawn from (%s then, %s now)",
                    state->model_hash, hash);
    state_put_text(&state->model_hash, hash);
}

static bool run_one(const Options *given, State *state, const View *view, Error *error) {
    add_example(state, view);
    for (int i = 0; i < options_count(given, "output"); i++)
        if (!drawer_knows(options_nth(given, "output", i), error)) return false;
    Drawer drawer;
    if (!drawer_open(&drawer, state, error)) return false;
    Scene scene;
    bool opened = scene_open(&scene, state, view, NULL, error), ok = opened;
    if (ok && scene.subject)
        ok = subject_check_language(scene.subject, options_text(given, "to", NULL), error);
    if (ok) {
        ViewReport report = {0};
        ViewInput input = scene_input(&scene, state);
        input.report = &report;
        note_hash(state, input.model);
        ok = draw(given, view, &input, &drawer, error);
        if (ok && options_given(given, "print-spec")) ok = print_spec(&input, error);
        view_report_free(&report);
    }
    if (opened) scene_close(&scene);
    drawer_close(&drawer);
    return ok;
}

static const char *view_nearest(const char *name) {
    const char *names[64];
    int n = 0;
    for (const View *v = views; v->name && n < 63; v++)
        names[n++] = v->name;
    names[n] = NULL;
    return options_nearest(name, names);
}

static const View *find_view(const char *name, Error *error) {
    const View *view = name ? view_find(name) : NULL;
    if (view) return view;
    StrBuf all = {0};
    for (const View *v = views; v->name; v++)
        strbuf_printf(&all, "%s%s", all.n ? ", " : "", v->name);
    const char *nearest = name ? view_nearest(name) : NULL;
    if (name)
        error_set(error, ERROR_USAGE, "figure: no kind '%.40s'%s%s%s; there is %s", name,
                  nearest ? ", did you mean " : "", nearest ? nearest : "", nearest ? "?" : "",
                  all.data);
    else
        error_set(error, ERROR_USAGE, "figure: which kind? There is %s", all.data);
    strbuf_free(&all);
    return NULL;
}

static bool check_given(const Options *given, Error *error) {
    static const char *const alone[] = {"text", "target-text", "inputs", "image", "audio"};
    static const char *const with[] = {"resume", "shard"};
    bool batch = options_given(given, "batch");
    for (int i = 0; i < 5; i++)
        if (batch && options_given(given, alone[i]))
            return error_set(error, ERROR_USAGE, "--batch FILE has the texts: --%s is one too many",
                             alone[i]);
    for (int i = 0; i < 2; i++)
        if (!batch && options_given(given, with[i]))
            return error_set(error, ERROR_USAGE, "--%s is of --batch FILE", with[i]);
    bool elsewhere = options_given(given, "from") || options_given(given, "spec") ||
                     options_given(given, "session"); /* a row of theirs */
    return elsewhere || subject_check_given(given, error);
}

static bool run(const Options *given, Error *error) {
    if (!check_given(given, error)) return false;
    State state;
    state_init(&state);
    const char *kind = options_word(given, 0);
    bool ok = figure_state_of(given, kind, &state, error);
    if (ok && options_given(given, "batch")) {
        ok = batch_run(given, &state, error);
    } else if (ok) {
        const View *view = find_view(state.view, error);
        if (view) figure_note_idle(given, view);
        ok = view && run_one(given, &state, view, error);
    }
    state_free(&state);
    return ok;
}

const Command command_figure = {
    .name = "figure",
    .title = "draw attention: PNG, SVG, PDF, HTML, and the numbers",
    .about =
        "Runs a sentence through a model and draws what its heads attend to, or draws attentions "
        "computed elsewhere (--from). Every figure says on itself what its rows and columns are, "
        "its scale, and what was hidden or joined; every PNG, SVG, PDF and HTML carries what draws "
        "it again (--spec). Layers and heads count from 0.",
    .examples =
        "attnscope figure cross --text 'The cat is on the mat.' --to fra -o cross.svg\n"
        "attnscope figure heatmap --text 'She loves cats.' --to fra --cross --layer 2 --head 3 -o "
        "head.pdf -o head.csv\n"
        "attnscope figure model --text 'She loves cats.' --encoder -o model.png\n"
        "attnscope figure positions --pair 2 -o positions.svg\n"
        "attnscope figure heatmap --from attention.npz --layer mean -o mean.png\n"
        "attnscope figure heatmap --spec head.pdf --theme print --size 84mm -o paper.pdf\n"
        "attnscope figure patches --model vit --image cat.png -o patches.png\n"
        "attnscope figure audio --model whisper --audio speech.wav -o audio.png\n"
        "attnscope figure cross --batch sentences.txt --to fin -o 'out/{line}-{kind}.svg'\n",
    .word_choices = "heatmap|model|head|arcs|cross|sentence|neuron|steps|positions|position-map|"
                    "position-similarity|mask|blocks|difference|patches|audio",
    .options = {.groups = {options_model, options_input, figure_options_what, figure_options_look,
                           figure_options_files, options_edits},
                .words = "[KIND]",
                .n_words_max = 1},
    .run = run,
};
