/* Measurements: `attnscope bench NAME`. One file each (app/bench_forward.c ...), one row each in
 * command_bench.c.
 *
 *     static bool run(const Options *given, BenchTable *table, Error *error) {
 *         bench_columns(table, "tokens|ms|of it bare products");
 *         bench_row(table, "128\t%.1f\t%.1f", ms, bare_ms);
 *         bench_note(table, "bert-base on random weights, 2 threads");
 *         return true;
 *     }
 *     const Bench bench_forward = {"forward", "one pass with all patterns", run};
 *
 * The table comes out aligned for the eye or, with --markdown, as it stands in
 * docs/performance.md, headed by the machine it was measured on.
 */
#ifndef APP_BENCH_H
#define APP_BENCH_H

#include "app/options.h"
#include "app/output.h"

typedef struct BenchTable BenchTable;

/* Titles with | between; once, before the first row. */
void bench_columns(BenchTable *table, const char *titles);
/* Cells with tabs between; shown as soon as it is there on a terminal. */
void bench_row(BenchTable *table, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* A sentence under the table. */
void bench_note(BenchTable *table, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Seconds, from a clock that only goes forward. */
double bench_now(void);
/* Median of n numbers; sorts them. */
double bench_median(double *values, int n);

typedef struct Bench {
    const char *name, *title;
    bool (*run)(const Options *given, BenchTable *table, Error *error);
} Bench;

/* Options of all benches: --markdown, --shape, --tokens, --steps, --model ... (command_bench.c). */
extern const Option options_bench[];

#endif
