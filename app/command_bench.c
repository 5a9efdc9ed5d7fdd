/* bench: measurements, one file each; this is their table. */
#include <string.h>

#include "app/bench_table.h"
#include "app/commands.h"

extern const Bench bench_train, bench_forward, bench_translate, bench_figures;
#ifndef ATTNSCOPE_HEADLESS
extern const Bench bench_window;
#endif

static const Bench *const benches[] = {
    &bench_train,  &bench_forward, &bench_translate, &bench_figures,
#ifndef ATTNSCOPE_HEADLESS
    &bench_window,
#endif
    NULL,
};

const Option options_bench[] = {
    {.name = "markdown", .kind = OPTION_FLAG, .help = "as it stands in docs/performance.md"},
    {.name = "shape",
     .kind = OPTION_TEXT,
     .argument = "NAME",
     .help = "a model of that shape on random weights: bert-base, gpt2, marian-base ..."},
    {.name = "tokens", .kind = OPTION_TEXT, .argument = "N,N", .help = "lengths to measure"},
    {.name = "steps",
     .kind = OPTION_INTEGER,
     .argument = "N",
     .help = "how often each thing is done",
     .min = 1,
     .max = 1000000},
    {0}};

static bool run(const Options *given, Error *error) {
    const char *name = options_word(given, 0);
    const Bench *found = NULL;
    StrBuf names = {0};
    for (const Bench *const *b = benches; *b; b++) {
        strbuf_printf(&names, "%s%s", names.n ? ", " : "", (*b)->name);
        if (strcmp((*b)->name, name) == 0) found = *b;
    }
    if (!found)
        error_set(error, ERROR_USAGE, "no bench '%s'; there are: %s", name,
                  names.n ? names.data : "none");
    strbuf_free(&names);
    if (!found) return false;
    Output *out = output_open(options_text(given, "output", NULL), error);
    BenchTable *table = bench_table_new();
    bool ok = out && found->run(given, table, error);
    output_progress_end();
    if (ok) bench_table_print(table, found->title, options_given(given, "markdown"), out);
    bench_table_free(table);
    if (ok) return output_close(out, error);
    output_abandon(out);
    return false;
}

const Command command_bench = {
    .name = "bench",
    .title = "measure this program on this machine",
    .examples = "attnscope bench forward --shape bert-base --tokens 16,128 --markdown\n",
    .word_choices = "train|forward|translate|figures|window",
    .options = {.groups = {options_bench, options_model, options_output},
                .words = "train|forward|translate|figures|window",
                .n_words_min = 1,
                .n_words_max = 1},
    .run = run,
};
