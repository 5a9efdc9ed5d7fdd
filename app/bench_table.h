/* The table of a bench from the outside: made, printed and freed by the command. */
#ifndef APP_BENCH_TABLE_H
#define APP_BENCH_TABLE_H

#include "app/bench.h"

BenchTable *bench_table_new(void);
void bench_table_free(BenchTable *table);
void bench_table_print(const BenchTable *table, const char *title, bool markdown, Output *out);

#endif
