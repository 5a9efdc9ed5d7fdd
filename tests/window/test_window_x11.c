/* The real window under Xvfb, with real key and pointer events from xdotool; what is drawn is
 * looked at in the picture of itself that the window writes. Skipped, and said so, where either is
 * missing.
 */
#include <cairo.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "model/base/file.h"
#include "tests/app/spawn.h"

static pid_t server = -1, program = -1;
static char shot[512];

static bool have(const char *tool) {
    char command[128];
    snprintf(command, sizeof command, "command -v %s > /dev/null 2>&1", tool);
    return system(command) == 0;
}

static void wait_ms(int ms) {
    nanosleep(&(struct timespec){ms / 1000, ms % 1000 * 1000000L}, NULL);
}

/* Xvfb takes a free display and writes its number. */
static bool start_server(void) {
    int ends[2];
    if (pipe(ends) != 0) return false;
    server = fork();
    if (server == 0) {
        char fd[16];
        snprintf(fd, sizeof fd, "%d", ends[1]);
        freopen("/dev/null", "w", stderr);
        execlp("Xvfb", "Xvfb", "-displayfd", fd, "-screen", "0", "1280x900x24", "-nolisten", "tcp",
               NULL);
        _exit(127);
    }
    close(ends[1]);
    char number[16] = "", display[24];
    ssize_t n = read(ends[0], number, sizeof number - 1);
    close(ends[0]);
    if (n <= 0) return false;
    snprintf(display, sizeof display, ":%d", atoi(number));
    setenv("DISPLAY", display, 1);
    return true;
}

static void start_program(void) {
    program = fork();
    if (program == 0) {
        const char *path = getenv("ATTNSCOPE");
        setenv("SDL_VIDEODRIVER", "x11", 1);
        setenv("XDG_STATE_HOME", spawn_scratch(), 1);
        setenv("HOME", spawn_scratch(), 1);
        execl(path ? path : "build/attnscope", "attnscope", "window", "--model", "tests/data/tiny",
              "--text", "She loves cats.", "--size", "1200x800", NULL);
        _exit(127);
    }
}

static void xdo(const char *what) {
    char command[512];
    snprintf(command, sizeof command, "xdotool %s > /dev/null 2>&1", what);
    int ignored = system(command);
    (void)ignored;
}

/* The window writes its own picture; waits until the file is whole. */
static cairo_surface_t *look(void) {
    unlink(shot);
    xdo("key --delay 30 F12");
    wait_ms(150);
    xdo("key --delay 30 Return");
    for (int i = 0; i < 200; i++) {
        wait_ms(50);
        if (!file_exists(shot)) continue;
        cairo_surface_t *s = cairo_image_surface_create_from_png(shot);
        if (cairo_surface_status(s) == CAIRO_STATUS_SUCCESS) {
            wait_ms(100);
            return s;
        }
        cairo_surface_destroy(s);
    }
    return NULL;
}

static int differing(cairo_surface_t *a, cairo_surface_t *b, int x0, int y0, int x1, int y1) {
    int n = 0;
    for (int y = y0; y < y1; y++) {
        const uint32_t *p = (const uint32_t *)(const void *)(cairo_image_surface_get_data(a) +
                                                             y * cairo_image_surface_get_stride(a));
        const uint32_t *q = (const uint32_t *)(const void *)(cairo_image_surface_get_data(b) +
                                                             y * cairo_image_surface_get_stride(b));
        for (int x = x0; x < x1; x++)
            n += (p[x] & 0xffffff) != (q[x] & 0xffffff);
    }
    return n;
}

/* Looks until the picture differs from the one before: a busy machine takes its time. */
static cairo_surface_t *look_for_change(cairo_surface_t *before, int least, int y0, int y1) {
    cairo_surface_t *now = NULL;
    for (int i = 0; i < 12; i++) {
        cairo_surface_destroy(now);
        now = look();
        if (!now || differing(before, now, 200, y0, 1180, y1) > least) return now;
        wait_ms(500);
    }
    return now;
}

static void keys_and_pointer_change_what_is_drawn(void **state) {
    (void)state;
    if (!have("Xvfb") || !have("xdotool")) {
        print_message(
            "skipped: the real window is driven by Xvfb and xdotool, which are missing\n");
        skip();
    }
    snprintf(shot, sizeof shot, "%s/attnscope-window.png", spawn_scratch());
    if (!start_server()) {
        print_message("skipped: Xvfb does not start here\n");
        skip();
    }
    start_program();
    xdo("search --sync --onlyvisible --name '^attnscope$'");
    wait_ms(1500);
    xdo("mousemove 600 60");
    xdo("mousemove 640 500 click 1");
    wait_ms(300);
    cairo_surface_t *first = look();
    assert_non_null(first);
    assert_int_equal(cairo_image_surface_get_width(first), 1200);

    /* 3 is the heatmap: the picture changes, the sentence does not. */
    xdo("key --delay 30 3");
    wait_ms(800);
    cairo_surface_t *second = look_for_change(first, 2000, 240, 700);
    assert_non_null(second);
    assert_true(differing(first, second, 200, 240, 900, 700) > 2000);

    /* Typing changes the sentence, and the picture with it. */
    xdo("key --delay 1 ctrl+l End");
    xdo("type --delay 30 'dogs'");
    wait_ms(1500);
    xdo("key --delay 30 Escape");
    wait_ms(300);
    cairo_surface_t *third = look_for_change(second, 200, 240, 700);
    assert_non_null(third);
    assert_true(differing(second, third, 200, 10, 560, 54) > 20);
    assert_true(differing(second, third, 200, 240, 900, 700) > 200);

    /* A click on the strip goes a step back. */
    xdo("search --onlyvisible --name '^attnscope$' mousemove --window %1 68 770");
    wait_ms(200);
    xdo("click 1");
    wait_ms(800);
    cairo_surface_t *fourth = look_for_change(third, 200, 745, 795);
    assert_non_null(fourth);
    assert_true(differing(third, fourth, 200, 745, 1180, 795) > 200);

    cairo_surface_destroy(first);
    cairo_surface_destroy(second);
    cairo_surface_destroy(third);
    cairo_surface_destroy(fourth);

    kill(program, SIGTERM);
    int status = -1;
    assert_int_equal(waitpid(program, &status, 0), program);
    program = -1;
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);

    char path[600];
    snprintf(path, sizeof path, "%s/attnscope/window.json", spawn_scratch());
    Arena *arena = arena_new();
    Str text;
    Error error = {0};
    assert_true(file_read(path, 0, arena, &text, &error));
    assert_non_null(strstr(text.data, "She loves cats.dogs"));
    arena_free(arena);
}

static int stop(void **state) {
    if (program > 0) {
        kill(program, SIGKILL);
        waitpid(program, NULL, 0);
    }
    if (server > 0) {
        kill(server, SIGTERM);
        waitpid(server, NULL, 0);
    }
    return spawn_clean(state);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_and_pointer_change_what_is_drawn),
    };
    return cmocka_run_group_tests(tests, NULL, stop);
}
