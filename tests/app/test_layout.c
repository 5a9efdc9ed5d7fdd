/* Nothing that a reader has to read lies over something else or off the page: every kind of figure,
 * each theme, narrow and wide, with few and many tokens. LAYOUT_MODEL=DIR takes another model. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "app/figure_scene.h"
#include "tests/app/ground.h"

static int open_all(void **unused) {
    (void)unused;
    const char *model = getenv("LAYOUT_MODEL");
    return ground_open(model ? model : "tests/data/tiny");
}

/* What is inked by a text that runs along or up; false where it stands askew. */
static bool inked(const FigureText *text, FigureBox *box) {
    TextSize size = text->size;
    double w = size.ink_x1 - size.ink_x0, h = size.ink_y1 - size.ink_y0;
    double left = size.ink_x0;
    if (text->style.anchor == FIGURE_MIDDLE) left -= size.width / 2;
    if (text->style.anchor == FIGURE_END) left -= size.width;
    if (fabs(text->style.angle) < 0.1) {
        *box = (FigureBox){text->x + left, text->y + size.ink_y0, w, h};
        return true;
    }
    if (fabs(text->style.angle - 90) > 0.1) return false;
    *box = (FigureBox){text->x + size.ink_y0, text->y - left - w, h, w};
    return true;
}

static bool overlap(FigureBox a, FigureBox b) {
    double w = fmin(a.x + a.w, b.x + b.w) - fmax(a.x, b.x);
    double h = fmin(a.y + a.h, b.y + b.h) - fmax(a.y, b.y);
    return w > 0.5 && h > 0.8;
}

static bool outside(FigureBox box, FigureBox page) {
    return box.x < -0.6 || box.y < -0.6 || box.x + box.w > page.w + 0.6 ||
           box.y + box.h > page.h + 0.6;
}

static int check_figure(const Figure *figure, const char *what) {
    int n, n_faults = 0, clips = 0;
    const FigureItem *items = figure_items(figure, &n);
    FigureBox page = figure_bounds(figure), box, other;
    for (int i = 0; i < n && n_faults < 5; i++) {
        clips += (items[i].kind == FIGURE_CLIP_BEGIN) - (items[i].kind == FIGURE_CLIP_END);
        if (items[i].kind == FIGURE_RECT || items[i].kind == FIGURE_IMAGE ||
            items[i].kind == FIGURE_PATH) {
            if (clips || !outside(items[i].box, page)) continue;
            printf("%s: item %d at %.0f,%.0f %.0f x %.0f is off the page of %.0f x %.0f\n", what, i,
                   items[i].box.x, items[i].box.y, items[i].box.w, items[i].box.h, page.w, page.h);
            n_faults++;
        }
        if (items[i].kind != FIGURE_TEXT) continue;
        Str s = items[i].text->s;
        bool straight = inked(items[i].text, &box);
        if (!straight) box = items[i].box;
        if (outside(box, page)) {
            printf("%s: '%.*s' at %.0f,%.0f is off the page of %.0f x %.0f\n", what, (int)s.n,
                   s.data, box.x, box.y, page.w, page.h);
            n_faults++;
        }
        if (str_is(s, "\xe2\x80\xa6") && items[i].text->whole.n > s.n) {
            printf("%s: nothing is left of '%.*s'\n", what, (int)items[i].text->whole.n,
                   items[i].text->whole.data);
            n_faults++;
        }
        for (int j = 0; straight && j < i; j++) {
            if (items[j].kind != FIGURE_TEXT || !inked(items[j].text, &other)) continue;
            if (!overlap(box, other)) continue;
            printf("%s: '%.*s' lies over '%.*s' at %.0f,%.0f\n", what, (int)s.n, s.data,
                   (int)items[j].text->s.n, items[j].text->s.data, box.x, box.y);
            n_faults++;
            break;
        }
    }
    return n_faults;
}

