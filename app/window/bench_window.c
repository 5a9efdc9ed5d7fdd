/* bench window: frames of the real window while something in the picture changes in every one of
 * them: 12 layers of 12 heads at 512 tokens, no model, the software renderer. Nothing is presented
 * twice. With a model also: how soon the window stands, and how soon a key shows. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "app/bench.h"
#include "app/window/actions.h"
#include "app/window/picture.h"

enum { LAYERS = 12, HEADS = 12, TOKENS = 512, MOST_FRAMES = 2000 };

/* Rows that sum to 1 and look like attention: a diagonal here, a sink there, the rest spread. */
static Trace *make_trace(void) {
    Arena *arena = arena_new();
    Tokens tokens = {.n = TOKENS, .items = arena_calloc(arena, TOKENS, sizeof(Token))};
    for (int i = 0; i < TOKENS; i++)
        tokens.items[i] = (Token){.id = i, .label = str(arena_printf(arena, "word%d", i))};
    Tokens none = {.n = 0};
    Trace *trace = trace_new(arena, tokens, none, NULL);
    uint32_t seed = 1;
    for (int layer = 0; layer < LAYERS; layer++) {
        Tensor pattern = tensor_new(arena, 3, HEADS, TOKENS, TOKENS);
        for (int64_t row = 0; row < HEADS * TOKENS; row++) {
            float *x = pattern.data + row * TOKENS;
            int64_t query = row % TOKENS, head = row / TOKENS, reach = 1 + (head * 7 + layer) % 40;
            double sum = 0;
            for (int64_t key = 0; key < TOKENS; key++) {
                seed = seed * 1664525u + 1013904223u;
                double d = fabs((double)(key - query + head)) / (double)reach;
                x[key] = (float)(exp(-d) + (key == 0 ? 0.5 : 0) + (double)(seed >> 24) * 1e-5);
                sum += (double)x[key];
            }
            for (int64_t key = 0; key < TOKENS; key++)
                x[key] = (float)((double)x[key] / sum);
        }
        trace_put(trace, arena_printf(arena, "blocks.%d.attn.hook_pattern", layer), pattern);
    }
    return trace;
}

/* One measurement many times over. */
typedef struct Frames {
    double wall[MOST_FRAMES], cpu[MOST_FRAMES]; /* ms */
    int n;
} Frames;

static double clock_ms(clockid_t clock) {
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec * 1e-6;
}

static int ascending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static double at(const double *sorted, int n, double share) {
    int i = (int)ceil(share * n) - 1;
    return sorted[i < 0 ? 0 : i];
}

static void report(BenchTable *table, const char *view, const char *what, Frames *frames) {
    int n = frames->n;
    if (n < 1) return;
    qsort(frames->wall, (size_t)n, sizeof(double), ascending);
    qsort(frames->cpu, (size_t)n, sizeof(double), ascending);
    bench_row(table, "%s\t%s\t%d\t%.1f\t%.1f\t%.1f\t%.1f\t%.1f", view, what, n,
              at(frames->wall, n, 0.5), at(frames->wall, n, 0.99), frames->wall[n - 1],
              at(frames->cpu, n, 0.5), at(frames->cpu, n, 0.99));
}

static void frame(Window *w, Frames *frames) {
    double wall = window_now_ms(), cpu = clock_ms(CLOCK_THREAD_CPUTIME_ID);
    window_frame(w);
    window_present(w);
    frames->wall[frames->n] = window_now_ms() - wall;
    frames->cpu[frames->n++] = clock_ms(CLOCK_THREAD_CPUTIME_ID) - cpu;
    SDL_PumpEvents();
}

static void pan(Window *w, int i) {
    picture_pan(w, 7 * sin(i * 0.11), 5 * cos(i * 0.07));
}

static void zoom(Window *w, int i) {
    Box a = w->picture.area;
    picture_zoom(w, i / 60 % 2 ? 1 / 1.03 : 1.03, a.x + a.w * 0.4, a.y + a.h * 0.5);
}

static void hover(Window *w, int i) {
    Box a = w->picture.area;
    w->ui.in.x = a.x + a.w * (0.5 + 0.45 * sin(i * 0.37));
    w->ui.in.y = a.y + a.h * (0.5 + 0.45 * sin(i * 0.23 + 1));
    w->ui.in.moved = true;
}

static void measure(Window *w, BenchTable *table, const char *view, const char *what,
                    void (*change)(Window *, int), int n_frames) {
    Frames *frames = calloc(1, sizeof *frames);
    if (!frames) abort();
    char name[64];
    snprintf(name, sizeof name, "view.%s", view);
    action_run(w, name);
    picture_fit(w);
    window_settle(w, 60000);
    for (int i = 0; i < n_frames; i++) {
        change(w, i);
        frame(w, frames);
    }
    report(table, view, what, frames);
    w->ui.in.x = w->ui.in.y = -1e6;
    free(frames);
}

