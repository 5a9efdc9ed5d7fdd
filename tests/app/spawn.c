#include "tests/app/spawn.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static char scratch[256];

const char *spawn_scratch(void) {
    if (*scratch) return scratch;
    const char *tmp = getenv("TMPDIR");
    snprintf(scratch, sizeof scratch, "%s/attnscope-test-XXXXXX", tmp && *tmp ? tmp : "/tmp");
    if (!mkdtemp(scratch)) abort();
    setenv("SCRATCH", scratch, 1);
    if (!getenv("ATTNSCOPE")) setenv("ATTNSCOPE", "build/attnscope", 1);
    return scratch;
}

int spawn_clean(void **state) {
    (void)state;
    char command[1024];
    if (!*scratch) return 0;
    snprintf(command, sizeof command, "chmod -R u+rwx '%s'; rm -rf '%s'", scratch, scratch);
    return system(command);
}

const char *spawn_file(const char *name, const void *data, size_t n) {
    static char path[512];
    snprintf(path, sizeof path, "%s/%s", spawn_scratch(), name);
    FILE *file = fopen(path, "wb");
    if (!file || fwrite(data, 1, n, file) != n || fclose(file) != 0) abort();
    return path;
}

static char *read_whole(const char *path, size_t *n) {
    FILE *file = fopen(path, "rb");
    char *text = calloc(1, 1);
    *n = 0;
    if (!file) return text;
    char block[4096];
    for (size_t got; (got = fread(block, 1, sizeof block, file)) > 0; *n += got) {
        text = realloc(text, *n + got + 1);
        memcpy(text + *n, block, got);
        text[*n + got] = '\0';
    }
    fclose(file);
    return text;
}

Spawned spawn_shell(const char *command) {
    char out[320], err[320], line[8192];
    spawn_scratch();
    snprintf(out, sizeof out, "%s/.out", scratch);
    snprintf(err, sizeof err, "%s/.err", scratch);
    snprintf(line, sizeof line, "{ %s\n} > %s 2> %s", command, out, err);
    int status = system(line);
    Spawned r = {.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status)};
    r.out = read_whole(out, &r.n_out);
    r.err = read_whole(err, &r.n_err);
    return r;
}

void spawn_free(Spawned *r) {
    free(r->out);
    free(r->err);
    *r = (Spawned){0};
}

bool spawn_refused(const char *command, int status, const char *part) {
    Spawned r = spawn_shell(command);
    const char *wrong = NULL;
    char *line_end = strchr(r.err, '\n');
    if (r.status != status)
        wrong = "exit status";
    else if (r.n_out > 0)
        wrong = "something on stdout";
    else if (strncmp(r.err, "attnscope: ", 11) != 0)
        wrong = "stderr does not begin with attnscope:";
    else if (!line_end || line_end[1])
        wrong = "not one line on stderr";
    else if (!strstr(r.err, part))
        wrong = "the message lacks what it should say";
    if (wrong)
        fprintf(stderr, "%s\n  %s: status %d (%d expected), '%s' expected in: %s\n  out: %.200s\n",
                command, wrong, r.status, status, part, r.err, r.out);
    spawn_free(&r);
    return !wrong;
}
