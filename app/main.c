/* The only place that ends the program: 0 done, 1 the input or the machine failed, 2 wrong usage.
 * What went wrong is one line on stderr. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/commands.h"
#include "app/output.h"
#include "model/ops.h"

/* Starts the program once more where BLAS should choose other kernels: it does so when it is
 * loaded, by the environment. Goes on as it is where that cannot be done. */
static void choose_blas_kernels(char **argv) {
    const char *core = getenv("OPENBLAS_CORETYPE") ? NULL : ops_blas_better_core();
    if (core && setenv("OPENBLAS_CORETYPE", core, 1) == 0) execv("/proc/self/exe", argv);
}

int main(int argc, char **argv) {
    choose_blas_kernels(argv);
    /* A reader that goes away ("| head") is a failed write and is said as one. */
    signal(SIGPIPE, SIG_IGN);
    Error error = {0};
    bool ok = commands_run(argc - 1, argv + 1, &error);
    bool flushed = fflush(stdout) == 0 && !ferror(stdout);
    if (ok && !flushed)
        ok =
            error_set(&error, ERROR_IO, "cannot write to the standard output: %s", strerror(errno));
    output_progress_end();
    if (ok) return 0;
    output_note("%s", error.message);
    return error.kind == ERROR_USAGE ? 2 : 1;
}
