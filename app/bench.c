#include "app/bench.h"
#include "app/bench_table.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "app/parallel.h"
#include "app/version.h"
#include "model/base/utf8.h"

enum { MOST_COLUMNS = 12, MOST_ROWS = 128 };

struct BenchTable {
    char *titles;
    char *rows[MOST_ROWS]; /* cells with tabs between */
    StrBuf notes;          /* each ended by "\n" */
    int n_rows;
};

BenchTable *bench_table_new(void) {
    return calloc(1, sizeof(BenchTable));
}

void bench_table_free(BenchTable *table) {
    if (!table) return;
    free(table->titles);
    for (int i = 0; i < table->n_rows; i++)
        free(table->rows[i]);
    strbuf_free(&table->notes);
    free(table);
}

void bench_columns(BenchTable *table, const char *titles) {
    free(table->titles);
    table->titles = strdup(titles);
    for (char *c = table->titles; *c; c++)
        if (*c == '|') *c = '\t';
}

void bench_row(BenchTable *table, const char *format, ...) {
    if (table->n_rows == MOST_ROWS) return;
    va_list args;
    va_start(args, format);
    char *row = NULL;
    int n = vasprintf(&row, format, args);
    va_end(args);
    if (n < 0) return;
    table->rows[table->n_rows++] = row;
    output_progress("%s", row);
}

void bench_note(BenchTable *table, const char *format, ...) {
    va_list args;
    va_start(args, format);
    char *note = NULL;
    int n = vasprintf(&note, format, args);
    va_end(args);
    if (n < 0) return;
    strbuf_puts(&table->notes, note);
    strbuf_putc(&table->notes, '\n');
    free(note);
}

double bench_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

double bench_median(double *values, int n) {
    if (n <= 0) return 0;
    qsort(values, (size_t)n, sizeof *values, by_value);
    return n % 2 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

/* The index-th cell of a row. */
static Str cell(const char *row, int index) {
    while (index-- > 0) {
        row = strchr(row, '\t');
        if (!row) return (Str){"", 0};
        row++;
    }
    return (Str){row, strcspn(row, "\t")};
}

static int count_cells(const char *row) {
    int n = 1;
    for (; *row; row++)
        n += *row == '\t';
    return n < MOST_COLUMNS ? n : MOST_COLUMNS;
}

static void print_cells(Output *out, const char *row, const int *widths, int n, bool markdown) {
    for (int i = 0; i < n; i++) {
        Str text = cell(row, i);
        output_puts(out, markdown ? (i ? " | " : "| ") : (i ? "  " : ""));
        if (i == 0) output_str(out, text);
        output_printf(out, "%*s", widths[i] - (int)utf8_count(text), "");
        if (i > 0) output_str(out, text);
    }
    output_puts(out, markdown ? " |\n" : "\n");
}

/* The first column to the left, numbers to the right: |------|-----:| */
static void print_rule(Output *out, const int *widths, int n) {
    for (int i = 0; i < n; i++) {
        output_puts(out, "|-");
        for (int k = 0; k < widths[i]; k++)
            output_puts(out, "-");
        output_puts(out, i ? ":" : "-");
    }
    output_puts(out, "|\n");
}

/* "Intel(R) Xeon(R) ..." of /proc/cpuinfo; the empty text where there is none. */
static void cpu_name(char *name, size_t size) {
    char line[512];
    *name = '\0';
    FILE *file = fopen("/proc/cpuinfo", "re");
    while (file && fgets(line, sizeof line, file)) {
        char *colon = strchr(line, ':');
        if (strncmp(line, "model name", 10) != 0 || !colon) continue;
        snprintf(name, size, "%.*s, ", (int)strcspn(colon + 2, "\n"), colon + 2);
        break;
    }
    if (file) fclose(file);
}

void bench_table_print(const BenchTable *table, const char *title, bool markdown, Output *out) {
    int widths[MOST_COLUMNS] = {0}, n = table->titles ? count_cells(table->titles) : 0;
    for (int row = -1; row < table->n_rows; row++)
        for (int i = 0; i < n; i++) {
            int width = (int)utf8_count(cell(row < 0 ? table->titles : table->rows[row], i));
            if (width > widths[i]) widths[i] = width;
        }
    char cpu[256];
    cpu_name(cpu, sizeof cpu);
    output_printf(out, "%s%s%s", markdown ? "### " : "", title, markdown ? "\n\n" : "\n");
    if (n > 0) print_cells(out, table->titles, widths, n, markdown);
    if (n > 0 && markdown) print_rule(out, widths, n);
    for (int row = 0; row < table->n_rows; row++)
        print_cells(out, table->rows[row], widths, n, markdown);
    output_printf(out, "%s%s", table->notes.n ? "\n" : "", strbuf_str(&table->notes).data);
    output_printf(out, "\nattnscope %s, %s%d thread%s, %s\n", ATTNSCOPE_VERSION, cpu,
                  parallel_n_threads(), parallel_n_threads() == 1 ? "" : "s",
#ifdef __clang__
                  "clang " __clang_version__
#else
                  "gcc " __VERSION__
#endif
    );
}
