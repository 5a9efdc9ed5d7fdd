/* The figure command as a script meets it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "app/drawer.h"
#include "app/figure_options.h"
#include "tests/app/spawn.h"

#define FIGURE "$ATTNSCOPE figure "
#define TINY                                                                                       \
    "--model tests/data/tiny --text 'the cat is on the mat.' --target-text 'kissa on matolla.' "

static char *runs(const char *command) {
    Spawned r = spawn_shell(command);
    if (r.status != 0) fail_msg("%s\n%s", command, r.err);
    char *out = strdup(r.out ? r.out : "");
    spawn_free(&r);
    return out;
}

static void ok(const char *command) {
    free(runs(command));
}

/* Every format carries what draws it again, and draws the same bytes. */
static void specs_go_round(void **unused) {
    (void)unused;
    static const char *const formats[] = {"png", "svg", "pdf", "html"};
    for (int i = 0; i < 4; i++) {
        char line[1024];
        bool pdf = strcmp(formats[i], "pdf") == 0; /* cairo 1.16 leaks over some fonts there */
        snprintf(line, sizeof line,
                 FIGURE "heatmap " TINY "--cross --layer 1 --head 2 --hide . --theme dark "
                        "--title 'A \"<title>\" & (%s)' -o $SCRATCH/a.%s && " FIGURE
                        "--spec $SCRATCH/a.%s -o $SCRATCH/b.%s && cmp $SCRATCH/a.%s "
                        "$SCRATCH/b.%s",
                 pdf ? "cat" : "猫😀", formats[i], formats[i], formats[i], formats[i], formats[i]);
        ok(line);
    }
    ok(FIGURE "--spec $SCRATCH/a.svg --theme print --head 0 -o $SCRATCH/c.svg && "
              "! cmp -s $SCRATCH/a.svg $SCRATCH/c.svg && grep -q 'cross-L1H0-q' $SCRATCH/c.svg");
    char *spec = runs(FIGURE "--spec $SCRATCH/a.pdf --print-spec");
    assert_non_null(strstr(spec, "\"theme\": \"dark\""));
    assert_non_null(strstr(spec, "\"model_hash\""));
    assert_non_null(strstr(spec, "\"view\": \"heatmap\""));
    free(spec);
    ok(FIGURE "--spec $SCRATCH/a.svg --print-spec > $SCRATCH/s.json && " FIGURE
              "--session $SCRATCH/s.json -o $SCRATCH/d.svg && cmp $SCRATCH/a.svg $SCRATCH/d.svg");
}

static void other_weights_are_said(void **unused) {
    (void)unused;
    ok(FIGURE "heatmap " TINY "-o $SCRATCH/h.svg && sed 's/model_hash&quot;:&quot;..../"
              "model_hash\\&quot;:\\&quot;0000/' $SCRATCH/h.svg > $SCRATCH/i.svg");
    Spawned r = spawn_shell(FIGURE "--spec $SCRATCH/i.svg -o $SCRATCH/j.svg");
    assert_int_equal(r.status, 0);
    assert_non_null(strstr(r.err, "the weights are not those"));
    spawn_free(&r);
}

