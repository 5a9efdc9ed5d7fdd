#include "model/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The first number of a small file; -1 if there is none ("max" is none). */
static int64_t number_in(const char *path) {
    FILE *file = fopen(path, "re");
    long long x = -1;
    if (file && fscanf(file, "%lld", &x) != 1) x = -1;
    if (file) fclose(file);
    return x;
}

/* MemAvailable of /proc/meminfo, in bytes. */
static int64_t of_machine(void) {
    FILE *file = fopen("/proc/meminfo", "re");
    char line[128];
    long long kilobytes = -1;
    while (file && fgets(line, sizeof line, file))
        if (sscanf(line, "MemAvailable: %lld kB", &kilobytes) == 1) break;
    if (file) fclose(file);
    return kilobytes < 0 ? -1 : kilobytes * 1024;
}

/* What the group may still take: cgroup 2, cgroup 1. */
static int64_t of_group(void) {
    static const char *const files[][2] = {
        {"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"},
        {"/sys/fs/cgroup/memory/memory.limit_in_bytes",
         "/sys/fs/cgroup/memory/memory.usage_in_bytes"}};
    for (int i = 0; i < 2; i++) {
        int64_t limit = number_in(files[i][0]), used = number_in(files[i][1]);
        if (limit > 0 && used >= 0 && limit < (int64_t)1 << 60)
            return limit > used ? limit - used : 0;
    }
    return -1;
}

int64_t memory_available(void) {
    int64_t machine = of_machine(), group = of_group();
    if (machine < 0 || group < 0) return machine < 0 ? group : machine;
    return machine < group ? machine : group;
}

bool memory_fits(int64_t n_bytes) {
    enum { SMALL = 64 << 20 }; /* not worth asking */
    if (n_bytes < SMALL) return true;
    int64_t free_bytes = memory_available();
    return free_bytes < 0 || n_bytes <= free_bytes;
}
