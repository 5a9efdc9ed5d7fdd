/* hooks: the table of the places in the forward pass that can be seen and changed. */
#include "app/commands.h"
#include "app/output.h"
#include "model/hooks.h"

static const char *const scope_names[] = {
    [SCOPE_MODEL] = "model",
    [SCOPE_STACK] = "stack",
    [SCOPE_LAYER] = "layer",
    [SCOPE_ATTENTION] = "attention",
};

static void print_row(Output *out, const HookSite *site) {
    static const char *const before[] = {
        [SCOPE_MODEL] = "",
        [SCOPE_STACK] = "",
        [SCOPE_LAYER] = "{l}.",
        [SCOPE_ATTENTION] = "{l}.attn.",
    };
    char name[96];
    snprintf(name, sizeof name, "%s%s", before[site->scope], site->name);
    output_printf(out, "%-34s %-22s %s\n", name, site->axes, site->meaning);
    if (site->cross_name)
        output_printf(out, "%-34s %-22s the same of the cross-attention\n",
                      site->scope == SCOPE_LAYER
                          ? (snprintf(name, sizeof name, "{l}.%s", site->cross_name), name)
                          : site->cross_name,
                      site->axes);
}

static json_t *row_json(const HookSite *site) {
    json_t *row = json_object();
    json_object_set_new(row, "name", json_string(site->name));
    if (site->cross_name) json_object_set_new(row, "cross_name", json_string(site->cross_name));
    json_object_set_new(row, "scope", json_string(scope_names[site->scope]));
    json_object_set_new(row, "axes", json_string(site->axes));
    json_object_set_new(row, "meaning", json_string(site->meaning));
    return row;
}

static void print_table(Output *out) {
    output_puts(out, "Names begin with blocks.{l}. in models of one stack, with encoder.{l}. and\n"
                     "decoder.{l}. in encoder-decoders, where {l} is the layer, counted from 0.\n"
                     "What stands under attn. stands under cross_attn. as well.\n\n");
    for (int i = 0; i < SITE_COUNT; i++)
        if (hook_sites[i].name) print_row(out, &hook_sites[i]);
}

static bool run(const Options *given, Error *error) {
    Output *out = output_open(options_text(given, "output", NULL), error);
    if (!out) return false;
    if (options_given(given, "json")) {
        json_t *rows = json_array();
        for (int i = 0; i < SITE_COUNT; i++)
            if (hook_sites[i].name) json_array_append_new(rows, row_json(&hook_sites[i]));
        output_json(out, rows, true);
    } else {
        print_table(out);
    }
    return output_close(out, error);
}

const Command command_hooks = {
    .name = "hooks",
    .title = "list the places in a forward pass that can be seen and changed",
    .about = "The names are TransformerLens' own. Each can be kept in a trace (trace --sites), "
             "patched from another run (--patch) and differentiated (trace --grad).",
    .examples = "attnscope hooks\nattnscope hooks --json\n",
    .options = {.groups = {options_json, options_output}},
    .run = run,
};
