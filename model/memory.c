#include "model/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

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

static int64_t least_of(int64_t a, int64_t b) {
    if (a < 0 || b < 0) return a < 0 ? b : a;
    return a < b ? a : b;
}

/* What a group of processes may still take, by two files in its folder; -1: it has no limit. */
static int64_t of_folder(const char *folder, const char *limit_name, const char *used_name) {
    char path[512];
    snprintf(path, sizeof path, "%s/%s", folder, limit_name);
    int64_t limit = number_in(path);
    snprintf(path, sizeof path, "%s/%s", folder, used_name);
    int64_t used = number_in(path);
    if (limit <= 0 || used < 0 || limit >= (int64_t)1 << 60) return -1;
    return limit > used ? limit - used : 0;
}

/* The groups that this process is in: cgroup 2 from its own folder up to the root, cgroup 1. */
static int64_t of_groups(void) {
    static const char root[] = "/sys/fs/cgroup";
    char line[256], folder[300];
    FILE *file = fopen("/proc/self/cgroup", "re");
    int64_t least =
        of_folder("/sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.usage_in_bytes");
    snprintf(folder, sizeof folder, "%s", root);
    while (file && fgets(line, sizeof line, file))
        if (strncmp(line, "0::/", 4) == 0)
            snprintf(folder, sizeof folder, "%s%.*s", root, (int)strcspn(line + 3, "\n"), line + 3);
    if (file) fclose(file);
    while (strlen(folder) >= strlen(root)) {
        least = least_of(least, of_folder(folder, "memory.max", "memory.current"));
        *strrchr(folder, '/') = '\0';
    }
    return least;
}

/* What ulimit leaves of addresses (pages in use are the first number of statm), less an eighth:
 * arenas take blocks larger than what is put into them. */
static int64_t of_limits(void) {
    struct rlimit limit;
    int64_t n_pages = number_in("/proc/self/statm");
    if (getrlimit(RLIMIT_AS, &limit) || limit.rlim_cur >= (rlim_t)1 << 60 || n_pages < 0) return -1;
    int64_t used = n_pages * sysconf(_SC_PAGESIZE);
    return (int64_t)limit.rlim_cur > used ? ((int64_t)limit.rlim_cur - used) / 8 * 7 : 0;
}

int64_t memory_available(void) {
    return least_of(of_limits(), least_of(of_machine(), of_groups()));
}

bool memory_fits(int64_t n_bytes) {
    enum { SMALL = 64 << 20 }; /* not worth asking */
    if (n_bytes < SMALL) return true;
    int64_t free_bytes = memory_available();
    return free_bytes < 0 || n_bytes <= free_bytes;
}
