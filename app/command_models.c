/* models: what lies on this machine that --model takes, and whether it opens. */
#include "app/commands.h"
#include "app/model_path.h"
#include "app/models_table.h"
#include "app/output.h"
#include "app/subject.h"
#include "model/base/file.h"
#include "model/hub.h"

static const Option options[] = {{.name = "quick",
                                  .kind = OPTION_FLAG,
                                  .help = "do not open each to see whether it is supported"},
                                 {.name = "families",
                                  .kind = OPTION_FLAG,
                                  .help = "the kinds of models that this program computes"},
                                 {.name = "markdown",
                                  .kind = OPTION_FLAG,
                                  .help = "with --families: as it stands in docs/models.md"},
                                 {0}};

/* Why it does not open, in the arena; NULL: it does. The family of those without a config.json
 * (GGUF) is known then too. */
static const char *trouble_with(HubModel *model, Arena *arena) {
    Error error = {0};
    Model *opened = model_open(model->path, &error);
    if (opened && !model->model_type)
        model->model_type = arena_strdup(arena, opened->config.model_type);
    model_free(opened);
    if (opened) return NULL;
    return arena_strdup(arena, error.message);
}

static const char *size_text(int64_t n_bytes, char buffer[32]) {
    static const char *const units[] = {"B", "kB", "MB", "GB", "TB"};
    double x = (double)n_bytes;
    int unit = 0;
    while (x >= 999.5 && unit < 4)
        x /= 1000, unit++;
    snprintf(buffer, 32, "%.0f %s", x, units[unit]);
    return buffer;
}

static json_t *row_json(const HubModel *m, bool quick, const char *trouble) {
    json_t *row = json_object();
    json_object_set_new(row, "name", output_text(str(m->name)));
    json_object_set_new(row, "path", output_text(str(m->path)));
    json_object_set_new(row, "n_bytes", json_integer(m->n_bytes));
    json_object_set_new(row, "model_type",
                        m->model_type ? output_text(str(m->model_type)) : json_null());
    json_object_set_new(row, "format", m->format ? json_string(m->format) : json_null());
    json_object_set_new(row, "shipped", json_boolean(m->shipped));
    if (quick) return row;
    json_object_set_new(row, "supported", json_boolean(!trouble));
    if (trouble) json_object_set_new(row, "reason", output_text(str(trouble)));
    return row;
}

static void print_row(Output *out, const HubModel *m, bool quick, const char *trouble) {
    char size[32];
    output_printf(out, "%-40s %8s  %-14s %-14s %s\n", m->name, size_text(m->n_bytes, size),
                  m->model_type ? m->model_type : "-", m->format ? m->format : "no weights",
                  quick     ? ""
                  : trouble ? trouble
                            : "supported");
}

static bool list(const Options *given, Arena *arena, Error *error) {
    HubModel *models = NULL;
    bool quick = options_given(given, "quick"), json = options_given(given, "json");
    int n = hub_list(model_path_shipped(arena), arena, &models);
    Output *out = output_open(options_text(given, "output", NULL), error);
    if (!out) return false;
    json_t *rows = json_array();
    for (int i = 0; i < n; i++) {
        output_progress("looking at %s", models[i].name);
        const char *trouble = quick ? NULL : trouble_with(&models[i], arena);
        output_progress_end();
        if (json)
            json_array_append_new(rows, row_json(&models[i], quick, trouble));
        else
            print_row(out, &models[i], quick, trouble);
    }
    if (json)
        output_json(out, json_incref(rows), true);
    else if (n == 0)
        output_note("no model found, neither with the program nor in the Hugging Face cache");
    json_decref(rows);
    return output_close(out, error);
}

static bool list_families(const Options *given, Error *error) {
    Output *out = output_open(options_text(given, "output", NULL), error);
    if (!out) return false;
    if (options_given(given, "json"))
        models_json(out);
    else
        models_table(out, options_given(given, "markdown"));
    return output_close(out, error);
}

static bool run(const Options *given, Error *error) {
    if (options_given(given, "families")) return list_families(given, error);
    Arena *arena = arena_new();
    bool ok = list(given, arena, error);
    arena_free(arena);
    return ok;
}

const Command command_models = {
    .name = "models",
    .title = "list the models on this machine",
    .about = "Those that come with the program and those in the Hugging Face cache (HF_HOME, else "
             "~/.cache/huggingface), with size, family and whether they are supported, and if not "
             "why. Nothing is downloaded.",
    .examples = "attnscope models\nattnscope models --json\nattnscope models --families\n",
    .options = {.groups = {options, options_json, options_output}},
    .run = run,
};