/* Letters of a next word one after the other, then as many times back. */
static void type_key(int i) {
    static const char *const letters[] = {" ", "a", "g", "a", "i", "n"};
    const int n = sizeof letters / sizeof *letters;
    SDL_Event event = {.type = SDL_TEXTINPUT};
    if (i % (2 * n) < n) {
        snprintf(event.text.text, sizeof event.text.text, "%s", letters[i % n]);
    } else {
        event.type = SDL_KEYDOWN;
        event.key.keysym.sym = SDLK_BACKSPACE;
    }
    SDL_PushEvent(&event);
}

/* From the key to the frame that shows the new picture; CPU: of all threads. */
static void press(Window *w, int i, Frames *frames) {
    const Pass *before = w->pass;
    double begin = window_now_ms(), cpu = clock_ms(CLOCK_PROCESS_CPUTIME_ID);
    type_key(i);
    while (w->pass == before && window_now_ms() - begin < 10000)
        window_step(w, 10);
    frames->wall[frames->n] = window_now_ms() - begin;
    frames->cpu[frames->n++] = clock_ms(CLOCK_PROCESS_CPUTIME_ID) - cpu;
}

/* Since the program was started, its libraries' loading included; else since `begin_ms`. */
static double since_start_ms(double begin_ms) {
    double ticks = 0;
    FILE *f = fopen("/proc/self/stat", "r");
    char text[1024];
    size_t n = f ? fread(text, 1, sizeof text - 1, f) : 0;
    if (f) fclose(f);
    text[n] = 0;
    /* Field 22, counted behind the name, which may hold blanks. */
    const char *at_field = strrchr(text, ')');
    for (int field = 2; at_field && field < 22; field++)
        if ((at_field = strchr(at_field, ' '))) at_field++;
    if (at_field) ticks = strtod(at_field, NULL);
#ifdef CLOCK_BOOTTIME
    if (ticks > 0) return clock_ms(CLOCK_BOOTTIME) - ticks * 1e3 / (double)sysconf(_SC_CLK_TCK);
#endif
    return window_now_ms() - begin_ms;
}

static void measure_model(const char *model, BenchTable *table, double begin) {
    Error error = {0};
    WindowOptions options = {.model = model,
                             .text = "The old man sat in his garden and read the morning paper",
                             .width = 1440,
                             .height = 900,
                             .fresh = true};
    Window *w = window_open(&options, &error);
    while (w && !(w->shown && w->shown->figure) && !*w->load_error &&
           window_now_ms() - begin < 20000)
        window_step(w, 10);
    if (!w || !w->shown) {
        bench_note(table, "no model to type into: %s", w ? w->load_error : error.message);
        window_close(w);
        return;
    }
    Frames *frames = calloc(1, sizeof *frames);
    if (!frames) abort();
    frames->wall[0] = since_start_ms(begin);
    frames->cpu[0] = clock_ms(CLOCK_PROCESS_CPUTIME_ID);
    frames->n = 1;
    report(table, "window", "start to first picture", frames);
    frames->n = 0;
    enum { KEYS = 48 };
    window_settle(w, 20000);
    for (int i = 0; i < KEYS; i++) {
        press(w, i, frames);
        window_settle(w, 20000);
    }
    report(table, "cross", "key to new picture", frames);
    free(frames);
    window_close(w);
}

static bool run(const Options *given, BenchTable *table, Error *error) {
    double begin = window_now_ms();
    if (!getenv("DISPLAY") && !getenv("WAYLAND_DISPLAY") && !getenv("SDL_VIDEODRIVER"))
        SDL_setenv("SDL_VIDEODRIVER", "dummy", 1);
    int n = options_int(given, "steps", 240);
    if (n > MOST_FRAMES) n = MOST_FRAMES;
    bench_columns(table,
                  "view|what changes|frames|median ms|p99 ms|worst ms|CPU median ms|CPU p99 ms");
    measure_model(options_text(given, "model", NULL), table, begin);
    WindowOptions options = {.trace = make_trace(), .width = 1440, .height = 900, .fresh = true};
    Window *w = window_open(&options, error);
    if (!w) {
        trace_release(options.trace);
        return false;
    }
    static const char *const views_of[] = {"model", "heatmap", "head"};
    for (int i = 0; i < 3; i++) {
        measure(w, table, views_of[i], "pan", pan, n);
        measure(w, table, views_of[i], "zoom", zoom, n);
        measure(w, table, views_of[i], "hover", hover, n);
    }
    bench_note(table,
               "frames: %d layers x %d heads at %d tokens, window of 1440 x 900 pixels, video "
               "driver %s, no GPU; CPU of the thread that draws. The start counts from the "
               "program's, a key is pressed in a sentence of 12 words; CPU of all threads.",
               LAYERS, HEADS, TOKENS, SDL_GetCurrentVideoDriver());
    window_close(w);
    return true;
}

const Bench bench_window = {"window", "frames of the window while the picture changes", run};