static void writes_what_is_asked_for(void **unused) {
    (void)unused;
    ok(FIGURE "cross " TINY "-o $SCRATCH/x.png -o $SCRATCH/x.pdf -o $SCRATCH/x.svg "
              "-o $SCRATCH/x.html -o $SCRATCH/x.csv -o $SCRATCH/x.json -o $SCRATCH/x.npz "
              "-o $SCRATCH/x.safetensors --caption $SCRATCH/x.txt");
    char *caption = runs("cat $SCRATCH/x.txt");
    assert_non_null(strstr(caption, "Cross-attention, layer"));
    assert_non_null(strstr(caption, "the cat is on the mat."));
    assert_null(strstr(caption, ".\xe2\x80\x9d.")); /* whole sentences, one after the other */
    assert_non_null(strstr(caption, ". Query: "));
    free(caption);
    char *csv = runs("head -2 $SCRATCH/x.csv");
    assert_non_null(strstr(csv, "head,query,key,query_token,key_token,weight\ncross-L"));
    free(csv);
    ok(FIGURE "cross --from $SCRATCH/x.npz --layer 0 --head 1 -o $SCRATCH/y.svg && " FIGURE
              "cross --from $SCRATCH/x.safetensors --layer 0 --head 1 -o $SCRATCH/z.svg");
    ok("! grep -q 'https\\?://' $SCRATCH/x.html || "
       "! grep -o 'https\\?://[^\"]*' $SCRATCH/x.html | grep -v www.w3.org");
    /* A switcher when there are several heads. */
    ok(FIGURE "heatmap " TINY "--cross --layer 1 --head 0-3 -o $SCRATCH/s.html && "
              "grep -q cross-L1H3 $SCRATCH/s.html && grep -q '<script' $SCRATCH/s.html");
    /* The figure itself comes first: panels beside pages, the model view beside heatmaps; lines of
     * several heads are one page with buttons. */
    ok("test $(grep -c '<section' $SCRATCH/s.html) = 5 && grep -q 'data-name=\"all\"' "
       "$SCRATCH/s.html");
    ok(FIGURE "model " TINY "--cross -o $SCRATCH/m.html -o $SCRATCH/m.svg && "
              "test $(grep -c '<section' $SCRATCH/m.html) = 9 && "
              "grep -q '2 layers × 4 heads' $SCRATCH/m.html");
    ok(FIGURE "cross " TINY "--layer 1 --head 0-3 -o $SCRATCH/c.html && "
              "test $(grep -c '<section' $SCRATCH/c.html) = 1");
}

static void nothing_depends_on_the_place(void **unused) {
    (void)unused;
    ok(FIGURE "cross " TINY "-o $SCRATCH/p.svg && "
              "M=$PWD/tests/data/tiny && cd / && env -u HOME LC_ALL=fi_FI.UTF-8 $ATTNSCOPE figure "
              "cross --model $M --text 'the cat is on the mat.' --target-text 'kissa on matolla.' "
              "-o $SCRATCH/q.svg && sed 's/{.*}//' $SCRATCH/p.svg > $SCRATCH/p && "
              "sed 's/{.*}//' $SCRATCH/q.svg > $SCRATCH/q && cmp $SCRATCH/p $SCRATCH/q");
}

static void wrong_usage(void **unused) {
    (void)unused;
    assert_true(spawn_refused(FIGURE "nonsense", 2, "there is model, head"));
    assert_true(spawn_refused(FIGURE, 2, "which kind"));
    assert_true(spawn_refused(FIGURE "cross " TINY "-o $SCRATCH/x.gif", 2, ".png"));
    assert_true(spawn_refused(FIGURE "cross " TINY "--size 3mm -o $SCRATCH/x.svg", 2, "--size"));
    assert_true(spawn_refused(FIGURE "cross " TINY "--encoder --cross", 2, "one of them"));
    assert_true(spawn_refused(FIGURE "cross " TINY "--theme pink", 2, "light"));
    assert_true(spawn_refused(FIGURE "cross " TINY "--font Nonexistent -o $SCRATCH/x.svg", 1,
                              "not installed"));
    assert_true(spawn_refused(FIGURE "cross " TINY "-o /nonexistent/x.svg", 1, "/nonexistent"));
    assert_true(spawn_refused(FIGURE "--spec tests/data/tiny/config.json", 1, "is nothing that"));
    assert_true(spawn_refused(FIGURE "--spec /etc/hostname -o $SCRATCH/x.svg", 1, "hostname"));
    assert_true(spawn_refused(FIGURE "blocks --from tests/data/import/one.npz -o $SCRATCH/x.svg", 1,
                              "from a model"));
    assert_true(spawn_refused(FIGURE "neuron --from tests/data/import/one.npz -o $SCRATCH/x.svg", 1,
                              "hook_q"));
    assert_true(spawn_refused(FIGURE "heatmap --model tests/data/tiny --text '' -o $SCRATCH/x.svg",
                              1, "text"));
    ok("! test -e $SCRATCH/x.gif");
}