static const struct {
    const char *kind, *fields;
} kinds[] = {
    {"heatmap", "attention=cross;layer=1;head=2"},
    {"heatmap", "attention=encoder;layer=1;head=all"},
    {"heatmap", "attention=decoder;layer=1;head=0;numbers=true;number_duplicates=true;base=1"},
    {"heatmap", "attention=cross;layer=1;head=1;transpose=true;units=words;hide_special=true"},
    {"cross", "layer=1;head=mean"},
    {"cross", "layer=1;head=0,1;orientation=horizontal;hard=true"},
    {"cross", "layer=1;head=0;ribbons=true;token=1"},
    {"model", "attention=cross;statistic=entropy"},
    {"model", "attention=encoder;statistic=none"},
    {"head", "attention=encoder;layer=0;head=0,1"},
    {"head", "attention=cross;layer=0;head=1;orientation=horizontal"},
    {"arcs", "attention=encoder;layer=0;head=1"},
    {"arcs", "attention=decoder;layer=0;head=0;units=tokens;top_k=2"},
    {"sentence", "layer=1;head=0;token=1"},
    {"sentence", "attention=encoder;layer=1;head=0;numbers=true"},
    {"neuron", "attention=encoder;layer=0;head=1;token=1"},
    {"neuron", "attention=decoder;layer=0;head=1;token=0"},
    {"steps", "attention=decoder;layer=1;head=1"},
    {"steps", "attention=cross;layer=1;head=1"},
    {"mask", "theme=light"},
    {"blocks", "box=decoder.1.cross_attn"},
    {"difference", "edits=ablate decoder.0.attn:H1;layer=1;head=0"},
    {"positions", "n_positions=60"},
    {"positions", "pair=2"},
    {"position-map", "n_positions=20"},
    {"position-map", "n_positions=300"},
    {"position-similarity", "n_positions=60"},
};

static const struct {
    const char *source, *target;
} texts[] = {
    {"cat", "kissa"},
    {"the cat is on the mat.", "kissa on matolla."},
    {"the cat is on the mat, and the unbelievably long-winded dog is under the mat; 1234567 cats!",
     "kissa on matolla, ja epajarjestelmallistyttamattomyydellansakaan koira ei ole matolla, "
     "vaan kissa on matolla, ja koira on kissa."},
};

static int check_one(const char *kind, const char *fields, int text, const char *look) {
    State state;
    state_init(&state);
    state_put_text(&state.text, texts[text].source);
    state_put_text(&state.target_text, texts[text].target);
    state_put_text(&state.view, kind);
    char copy[256], what[400];
    snprintf(copy, sizeof copy, "%s;%s", fields, look);
    snprintf(what, sizeof what, "%s, text %d, %s", kind, text, copy);
    Error error = {0};
    ground_set(&state, copy);
    const View *view = view_find(kind);
    Scene scene;
    if (!scene_open(&scene, &state, view, subject, &error)) fail_msg("%s: %s", what, error.message);
    ViewInput input = scene_input(&scene, &state);
    drawer.theme = theme_find(str(state.theme));
    Figure *figure = drawer_draw(&drawer, view, &input, &error);
    if (!figure) fail_msg("%s: %s", what, error.message);
    int n_faults = check_figure(figure, what);
    bool grows =
        strcmp(kind, "steps") == 0 || strcmp(kind, "blocks") == 0; /* as high as they are */
    if (input.state->size && strchr(input.state->size, 'x') && strstr(input.state->size, "mm") &&
        !grows && figure_bounds(figure).h > 90 / 25.4 * 72 + 30) {
        printf("%s: %.0fpt high\n", what, figure_bounds(figure).h);
        n_faults++;
    }
    figure_free(figure);
    scene_close(&scene);
    state_free(&state);
    return n_faults;
}

static void nothing_lies_over_another(void **unused) {
    (void)unused;
    static const char *const looks[] = {"theme=light",
                                        "theme=light;size=84mm",
                                        "theme=print;size=84mm",
                                        "theme=print;size=6in",
                                        "theme=projector;size=84mm",
                                        "theme=projector;size=6in",
                                        "theme=light;size=800px",
                                        "theme=print;size=160x90mm"};
    int n_faults = 0;
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++)
        for (int t = 0; t < (int)(sizeof texts / sizeof *texts); t++)
            for (size_t l = 0; l < sizeof looks / sizeof *looks; l++)
                n_faults += check_one(kinds[k].kind, kinds[k].fields, t, looks[l]);
    assert_int_equal(n_faults, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_lies_over_another),
    };
    return cmocka_run_group_tests(tests, open_all, ground_close);
}