static void differences(void **unused) {
    (void)unused;
    ok(FIGURE "difference " TINY "--ablate decoder.0.attn:H1 --layer 1 --head 0 -o $SCRATCH/d.svg");
    ok("$ATTNSCOPE trace " TINY "-o $SCRATCH/t.safetensors && " FIGURE "difference " TINY
       "--against $SCRATCH/t.safetensors --cross --layer 1 --head 0 -o $SCRATCH/e.svg");
    /* The same against itself: nothing changed. */
    ok("grep -o 'data-weight=\"[^\"]*\"' $SCRATCH/e.svg | sort -u | grep -qx 'data-weight=\"0\"'");
    assert_true(spawn_refused(FIGURE "difference --model tests/data/tiny --text 'the cat is' "
                                     "--target-text 'kissa on matolla.' --against "
                                     "$SCRATCH/t.safetensors -o $SCRATCH/f.svg",
                              1, "part at source token 4"));
}

static void sizes(void **unused) {
    (void)unused;
    double w, h;
    assert_true(figure_size_of("84mm", 0, &w, &h, NULL));
    assert_true(w > 238 && w < 238.2 && h == 0);
    assert_true(figure_size_of("6in", 0, &w, &h, NULL) && w == 432);
    assert_true(figure_size_of("1200px", 300, &w, &h, NULL) && w == 288);
    assert_true(figure_size_of("160x90mm", 0, &w, &h, NULL) && h > 255 && h < 255.2);
    static const char *const wrong[] = {"",          "mm",    "84",     "84 mm mm", "-3mm",
                                        "1e9mm",     "nanmm", "84x",    "84xmm",    "x90mm",
                                        "84furlong", "1mm",   "0x1E2mm"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        if (figure_size_of(wrong[i], 0, &w, &h, NULL)) fail_msg("%s", wrong[i]);
    ok(FIGURE "cross " TINY "--size 1200px --dpi 200 -o $SCRATCH/w.png && "
              "od -An -tu1 -j16 -N4 $SCRATCH/w.png | tr -s ' ' | grep -q ' 0 0 4 176'");
}

/* A column of a journal is 84 mm wide, not 84.3. */
static void sizes_are_kept_to(void **unused) {
    (void)unused;
    ok(FIGURE "heatmap " TINY "--size 84mm -o $SCRATCH/w.svg && "
              "grep -q '<svg[^>]* width=\"238.11pt\"' $SCRATCH/w.svg");
}

/* Letters that no font has are not drawn as boxes without a word; here there is no font at all. */
static void missing_letters_are_said(void **unused) {
    (void)unused;
    static const char conf[] = "<?xml version=\"1.0\"?><!DOCTYPE fontconfig SYSTEM \"fonts.dtd\">"
                               "<fontconfig><dir>/nonexistent</dir></fontconfig>";
    spawn_file("fonts.conf", conf, sizeof conf - 1);
    ok("FONTCONFIG_FILE=$SCRATCH/fonts.conf " FIGURE "heatmap " TINY
       "-o $SCRATCH/x.svg 2>&1 | grep -q 'no font here'");
    ok("! " FIGURE "heatmap " TINY "-o $SCRATCH/x.svg 2>&1 | grep -q 'no font here'");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes_are_kept_to),
        cmocka_unit_test(missing_letters_are_said),
        cmocka_unit_test(specs_go_round),
        cmocka_unit_test(other_weights_are_said),
        cmocka_unit_test(writes_what_is_asked_for),
        cmocka_unit_test(nothing_depends_on_the_place),
        cmocka_unit_test(wrong_usage),
        cmocka_unit_test(differences),
        cmocka_unit_test(sizes),
    };
    return cmocka_run_group_tests(tests, NULL, spawn_clean);
}
